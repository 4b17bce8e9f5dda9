"""One finished report, as somebody wants to see it: shareable or private, by which models.

Everything here is arithmetic on the stored table: it may be done for ever and costs nothing. What
was drawn is kept for a while, since a table does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from client.by_identifier import report_of, together
from client.costs import typed_costs
from client.page.document import page_of, parts_of
from client.page.figures import Figure, figures_of, pdf_of, png_of
from client.page.source import source_of
from client.results import result_of, written
from languages import Language, message
from languages import language as language_called
from party.decision import FINISHED, OPEN_STATES
from party.desk import Desk
from party.errors import PartyError
from party.filing import Filed
from party.organisation import Organisation
from psi.legs import RECIPIENT, TABULATOR, THIRD
from reports.kinds import priced
from reports.rendering import Rendering

if TYPE_CHECKING:
    from client.console.visit import Visit

FORMS: Final = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "png": "image/png",
    "pdf": "application/pdf",
}
"""How a report is handed out: ending and media type. A PDF has the charts alone."""
_MOST_RENDERINGS: Final = 64
_MOST_DRAWINGS: Final = 256


class View(BaseModel):
    """What is chosen on a report's page, in its address; all of it costs nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    kind: Literal["shareable", "private"] = "shareable"
    model: str = Field("", max_length=20)
    cost: str = Field(
        "",
        max_length=4000,
        description="What it has cost: a number, or a line NAME=NUMBER for each campaign",
    )
    types: Literal["", "all"] = Field(
        "", description="`all` shows an overlap together with those of the other identifier types"
    )

    @property
    def private(self) -> bool:
        """Whether it is for this party's own eyes."""
        return self.kind == "private"

    @property
    def query(self) -> str:
        """The view as the end of an address."""
        fields = {"kind": self.kind, "model": self.model, "cost": self.cost, "types": self.types}
        return urlencode({name: text for name, text in fields.items() if text})


def parts_shown(party: Organisation, filed: Filed, view: View) -> tuple[Filed, ...]:
    """Return the requests of what is shown: one, or those of an overlap by identifier.

    Once none of those is open any more, the ones that have ended without a result are left out.

    Raises:
        PartyError: it belongs to no overlap by identifier, and was to be shown with the others.
    """
    if not view.types:
        return (filed,)
    parts = together(party, filed)
    if not parts:
        raise PartyError(
            message(
                "request {id} is of no overlap by identifier type",
                id=filed.id[:8],
            )
        )
    finished = tuple(one for one in parts.values() if one.state == FINISHED)
    still = any(one.state in OPEN_STATES for one in parts.values())
    return tuple(parts.values()) if still or not finished else finished


def rendering_of(party: Organisation, filed: Filed, view: View) -> Rendering:
    """Return the report.

    Raises:
        PartyError: it is a list, or there is none (any more), or no private one, or no such model.
        ResultError: it was changed after it was made.
        UnsuitableCosts: the cost is no number, or the report has none.
    """
    return _rendering(party, _ids(party, filed, view), view)


def _ids(party: Organisation, filed: Filed, view: View) -> tuple[str, ...]:
    """Return the requests of what is shown, whose results are there, by their ids."""
    parts = parts_shown(party, filed, view)
    for one in parts:
        Desk(party).require_result(one)  # what is kept below may have come to its end since
    return tuple(one.id for one in parts)


@lru_cache(maxsize=_MOST_RENDERINGS)
def _rendering(party: Organisation, requests: tuple[str, ...], view: View) -> Rendering:
    parts = [Desk(party).find(one) for one in requests]
    filed = parts[0]
    if view.types:
        if view.cost or view.model:
            raise PartyError(message("an overlap by identifier type has no cost and no model"))
        by_type = {one.request.identifiers[0]: one for one in parts}
        return report_of(party, by_type, private=view.private)
    costs = typed_costs(view.cost) if view.cost.strip() else None
    found = result_of(party, filed, private=view.private, costs=costs, model=view.model or None)
    if not isinstance(found, Rendering):
        raise PartyError(
            message(
                "request {id} has brought no report",
                id=filed.id[:8],
            )
        )
    return found


def page_values(visit: Visit, filed: Filed, view: View) -> dict[str, Any]:
    """Return what the page of a report shows."""
    party, _ = visit.party, visit.language
    rendering = rendering_of(party, filed, view)
    sources = [source_of(party, one) for one in parts_shown(party, filed, view)]
    address = _chart_address(visit, filed, view)
    return {
        **parts_of(rendering, sources, party.identity.name, _, address),
        "may_be_private": may_be_private(party, filed),
        "priced": None if view.types else _priced(filed),
    }


def _priced(filed: Filed) -> Sequence[str] | None:
    """Return which campaigns of a report may have a cost; None where nothing may."""
    request = filed.request
    labels = request.labels[request.roles[TABULATOR]].values
    return priced(str(request.kind), labels, with_third=THIRD in request.roles)


def may_be_private(party: Organisation, filed: Filed) -> bool:
    """Say whether this party is the recipient, who alone has a private reading."""
    me = party.contract(filed.request.contract).me(party.identity)
    return filed.request.roles.get(RECIPIENT) == me


def chart_of(party: Organisation, filed: Filed, view: View, number: int, _: Language) -> str:
    """Return one figure of a report as SVG, by its place from 0; PartyError where there is none."""
    return _drawing(party, _ids(party, filed, view), view, number, _.code)


@lru_cache(maxsize=_MOST_DRAWINGS)
def _drawing(
    party: Organisation, requests: tuple[str, ...], view: View, number: int, code: str
) -> str:
    figures = figures_of(_rendering(party, requests, view), language_called(code))
    if not 0 <= number < len(figures):
        raise PartyError(
            message(
                "report {requests} has no chart {number}",
                requests=requests[0][:8],
                number=number,
            )
        )
    return figures[number].svg()


def file_of(
    party: Organisation, filed: Filed, view: View, form: str, language: Language
) -> tuple[bytes, str, str]:
    """Return a report as a file: its bytes, its media type, its name.

    Raises:
        PartyError: not in this form, or nothing to draw.
    """
    if form not in FORMS:
        raise PartyError(
            message(
                "a report is handed out as {forms}, not as {form}",
                forms=", ".join(FORMS),
                form=form[:20],
            )
        )
    rendering = rendering_of(party, filed, view)
    marked = "-private" if view.private else ""
    kind = f"{filed.request.kind}-by-identifier" if view.types else str(filed.request.kind)
    name = f"{kind}-{filed.id[:8]}{marked}.{form}"
    parts = parts_shown(party, filed, view)
    return _data(party, parts, rendering, form, language), FORMS[form], name


def _data(
    party: Organisation,
    parts: Sequence[Filed],
    rendering: Rendering,
    form: str,
    language: Language,
) -> bytes:
    match form:
        case "html":
            sources = [source_of(party, one) for one in parts]
            return page_of(rendering, sources, party.identity.name, language).encode()
        case "png":
            return png_of(rendering, language)
        case "pdf":
            return pdf_of(rendering, language)
    return written(rendering, f".{form}")


def _chart_address(visit: Visit, filed: Filed, view: View) -> Callable[[int, Figure], str]:
    def address(number: int, _: Figure) -> str:
        place = visit.url("report_chart", request_id=filed.id, number=number)
        return f"{place}?{view.query}"

    return address
