"""Holds events against JSON schemas: OpenLineage's published ones, and that of our facets.

The schemas are OpenLineage's and not in this repository: DIR is the folder `spec` of a checkout of
github.com/OpenLineage/OpenLineage. Every facet is held against the schema that its `_schemaURL`
names, ours against docs/lineage-facets.json.
"""

import json
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

OWN = Path(__file__).parents[1] / "docs" / "lineage-facets.json"


def registry_of(folder: Path | None) -> Registry:
    """Return the published schemas by the addresses that they have themselves, and ours."""
    files = [OWN]
    if folder is not None:
        files += [folder / "OpenLineage.json", *(folder / "facets").glob("*.json")]
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    return Registry().with_resources(
        (document["$id"], Resource.from_contents(document)) for document in documents
    )


def facets_in(value, path=""):
    """Yield every facet in an event: what names its own schema."""
    if isinstance(value, dict):
        if "_schemaURL" in value:
            yield path, value
        for name, inner in value.items():
            yield from facets_in(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from facets_in(inner, f"{path}/{place}")


def problems(event, registry, *, ours_alone=False):
    """Yield what is wrong with an event; with `ours_alone`, with the facets that are ours."""
    held = [] if ours_alone else [("", event["schemaURL"], event)]
    held += [
        (path, facet["_schemaURL"], facet)
        for path, facet in facets_in(event)
        if not ours_alone or facet["_schemaURL"].startswith("urn:commonground:")
    ]
    for path, url, value in held:
        validator = Draft202012Validator(
            {"$ref": url}, registry=registry, format_checker=FormatChecker()
        )
        yield from (f"{path}: {error.message}" for error in validator.iter_errors(value))
