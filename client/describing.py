"""Describing a dataset from afar, as the console does: a text, or a form that becomes one.

Whoever describes here names files of the machine that the party runs on. So a description is taken
only if all that it reads are files below the folders that party.toml names (`data_folders`); what
reads a database or an object store is registered on the command line, by who may read there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from languages import message
from party.datasets import Definition
from party.datasets.consent import ConsentTable
from party.datasets.content import LocalFile
from party.datasets.definition import read_definition
from party.datasets.origin import Files, Origin
from party.datasets.table_file import SUFFIXES, open_table_file
from party.errors import DatasetError
from party.yaml_text import read_yaml

if TYPE_CHECKING:
    from party.organisation import Organisation

MOST_FILES: Final = 200
_WHAT: Final = message("the description")
_GLOB: Final = "*?["


@dataclass(frozen=True)
class Draft:
    """What a form says of a dataset; `kinds` are those of the columns that are to be read.

    `given` are the texts of `consent` that give it, for all of the purposes and recipients.
    `values` are, by column, the values that are counted as a label.
    """

    name: str
    source: str
    person: str
    kinds: Mapping[str, str]
    consent: str
    given: Sequence[str]
    purposes: Sequence[str]
    recipients: Sequence[str]
    values: Mapping[str, Sequence[str]]

    def text(self) -> str:
        """Return it as a description, in YAML."""
        labels = {name: {"column": name, "values": list(v)} for name, v in self.values.items() if v}
        document: dict[str, Any] = {
            "dataset": self.name,
            "source": self.source,
            **({"person": self.person} if self.person else {}),
            "columns": dict(self.kinds) | ({self.consent: "consent"} if self.consent else {}),
            "consent": {
                "column": self.consent,
                "given": list(self.given),
                "purposes": list(self.purposes),
                "recipients": list(self.recipients),
            },
            **({"labels": labels} if labels else {}),
        }
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def folders_of(party: Organisation) -> tuple[Path, ...]:
    """Return the folders below which files may be described from afar."""
    return tuple(Path(one).resolve() for one in party.settings.data_folders)


def tables_in(party: Organisation) -> list[Path]:
    """Return the tables below those folders, as many as a form can offer, by name."""
    found = (
        path
        for folder in folders_of(party)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    return sorted(path for path, _ in zip(found, range(MOST_FILES), strict=False))


def columns_of(party: Organisation, path: str) -> tuple[str, ...]:
    """Return the columns of a table below those folders.

    Raises:
        DatasetError: it is not below them, or cannot be read.
    """
    found = Path(path)
    _require_below(party, found)
    content = LocalFile(found)
    try:
        return open_table_file(content, ()).columns
    finally:
        content.close()


def described(party: Organisation, text: str) -> Definition:
    """Return the description in a text, all of whose files are below those folders.

    Raises:
        DatasetError: it is none, or reads something else.
    """
    folders = folders_of(party)
    if not folders:
        raise DatasetError(
            message(
                "no folder is named from which files may be registered here: "
                'name them in party.toml, as data_folders = ["/srv/data"], or '
                "use `commonground dataset add`"
            )
        )
    document = read_yaml(text.encode(), _WHAT, DatasetError)
    definition = read_definition(document, folders[0], _WHAT)
    _require_files(party, definition, definition.source)
    if isinstance(definition.consent, ConsentTable):
        _require_files(party, definition, definition.consent.table)
    return definition


def _require_files(party: Organisation, definition: Definition, origin: Origin) -> None:
    """Refuse what is no file below the folders; of a pattern, what stands before its first sign."""
    if not isinstance(origin, Files):
        raise DatasetError(
            message(
                "{what}: only files are registered here; a query or objects with "
                "`commonground dataset add`",
                what=_WHAT,
            )
        )
    path = definition.folder / origin.pattern
    parts = path.parts
    fixed = next((at for at, part in enumerate(parts) if set(part) & set(_GLOB)), len(parts))
    if ".." in parts:
        raise DatasetError(
            message(
                "{what}: write the path of {pattern} without '..'",
                what=_WHAT,
                pattern=origin.pattern,
            )
        )
    _require_below(party, Path(*parts[:fixed]))


def _require_below(party: Organisation, path: Path) -> None:
    resolved = path.resolve()
    if not any(resolved.is_relative_to(folder) for folder in folders_of(party)):
        raise DatasetError(
            message(
                "{path} is below none of the data_folders that party.toml names: "
                "move it there, or use `commonground dataset add`",
                path=path,
            )
        )
