"""Causes in a column of raw identifiers: bad formats by their reason, and values hashed before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from languages import message
from party.diagnosis.causes import FORMAT_REMEDIES, Cause, Finding, Level
from party.diagnosis.column import Positions, SurveyedColumn
from psi.identifiers import ALGORITHMS, kind_of
from psi.reasons import Reason

_POWER: Final = re.compile(r"\s*[+-]?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}\s*")
_FRACTION: Final = r"^\s*[+]?[0-9]{6,17}[.]0\s*$"
_NUMBERS: Final = frozenset({"phone", "imei", "member"})
_SEPARATED: Final = re.compile(r"\S+@\S+\s*[;,|/]\s*\S+@\S+|\S+@\S+\s+\S+@\S+")


def raw_findings(column: SurveyedColumn) -> Iterator[Finding]:
    """Yield what keeps the values of a raw column from being matched."""
    yield from _already_hashed(column)
    left = column.survey.refused
    for cause, evidence, chosen in (
        (
            Cause.SPREADSHEET,
            message("numbers such as 1.2E+10 or 12025550100.0"),
            _spreadsheet(column),
        ),
        (Cause.SEVERAL_IN_CELL, message("more than one address in a cell"), _several(column)),
        (Cause.NO_REGION, message("readable only within one country"), _national(column)),
    ):
        if len(chosen):
            yield column.finding(cause, chosen, evidence)
            left = {reason: np.setdiff1d(found, chosen) for reason, found in left.items()}
    for reason, found in left.items():
        if not len(found):
            continue
        if reason == Reason.PLACEHOLDER:
            yield column.finding(Cause.PLACEHOLDER, found, reason, level=Level.CONSIDER)
        else:
            remedy = FORMAT_REMEDIES[Reason(reason)]
            yield column.finding(Cause.BAD_FORMAT, found, reason, remedy=remedy)


def _already_hashed(column: SurveyedColumn) -> Iterator[Finding]:
    kind = kind_of(column.spec.type)
    wanted = ALGORITHMS[kind]
    contradictions = column.survey.contradictions
    for algorithm in sorted(set(contradictions.values())):
        found = np.array([at for at, what in contradictions.items() if what == algorithm])
        remedy = (
            message(
                "declare the column as id.{type}_{algorithm}; hashed again, its values would meet "
                "nobody's",
                type=column.spec.type,
                algorithm=wanted,
            )
            if algorithm == wanted
            else message(
                "{kind} is exchanged as {algorithm}: deliver raw values, or {algorithm}",
                kind=kind,
                algorithm=wanted,
            )
        )
        evidence = message("values that are {algorithm} digests", algorithm=algorithm)
        yield column.finding(Cause.ALREADY_HASHED, found, evidence, remedy=remedy)


def _spreadsheet(column: SurveyedColumn) -> Positions:
    """Return the values that a spreadsheet has made a number of, also those that still parse."""
    import pyarrow.compute as pc

    if kind_of(column.spec.type) not in _NUMBERS:
        return np.zeros(0, dtype=np.int64)
    fractions = pc.match_substring_regex(column.survey.texts, _FRACTION)
    found = np.flatnonzero(fractions.to_numpy(zero_copy_only=False).astype(np.bool_))
    return np.union1d(found, _matching(column, _POWER))


def _several(column: SurveyedColumn) -> Positions:
    if kind_of(column.spec.type) != "email":
        return np.zeros(0, dtype=np.int64)
    return _matching(column, _SEPARATED)


def _national(column: SurveyedColumn) -> Positions:
    """Return the phone numbers that only a region would make readable."""
    if kind_of(column.spec.type) != "phone" or column.spec.region is not None:
        return np.zeros(0, dtype=np.int64)
    refused = column.survey.refused.get(Reason.PHONE_UNREADABLE, np.zeros(0, dtype=np.int64))
    digits = re.compile(r"\s*[0-9(][0-9 ().\-/]{5,18}\s*")
    return np.array([at for at in refused if digits.fullmatch(column.text(at))], dtype=np.int64)


def _matching(column: SurveyedColumn, pattern: re.Pattern[str]) -> Positions:
    refused = [at for found in column.survey.refused.values() for at in found.tolist()]
    chosen = [at for at in refused if pattern.fullmatch(column.text(at))]
    return np.array(sorted(chosen), dtype=np.int64)
