"""Whose each key of a match was, kept so that a withdrawal can find its points again.

The data behind a list changes while the list is out, so the match's keys are tied at session time
to salted hashes of the party's own references: of each person where the dataset tells people
apart by a column, of each key itself otherwise. They are sealed under the node key and deleted with
the list. A key is withdrawn when nobody who had it consents any more.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from party.datasets import Definition, Prepared
from party.datasets.identifier_columns import read_whole
from party.datasets.prepare import prepare
from party.datasets.rows import open_source, read_rows
from party.datasets.selection import select
from party.errors import DatasetError
from party.suppression.list_file import HOLDERS_FILE
from psi.arrow import binaries
from psi.engines import engine
from psi.keys import Keys
from psi.row_hashes import mac_texts
from psi.seed import Seed
from psi.sets import Buffer, contains

if TYPE_CHECKING:
    import pyarrow as pa

    from party.artefacts import SessionFolder
    from party.identity import Identity
    from party.request import Request

_TOKEN_BYTES: Final = 16
_HEADER: Final = struct.Struct(">?QQ")
_DTYPES: Final = (np.uint8, np.int32, np.int32)  # of tokens, keys and holders

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Holders:
    """The holders of a match's keys.

    `by_person` says what a token stands for; `tokens` (n, 16) are the holders'; `keys` and
    `holders` (m,) pair each key with each of its holders.
    """

    by_person: bool
    tokens: Buffer
    keys: npt.NDArray[np.int32]
    holders: npt.NDArray[np.int32]

    @classmethod
    def of(cls, prepared: Prepared, seed: Seed, *, by_person: bool) -> Holders:
        """Return the holders of the keys that a session was prepared with."""
        if by_person:
            keys, holders = prepared.owners.T
            return cls(True, _tokens(prepared.person_refs, seed), keys, holders)
        every = np.arange(len(prepared.keys), dtype=np.int32)
        return cls(False, _tokens(_as_binaries(prepared.keys), seed), every, every)

    def withdrawn(self, consenting: Buffer) -> Indices:
        """Return the keys of whom nobody consents any more, all of one holder's together.

        The holders stand in the order of their tokens, which says nothing to anybody else.

        Args:
            consenting: (n, 16) the tokens of all who consent now.
        """
        consents = contains(consenting, self.tokens)
        gone = np.ones(self._key_count, dtype=np.bool_)
        gone[self.keys[consents[self.holders]]] = False
        keys = np.flatnonzero(gone)
        if not len(keys):
            return keys
        first = self._first_holders()
        return keys[np.lexsort((keys, first[keys]))]

    def whole(self, keys: Indices, most: int) -> Indices:
        """Return the first of `withdrawn` keys, `most` at most, and of no holder a part only.

        A key of several holders goes with the first of them. A holder of more than `most` keys is
        parted, since nothing else would come to an end.
        """
        if len(keys) <= most:
            return keys
        first = self._first_holders()
        head = keys[:most]
        complete = head[first[head] != first[keys[most]]]
        return complete if len(complete) else head

    def _first_holders(self) -> Indices:
        """Return for each key the place of its first holder in the order of tokens."""
        rank = np.empty(len(self.tokens), dtype=np.int64)
        rank[engine().sort_order(self.tokens)] = np.arange(len(rank))
        first = np.full(self._key_count, len(rank), dtype=np.int64)
        np.minimum.at(first, self.keys, rank[self.holders])
        return first

    @property
    def _key_count(self) -> int:
        return int(self.keys.max(initial=-1)) + 1

    def parts(self) -> Iterator[memoryview]:
        """Yield the bytes that are sealed: the counts, then array by array."""
        yield memoryview(_HEADER.pack(self.by_person, len(self.tokens), len(self.keys)))
        arrays: tuple[npt.NDArray[Any], ...] = (self.tokens, self.keys, self.holders)
        for array, dtype in zip(arrays, _DTYPES, strict=True):
            if array.size:
                yield np.ascontiguousarray(array, dtype=dtype).data.cast("B")

    @classmethod
    def of_blocks(cls, blocks: Iterator[bytes]) -> Holders:
        """Read the blocks that `parts` were cut into, to the end; no block is of two parts."""
        by_person, tokens, keys = _HEADER.unpack(next(blocks))
        shapes = ((tokens, _TOKEN_BYTES), (keys,), (keys,))
        arrays = [np.empty(shape, dtype) for shape, dtype in zip(shapes, _DTYPES, strict=True)]
        for array in arrays:
            left = array.reshape(-1).view(np.uint8)
            while len(left):
                block = next(blocks)
                left[: len(block)] = np.frombuffer(block, dtype=np.uint8)
                left = left[len(block) :]
        deque(blocks, maxlen=0)
        return cls(by_person, *arrays)


def tells_by_column(definition: Definition) -> bool:
    """Say whether a column tells a dataset's people apart, by references that stay theirs.

    Where rows are people, or identifiers connect them, a changed file changes who is who.
    """
    return isinstance(definition.person, str)


def keep_holders(
    folder: SessionFolder, identity: Identity, request: Request, holders: Holders
) -> None:
    """Seal the holders of a match's keys into its folder, unless they are there."""
    if not folder.has(HOLDERS_FILE):
        sealed = identity.seal_parts(holders.parts(), _context(request))
        folder.write_parts(HOLDERS_FILE, sealed)


def read_holders(folder: SessionFolder, identity: Identity, request: Request) -> Holders:
    """Return the holders of a match's keys.

    Raises:
        DatasetError: they are not there.
        IdentityError: they are not what was sealed.
    """
    if not folder.has(HOLDERS_FILE):
        raise DatasetError(
            f"whose the points of request {request.id[:8]} were is not known here any more: "
            "restore the session's folder, or make the list again"
        )
    with (folder.path / HOLDERS_FILE).open("rb") as sealed:
        return Holders.of_blocks(identity.unseal_blocks(sealed, _context(request)))


def consenting_now(
    holders: Holders,
    definition: Definition,
    request: Request,
    me: str,
    *,
    seed: Seed,
    gmail: bool,
    now: float,
    executor: Executor | None = None,
) -> Buffer:
    """Read a dataset's consent anew, and return the tokens (n, 16) of all who consent.

    Raises:
        DatasetError: the files cannot be read as described.
    """
    recipients = [party for party in request.participants if party != me]
    if not holders.by_person:
        prepared = prepare(
            definition,
            label=None,
            values=request.labels[me].values,
            identifiers=request.identifiers,
            offer="all",
            most_identifiers=request.parameters.most_identifiers[me],
            purpose=request.purpose,
            recipients=recipients,
            salt=seed.derive(b"", "input-salt"),
            now=now,
            gmail=gmail,
            executor=executor,
        )
        return _tokens(_as_binaries(prepared.keys), seed)
    if not tells_by_column(definition):
        raise DatasetError(
            f"dataset {definition.name} had a column `person` when the list was made, and has "
            "none now, so nobody can be found again: register it with that column"
        )
    with open_source(definition) as source:
        selection = select(
            read_rows(
                definition, source, [], partial(read_whole, definition, source, executor=executor)
            ),
            label=None,
            values=request.labels[me].values,
            purpose=request.purpose,
            recipients=recipients,
            now=now,
        )
    return _tokens(selection.consenting, seed)


def _as_binaries(keys: Keys) -> pa.Array:
    return binaries(keys.data, keys.offsets)


def _tokens(names: pa.Array, seed: Seed) -> Buffer:
    key = seed.derive(b"", "holders")
    return mac_texts(key, names, width=_TOKEN_BYTES)


def _context(request: Request) -> str:
    return f"holders/{request.id}"
