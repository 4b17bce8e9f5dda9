"""A party's store as it is after years: 10,000 finished requests, and a log of a million entries.

Two sessions are real, one report and one list, between this party and a sandbox's partner. Each is
then repeated under other ids and earlier times: its rows, and its entries of the log by the code
that every session writes them with, in groups of one transaction and one checkpoint. Between them
stand entries of every day: somebody read the log, people withdrew, a counterpart broke a rule. One
request in ten is a list; half of those are sent out under a contract with a deadline for
withdrawals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import (
    AuditRead,
    BudgetSpent,
    ConsentSnapshot,
    ConsentWithdrawn,
    Incident,
    ListDisclosed,
    SessionStarted,
)
from audit.entry import Entry
from audit.shapes import Record
from client.sandbox import Sandbox, open_sandbox
from client.sandbox_people import PARTNER, YOU
from commonground import Party
from examples.demo.processes import Party as Served
from party.contract import Contract
from party.contract_file import parse_contract, render_contract
from party.decision import FINISHED
from party.filing import APPROVED, described
from party.journal import Group
from party.ledger import Account
from party.log_pages import entries_of, snapshot_before
from party.organisation import Organisation
from party.request import Request
from party.schema import (
    CONSENT_SNAPSHOTS,
    LEDGER,
    LINEAGE_EVENTS,
    REQUEST_PEERS,
    REQUESTS,
    RESULTS,
    SESSIONS,
)
from party.session_record import result_message

BUDGET: Final = {"epsilon": "1000", "delta": "1e-6"}
CHEAPER: Final = 1_000
"""So many times less than the real one a repeated session is charged, so that all fit."""
CONTRACT: Final = "years"
LIST_DAYS: Final = 30
LISTS: Final = 10
"""One request in so many is a list."""
DAYS: Final = 300
"""Over so many the requests are spread."""
OPEN: Final = 20
"""Requests that are under way; all others are finished."""
_A_GROUP: Final = 100
_RARE: Final = 100
"""Between sessions one entry in so many is that somebody withdrew, and a tenth of that an
incident."""
_DIGEST: Final = "d" * 64
_CHARGED: Final = ("epsilon_nano", "rho_nano", "delta_e15")
_READ: Final[tuple[str, Record]] = ("audit.read", AuditRead("audit.filter"))
_TABLES: Final = (
    REQUESTS, REQUEST_PEERS, CONSENT_SNAPSHOTS, SESSIONS, RESULTS, LEDGER, LINEAGE_EVENTS,
)  # fmt: skip


@dataclass(frozen=True)
class Template:
    """What a real session has left: the request, its rows by table, and its entries."""

    request: Request
    rows: Mapping[sa.Table, tuple[Mapping[str, Any], ...]]
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, party: Organisation, request_id: str) -> Template:
        """Read it of a party's store."""
        rows: dict[sa.Table, tuple[Mapping[str, Any], ...]] = {}
        for table in _TABLES:
            found = party.store.rows(sa.select(table).where(_is_of(table, request_id)))
            rows[table] = tuple(dict(row._mapping) for row in found)
        snapshot = rows[CONSENT_SNAPSHOTS][0]["sequence"]
        entries = party.store.read(lambda c: _entries(c, request_id, snapshot))
        return cls(Request.decode(rows[REQUESTS][0]["body"].encode()), rows, entries)


def _is_of(table: sa.Table, request_id: str) -> sa.ColumnElement[bool]:
    if table is CONSENT_SNAPSHOTS:
        used = sa.select(SESSIONS.c.consent_sequence).where(SESSIONS.c.request == request_id)
        is_of: sa.ColumnElement[bool] = table.c.sequence.in_(used)
        return is_of
    return (table.c.id if table is REQUESTS else table.c.request) == request_id


def _entries(connection: Connection, request_id: str, snapshot: int) -> tuple[Entry, ...]:
    own = entries_of(connection, request=request_id)
    taken = snapshot_before(connection, snapshot, own[-1].seq)
    assert taken is not None
    return tuple(sorted((*own, taken), key=lambda entry: entry.seq))


