"""A table of what people have said, read for import into the records.

Each row is one statement, or, where it has a TC string, one for each purpose and recipient that
the string and the notice speak of. A row that does not serve is an error with its place, and
nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from party.consent.events import Act, By, State
from party.consent.notice import Notice
from party.consent.tcf import MOST_VENDOR, PURPOSES, read_tc_string
from party.datasets.coded import CodedColumn
from party.datasets.origin import Files
from party.datasets.source import Source
from party.datasets.times import UNREADABLE, microseconds
from party.errors import ConsentError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Word = TypeVar("_Word", State, By)
_NO_TIME: Final = "is not a time; write ISO 8601 in UTC, such as 2026-01-31T00:00:00Z"


@dataclass(frozen=True)
class Columns:
    """Which columns say what. `id` is always needed, and `time` or `tcf`.

    Without `state` everybody gives; without `by` the person has said it; without `purpose` or
    `recipient` a row is about all of those of the notice. `vendors` are the recipients' numbers
    for TC strings.
    """

    id: str
    time: str | None = None
    state: str | None = None
    purpose: str | None = None
    recipient: str | None = None
    by: str | None = None
    tcf: str | None = None
    vendors: Mapping[str, int] = field(default_factory=dict)

    @property
    def named(self) -> tuple[str, ...]:
        """The columns, each once."""
        names = (self.id, self.time, self.state, self.purpose, self.recipient, self.by, self.tcf)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def require_consistent(self, notice: Notice) -> None:
        """Raise `ConsentError` when these columns cannot say what is to be recorded."""
        if self.tcf is None:
            if self.time is None:
                raise ConsentError("say which column has the time at which it was said")
            if self.vendors:
                raise ConsentError("vendors' numbers are for TC strings; name their column too")
            return
        if any((self.time, self.state, self.purpose, self.recipient)):
            raise ConsentError(
                "TC strings say time, state, purposes and recipients themselves; leave out the "
                "columns for these"
            )
        if not self.vendors or not set(self.vendors) <= set(notice.recipients):
            raise ConsentError(
                "say the number of recipients in the Global Vendor List; the notice's are "
                f"{', '.join(notice.recipients)}"
            )
        if not set(notice.purposes) & set(PURPOSES):
            raise ConsentError(
                "the framework has no purposes that stand for one of the notice's; it has them "
                f"for {', '.join(PURPOSES)}"
            )


def read_vendors(given: Iterable[str]) -> dict[str, int]:
    """Return the recipients' numbers that stand as `channel=755`; raise `ConsentError`."""
    vendors = {}
    for text in given:
        name, equals, number = text.partition("=")
        if not (equals and number.isdecimal() and 0 < int(number) <= MOST_VENDOR):
            raise ConsentError(f"'{text[:60]}' is not a recipient and its number: channel=755")
        vendors[name] = int(number)
    return vendors


def read_acts(path: Path, columns: Columns, notice: Notice, how: str, now: int) -> list[Act]:
    """Return what the rows of a file (CSV, Parquet, Arrow) say, in order.

    `now` is in microseconds since 1970; nothing may have been said after it.

    Raises:
        ConsentError, DatasetError: the file or one of its rows does not serve.
    """
    columns.require_consistent(notice)
    path = path.absolute()
    with Source.open(path.parent, Files(path.name), columns.named, exact=(columns.id,)) as source:
        table = source.read(columns.named)
        coded = {name: CodedColumn.of(column) for name, column in table.items()}
        reader = _Rows(columns, notice, how, coded)
        acts = []
        for row in range(len(coded[columns.id].codes)):
            try:
                said = reader.acts(row)
                problem = next(filter(None, (act.problem(notice, now) for act in said)), None)
            except (ConsentError, ValueError) as error:
                problem = str(error)
            if problem is not None:
                raise ConsentError(f"{source.place(row)}: {problem}. Nothing was recorded")
            acts += said
    return acts


class _Rows:
    """The rows of a table, one at a time; a fault is a `ConsentError` without a place."""

    def __init__(
        self, columns: Columns, notice: Notice, how: str, coded: Mapping[str, CodedColumn]
    ) -> None:
        self._columns, self._notice, self._how = columns, notice, how
        self._codes = {name: column.codes.tolist() for name, column in coded.items()}
        self._texts = {name: column.texts.to_pylist() for name, column in coded.items()}
        self._times: npt.NDArray[np.int64] | None = (
            None if columns.time is None else microseconds(coded[columns.time])
        )

    def acts(self, row: int) -> list[Act]:
        """Return what one row says."""
        columns = self._columns
        subject = self._text(columns.id, row)
        if subject is None:
            raise ConsentError(f"column '{columns.id}' is empty; say whose it is")
        by = self._word(columns.by, row, By, By.SUBJECT)
        if columns.tcf is not None:
            return self._of_string(subject, by, row)
        assert self._times is not None  # require_consistent
        at = int(self._times[row])
        if at == UNREADABLE:
            raise ConsentError(f"column '{columns.time}' {_NO_TIME}")
        state = self._word(columns.state, row, State, State.GIVEN)
        purpose, recipient = self._text(columns.purpose, row), self._text(columns.recipient, row)
        return [Act(subject, state, at, purpose, recipient, by, self._how)]

    def _of_string(self, subject: str, by: By, row: int) -> list[Act]:
        text = self._text(self._columns.tcf, row)
        if text is None:
            return []
        said = read_tc_string(text)
        if said is None:
            raise ConsentError(
                f"column '{self._columns.tcf}' is of another version of the framework"
            )
        purposes = [purpose for purpose in self._notice.purposes if purpose in PURPOSES]
        return [
            Act(
                subject,
                State.GIVEN if said.allows(purpose, vendor) else State.REFUSED,
                said.updated_at, purpose, recipient, by, self._how, text,
            )
            for purpose, (recipient, vendor) in product(purposes, self._columns.vendors.items())
        ]  # fmt: skip

    def _text(self, column: str | None, row: int) -> str | None:
        if column is None or self._codes[column][row] < 0:
            return None
        text: str = self._texts[column][self._codes[column][row]]
        return text

    def _word(self, column: str | None, row: int, words: type[_Word], otherwise: _Word) -> _Word:
        text = self._text(column, row)
        if column is None:
            return otherwise
        try:
            return words(text or "")
        except ValueError:
            known = ", ".join(words)
            raise ConsentError(f"column '{column}' is not one of {known}") from None
