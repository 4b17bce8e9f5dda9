"""Telling a counterpart that listens of a session that ended here without a result.

It is told when the session fails (`client.link`). If that word is lost, the counterpart keeps the
session and waits; so it is told again at every contact, until it has answered.
"""

from __future__ import annotations

from contextlib import suppress

from client.dial import Dialler
from party.contract import DAY_SECONDS, Contract
from party.correspondence import Correspondence
from party.decision import FAILED
from party.desk import Desk
from party.errors import Refusal
from party.filing import REFUSED, Filed, Wanted


def untold(desk: Desk, contract: Contract, peer: str, now: int) -> list[Filed]:
    """Return the requests of a contract that have ended, which a counterpart may not know.

    They failed, or another counterpart refused them. Those whose folder may have been deleted by
    now (`party.retention`) are not among them.
    """
    kept_since = now - contract.retention_days * DAY_SECONDS
    ended = Wanted((FAILED, REFUSED), contract=contract.digest, changed_after=kept_since)
    return [
        filed
        for filed in desk.filed(ended)
        if (peer, REFUSED) not in zip(filed.peers, filed.words, strict=True)
        and peer in filed.peers
        and not Correspondence(desk.folder(filed.id), peer).end_is_known
    ]


def tell_ends(desk: Desk, dialler: Dialler, contract: Contract, now: int) -> None:
    """Tell the counterpart of a connection what it may not know.

    Raises:
        DialError: it is not reached; nothing is lost.
    """
    for filed in untold(desk, contract, dialler.peer, now):
        refusal = filed.decision.refusal
        if refusal is None:
            continue
        with suppress(Refusal):  # it has no such request, and so nothing that waits
            dialler.refuse(filed.id, refusal)
        Correspondence(desk.folder(filed.id), dialler.peer).note_end()
