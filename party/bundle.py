"""The evidence for one request as files: what this party's log says of it, each entry proven.

docs/audit.md, Evidence. Nothing in it is secret, and nothing is private: the contract and the
request as they were signed, entries of the log, what the parties said to each other, the noisy
table. What is left out on purpose: salts, seeds, exact figures. `audit/standalone.py` goes with
it as `verify.py` and checks all of it without this program.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

import rfc8785
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import (
    BudgetSpent,
    ConsentReference,
    SessionStarted,
)
from audit.checkpoint import Checkpoint, with_cosignatures
from audit.entry import Entry, format_time
from audit.merkle import Nodes, consistency_proof
from audit.note import parse_note
from audit.tiles import TileNodes
from audit.tlog_proof import SUFFIX, prove
from party.contract import Contract
from party.desk import Desk
from party.evidence import StoredLog
from party.filing import Filed
from party.log_pages import entries_of, first_from, snapshot_before
from party.organisation import Organisation
from party.request import Request
from party.schema import COSIGNATURES, RELEASES, WITNESSED
from party.selection import INCIDENTS

FORMAT: Final = "commonground/evidence/v1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
VERIFIER: Final = "verify.py"
REPORT: Final = "report.json"
_PREFIX: Final = FORMAT.encode() + b"\n"


@dataclass(frozen=True)
class Evidence:
    """What a party can show of one request.

    Attributes:
        request: as it was signed.
        contract: as it was signed.
        party: whose log it is from.
        entries: those that are about the request, or that it rests on, in the log's order.
        cosigned: entries below this number are in a tree that a counterpart has cosigned.
        cosigners: the counterparts who cosigned that tree.
        transcript: what the parties said to each other, as JSON values; None without a result.
        files: by their name in the bundle, without report, pages, verifier and manifest.
    """

    request: Request
    contract: Contract
    party: str
    entries: tuple[Entry, ...]
    cosigned: int
    cosigners: tuple[str, ...]
    transcript: Mapping[str, Any] | None
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class _Mark:
    """A checkpoint that receipts rest on: its size, and the note with its cosignatures."""

    size: int
    note: str


def collect(party: Organisation, filed: Filed) -> Evidence:
    """Gather what this party's store says of a request; nothing is written.

    Raises:
        StoredContractError, ResultError: what is stored is not what was signed.
        PartyError: the contract is not stored here.
        AuditError: the log does not hold together.
    """
    request = filed.request
    contract = party.contract(request.contract)
    me, read = contract.me(party.identity), party.store.read
    log = StoredLog(party.store, party.identity)
    latest = _mark(log.checkpoint())  # what is appended meanwhile is left out
    nodes = TileNodes(latest.size, log.read_tile)
    cosigned, cosigners = read(lambda connection: _cosigned(connection, contract, latest))
    seen = read(lambda connection: _seen(connection, contract, party.identity.vkey))
    entries = read(lambda connection: _entries_about(connection, request, me, latest.size))
    result = Desk(party).result(request.id) or {}
    transcript = result.get("transcript")
    found = {
        "contract.json": rfc8785.dumps(contract.to_json()),  # type: ignore[arg-type]
        "request.json": request.encode(),
        **_checkpoints(nodes, latest, cosigned),
        **seen,
        **_receipts(nodes, entries, latest, cosigned),
    }
    found |= _statements(contract)
    if transcript is not None:
        found["transcript.json"] = rfc8785.dumps(transcript)
    table = _table(party, request, result)
    if table is not None:
        found["table.json"] = table
    return Evidence(
        request=request,
        contract=contract,
        party=me,
        entries=entries,
        cosigned=0 if cosigned is None else cosigned.size,
        cosigners=cosigners,
        transcript=transcript,
        files=found,
    )


def sealed(party: Organisation, evidence: Evidence, more: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the whole bundle: the evidence, `more` files, verifier, and the signed manifest."""
    whole = {**evidence.files, **more, VERIFIER: verifier()}
    manifest = {
        "evidence": FORMAT,
        "log": party.identity.vkey,
        "request": evidence.request.id,
        "files": {name: sha256(data).hexdigest() for name, data in whole.items()},
    }
    text = rfc8785.dumps(manifest)  # type: ignore[arg-type]
    signature = b64encode(party.identity.sign_own(_PREFIX + text)) + b"\n"
    return {**whole, MANIFEST: text, SIGNATURE: signature}


def verifier() -> bytes:
    """Return `verify.py`."""
    return files("audit").joinpath("standalone.py").read_bytes()


# -- entries -----------------------------------------------------------------------------------


def _entries_about(
    connection: Connection, request: Request, me: str, size: int
) -> tuple[Entry, ...]:
    """Return of `size` entries those that are about a request, or that it rests on.

    Before its own come the log's beginning, the contract, its dataset as it was then, its consent
    snapshot, and the charges that share the window with its own.
    """
    own = entries_of(connection, before=size, request=request.id)
    needs = _Needs.of(own) if own else None
    began = size if needs is None else needs.began
    dataset = request.datasets[me]
    beneath = [
        *entries_of(connection, before=min(1, size)),
        *entries_of(connection, kinds=["contract.signed"], before=size, contract=request.contract),
        *entries_of(
            connection, kinds=["dataset.registered"], before=began, newest=1, dataset=dataset
        ),
        *(() if needs is None else needs.found(connection, request, size)),
    ]
    by_place = {entry.seq: entry for entry in (*beneath, *own)}
    return tuple(by_place[seq] for seq in sorted(by_place))


