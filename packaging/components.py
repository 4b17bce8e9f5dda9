"""What the product runs with: its Python packages, and what their wheels say that they carry.

Read from the environment that runs this: pyproject.toml names what is asked for, the installed
packages' metadata which versions are there and what those ask for. A wheel with native code may
list what was compiled into it (PEP 770: CycloneDX documents in `.dist-info/sboms/`); the kernel's
does, with every crate. Nothing here asks the network.
"""

import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCT = "commonground"
KERNEL = "commonground-kernel"
SHIPPED_EXTRAS = (
    *("console", "postgresql", "duckdb", "objects", "http", "traces", "html", "keyring"),
)
"""The other extras are for developers: what they bring is in no installation of a party."""
_NATIVE = (".so", ".pyd", ".dylib", ".dll")


class InventoryError(Exception):
    """The environment does not serve, or holds what may not ship; the message says what."""


@dataclass
class Component:
    """One package, crate or library, with its licence as an SPDX expression where one is stated.

    `purl` is None for what stands in no public index: the product's own parts, and a wheel's own
    crates. `used_for` holds "commonground", "kernel" or extras. `build_only` parts ran when a
    wheel was made. `unlisted` is native code about which its wheel says nothing.
    """

    name: str
    version: str
    licence: str | None
    purl: PackageURL | None
    used_for: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    sha256: str | None = None
    build_only: bool = False
    unlisted: bool = False

    @property
    def key(self) -> str:
        """What the others name it by: its package URL, or name and version."""
        return str(self.purl) if self.purl else f"{self.name}@{self.version}"

    @property
    def ecosystem(self) -> str:
        """`pypi`, `cargo` and so on; empty for what stands in no public index."""
        return self.purl.type if self.purl else ""


Licence = Callable[[str, PackageMetadata | None], str | None]
"""Gives a package's licence by its name and its metadata, which a library in a wheel has not."""


class Inventory:
    """Collects components, each once, however many packages need it."""

    def __init__(self, licence: Licence) -> None:
        self.components: dict[str, Component] = {}
        self._licence = licence
        self._followed: set[tuple[str, frozenset[str], str]] = set()

    def collect(self, pyproject: Path) -> Component:
        """Take in what the product of `pyproject` needs, which must be installed; return it."""
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        product = Component(PRODUCT, project["version"], project["license"], None, {PRODUCT})
        lines = {PRODUCT: project["dependencies"]}
        lines |= {extra: project["optional-dependencies"][extra] for extra in SHIPPED_EXTRAS}
        if _is_installed(KERNEL):
            lines["kernel"] = [KERNEL]
        for used_for, wanted in lines.items():
            product.needs |= {self._require(Requirement(line), used_for) for line in wanted}
        return product

    def _require(self, wanted: Requirement, used_for: str) -> str:
        try:
            found = distribution(wanted.name)
        except PackageNotFoundError:
            raise InventoryError(f"{wanted.name} is not installed: run make first") from None
        if not wanted.specifier.contains(found.version, prereleases=True):
            raise InventoryError(
                f"{wanted} is asked for, and {found.version} is installed: run make first"
            )
        component = self._installed(found, used_for)
        way = (component.name, frozenset(wanted.extras), used_for)
        if way not in self._followed:
            self._followed.add(way)
            for more in map(Requirement, found.requires or ()):
                if _applies(more, wanted.extras):
                    component.needs.add(self._require(more, used_for))
        return component.key

    def _installed(self, found: Distribution, used_for: str) -> Component:
        name = canonicalize_name(found.metadata["Name"])
        purl = None if name == KERNEL else PackageURL("pypi", name=name, version=found.version)
        component = self._add(
            Component(name, found.version, self._licence(name, found.metadata), purl), used_for
        )
        files = found.files or []
        lists = [file for file in files if "sboms" in file.parts and file.suffix == ".json"]
        for file in lists:
            self._carried(component, json.loads(file.read_text(encoding="utf-8")), used_for)
        component.unlisted = not lists and any(file.suffix in _NATIVE for file in files)
        return component

    def _carried(self, wheel: Component, document: dict[str, Any], used_for: str) -> None:
        """Take in what a wheel's own SBOM lists, with its edges and without its paths."""
        keys = {document.get("metadata", {}).get("component", {}).get("bom-ref"): wheel.key}
        for part in document["components"]:
            if canonicalize_name(part["name"]) == wheel.name:
                keys[part.get("bom-ref")] = wheel.key
                continue
            listed = self._add(self._listed(part), used_for)
            keys[part.get("bom-ref")] = listed.key
        for edge in document.get("dependencies", ()):
            needs = {keys[ref] for ref in edge.get("dependsOn", ()) if ref in keys}
            source = keys.get(edge["ref"])
            if source == wheel.key:
                wheel.needs |= needs - {wheel.key}
            elif source is not None:
                self.components[source].needs |= needs
        # Without a graph (a list of libraries only) the wheel itself needs what it lists.
        if not document.get("dependencies"):
            wheel.needs |= set(keys.values()) - {wheel.key}

    def _listed(self, part: dict[str, Any]) -> Component:
        given = part.get("purl")
        purl = PackageURL.from_string(given) if given else None
        # A crate of the wheel's own folder has a path for its address, and is in no index.
        public = purl is not None and "file:" not in given
        digests = {one["alg"]: one["content"] for one in part.get("hashes", ())}
        return Component(
            part["name"],
            part["version"],
            _expression(part) or self._licence(part["name"], None),
            purl._replace(qualifiers={}, subpath=None) if purl and public else None,
            sha256=digests.get("SHA-256"),
            build_only=part.get("scope") == "excluded",
        )

    def _add(self, component: Component, used_for: str) -> Component:
        kept = self.components.setdefault(component.key, component)
        kept.used_for.add(used_for)
        kept.build_only &= component.build_only
        return kept


def _applies(wanted: Requirement, extras: Iterable[str]) -> bool:
    marker = wanted.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _expression(part: dict[str, Any]) -> str | None:
    """Return a listed part's licence as one SPDX expression: all that stand there hold."""
    stated = [
        one.get("expression") or one.get("license", {}).get("id")
        for one in part.get("licenses", ())
    ]
    return " AND ".join(stated) if stated and all(stated) else None
