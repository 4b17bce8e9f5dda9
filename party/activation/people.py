"""Who of a list may be taken out now: consent is read again at the time of the export.

The list holds references. Consent is for the purpose and the recipient of the match, in the files
as they are now; whoever does not consent any more, or is not in the files, is left out.
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
from party.datasets.rows import read_rows
from party.datasets.selection import select
from party.datasets.source import Source
from party.errors import PartyError
from psi.arrow import positions

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class ListedPeople:
    """The people of a list who consent now, in the order of the dataset; and where they stand."""

    definition: Definition
    source: Source
    people: People

    @classmethod
    def of(
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
        """Read consent in an open source; `snapshot` (hex) is of the one the list was made from.

        Raises:
            DatasetError: the files cannot be read as described.
            PartyError: people are told by row numbers, and the files are others by now.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if definition.person_column is None and source.snapshot().hex() != snapshot:
            raise PartyError(
                f"dataset {definition.name} tells people by the number of their row, and its "
                "files have changed since the list was made: make a new list"
            )
        read = partial(read_whole, definition, source, executor=executor)
        consenting = select(
            read_rows(definition, source, [], read),
            label=None,
            values=(),
            purpose=purpose,
            recipient=recipient,
            now=now,
        ).people
        listed = pc.is_in(consenting.references, references).cast(pa.int64())
        mask = positions(listed, missing=0).astype(np.bool_)
        return cls(definition, source, consenting.only(mask))
