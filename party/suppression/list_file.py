"""A list on disk with the tags of its entries, and taking entries off both at once.

The list is a Parquet file of the party's references; its tags lie beside it, sealed under the node
key, and nowhere else. A changed list is a new file: the stored result names the file and its
digest, so it changes over in the transaction that says so, and the old file is deleted after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from party.durable import settle
from party.errors import ResultError
from party.identity import Identity
from party.list_files import read_list

if TYPE_CHECKING:
    import pyarrow as pa

    from psi.points import Tags

TAGS_SUFFIX: Final = ".tags"
HOLDERS_FILE: Final = "holders.sealed"
"""At the sender, in the session's folder: whose its points are."""


@dataclass(frozen=True)
class ListFile:
    """The list of one request, in the folder of lists."""

    folder: Path
    request_id: str
    identity: Identity

    def write(self, entries: pa.Table, tags: pa.Table | None, *, version: int = 0) -> Path:
        """Write a list and its tags; return the list's file. As it was made it is version 0."""
        import pyarrow.parquet as pq

        self.folder.mkdir(exist_ok=True, mode=0o700)
        suffix = f"-{version}" if version else ""
        path = self.folder / f"{self.request_id}{suffix}.parquet"
        if tags is not None:
            sealed = self.identity.seal_parts([_to_parquet(tags)], self._context)
            _replace(path.with_suffix(TAGS_SUFFIX), sealed)
        temporary = path.with_suffix(".new")
        pq.write_table(entries, temporary)
        settle(temporary, path)
        return path

    def read(self, stored: dict[str, Any]) -> tuple[pa.Table, pa.Table]:
        """Return a stored result's list and its tags.

        Raises:
            ResultError: the list is not there or was changed, or its tags are gone.
        """
        path = self.folder / Path(stored["list_file"]).name  # a party's folder may have moved
        beside = path.with_suffix(TAGS_SUFFIX)
        if not path.is_file() or not beside.is_file():
            raise ResultError(
                f"the list {path} or its tags beside it were deleted or moved: nobody can be taken "
                "off it. Restore both, or make the list again"
            )
        entries = self.read_entries(stored)
        with beside.open("rb") as sealed:
            tags = b"".join(self.identity.unseal_blocks(sealed, self._context))
        return entries, _from_parquet(tags)

    def read_entries(self, stored: dict[str, Any]) -> pa.Table:
        """Return a stored result's list, without tags; ResultError when it was changed."""
        return read_list(self.folder / Path(stored["list_file"]).name, stored["list_sha256"])

    def has_tags(self, stored: dict[str, Any]) -> bool:
        """Say whether tags lie beside a stored result's list, by which runs find people on it."""
        path = self.folder / Path(stored["list_file"]).name
        return path.with_suffix(TAGS_SUFFIX).is_file()

    def next_version(self, stored: dict[str, Any]) -> int:
        """Return the version that follows that of a stored result."""
        return (self._version_of(Path(stored["list_file"])) or 0) + 1

    def delete_older(self, kept: str) -> None:
        """Delete the list as it stood before the file named `kept`, with its tags.

        A file of a later version may be on its way and stays.
        """
        number = self._version_of(Path(kept)) or 0
        for path in self._files():
            if (self._version_of(path) or 0) < number:
                path.unlink(missing_ok=True)

    def delete(self) -> None:
        """Delete the list as it stands and as it stood, with its tags."""
        for path in self._files():
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        """Return the files of the list in whatever version."""
        found = self.folder.glob(f"{self.request_id}*")
        return [path for path in found if self._version_of(path) is not None]

    def _version_of(self, path: Path) -> int | None:
        """Return how often people had come off the list in a file, None for another file."""
        name, dash, number = path.stem.partition("-")
        if name != self.request_id or (dash and not number.isdecimal()):
            return None
        return int(number) if dash else 0

    @property
    def _context(self) -> str:
        return f"list-tags/{self.request_id}"


def without(entries: pa.Table, tags: pa.Table, hits: Tags) -> tuple[pa.Table, pa.Table]:
    """Return a list and its tags without what a run took off.

    An entry stays while one of its tags does; `matched_by` then names the types that are left.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from psi.arrow import integers, texts
    from psi.suppression import is_suppressed

    kept_tags = tags.take(integers(np.flatnonzero(~is_suppressed(_rows(tags), hits))))
    still = pc.is_in(entries["reference"], value_set=kept_tags["reference"].combine_chunks())
    kept = entries.filter(still)
    left: dict[str, set[str]] = {}
    for reference, kind in zip(
        kept_tags["reference"].to_pylist(), kept_tags["type"].to_pylist(), strict=True
    ):
        left.setdefault(reference, set()).add(kind)
    matched_by = [
        "+".join(kind for kind in before.split("+") if kind in left[reference])
        for reference, before in zip(
            kept["reference"].to_pylist(), kept["matched_by"].to_pylist(), strict=True
        )
    ]
    place = kept.column_names.index("matched_by")
    return kept.set_column(place, "matched_by", texts(matched_by).cast(pa.string())), kept_tags


def _rows(tags: pa.Table) -> Tags:
    import numpy as np

    column = tags["tag"].combine_chunks()
    width = column.type.byte_width
    data = b"".join(column.to_pylist())
    return np.frombuffer(data, dtype=np.uint8).reshape(len(column), width)


def _to_parquet(table: pa.Table) -> memoryview:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return memoryview(sink.getvalue()).cast("B")


def _from_parquet(data: bytes) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.read_table(pa.BufferReader(data))


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    temporary = path.with_suffix(".tags-new")
    with temporary.open("wb") as file:
        file.writelines(parts)
    settle(temporary, path)
