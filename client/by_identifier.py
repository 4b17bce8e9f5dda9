"""An overlap by identifier type: one request a type, quoted and admitted together, then carried.

Each request is an overlap like any other, restricted to one type, and charged like any other. The
whole has to fit the budgets before the first is asked; what one call leaves undone a later one
goes on with, and what is done is never asked or charged again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from sqlalchemy.engine import Connection

from client.asking import Choice, TableChoice, table_request
from client.cancelling import Cancelled
from client.carrying import Carrier, Waiting
from client.guess import Guess
from client.quoting import Quoted, quote_for
from client.results import estimates_of
from party import holds, reservation
from party.contract import Contract
from party.decision import FINISHED
from party.desk import Desk
from party.errors import PartyError, Refusal, SessionSuspended
from party.filing import APPROVED, Filed
from party.organisation import Organisation
from party.request import Request
from party.reservation import Planned
from party.session_charge import SessionCharge
from reports.by_identifier import PrivateByIdentifier, ShareableByIdentifier
from reports.cells import PrivateEstimates, ShareableEstimates

ByIdentifierReport = PrivateByIdentifier | ShareableByIdentifier
_ITS_OWN = frozenset({"id", "created", "expires", "signature"})
_WITH_ANY = "people with an identifier"


@dataclass(frozen=True)
class TypeRequests:
    """The requests of one report, by identifier type in the contract's order.

    `filed` are those that an earlier call has made.
    """

    contract: Contract
    requests: Mapping[str, Request]
    filed: Mapping[str, Filed]

    @property
    def to_ask(self) -> tuple[Request, ...]:
        """The requests that were not made before."""
        return tuple(one for kind, one in self.requests.items() if kind not in self.filed)


def plan(
    party: Organisation,
    contract: Contract,
    table: TableChoice,
    choice: Choice,
    *,
    resume: bool = False,
) -> TypeRequests:
    """Return one request for each identifier type that both datasets hold.

    With `resume`, what an earlier call has asked for in the same way is taken up again. See
    `table_request` for what is raised.
    """
    whole = table_request(party, contract, table, choice)
    requests = {
        kind: replace(whole, id=secrets.token_hex(16), identifiers=(kind,))
        for kind in whole.identifiers
    }
    filed = _made_before(Desk(party).filed(), requests) if resume else {}
    return TypeRequests(contract, requests, filed)


def quote_all(party: Organisation, asked: TypeRequests, guess: Guess) -> tuple[Quoted, ...]:
    """Quote the requests that are still to be asked; see `quote_for`."""
    return tuple(quote_for(party, asked.contract, one, guess) for one in asked.to_ask)


def require_room(party: Organisation, asked: TypeRequests) -> None:
    """Refuse the whole when it does not fit; nothing is asked and nothing is spent.

    Raises:
        Refusal: BUDGET_EXHAUSTED, or no such dataset here.
    """
    planned, holder = _planned(party, asked), _holder(asked)

    def work(connection: Connection) -> None:
        holds.let_go_of(connection, holder)  # what a call that was killed has left
        reservation.require_room(connection, planned, party.now)

    party.store.write(work)


def carry_all(carrier: Carrier, asked: TypeRequests, *, actor: str) -> dict[str, Filed]:
    """Carry one request after the other through; return them by type.

    A request that waits for a person does not keep the others from being asked.

    Raises:
        Refusal: the whole does not fit any more, and nothing was asked.
        Refusal, SessionSuspended: one did not come through; the message says which types are done
            and how to go on.
    """
    with _holding(carrier.party, asked):
        return _carry_each(carrier, asked, actor)


@contextmanager
def _holding(party: Organisation, asked: TypeRequests) -> Iterator[None]:
    """Hold the budget of all that is still to be asked, until it is charged or not asked."""
    planned, holder = _planned(party, asked), _holder(asked)
    party.store.write(lambda c: reservation.reserve(c, planned, holder, party.now))
    try:
        yield
    finally:
        filed = {one.id for one in Desk(party).filed()}
        unasked = [one.id for one in asked.to_ask if one.id not in filed]
        party.store.write(lambda c: holds.let_go(c, unasked))


def _planned(party: Organisation, asked: TypeRequests) -> list[Planned]:
    me = asked.contract.me(party.identity)
    return [
        Planned(SessionCharge(asked.contract, one, me), party.now, one.expires)
        for one in asked.to_ask
    ]


def _holder(asked: TypeRequests) -> str:
    """Return in whose name budget is held: the same for every call that asks for the same."""
    wanted = [_asked_for(one) for one in asked.requests.values()]
    digest = sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    return f"overlap by identifier {digest[:16]}"


def _carry_each(carrier: Carrier, asked: TypeRequests, actor: str) -> dict[str, Filed]:
    done: dict[str, Filed] = {}
    waiting: list[str] = []
    for kind, request in asked.requests.items():
        try:
            done[kind] = _carry(carrier, asked, kind, request, actor)
        except Waiting as word:
            waiting.append(f"{kind}: {word}")
        except Refusal as refusal:
            message = f"{kind}: {refusal.message}. {_standing(asked.requests, done)}"
            raise Refusal(refusal.status, message) from refusal
        except Cancelled:
            raise
        except SessionSuspended as stop:
            suspended = SessionSuspended(f"{kind}: {stop}. {_standing(asked.requests, done)}")
            suspended.request = stop.request
            raise suspended from stop
    if waiting:
        raise Waiting(f"{'; '.join(waiting)}. {_standing(asked.requests, done)}")
    return done


def report_of(
    party: Organisation, finished: Mapping[str, Filed], *, private: bool
) -> ByIdentifierReport:
    """Compute the report of finished requests, at no cost.

    Raises:
        PartyError: one has no result, or no private one.
        ResultError: one was changed after it was made.
    """
    stored = {kind: _stored(party, filed) for kind, filed in finished.items()}
    tables = {kind: estimates_of(one, private=private) for kind, one in stored.items()}
    if not private:
        return ShareableByIdentifier(
            {k: one for k, one in tables.items() if isinstance(one, ShareableEstimates)}
        )
    return PrivateByIdentifier(
        {k: one for k, one in tables.items() if isinstance(one, PrivateEstimates)},
        {kind: _own_share(one) for kind, one in stored.items()},
    )


def _carry(carrier: Carrier, asked: TypeRequests, kind: str, request: Request, actor: str) -> Filed:
    known = asked.filed.get(kind)
    if known is None:
        return carrier.ask(request, asked.contract, actor=actor)
    return known if known.state == FINISHED else carrier.go_on(known)


def _made_before(filed: Sequence[Filed], requests: Mapping[str, Request]) -> dict[str, Filed]:
    """Return the newest own request of each type that asks for the same and may still come."""
    found: dict[str, Filed] = {}
    for kind, request in requests.items():
        for one in filed:
            same = _asked_for(one.request) == _asked_for(request)
            if one.mine and same and one.state in (APPROVED, FINISHED):
                found[kind] = one
                break
    return found


def _asked_for(request: Request) -> dict[str, object]:
    """Return what a request asks for, which two of them may have in common."""
    return {key: value for key, value in request.to_json().items() if key not in _ITS_OWN}


def _standing(requests: Mapping[str, Request], done: Mapping[str, Filed]) -> str:
    left = [kind for kind in requests if kind not in done]
    return (
        f"Done: {', '.join(done) or 'none'}; not done: {', '.join(left)}. `commonground report "
        "overlap --by-identifier --resume` goes on, and pays for nothing twice"
    )


def _stored(party: Organisation, filed: Filed) -> dict[str, Any]:
    stored = Desk(party).require_result(filed)
    if "table" not in stored:
        raise PartyError(f"request {filed.request.id[:8]} is {filed.state} and has no table")
    return stored


def _own_share(stored: Mapping[str, Any]) -> float:
    step = next(step for step in stored["steps"] if step["name"] == _WITH_ANY)
    return step["after"] / step["before"] if step["before"] else 0.0
