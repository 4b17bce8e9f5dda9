"""What campaigns have cost: a public input, by which a report's people and value are divided.

It costs no privacy, and may be given again and otherwise to a finished report. A cost by campaign
names labels of the tabulator as the report names them; one for everything is a single number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from languages import message
from reports.errors import UnsuitableCosts

ALL: Final = "all"
"""In a file, the line of what everything together has cost."""
_HEAD: Final = ["campaign", "cost"]
_MOST_LINES: Final = 10_000
_LEAST, _MOST = Decimal("0.000001"), Decimal(10**15)
"""In between a cost is a float above 0, by which a value can be divided."""


@dataclass(frozen=True)
class Costs:
    """Costs above 0 by campaign, and of everything; None where that is not said."""

    by_label: Mapping[str, Decimal]
    total: Decimal | None

    @classmethod
    def of_everything(cls, text: str) -> Costs:
        """Return one cost of everything together; UnsuitableCosts unless it is a number above 0."""
        return cls({}, _amount(text, "the cost"))

    @classmethod
    def of_campaigns(cls, costs: Mapping[str, str]) -> Costs:
        """Return costs by campaign, `all` among them or not; UnsuitableCosts as `of_everything`."""
        found = {name: _amount(text, f"the cost of '{name[:64]}'") for name, text in costs.items()}
        if not found:
            raise UnsuitableCosts(message("there is no cost; name a campaign"))
        return cls({name: cost for name, cost in found.items() if name != ALL}, found.get(ALL))

    @classmethod
    def of_table(cls, text: str, what: str) -> Costs:
        """Read CSV text with the columns campaign and cost, from a file called `what`.

        Raises:
            UnsuitableCosts: it is something else, a campaign stands twice, or as `of_campaigns`.
        """
        try:
            lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
        except csv.Error as error:
            raise UnsuitableCosts(
                message(
                    "{what} is no CSV file: {error}",
                    what=what,
                    error=error,
                )
            ) from None
        if not lines or [cell.strip() for cell in lines[0]] != _HEAD:
            raise UnsuitableCosts(
                message(
                    "{what}: the first line is 'campaign,cost'",
                    what=what,
                )
            )
        if len(lines) > _MOST_LINES:
            raise UnsuitableCosts(
                message(
                    "{what} has more than {most_lines} lines",
                    what=what,
                    most_lines=f"{_MOST_LINES:,}",
                )
            )
        found: dict[str, str] = {}
        for number, line in enumerate(lines[1:], 2):
            if not line:
                continue
            if len(line) != len(_HEAD):
                raise UnsuitableCosts(
                    message(
                        "{what}, line {number}: expected a campaign and its cost",
                        what=what,
                        number=number,
                    )
                )
            name = line[0].strip()
            if not name or name in found:
                raise UnsuitableCosts(
                    message(
                        "{what}, line {number}: a campaign is missing or a repeat",
                        what=what,
                        number=number,
                    )
                )
            found[name] = line[1]
        return cls.of_campaigns(found)

    def total_of(self, labels: Sequence[str]) -> Decimal | None:
        """Return the cost of everything, as it was given, or the sum where all labels have one."""
        if self.total is None and labels and set(labels) == set(self.by_label):
            return sum(self.by_label.values(), Decimal(0))
        return self.total

    def require_labels(self, labels: Sequence[str]) -> None:
        """Raise UnsuitableCosts unless every campaign is one of these labels."""
        unknown = next((name for name in self.by_label if name not in labels), None)
        if unknown is not None:
            known = ", ".join(labels[:20]) or "none"
            raise UnsuitableCosts(
                message(
                    "a cost is given for '{unknown}', which this report does not "
                    "have; it has {known}{value}, and '{all}'",
                    unknown=unknown[:64],
                    known=known,
                    value=" …" if len(labels) > len(labels[:20]) else "",
                    all=ALL,
                )
            )

    def to_dict(self) -> dict[str, str]:
        """Return JSON values: exact decimals by campaign, and of `all`."""
        every = {name: str(cost) for name, cost in self.by_label.items()}
        return every if self.total is None else {**every, ALL: str(self.total)}


def _amount(text: str, what: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan() or not _LEAST <= number <= _MOST:
        raise UnsuitableCosts(
            message(
                "{what} is no number above 0, such as 1200 or 99.5",
                what=what,
            )
        )
    return number
