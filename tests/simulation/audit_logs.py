"""Two parties that keep logs and witness each other, in one process with a fake clock.

`LogKeeper` is an honest writer, also of histories that break the rules: it signs what it is
told to write. `StoredLog` is what verification reads; tests alter copies of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from audit.bodies import (
    BoundChosen,
    Budget,
    BudgetSpent,
    ConsentReference,
    ConsentSnapshot,
    ContractSigned,
    ExportMade,
    ListDisclosed,
    LookalikeMade,
    PartyCreated,
    ReportReleased,
    ReportSkipped,
    RequestStep,
    RetentionPruned,
    SessionFailed,
    SessionFinished,
    SessionStarted,
)
from audit.checkpoint import Checkpoint, Cosigner
from audit.entry import Entry, format_time
from audit.merkle import StoredLeaves, consistency_proof, leaf_hash, root
from audit.note import Signer
from audit.source import Cosigned
from audit.witness import witness

CONTRACT = "c" * 64
PARTIES = ("advertiser", "channel")
DIGEST = "d" * 64
DAY = 86_400
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
WINDOW = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
MAX_AGE = 3_600
BUDGET = Budget(epsilon_nano=2 * 10**9, delta_e15=10**7, window_days=30)


@dataclass(frozen=True)
class StoredLog:
    """A log source in memory."""

    vkey: str
    stored: tuple[bytes, ...]
    leaves: tuple[bytes, ...]
    note: str
    known: tuple[str, ...]
    cosigned_notes: tuple[Cosigned, ...]
    witnessed_notes: tuple[Cosigned, ...]

    def entries(self):
        return iter(self.stored)

    def leaf_hashes(self):
        return iter(self.leaves)

    def checkpoint(self):
        return self.note

    def counterparts(self):
        return iter(self.known)

    def cosigned(self):
        return iter(self.cosigned_notes)

    def witnessed(self):
        return iter(self.witnessed_notes)

    def with_entries(self, entries):
        """Replace the entries and, consistently, the leaf hashes; sign nothing."""
        entries = tuple(entries)
        return replace(self, stored=entries, leaves=tuple(leaf_hash(e) for e in entries))


class LogKeeper:
    """One party: it writes entries, signs checkpoints and cosigns those of its counterparts."""

    def __init__(self, party, seed):
        self.party = party
        self.signer = Signer(f"{party}.example/log", seed)
        self.cosigner = Cosigner.of(self.signer)
        self.now = START
        self.entries = []
        self.coalitions = {}
        self.counterparts = []
        self.cosigned = []
        self.witnessed = []
        self.last_seen = {}

    @property
    def vkey(self):
        return self.signer.verifier.vkey

    @property
    def leaves(self):
        return [leaf_hash(entry) for entry in self.entries]

    def write(self, kind, body, *, actor="operator", **fields):
        self.now += timedelta(seconds=1)
        entry = Entry(
            len(self.entries), format_time(self.now), kind, self.party, actor, body, **fields
        )
        self.entries.append(entry.encode())
        return entry

    def create(self):
        self.write("party.created", PartyCreated(self.vkey, DIGEST))

    def sign_contract(
        self,
        contract=CONTRACT,
        budget=BUDGET,
        max_age=MAX_AGE,
        accounting_filter="basic",
        export_to=None,
        parties=PARTIES,
    ):
        budgets = dict.fromkeys(parties, budget)
        origins = dict(zip(parties, parties, strict=True))
        terms = ContractSigned(parties, budgets, max_age, accounting_filter, origins, export_to)
        self.coalitions[contract] = terms.coalition_against(self.party)
        self.write("contract.signed", terms, contract=contract)

    def snapshot_consent(self, sequence=1, recipient=None):
        recipient = recipient or ", ".join(self.others)
        taken_at = int(self.now.timestamp())
        body = ConsentSnapshot("crm", DIGEST, sequence, taken_at, "dpv:Marketing", recipient)
        self.write("consent.snapshot", body)
        return ConsentReference(DIGEST, sequence, taken_at)

    @property
    def others(self):
        return tuple(party for party in PARTIES if party != self.party)

    def start(self, request, consent, contract=CONTRACT, others=None, **fields):
        body = SessionStarted(request, DIGEST, DIGEST, consent, others or self.others)
        self.write("session.started", body, contract=contract, **fields)

    def spend(self, request, epsilon_nano=10**9, delta_e15=10**6, window=WINDOW, what="dp", **more):
        contract = more.pop("contract", CONTRACT)
        if what == "disclosure":
            epsilon_nano = delta_e15 = 0
        body = BudgetSpent(
            request,
            more.pop("population", "crm"),
            more.pop("coalition", self.coalitions.get(contract, "nobody")),
            window,
            epsilon_nano,
            more.pop("rho_nano", 0),
            delta_e15,
            what,
        )
        self.write("budget.spent", body, contract=contract, **more)

    def release(self, request, session, contract=CONTRACT):
        body = ReportReleased(request, DIGEST, DIGEST)
        self.write("report.released", body, contract=contract, session=session)

    def disclose(self, request, session, recipient, expires_at=None):
        body = ListDisclosed(request, recipient, DIGEST, expires_at or WINDOW + 30 * DAY)
        self.write("list.disclosed", body, contract=CONTRACT, session=session)

    def ask(self, request, kind="match", contract=CONTRACT):
        self.write("request.made", RequestStep(request, DIGEST, kind), contract=contract)

    def export(self, request, to="csv", expires_at=WINDOW + 30 * DAY, contract=CONTRACT):
        body = ExportMade(request, to, DIGEST, expires_at)
        self.write("export.made", body, contract=contract)

    def score(self, request, recipient="channel", contract=CONTRACT):
        purpose = "dpv:TargetedAdvertising"
        body = LookalikeMade(request, "crm", DIGEST, purpose, recipient, 6, DIGEST)
        self.write("lookalike.made", body, contract=contract)

    def skip(self, request, contract=CONTRACT, due_at=WINDOW):
        body = ReportSkipped(request, due_at, "BUDGET_EXHAUSTED")
        self.write("report.skipped", body, contract=contract)

    def choose(self, charge, contract=CONTRACT):
        self.write("bound.chosen", BoundChosen(charge, "crm", DIGEST), contract=contract)

    def prune_list(self, request):
        self.write("retention.pruned", RetentionPruned(request, "list"), contract=CONTRACT)

    def finish(self, request, session, transcript, contract=CONTRACT):
        body = SessionFinished(request, transcript)
        self.write("session.finished", body, contract=contract, session=session)

    def fail(self, request, transcript=None):
        body = SessionFailed(request, "DECLINED", transcript)
        self.write("session.failed", body, contract=CONTRACT)

    def checkpoint(self):
        leaves = self.leaves
        return Checkpoint(self.signer.name, len(leaves), root(leaves))

    def ask_for_cosignature(self, keeper):
        """Show the checkpoint to a counterpart with the proof from what it saw last."""
        leaves, now = self.leaves, self.checkpoint()
        last = keeper.last_seen.get(self.signer.name)
        nodes = StoredLeaves(lambda start, stop: leaves[start:stop])
        proof = consistency_proof(nodes, last.size if last else 0, now.size)
        note = now.sign(self.signer)
        seen = witness(
            note,
            log=self.signer.verifier,
            last=last,
            proof=proof,
            cosigner=keeper.cosigner,
            time=int(keeper.now.timestamp()),
        )
        keeper.last_seen[self.signer.name] = seen.checkpoint
        self.cosigned.append(Cosigned(note, seen.line))
        keeper.witnessed.append(Cosigned(note, seen.line))

    def stored(self):
        return StoredLog(
            self.vkey,
            tuple(self.entries),
            tuple(self.leaves),
            self.checkpoint().sign(self.signer),
            tuple(keeper.vkey for keeper in self.counterparts),
            tuple(self.cosigned),
            tuple(self.witnessed),
        )


def two_parties():
    """Return an advertiser and a channel that have a contract."""
    parties = LogKeeper("advertiser", bytes([1]) * 32), LogKeeper("channel", bytes([2]) * 32)
    for party, other in (parties, parties[::-1]):
        party.counterparts.append(other)
        party.create()
        party.sign_contract()
    return parties


def run_session(tabulator, recipient, number, transcripts=None):
    """Run one honest session of a report and exchange cosignatures; ids follow from `number`."""
    request, session = f"r-{number}", f"{number:064x}"
    transcript = f"{number + 1000:064x}"
    for party, told in zip((tabulator, recipient), transcripts or (transcript,) * 2, strict=True):
        consent = party.snapshot_consent(sequence=number)
        party.start(request, consent)
        party.spend(request, epsilon_nano=5 * 10**8)
        if party is tabulator:
            party.release(request, session)
        party.finish(request, session, told)
    tabulator.ask_for_cosignature(recipient)
    recipient.ask_for_cosignature(tabulator)
