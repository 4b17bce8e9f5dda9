"""A report with a third party's labels as lines of a page: the attribute becomes a part of them.

A page and a terminal have places for a metric, a label and a segment. A number by attribute stands
under its metric's name with "by attribute", beside the number of everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from reports.rendering import Row

BY_ATTRIBUTE: Final = ", by attribute"


def by_attribute(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without an attribute of their own; those of two parties stay as they are."""
    given = list(rows)
    whole = {row.metric for row in given if row.attribute is None}
    found = []
    for row in given:
        if row.attribute is None:
            found.append(row)
            continue
        metric = f"{row.metric}{BY_ATTRIBUTE}" if row.metric in whole else row.metric
        label = row.attribute if row.label is None else f"{row.label}, {row.attribute}"
        found.append(replace(row, metric=metric, label=label, attribute=None))
    return found
