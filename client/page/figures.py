"""Charts of a rendering: bars with 95% error bars, one chart a metric, one panel a segment.

Differences, which may be below 0, are dots with their intervals, beside the line of no difference.

A pure function of the rows. No hue tells anything: a number that noise dominates is a dashed
outline, a suppressed one is the word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final
from unicodedata import east_asian_width

from client.by_attribute import by_attribute
from client.page.drawing import (
    Described,
    as_pdf,
    as_png,
    as_svg,
    configured,
    require_charts,
    require_fonts,
)
from client.page.glossary import KINDS, METRICS, TITLES, UNITS
from client.page.marks import LABEL_WIDTH, bar_layers, in_order, step_layers
from client.page.wording import ALL, Said, by_metric, only_totals, segments_of
from languages import ENGLISH, Language, message
from party.errors import PartyError
from reports.effect import Ranged
from reports.estimate import Unit
from reports.rendering import Rendering, Row

if TYPE_CHECKING:
    import altair as alt

PARTS: Final = "reached by"
STEPS: Final = "reached by, in steps"
"""The metric whose numbers are the parts of a reach, and what its steps are called as data."""
MOST_BARS: Final = 60
"""A chart of more numbers than these tells an eye nothing; the table has them."""
_MOST_BESIDE: Final = 3
_NARROW, _WIDE, _GAP = 425, 900, 22
"""Pixels of a chart that shares its line of the page, of one that does not, between panels."""
_NUMBERS_WIDTH: Final = 96
_BEFORE: Final = 0.04
"""Room to the left of an interval that goes below 0, as a share of the axis."""
_BAR_HEIGHT: Final = 26
_LETTER_WIDTH: Final = 7
_AXES: Final[dict[Unit, tuple[str, str]]] = {
    "share": (message("share"), ".0%"),
    "rate": (message("rate"), ".2~%"),
    "points": (message("percentage points"), "+.2~%"),
    "times": (message("times a person"), ",~f"),
    "cost": (message("cost a person"), ",~f"),
}
"""Title and number format of an axis; others are called as their unit."""
_DRAWN_ALONE: Final = "points"
"""A difference of rates is drawn also where there is one: its interval is what decides."""
_NEVER_DRAWN: Final = "probability"


@dataclass(frozen=True)
class Figure:
    """One chart: the numbers of one metric, all in one unit."""

    metric: str
    rows: tuple[Row, ...]
    language: Language = ENGLISH

    @property
    def name(self) -> str:
        """The metric in its language."""
        return METRICS.said(self.metric, self.language)

    @property
    def unit(self) -> Unit:
        """What the numbers are counted in."""
        return self.rows[0].unit

    @property
    def panels(self) -> list[str]:
        """The segments that have a panel of their own; none where the bars are the segments."""
        labelled = any(row.label is not None for row in self.rows)
        names = self._segments()
        return names if labelled and len(names) > 1 else []

    @property
    def wide(self) -> bool:
        """Whether it takes the page's whole width."""
        return len(self.panels) > 1

    @property
    def alternative(self) -> str:
        """What a person who does not see the chart is told; the tables have all of it."""
        _, count = self.language, self.language.number(len(self.rows))
        unit = UNITS.said(self.unit, _)
        if self.signed:
            return _(
                "Dots of {metric} in {unit}: {count} numbers with their 95% intervals. The same "
                "numbers stand in the tables of this page.",
                metric=self.name,
                unit=unit,
                count=count,
            )
        return _(
            "Bar chart of {metric} in {unit}: {count} numbers with their 95% intervals. The same "
            "numbers stand in the tables of this page.",
            metric=self.name,
            unit=unit,
            count=count,
        )

    @property
    def signed(self) -> bool:
        """Whether the numbers are differences."""
        return any(row.estimate.signed for row in self.rows)

    def svg(self) -> str:
        """Draw it."""
        return as_svg(configured(self.chart(), {self.metric: self.bars()}, self.language))

    def chart(self) -> alt.LayerChart | alt.FacetChart:
        """Return it as Altair describes it."""
        import altair as alt

        columns = _beside(len(self.panels))
        drawn = self.bars()
        width = self._panel_width(columns, [str(one["bar"]) for one in drawn])
        layers = self.layers(self._across(drawn, width))
        layers = layers.properties(width=width, height=alt.Step(_BAR_HEIGHT))
        if not self.panels:
            return layers
        header = alt.Header(title=None, labelFontSize=12, labelFontWeight="bold", labelLimit=width)
        return layers.facet(
            facet=alt.Facet("panel:N", sort=in_order("panel_order"), header=header),
            columns=columns,
        )

    def layers(self, across: dict[str, Any]) -> alt.LayerChart:
        """Return what is drawn in each panel, along the axis of the numbers."""
        return bar_layers(self.metric, across, signed=self.signed)

    def _panel_width(self, columns: int, bars: list[str]) -> int:
        names = min(LABEL_WIDTH, max(_wide(bar) for bar in bars))
        whole = _WIDE if self.wide else _NARROW
        return (whole - names) // columns - _GAP

    def bars(self) -> list[dict[str, str | float]]:
        """Return the bars as data. Names come from a counterpart: they stand in no expression."""
        numbers = [Said(row, self.language) for row in self.rows]
        panels = self._segments()
        labelled = any(row.label is not None for row in self.rows)
        bars = list(dict.fromkeys(said.label for said in numbers)) if labelled else panels
        drawn = []
        for said in numbers:
            bar = said.label if labelled else said.segment
            order = {"bar_order": bars.index(bar), "panel_order": panels.index(said.segment)}
            drawn.append({"bar": bar, "panel": said.segment, **order, **_measures(said)})
        return drawn

    def _segments(self) -> list[str]:
        own = self.language.own
        return [own(ALL if one is None else one) for one in segments_of(list(self.rows))]

    def _across(self, drawn: Sequence[dict[str, str | float]], width: int) -> dict[str, Any]:
        """Return the scale and the axis of the numbers, with room for their text on the right."""
        import altair as alt

        least = min(0.0, *(float(one["low"]) for one in drawn))
        most = max(0.0, *(float(one["high"]) for one in drawn)) or 1.0
        least -= _BEFORE * (most - least) if least else 0.0
        span = (most - least) * width / (width - _NUMBERS_WIDTH)
        title, form = _AXES.get(self.unit, (self.unit, ",~f"))
        return {
            "scale": alt.Scale(domain=[least, least + span], nice=False),
            "axis": alt.Axis(title=UNITS.said(title, self.language), tickCount=4, format=form),
        }


