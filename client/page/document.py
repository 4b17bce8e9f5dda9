"""The page as text: what stands in it, in which order; its form is `page.html.jinja`.

Every text is escaped by the template engine, because labels and names come from a counterpart.
Charts are images in the page itself, in which no program runs whatever a label says.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from client.by_attribute import by_attribute
from client.page.figures import Figure, figures_of, require_charts
from client.page.method import findings_of, method_of, reference_of
from client.page.source import Source, charges_of
from client.page.wording import ALL, Said, by_metric, only_totals, segments_of
from privacy.units import format_delta, format_epsilon
from psi.legs import RECIPIENT, TABULATOR, THIRD
from reports.rendering import PRIVATE, Rendering, Row

if TYPE_CHECKING:
    from jinja2 import Template

MOST_HEADLINES: Final = 5
MOST_COLUMNS: Final = 7


@dataclass(frozen=True)
class Chart:
    """A figure as the template takes it; `address` holds the drawing itself."""

    metric: str
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


def page_of(rendering: Rendering, sources: Sequence[Source], owner: str) -> str:
    """Return the whole page; `owner` is for whose eyes a private one is.

    Raises:
        PartyError: the extra is not installed.
    """
    rows = only_totals(by_attribute(rendering.rows()))
    said = [Said(row) for row in rows]
    return _template().render(
        style=_style(),
        version=version("commonground"),
        heading=rendering.title().capitalize(),
        kind=rendering.kind,
        private=rendering.kind == PRIVATE,
        owner=owner,
        about=_about(sources),
        headlines=headlines_of(rows),
        findings=findings_of(rendering, said),
        charts=[_chart(figure) for figure in figures_of(rendering)],
        overview=overview_of(rows),
        numbers=said,
        fitted=any(row.fitted is not None for row in rows),
        method=method_of(rendering, sources, owner),
        charges=_charges(sources),
        references=[reference_of(source) for source in sources],
    )


def headlines_of(rows: Sequence[Row]) -> list[Said]:
    """Return the numbers of everybody together, which a page begins with."""
    whole = [row for row in rows if row.label is None and row.segment is None]
    return [Said(row) for row in whole[:MOST_HEADLINES]]


def overview_of(rows: list[Row]) -> Overview | None:
    """Return the report at a glance, or None where it would be too wide to be read.

    A column is a segment; without segments, and where every number has a label, a label.
    """
    segments = segments_of(rows)
    metrics = by_metric(rows)
    labels = list(dict.fromkeys(row.label for row in rows))
    if segments == [None] and None not in labels and len(labels) <= MOST_COLUMNS:
        return _by_label(metrics, labels)
    if len(segments) > MOST_COLUMNS:
        return None
    groups = []
    for metric, found in metrics.items():
        lines: dict[str | None, dict[str | None, Row]] = {}
        for row in found:
            lines.setdefault(row.label, {})[row.segment] = row
        groups.append(
            tuple(
                Line(
                    metric if label is None else f"{metric}: {label}",
                    tuple(_said(places.get(segment)) for segment in segments),
                )
                for label, places in lines.items()
            )
        )
    head = ("Number", *(ALL if one is None else one for one in segments))
    return Overview("At a glance: a column a segment", head, tuple(groups))


def _by_label(metrics: dict[str, list[Row]], labels: list[str | None]) -> Overview:
    lines = []
    for metric, rows in metrics.items():
        places = {row.label: row for row in rows}
        lines.append(Line(metric, tuple(_said(places.get(label)) for label in labels)))
    head = ("Number", *(ALL if label is None else label for label in labels))
    return Overview("At a glance: a column a label", head, (tuple(lines),))


def _said(row: Row | None) -> Said | None:
    return None if row is None else Said(row)


def _chart(figure: Figure) -> Chart:
    drawing = b64encode(figure.svg().encode()).decode()
    address = f"data:image/svg+xml;base64,{drawing}"
    return Chart(figure.metric, figure.alternative, figure.wide, address)


def _about(sources: Sequence[Source]) -> str:
    request = sources[0].request
    finished = max(source.finished for source in sources)
    third = request.roles.get(THIRD)
    beside = "" if third is None else f" with {third} as the third party"
    return (
        f"For {request.roles[RECIPIENT]}, counted by {request.roles[TABULATOR]}{beside}. "
        f"Finished {finished[:10]} {finished[11:16]} UTC. Purpose: {request.purpose}."
    )


def _charges(sources: Sequence[Source]) -> list[dict[str, str]]:
    return [
        {
            "party": party,
            "role": role,
            "epsilon": format_epsilon(epsilon),
            "delta": format_delta(delta),
        }
        for party, role, epsilon, delta in charges_of(sources)
    ]


def _style() -> str:
    return files("client.page").joinpath("page.css").read_text(encoding="utf-8")


def _template() -> Template:
    """Return the page's form; a name that it misses is an error, and every text is escaped."""
    require_charts()
    from jinja2 import Environment, StrictUndefined

    engine = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    text = files("client.page").joinpath("page.html.jinja").read_text(encoding="utf-8")
    return engine.from_string(text)
