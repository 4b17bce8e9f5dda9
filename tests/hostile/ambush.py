"""A counterpart that listens and lies to a party that dials it, over real gRPC and mutual TLS.

Both are whole parties in one process. The liar serves with the product's own listener, honestly but
for the one lie: in what its side of the session says or sends, or in what goes over the wire.
"""

import contextlib
import time
from dataclasses import dataclass, replace

from calls import Honest, cut_short, many_labels, many_points, short_tags
from lies import BAD, CHARGED, LIES, TOO_MUCH, Lie
from organisations import make_pair
from peer import CHEAP, LyingLink, Told
from ports import free_port

import server.session_service as service
from audit.bodies import Incident
from client.carrying import Carrier
from client.serving import Logged, ServedDesk
from commonground.v1 import session_pb2 as pb
from party.artefacts import SetHeader
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import PartyError, Refusal
from party.evidence import StoredLog
from party.ledger import rows
from party.request import Request
from party.suppression.desk import SuppressionDesk
from server import serve

LIAR, VICTIM = "channel", "advertiser"


@dataclass(frozen=True)
class OnTheWire:
    """A lie in the messages of a set that is pulled: its header, or each of its chunks."""

    name: str
    kind: str
    status: str
    incident: str
    header: object = None
    chunk: object = None
    costs: str = CHARGED
    says: str = ""
    message: type | None = None

    def said(self, message, link):
        return message

    def sent(self, step, artefact, link):
        return artefact

    def asked(self, step, link):
        pass

    @contextlib.contextmanager
    def told(self):
        """Let every set that is served be so."""
        header, chunk = service.encode_header, service.encode_chunk
        if self.header is not None:
            service.encode_header = lambda one: header(self.header(one))
        if self.chunk is not None:
            service.encode_chunk = lambda one: self.chunk(one, chunk)
        try:
            yield
        finally:
            service.encode_header, service.encode_chunk = header, chunk


def changed(change):
    return lambda chunk, encode: encode(change(chunk))


def huge(chunk, encode):
    return pb.SetChunk(index=chunk.index, data=bytes(5 << 20), digest=chunk.digest)


def too_many(header):
    return SetHeader(header.width, (1_000_001, *header.sizes[1:]))


WIRE = [
    OnTheWire("2³¹ points and more", "sends", "LIMIT_EXCEEDED", TOO_MUCH, header=many_points),
    OnTheWire("4,097 labels", "sends", "LIMIT_EXCEEDED", TOO_MUCH, header=many_labels),
    OnTheWire("points of 8 bytes", "sends", "BAD_REQUEST", BAD, header=short_tags),
    OnTheWire("more points than max_points", "sends", "LIMIT_EXCEEDED", "", header=too_many),
    OnTheWire(
        "wrong digest of a chunk", "sends", "BAD_REQUEST", BAD,
        chunk=changed(lambda one: replace(one, digest=bytes(32))),
    ),
    OnTheWire(
        "a chunk that is cut short", "sends", "BAD_REQUEST", BAD,
        chunk=changed(lambda one: cut_short([one])[0]),
    ),
    OnTheWire(
        "chunks out of order", "sends", "BAD_REQUEST", BAD,
        chunk=changed(lambda one: replace(one, index=7)),
    ),
    OnTheWire("a message above 4 MiB", "sends", "LIMIT_EXCEEDED", "", chunk=huge),
]  # fmt: skip

ONE_LABEL = "another label's points"  # here the victim's own set has one
OTHERWISE = {
    "hello under another contract": {"status": "CONTRACT_UNKNOWN", "incident": "other_contract"}
}
OF_A_LISTENER = [
    *(
        replace(lie, **OTHERWISE.get(lie.name, {}))
        for lie in LIES
        if lie.kind and lie.change is not None and lie.name != ONE_LABEL
    ),
    *WIRE,
]
"""What a liar says and sends is the same whoever dials; what it does with calls is not."""


class LyingDesk(ServedDesk):
    """The desk of the liar, which lies in the session that is carried out next."""

    lie: Lie | OnTheWire

    def run(self, request, links):
        folder = self.folder(request.id)
        lying = {peer: LyingLink(link, folder, self.lie, None) for peer, link in links.items()}
        super().run(request, lying)


class Ambush:
    """The two parties, of which the liar listens."""

    def __init__(self, folder):
        address = f"127.0.0.1:{free_port()}"
        parties, self.contract = make_pair(folder, epsilon="1000", addresses={LIAR: address})
        self.liar, self.victim = parties[LIAR], parties[VICTIM]
        self.victim.settings = replace(self.victim.settings, max_points=1_000_000)
        self.desk = LyingDesk(Desk(self.liar), SuppressionDesk(self.liar))
        self.server = serve.start(self.desk, self.liar.identity, address, max_sessions=16)

    def close(self):
        self.server.stop(0)
        self.liar.close()
        self.victim.close()

    def request(self, kind):
        """Return a request of the victim's in which the liar has a role."""
        parties = {"requester": VICTIM, "now": int(time.time())}
        if kind in ("receives", "sends"):
            receiver, sender = (LIAR, VICTIM) if kind == "receives" else (VICTIM, LIAR)
            parameters = replace(CHEAP, epsilon_release_nano=0)
            return Request.match(
                self.contract, receiver=receiver, sender=sender, parameters=parameters, **parties
            )
        if kind == "recipient":
            output, tabulator, labels = OutputKind.OVERLAP, VICTIM, {LIAR: "frequency"}
        else:
            output, tabulator = OutputKind.REACH, LIAR
            labels = {LIAR: "frequency", VICTIM: "segment"}
        return Request.crosstab(
            self.contract, output, tabulator=tabulator,
            recipient=VICTIM if tabulator == LIAR else LIAR,
            labels={VICTIM: None, LIAR: None, **labels}, parameters=CHEAP, **parties,
        )  # fmt: skip

    def honest(self):
        """Let the victim dial for a session without a lie."""
        lie = Honest()
        lie.kind = "recipient"
        return self.told(lie)

    def told(self, lie):
        """Let the victim dial for a session in which the liar lies; return what it left there."""
        self.desk.lie = lie
        before, desk = len(self.entries()), Desk(self.victim)
        seen = self.victim.journal.seen_size(self.liar.identity.log_origin)
        filed = desk.find(desk.make(self.request(lie.kind), self.contract, actor="test").id)
        status, reason = "taken", ""
        with lie.told() if isinstance(lie, OnTheWire) else contextlib.nullcontext():
            try:
                Carrier(self.victim, Logged()).go_on(filed)
            except Refusal as refusal:
                status, reason = refusal.status.value, refusal.message
            except PartyError as error:
                status, reason = type(error).__name__, str(error)
        since = self.entries()[before:]
        incidents = tuple(one.kind for one in since if isinstance(one.body, Incident))
        released = sum(one.kind in ("report.released", "list.disclosed") for one in since)
        charged = [row.what for row in self.victim.store.read(rows) if row.request == filed.id]
        grown = self.victim.journal.seen_size(self.liar.identity.log_origin) > seen
        charges = charged.count("session")
        return Told(status, reason, incidents, charges, released, grown, answers=True)

    def entries(self):
        return list(StoredLog(self.victim.store, self.victim.identity).parsed())
