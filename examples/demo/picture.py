"""Released numbers beside their truth, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from examples.demo.score import Compared

INK, PALE, PAPER, TRUE = "#1d2733", "#9db7cf", "#ffffff", "#c2410c"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"


def draw(
    title: str, subtitle: str, panels: Sequence[tuple[str, Sequence[Compared]]]
) -> dict[str, Any]:
    """Return a picture as Vega-Lite: a panel for numbers of one scale, a line a number."""
    sheet = alt.vconcat(
        *(_panel(name, numbers) for name, numbers in panels),
        title=alt.TitleParams(title, subtitle=subtitle, anchor="start", fontSize=15, offset=10),
        background=PAPER,
    )
    drawn: dict[str, Any] = (
        sheet.configure(font=FONT, padding=8).configure_view(stroke=None).to_dict()
    )
    return drawn


def write_svg(sheet: dict[str, Any], path: Path) -> None:
    """Write a picture that needs no network to be drawn."""
    path.write_text(vl_convert.vegalite_to_svg(sheet, **words()), encoding="utf-8")


def words() -> dict[str, Any]:
    """Return the options with which every picture here is drawn."""
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return {"vl_version": version, "allowed_base_urls": [], "show_warnings": False}


def _panel(name: str, numbers: Sequence[Compared]) -> alt.LayerChart:
    """Draw the 95% interval and the number that was released, and the truth as a stroke."""
    frame = pd.DataFrame(
        [
            (one.name, one.row["value"], one.row["low"], one.row["high"], one.true)
            for one in numbers
            if not one.suppressed
        ],
        columns=["name", "value", "low", "high", "truth"],
    )
    place = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=300, ticks=False))
    base = alt.Chart(frame).encode(y=place)
    interval = base.mark_rule(color=PALE, strokeWidth=9).encode(
        x=alt.X("low:Q", title=name, scale=alt.Scale(zero=False)), x2="high:Q"
    )
    value = base.mark_point(color=INK, filled=True, size=42).encode(x="value:Q")
    truth = base.mark_tick(color=TRUE, thickness=2.4, size=17).encode(x="truth:Q")
    return alt.layer(interval, value, truth).properties(width=520)
