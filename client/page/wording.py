"""What a page says of one number: its value, its error, and what a reader has to know.

A suppressed number is called suppressed, never 0; a negative one is "0 (noise)". Intervals are
cut off at 0, below which there are no people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from client.page.glossary import METRICS, UNITS
from languages import ENGLISH, Language, message
from reports.effect import Ranged
from reports.estimate import grown, written
from reports.rendering import Row

ALL = message("all")
_ABSENT = "–"


class Standing(StrEnum):
    """How far a number can be relied on; a chart draws each in a form of its own."""

    CLEAR = "clear"
    NOISY = "noise dominates"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class Said:
    """One number in the words of a language, as a table has it."""

    row: Row
    language: Language = ENGLISH

    @property
    def metric(self) -> str:
        """What is counted, with its label where it has one."""
        name = METRICS.said(self.row.metric, self.language)
        return name if self.row.label is None else f"{name}: {self.label}"

    @property
    def label(self) -> str:
        """The label, or `all` of them."""
        return self.language.own(ALL if self.row.label is None else self.row.label)

    @property
    def segment(self) -> str:
        """The segment, or `all` of them."""
        return self.language.own(ALL if self.row.segment is None else self.row.segment)

    @property
    def unit(self) -> str:
        """What it is counted in."""
        return UNITS.said(self.row.unit, self.language)

    @property
    def standing(self) -> Standing:
        """How far it can be relied on."""
        estimate = self.row.estimate
        if estimate.suppressed:
            return Standing.SUPPRESSED
        return Standing.NOISY if estimate.noise_dominated else Standing.CLEAR

    @property
    def value(self) -> str:
        """The value without its error."""
        return self.language.own(self.row.estimate.said(self.row.unit))

    @property
    def error(self) -> str:
        """Half of the 95% interval."""
        return self._error(self.row.estimate.half_width, "± ")

    @property
    def beside(self) -> str:
        """What a headline says beside the value: the interval where it has ends of its own."""
        estimate = self.row.estimate
        if not isfinite(estimate.half_width):
            return ""
        return self.interval if isinstance(estimate, Ranged) else self.error

    @property
    def standard_error(self) -> str:
        """The standard deviation of the noise, a digit finer than the value."""
        return self._error(self.row.estimate.standard_error, "", finer=1)

    @property
    def whole(self) -> str:
        """Value and error together."""
        estimate = self.row.estimate
        if estimate.suppressed or estimate.half_width:
            return self.language.own(estimate.shown(self.row.unit))
        return self.language(message("{number} (exact)", number=self.value))

    @property
    def interval(self) -> str:
        """The 95% interval, cut off at 0 where nothing can be below."""
        estimate = self.row.estimate
        if estimate.suppressed or not estimate.half_width:
            return _ABSENT
        return self.language.own(estimate.interval(self.row.unit)) or _ABSENT

    @property
    def fitted(self) -> str:
        """The number made consistent with the others."""
        if self.row.fitted is None or self.row.estimate.suppressed:
            return _ABSENT
        return self.language.own(written(self.row.fitted, self.row.unit))

    @property
    def remark(self) -> str:
        """What a reader has to know; empty where nothing is."""
        _ = self.language
        return _("; ").join(part for part in (self._standing_words(), self._misfit()) if part)

    def _standing_words(self) -> str:
        _, estimate = self.language, self.row.estimate
        factor = estimate.epsilon_factor
        needs = ""
        if factor is not None:
            needs = _("; needs {factor} times the people or ε", factor=grown(factor))
        if self.standing is Standing.NOISY:
            unclear = _("the interval includes 0") if estimate.signed else _("noise dominates")
            return unclear + needs
        if self.standing is Standing.CLEAR:
            return ""
        if isfinite(estimate.standard_error):
            return _("too few people, or too much noise") + needs
        return _("a number that it rests on is suppressed, or not clear of its noise")

    def _misfit(self) -> str:
        if self.row.estimate.suppressed or not self.row.inconsistent:
            return ""
        _ = self.language
        return _("does not fit the other numbers within its noise: look into it")

    def _error(self, size: float, sign: str, finer: int = 0) -> str:
        _ = self.language
        if not isfinite(size):
            return _ABSENT
        if not size:
            return _("exact")
        beside = self.row.estimate.value
        error = written(size, self.row.unit, finer=finer, beside=beside)
        return sign + _.own(error)


def only_totals(rows: list[Row]) -> list[Row]:
    """Leave out the one segment of a report without segments: it is all there is."""
    segments = {row.segment for row in rows}
    if len(segments) == 2 and None in segments:
        return [row for row in rows if row.segment is None]
    return rows


def segments_of(rows: list[Row]) -> list[str | None]:
    """Return the segments in their order, all of them together last."""
    found = dict.fromkeys(row.segment for row in rows)
    named: list[str | None] = [one for one in found if one is not None]
    return [*named, *([None] if None in found else [])]


def by_metric(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows of each metric, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.metric, []).append(row)
    return found
