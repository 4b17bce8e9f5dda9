"""Entries of the log: one spelling, closed kinds, closed fields, and no room for identifiers."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from audit.bodies import (
    KINDS,
    AccessGranted,
    AccessRefused,
    AccessRemoved,
    AuditRead,
    BackupMade,
    BoundChosen,
    Budget,
    BudgetSpent,
    ConsentRecorded,
    ConsentReference,
    ConsentSnapshot,
    ConsentWithdrawn,
    ContractSigned,
    DatasetErased,
    DatasetRegistered,
    DocumentMade,
    ExportMade,
    Incident,
    KeyRotated,
    LineageEmitted,
    ListDisclosed,
    ListSuppressed,
    LookalikeMade,
    PartyCreated,
    PartyRestored,
    PasswordSet,
    PeerForgotten,
    PeerPinned,
    PeerRenewed,
    PeerRestored,
    PeerRevoked,
    ReportReleased,
    ReportSkipped,
    RequestRefused,
    RequestStep,
    RetentionPruned,
    SessionFailed,
    SessionFinished,
    SessionStarted,
    SignedIn,
    SignedOut,
    SignInRefused,
    SubjectAccess,
    SubjectErasure,
)
from audit.entry import MAX_ENTRY_BYTES, Entry, format_time, parse_time
from audit.errors import EntryError
from audit.note import Signer
from audit.shapes import LABEL, NATURAL, MapOf

A, B, C = "a" * 64, "b" * 64, "c" * 64
TIME = "2026-01-05T08:00:00.000001Z"
VKEY = Signer("advertiser.example", bytes(32)).verifier.vkey

REQUEST = {"request": "r-1", "request_hash": A, "kind": "reach"}
SPEND = {
    "request": "r-1",
    "population": "crm 2026",
    "coalition": "channel+vendor",
    "window": 1_767_225_600,
    "epsilon_nano": 500_000_000,
    "rho_nano": 125_000_000,
    "delta_e15": 1_000_000,
    "what": "dp",
}
TERMS = {
    "parties": ("advertiser", "channel"),
    "budgets": {"advertiser": Budget(10**9, 10**6, 30)},
    "consent_max_age_seconds": 86_400,
    "filter": "zcdp",
    "origins": {"advertiser": "advertiser.example", "channel": "channel.example"},
}
CONSENT = {
    "dataset": "crm",
    "root": A,
    "sequence": 7,
    "taken_at": 1_767_600_000,
    "purpose": "dpv:MarketResearch",
    "recipient": "channel",
}
LIST = {"request": "r-1", "recipient": "channel", "list_commitment": C, "expires_at": 1_770_000_000}
EXPORT = {"request": "r-1", "to": "meta", "file_commitment": C, "expires_at": 1_770_000_000}
LOOKALIKE = {
    "request": "r-1",
    "dataset": "crm",
    "snapshot": A,
    "purpose": "dpv:TargetedAdvertising",
    "recipient": "channel",
    "steps": 6,
    "file_commitment": C,
}

ONE_OF_EACH = {
    "party.created": PartyCreated(VKEY, A),
    "party.restored": PartyRestored(1_767_600_000, 3, "closed"),
    "backup.made": BackupMade("sealed"),
    "peer.pinned": PeerPinned("channel", VKEY, A, "joined"),
    "peer.forgotten": PeerForgotten("channel", VKEY, A),
    "peer.renewed": PeerRenewed("channel", VKEY, 1, VKEY, A, B, 1_770_000_000),
    "peer.revoked": PeerRevoked("channel", VKEY, "its laptop was stolen"),
    "peer.restored": PeerRestored("channel", VKEY, "it was found again"),
    "key.rotated": KeyRotated(1, "tls", VKEY, A, B, 1_769_000_000, 1_770_000_000),
    "contract.signed": ContractSigned(**TERMS),
    "document.made": DocumentMade("zh", {"processing-record.zh.md": A}),
    "dataset.registered": DatasetRegistered("客户表", "2026-01-05", ("id.email_sha256", "区域")),
    "dataset.erased": DatasetErased("客户表", "2026-01-05"),
    "consent.recorded": ConsentRecorded(A, B, C),
    "consent.withdrawn": ConsentWithdrawn(A, B),
    "consent.snapshot": ConsentSnapshot(**CONSENT),
    "request.made": RequestStep(**REQUEST),
    "request.approved": RequestStep(**REQUEST),
    "request.refused": RequestRefused(**REQUEST, reason="NOT_GRANTED"),
    "session.started": SessionStarted(
        "r-1", A, B, ConsentReference(A, 7, 1_767_600_000), ("channel",)
    ),
    "budget.spent": BudgetSpent(**SPEND),
    "report.released": ReportReleased("r-1", A, B),
    "list.disclosed": ListDisclosed(**LIST),
    "list.suppressed": ListSuppressed("r-1", "channel", 1, A),
    "export.made": ExportMade(**EXPORT),
    "lookalike.made": LookalikeMade(**LOOKALIKE),
    "bound.chosen": BoundChosen("b-1", "crm", A),
    "report.skipped": ReportSkipped("r-1", 1_767_600_000, "BUDGET_EXHAUSTED"),
    "session.finished": SessionFinished("r-1", A),
    "session.failed": SessionFailed("r-1", "DECLINED"),
    "retention.pruned": RetentionPruned("r-1", "list"),
    "access.granted": AccessGranted("alice", "operator"),
    "access.removed": AccessRemoved("uid-1001", "analyst"),
    "access.refused": AccessRefused("contract.sign"),
    "console.signed_in": SignedIn("password"),
    "console.signed_out": SignedOut(),
    "console.refused": SignInRefused("provider"),
    "console.password": PasswordSet("uid-1001"),
    "audit.read": AuditRead("audit.evidence"),
    "subject.access": SubjectAccess(A, "all"),
    "subject.erasure": SubjectErasure(B),
    "lineage.emitted": LineageEmitted("r-1", "START", A),
    "incident.wrong_answer": Incident("WRONG_ANSWER", "a known answer did not come back"),
}


def make(kind="budget.spent", body=None, **changed):
    rule = KINDS.get(kind)
    fields = {
        "seq": 3,
        "time": TIME,
        "kind": kind,
        "party": "advertiser",
        "actor": "operator",
        "body": body or ONE_OF_EACH[kind],
        "session": B if rule and rule.session.value == "required" else None,
        "contract": C if rule and rule.contract.value == "required" else None,
    }
    return Entry(**fields | changed)


def spelled(**changed):
    """The entry of a charge as JSON that need not be canonical or complete."""
    fields = json.loads(make().encode()) | changed
    return {name: value for name, value in fields.items() if value is not ...}


def canonical(fields):
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_there_is_an_example_of_every_kind():
    assert set(KINDS) == {kind for kind in ONE_OF_EACH if not kind.startswith("incident.")}


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_an_entry_of_each_kind_comes_back_from_its_bytes(kind):
    entry = make(kind)
    assert Entry.parse(entry.encode()) == entry


def test_the_bytes_are_canonical_json_and_the_leaf_is_their_hash():
    data = make().encode()
    assert data == canonical(json.loads(data))
    assert data.startswith(b'{"actor":"operator","body":{"coalition":"channel+vendor"')
    assert make().leaf_hash() == hashlib.sha256(b"\0" + data).digest()


def test_the_optional_fields_come_back():
    body = ConsentSnapshot(**CONSENT, count_commitment=B)
    entry = make("consent.snapshot", body, session=A, contract=C)
    assert Entry.parse(entry.encode()) == entry
    failed = make("session.failed", SessionFailed("r-1", "DECLINED", B), session=A)
    assert Entry.parse(failed.encode()) == failed


def test_time_is_written_in_utc_with_microseconds():
    shanghai = timezone(timedelta(hours=8))
    assert format_time(datetime(2026, 1, 5, 16, 0, 0, 1, shanghai)) == TIME
    assert parse_time(TIME) == datetime(2026, 1, 5, 8, 0, 0, 1, UTC)
    with pytest.raises(EntryError):
        format_time(datetime(2026, 1, 5))


NOT_CANONICAL = {
    "spaces": json.dumps(spelled(), sort_keys=True).encode(),
    "another order": json.dumps(
        dict(sorted(spelled().items(), reverse=True)), separators=(",", ":")
    ).encode(),
    "escaped": canonical(spelled()).replace(b"crm 2026", b"\\u0063rm 2026"),
    "a name twice": canonical(spelled()).replace(b'{"actor":', b'{"actor":"operator","actor":'),
    "newline at the end": canonical(spelled()) + b"\n",
    "byte order mark": b"\xef\xbb\xbf" + canonical(spelled()),
    "UTF-16": canonical(spelled()).decode().encode("utf-16"),
    "minus zero": canonical(spelled(seq=0)).replace(b'"seq":0', b'"seq":-0'),
}
MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "not UTF-8": b'{"a":"\xff"}',
    "lone surrogate": b'{"a":"\\ud800"}',
    "lone surrogate as a name": b'{"\\ud800":1}',
    "nested beyond reason": b"[" * 60_000,
    "a number of 5,000 digits": b'{"v":' + b"9" * 5_000 + b"}",
    "too large": canonical(spelled(actor="a" * MAX_ENTRY_BYTES)),
    "a fraction": canonical(spelled(seq=1.5)),
    "a fraction that is whole": canonical(spelled()).replace(b'"seq":3', b'"seq":3.0'),
    "an exponent": canonical(spelled()).replace(b'"seq":3', b'"seq":3e0'),
    "NaN": canonical(spelled()).replace(b'"seq":3', b'"seq":NaN'),
    "an integer beyond 2**53": canonical(spelled(seq=2**53)),
}
WRONG_FIELDS = {
    **{f"no {name}": spelled(**{name: ...}) for name in make().__dict__ if name != "session"},
    "no version": spelled(v=...),
    "unknown field": spelled(note="x"),
    "null": spelled(session=None),
    "another version": spelled(v=2),
    "true for the version": spelled(v=True),
    "version as text": spelled(v="1"),
    "negative number": spelled(seq=-1),
    "true for a number": spelled(seq=True),
    "number as text": spelled(seq="3"),
    "unknown kind": spelled(kind="budget.refunded"),
    "kind with a body of another": spelled(kind="session.finished"),
    "kind that is no text": spelled(kind=["budget.spent"]),
    "wildcard of a kind": spelled(kind="incident.*"),
    "local time": spelled(time="2026-01-05T08:00:00.000001+00:00"),
    "seconds only": spelled(time="2026-01-05T08:00:00Z"),
    "no such day": spelled(time="2026-02-30T08:00:00.000001Z"),
    "leap second": spelled(time="2026-12-31T23:59:60.000001Z"),
    "digits of another script": spelled(time="２026-01-05T08:00:00.000001Z"),
    "address for an actor": spelled(actor="anna@example.com"),
    "empty party": spelled(party=""),
    "party with a line break": spelled(party="a\nb"),
    "party with a space around": spelled(party=" a"),
    "contract that is no hash": spelled(contract="c-1"),
    "contract in capitals": spelled(contract="C" * 64),
    "session that is no id": spelled(session="s"),
    "body that is no object": spelled(body=[]),
}


@pytest.mark.parametrize("data", NOT_CANONICAL.values(), ids=NOT_CANONICAL.keys())
def test_another_spelling_of_a_right_entry_is_refused(data):
    with pytest.raises(EntryError):
        Entry.parse(data)


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_entry_is_refused(data):
    with pytest.raises(EntryError):
        Entry.parse(data)


@pytest.mark.parametrize("fields", WRONG_FIELDS.values(), ids=WRONG_FIELDS.keys())
def test_an_entry_with_a_wrong_field_is_refused(fields):
    with pytest.raises(EntryError):
        Entry.parse(canonical(fields))


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_body_with_a_field_more_or_less_or_null_is_refused(kind):
    fields = json.loads(make(kind).encode())
    bodies = [fields["body"] | {"more": 1}]
    for name in fields["body"]:
        bodies.append({n: v for n, v in fields["body"].items() if n != name})
        bodies.append(fields["body"] | {name: None})
        bodies.append(fields["body"] | {name: {"x": []}})
    for body in bodies:
        with pytest.raises(EntryError):
            Entry.parse(canonical(fields | {"body": body}))


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_names_session_and_contract_as_its_kind_asks(kind):
    for name, rule in (("session", KINDS[kind].session), ("contract", KINDS[kind].contract)):
        if rule.value == "required":
            with pytest.raises(EntryError, match=f"{name} of {kind} must be given"):
                make(kind, **{name: None})
        if rule.value == "absent":
            with pytest.raises(EntryError, match=f"{name} of {kind} must be left out"):
                make(kind, **{name: A})


@pytest.mark.parametrize(
    "make_body",
    [
        lambda: PartyCreated(VKEY + "x", A),
        lambda: PartyCreated(VKEY, "AA:BB"),
        lambda: PeerPinned("channel", VKEY, A, "guessed"),
        lambda: PeerPinned("channel", VKEY + "x", A, "joined"),
        lambda: PeerForgotten("channel", VKEY + "x", A),
        lambda: PeerForgotten("channel", VKEY, "AA:BB"),
        lambda: ContractSigned(**TERMS | {"parties": ("advertiser",)}),
        lambda: ContractSigned(**TERMS | {"parties": ("advertiser", "advertiser")}),
        lambda: ContractSigned(**TERMS | {"parties": ("a", "b", "c", "d")}),
        lambda: ContractSigned(**TERMS | {"parties": ("channel", "vendor")}),
        lambda: ContractSigned(**TERMS | {"parties": ["advertiser", "channel"]}),
        lambda: ContractSigned(**TERMS | {"budgets": {}}),
        lambda: ContractSigned(**TERMS | {"origins": {"advertiser": "advertiser.example"}}),
        lambda: ContractSigned(**TERMS | {"budgets": {"advertiser": {"epsilon_nano": 1}}}),
        lambda: ContractSigned(**TERMS | {"consent_max_age_seconds": 1.5}),
        lambda: ContractSigned(**TERMS | {"filter": "renyi"}),
        lambda: Budget(10**9, 10**6, 0),
        lambda: Budget(-1, 10**6, 30),
        lambda: Budget(True, 10**6, 30),
        lambda: DatasetRegistered("crm", "s", ()),
        lambda: DatasetRegistered("crm", "s", ("id", "anna@example.com")),
        lambda: DatasetRegistered("crm", "s", ("id", 7)),
        lambda: DatasetRegistered("crm", "s", ("a", "a")),
        lambda: RequestRefused(**REQUEST, reason="because"),
        lambda: RequestStep(**REQUEST | {"request": "r 1"}),
        lambda: BudgetSpent(**SPEND | {"what": "other"}),
        lambda: BudgetSpent(**SPEND | {"what": "disclosure"}),
        lambda: BudgetSpent(**SPEND | {"epsilon_nano": 0.5}),
        lambda: BudgetSpent(**SPEND | {"epsilon_nano": 2**53}),
        lambda: BudgetSpent(**SPEND | {"population": "anna@example.com"}),
        lambda: ConsentSnapshot(**CONSENT | {"purpose": "MarketResearch"}),
        lambda: ConsentSnapshot(**CONSENT | {"purpose": "mailto:anna@example.com"}),
        lambda: ConsentSnapshot(**CONSENT | {"root": A.upper()}),
        lambda: SessionStarted("r-1", A, B, {"root": A}, ("channel",)),
        lambda: SessionStarted("r-1", A, B, ConsentReference(A, 7, 1), ()),
        lambda: SessionFailed("r-1", "DECLINED", "x"),
    ],
)
def test_a_body_out_of_shape_is_not_made(make_body):
    with pytest.raises(EntryError):
        make_body()


@pytest.mark.parametrize(
    "what",
    [
        "anna@example.com did not match",
        "+8613812345678 came back twice",
        "138-1234-5678 came back",
        "d41d8cd98f00b204e9800998ecf8427e was missing",
        "two\nlines",
        "",
        "x" * 501,
    ],
)
def test_an_incident_tells_nothing_that_looks_like_an_identifier(what):
    with pytest.raises(EntryError) as refused:
        Incident("WRONG_ANSWER", what)
    assert not what or what not in str(refused.value)


def test_an_entry_beyond_64_kib_is_not_written():
    columns = tuple(f"{'c' * 295}{i:04}" for i in range(300))
    entry = make("dataset.registered", DatasetRegistered("crm", "s", columns))
    with pytest.raises(EntryError, match="65535"):
        entry.encode()


def test_an_entry_beyond_64_kib_is_not_read_whatever_it_says():
    """Refused by its size: nothing else is wrong with it."""
    columns = [f"{'c' * 295}{i:04}" for i in range(300)]
    fields = json.loads(make("dataset.registered").encode())
    fields["body"]["columns"] = columns
    with pytest.raises(EntryError, match="65535"):
        Entry.parse(canonical(fields))
    fields["body"]["columns"] = columns[:200]
    Entry.parse(canonical(fields))


def test_the_names_of_an_object_have_a_shape_too():
    with pytest.raises(EntryError):
        MapOf(LABEL, NATURAL, 3).check({"anna@example.com": 1}, "budgets")


def test_a_body_of_another_kind_is_not_written():
    with pytest.raises(EntryError):
        make("budget.spent", ONE_OF_EACH["session.finished"], contract=C)
