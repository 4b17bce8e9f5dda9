"""Contracts: what each grants in plain words, drafts from the first text to the last signature."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from client.console.contract_form import ContractForm
from client.console.forms import Problem
from client.console.typed import Form
from client.console.visit import Analyst, Operator, Reader, Visit
from client.contract_words import Term, changes_between, terms_of
from client.drafts import Draft, Drafts, hash_in, version_of
from client.exits import EXPECTED, said_in
from client.shortfalls import shortfalls
from languages import message
from party.contract import Contract
from party.contract_file import parse_contract, render_contract
from party.known_peers import KnownPeers
from party.revocation import names_revoked

router = APIRouter(prefix="/contracts")
YAML: Final = "application/yaml"


@router.get("", name="contracts")
def contracts(visit: Reader) -> Response:
    """List the contracts that are stored, and the drafts."""
    party = visit.party
    stored = party.contracts()
    return visit.page(
        "contracts/list.html.jinja",
        contracts=[_line(visit, one) for one in stored],
        drafts=Drafts(party).all(),
        stored={one.digest for one in stored},
    )


@router.get("/new", name="new_contract")
def new(visit: Analyst) -> Response:
    """Ask with whom, what is granted, and within which limits."""
    return _new(visit, ContractForm())


@router.post("/new/preview", name="preview_contract")
def preview(visit: Analyst, form: Form) -> Response:
    """Say in plain words what a draft would grant; nothing is written."""
    filled = ContractForm.read(form)
    try:
        text = filled.text(visit.party)
    except EXPECTED as error:
        return _new(visit, filled, said_in(error))
    contract = parse_contract(text.encode(), source=message("the draft"))
    return visit.page(
        "contracts/preview.html.jinja",
        form=filled,
        text=text,
        contract=contract,
        sections=sections(terms_of(contract, visit.language)),
    )


@router.post("/drafts", name="write_draft")
def write(visit: Analyst, form: Form) -> Response:
    """Keep the text that was previewed as a draft."""
    text = _lines(form.text("text"))
    try:
        draft = Drafts(visit.party).write(text)
    except EXPECTED as error:
        return _new(visit, ContractForm(), said_in(error))
    _ = visit.language
    said = _("The draft is kept here. Nobody has signed it yet.")
    return visit.then("draft", said, name=draft.name)


@router.post("/drafts/take", name="take_draft")
def take(visit: Analyst, form: Form) -> Response:
    """Keep a contract that a counterpart has sent, or add its signatures to the draft here."""
    try:
        draft = Drafts(visit.party).take(form.file("file"))
    except EXPECTED as error:
        party = visit.party
        return visit.page(
            "contracts/list.html.jinja",
            status=422,
            problems=[Problem("file", said_in(error))],
            contracts=[_line(visit, one) for one in party.contracts()],
            drafts=Drafts(party).all(),
            stored={one.digest for one in party.contracts()},
        )
    _ = visit.language
    return visit.then("draft", _("The file was taken in."), name=draft.name)


@router.get("/drafts/{name}", name="draft")
def draft(visit: Reader, name: str) -> Response:
    """Show a draft in plain words, who has signed it, and its text."""
    return _draft(visit, Drafts(visit.party).find(name))


@router.post("/drafts/{name}/text", name="change_draft")
def change(visit: Analyst, name: str, form: Form) -> Response:
    """Put another text for a draft that nobody has signed."""
    drafts, text = Drafts(visit.party), _lines(form.text("text"))
    try:
        changed = drafts.write(text, replace=name)
    except EXPECTED as error:
        return _draft(visit, drafts.find(name), said_in(error), text)
    _ = visit.language
    said = _("The draft was changed. Read again what it grants.")
    return visit.then("draft", said, name=changed.name)


@router.post("/drafts/{name}/sign", name="sign_draft")
def sign(visit: Operator, name: str, form: Form) -> Response:
    """Sign a draft in the name of the party, if it still is the one that the page showed."""
    drafts = Drafts(visit.party)
    try:
        signed = drafts.sign(name, form.text("hash"))
    except EXPECTED as error:
        return _draft(visit, drafts.find(name), said_in(error))
    _ = visit.language
    said = _("Signed. Send the file to the others, or take in theirs.")
    return visit.then("draft", said, name=signed.name)


@router.post("/drafts/{name}/accept", name="accept_draft")
def accept(visit: Operator, name: str) -> Response:
    """Import a draft that all have signed, so that requests can be made under it."""
    drafts = Drafts(visit.party)
    try:
        contract = drafts.accept(name)
    except EXPECTED as error:
        return _draft(visit, drafts.find(name), said_in(error))
    _ = visit.language
    said = _("In force as the contract says. The log has its hash.")
    return visit.then("contract", said, which=contract.digest)


@router.post("/drafts/{name}/remove", name="remove_draft")
def remove(visit: Analyst, name: str) -> Response:
    """Remove a draft; what was imported stays."""
    Drafts(visit.party).remove(name)
    _ = visit.language
    return visit.then("contracts", _("The draft is removed."))


@router.get("/drafts/{name}/file", name="draft_file")
def draft_file(visit: Reader, name: str) -> Response:
    """Hand out a draft with its signatures, to be sent to the others."""
    found = Drafts(visit.party).find(name)
    return _file(found.text, found.name)


@router.get("/compare", name="compare_contracts")
def compare(
    visit: Reader,
    one: Annotated[str, Query(max_length=80)],
    other: Annotated[str, Query(max_length=80)],
) -> Response:
    """Say in plain words in what two versions differ."""
    before, after = version_of(visit.party, one), version_of(visit.party, other)
    return visit.page(
        "contracts/compare.html.jinja",
        before=before,
        after=after,
        changes=changes_between(before, after, visit.language),
    )


@router.get("/{which}", name="contract")
def contract(visit: Reader, which: str) -> Response:
    """Show a stored contract in plain words, and how it stands."""
    party = visit.party
    found = party.contract(hash_in(which))
    return visit.page(
        "contracts/one.html.jinja",
        contract=found,
        line=_line(visit, found),
        sections=sections(terms_of(found, visit.language)),
        shortfalls=shortfalls(party, found),
        versions=_versions(party.contracts(), Drafts(party).all(), found),
    )


@router.get("/{which}/file", name="contract_file")
def contract_file(visit: Reader, which: str) -> Response:
    """Hand out a stored contract with its signatures."""
    found = visit.party.contract(hash_in(which))
    return _file(render_contract(found), found.id)


def sections(terms: Sequence[Term]) -> list[tuple[str, list[Term]]]:
    """Return terms under their headings."""
    return [(heading, list(group)) for heading, group in groupby(terms, lambda one: one.heading)]


def _line(visit: Visit, contract: Contract) -> dict[str, Any]:
    """Return how a contract stands."""
    party = visit.party
    me = contract.me(party.identity)
    return {
        "contract": contract,
        "me": me,
        "with": contract.counterparts(me),
        "standing": contract.standing(party.now),
        "revoked": party.store.read(lambda connection: names_revoked(connection, contract)),
    }


def _new(visit: Visit, form: ContractForm, problem: str | None = None) -> Response:
    peers = [one for one in KnownPeers(visit.party).peers() if one.revoked is None]
    return visit.page(
        "contracts/new.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        form=form,
        peers=[(one.name, f"{one.name} – {one.card.organisation}") for one in peers],
        kinds=form.kinds_offered(visit.language),
    )


def _draft(
    visit: Visit, found: Draft, problem: str | None = None, text: str | None = None
) -> Response:
    stored = visit.party.contracts()
    contract = found.contract
    return visit.page(
        "contracts/draft.html.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [Problem("", problem)],
        draft=found,
        text=found.text if text is None else text,
        contract=contract,
        me=contract.me(visit.party.identity),
        sections=sections(terms_of(contract, visit.language)),
        stored=any(one.digest == contract.digest for one in stored),
        versions=_versions(stored, [], contract),
    )


def _versions(
    stored: Sequence[Contract], drafts: Sequence[Draft], but: Contract
) -> list[tuple[str, str]]:
    """Return what a contract may be compared with, as (which, text); of the same id first."""
    found = [(one.digest, one) for one in stored]
    found += [(f"draft:{one.name}", one.contract) for one in drafts]
    found = [(which, one) for which, one in found if one.digest != but.digest]
    found.sort(key=lambda pair: pair[1].id != but.id)
    return [(which, f"{one.id} – {one.title} ({one.digest[:12]})") for which, one in found]


def _lines(text: str) -> str:
    """Return a text as files have it: forms end lines otherwise."""
    return text.replace("\r\n", "\n").rstrip("\n") + "\n"


def _file(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="contract-{name}.yaml"'}
    return Response(text, media_type=YAML, headers=headers)
