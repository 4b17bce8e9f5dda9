"""Overlap by identifier type: one table a type, and a verdict on why a type finds few.

The verdict is arithmetic on the noisy numbers and their errors, on nothing else, so a report of
either kind may carry it. It compares types with each other: people who are found by one type and
not by another that both sides hold are there, and their identifiers were written differently. The
thresholds stand in docs/reports.md.
"""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from languages import message
from reports.cells import CellEstimates, PrivateEstimates, ShareableEstimates
from reports.errors import MalformedTable, NotShareable
from reports.estimate import (
    SUPPRESSION_ERRORS,
    Estimate,
    exact_number,
    noisy_number,
    suppression_floor,
    withheld,
)
from reports.laws import Spread
from reports.rendering import PrivateRendering, Rendering, Row, ShareableRendering

NEAR_NOTHING: Final = 0.02
"""A type by which a smaller share of the smaller side is found finds nobody."""
NEXT_TO_NOTHING: Final = 0.1
"""So does a type that finds less than this part of what another finds."""
SURELY_FINDS: Final = 0.10
"""A type by which a larger share is found finds people; if all lie below, few are shared."""
LOW_COVERAGE: Final = 0.20
"""A type that fewer have, compared with the commonest type of that side, is missing there."""
FAR_FEWER: Final = 0.5
"""A type that finds less than this part of what another finds has a fault of its own."""


class Verdict(StrEnum):
    """Why a type finds as many people as it does."""

    FINDS = "finds people"
    DIFFERS = "the digests differ"
    PARTLY_DIFFERS = "a part of the digests differ"
    MISSING_HERE = "missing identifier type at the recipient"
    MISSING_THERE = "missing identifier type at the tabulator"
    NOT_SHARED = "true non-overlap"
    UNCLEAR = "cannot be told"


_SENTENCES: Final = {
    Verdict.FINDS: message("finds people"),
    Verdict.DIFFERS: message(
        "the digests differ: it finds next to nobody, where {other} finds people whom "
        "both sides have. Compare formats with `dataset check` at both"
    ),
    Verdict.PARTLY_DIFFERS: message(
        "a part of the digests differ: it finds less than half of what {other} "
        "finds. Compare formats with `dataset check` at both"
    ),
    Verdict.MISSING_HERE: message(
        "missing identifier type: few of the recipient's people have one"
    ),
    Verdict.MISSING_THERE: message("missing identifier type: the tabulator brings few"),
    Verdict.NOT_SHARED: message(
        "true non-overlap: all types find equally few. It would look the same if "
        "every type were hashed wrongly, which `dataset check --sample` tells"
    ),
    Verdict.UNCLEAR: message("cannot be told: too few people, or too much noise"),
}


@dataclass(frozen=True)
class TypeOverlap:
    """The numbers of one identifier type.

    `found` is the matched as a share of the smaller side, so that a small list against a large one
    is not taken for few shared people; `bounds` are its 95% interval, also where it is suppressed.
    `coverage` compares the recipient's people who have this type with those who have its
    commonest one, `offered_coverage` the tabulator's keys in the same way.
    """

    type: str
    matched: Estimate
    audience: Estimate
    match_rate: Estimate
    offered: Estimate
    coverage: Estimate
    offered_coverage: Estimate
    found: Estimate
    bounds: tuple[float, float]

    def rows(self) -> Iterator[Row]:
        """Yield the numbers; the label is the type."""
        yield Row("matched", "people", self.matched, self.type)
        yield Row("audience", "people", self.audience, self.type)
        yield Row("match rate", "share", self.match_rate, self.type)
        yield Row("found of the smaller side", "share", self.found, self.type)
        yield Row("coverage", "share", self.coverage, self.type)
        yield Row("offered", "keys", self.offered, self.type)
        yield Row("offered coverage", "share", self.offered_coverage, self.type)


@dataclass(frozen=True)
class Judged:
    """The verdict on one type, and the type that it was compared with where there is one."""

    type: str
    verdict: Verdict
    other: str | None = None

    @property
    def sentence(self) -> str:
        """Say it in words."""
        sentence = message(_SENTENCES[self.verdict], other=self.other)
        return message("{type}: {sentence}", type=self.type, sentence=sentence)

    def to_dict(self) -> dict[str, str | None]:
        """Return JSON values."""
        return {
            "type": self.type,
            "verdict": str(self.verdict),
            "compared_with": self.other,
            "sentence": self.sentence,
        }


def measure(tables: Mapping[str, CellEstimates]) -> tuple[TypeOverlap, ...]:
    """Compute the numbers of each type, in the order of `tables`."""
    audiences = {kind: one.audience(one.all_columns) for kind, one in tables.items()}
    offers = {kind: one.offered(one.all_rows) for kind, one in tables.items()}
    largest_audience = max(audiences.values(), key=lambda one: one.value)
    largest_offer = max(offers.values(), key=lambda one: one.value)
    measured = []
    for kind, one in tables.items():
        matched = one.count(one.all_rows, one.all_columns)
        smaller = min(audiences[kind], offers[kind], key=lambda side: side.value)
        measured.append(
            TypeOverlap(
                type=kind,
                matched=matched,
                audience=audiences[kind],
                match_rate=one.share(one.all_rows, one.all_columns),
                offered=offers[kind],
                coverage=_ratio(audiences[kind], largest_audience),
                offered_coverage=_ratio(offers[kind], largest_offer),
                found=_ratio(matched, smaller),
                bounds=_bounds(matched, smaller, one.table.parameters.min_cell),
            )
        )
    return tuple(measured)


