"""The readable page of an evidence: what was released, what it rests on, how to check it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from audit.bodies import (
    BudgetSpent,
    ConsentSnapshot,
    ReportReleased,
    SessionFailed,
    SessionFinished,
    SessionStarted,
)
from client.by_attribute import by_attribute
from client.documents.parts import KINDS
from client.page.entries import Line
from client.page.plain import render
from client.page.wording import Said
from languages import ENGLISH, LANGUAGES, Language
from party.bundle import Evidence
from privacy.units import format_delta, format_epsilon
from reports.rendering import ShareableRendering

Fact = tuple[str, str]
_NAMES: Final = {"en": "English", "zh": "简体中文"}


def page_name(code: str) -> str:
    """Return the file of the page in a language; the English one is opened first."""
    return "index.html" if code == ENGLISH.code else f"index.{code}.html"


PAGES: Final = tuple((_NAMES[code], page_name(code)) for code in LANGUAGES)
"""Every language's own name, and the file of the page in it."""


def evidence_page(evidence: Evidence, report: ShareableRendering | None, language: Language) -> str:
    """Return the page; `report` is what may be passed on of the request's result."""
    rows = () if report is None else report.rows()
    return render(
        "evidence.html.jinja",
        language,
        kind=language(KINDS[evidence.request.kind]),
        about=_about(evidence, language),
        contract_hash=evidence.contract.digest,
        numbers=[Said(row, language) for row in by_attribute(rows)],
        others=[page for page in PAGES if page[1] != page_name(language.code)],
        facts=_facts(evidence, language),
        parties=_parties(evidence),
        lines=[Line.of(entry) for entry in evidence.entries],
        limits=_limits(evidence, language),
    )


def _about(evidence: Evidence, _: Language) -> str:
    request = evidence.request
    return _(
        "From the log of {party}. Asked by {requester}, between {parties}. Purpose: {purpose}.",
        party=evidence.party,
        requester=request.requester,
        parties=", ".join(request.participants),
        purpose=request.purpose,
    )


def _facts(evidence: Evidence, _: Language) -> list[Fact]:
    request, contract = evidence.request, evidence.contract
    facts = [
        (_("Contract"), f"{contract.id}, {contract.digest}"),
        (_("Request"), f"{request.id}, {request.digest}"),
        (_("Asked"), _.moment(datetime.fromtimestamp(request.created, UTC))),
    ]
    for entry in evidence.entries:
        where = _("entry {number}", number=entry.seq)
        match entry.body:
            case SessionStarted(consent=consent):
                taken = _.moment(datetime.fromtimestamp(consent.taken_at, UTC))
                facts += [
                    (_("Consent snapshot"), f"{consent.sequence}, {taken}, {consent.root}"),
                    (_("Session started"), f"{_.moment(entry.time)}, {where}"),
                ]
            case ConsentSnapshot(purpose=purpose, recipient=recipient):
                facts.append((_("Consent for"), f"{purpose}, {recipient}, {where}"))
            case BudgetSpent() as spent if spent.request == request.id:
                facts.append((_("Charged before"), f"{_charge(spent, _)}, {where}"))
            case ReportReleased(table_digest=digest):
                facts.append((_("Released table"), f"{digest}, {where}"))
            case SessionFinished(transcript=transcript):
                facts += [
                    (_("Session finished"), f"{_.moment(entry.time)}, {where}"),
                    (_("Transcript, the same in all logs"), transcript),
                ]
            case SessionFailed(reason=reason):
                facts.append((_("Session failed"), f"{reason}, {where}"))
    facts.append((_("Cosigned by"), _cosigned(evidence, _)))
    return facts


def _charge(spent: BudgetSpent, _: Language) -> str:
    if spent.what == "disclosure":
        return _("a list, which has no ε")
    epsilon, delta = format_epsilon(spent.epsilon_nano), format_delta(spent.delta_e15)
    return f"ε {epsilon}, δ {delta}"


def _cosigned(evidence: Evidence, _: Language) -> str:
    if not evidence.cosigners:
        return _("nobody yet: only the owner of the log vouches for it")
    return _(
        "{cosigners}, a log of {size} entries",
        cosigners=", ".join(evidence.cosigners),
        size=_.number(evidence.cosigned),
    )


def _parties(evidence: Evidence) -> list[Fact]:
    return [
        (f"{name} ({card.organisation})", f"{card.identity} {card.fingerprint}")
        for name, card in evidence.contract.parties.items()
    ]


def _limits(evidence: Evidence, _: Language) -> list[str]:
    limits = [
        _(
            "That the log has no other charge in the window: only the whole log can show it, with "
            "commonground audit verify."
        ),
        _("That the data and the consents are true, or what a party did outside of this program."),
        _(
            "That a key belongs to the organisation that it names: compare it with what you got "
            "from that organisation."
        ),
    ]
    late = [entry for entry in evidence.entries if entry.seq >= evidence.cosigned]
    if late:
        limits.append(
            _(
                "That entries from number {number} on were not rewritten: no counterpart has "
                "cosigned them yet.",
                number=late[0].seq,
            )
        )
    if evidence.transcript is None:
        limits.append(
            _("What the parties said to each other: this party keeps no transcript of it.")
        )
    return limits
