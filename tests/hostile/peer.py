"""A counterpart that lies, over real gRPC and mutual TLS, to a party that `commonground serve`s.

The victim is a process of its own, so that what a lie costs it in memory can be measured. The liar
is a whole party too: it runs its side of a session honestly but for the one lie, with the product's
own driver, or speaks the wire by itself.

Covers: a hostile party that dials. One that listens is in `ambush`. Does not cover: what a network
does.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import psutil
from calls import Honest
from organisations import make_pair

from audit.bodies import Incident
from client.dial import Dialler
from client.link import DialledLink
from party.contract_terms import OutputKind
from party.correspondence import Correspondence
from party.desk import Desk
from party.errors import PartyError, Refusal
from party.evidence import StoredLog
from party.ledger import rows
from party.messages import Hello
from party.organisation import Organisation
from party.request import Request
from party.request_parameters import Parameters
from party.settings import FILE, load_settings, render_settings
from party.wire.exchanges import kind_for

LIAR, VICTIM = "advertiser", "channel"
START_SECONDS, CALL_SECONDS = 60, 20
CHEAP = Parameters(known_answers=32, delta_dummies_e15=1_000_000)


@dataclass(frozen=True)
class Told:
    """What came of a lie: how it was refused, and what it left behind at the victim."""

    status: str
    reason: str
    incidents: tuple[str, ...]
    charges: int
    released: int
    cosigned: bool
    answers: bool


@dataclass(frozen=True)
class Memory:
    """The victim's memory in bytes: before and after, and the most meanwhile."""

    before: int
    most: int
    after: int


class LyingLink:
    """A link that is honest but for what a lie changes."""

    def __init__(self, link, folder, lie, dialler):
        self._link, self._folder, self._lie, self._dialler = link, folder, lie, dialler

    def exchange(self, message):
        return self._link.exchange(self._lie.said(message, self))

    def said(self, kind):
        return self._link.said(kind)

    def send(self, step, artefact):
        lied = self._lie.sent(step, artefact, self)
        if lied is not artefact:
            self._folder.store(step, lied)
            lied = self._folder.load(step)
        self._link.send(step, lied)

    def receive(self, step):
        self._lie.asked(step, self)
        return self._link.receive(step)

    @property
    def peer(self):
        return self._link.peer

    def conclude(self):
        self._link.conclude()

    def refuse(self, status, reason):
        self._link.refuse(status, reason)

    @property
    def their_hello(self):
        letters = Correspondence(self._folder, self.peer)
        return kind_for(Hello).from_bytes(letters.heard("hello"))

    @property
    def name(self):
        return self._link._line.name

    @property
    def stubs(self):
        """The stubs of the session's and the parcels' calls, to speak the wire by oneself."""
        return self._dialler.sessions, self._dialler.parcels


