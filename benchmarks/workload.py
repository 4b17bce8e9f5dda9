"""People for two parties, for a third, and for the peers: the same digests, in the same order.

Person i is the SHA-256 of `person-i` as 64 hexadecimal digits. The sender holds 0 … n-1. The
receiver's people begin so late that half of the smaller side is shared. A vendor has as many as the
sender, and everybody whom the two share. All are shuffled by fixed seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from benchmarks.errors import BenchmarkError

SEGMENTS = tuple(f"segment {i:02d}" for i in range(50))
FREQUENCIES = ("1", "2", "3", "4", "5", "6", "7", "8+")
INCOMES = ("low", "middle", "high")
LEAST_PEOPLE = 2_000  # below, a list would be under the smallest useful minimum
_BATCH = 250_000
_SENDER_SEED, _RECEIVER_SEED, _VENDOR_SEED = 1, 2, 3

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Size:
    """People of the receiver and of the sender."""

    receiver: int
    sender: int

    def __post_init__(self) -> None:
        if min(self.receiver, self.sender) < LEAST_PEOPLE:
            raise BenchmarkError(f"a side needs {LEAST_PEOPLE:,} people or more")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `100000`, or `10000x1000000` for receiver and sender.

        Raises:
            BenchmarkError: it is neither.
        """
        receiver, cross, sender = text.partition("x")
        try:
            return cls(int(receiver), int(sender if cross else receiver))
        except ValueError:
            raise BenchmarkError(f"{text}: write a size as 100000 or 10000x1000000") from None

    @property
    def square(self) -> bool:
        """Whether both sides have as many people."""
        return self.receiver == self.sender

    @property
    def shared(self) -> int:
        """How many people both sides have."""
        return min(self.receiver, self.sender) // 2

    @property
    def shared_numbers(self) -> range:
        """The people that both sides have."""
        return range(self.sender - self.shared, self.sender)

    def __str__(self) -> str:
        return f"{_short(self.receiver)} x {_short(self.sender)}"


def _short(count: int) -> str:
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:g}{letter}"
    return str(count)


def receiver_numbers(size: Size) -> Numbers:
    """Return the receiver's people, shuffled."""
    first = size.sender - size.shared
    return _shuffled(np.arange(first, first + size.receiver), _RECEIVER_SEED)


def sender_numbers(people: int) -> Numbers:
    """Return the sender's people, shuffled."""
    return _shuffled(np.arange(people), _SENDER_SEED)


def vendor_numbers(people: int) -> Numbers:
    """Return the people of a vendor beside two sides of as many people: shared with both by half.

    A quarter more of each side's people are the vendor's, too.
    """
    first = people // 4
    return _shuffled(np.arange(first, first + people), _VENDOR_SEED)


def digest(number: int) -> str:
    """Return a person's digest, as both sides and the peers have it."""
    return sha256(b"person-%d" % number).hexdigest()


def segment_of(numbers: Numbers) -> Numbers:
    """Return each person's segment by its place; every cell has as many people as another."""
    return numbers // len(FREQUENCIES) % len(SEGMENTS)


def frequency_of(numbers: Numbers) -> Numbers:
    """Return each person's frequency by its place."""
    return numbers % len(FREQUENCIES)


def income_of(numbers: Numbers) -> Numbers:
    """Return each person's income by its place."""
    return numbers // (len(FREQUENCIES) * len(SEGMENTS)) % len(INCOMES)


def write_people(path: Path, numbers: Numbers, *, label: str) -> None:
    """Write a party's Parquet file: `ref`, `email` (digests), the label, `opt_in`.

    `label` is one of `LABELS`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    values, place = LABELS[label]
    text = pa.string()
    schema = pa.schema([("ref", text), ("email", text), (label, text), ("opt_in", text)])
    with pq.ParquetWriter(path, schema) as writer:
        for part in _batches(numbers):
            columns = [
                pa.array([str(number) for number in part.tolist()], text),
                pa.array([digest(number) for number in part.tolist()], text),
                pa.array(values, text).take(pa.array(place(part))),
                pa.array(["yes"] * len(part), text),
            ]
            writer.write_table(pa.table(columns, schema=schema))


LABELS: dict[str, tuple[tuple[str, ...], Callable[[Numbers], Numbers]]] = {
    "segment": (SEGMENTS, segment_of),
    "frequency": (FREQUENCIES, frequency_of),
    "income": (INCOMES, income_of),
}
"""Each label's values, and how a person's is found."""


def write_list(path: Path, numbers: Numbers) -> None:
    """Write a peer's file: the heading `id`, then one digest a line."""
    with path.open("w", encoding="ascii") as file:
        file.write("id\n")
        for part in _batches(numbers):
            file.writelines(f"{digest(number)}\n" for number in part.tolist())


def _batches(numbers: Numbers) -> Iterator[Numbers]:
    return (numbers[start : start + _BATCH] for start in range(0, len(numbers), _BATCH))


def _shuffled(numbers: Numbers, seed: int) -> Numbers:
    return np.random.default_rng(seed).permutation(numbers)
