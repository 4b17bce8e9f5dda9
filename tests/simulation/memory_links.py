"""Parties of one session in one process: links over queues, and a recorder without noise.

Covers: the order of messages, every computation of the driver, lies told by a subclassed
driver or a tampering link. Does not cover: transport, restarts, the store.
"""

import queue
import threading
from collections import defaultdict
from pathlib import Path

import numpy as np

from party.artefacts import SessionFolder
from party.driver import Driver
from party.messages import KeyArtefact, ReleaseArtefact
from party.own_side import Own
from party.terms import Terms
from privacy.session import SessionNoise
from psi.keys import Keys
from psi.seed import Seed
from psi.sets import LabelledSet

SESSION_ID = bytes(range(32))
SECONDS = 60


class MemoryLink:
    """One direction pair between two roles; `tamper(step, artefact)` may lie on the way."""

    def __init__(self, peer, inbox, outbox, tamper=None):
        self.peer, self._inbox, self._outbox, self._tamper = peer, inbox, outbox, tamper

    def exchange(self, message):
        self._outbox.put(message)
        return self._inbox.get(timeout=SECONDS)

    def send(self, step, artefact):
        if self._tamper is not None:
            artefact = self._tamper(step, artefact)
        self._outbox.put(artefact)

    def receive(self, step):
        del step
        got = self._inbox.get(timeout=SECONDS)
        if isinstance(got, Exception):
            raise got
        return got

    def refuse(self, status, reason):
        self._outbox.put(RuntimeError(f"{status}: {reason}"))


class NoiselessRecorder:
    """Keeps what was recorded and releases the exact cells: the harness's way, not a product's."""

    def __init__(self):
        self.steps, self.disclosed = {}, False

    def step(self, index, digest):
        self.steps[index] = digest

    def disclose(self, tags):
        del tags
        self.disclosed = True

    def release(self, cells, totals, numbering):
        return ReleaseArtefact(
            tuple(cells.shape),
            tuple(map(int, cells.flat)),
            numbering,
            tuple(map(int, totals.flat)),
        )


def make_terms(table, labels, *, most_keys=None, known=16, min_match=0, noise=None):
    parties = tuple(f"{role}-party" for role in table.roles)
    return Terms(
        table,
        parties,
        tuple(tuple(names) for names in labels),
        most_keys or (1,) * len(parties),
        known,
        noise or SessionNoise(10**9, 10**9, 10**12),
        min_match,
    )


def member_keys(names):
    return Keys.from_list([b"member:t\x00" + name.encode() for name in names])


def run_session(terms, people, folder: Path, *, seeds=None, tamper=None, recorders=None):
    """Run every role in its own thread.

    `people`: for each role a list of (name, label index); `tamper[role]` lies on that role's
    way out. Returns {role: outcome or exception} and the drivers.
    """
    roles = terms.table.roles
    pipes = defaultdict(queue.Queue)
    outcomes, drivers, threads = {}, {}, []
    for place, role in enumerate(roles):
        own = Own(
            terms.parties[place],
            (seeds or {}).get(role) or Seed.generate(),
            member_keys([name for name, _ in people[place]]),
            np.array([label for _, label in people[place]], dtype=np.int16),
        )
        links = {
            other: MemoryLink(
                other, pipes[other, role], pipes[role, other], (tamper or {}).get(role)
            )
            for other in roles
            if other != role
        }
        recorder = (recorders or {}).get(role) or NoiselessRecorder()
        shelf = SessionFolder(folder / role)
        drivers[role] = Driver(terms, own, SESSION_ID, shelf, links, recorder)

        def work(role=role, links=links):
            try:
                outcomes[role] = drivers[role].run()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                outcomes[role] = error
                for link in links.values():
                    link.refuse(type(error).__name__, str(error))

        threads.append(threading.Thread(target=work))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    return outcomes, drivers


def replaced(artefact: LabelledSet, rows) -> LabelledSet:
    """Return a set with other rows."""
    return LabelledSet(artefact.sizes, np.ascontiguousarray(rows))


__all__ = ["KeyArtefact", "MemoryLink", "NoiselessRecorder", "make_terms", "run_session"]
