"""The drawing program: vl-convert, which reads no file and no address, and the fonts it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from client.page.marks import INK, LINES, PAPER
from languages import Language, message
from party.errors import PartyError

if TYPE_CHECKING:
    import altair as alt

_PNG_SCALE: Final = 2.0
Numbers = Mapping[str, Sequence[Mapping[str, str | float]]]
"""What a chart draws, under the names by which its marks call it."""
Described = dict[str, Any]
"""A chart with its numbers, in Vega-Lite's form."""


def configured(chart: alt.TopLevelMixin, numbers: Numbers, language: Language) -> Described:
    """Return a chart as the drawing program takes it, its numbers under their names."""
    described = (
        chart.configure(font=_fonts(language), background=PAPER, padding=6)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=INK, gridColor=LINES, domainColor=LINES,
            tickColor=LINES, labelFontSize=11, titleFontSize=11, titleFontWeight="normal",
        )
        .configure_title(color=INK, anchor="start", fontSize=13)
    )  # fmt: skip
    return {**described.to_dict(), "datasets": numbers}


def as_svg(described: Described) -> str:
    """Draw a chart as SVG."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(described, show_warnings=False, **_limits()))


def as_png(described: Described) -> bytes:
    """Draw a chart as a picture."""
    import vl_convert

    drawn = vl_convert.vegalite_to_png(
        described, scale=_PNG_SCALE, show_warnings=False, **_limits()
    )
    return bytes(drawn)


def as_pdf(described: Described) -> bytes:
    """Draw a chart as a PDF of one page."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_pdf(described, **_limits()))


def _limits() -> dict[str, Any]:
    """Return the grammar's version that Altair writes, and that nothing may be fetched."""
    import altair as alt

    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return {"vl_version": version, "allowed_base_urls": []}


def require_charts() -> None:
    """Refuse to begin what could not be drawn.

    Raises:
        PartyError: the extra is not installed.
    """
    if any(find_spec(name) is None for name in ("altair", "jinja2", "vl_convert")):
        raise PartyError(
            message(
                "a page and its charts need Altair and vl-convert, which are not "
                "installed: install commonground with the extra `html`"
            )
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
            message(
                "a picture of the charts in this language needs a font that has "
                "its letters, such as Noto Sans CJK (Debian: `apt install "
                "fonts-noto-cjk`), which this machine has not. A page (.html) "
                "needs none here: the machine that shows it draws the letters"
            )
        )


def _letter(letter: str, language: Language) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">'
        f'<text x="5" y="22" font-size="18" font-family="{_fonts(language)}">{letter}</text></svg>'
    )


def _fonts(language: Language) -> str:
    return ", ".join((*language.fonts, "sans-serif"))
