"""Who of a list may be taken out now: consent is read again at the time of the export.

The list holds references. Consent is for the purpose and the recipient of the match, in the files
as they are now; whoever does not consent any more, or is not in the files, is left out. Who is to
be taken off an audience need not consent to that: only who is not in the files is left out.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from party.datasets import Definition
from party.datasets.identifier_columns import read_whole
from party.datasets.people import People
from party.datasets.rows import Rows, read_rows
from party.datasets.selection import select
from party.datasets.source import Source
from party.errors import PartyError
from psi.arrow import positions

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class ListedPeople:
    """People of a list, in the order of the dataset; and where they stand."""

    definition: Definition
    source: Source
    people: People

    @classmethod
    def who_consent(
        cls,
        definition: Definition,
        source: Source,
        references: pa.Array,
        *,
        purpose: str,
        recipient: str,
        snapshot: str,
        now: float,
        executor: Executor | None = None,
    ) -> ListedPeople:
        """Return those who consent now, from an open source.

        `snapshot` (hex) is of the source that the list was made from.

        Raises:
            DatasetError: the files cannot be read as described.
            PartyError: people are told by row numbers, and the files are others by now.
        """
        if definition.person_column is None and source.snapshot().hex() != snapshot:
            raise PartyError(
                f"dataset {definition.name} tells people by the number of their row, and its "
                "files have changed since the list was made: make a new list"
            )
        chosen = select(
            _rows(definition, source, executor),
            label=None,
            values=(),
            purpose=purpose,
            recipients=[recipient],
            now=now,
        )
        return cls(definition, source, _among(chosen.people, references))

    @classmethod
    def who_are_known(
        cls,
        definition: Definition,
        source: Source,
        references: pa.Array,
        *,
        executor: Executor | None = None,
    ) -> ListedPeople:
        """Return those who are in an open source, whether or not they consent.

        Raises:
            DatasetError: the files cannot be read as described.
        """
        people = _rows(definition, source, executor).people
        return cls(definition, source, _among(people, references))


def _rows(definition: Definition, source: Source, executor: Executor | None) -> Rows:
    read = partial(read_whole, definition, source, executor=executor)
    return read_rows(definition, source, [], read)


def _among(people: People, references: pa.Array) -> People:
    import pyarrow as pa
    import pyarrow.compute as pc

    listed = pc.is_in(people.references, references).cast(pa.int64())
    return people.only(positions(listed, missing=0).astype(np.bool_))