def make_store(folder: Path, requests: int, entries: int) -> Organisation:
    """Make a party whose store has so many requests, and about so many entries of the log."""
    sandbox = open_sandbox(folder)
    _agree(sandbox)
    report, audience = _real_sessions(sandbox)
    party = Organisation.open(sandbox.you)
    years = _Years(party, Template.of(party, report), Template.of(party, audience), entries)
    years.write(requests)
    return party


def _agree(sandbox: Sandbox) -> None:
    """Sign a second contract, which has room for all that is to come, and a deadline."""
    document = parse_contract((sandbox.folder / "contract.yaml").read_bytes()).to_json()
    document |= {
        "id": CONTRACT,
        "signatures": {},
        "budgets": dict.fromkeys((YOU, PARTNER), BUDGET),
        "list_expiry_days": LIST_DAYS,
        "suppression_days": 7,
    }
    file = sandbox.folder / "years.yaml"
    file.write_text(render_contract(Contract.from_json(document)), encoding="utf-8")
    with Party(sandbox.you) as you, Party(sandbox.partner) as partner:
        for party in (you, partner):
            party.contracts.sign(file)
        for party in (you, partner):
            party.contracts.import_(file)


def _real_sessions(sandbox: Sandbox) -> tuple[str, str]:
    """Return the requests of a report and of a list, which the two parties have made."""
    partner = Served(sandbox.partner)
    partner.serve()
    try:
        with Party(sandbox.you) as you:
            report = you.reach(contract=CONTRACT, segment="segment", epsilon="1")
            return report.id, you.match(contract=CONTRACT).id
    finally:
        partner.stop()


class _Years:
    """Repeats sessions over the days to come, and sets the party's clock to after them."""

    def __init__(
        self, party: Organisation, report: Template, audience: Template, entries: int
    ) -> None:
        self._party, self._report, self._audience = party, report, audience
        self._contract = party.contract(CONTRACT)
        self._began = party.now
        self._entries, self._written = entries, 0
        self._rows: dict[sa.Table, list[dict[str, Any]]] = {}

    def write(self, requests: int) -> None:
        """Write so many requests, and entries between them."""
        for start in range(0, requests, _A_GROUP):
            numbers = range(start, min(requests, start + _A_GROUP))
            self._party.store.write(partial(self._write, numbers=numbers, of=requests))
        now = self._at(requests, requests)
        self._party.clock = lambda: now

    def _at(self, number: int, of: int) -> int:
        return self._began + 3600 + number * DAYS * 86_400 // of

    def _write(self, connection: Connection, numbers: range, of: int) -> None:
        self._rows = {}
        size = self._party.journal.size
        with self._party.journal.group(connection) as group:
            for number in numbers:
                at = self._at(number, of)
                written = self._repeat(group, number, at, is_open=number >= of - OPEN)
                due = (self._entries - size) // (of - numbers.start)
                for _ in range(due - written):
                    self._between(group, at)
        for table in _TABLES:
            if self._rows.get(table):
                connection.execute(sa.insert(table), self._rows[table])

    def _repeat(self, group: Group, number: int, at: int, *, is_open: bool) -> int:
        """Repeat a session, or only its request, and return how many entries that were."""
        is_list, is_sent = number % LISTS == 0, number % (2 * LISTS) == 0
        template = self._audience if is_list else self._report
        new = _Repeated.of(template, self._party, self._contract, at, number, sent=is_sent)
        entries = template.entries[:2] if is_open else template.entries
        for entry in entries:
            group.append(
                entry.kind,
                new.body(entry.body),
                actor=entry.actor,
                session=entry.session,
                contract=entry.contract,
                moment=datetime.fromtimestamp(at, UTC),
            )
        if is_sent and not is_open:
            ends = self._contract.list_expires_at(at)
            disclosed = ListDisclosed(new.request.id, PARTNER, _DIGEST, ends)
            group.append(
                "list.disclosed",
                disclosed,
                actor="session",
                session=_DIGEST,
                contract=self._contract.digest,
                moment=datetime.fromtimestamp(at, UTC),
            )
        for table in _TABLES[:2] if is_open else _TABLES:
            self._rows.setdefault(table, []).extend(new.rows(table, is_open=is_open))
        return len(entries) + (is_sent and not is_open)

    def _between(self, group: Group, at: int) -> None:
        """Write what is written between sessions: mostly that somebody has read the log."""
        self._written += 1
        kind, body = _READ
        if self._written % _RARE == 0:
            kind, body = "consent.withdrawn", ConsentWithdrawn(_DIGEST, _DIGEST)
        elif self._written % (10 * _RARE) == 1:
            incident = Incident("LIMIT_EXCEEDED", "too many calls", PARTNER)
            kind, body = "incident.limit_exceeded", incident
        moment = datetime.fromtimestamp(at, UTC)
        group.append(kind, body, actor="operator", moment=moment)


