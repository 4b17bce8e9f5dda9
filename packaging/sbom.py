"""Write the product's SBOM (CycloneDX 1.6, JSON), after holding its licences against the rules.

    python packaging/sbom.py build/sbom              the SBOM
    python packaging/sbom.py --page docs/licences.md the page of licences instead

It describes the environment that runs it: versions and what a wheel carries differ by machine. It
names no path and no address of this one. The document is held against CycloneDX's own schema,
which its library brings along.
"""

import argparse
import platform
import sys
import sysconfig
from pathlib import Path

from components import KERNEL, Component, Inventory, InventoryError
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as Listed
from cyclonedx.model.component import ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from licences import Policy, page

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def inventory() -> tuple[Component, list[Component]]:
    """Return the product and all that it runs with, which must all be under licences that pass."""
    policy = Policy()
    found = Inventory(policy.licence)
    product = found.collect(PYPROJECT)
    parts = list(found.components.values())
    policy.check([product, *parts])
    return product, parts


def document(product: Component, parts: list[Component]) -> str:
    """Return the SBOM's text, valid by the schema."""
    root = _listed(product, ComponentType.APPLICATION)
    about = {"python": platform.python_version(), "platform": sysconfig.get_platform()}
    bom = Bom(
        metadata=BomMetaData(component=root, properties=_properties(about)),
        components=[_listed(part) for part in parts],
    )
    by_key = {str(one.bom_ref.value): one for one in (root, *bom.components)}
    for part in (product, *parts):
        bom.register_dependency(by_key[part.key], [by_key[key] for key in sorted(part.needs)])
    text: str = JsonV1Dot6(bom).output_as_string(indent=1)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise InventoryError(f"the SBOM does not follow CycloneDX's schema: {error}")
    return text + "\n"


def _listed(part: Component, kind: ComponentType = ComponentType.LIBRARY) -> Listed:
    facts = {"for": ", ".join(sorted(part.used_for))}
    if part.unlisted:
        facts["native-code"] = "not listed by the wheel"
    return Listed(
        name=part.name,
        version=part.version,
        type=kind,
        bom_ref=part.key,
        purl=part.purl,
        scope=_scope(part) if kind is ComponentType.LIBRARY else None,
        licenses=[LicenseExpression(part.licence)] if part.licence else (),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else (),
        properties=_properties(facts),
    )


def _scope(part: Component) -> ComponentScope:
    if part.build_only:
        return ComponentScope.EXCLUDED
    return ComponentScope.REQUIRED if "commonground" in part.used_for else ComponentScope.OPTIONAL


def _properties(facts: dict[str, str]) -> list[Property]:
    return [Property(name=f"commonground:{name}", value=value) for name, value in facts.items()]


def main() -> int:
    """Write what was asked for and return 0, or say what does not serve and return 1."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/sbom"))
    parser.add_argument("--page", type=Path, help="write the page of licences, and no SBOM")
    options = parser.parse_args()
    try:
        product, parts = inventory()
        file = options.page or options.folder / f"{product.name}-{product.version}.cdx.json"
        text = page(parts, Policy()) if options.page else document(product, parts)
    except InventoryError as error:
        print(error, file=sys.stderr)
        return 1
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    unlisted = sorted(part.name for part in parts if part.unlisted)
    print(f"{file}: {len(parts)} components, every licence may ship (docs/licences.md)")
    print(f"Wheels with native code that list nothing of it: {', '.join(unlisted)}")
    if not any(part.name == KERNEL for part in parts):
        print("The native kernel is not installed here, so its crates are not in it: make kernel")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
