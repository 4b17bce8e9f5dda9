"""Looks at one dataset for the causes of a small match; changes nothing and sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from languages import message
from party.datasets.definition import ColumnDefinition, Definition
from party.datasets.identifier_columns import column_error, read_usable
from party.datasets.people import People
from party.datasets.rows import open_source, read_rows
from party.datasets.scan import FoundPersonal, require_dropped_are_there, scan_of
from party.datasets.source import Source
from party.datasets.steps import BoundStep
from party.datasets.traffic import clean
from party.diagnosis.causes import Cause, Finding, Level
from party.diagnosis.column import SurveyedColumn
from party.diagnosis.coverage import Agreed, coverage, missing_types, shared_values
from party.diagnosis.digest_forms import HeldDigests, read_forms
from party.diagnosis.digest_texts import (
    Tried,
    placeholder_findings,
    text_findings,
    try_raw_values,
)
from party.diagnosis.raw_column import raw_findings
from party.diagnosis.sample import Sample, beside, region_of
from psi.columns import survey_column
from psi.errors import IdentifierError

Hook = Callable[[str], None]
"""Is told what is being looked at."""
_FEW: Final = 20


@dataclass(frozen=True)
class Diagnosis:
    """What was found, costliest first, and in `notes` what could not be told.

    `coverage` is the share of people with a usable identifier of each type. All is said of the
    people of whom rows are left after `invalid_traffic`.
    """

    dataset: str
    people: int
    findings: tuple[Finding, ...]
    coverage: dict[str, float]
    notes: tuple[str, ...]
    invalid_traffic: tuple[BoundStep, ...] = ()

    @property
    def must_correct(self) -> bool:
        """Whether something has to be corrected."""
        return any(finding.level is Level.CORRECT for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "dataset": self.dataset,
            "people": self.people,
            "must_correct": self.must_correct,
            "findings": [finding.to_dict() for finding in self.findings],
            "coverage": dict(self.coverage),
            "notes": list(self.notes),
            "invalid_traffic": [step.to_dict() for step in self.invalid_traffic],
        }


def quietly(what: str) -> None:
    """Tell nobody what is being looked at."""
    del what


def check_dataset(
    definition: Definition,
    *,
    sample: Path | None = None,
    region: str | None = None,
    agreed: Agreed | None = None,
    now: float | None = None,
    hook: Hook = quietly,
) -> Diagnosis:
    """Return the diagnosis of a dataset.

    `sample` is a file of raw values of own people, `region` that of its phone numbers. Events after
    `now` (Unix seconds) are invalid traffic. Raises
    `DatasetError` when files cannot be read as described.
    """
    given = None if sample is None else Sample.read(sample, definition)
    scan = scan_of(definition)
    with open_source(definition, scan.look) as source:
        hook(message("looking for personal data that is not declared"))
        require_dropped_are_there(definition, source.columns)
        source.show(scan.but, scan.look)
        digests = _Digests(definition, source, given, region, bool(agreed and agreed.gmail))
        found = _diagnose(definition, source, digests, agreed, now, hook)
    personal = tuple(_undeclared(one, found.people) for one in scan.found())
    return replace(found, findings=(*personal, *found.findings))


def _undeclared(one: FoundPersonal, people: int) -> Finding:
    """Say that a column holds personal data that its description does not know of."""
    declared = message("not declared")
    if one.declared is not None:
        declared = message("declared as {kind}", kind=one.declared)
    return Finding(
        Cause.PERSONAL,
        one.column,
        Level.CORRECT,
        people,
        people,
        message("{kind}s; {declared}", kind=one.kind, declared=declared),
        one.remedy,
    )


def _diagnose(
    definition: Definition,
    source: Source,
    digests: _Digests,
    agreed: Agreed | None,
    now: float | None,
    hook: Hook,
) -> Diagnosis:
    rows = read_rows(definition, source, [], partial(read_usable, source))
    cleaned = clean(rows.traffic, rows.people, rows.columns, rows.lists, now)
    people = cleaned.people
    columns: list[SurveyedColumn] = []
    findings: list[Finding] = []
    notes: list[str] = []
    for declared in definition.identifiers:
        hook(message("looking at column {name}", name=declared.name))
        column = _survey(declared, definition, source, people)
        columns.append(column)
        if column.spec.digested:
            found, told = digests.at(declared, column)
            findings += found
            notes += told
        else:
            findings += raw_findings(column)
        findings += shared_values(column)
    shares = coverage(columns, len(people))
    if agreed is not None:
        findings += missing_types(agreed, shares, len(people))
    findings.sort(key=lambda one: (-one.people, one.level is Level.CONSIDER, one.subject))
    return Diagnosis(
        definition.name, len(people), tuple(findings), shares, tuple(notes), cleaned.steps
    )


def _survey(
    declared: ColumnDefinition, definition: Definition, source: Source, people: People
) -> SurveyedColumn:
    spec = declared.spec
    if spec is None:
        raise ValueError("only columns of identifiers are surveyed")
    try:
        survey = survey_column(spec, source.read([declared.name])[declared.name])
    except IdentifierError as error:
        raise column_error(definition, source, declared.name, error) from None
    return SurveyedColumn(declared.name, spec, survey, people)


@dataclass(frozen=True)
class _Digests:
    """Looks at columns of digests, with the raw values that there are."""

    definition: Definition
    source: Source
    sample: Sample | None
    region: str | None
    gmail: bool

    def at(
        self, declared: ColumnDefinition, column: SurveyedColumn
    ) -> tuple[list[Finding], list[str]]:
        """Return what is wrong with a column of digests, and what cannot be told of it."""
        findings, held = read_forms(column)
        tried = list(self._tried(declared, column, held))
        for one in tried:
            findings += text_findings(column, one)
        if any(one.found for one in tried):
            return findings, list(_notes(column, tried))
        told_by_placeholders = list(placeholder_findings(column, held))
        return findings + told_by_placeholders, list(_notes(column, tried))

    def _tried(
        self, declared: ColumnDefinition, column: SurveyedColumn, held: HeldDigests
    ) -> Iterator[Tried]:
        specs = [one.spec for one in self.definition.identifiers if one.spec is not None]
        own = beside(declared, self.definition, self.source)
        if own is not None and own[1].texts:
            yield try_raw_values(column, held, own[1], self.gmail)
        if self.sample is not None:
            raw = self.sample.values_for(declared, region_of(specs, self.region))
            if raw is not None and raw.texts:
                yield try_raw_values(column, held, raw, self.gmail)


def _notes(column: SurveyedColumn, tried: Sequence[Tried]) -> Iterator[str]:
    name = column.name
    if not tried:
        yield message(
            "{name}: digests cannot be inverted. Without raw values of your "
            "own people it cannot be told for certain which text was hashed; "
            "try --sample",
            name=name,
        )
    for one in tried:
        if one.unreadable:
            yield message(
                "{name}: {unreadable} raw values in {origin} could not be read",
                name=name,
                unreadable=f"{one.unreadable:,}",
                origin=one.raw.origin,
            )
        if one.found and not one.raw.paired and one.missing:
            yield message(
                "{name}: {missing} of {looked_for} raw values in {origin} have "
                "no digest here: other people, or digests that no usual mistake "
                "explains",
                name=name,
                missing=f"{one.missing:,}",
                looked_for=f"{one.looked_for:,}",
                origin=one.raw.origin,
            )
        if 0 < one.found < _FEW:
            yield message(
                "{name}: rests on {found} raw values; {few} or more would be firmer",
                name=name,
                found=f"{one.found:,}",
                few=_FEW,
            )