@dataclass(frozen=True)
class _Needs:
    """What the entries of a request point to: its session, its snapshot, its account's window."""

    session: str | None
    consent: ConsentReference | None
    charges: tuple[BudgetSpent, ...]
    last_charge: int
    began: int

    @classmethod
    def of(cls, own: list[Entry]) -> _Needs:
        started = [e.body for e in own if isinstance(e.body, SessionStarted)]
        charged = [(e.seq, e.body) for e in own if isinstance(e.body, BudgetSpent)]
        return cls(
            next((entry.session for entry in own if entry.session), None),
            started[0].consent if started else None,
            tuple(body for _, body in charged),
            max((seq for seq, _ in charged), default=0),
            min((e.seq for e in own if isinstance(e.body, SessionStarted)), default=own[-1].seq),
        )

    def shares(self, entry: Entry, spent: BudgetSpent) -> bool:
        """Tell whether a charge counts in the window of one of the request's own."""
        return entry.seq < self.last_charge and any(
            spent.population == own.population
            and entry.seconds >= own.window
            and not set(spent.coalition.split(", ")).isdisjoint(own.coalition.split(", "))
            for own in self.charges
        )

    def found(self, connection: Connection, request: Request, size: int) -> Iterator[Entry]:
        """Yield of `size` entries what they point to: snapshot, charges, incidents."""
        if self.consent is not None:
            taken = snapshot_before(connection, self.consent.sequence, self.began)
            yield from () if taken is None else (taken,)
        if self.charges:
            opened = datetime.fromtimestamp(min(own.window for own in self.charges), UTC)
            for entry in entries_of(
                connection,
                kinds=["budget.spent"],
                start=first_from(connection, format_time(opened)),
                before=self.last_charge,
            ):
                if isinstance(entry.body, BudgetSpent) and self.shares(entry, entry.body):
                    yield entry
        if self.session is not None:
            for entry in entries_of(
                connection, kinds=[INCIDENTS], before=size, contract=request.contract
            ):
                if entry.session == self.session:
                    yield entry


# -- proofs ------------------------------------------------------------------------------------


def _mark(note: str) -> _Mark:
    return _Mark(Checkpoint.parse(parse_note(note).text).size, note)


def _cosigned(
    connection: Connection, contract: Contract, latest: _Mark
) -> tuple[_Mark | None, tuple[str, ...]]:
    """Return the last checkpoint that a party of the contract cosigned, and who did."""
    names = {card.verifier.name for card in contract.parties.values()}
    size = COSIGNATURES.c.size
    by_them = sa.select(size, COSIGNATURES.c.checkpoint).where(COSIGNATURES.c.cosigner.in_(names))
    query = by_them.where(size <= latest.size).order_by(size.desc()).limit(1)
    best = connection.execute(query).first()
    if best is None:
        return None, ()
    same = sa.select(COSIGNATURES).where(
        size == best.size, COSIGNATURES.c.checkpoint == best.checkpoint
    )
    rows = connection.execute(same.order_by(COSIGNATURES.c.cosigner)).all()
    note = with_cosignatures(best.checkpoint, [row.line for row in rows])
    cosigners = tuple(row.cosigner for row in rows if row.cosigner in names)
    return _Mark(best.size, note), tuple(sorted(cosigners))


def _checkpoints(nodes: Nodes, latest: _Mark, cosigned: _Mark | None) -> dict[str, bytes]:
    if cosigned is None:
        return {"checkpoints/latest.txt": latest.note.encode()}
    if cosigned.size == latest.size:
        return {"checkpoints/latest.txt": cosigned.note.encode()}
    proof = consistency_proof(nodes, cosigned.size, latest.size)
    return {
        "checkpoints/cosigned.txt": cosigned.note.encode(),
        "checkpoints/latest.txt": latest.note.encode(),
        "checkpoints/consistency.txt": b"".join(b64encode(hash_) + b"\n" for hash_ in proof),
    }


def _seen(connection: Connection, contract: Contract, own: str) -> dict[str, bytes]:
    """Return the last checkpoint of each counterpart that this party has cosigned."""
    found = {}
    for name, card in contract.parties.items():
        newest = sa.select(WITNESSED).where(WITNESSED.c.origin == card.verifier.name)
        row = connection.execute(newest.order_by(WITNESSED.c.size.desc()).limit(1)).first()
        if card.identity != own and row is not None:
            note = with_cosignatures(row.checkpoint, [row.line])
            found[f"checkpoints/seen-{name}.txt"] = note.encode()
    return found


def _statements(contract: Contract) -> dict[str, bytes]:
    """Return by what statements the keys of parties were replaced, one a line."""
    return {
        f"keys/{name}.jsonl": b"".join(one.encode() + b"\n" for one in card.statements)
        for name, card in contract.parties.items()
        if card.statements
    }


def _receipts(
    nodes: Nodes, entries: tuple[Entry, ...], latest: _Mark, cosigned: _Mark | None
) -> dict[str, bytes]:
    receipts = {}
    for entry in entries:
        mark = cosigned if cosigned is not None and entry.seq < cosigned.size else latest
        proof = prove(nodes, entry.seq, mark.note, entry.encode())
        receipts[f"entries/{entry.seq}{SUFFIX}"] = proof.text().encode()
    return receipts


def _table(party: Organisation, request: Request, result: Mapping[str, Any]) -> bytes | None:
    """Return the noisy table as it was sent, from whichever side this party was."""
    if "release" in result:
        return str(result["release"]).encode()
    row = party.store.row(sa.select(RELEASES.c.artefact).where(RELEASES.c.request == request.id))
    return None if row is None or "table" not in result else str(row.artefact).encode()
