"""Erased people: they take part in nothing any more, though files that name them may stay.

The party's store keeps keyed tokens of them, which say nothing without the party's node key: of
what the dataset calls them, and of the identifiers that were theirs alone. Whoever is called so
leaves before consent is looked at. Whoever holds such an identifier leaves too, so that a new
number, another file or a table whose rows are people brings nobody back.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from party.datasets.assignment import Flags
from party.datasets.offers import Offers
from party.datasets.steps import BoundStep
from psi.arrow import binaries
from psi.row_hashes import mac_texts
from psi.sets import Buffer, contains

if TYPE_CHECKING:
    import pyarrow as pa

TOKEN_BYTES: Final = 16
NOT_ERASED: Final = "people who were not erased"
_HOLDERS: Final = "people without an identifier of somebody who was erased"


@dataclass(frozen=True, eq=False, repr=False)
class Erased:
    """The people of a population who were erased: `tokens` (n, 16) under the party's secret `key`.

    `population` keeps the references of different people apart; identifiers are of everybody.
    """

    key: bytes
    population: str
    tokens: Buffer

    def __bool__(self) -> bool:
        return len(self.tokens) > 0

    def are_called(self, references: pa.Array) -> Flags:
        """Say of each reference, a large string, whether it is an erased person's."""
        return contains(self.tokens, reference_tokens(self.key, self.population, references))

    def are_held(self, type: str, digests: Buffer) -> Flags:  # noqa: A002
        """Say of each of (n, width) digests of one type whether it is an erased person's."""
        return contains(self.tokens, identifier_tokens(self.key, type, digests))


NOBODY: Final = Erased(b"", "", np.empty((0, TOKEN_BYTES), np.uint8))


def reference_tokens(key: bytes, population: str, references: pa.Array) -> Buffer:
    """Return the tokens (n, 16) of what people of a population are called."""
    return mac_texts(_key_of(key, f"reference/{population}"), references, width=TOKEN_BYTES)


def identifier_tokens(key: bytes, type: str, digests: Buffer) -> Buffer:  # noqa: A002
    """Return the tokens (n, 16) of (n, width) digests of one type."""
    count, width = digests.shape
    offsets = np.arange(count + 1, dtype=np.int64) * width
    rows = binaries(np.ascontiguousarray(digests).reshape(-1), offsets)
    return mac_texts(_key_of(key, f"identifier/{type}"), rows, width=TOKEN_BYTES)


def leave_holders(erased: Erased, offers: list[Offers], people: int) -> BoundStep:
    """Take everything out of `offers` that people with an erased person's identifier hold."""
    holders = np.zeros(people, dtype=np.bool_)
    for part in offers:
        holders[part.person[erased.are_held(part.type, part.digests)]] = True
    offers[:] = list(_left(offers, ~holders))
    return BoundStep(_HOLDERS, people, people - int(np.count_nonzero(holders)))


def _left(offers: Iterable[Offers], stay: Flags) -> Iterable[Offers]:
    for part in offers:
        mine = stay[part.person]
        whole = bool(mine.all())
        kept = replace(part, person=part.person[mine], digests=part.digests[mine])
        yield part if whole else kept


def _key_of(key: bytes, what: str) -> bytes:
    return hmac.digest(key, what.encode(), "sha256")
