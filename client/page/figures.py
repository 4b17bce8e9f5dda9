"""Charts of a rendering: bars with 95% error bars, one chart a metric, one panel a segment.

Differences, which may be below 0, are dots with their intervals, beside the line of no difference.

A pure function of the rows. No hue tells anything: a number that noise dominates is a dashed
outline, a suppressed one is the word. The drawing program reads no file and no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import inf
from typing import TYPE_CHECKING, Any, Final
from unicodedata import east_asian_width

from client.by_attribute import by_attribute
from client.page.glossary import KINDS, METRICS, TITLES, UNITS
from client.page.wording import ALL, Said, Standing, by_metric, only_totals, segments_of
from languages import ENGLISH, Language, message
from party.errors import PartyError
from reports.effect import Ranged
from reports.estimate import Unit
from reports.rendering import Rendering, Row

if TYPE_CHECKING:
    import altair as alt

MOST_BARS: Final = 60
"""A chart of more numbers than these tells an eye nothing; the table has them."""
_MOST_BESIDE: Final = 3
_NARROW, _WIDE, _GAP = 425, 900, 22
"""Pixels of a chart that shares its line of the page, of one that does not, between panels."""
_NUMBERS_WIDTH: Final = 96
_BEFORE: Final = 0.04
"""Room to the left of an interval that goes below 0, as a share of the axis."""
_BAR_HEIGHT: Final = 26
_LABEL_WIDTH: Final = 150
_LETTER_WIDTH: Final = 7
_PNG_SCALE: Final = 2.0
_INK, _PAPER, _BAR, _LINES = "#1d2733", "#ffffff", "#9db7cf", "#dfe5ea"
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
        import vl_convert

        drawn = vl_convert.vegalite_to_svg(
            _configured(self.chart(), [self]),
            vl_version=_version(),
            allowed_base_urls=[],
            show_warnings=False,
        )
        return str(drawn)

    def chart(self) -> alt.LayerChart | alt.FacetChart:
        """Return it as Altair describes it."""
        import altair as alt

        columns = _beside(len(self.panels))
        drawn = self.bars()
        width = self._panel_width(columns, [str(one["bar"]) for one in drawn])
        layers = _layers(self.metric, self._across(drawn, width), signed=self.signed)
        layers = layers.properties(width=width, height=alt.Step(_BAR_HEIGHT))
        if not self.panels:
            return layers
        header = alt.Header(title=None, labelFontSize=12, labelFontWeight="bold", labelLimit=width)
        return layers.facet(
            facet=alt.Facet("panel:N", sort=_in_order("panel_order"), header=header),
            columns=columns,
        )

    def _panel_width(self, columns: int, bars: list[str]) -> int:
        names = min(_LABEL_WIDTH, max(_wide(bar) for bar in bars))
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


def figures_of(rendering: Rendering, language: Language = ENGLISH) -> list[Figure]:
    """Return a chart for each metric that has several numbers, and not too many of them."""
    metrics = by_metric(only_totals(by_attribute(rendering.rows())))
    return [
        Figure(metric, tuple(rows), language) for metric, rows in metrics.items() if _drawn(rows)
    ]


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
    require_charts()
    require_fonts(_)
    import altair as alt
    import vl_convert

    figures = figures_of(rendering, _)
    if not figures:
        raise PartyError(
            "this report has no chart: each number stands alone, or there are too many"
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
    sheet = _configured(alt.vconcat(*parts, title=title, spacing=24), figures)
    drawn = vl_convert.vegalite_to_png(
        sheet, vl_version=_version(), scale=_PNG_SCALE, allowed_base_urls=[], show_warnings=False
    )
    return bytes(drawn)


def require_charts() -> None:
    """Refuse to begin what could not be drawn.

    Raises:
        PartyError: the extra is not installed.
    """
    if any(find_spec(name) is None for name in ("altair", "jinja2", "vl_convert")):
        raise PartyError(
            "a page and its charts need Altair and vl-convert, which are not installed: "
            "`pip install 'commonground[html]'`"
        )


def require_fonts(language: Language) -> None:
    """Refuse a picture whose letters no font of this machine has: it would show boxes.

    A page needs no font here, since its reader's machine draws the letters.

    Raises:
        PartyError: two letters of the language look the same.
    """
    import vl_convert

    if len({vl_convert.svg_to_png(_letter(one, language)) for one in language.letters}) == 1:
        raise PartyError(
            "a picture of the charts in this language needs a font that has its letters, such as "
            "Noto Sans CJK (Debian: `apt install fonts-noto-cjk`), which this machine has not. "
            "A page (.html) needs none here: the machine that shows it draws the letters"
        )


def _letter(letter: str, language: Language) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">'
        f'<text x="5" y="22" font-size="18" font-family="{_fonts(language)}">{letter}</text></svg>'
    )


def _fonts(language: Language) -> str:
    return ", ".join((*language.fonts, "sans-serif"))


def _wide(text: str) -> int:
    """Return about how many pixels a text takes; letters of East Asia are as wide as high."""
    return sum(_LETTER_WIDTH * (2 if east_asian_width(one) in "WF" else 1) for one in text)


def _version() -> str:
    """Return the grammar's version that Altair writes, as the drawing program counts them."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def _layers(name: str, across: dict[str, Any], *, signed: bool) -> alt.LayerChart:
    import altair as alt

    place = alt.Y(
        "bar:N",
        sort=_in_order("bar_order"),
        title=None,
        axis=alt.Axis(labelLimit=_LABEL_WIDTH, ticks=False, domain=False, grid=False),
    )
    chart = alt.Chart().encode(y=place)
    length = alt.X("value:Q", **across)
    seen = chart.transform_filter(alt.datum.standing != Standing.SUPPRESSED.value)
    solid = seen.transform_filter(alt.datum.standing == Standing.CLEAR.value).mark_bar(
        color=_BAR, stroke=_INK, strokeWidth=0.6, height={"band": 0.62}
    )
    dashed = seen.transform_filter(alt.datum.standing == Standing.NOISY.value).mark_bar(
        color=_PAPER, stroke=_INK, strokeWidth=0.9, strokeDash=[3, 2], height={"band": 0.62}
    )
    error = seen.mark_rule(color=_INK, strokeWidth=1.4).encode(
        x=alt.X("low:Q", **across), x2="high:Q"
    )
    ends = [
        seen.mark_tick(color=_INK, thickness=1.4, size=8).encode(x=alt.X(f"{end}:Q", **across))
        for end in ("low", "high")
    ]
    text = chart.mark_text(align="left", dx=7, fontSize=11, color=_INK).encode(
        x=alt.X("high:Q", **across), text="said:N"
    )
    below, above = [solid.encode(x=length), dashed.encode(x=length)], []
    if signed:
        none = alt.Chart().mark_rule(color=_INK, strokeWidth=0.8, strokeDash=[2, 2])
        dots = seen.mark_point(color=_INK, fill=_BAR, opacity=1, size=70)
        below, above = [none.encode(x=alt.XDatum(0, **across))], [dots.encode(x=length)]
    return alt.LayerChart(data={"name": name}, layer=[*below, error, *ends, *above, text])


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


def _in_order(field: str) -> alt.EncodingSortField:
    import altair as alt

    return alt.EncodingSortField(field=field, op="min")


def _configured(chart: alt.TopLevelMixin, figures: Sequence[Figure]) -> dict[str, Any]:
    """Return a chart as the drawing program takes it, the figures' numbers under their names."""
    described = (
        chart.configure(font=_fonts(figures[0].language), background=_PAPER, padding=6)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_INK, titleColor=_INK, gridColor=_LINES, domainColor=_LINES,
            tickColor=_LINES, labelFontSize=11, titleFontSize=11, titleFontWeight="normal",
        )
        .configure_title(color=_INK, anchor="start", fontSize=13)
    )  # fmt: skip
    numbers = {figure.metric: figure.bars() for figure in figures}
    return {**described.to_dict(), "datasets": numbers}