@dataclass(frozen=True)
class Steps(Figure):
    """Parts of a reach as steps from 0 to the whole: each begins where the one before it ends.

    Those whom both channels met lie between those whom one alone met, so the overlap is a place,
    and no colour has to tell it. A step is as long as the fitted number, since only these add up
    and are not below 0; the text is the number itself.
    """

    @property
    def name(self) -> str:
        """What the parts add up to."""
        return self.language(message("reach, part by part"))

    @property
    def alternative(self) -> str:
        """What a person who does not see the chart is told."""
        _ = self.language
        return _(
            "Steps from 0 to the whole reach, one behind the other: {parts}. The same numbers "
            "stand in the tables of this page.",
            parts=", ".join(dict.fromkeys(str(one["bar"]) for one in self.bars())),
        )

    def bars(self) -> list[dict[str, str | float]]:
        """Return the steps as data."""
        reached: dict[str, float] = {}
        drawn = super().bars()
        for row, one in zip(self.rows, drawn, strict=True):
            start = reached.get(str(one["panel"]), 0.0)
            end = start + (row.fitted or 0.0)
            reached[str(one["panel"])] = end
            one |= {"low": start, "high": end}
        return drawn

    def layers(self, across: dict[str, Any]) -> alt.LayerChart:
        """Return the steps of each panel."""
        return step_layers(self.metric, across)


def figures_of(rendering: Rendering, language: Language = ENGLISH) -> list[Figure]:
    """Return a chart for each metric that has several numbers, and not too many of them.

    Parts of a reach are drawn once more as steps, beside its first chart.
    """
    metrics = by_metric(only_totals(by_attribute(rendering.rows())))
    found: list[Figure] = []
    for metric, rows in metrics.items():
        if not _drawn(rows):
            continue
        found.append(Figure(metric, tuple(rows), language))
        if metric == PARTS and (whole := _whole(rows)):
            found.append(Steps(STEPS, whole, language))
    return found


def _whole(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the parts of each segment that shows all of them, whom both channels met between.

    So either channel's reach is two steps that touch. A part that is hidden leaves no place.
    """
    whole: list[Row] = []
    for segment in segments_of(list(rows)):
        one, other, both = (row for row in rows if row.segment == segment)
        if not any(row.estimate.suppressed for row in (one, other, both)):
            whole += [one, both, other]
    return tuple(whole)


def _drawn(rows: Sequence[Row]) -> bool:
    units = {row.unit for row in rows}
    if len(units) != 1 or units == {_NEVER_DRAWN}:
        return False
    return 1 < len(rows) <= MOST_BARS or (len(rows) == 1 and units == {_DRAWN_ALONE})


def png_of(rendering: Rendering, _: Language = ENGLISH) -> bytes:
    """Draw all charts below each other, the report's name and kind above them.

    Raises:
        PartyError: the extra is not installed, there is nothing to draw, or no font here has
            the language's letters.
    """
    return as_png(_sheet(rendering, _))


def pdf_of(rendering: Rendering, _: Language = ENGLISH) -> bytes:
    """Draw the same sheet as a PDF of one page, as large as the charts.

    Raises:
        PartyError: as `png_of`.
    """
    return as_pdf(_sheet(rendering, _))


def _sheet(rendering: Rendering, _: Language) -> Described:
    """Return all charts below each other."""
    require_charts()
    require_fonts(_)
    import altair as alt

    figures = figures_of(rendering, _)
    if not figures:
        raise PartyError(
            message("this report has no chart: each number stands alone, or there are too many")
        )
    parts = [
        alt.vconcat(figure.chart(), title=alt.TitleParams(figure.name, fontSize=13))
        for figure in figures
    ]
    title = alt.TitleParams(
        TITLES.said(rendering.title(), _).capitalize(),
        subtitle=[
            KINDS.said(rendering.kind, _),
            _("Bars are estimates, lines their 95% intervals."),
        ],
        fontSize=18,
        anchor="start",
        offset=14,
    )
    numbers = {figure.metric: figure.bars() for figure in figures}
    return configured(alt.vconcat(*parts, title=title, spacing=24), numbers, _)


def _wide(text: str) -> int:
    """Return about how many pixels a text takes; letters of East Asia are as wide as high."""
    return sum(_LETTER_WIDTH * (2 if east_asian_width(one) in "WF" else 1) for one in text)


def _beside(panels: int) -> int:
    """Return how many panels stand beside each other: four are two and two."""
    return 2 if panels == 4 else min(max(panels, 1), _MOST_BESIDE)


def _measures(said: Said) -> dict[str, str | float]:
    estimate = said.row.estimate
    known, least = not estimate.suppressed, -inf if estimate.signed else 0.0
    return {
        "standing": said.standing.value,
        "value": max(estimate.value, least) if known else 0.0,
        "low": max(estimate.low, least) if known else 0.0,
        "high": max(estimate.high, least) if known else 0.0,
        "said": said.value if isinstance(estimate, Ranged) else said.whole,
    }
