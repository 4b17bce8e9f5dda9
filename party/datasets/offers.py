"""What a party offers to a session: identifiers of people, and the keys that they become.

A person offers each identifier once and at most so many of them, in the contract's order of types;
of several of one type, those with the smallest digests, so that the choice depends neither on the
order of rows nor on chance. A key carries exactly one label (docs/protocol.md, Identifiers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from psi.engines import engine
from psi.keys import Keys

Owners = npt.NDArray[np.int32]  # (m, 2): every key with every person of it, sorted
Persons = npt.NDArray[np.int32]
_NOBODY = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, eq=False, repr=False)
class Offers:
    """m offers of one type: `person` (m,) int32 and `digests` (m, width), sorted, each once."""

    type: str
    person: Persons
    digests: npt.NDArray[np.uint8]

    @classmethod
    def gather(
        cls,
        type: str,  # noqa: A002
        width: int,
        parts: Sequence[tuple[Persons, npt.NDArray[np.uint8]]],
    ) -> Offers:
        """Return the offers of several columns of one type, sorted by person and digest."""
        if len(parts) == 1:
            ((person, digests),) = parts
        else:
            person = np.concatenate([_NOBODY, *(person for person, _ in parts)])
            digests = np.concatenate([np.empty((0, width), np.uint8), *(rows for _, rows in parts)])
        if np.all(person[1:] > person[:-1]):  # as where each row is a person
            return cls(type, person, digests)
        order = engine().sort_order(digests)
        order = order[np.argsort(person[order], kind="stable")]
        new = _differs(digests, order)
        person = person[order]
        new[1:] |= person[1:] != person[:-1]
        return cls(type, person[new], digests[order[new]])

    def __len__(self) -> int:
        return len(self.person)

    @property
    def people(self) -> int:
        """How many people have an identifier of this type."""
        return int(np.count_nonzero(np.diff(self.person))) + bool(len(self))


@dataclass(frozen=True, eq=False, repr=False)
class LabelledKeys:
    """n keys, each once; `owners` pairs (key, person) are every person of every key.

    The keys stand type by type, `by_type` of each; `labels` (n,) int16. `distinct` counts the keys
    before those under several labels were dropped.
    """

    keys: Keys
    by_type: tuple[int, ...]
    labels: npt.NDArray[np.int16]
    owners: Owners
    distinct: int

    @property
    def persons(self) -> npt.NDArray[np.int64]:
        """Each key's first person, shape (n,)."""
        return first_owners(self.owners)

    @classmethod
    def concat(cls, parts: Sequence[LabelledKeys]) -> LabelledKeys:
        """Return the keys of several types, one type after the other."""
        if len(parts) == 1:
            return parts[0]
        counts = [len(part.keys) for part in parts]
        shifts = np.zeros((len(parts), 2), dtype=np.int32)
        shifts[1:, 0] = np.cumsum(counts[:-1])
        return cls(
            Keys.concat([part.keys for part in parts]),
            tuple(counts),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.owners + by for part, by in zip(parts, shifts, strict=True)]),
            sum(part.distinct for part in parts),
        )


def first_owners(owners: Owners) -> npt.NDArray[np.int64]:
    """Return each key's first person."""
    first: npt.NDArray[np.int64] = np.flatnonzero(np.diff(owners[:, 0], prepend=-1))
    persons: npt.NDArray[np.int64] = owners[first, 1].astype(np.int64)
    return persons


def at_most(offers: Sequence[Offers], most: int) -> list[Offers]:
    """Return each person's first `most` offers, in the order of `offers`."""
    if len(offers) == 1 and offers[0].people == len(offers[0]):  # as where a column is one type's
        return list(offers)
    persons = np.concatenate([part.person for part in offers])
    order = np.argsort(persons, kind="stable")
    by_person = persons[order]
    place = np.arange(len(persons))
    first = place.copy()
    first[1:][by_person[1:] == by_person[:-1]] = 0
    np.maximum.accumulate(first, out=first)
    kept = np.empty(len(persons), dtype=np.bool_)
    kept[order] = place - first < most
    limited, start = [], 0
    for part in offers:
        mine = kept[start : start + len(part)]
        whole = bool(mine.all())
        limited.append(part if whole else Offers(part.type, part.person[mine], part.digests[mine]))
        start += len(part)
    return limited


def to_keys(offers: Offers, label_of: npt.NDArray[Any]) -> LabelledKeys:
    """Return the keys of one type, sorted by digest; one under several labels is dropped.

    `label_of` (people,) is the label of each person. With the people themselves for labels, an
    identifier of several people is dropped.
    """
    order = engine().sort_order(offers.digests)
    new = _differs(offers.digests, order)
    person = offers.person[order]
    labels = label_of[person]
    if new.all():  # as where nobody shares an identifier
        rows = Keys.rows_of_digests(offers.type, offers.digests, order)
        del offers, order  # before as much again is made
        keys = Keys.of_rows(rows)
        owners = _pairs(np.arange(len(keys), dtype=np.int32), person)
        return LabelledKeys(keys, (len(keys),), labels, owners, len(keys))
    starts = np.flatnonzero(new)
    agreed = np.minimum.reduceat(labels, starts) == np.maximum.reduceat(labels, starts)
    kept = starts[agreed]
    group = np.cumsum(new) - 1
    owned = agreed[group]
    number = np.cumsum(agreed) - 1
    return LabelledKeys(
        Keys.from_digests(offers.type, offers.digests, order[kept]),
        (len(kept),),
        labels[kept],
        _pairs(number[group[owned]], person[owned]),
        len(starts),
    )


def _pairs(keys: npt.NDArray[np.integer], persons: npt.NDArray[np.integer]) -> Owners:
    pairs = np.empty((len(keys), 2), dtype=np.int32)
    pairs[:, 0], pairs[:, 1] = keys, persons
    return pairs


def _differs(digests: npt.NDArray[np.uint8], order: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of each row, taken in an order, whether it differs from the one before; the first does.

    Rows of which the first 8 bytes differ are not compared further, and most do.
    """
    new = np.ones(len(order), dtype=np.bool_)
    heads = np.ascontiguousarray(digests[:, :8]).view(np.uint64).reshape(-1)[order]
    np.not_equal(heads[1:], heads[:-1], out=new[1:])
    alike = np.flatnonzero(~new)
    new[alike] = np.any(digests[order[alike]] != digests[order[alike - 1]], axis=1)
    return new
