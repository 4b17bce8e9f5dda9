"""Ending requests whose time is over, at each party by its own clock.

A session cannot go on when its request or its contract has ended, and the counterpart may be shut
out by then, so nobody is asked: both sides come to the same reason by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from party.contract import Contract
from party.contract_terms import write_time
from party.errors import Refusal, RefusalStatus, SessionSuspended
from party.filing import Filed, Filing
from party.occupied import carrying_out

if TYPE_CHECKING:
    from party.organisation import Organisation


def end_expired(party: Organisation) -> int:
    """End every request that can bring no result any more, log each, and return how many.

    One whose session is being carried out now ends there.
    """
    waiting = Filing(party).open()
    contracts = {contract.digest: contract for contract in party.contracts()} if waiting else {}
    ended = 0
    for filed in waiting:
        contract = contracts[filed.request.contract]
        if party.now >= _end_of(filed, contract):
            ended += _end(party, filed, contract)
    return ended


def _end_of(filed: Filed, contract: Contract) -> int:
    return min(contract.ends, filed.request.expires)


def _end(party: Organisation, filed: Filed, contract: Contract) -> bool:
    from party.session_record import SessionRecord

    refusal = Refusal(
        RefusalStatus.EXPIRED,
        f"request {filed.id} or its contract ended on {write_time(_end_of(filed, contract))}, "
        "before it had a result. Make a new request",
    )
    me = contract.me(party.identity)
    try:
        with carrying_out(party.folder, filed.id):
            SessionRecord(
                party.store, party.journal, party.identity, contract, filed.request, me=me
            ).fail(refusal, party.now, peer_at_fault=False)
    except SessionSuspended:
        return False
    return True
