"""Which licences may ship (licences.toml), and the page of those that do (docs/licences.md)."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageMetadata
from pathlib import Path
from typing import Any

from components import Component, InventoryError
from license_expression import ExpressionError, LicenseExpression, get_spdx_licensing

_POLICY = Path(__file__).parent / "licences.toml"
_SPDX = get_spdx_licensing()
_CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Those that name one licence; "BSD License" is several."""


class Policy:
    """What licences.toml says: which licences pass, and what metadata leave open."""

    def __init__(self, rules: Mapping[str, Any] | None = None) -> None:
        if rules is None:
            rules = tomllib.loads(_POLICY.read_text(encoding="utf-8"))
        self.permissive = frozenset(rules["permissive"])
        self.stated: dict[str, str] = rules["stated"]
        self.exceptions: dict[str, dict[str, str]] = rules["exceptions"]

    def licence(self, name: str, metadata: PackageMetadata | None) -> str | None:
        """Return a package's SPDX expression, or None where nothing says it."""
        if name in self.stated or metadata is None:
            return self.stated.get(name)
        for key in ("License-Expression", "License"):
            if _parsed(metadata.get(key, "")) is not None:
                return metadata[key]
        classes = metadata.get_all("Classifier") or []
        known = {_CLASSIFIERS[line] for line in classes if line in _CLASSIFIERS}
        return known.pop() if len(known) == 1 else None

    def check(self, components: Iterable[Component]) -> None:
        """Raise InventoryError with every component whose licence is unknown or may not ship."""
        wrong = [
            f"{one.name} {one.version}: {one.licence or 'no licence is stated'}"
            for one in components
            if not self._passes(one)
        ]
        if wrong:
            raise InventoryError(
                "these licences may not ship:\n  "
                + "\n  ".join(wrong)
                + "\nDo without the package, "
                f"or record its licence in {_POLICY.name} and the reason in docs/decisions/"
            )

    def _passes(self, component: Component) -> bool:
        tree = _parsed(component.licence or "")
        exception = self.exceptions.get(component.name, {}).get("licence")
        return tree is not None and self._allowed(tree, self.permissive | {exception})

    def _allowed(self, tree: LicenseExpression, passing: frozenset[str | None]) -> bool:
        if tree.isliteral:
            return tree.render() in passing
        parts = [self._allowed(part, passing) for part in tree.args]
        return any(parts) if isinstance(tree, _SPDX.OR) else all(parts)


def page(components: Iterable[Component], policy: Policy) -> str:
    """Return docs/licences.md: Python packages, the kernel's crates, what is not permissive."""
    listed = sorted(components, key=lambda one: (one.name, one.version))
    python = [one for one in listed if one.ecosystem == "pypi"]
    crates = [one for one in listed if one.ecosystem == "cargo" and "kernel" in one.used_for]
    tables = [
        _table(
            ("package", "licence", "for"),
            ((c.name, c.licence, ", ".join(sorted(c.used_for))) for c in python),
        ),
        _table(("crate", "licence"), dict.fromkeys((c.name, c.licence) for c in crates)),
        _table(
            ("package", "licence", "why it may ship"),
            ((name, one["licence"], one["why"]) for name, one in policy.exceptions.items()),
        ),
    ]
    return _PAGE.format(*tables)


def _parsed(text: str) -> LicenseExpression | None:
    try:
        return _SPDX.parse(text, validate=True, strict=True) if text else None
    except ExpressionError:
        return None


def _table(head: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


_PAGE = """\
# Licences of what ships

commonground is under Apache 2.0. This page lists what it runs with: SPDX identifiers, as the \
packages state them, or as [packaging/licences.toml](../packaging/licences.toml) records them from \
their licence files. `make licences` writes it; `make sbom` and the suite refuse what is neither \
permissive nor recorded below ([decision 0049](decisions/0049-what-ships-is-listed.md)). Versions \
are in the SBOM ([operations](operations.md#what-is-installed)).

## Python packages

`commonground` is what every installation has; the others come with an extra.

{}

## Crates of the native kernel

The first that the workspace asks for are pinned; what those bring along is what cargo chose when \
this was written.

{}

## Not permissive, by decision

{}

Wheels with native code carry libraries of their own. What they list of them (OpenSSL and crates \
in cryptography, for example) is in the SBOM and is held against the same rules. What they do not \
list is under the licence files in the wheel, which nothing here reads.
"""
