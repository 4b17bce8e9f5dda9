"""The marks that charts are made of: bars with their errors, dots beside no difference, steps.

No hue tells anything. What is drawn stands in data under a name; the marks name its fields alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from client.page.wording import Standing

if TYPE_CHECKING:
    import altair as alt

INK, PAPER, BAR, LINES, EDGE = "#1d2733", "#ffffff", "#9db7cf", "#dfe5ea", "#a5afb9"
LABEL_WIDTH: Final = 150


def bar_layers(name: str, across: dict[str, Any], *, signed: bool) -> alt.LayerChart:
    """Return bars, or dots where numbers are differences, with their intervals and their text."""
    import altair as alt

    chart = alt.Chart().encode(y=_place())
    length = alt.X("value:Q", **across)
    seen = chart.transform_filter(alt.datum.standing != Standing.SUPPRESSED.value)
    solid = seen.transform_filter(alt.datum.standing == Standing.CLEAR.value).mark_bar(
        color=BAR, stroke=INK, strokeWidth=0.6, height={"band": 0.62}
    )
    dashed = seen.transform_filter(alt.datum.standing == Standing.NOISY.value).mark_bar(
        color=PAPER, stroke=INK, strokeWidth=0.9, strokeDash=[3, 2], height={"band": 0.62}
    )
    error = seen.mark_rule(color=INK, strokeWidth=1.4).encode(
        x=alt.X("low:Q", **across), x2="high:Q"
    )
    ends = [
        seen.mark_tick(color=INK, thickness=1.4, size=8).encode(x=alt.X(f"{end}:Q", **across))
        for end in ("low", "high")
    ]
    text = chart.mark_text(align="left", dx=7, fontSize=11, color=INK).encode(
        x=alt.X("high:Q", **across), text="said:N"
    )
    below, above = [solid.encode(x=length), dashed.encode(x=length)], []
    if signed:
        none = alt.Chart().mark_rule(color=INK, strokeWidth=0.8, strokeDash=[2, 2])
        dots = seen.mark_point(color=INK, fill=BAR, opacity=1, size=70)
        below, above = [none.encode(x=alt.XDatum(0, **across))], [dots.encode(x=length)]
    return alt.LayerChart(data={"name": name}, layer=[*below, error, *ends, *above, text])


def step_layers(name: str, across: dict[str, Any]) -> alt.LayerChart:
    """Return steps from `low` to `high`, a line down where each begins and ends, and their text."""
    import altair as alt

    chart = alt.Chart().encode(y=_place())
    edges = [
        alt.Chart()
        .mark_rule(color=EDGE, strokeWidth=0.7, strokeDash=[2, 2])
        .encode(x=alt.X(f"{end}:Q", **across))
        for end in ("low", "high")
    ]
    steps = chart.mark_bar(color=BAR, stroke=INK, strokeWidth=0.8, height={"band": 0.62}).encode(
        x=alt.X("low:Q", **across), x2="high:Q"
    )
    text = chart.mark_text(align="left", dx=7, fontSize=11, color=INK).encode(
        x=alt.X("high:Q", **across), text="said:N"
    )
    return alt.LayerChart(data={"name": name}, layer=[*edges, steps, text])


def _place() -> alt.Y:
    """Return the place of a bar: its name, in the order of the report."""
    import altair as alt

    return alt.Y(
        "bar:N",
        sort=in_order("bar_order"),
        title=None,
        axis=alt.Axis(labelLimit=LABEL_WIDTH, ticks=False, domain=False, grid=False),
    )


def in_order(field: str) -> alt.EncodingSortField:
    """Return the order of a field that counts from 0."""
    import altair as alt

    return alt.EncodingSortField(field=field, op="min")
