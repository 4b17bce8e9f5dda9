"""Datasets and their quality. The counts are exact: for the party's own eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

from party.datasets.steps import BoundStep
from party.datasets.traffic import STEP
from party.registrations import Registered

_MOST_VALUES: Final = 40


def dataset_document(registered: Registered) -> dict[str, Any]:
    """Return a registered dataset as JSON values."""
    return {
        "dataset": registered.name,
        "population": registered.population,
        "snapshot": registered.snapshot,
        "registered_at": registered.registered_at,
        "definition": registered.definition,
        "quality": registered.quality,
    }


def datasets_shown(datasets: Sequence[Registered]) -> RenderableType:
    """Return a line for each dataset."""
    if not datasets:
        return "No dataset is registered: commonground dataset add FILE.yaml"
    table = Table("dataset", "people", "identifiers", "labels", "population", "registered")
    for one in datasets:
        kinds = [
            column["kind"].removeprefix("id.")
            for column in one.quality["columns"]
            if column["kind"].startswith("id.")
        ]
        labels = [label["name"] for label in one.quality["labels"]]
        day = datetime.fromtimestamp(one.registered_at, UTC).strftime("%Y-%m-%d %H:%MZ")
        people = f"{one.quality['people']:,}"
        table.add_row(
            one.name, people, ", ".join(kinds), ", ".join(labels) or "none", one.population, day
        )
    return table


def quality_shown(quality: Mapping[str, Any]) -> list[RenderableType]:
    """Return a quality report: columns, consent and labels."""
    files = ", ".join(quality["files"])
    parts: list[RenderableType] = [
        f"Dataset {quality['dataset']}: {quality['rows']:,} rows of {quality['people']:,} people, "
        f"from {files}",
        _columns(quality["columns"]),
        _consent(quality["consent"], quality["people"]),
    ]
    if quality.get("invalid_traffic"):
        steps = [BoundStep(**step) for step in quality["invalid_traffic"]]
        parts.append(invalid_traffic_shown(steps))
    connected = quality.get("connected")
    if connected:
        parts += _connected(connected)
    parts += _protected(quality)
    parts += [_label(label) for label in quality["labels"]]
    parts += [
        f"{one['column']} looks like it holds {one['kind']}s, and is declared as "
        f"{one['declared'] or 'nothing'}"
        for one in quality.get("personal", ())
    ]
    if quality.get("not_looked_at"):
        without_text = ", ".join(quality["not_looked_at"])
        parts.append(f"Not looked at for personal data, for want of a text form: {without_text}")
    if quality["undeclared"]:
        parts.append(f"Not declared, and never read: {', '.join(quality['undeclared'])}")
    return parts


def invalid_traffic_shown(steps: Sequence[BoundStep]) -> Table:
    """Return what each rule took out; the last step is of people, the others of rows."""
    title = "Invalid traffic, which leaves before anything is counted"
    table = Table(title=title, title_justify="left")
    table.add_column("rule", overflow="fold")
    for heading in ("rows before", "taken out", "rows after"):
        table.add_column(heading, justify="right")
    *rules, people = steps
    for step in rules:
        table.add_row(step.name.removeprefix(STEP), *_numbers(step))
    table.add_section()
    table.add_row(people.name, *_numbers(people))
    return table


def _numbers(step: BoundStep) -> list[str]:
    return [f"{number:,}" for number in (step.before, step.before - step.after, step.after)]


def _columns(columns: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Columns", title_justify="left")
    for heading in ("column", "kind"):
        table.add_column(heading)
    for heading in ("rows", "valid", "null", "distinct"):
        table.add_column(heading, justify="right")
    table.add_column("refused, with a masked example", overflow="fold")
    for column in columns:
        if column["problem"]:
            dashes = ["–"] * 4
            table.add_row(column["name"], column["kind"], *dashes, f"unusable: {column['problem']}")
            continue
        numbers = [f"{column[key]:,}" for key in ("rows", "valid", "null", "distinct")]
        table.add_row(column["name"], column["kind"], *numbers, _refused(column))
    return table


def _refused(column: Mapping[str, Any]) -> str:
    examples = column["examples"]
    return "\n".join(
        f"{count:,} {reason}" + (f" ({examples[reason]})" if reason in examples else "")
        for reason, count in sorted(column["refused"].items(), key=lambda item: -item[1])
    )


def _connected(connected: Mapping[str, Any]) -> list[RenderableType]:
    """Return who was made of the rows, and which identifiers are nobody's."""
    people = Table(title="Rows a person", title_justify="left")
    people.add_column("rows")
    people.add_column("people", justify="right")
    for size, count in connected["sizes"].items():
        people.add_row(size, f"{count:,}")
    types = Table(title="Identifiers that connect rows", title_justify="left")
    types.add_column("type")
    for heading in ("people with one", "identifiers", "over-shared", "nobody's"):
        types.add_column(heading, justify="right")
    for one in connected["types"]:
        keys = ("people", "identifiers", "over_shared", "withheld")
        numbers = [f"{one[key]:,}" for key in keys]
        types.add_row(one["type"], *numbers)
    nobody = (
        f"{connected['rows_of_nobody']:,} rows are nobody's: no usable identifier of these types, "
        "or none that is one person's"
    )
    broken = (
        f"{connected['broken']:,} components were above the bound and were broken, of "
        f"{connected['broken_rows']:,} rows"
    )
    return [people, types, nobody, broken]


