"""Columns of identifiers to digests, beside a loop over `hashlib` that does nothing else.

Raw e-mail addresses are normalised, hashed and reported on; digests are parsed and reported on. The
bare loops hash, or parse, and look at nothing. On one core, by CPU time.

    python -m benchmarks.columns [--rounds 3] [--rows 200000]

prints a table and writes build/bench/columns.json.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.columns_table import columns_table
from benchmarks.command import part_parser
from benchmarks.load import Load, Watch
from benchmarks.output import part_file, write_figures
from benchmarks.timing import median_ratio, microseconds
from psi.columns import ColumnSpec, read_column

if TYPE_CHECKING:
    import pyarrow as pa

PART = "columns"


@dataclass(frozen=True)
class Kind:
    """One kind of column: microseconds a row of the product and of the bare loop, and the ratio."""

    declaration: str
    product_us: float
    bare_us: float
    ratio: float


@dataclass(frozen=True)
class Result:
    """All kinds."""

    rows: int
    rounds: int
    kinds: tuple[Kind, ...]
    load: Load

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def measure(rounds: int, rows: int) -> Result:
    """Read a column of addresses and one of digests, on the first core that may be used."""
    import pyarrow as pa

    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    watch = Watch()
    addresses = [f"person.{number}@example.com" for number in range(rows)]
    digests = [sha256(address.encode()).hexdigest() for address in addresses]
    kinds = (
        _kind("email", pa.array(addresses), lambda: _hash(addresses), rounds),
        _kind("email_sha256", pa.array(digests), lambda: _parse(digests), rounds),
    )
    load = watch.stop()
    os.sched_setaffinity(0, cores)
    return Result(rows, rounds, kinds, load)


def _kind(declaration: str, values: pa.Array, bare: Callable[[], object], rounds: int) -> Kind:
    spec, product, alone = ColumnSpec.parse(declaration), [], []
    for _ in range(rounds):
        product.append(microseconds(lambda: read_column(spec, values), len(values)))
        alone.append(microseconds(bare, len(values)))
    return Kind(declaration, median(product), median(alone), median_ratio(product, alone))


def _hash(addresses: list[str]) -> list[bytes]:
    return [sha256(address.encode()).digest() for address in addresses]


def _parse(digests: list[str]) -> list[bytes]:
    return [bytes.fromhex(digest) for digest in digests]


def main() -> None:
    """Measure, print and write."""
    parser = part_parser("benchmarks.columns", __doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    figures = measure(arguments.rounds, arguments.rows).to_json()
    print(columns_table(figures))
    write_figures(part_file(PART), figures)


if __name__ == "__main__":
    main()
