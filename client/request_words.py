"""A request in plain words, in a language: who learns what of whom, for how long, at what cost.

This is what a person reads who is to approve or refuse it; nothing is read from any data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from client.contract_words import grant_in_words
from client.documents.parts import KINDS
from languages import Language, message
from party.contract import Contract
from party.contract_terms import ListUse, OutputKind
from party.decision import FAILED, FINISHED
from party.dialling import DialledBy
from party.errors import ContractError, Refusal
from party.filing import APPROVED, PENDING, REFUSED, Filed
from party.request import LabelList, Request
from party.terms import Terms
from privacy.units import format_delta, format_epsilon
from psi.legs import RECEIVER, RECIPIENT, SENDER, TABULATOR, THIRD

MOST_VALUES: Final = 8
_HOUR: Final = 3_600
ROLES: Final = {
    RECEIVER: message("gets the list"),
    SENDER: message("says who is shared, learns nobody"),
    TABULATOR: message("counts"),
    RECIPIENT: message("gets the numbers"),
    THIRD: message("adds its labels"),
}
STATES: Final = {
    PENDING: message("waits for your decision"),
    APPROVED: message("approved"),
    REFUSED: message("refused"),
    FAILED: message("ended without a result"),
    FINISHED: message("finished"),
}


@dataclass(frozen=True)
class Part:
    """What one party brings and pays: its role, dataset, label, and ε and δ as exact text."""

    party: str
    role: str
    dataset: str
    label: str
    epsilon: str
    delta: str


def kind_in_words(request: Request, _: Language) -> str:
    """Return what a request makes, as a heading; of an overlap also by which one type."""
    said = _(KINDS[request.kind])
    said = said[:1].upper() + said[1:]
    if request.kind is not OutputKind.OVERLAP or len(request.identifiers) > 1:
        return said
    return _("{kind}, by {type}", kind=said, type=request.identifiers[0])


def asked_by(filed: Filed, _: Language) -> str:
    """Say who has asked."""
    return _("you") if filed.mine else filed.request.requester


def parts_of(request: Request, _: Language) -> list[Part]:
    """Return what each party brings to a request and what its people pay."""
    terms = Terms.of(request)
    found = []
    for role, party in request.roles.items():
        spend = terms.spend_of(party)
        found.append(
            Part(
                party,
                _(ROLES[role]),
                request.datasets[party],
                _label(request.labels[party], _),
                format_epsilon(spend.epsilon_nano),
                format_delta(spend.delta_e15),
            )
        )
    return found


def learnt(request: Request, contract: Contract, _: Language) -> str:
    """Say who learns what, by the grant of the contract; that there is none, where it is so."""
    try:
        grant = contract.output(request.kind, request.roles)
    except (Refusal, ContractError) as error:
        return str(error)
    return grant_in_words(contract, grant, _)


def details_of(request: Request, contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    """Yield what else a person has to know to decide: (what, how)."""
    yield _("Contract"), f"{contract.id} – {contract.title}"
    yield _("Purpose"), request.purpose
    if request.kind is OutputKind.MATCH:
        use = request.use or ListUse.INCLUDE
        yield (
            _("The list is"),
            _("to reach these people")
            if use is ListUse.INCLUDE
            else _("to leave these people alone"),
        )
    yield _("People are found by"), ", ".join(request.identifiers)
    parameters = request.parameters
    if request.kind is not OutputKind.MATCH:
        yield _("ε of the table"), format_epsilon(parameters.epsilon_release_nano)
    yield _("ε of dummies and sizes"), format_epsilon(parameters.epsilon_dummies_nano)
    yield _("δ of dummies and sizes"), format_delta(parameters.delta_dummies_e15)
    timing = parameters.timing
    if timing is not None:
        window = timing.window
        yield (
            _("Conversions"),
            _("from {start} to {stop}, at most {most} of a person; touches of {hours} hours before",
              start=moment(window.start, _), stop=moment(window.stop, _),
              most=parameters.records_per_person,
              hours=f"{timing.lookback * window.slot_seconds / _HOUR:g}"),
        )  # fmt: skip
    yield _("Asked"), moment(request.created, _)
    yield _("Lapses"), moment(request.expires, _)


def state_in_words(filed: Filed, _: Language) -> str:
    """Say how a request stands; what its session does just now is for others."""
    if filed.awaited:
        return _("waits for {parties} to approve it", parties=_(", ").join(filed.awaited))
    return _(STATES[filed.state])


def who_begins(by: DialledBy, filed: Filed, contract: Contract, _: Language) -> str:
    """Say of an approved request what has to happen for it to begin, and who does it."""
    if by is DialledBy.HERE:
        return _("Your side dials for it.")
    if by is DialledBy.THERE:
        return _(
            "{parties} dials for it: it begins when they come back, while `commonground serve` "
            "runs here.",
            parties=_(", ").join(filed.peers if filed.mine else (filed.request.requester,)),
        )
    return _(
        "Nobody can dial for it: contract {contract} gives neither side an address. One of you "
        "makes its party with `--listen`, all sign a contract with its new card, and it is asked "
        "for again under that one.",
        contract=contract.id,
    )


def moment(seconds: int, _: Language) -> str:
    """Write Unix seconds to the minute."""
    return _.moment(datetime.fromtimestamp(seconds, UTC))


def _label(label: LabelList, _: Language) -> str:
    if label.name is None:
        return _("no label")
    more = len(label.values) - MOST_VALUES
    shown = ", ".join(label.values[:MOST_VALUES])
    if more > 0:
        shown = _("{shown} and {more} more", shown=shown, more=more)
    return _("{label}: {values}", label=label.name, values=shown)
