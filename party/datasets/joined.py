"""Several columns as one: campaign × creative × placement, each combination a text of its own.

A campaign may be what several columns say together, so that variants are compared in one table. The
texts are joined by ` × `, as everywhere; a text that holds the sign itself is refused, since two
combinations could then read alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from party.datasets.coded import NOTHING, CodedColumn
from party.datasets.rules import COLUMN
from party.document import Section
from party.errors import DatasetError
from psi import arrow
from reports.table import JOINT

MOST_JOINED: Final = 4


def joined(columns: Mapping[str, CodedColumn], names: tuple[str, ...]) -> CodedColumn:
    """Return the one column that `names` make together; a single name's is the column itself.

    A row that has nothing in one of them has nothing. Texts stand in the order in which they first
    appear. Raises `DatasetError` naming a column, of several, in which a text holds `×`.
    """
    import pyarrow.compute as pc

    if len(names) == 1:
        return columns[names[0]]
    parts = [columns[name] for name in names]
    for name, part in zip(names, parts, strict=True):
        _require_joinable(name, part)
    codes, width = parts[0].codes, len(parts[0].texts)
    for part in parts[1:]:
        # Numbered anew after each column, so that the product of many columns' sizes fits.
        found = (codes != NOTHING) & (part.codes != NOTHING)
        pairs = codes[found] * max(1, len(part.texts)) + part.codes[found]
        distinct, codes_found = np.unique(pairs, return_inverse=True)
        codes = np.full(len(part.codes), NOTHING, dtype=np.int64)
        codes[found], width = codes_found, len(distinct)
    first = _first_rows(codes, width)
    texts = [part.texts.take(arrow.integers(part.codes[first])) for part in parts]
    joint = arrow.texts([JOINT])[0]
    order = np.full(width + 1, NOTHING, dtype=np.int64)
    order[codes[first]] = np.arange(width)
    return CodedColumn(order[codes], pc.binary_join_element_wise(*texts, joint))


def read_columns(section: Section, key: str) -> tuple[str, ...]:
    """Read one column's name at `key`, or a list of two to four that stand for one."""
    if not section.is_list(key):
        return (section.text(key, COLUMN),)
    names = section.texts(key, COLUMN, most=MOST_JOINED)
    if len(names) == 1:
        raise section.fault(key, "a list of one column; write its name without the list")
    return names


def require_parts(
    section: Section, key: str, columns: tuple[str, ...], values: Sequence[str]
) -> None:
    """Raise the section's fault unless each of `values` has a part for each of several columns."""
    for value in values:
        parts = value.split(JOINT)
        if len(columns) > 1 and (len(parts) != len(columns) or not all(map(str.strip, parts))):
            raise section.fault(
                key, f"'{value}' does not name a text of each of {JOINT.join(columns)}; write "
                f"{len(columns)} texts joined by '{JOINT}'"
            )  # fmt: skip


def columns_json(names: tuple[str, ...]) -> object:
    """Return what `read_columns` read."""
    return names[0] if len(names) == 1 else list(names)


def _first_rows(codes: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.int64]:
    """Return the first row of each code, in the order of the rows."""
    first = np.zeros(width, dtype=np.int64)
    rows = np.flatnonzero(codes != NOTHING)[::-1]
    first[codes[rows]] = rows  # the first row is written last
    return np.sort(first)


def _require_joinable(name: str, column: CodedColumn) -> None:
    import pyarrow.compute as pc

    sign = JOINT.strip()
    if pc.any(pc.match_substring(column.texts, sign)).as_py():
        raise DatasetError(
            f"column '{name}' is joined with others by '{sign}', and holds a text with that sign; "
            "write it otherwise in the data, or name the column alone"
        )