@dataclass(frozen=True)
class _Repeated:
    """One more session like a template, at another time."""

    template: Template
    party: Organisation
    contract: Contract
    request: Request
    number: int
    later: int
    sent: bool

    @classmethod
    def of(
        cls,
        template: Template,
        party: Organisation,
        contract: Contract,
        at: int,
        number: int,
        *,
        sent: bool,
    ) -> Self:
        """Return it with a request of its own."""
        old = template.request
        later = at - old.created
        roles = {"receiver": PARTNER, "sender": YOU} if sent else old.roles
        new = replace(old, id=token_hex(16), created=at, expires=old.expires + later, roles=roles)
        return cls(template, party, contract, new.sign(party.identity), number, later, sent)

    def body(self, body: Record) -> Record:
        """Return what an entry says, of this session."""
        changed: dict[str, Any] = {}
        if hasattr(body, "request"):
            changed["request"] = self.request.id
        if hasattr(body, "request_hash"):
            changed["request_hash"] = self.request.digest
        if isinstance(body, BudgetSpent):
            changed["window"] = self._window(body.population)
            changed |= {name: getattr(body, name) // CHEAPER for name in _CHARGED}
        if isinstance(body, ConsentSnapshot):
            changed |= {"sequence": self._sequence, "taken_at": self.request.created}
        if isinstance(body, SessionStarted):
            changed["consent"] = replace(body.consent, sequence=self._sequence)
        return replace(body, **changed)

    def rows(self, table: sa.Table, *, is_open: bool) -> Iterator[dict[str, Any]]:
        """Yield what the template has in a table, as it is of this session."""
        for row in self.template.rows[table]:
            new = {**row, "request": self.request.id} if "request" in row else dict(row)
            for name in ("created_at", "updated_at", "started_at", "ended_at", "made_at",
                         "expires_at", "spent_at", "taken_at", "filed_at"):  # fmt: skip
                if new.get(name) is not None:
                    new[name] += self.later
            yield {**new, **self._changed(table, new, is_open=is_open)}

    def _changed(self, table: sa.Table, row: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
        if table is REQUESTS:
            return {
                "id": self.request.id,
                "body": self.request.encode().decode(),
                "number": row["number"] + 2 + self.number,
                "state": APPROVED if is_open else FINISHED,
                **described(self.request, YOU),
            }
        if table is SESSIONS:  # of those that have ended, what they left is deleted
            ended = {"sealed_seed": b"", "ends_at": None, "holders_end_at": None}
            return {**ended, "consent_sequence": self._sequence}
        if table is CONSENT_SNAPSHOTS:
            return {"sequence": self._sequence}
        if table is RESULTS:
            return self._result(row)
        if table is LEDGER:
            cheaper = {name: row[name] // CHEAPER for name in _CHARGED}
            window = self._window(row["population"])
            return {"id": self._place(row["id"]), "window_start": window, **cheaper}
        return {"seq": self._place(row["seq"])} if table is LINEAGE_EVENTS else {}

    def _place(self, place: int) -> int:
        """Return a number that no other row has."""
        return place + 1000 * (self.number + 1)

    def _result(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a result that is signed; of a list that has ended, and of one that was sent."""
        result, list_file, expires = json.loads(row["body"]), row["list_file"], row["expires_at"]
        if self.sent:
            result, list_file, expires = {"role": "sender", "steps": []}, None, None
        elif expires is not None:
            result["expires_at"] = expires
            list_file = list_file if expires > self.request.created else None
        text = json.dumps(result)
        signature = self.party.identity.sign_own(result_message(self.request.id, text))
        return {"body": text, "signature": signature, "list_file": list_file, "expires_at": expires}

    def _window(self, population: str) -> int:
        return Account.of(self.contract, YOU, population, self.request.created).window_start

    @property
    def _sequence(self) -> int:
        return 1000 + self.number