class Attack:
    """The two parties, and the victim's process."""

    def __init__(self, folder: Path, **contract):
        self.folder = folder
        parties, self.contract = make_pair(folder, epsilon="1000", **contract)
        parties.pop(VICTIM).close()
        self.liar = parties[LIAR]
        self.set_limits()

    def set_limits(self):
        place = self.folder / VICTIM
        settings = replace(
            load_settings(place),
            max_points=1_000_000,
            patience_seconds=10,
            max_sessions=16,  # a liar that goes away keeps its place for the patience
            max_sessions_a_peer=16,
        )
        (place / FILE).write_text(render_settings(settings), encoding="utf-8")

    def __enter__(self):
        self._errors = (self.folder / "serve.err").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "commonground", "serve", "--listen", "127.0.0.1:0", "--json",
             "--party", str(self.folder / VICTIM)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors,
            env={**os.environ, "TMPDIR": str(self.folder)},
        )  # fmt: skip
        deadline = threading.Timer(START_SECONDS, self.process.kill)
        deadline.start()
        lines = iter(self.process.stdout.readline, b"")
        text = b""
        for line in lines:
            text += line
            if line.startswith(b"}"):
                break
        deadline.cancel()
        assert text, (self.folder / "serve.err").read_text()
        self.address = f"127.0.0.1:{json.loads(text)['port']}"
        self.victim = Organisation.open(self.folder / VICTIM)
        with self.dialler() as dialler:  # the victim has witnessed the liar's log from here on
            self.run_session(dialler, self.file(self.request("recipient")), Honest())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
        self._errors.close()
        self.victim.close()
        self.liar.close()

    # -- what the liar does ------------------------------------------------------------------

    def request(self, kind, **changes):
        """Return a request of the liar's, as an honest one would be."""
        parties = {"requester": LIAR, "now": int(time.time())}
        if kind == "receives" or kind == "sends":
            receiver, sender = (LIAR, VICTIM) if kind == "receives" else (VICTIM, LIAR)
            made = Request.match(
                self.contract, receiver=receiver, sender=sender,
                parameters=replace(CHEAP, epsilon_release_nano=0), **parties,
            )  # fmt: skip
        elif kind == "recipient":
            made = Request.crosstab(
                self.contract, OutputKind.REACH, tabulator=VICTIM, recipient=LIAR,
                labels={VICTIM: "frequency", LIAR: "segment"}, parameters=CHEAP, **parties,
            )  # fmt: skip
        else:
            made = Request.crosstab(
                self.contract, OutputKind.OVERLAP, tabulator=LIAR, recipient=VICTIM,
                labels={VICTIM: "frequency", LIAR: None}, parameters=CHEAP, **parties,
            )  # fmt: skip
        return replace(made, **changes)

    def file(self, request):
        return Desk(self.liar).make(request, self.contract, actor="test")

    @contextlib.contextmanager
    def dialler(self):
        with Dialler(self.liar.identity, self.contract, VICTIM, self.address) as dialler:
            yield dialler

    def run(self, lie):
        """Tell a lie in a session, or outside of one; return the refusal, or None."""
        with self.dialler() as dialler:
            try:
                if lie.kind is None:
                    lie.outside(self, dialler)
                else:
                    self.run_session(dialler, self.file(self.request(lie.kind)), lie)
            except Refusal as refusal:
                return refusal.status.value, refusal.message
            except grpc.RpcError as error:
                said = dict(error.trailing_metadata() or ())
                return said.get("commonground-status", error.code().name), error.details()
            except PartyError as error:
                return type(error).__name__, str(error)
        return "taken", ""

    def run_session(self, dialler, request, lie):
        assert dialler.submit(request).state == "approved"
        desk = Desk(self.liar)
        folder = desk.folder(request.id)
        with DialledLink(dialler, request, folder, patience_seconds=20.0) as link:
            desk.run(request, {VICTIM: LyingLink(link, folder, lie, dialler)})

    # -- what the victim has of it -------------------------------------------------------------

    def told(self, lie):
        """Tell a lie and look at what it left: in the log, in the ledger, in what was released."""
        before, charged, seen = len(self.entries()), self.charges(), self.seen()
        status, reason = self.run(lie)
        deadline = time.monotonic() + 60
        while True:  # the victim's driver may hear of it a moment later
            since = self.entries()[before:]
            incidents = tuple(one.kind for one in since if isinstance(one.body, Incident))
            if incidents or not lie.incident or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        released = sum(one.kind in ("report.released", "list.disclosed") for one in since)
        return Told(
            status, reason, incidents,
            charges=len(self.charges() - charged),
            released=released, cosigned=self.seen() > seen, answers=self.answers(),
        )  # fmt: skip

    def charges(self):
        """Return which requests the victim was charged for; a second charge of one is a fault."""
        charged = [(row.request, row.what) for row in self.victim.store.read(rows)]
        assert len(set(charged)) == len(charged)
        return {request for request, _ in charged}

    def seen(self):
        """Return how much of the liar's log the victim has cosigned."""
        return self.victim.journal.seen_size(self.liar.identity.log_origin)

    def answers(self):
        """Say whether the victim serves as before."""
        with self.dialler() as dialler:
            dialler.check_health()
        return self.process.poll() is None

    def entries(self):
        return list(StoredLog(self.victim.store, self.victim.identity).parsed())

    @contextlib.contextmanager
    def measured(self):
        """Yield a list that gets the victim's `Memory` over the block."""
        found, pid = [], self.process.pid
        before = psutil.Process(pid).memory_info().rss
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted anew
        yield found
        status = Path(f"/proc/{pid}/status").read_text()
        most = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        after = psutil.Process(pid).memory_info().rss
        found.append(Memory(before, int(most.split()[1]) * 1024, after))
