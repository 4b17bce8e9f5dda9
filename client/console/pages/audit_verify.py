"""Verifying the whole log now, in a process of its own; and who vouches for it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from client.console.log_words import CHECKS
from client.console.visit import Reader
from client.vouching import forks, vouching

router = APIRouter()


@router.get("/audit/verify", name="audit_verify")
def show(visit: Reader) -> Response:
    """Show how far a check is, or what the last one has found."""
    party = visit.party
    return visit.page(
        "audit/verify.html.jinja",
        check=visit.console.log_check.last,
        check_said=lambda text: CHECKS.said(text, visit.language),
        size=party.journal.size,
    )


@router.post("/audit/verify")
def start(visit: Reader) -> Response:
    """Begin a check, unless one runs."""
    visit.party.access.note_reading("audit.verify")
    visit.console.log_check.start(visit.name, visit.party.journal.size)
    return visit.then("audit_verify")


@router.get("/audit/vouching", name="audit_vouching")
def vouchers(visit: Reader) -> Response:
    """Show who has cosigned the log, what of theirs was cosigned, and which logs have forked."""
    party = visit.party
    found, forked = vouching(party), forks(party)
    party.access.note_reading("audit.vouching")
    return visit.page(
        "audit/vouching.html.jinja",
        vouchers=found,
        forks=forked,
        size=party.journal.size,
        vkey=party.identity.vkey,
        checkpoint=party.journal.checkpoint(),
    )
