"""The parcels between two parties, numbered in the one order in which they are made.

First each introduces itself, then come the exchanges before the steps, the pair's steps of the leg
table, and the exchanges after them. An introduction and an exchange go both ways under one number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from party.errors import Refusal, RefusalStatus
from party.parcels.seal import ParcelHeader
from party.turns import Turns
from party.wire import fields
from party.wire.artefacts import form_of, small_kind
from party.wire.exchanges import BEFORE_STEPS, EXCHANGES, ExchangeKind
from party.wire.limits import (
    MOST_CHUNK_BYTES,
    MOST_KEYS,
    MOST_MESSAGE_BYTES,
    MOST_PARCEL_CHUNKS,
    SEAL_BYTES,
)

INTRODUCTION: Final = 0
_FRAME_BYTES: Final = 4 + SEAL_BYTES  # a chunk's length, and what sealing adds to it


@dataclass(frozen=True)
class ParcelOrder:
    """The parcels between the two sides of `turns`."""

    turns: Turns

    @cached_property
    def _contents(self) -> tuple[ExchangeKind | int | None, ...]:
        """What each number carries: an exchange, a step by its index, or the introduction."""
        before, after = EXCHANGES[:BEFORE_STEPS], EXCHANGES[BEFORE_STEPS:]
        return (None, *before, *self.turns.steps, *after)

    def of_exchange(self, kind: ExchangeKind) -> int:
        """Return the number of an exchange's parcels."""
        return self._contents.index(kind)

    def of_step(self, step: int) -> int:
        """Return the number of a step's parcel."""
        return self._contents.index(step)

    @cached_property
    def outgoing(self) -> tuple[int, ...]:
        """The numbers that this side sends, in order."""
        return tuple(
            number
            for number, content in enumerate(self._contents)
            if not isinstance(content, int) or self.turns.sends(content)
        )

    @cached_property
    def incoming(self) -> tuple[int, ...]:
        """The numbers that the other side sends, in order."""
        return tuple(
            number
            for number, content in enumerate(self._contents)
            if not isinstance(content, int) or not self.turns.sends(content)
        )

    def step_of(self, number: int) -> int | None:
        """Return the step that a parcel carries, or None."""
        content = self._contents[number]
        return content if isinstance(content, int) else None

    def require_size(self, number: int, header: ParcelHeader, most_points: int) -> None:
        """Refuse a parcel that is larger than its number allows, or a set than this party takes.

        Raises:
            Refusal: it is; a `Breach` if no parcel of this number may be so large.
        """
        most_chunks, most_bytes = self._most(number, MOST_KEYS)
        if header.chunks > most_chunks or header.size > most_bytes:
            raise fields.too_large("header", most_bytes, "bytes")
        if header.size > self._most(number, most_points)[1]:
            raise Refusal(
                RefusalStatus.LIMIT_EXCEEDED,
                f"parcel {number} brings a set of more than the {most_points:,} points that this "
                "party takes (max_points in its party.toml): agree on a smaller dataset, or on "
                "more",
            )

    def _most(self, number: int, most_points: int) -> tuple[int, int]:
        """Return the most chunks and the most bytes of a parcel, sealed; a set's by its points."""
        step = self.step_of(number)
        if step is None or small_kind(self.turns.table.steps[step]) is not None:
            chunks = -(-MOST_MESSAGE_BYTES // MOST_CHUNK_BYTES)
            return chunks, MOST_MESSAGE_BYTES + chunks * _FRAME_BYTES
        width = form_of(self.turns.table.steps[step]).value
        data = MOST_CHUNK_BYTES + most_points * width  # the set's header, and the set
        return MOST_PARCEL_CHUNKS, data + MOST_PARCEL_CHUNKS * _FRAME_BYTES
