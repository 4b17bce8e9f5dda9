"""A diagnosis as people read it: causes, costliest first. The counts are exact: for own eyes."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table

from client.render_dataset import invalid_traffic_shown
from party.diagnosis import Diagnosis, Finding, Level


def diagnosis_shown(diagnosis: Diagnosis) -> list[RenderableType]:
    """Return a diagnosis as a table and paragraphs."""
    covered = ", ".join(f"{kind} {share:.1%}" for kind, share in diagnosis.coverage.items())
    parts: list[RenderableType] = [
        f"Dataset {diagnosis.dataset}: {diagnosis.people:,} people. "
        f"With a well-formed identifier: {covered}"
    ]
    if diagnosis.invalid_traffic:
        parts.append(invalid_traffic_shown(diagnosis.invalid_traffic))
    if diagnosis.findings:
        parts.append(_table(diagnosis.findings))
    parts += [f"Note: {note}" for note in diagnosis.notes]
    if diagnosis.must_correct:
        parts.append("What is marked ! has to be corrected; the rest may be right as it is.")
    elif diagnosis.findings:
        parts.append("Nothing has to be corrected.")
    else:
        parts.append("Nothing was found that would keep these people from being found.")
    parts.append("For your eyes only: the counts are exact.")
    return parts


def _table(findings: tuple[Finding, ...]) -> Table:
    table = Table("", "cause", "column", "people", "masked example", "what to do")
    table.columns[3].justify = "right"
    for column in (table.columns[1], *table.columns[4:]):
        column.overflow = "fold"
    for one in findings:
        table.add_row(
            "!" if one.level is Level.CORRECT else "",
            f"{one.cause}\n({one.evidence})",
            one.subject,
            f"{one.people:,}\n{one.share:.1%}",
            one.example,
            one.remedy,
        )
    return table
