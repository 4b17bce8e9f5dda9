"""The log: pages of it by what is looked for, one entry with its proof, the proof as a file.

That it was read is in the log too, before anything is shown (`party.access.note_reading`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Self
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from client.audit_files import Wanted, page
from client.console.forms import Problem
from client.console.log_words import FAMILIES, Shown, kind_said
from client.console.visit import Reader, Visit
from client.exits import said_in
from client.proving import ProvenEntry, prove_entry
from party.errors import PartyError
from party.log_index import ACTOR, KIND, known_words
from party.log_pages import LogPage
from party.selection import INCIDENTS

router = APIRouter()
Place = Annotated[int, Path(ge=0, le=2**53)]
_Text = Annotated[str, Query(max_length=300)]
At = Annotated[int | None, Query(ge=0, le=2**53)]
_FIELDS: Final = ("kind", "peer", "request", "actor", "since", "until")


@router.get("/audit", name="audit")
def log(
    visit: Reader,
    kind: _Text = "",
    peer: _Text = "",
    request: _Text = "",
    actor: _Text = "",
    since: _Text = "",
    until: _Text = "",
    before: At = None,
    after: At = None,
) -> Response:
    """Show a page of the entries that are looked for, newest first."""
    given = dict(zip(_FIELDS, (kind, peer, request, actor, since, until), strict=True))
    given = {name: text.strip() for name, text in given.items()}
    problems: list[Problem] = []
    found: LogPage | None = None
    try:
        found = page(visit.party, wanted_of(given), before=before, after=after)
    except PartyError as error:
        problems.append(Problem("", said_in(error)))
    if found is not None:
        visit.party.access.note_reading("audit.filter")
    return visit.page(
        "audit/log.html.jinja",
        status=200 if found else 422,
        problems=problems,
        given=given,
        choices=_choices(visit),
        filtered=any(given.values()),
        lines=[] if found is None else shown_of(visit, found),
        size=0 if found is None else found.size,
        ways=Ways.of(_address(visit, given), found),
    )


@router.get("/audit/entries/{number}", name="audit_entry")
def entry(visit: Reader, number: Place) -> Response:
    """Show one entry, and its proof step by step."""
    proven = _proven(visit, number)
    visit.party.access.note_reading("audit.show", str(number))
    shown = Shown.of(proven.entry, peers_by_contract(visit), visit.language)
    return visit.page("audit/entry.html.jinja", proven=proven, shown=shown)


@router.get("/audit/entries/{number}/receipt", name="audit_receipt")
def receipt(visit: Reader, number: Place) -> Response:
    """Answer an entry's receipt, which whoever has it checks elsewhere."""
    proven = _proven(visit, number)
    visit.party.access.note_reading("audit.receipt", str(number))
    return download(proven.receipt.text(), proven.file)


@router.get("/audit/key", name="audit_key")
def key(visit: Reader) -> Response:
    """Answer the key by which this log is checked."""
    return PlainTextResponse(f"{visit.party.identity.vkey}\n")


@router.get("/incidents", name="incidents")
def incidents(visit: Reader, before: At = None, after: At = None) -> Response:
    """Show what counterparts did against the protocol, newest first."""
    found = page(visit.party, Wanted(kinds=(INCIDENTS,)), before=before, after=after)
    visit.party.access.note_reading("audit.filter")
    return visit.page(
        "incidents/list.html.jinja",
        lines=shown_of(visit, found),
        ways=Ways.of(visit.url("incidents"), found),
    )


def wanted_of(given: dict[str, str]) -> Wanted:
    """Return what is looked for, of texts that may be empty."""
    kind = given["kind"]
    return Wanted(
        kinds=(kind,) if kind else (),
        session=given["request"].lower() or None,
        since=given["since"] or None,
        until=given["until"] or None,
        actor=given["actor"] or None,
        peer=given["peer"] or None,
    )


def shown_of(visit: Visit, found: LogPage) -> list[Shown]:
    """Return a page's entries as a list shows them."""
    contracts = peers_by_contract(visit)
    return [Shown.of(one, contracts, visit.language) for one in found.entries]


@dataclass(frozen=True)
class Ways:
    """The addresses of the newest page of entries, the newer and the older one; "" for none."""

    first: str = ""
    newer: str = ""
    older: str = ""

    @classmethod
    def of(cls, address: str, found: LogPage | None) -> Self:
        """Return the ways from a page; `address` is that of the newest one."""
        if found is None or not found.entries:
            return cls()
        join = "&" if "?" in address else "?"
        newest, oldest = found.entries[0].seq, found.entries[-1].seq
        return cls(
            address if found.newer else "",
            f"{address}{join}after={newest}" if found.newer else "",
            f"{address}{join}before={oldest}" if found.older else "",
        )


def peers_by_contract(visit: Visit) -> dict[str, str]:
    """Return the names of the counterparts in each contract, by its hash."""
    return {
        one.digest: ", ".join(one.counterparts(one.me(visit.party.identity)))
        for one in visit.party.contracts()
    }


def download(data: str | bytes, name: str, kind: str = "application/octet-stream") -> Response:
    """Answer a file that the browser keeps under a name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=kind, headers=headers)


def _proven(visit: Visit, number: int) -> ProvenEntry:
    if number >= visit.party.journal.size:
        raise HTTPException(404)
    return prove_entry(visit.party, number)


def _choices(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Return what the fields with a choice offer: what some entry of this log has."""
    _, store = visit.language, visit.party.store
    kinds = store.read(lambda connection: known_words(connection, KIND))
    actors = store.read(lambda connection: known_words(connection, ACTOR))
    peers = {
        name: name
        for contract in visit.party.contracts()
        for name in contract.counterparts(contract.me(visit.party.identity))
    }
    families = [
        (family, _("{family}, all of them", family=_(said)))
        for family, said in FAMILIES.items()
        if sum(kind.startswith(f"{family}.") for kind in kinds) > 1
    ]
    everything = [("", _("Everything"))]
    return {
        "kind": everything + families + [(kind, kind_said(kind, _)) for kind in kinds],
        "peer": [("", _("Anybody")), *sorted(peers.items())],
        "actor": [("", _("Anybody")), *((name, name) for name in actors)],
    }


def _address(visit: Visit, given: dict[str, str]) -> str:
    query = {name: text for name, text in given.items() if text}
    return f"{visit.url('audit')}?{urlencode(query)}" if query else visit.url("audit")
