"""An overlap by identifier type: one request a type, quoted and admitted together, then carried.

Each request is an overlap like any other, restricted to one type, and charged like any other. The
whole has to fit the budgets before the first is asked; what one call leaves undone a later one
goes on with, and what is done is never asked or charged again.

The requests of one report have ids that follow from each other by their types, so each of them
leads to the others.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from client.asking import Choice, TableChoice, table_request
from client.cancelling import Cancelled
from client.carrying import Carrier, Waiting
from client.guess import Guess
from client.quoting import Quoted, quote_for
from client.results import estimates_of
from languages import message
from party import holds, reservation
from party.contract import Contract
from party.contract_terms import OutputKind
from party.decision import FINISHED
from party.desk import Desk
from party.errors import PartyError, Refusal, SessionSuspended
from party.filing import APPROVED, Filed, Filing, Wanted
from party.organisation import Organisation
from party.request import Request
from party.reservation import Planned
from party.schema import REQUESTS
from party.session_charge import SessionCharge
from reports.by_identifier import PrivateByIdentifier, ShareableByIdentifier
from reports.cells import PrivateEstimates, ShareableEstimates

ByIdentifierReport = PrivateByIdentifier | ShareableByIdentifier
_ITS_OWN = frozenset({"id", "created", "expires", "signature"})
_WITH_ANY = "people with an identifier"
_ID_BYTES: Final = 16


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
    key: str | None = None,
) -> TypeRequests:
    """Return one request for each identifier type that both datasets hold.

    With `resume`, what an earlier call has asked for in the same way is taken up again. The ids
    follow from `key` (32 hexadecimal digits, random without it): what was filed under the same key
    is not asked again. See `table_request` for what is raised.
    """
    whole = table_request(party, contract, table, choice)
    key = key or secrets.token_hex(_ID_BYTES)
    requests = {kind: _of_type(whole, key, kind) for kind in whole.identifiers}
    if not resume:
        return TypeRequests(contract, requests, _known(party, requests))
    filed = _made_before(_asked(party, contract, whole), requests)
    for kind, one in filed.items():
        key = _masked(one.id, kind)
    again = {kind: _of_type(whole, key, kind) for kind in requests}
    taken = _known(party, again)  # also by one that was refused, which is asked for anew
    return TypeRequests(
        contract, {kind: requests[kind] if kind in taken else again[kind] for kind in again}, filed
    )


def together(party: Organisation, filed: Filed) -> dict[str, Filed]:
    """Return the requests of the report that an overlap of one type belongs to, by type.

    They are in the contract's order. A request that is no such overlap belongs to none.
    """
    request = filed.request
    if request.kind is not OutputKind.OVERLAP or len(request.identifiers) != 1:
        return {}
    key = _masked(request.id, request.identifiers[0])
    kinds = party.contract(request.contract).identifiers
    return _known(party, {kind: _of_type(request, key, kind) for kind in kinds})


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

    def hold(connection: Connection) -> None:
        holds.let_go_of(connection, holder)
        filed = _filed(connection, asked)  # by another call, since this one was planned
        to_ask = [one for one in planned if one.request.id not in filed]
        reservation.reserve(connection, to_ask, holder, party.now)

    def let_go(connection: Connection) -> None:
        filed = _filed(connection, asked)
        holds.let_go(connection, [one.id for one in asked.to_ask if one.id not in filed])

    party.store.write(hold)
    try:
        yield
    finally:
        party.store.write(let_go)


def _filed(connection: Connection, asked: TypeRequests) -> set[str]:
    ids = [one.id for one in asked.to_ask]
    return set(connection.scalars(sa.select(REQUESTS.c.id).where(REQUESTS.c.id.in_(ids))))


def file_all(party: Organisation, asked: TypeRequests, *, actor: str) -> None:
    """File every request that is still to be asked, to be carried by whoever has called.

    What is held for one of them is its own until it is charged or refused.

    Raises:
        Refusal: the whole does not fit, and nothing was asked.
    """
    with _holding(party, asked):
        for request in asked.to_ask:
            Desk(party).make(request, asked.contract, actor=actor)


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
    """Return the newest request of each type, of some that still count, that asks for the same."""
    found: dict[str, Filed] = {}
    for kind, request in requests.items():
        for one in filed:
            same = _asked_for(one.request) == _asked_for(request)
            if same:
                found[kind] = one
                break
    return found


def _of_type(request: Request, key: str, kind: str) -> Request:
    return replace(request, id=_masked(key, kind), identifiers=(kind,))


def _masked(text: str, kind: str) -> str:
    """Return the id that follows from a key, or the key of an id: as random as what is given."""
    mask = sha256(f"overlap by identifier {kind}".encode()).digest()[:_ID_BYTES]
    return (int.from_bytes(mask) ^ int(text, 16)).to_bytes(_ID_BYTES).hex()


def _known(party: Organisation, requests: Mapping[str, Request]) -> dict[str, Filed]:
    """Return those of one's own requests that are filed, by type."""
    found = {kind: Desk(party).known(one.id) for kind, one in requests.items()}
    return {kind: one for kind, one in found.items() if one is not None and one.mine}


def _asked(party: Organisation, contract: Contract, like: Request) -> list[Filed]:
    """Return what this party has asked of the same dataset and contract, newest first."""
    dataset = like.datasets[contract.me(party.identity)]
    wanted = Wanted((APPROVED, FINISHED), mine=True, contract=contract.digest, dataset=dataset)
    return Filing(party).all(wanted)


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
        raise PartyError(
            message(
                "request {id} is {state} and has no table",
                id=filed.request.id[:8],
                state=filed.state,
            )
        )
    return stored


def _own_share(stored: Mapping[str, Any]) -> float:
    step = next(step for step in stored["steps"] if step["name"] == _WITH_ANY)
    return step["after"] / step["before"] if step["before"] else 0.0
