"""What counterparts do wrong outside of sessions, in the log: a few entries a day of each.

A session's own incidents are written by its record. Here is what no session is there for: a message
that is no message, a signature that is not the asker's, a request under the id of another.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from party.errors import Breach
from party.incidents import incident_of
from party.ledger import DAY_SECONDS

if TYPE_CHECKING:
    from party.organisation import Organisation

MOST_A_DAY: Final = 20
"""Entries of one counterpart in a day, so that nobody fills the log of another."""
ACTOR: Final = "listener"


class Breaches:
    """Writes incidents for as long as a party listens, up to the most a day."""

    def __init__(self, party: Organisation) -> None:
        self._party, self._lock = party, threading.Lock()
        self._day, self._noted = 0, dict[str, int]()

    def note(self, peer: str, contract_hash: str | None, breach: Breach) -> bool:
        """Log a breach of a counterpart; say whether the day had room for it."""
        incident = incident_of(breach)
        if incident is None or not self._count(peer):
            return False
        kind, body = incident
        told = replace(body, peer=peer)
        self._party.store.write(
            lambda connection: self._party.journal.append(
                connection, kind, told, actor=ACTOR, contract=contract_hash
            )
        )
        return True

    def _count(self, peer: str) -> bool:
        today = self._party.now // DAY_SECONDS
        with self._lock:
            if today != self._day:
                self._day, self._noted = today, {}
            self._noted[peer] = self._noted.get(peer, 0) + 1
            return self._noted[peer] <= MOST_A_DAY
