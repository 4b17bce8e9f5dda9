"""A label by an SQL expression over a row's columns, such as CASE WHEN … THEN … END.

Columns are text, a blank one is NULL; whoever wants a number or a date casts. A truth value gives
the first of the declared values where it is true, the second, if there is one, where it is false. A
text gives the value that it is. NULL says nothing, as an empty cell does, and rows of a person that
say different things give no label. Where the expression fails, such as a cast of `n/a` to a number,
the person has no label and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import numpy.typing as npt

from languages import message
from party.contract_terms import LABEL_VALUE, MOST_LABEL_VALUES
from party.datasets.assignment import Assignment, Positions, agreed
from party.datasets.coded import NOTHING, CodedColumn, together
from party.datasets.expression_engine import Checked, check, compute
from party.datasets.expression_tree import NotAllowed
from party.datasets.times import UNREADABLE, microseconds_of_texts
from party.document import Section, TextRule
from psi import arrow

if TYPE_CHECKING:
    import pyarrow as pa

_EXPRESSION: Final = TextRule(
    message("an SQL expression over columns"), re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]+"), most=4000
)
_BOOLEAN: Final = "BOOLEAN"
_MOST_OF_A_TRUTH: Final = 2
_MOST_KINDS: Final = 20


@dataclass(frozen=True)
class ExpressionLabel:
    """What `checked` gives, of `values`."""

    checked: Checked
    values: tuple[str, ...]
    number_columns: ClassVar[tuple[str, ...]] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return self.checked.columns

    def assign(
        self, columns: Mapping[str, CodedColumn], person: Positions, people: int
    ) -> Assignment:
        """Return the label of each of `people`, from the person of each row (-1: nobody).

        Raises `DatasetError` when it takes too long or too much memory.
        """
        rows = _Computed.of(self.checked, columns, person)
        found, conflicting = agreed(rows.codes, person, people)
        outside = found == rows.failed
        positions = np.append(self._positions_of(rows.results), [NOTHING, NOTHING])[found]
        return Assignment.of(positions, conflicting, outside)

    def failures(self, columns: Mapping[str, CodedColumn], person: Positions) -> dict[str, int]:
        """Count the rows of people on which the expression fails, by what their columns hold.

        The commonest kinds of rows come first, and rare ones beyond 20 are left out.
        """
        rows = _Computed.of(self.checked, columns, person)
        failing = np.flatnonzero(rows.codes == rows.failed)
        kinds = [_kinds_of(columns[name])[columns[name].codes[failing]] for name in self.columns]
        combined, how_many = np.unique(np.array(kinds), axis=1, return_counts=True)
        counts = {
            " and ".join(
                f"{name} is {_KINDS[k]}" for name, k in zip(self.columns, kind, strict=True)
            ): int(count)
            for kind, count in zip(combined.T, how_many, strict=True)
        }
        return dict(sorted(counts.items(), key=lambda item: -item[1])[:_MOST_KINDS])

    def _positions_of(self, results: pa.Array) -> Positions:
        """Return for each distinct result its position among the values, or -1."""
        import pyarrow.compute as pc

        if self.checked.kind == _BOOLEAN:
            listed = arrow.texts(["true", "false"][: len(self.values)])
        else:
            listed = arrow.texts(self.values)
        return arrow.positions(pc.index_in(results, value_set=listed), missing=NOTHING)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"expression": self.checked.text, "values": list(self.values)}


@dataclass(frozen=True, eq=False, repr=False)
class _Computed:
    """The code of each row: of its text in `results`, -1 for none, `failed` where it fails."""

    codes: Positions
    results: pa.Array

    @property
    def failed(self) -> int:
        return len(self.results)

    @classmethod
    def of(
        cls, checked: Checked, columns: Mapping[str, CodedColumn], person: Positions
    ) -> _Computed:
        """Compute the expression once for each combination of texts that people's rows have."""
        import pyarrow as pa

        parts = [columns[name] for name in checked.columns]
        rows = np.flatnonzero(person != NOTHING)
        if not len(rows):
            return cls(person, arrow.texts([]))
        alike = together(parts, rows)
        first = np.zeros(int(alike.max()) + 1, dtype=np.int64)
        first[alike] = rows
        taken = [_taken(part, first) for part in parts]
        found = compute(checked, pa.table(taken, list(checked.columns)))
        encoded = found.field("found").cast(pa.large_string()).dictionary_encode()
        of_alike = arrow.positions(encoded.indices, missing=NOTHING).copy()
        of_alike[~arrow.present(found)] = len(encoded.dictionary)
        codes = np.full(len(person), NOTHING, dtype=np.int64)
        codes[rows] = of_alike[alike]
        return cls(codes, encoded.dictionary)


def read_expression(section: Section) -> ExpressionLabel:
    """Read a label by expression; the section's fault where it is not allowed or does not fit.

    Raises `DatasetError` where DuckDB is missing.
    """
    try:
        checked = check(section.text("expression", _EXPRESSION))
    except NotAllowed as error:
        raise section.fault("expression", str(error)) from None
    values = section.texts("values", LABEL_VALUE, most=MOST_LABEL_VALUES)
    if checked.kind == _BOOLEAN and len(values) > _MOST_OF_A_TRUTH:
        raise section.fault(
            "values", "a truth value has two at most: the label where it is true, and the other"
        )
    return ExpressionLabel(checked, values)


def _taken(column: CodedColumn, rows: Positions) -> pa.Array:
    """Return the texts of rows; null where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = arrow.integers(column.codes[rows])
    there = pc.greater_equal(codes, arrow.integers(np.zeros(1, np.int64))[0])
    return column.texts.take(pc.if_else(there, codes, pa.nulls(len(codes), pa.int64())))


_KINDS: Final = ("nothing", "a number", "a time", "another text")


def _kinds_of(column: CodedColumn) -> npt.NDArray[np.int64]:
    """Return what kind of text each distinct one is; the last place is that of none."""
    kinds = np.full(len(column.texts) + 1, 3, dtype=np.int64)
    kinds[:-1][microseconds_of_texts(column.texts) != UNREADABLE] = 2
    kinds[:-1][~np.isnan(column.numbers())] = 1
    kinds[-1] = 0
    return kinds