def judge(types: Sequence[TypeOverlap]) -> tuple[Judged, ...]:
    """Return the verdict on each type."""
    return tuple(_judge(one, types) for one in types)


def _judge(one: TypeOverlap, types: Sequence[TypeOverlap]) -> Judged:
    if _high(one.coverage) < LOW_COVERAGE:
        return Judged(one.type, Verdict.MISSING_HERE)
    if _high(one.offered_coverage) < LOW_COVERAGE:
        return Judged(one.type, Verdict.MISSING_THERE)
    low, high = one.bounds
    best = max(types, key=lambda other: other.bounds[0])
    most = best.bounds[0]
    if most > SURELY_FINDS and high < max(NEAR_NOTHING, NEXT_TO_NOTHING * most):
        return Judged(one.type, Verdict.DIFFERS, best.type)
    if most > SURELY_FINDS and high < FAR_FEWER * most:
        return Judged(one.type, Verdict.PARTLY_DIFFERS, best.type)
    if all(other.bounds[1] < SURELY_FINDS for other in types):
        return Judged(one.type, Verdict.NOT_SHARED)
    return Judged(one.type, Verdict.FINDS if low > 0 else Verdict.UNCLEAR)


def _bounds(matched: Estimate, smaller: Estimate, min_cell: int) -> tuple[float, float]:
    """Bound the share found; of a suppressed count it is known that it was below the floor."""
    found = _ratio(matched, smaller)
    if not found.suppressed:
        return max(found.low, 0.0), max(found.high, 0.0)
    if not matched.suppressed or smaller.low <= 0:
        return 0.0, 1.0
    floor = suppression_floor(Spread(matched.standard_error, matched.half_width), min_cell)
    return 0.0, (floor + matched.half_width) / smaller.low


def _ratio(one: Estimate, other: Estimate) -> Estimate:
    """Return one number as a share of another, whose noise may be related: errors are added up."""
    if one.suppressed or other.value <= SUPPRESSION_ERRORS * other.standard_error:
        return withheld()
    if one is other:
        return exact_number(1.0)
    share = one.value / other.value
    error = one.standard_error + abs(share) * other.standard_error
    half_width = one.half_width + abs(share) * other.half_width
    return noisy_number(share, Spread(error / other.value, half_width / other.value))


def _high(estimate: Estimate) -> float:
    return math.inf if estimate.suppressed else estimate.high


@dataclass(frozen=True, eq=False)
class _ByIdentifier(Rendering, ABC):
    """What both kinds do alike; `tables` are the estimates by type, in the contract's order."""

    tables: Mapping[str, CellEstimates]

    @cached_property
    def types(self) -> tuple[TypeOverlap, ...]:
        """The numbers of each type."""
        return measure(self.tables)

    @cached_property
    def verdicts(self) -> tuple[Judged, ...]:
        """The verdict on each type."""
        return judge(self.types)

    def title(self) -> str:
        """Return the report's name."""
        return "overlap by identifier"

    def rows(self) -> Iterator[Row]:
        """Yield every number, type by type."""
        for one in self.types:
            yield from one.rows()

    def notes(self) -> Sequence[str]:
        """Return the verdicts in words."""
        return tuple(one.sentence for one in self.verdicts)

    def evidence(self) -> dict[str, Any]:
        """Return the verdicts, and the released table of each type."""
        return {
            "verdicts": [one.to_dict() for one in self.verdicts],
            "tables": {kind: one.table.to_dict() for kind, one in self.tables.items()},
        }

    def _require(self, kind: type[CellEstimates]) -> None:
        if not self.tables:
            raise MalformedTable("an overlap by identifier needs the table of one type at least")
        if any(type(one) is not kind for one in self.tables.values()):
            raise NotShareable("a report is built from estimates of its own kind only")


@dataclass(frozen=True, eq=False)
class ShareableByIdentifier(_ByIdentifier, ShareableRendering):
    """An overlap by identifier that may be passed on."""

    def __post_init__(self) -> None:
        self._require(ShareableEstimates)


@dataclass(frozen=True, eq=False)
class PrivateByIdentifier(_ByIdentifier, PrivateRendering):
    """One for the recipient's own eyes; `own_share` is the exact share of its people by type."""

    own_share: Mapping[str, float]

    def __post_init__(self) -> None:
        self._require(PrivateEstimates)

    def rows(self) -> Iterator[Row]:
        """Yield every number, and the share of own people who have the type."""
        for one in self.types:
            yield from one.rows()
            own = exact_number(self.own_share[one.type])
            yield Row("share of own people", "share", own, one.type)

    def notes(self) -> Sequence[str]:
        """Return the verdicts, and which types few of all own people have."""
        few = [kind for kind, share in self.own_share.items() if share < LOW_COVERAGE]
        return (
            *super().notes(),
            *(
                message(
                    "{type}: only {share} of your own people have one",
                    type=kind,
                    share=f"{self.own_share[kind]:.1%}",
                )
                for kind in few
            ),
        )
