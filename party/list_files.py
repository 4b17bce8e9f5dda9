"""The files of a refreshed list that name who came and who went, and reading any list's file.

The files are written before the result that names their digests. What no result names does not
count, so either all of them do or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from languages import message
from party.durable import settle
from party.errors import ResultError

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK: Final = 1 << 20
_UNFINISHED: Final = ".new"


class Part(StrEnum):
    """Which people of a list: all, or those who came or went at its last refresh."""

    WHOLE = "whole"
    ADDED = "added"
    REMOVED = "removed"


def change_file(folder: Path, request: str, part: Part) -> Path:
    """Return where the people who came or went at the refresh by a request are named."""
    return folder / f"{request}-{part.value}.parquet"


def write_changes(
    folder: Path, request: str, table: pa.Table, former: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Write who came and who went where a list takes the place of a `former` result's.

    Returns what a result says of them. A former list that is gone or was changed gives no
    changes; the new list stands without.
    """
    before = None if former is None else _former_table(folder, former)
    if before is None:
        return {}
    parts = {Part.ADDED: _without(table, before), Part.REMOVED: _without(before, table)}
    changes = {
        part.value: {
            "sha256": _write(rows, change_file(folder, request, part)),
            "people": len(rows),
        }
        for part, rows in parts.items()
    }
    return {"changes": changes}


def still_added(
    folder: Path, request: str, changes: Mapping[str, Any], kept: pa.Table
) -> dict[str, Any]:
    """Return what a result says of its changes once a suppression run has left `kept` of the list.

    The file of those who came stays as it is; whoever is off the list is left out when it is read.
    So the count leaves them out too. Where the file is gone or was changed nobody reads either.
    """
    stored = changes.get(Part.ADDED.value)
    if stored is None:
        return dict(changes)
    try:
        added = read_list(change_file(folder, request, Part.ADDED), stored["sha256"])
    except (ResultError, FileNotFoundError):
        return dict(changes)
    people = len(added) - len(_without(added, kept))
    return {**changes, Part.ADDED.value: {**stored, "people": people}}


def read_list(file: Path, digest: str) -> pa.Table:
    """Return the table in a list's file; ResultError when it is not the one that was written."""
    import pyarrow.parquet as pq

    require_unchanged(file, digest)
    return pq.read_table(file)


def require_unchanged(file: Path, digest: str) -> None:
    """Raise ResultError unless a list's file has this SHA-256 (hex)."""
    if sha256_of(file).hex() != digest:
        raise ResultError(
            message(
                "the list {file} was changed after it was made: do not use it",
                file=file,
            )
        )


def sha256_of(file: Path) -> bytes:
    """Return the SHA-256 of a file."""
    digest = sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.digest()


def delete_changes(folder: Path, request: str) -> None:
    """Delete what names who came and went at the refresh by a request."""
    for part in (Part.ADDED, Part.REMOVED):
        file = change_file(folder, request, part)
        file.unlink(missing_ok=True)
        file.with_suffix(_UNFINISHED).unlink(missing_ok=True)


def _write(table: pa.Table, file: Path) -> str:
    import pyarrow.parquet as pq

    temporary = file.with_suffix(_UNFINISHED)
    pq.write_table(table, temporary)
    settle(temporary, file)
    return sha256_of(file).hex()


def _former_table(folder: Path, former: Mapping[str, Any]) -> pa.Table | None:
    file = folder / Path(former["list_file"]).name
    try:
        return read_list(file, former["list_sha256"])
    except (ResultError, FileNotFoundError):
        return None


def _without(table: pa.Table, other: pa.Table) -> pa.Table:
    """Return the rows of `table` whose references `other` does not have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = other["reference"].cast(pa.large_string()).combine_chunks()
    return table.filter(pc.invert(pc.is_in(table["reference"].cast(pa.large_string()), known)))
