"""A report as a table: a line a number, a column a segment, errors beside values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table

from client.by_attribute import by_attribute
from client.render_lists import list_shown
from client.results import NothingLearnt, Result
from party.lists import MatchedList
from psi.legs import THIRD
from reports.estimate import grown
from reports.rendering import PRIVATE, Rendering, Row

MOST_COLUMNS: Final = 6
_ALL: Final = "all"
_NOISY, _MOVED = " ~", " !"


def result_shown(result: Result) -> list[RenderableType]:
    """Return a result as paragraphs and tables."""
    if isinstance(result, NothingLearnt):
        has = "the third party of a table" if result.role == THIRD else "the sender of a match"
        what = "table" if result.role == THIRD else "list"
        return [f"Done. The counterpart has its {what}; {has} keeps no result."]
    if isinstance(result, MatchedList):
        return list_shown(result)
    return _report(result)


def _report(report: Rendering) -> list[RenderableType]:
    rows = by_attribute(report.rows())
    segments = list(dict.fromkeys(row.segment for row in rows))
    if len(segments) == 2 and None in segments:  # a single segment is all there is
        rows = [row for row in rows if row.segment is None]
        segments = [None]
    wide = len(segments) <= MOST_COLUMNS
    shown = _by_segment(rows, segments) if wide else _one_a_line(rows)
    parts: list[RenderableType] = [f"{report.title().capitalize()} ({report.kind})", shown]
    parts += _explanations(rows)
    parts += report.notes()
    if report.kind == PRIVATE:
        parts.append(
            "For your eyes only: whoever has the table could learn exact counts from these numbers."
        )
    else:
        parts.append(
            "These numbers may be passed on. More exact ones, for your eyes only: --private"
        )
    return parts


def _by_segment(rows: Sequence[Row], segments: Sequence[str | None]) -> Table:
    ordered = [segment for segment in segments if segment is not None]
    ordered_all: list[str | None] = [*ordered, *([None] if None in segments else [])]
    table = Table("", *(segment or _ALL for segment in ordered_all))
    for column in table.columns[1:]:
        column.justify = "right"
    metrics: dict[str, dict[str | None, dict[str | None, Row]]] = {}
    for row in rows:
        metrics.setdefault(row.metric, {}).setdefault(row.label, {})[row.segment] = row
    for metric, labels in metrics.items():
        if len(labels) > 1:
            table.add_section()
        for label, found in labels.items():
            numbers = [_number(found[one]) if one in found else "" for one in ordered_all]
            table.add_row(_name(metric, label), *numbers)
        if len(labels) > 1:
            table.add_section()
    return table


def _one_a_line(rows: Sequence[Row]) -> Table:
    table = Table("segment", "number", "value")
    table.columns[2].justify = "right"
    last: str | None = ""
    for row in rows:
        if row.segment != last:
            table.add_section()
        last = row.segment
        table.add_row(row.segment or _ALL, _name(row.metric, row.label), _number(row))
    return table


def _name(metric: str, label: str | None) -> str:
    return metric if label is None else f"{metric} {label}"


def _number(row: Row) -> str:
    estimate = row.estimate
    marks = _MOVED if row.inconsistent and not estimate.suppressed else ""
    if not estimate.suppressed and estimate.noise_dominated:
        marks += _NOISY
    return estimate.shown(row.unit) + marks


def _explanations(rows: Sequence[Row]) -> list[str]:
    lines = ["± is half of a 95% interval. Totals include suppressed cells."]
    suppressed = [row.estimate for row in rows if row.estimate.suppressed]
    open_ = [r.estimate for r in rows if not r.estimate.suppressed and r.estimate.noise_dominated]
    noisy = [one for one in open_ if not one.signed]
    if suppressed:
        lines.append(
            "suppressed: too few people, or too much noise, to be shown; it does not mean 0."
            + _remedy([one.epsilon_factor for one in suppressed])
        )
    if noisy:
        lines.append(
            "~ the error is above the number." + _remedy([one.epsilon_factor for one in noisy])
        )
    if len(noisy) < len(open_):
        lines.append("~ of a difference: its interval includes 0.")
    if any(row.fitted is not None for row in rows):
        lines.append("Fitted values stand beside these in what --out and --json give.")
    if any(row.inconsistent for row in rows):
        lines.append("! does not fit the other numbers within its noise; look into it.")
    return lines


def _remedy(factors: Sequence[float | None]) -> str:
    known = [factor for factor in factors if factor is not None]
    if not known:
        return ""
    return f" ε, or the number of people, would have to be {grown(min(known))} times as large."