def _protected(quality: Mapping[str, Any]) -> list[RenderableType]:
    """Return what the description says of minors and of sensitive columns."""
    parts: list[RenderableType] = []
    minors = quality.get("minors")
    if minors:
        parts.append(
            f"Minors: {minors['minors']:,} people are below {minors['under']}, and "
            f"{minors['without_age']:,} have no age; a guardian consents for "
            f"{minors['with_guardian']:,} of these. {minors['left_out']:,} people take no part"
        )
    parts += [
        f"Sensitive column {one['column']} ({one['category']}): {one['people']:,} people gave "
        "separate consent; a label made of it has nobody else"
        for one in quality.get("sensitive", ())
    ]
    return parts


def _consent(coverage: Sequence[Mapping[str, Any]], people: int) -> Table:
    table = Table(title="Consent", title_justify="left")
    table.add_column("purpose")
    table.add_column("recipient")
    table.add_column("people", justify="right")
    table.add_column("share", justify="right")
    for one in coverage:
        share = one["people"] / people if people else 0.0
        table.add_row(one["purpose"], one["recipient"], f"{one['people']:,}", f"{share:.1%}")
    return table


def _label(label: Mapping[str, Any]) -> Table:
    table = Table(title=f"Label {label['name']}", title_justify="left")
    table.add_column("value")
    table.add_column("people", justify="right")
    counts = list(label["people"].items())
    for value, people in counts[:_MOST_VALUES]:
        table.add_row(value, f"{people:,}")
    if len(counts) > _MOST_VALUES:
        table.add_row(f"and {len(counts) - _MOST_VALUES} more", "")
    table.add_section()
    outside, sums, failing = label.get("outside", 0), label.get("sums"), label.get("failing")
    table.add_row("none of these", f"{label['without'] - outside:,}")
    if outside:
        told = "no number" if sums else "a value in no range"
        table.add_row("the expression fails" if failing else told, f"{outside:,}")
    if label.get("touches"):
        table.add_row("touches of these", f"{label['touches']:,}")
    if label["conflicting"]:
        table.add_row("rows contradict each other", f"{label['conflicting']:,}")
    for kind, rows in (failing or {}).items():
        table.add_row(f"rows where {kind}", f"{rows:,}")
    if sums:
        table.add_section()
        cut = f"{sums['above']:,} ({sums['cut_share']:.1%} of the value is cut off)"
        table.add_row("above the top bound", cut)
        table.add_row("below the lowest bound, not 0", f"{sums['below_lowest']:,}")
        table.add_row("below 0", f"{sums['negative']:,}")
    return table
