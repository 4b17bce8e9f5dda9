"""Who took part in a session, kept by tokens until the session's artefacts are deleted.

So that a person can be told in what their record was used, and for nothing else. Tokens are keyed
hashes under the session's seed, of what the dataset calls its people, or of keys where its rows are
people; they lie in the session's folder, sealed under the node key, and go with it.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from party.datasets import Prepared
from psi.arrow import binaries, integers, texts
from psi.keys import Keys
from psi.row_hashes import mac_texts
from psi.seed import Seed
from psi.sets import Buffer, contains

if TYPE_CHECKING:
    import pyarrow as pa

    from party.artefacts import SessionFolder
    from party.identity import Identity

PARTICIPANTS_FILE: Final = "participants.sealed"
_TOKEN_BYTES: Final = 16
_HEADER: Final = struct.Struct(">?Q")


@dataclass(frozen=True, eq=False, repr=False)
class Participants:
    """The people of one session: `tokens` (n, 16), of references or else of keys."""

    by_reference: bool
    tokens: Buffer

    @classmethod
    def of(cls, prepared: Prepared, seed: Seed, *, by_reference: bool) -> Participants:
        """Return the people whose keys a session was prepared with.

        Where records are moments, these are all who consent and could have had some.
        """
        if not by_reference:
            keys = binaries(prepared.keys.data, prepared.keys.offsets)
            return cls(False, _tokens(keys, seed))
        references = prepared.person_refs
        if len(prepared.owners):
            takes_part = np.zeros(len(references), dtype=np.bool_)
            takes_part[prepared.owners[:, 1]] = True
            if not takes_part.all():
                references = references.take(integers(np.flatnonzero(takes_part)))
        return cls(True, _tokens(references, seed))

    def include(self, references: Sequence[str], keys: Keys, seed: Seed) -> bool:
        """Say whether a person took part who is called so, or whose keys these are."""
        wanted = self._tokens_of(references, keys, seed)
        return bool(contains(self.tokens, wanted).any())

    def without(self, references: Sequence[str], keys: Keys, seed: Seed) -> Participants:
        """Return the others."""
        gone = contains(self._tokens_of(references, keys, seed), self.tokens)
        return Participants(self.by_reference, self.tokens[~gone])

    def _tokens_of(self, references: Sequence[str], keys: Keys, seed: Seed) -> Buffer:
        if self.by_reference:
            return _tokens(texts(references), seed)
        return _tokens(binaries(keys.data, keys.offsets), seed)

    def keep(self, folder: SessionFolder, identity: Identity, request_id: str) -> None:
        """Seal them into the session's folder, over those who stood there."""
        parts = [memoryview(_HEADER.pack(self.by_reference, len(self.tokens)))]
        if len(self.tokens):
            parts.append(np.ascontiguousarray(self.tokens).data.cast("B"))
        sealed = identity.seal_parts(iter(parts), _context(request_id))
        folder.write_parts(PARTICIPANTS_FILE, sealed)

    @classmethod
    def read(cls, folder: SessionFolder, identity: Identity, request_id: str) -> Participants:
        """Return those of a session's folder; IdentityError when they are not what was sealed."""
        with (folder.path / PARTICIPANTS_FILE).open("rb") as sealed:
            return cls._of_blocks(identity.unseal_blocks(sealed, _context(request_id)))

    @classmethod
    def _of_blocks(cls, blocks: Iterator[bytes]) -> Participants:
        by_reference, count = _HEADER.unpack(next(blocks))
        tokens = np.empty((count, _TOKEN_BYTES), dtype=np.uint8)
        left = tokens.reshape(-1)
        while len(left):
            block = next(blocks)
            left[: len(block)] = np.frombuffer(block, dtype=np.uint8)
            left = left[len(block) :]
        deque(blocks, maxlen=0)
        return cls(by_reference, tokens)


def _tokens(names: pa.Array, seed: Seed) -> Buffer:
    return mac_texts(seed.derive(b"", "participants"), names, width=_TOKEN_BYTES)


def _context(request_id: str) -> str:
    return f"participants/{request_id}"
