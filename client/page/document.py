"""The page as text: what stands in it, in which order; its form is `page.html.jinja`.

Every text is escaped by the template engine, because labels and names come from a counterpart.
Charts are images in the page itself, in which no program runs whatever a label says.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from client.by_attribute import by_attribute
from client.page.drawing import require_charts
from client.page.figures import Figure, figures_of
from client.page.glossary import METRICS, ROLES, TITLES
from client.page.method import findings_of, method_of, reference_of
from client.page.source import Source, charges_of
from client.page.wording import ALL, Said, by_metric, only_totals, segments_of
from languages import ENGLISH, Language
from privacy.units import format_delta, format_epsilon
from psi.legs import RECIPIENT, TABULATOR, THIRD
from reports.rendering import PRIVATE, Rendering, Row

if TYPE_CHECKING:
    from jinja2 import Template

MOST_HEADLINES: Final = 5
MOST_COLUMNS: Final = 7
STYLES: Final = ("page.css", "report.css")


@dataclass(frozen=True)
class Chart:
    """A figure as the template takes it, and where its drawing is."""

    name: str
    alternative: str
    wide: bool
    address: str


@dataclass(frozen=True)
class Line:
    """One line of the overview."""

    name: str
    cells: tuple[Said | None, ...]


@dataclass(frozen=True)
class Overview:
    """A table that is read at a glance: one number a place, with its error."""

    caption: str
    head: tuple[str, ...]
    groups: tuple[tuple[Line, ...], ...]


def page_of(
    rendering: Rendering, sources: Sequence[Source], owner: str, _: Language = ENGLISH
) -> str:
    """Return the whole page; `owner` is for whose eyes a private one is.

    Raises:
        PartyError: the extra is not installed.
    """
    return _template().render(
        style=_style(),
        version=version("commonground"),
        _=_,
        **parts_of(rendering, sources, owner, _),
    )


def parts_of(
    rendering: Rendering,
    sources: Sequence[Source],
    owner: str,
    _: Language = ENGLISH,
    address: Callable[[int, Figure], str] | None = None,
) -> dict[str, object]:
    """Return what `report.html.jinja` shows of a report.

    `address` is where a figure is, by its place from 0; without it a figure stands in the page.
    """
    rows = only_totals(by_attribute(rendering.rows()))
    said = [Said(row, _) for row in rows]
    figures = enumerate(figures_of(rendering, _))
    return {
        "heading": TITLES.said(rendering.title(), _).capitalize(),
        "private": rendering.kind == PRIVATE,
        "owner": owner,
        "about": _about(sources, _),
        "headlines": headlines_of(rows, _),
        "findings": findings_of(rendering, said, _),
        "charts": [_chart(place, figure, address or _within) for place, figure in figures],
        "overview": overview_of(rows, _),
        "numbers": said,
        "fitted": any(row.fitted is not None for row in rows),
        "method": method_of(rendering, sources, owner, _),
        "charges": _charges(sources, _),
        "references": [reference_of(source, _) for source in sources],
    }


def headlines_of(rows: Sequence[Row], _: Language = ENGLISH) -> list[Said]:
    """Return the numbers of everybody together, which a page begins with."""
    whole = [row for row in rows if row.label is None and row.segment is None]
    return [Said(row, _) for row in whole[:MOST_HEADLINES]]


def overview_of(rows: list[Row], _: Language = ENGLISH) -> Overview | None:
    """Return the report at a glance, or None where it would be too wide to be read.

    A column is a segment; without segments, and where every number has a label, a label.
    """
    segments = segments_of(rows)
    metrics = by_metric(rows)
    labels = list(dict.fromkeys(row.label for row in rows))
    if segments == [None] and None not in labels and len(labels) <= MOST_COLUMNS:
        return _by_label(metrics, labels, _)
    if len(segments) > MOST_COLUMNS:
        return None
    groups = []
    for found in metrics.values():
        lines: dict[str, dict[str | None, Said]] = {}
        for said in (Said(row, _) for row in found):
            lines.setdefault(said.metric, {})[said.row.segment] = said
        groups.append(
            tuple(
                Line(name, tuple(places.get(segment) for segment in segments))
                for name, places in lines.items()
            )
        )
    caption = _("At a glance: a column a segment")
    return Overview(caption, _head(segments, _), tuple(groups))


def _by_label(metrics: dict[str, list[Row]], labels: list[str | None], _: Language) -> Overview:
    lines = []
    for metric, rows in metrics.items():
        places = {row.label: Said(row, _) for row in rows}
        name = METRICS.said(metric, _)
        lines.append(Line(name, tuple(places.get(label) for label in labels)))
    caption = _("At a glance: a column a label")
    return Overview(caption, _head(labels, _), (tuple(lines),))


def _head(names: Sequence[str | None], _: Language) -> tuple[str, ...]:
    return (_("Number"), *(_.own(ALL if one is None else one) for one in names))


def _chart(place: int, figure: Figure, address: Callable[[int, Figure], str]) -> Chart:
    return Chart(figure.name, figure.alternative, figure.wide, address(place, figure))


def _within(_: int, figure: Figure) -> str:
    """Return an address that holds the drawing itself."""
    drawing = b64encode(figure.svg().encode()).decode()
    return f"data:image/svg+xml;base64,{drawing}"


def _about(sources: Sequence[Source], _: Language) -> str:
    request = sources[0].request
    recipient, tabulator = request.roles[RECIPIENT], request.roles[TABULATOR]
    third = request.roles.get(THIRD)
    made = _("For {recipient}, counted by {tabulator}.", recipient=recipient, tabulator=tabulator)
    if third is not None:
        made = _(
            "For {recipient}, counted by {tabulator} with {third} as the third party.",
            recipient=recipient,
            tabulator=tabulator,
            third=third,
        )
    finished = _(
        "Finished {moment}. Purpose: {purpose}.",
        moment=_.moment(max(source.finished for source in sources)),
        purpose=request.purpose,
    )
    return made + _.space + finished


def _charges(sources: Sequence[Source], language: Language) -> list[dict[str, str]]:
    return [
        {
            "party": party,
            "role": ROLES.said(role, language),
            "epsilon": format_epsilon(epsilon),
            "delta": format_delta(delta),
        }
        for party, role, epsilon, delta in charges_of(sources)
    ]


def _style() -> str:
    folder = files("client.page")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in STYLES)


def _template() -> Template:
    """Return the page's form; a name that it misses is an error, and every text is escaped."""
    require_charts()
    from jinja2 import Environment, PackageLoader, StrictUndefined

    engine = Environment(
        loader=PackageLoader("client", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return engine.get_template("page.html.jinja")
