"""Check the evidence for one request of commonground, with Python's standard library alone.

    python3 -I verify.py                     the folder that this file lies in
    python3 -I verify.py evidence.zip        a zip as it came, without unpacking it
    python3 -I verify.py a.zip --with b.zip  and that a counterpart's evidence tells the same
    python3 -I verify.py --contract HASH     and that it is this contract, whose hash you know

It needs no network, no program of the parties and none of their folders. It stops at the first
thing that does not hold, names it, and ends with 1; it ends with 0 when all of this holds:

  files        each is as the party that hands them over signed it, none is missing or put in
  contract     all of its parties signed this text
  request      the party that asks signed it, under this contract
  checkpoints  the log's key signed them, counterparts cosigned them, the later extends the earlier
  entries      each stands in the log's Merkle tree at its place (RFC 6962); times do not go back
  story        contract, consent, charge, session, release, end: in this order, by the contract
  transcript   session id and transcript hash follow from what the parties said to each other
  table        it is the one that the log and the transcript have, and the report's cells are its

What it cannot show: that the log has no other charge in the window (only the whole log can), what
the party did outside of this program, that the data and the consents are true, that the numbers
follow from the table (who has the program computes them again), and that keys belong to whom they
name: compare the hash and the keys that it prints with what you know.

Sources: RFC 8032 (Ed25519), RFC 8785 (canonical JSON), RFC 9162 section 2.1 (Merkle proofs), and
of C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof. docs/audit.md says the rest.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import math
import re
import struct
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, localcontext
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, Tuple  # noqa: UP035

MOST_FILES, MOST_FILE_BYTES, MOST_BYTES = 20_000, 32 * 2**20, 256 * 2**20
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,80}(?:/[a-z0-9][a-z0-9_.-]{0,80})?")
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
EVIDENCE = "commonground/evidence/v1"
ROLES = ("receiver", "sender", "tabulator", "recipient", "third")
OWN_REFERENCES = ("csv", "parquet")
RESULT_FILES = ("transcript.json", "table.json", "report.json")
SLACK_SECONDS = 300  # a counterpart's snapshot is judged when it greets, a little earlier
EMPTY_ROOT = sha256(b"").digest()
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError)
"""What Python says where a part is missing or is something else than it should be."""


class Refused(Exception):  # noqa: N818 - what a reader calls it
    """Something does not hold; the message says what and where."""


def need(holds: object, otherwise: str) -> None:
    """Stop with what does not hold."""
    if not holds:
        raise Refused(otherwise)


# -- Ed25519, RFC 8032 section 5.1 ---------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)
Point = Tuple[int, int, int, int]  # noqa: UP006 - this file runs on 3.8


def add(one: Point, other: Point) -> Point:
    """Add two points in extended coordinates (X, Y, Z, T), x = X/Z, y = Y/Z, xy = T/Z."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    """Multiply a point."""
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def decoded(data: bytes) -> Point:
    """Read a point from 32 bytes, in their one canonical form."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    need(y < P, "a key is not a point of the curve")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    need((x * x - square) % P == 0 and (x or not sign), "a key is not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def encoded(point: Point) -> bytes:
    """Write a point as 32 bytes."""
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, -1, P) % P
BASE = decoded(BASE_Y.to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a key signed a message: whether [s]B - [k]A is written as R."""
    if len(public) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    x, y, z, t = decoded(public)
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return encoded(add(times(s, BASE), times(k, (-x % P, y, z, -t % P)))) == signature[:32]


# -- text forms ----------------------------------------------------------------------------------


def unbase64(text: str, what: str) -> bytes:
    """Read base64 in its one canonical spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Refused(f"{what} is not base64") from None
    need(base64.b64encode(data).decode() == text, f"{what} is not in canonical base64")
    return data


def canonical(value: object) -> bytes:
    """Return JSON by RFC 8785, for values without fractions."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return b"{%s}" % b",".join(canonical(n) + b":" + canonical(value[n]) for n in names)
    if isinstance(value, list):
        return b"[%s]" % b",".join(map(canonical, value))
    need(not isinstance(value, float), "a number with a fraction stands where none may be")
    return json.dumps(value, ensure_ascii=False).encode()


def read_json(data: bytes, what: str, *, exact: bool = True) -> Any:  # noqa: ANN401 - JSON
    """Read JSON; `exact` requires the canonical form, which has no name twice."""
    try:
        value = json.loads(data)
        need(not exact or canonical(value) == data, f"{what} is not canonical JSON")
    except (ValueError, RecursionError):
        raise Refused(f"{what} is not JSON in UTF-8") from None
    return value


@dataclass(frozen=True)
class Key:
    """A key in C2SP's text form, name+id+base64(algorithm, key)."""

    name: str
    public: bytes

    @classmethod
    def read(cls, vkey: str) -> Key:
        """Read a key of algorithm 01; its id is checked."""
        name, number, material = vkey.split("+", 2)
        data = unbase64(material, f"the key of {name}")
        need(len(data) == 33 and data[0] == 1, f"the key of {name} is not Ed25519")
        key = cls(name, data[1:])
        need(key.number(1).hex() == number, f"the id in the key of {name} is not that of the key")
        return key

    def number(self, algorithm: int) -> bytes:
        """Return the id: 01 signs the own log, 04 cosigns those of others."""
        named = self.name.encode() + b"\n" + bytes([algorithm])
        return sha256(named + self.public).digest()[:4]


@dataclass(frozen=True)
class Checkpoint:
    """What a signed checkpoint says, and who cosigned it, each with the time."""

    size: int
    root: bytes
    cosigned: tuple[tuple[str, int], ...] = ()


def read_checkpoint(note: str, log: Key, others: list[Key], what: str) -> Checkpoint:
    """Verify a checkpoint of a log and every cosignature of a known key on it."""
    body, blank, lines = note.rpartition("\n\n")
    parts = body.split("\n")
    need(blank and lines.endswith("\n") and len(parts) == 3, f"{what} is not a checkpoint")
    need(parts[0] == log.name, f"{what} is of another log than {log.name}")
    need(re.fullmatch(r"0|[1-9][0-9]{0,18}", parts[1]), f"{what} has no size")
    size, text, signed, cosigned = int(parts[1]), (body + "\n").encode(), False, []
    for line in lines[:-1].split("\n"):
        dash, name, data = line.split(" ")
        need(dash == "\u2014", f"{what} has a malformed signature line")
        blob = unbase64(data, f"a signature on {what}")
        number, blob = blob[:4], blob[4:]
        if (name, number) == (log.name, log.number(1)):
            need(is_signed(log.public, text, blob), f"{what}: the signature of {name} is wrong")
            signed = True
        for other in others:
            if (name, number) == (other.name, other.number(4)) and len(blob) == 72:
                time = int.from_bytes(blob[:8], "big")
                message = b"cosignature/v1\ntime %d\n" % time + text
                holds = is_signed(other.public, message, blob[8:])
                need(holds, f"{what}: the cosignature of {name} is not one of this checkpoint")
                cosigned.append((name, time))
    need(signed, f"{what} is not signed by the key of {log.name}")
    return Checkpoint(size, unbase64(parts[2], f"the root of {what}"), tuple(cosigned))


# -- the Merkle tree, RFC 9162 section 2.1 -------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them."""
    return sha256(b"\x01" + left + right).digest()


def is_included(data: bytes, index: int, mark: Checkpoint, proof: list[bytes]) -> bool:
    """Tell whether an entry is the one at `index` of a checkpoint's tree."""
    computed, position, last = sha256(b"\x00" + data).digest(), index, mark.size - 1
    for sibling in proof:
        if last <= 0:
            return False
        if position & 1 or position == last:
            computed = node(sibling, computed)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            computed = node(computed, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and computed == mark.root


def extends(new: Checkpoint, old: Checkpoint, proof: list[bytes]) -> bool:
    """Tell whether a tree begins with all the leaves of an older one."""
    if old.size in (0, new.size):
        return not proof and (old.root == (new.root if old.size else EMPTY_ROOT))
    if old.size > new.size:
        return False
    path = proof if old.size & (old.size - 1) else [old.root, *proof]
    shift = (old.size & -old.size).bit_length() - 1
    position, last = (old.size - 1) >> shift, (new.size - 1) >> shift
    if not path:
        return False
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = node(sibling, before), node(sibling, after)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            after = node(after, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and (before, after) == (old.root, new.root)


# -- the bundle ----------------------------------------------------------------------------------


@dataclass
class Bundle:
    """The files of one evidence, and what is established of them so far.

    `said` is what was found right, in words, and `open` what could not be checked.
    """

    files: dict[str, bytes]
    manifest: dict[str, Any]
    log: Key
    party: str = ""
    contract: dict[str, Any] = field(default_factory=dict)
    contract_hash: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    request_hash: str = ""
    notes: list[str] = field(default_factory=list)
    marks: list[Checkpoint] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    story: Story | None = None
    said: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a file as text."""
        need(name in self.files, f"{name} is missing")
        return self.files[name].decode()


def participants(request: dict[str, Any]) -> list[str]:
    """Return the parties of a request in the order of their roles in the protocol."""
    return [request["roles"][role] for role in ROLES if role in request["roles"]]


def read_files(path: Path) -> dict[str, bytes]:
    """Read a zip or a folder, in bounds; nothing is unpacked."""
    files: dict[str, bytes] = {}
    if path.is_dir():
        found = [one for one in sorted(path.rglob("*")) if one.is_file()]
        need(len(found) <= MOST_FILES, f"{path} has more than {MOST_FILES} files")
        for one in found:
            need(one.stat().st_size <= MOST_FILE_BYTES, f"{one} is too large")
            files[one.relative_to(path).as_posix()] = one.read_bytes()
        return files
    with zipfile.ZipFile(path) as packed:
        members = [one for one in packed.infolist() if not one.is_dir()]
        need(len(members) <= MOST_FILES, f"{path} has more than {MOST_FILES} files")
        need(sum(one.file_size for one in members) <= MOST_BYTES, f"{path} is too large")
        for member in members:
            need(member.file_size <= MOST_FILE_BYTES, f"{member.filename} is too large")
            need(member.filename not in files, f"{member.filename} stands twice in the zip")
            files[member.filename] = packed.read(member)
    return files


def open_bundle(path: Path) -> Bundle:
    """Read the files and hold each against the manifest that the party signed."""
    files = read_files(path)
    need(MANIFEST in files and SIGNATURE in files, f"{path} is no evidence: {MANIFEST} is missing")
    manifest = read_json(files[MANIFEST], MANIFEST)
    need(manifest.get("evidence") == EVIDENCE, f"this file checks {EVIDENCE} and nothing else")
    log = Key.read(manifest["log"])
    signature = unbase64(files[SIGNATURE].decode().strip(), SIGNATURE)
    message = EVIDENCE.encode() + b"\n" + files[MANIFEST]
    need(is_signed(log.public, message, signature), f"{MANIFEST}: not signed by {log.name}")
    listed = manifest["files"]
    for name in listed:
        need(FILE_NAME.fullmatch(name), "the manifest names a file by no name that may be")
        need(name in files, f"{name} is missing")
        found = sha256(files[name]).hexdigest() == listed[name]
        need(found, f"{name} was changed after {log.name} had signed it")
    more = sorted(files.keys() - listed.keys() - {MANIFEST, SIGNATURE})
    need(not more, f"{', '.join(more[:3])} was put in after {log.name} had signed the evidence")
    said = f"files: {len(listed)}, as {log.name} signed them"
    return Bundle(files, manifest, log, said=[said])


def check_contract(bundle: Bundle) -> None:
    """Require the signatures of all parties, and take their keys from the contract."""
    document = read_json(bundle.files.get("contract.json", b""), "contract.json")
    signatures = document.pop("signatures", {})
    signed = canonical(document)
    bundle.contract, bundle.contract_hash = document, sha256(signed).hexdigest()
    for name, card in document["parties"].items():
        key = bundle.keys[name] = Key.read(card["identity"])
        blob = unbase64(signatures.get(name, ""), f"the contract's signature of {name}")
        holds = is_signed(key.public, b"commonground/contract/v1\n" + signed, blob)
        need(holds, f"contract.json: the signature of {name} does not cover this text")
        if key == bundle.log:
            bundle.party = name
    need(bundle.party, f"contract.json: none of its parties has the key of {bundle.log.name}")
    names = " and ".join(document["parties"])
    bundle.said.append(f"contract: {document['id']}, signed by {names}")


def check_request(bundle: Bundle) -> None:
    """Require the asker's signature, and that request, contract and manifest name each other."""
    document = read_json(bundle.files.get("request.json", b""), "request.json")
    signature = unbase64(document.pop("signature", ""), "the request's signature")
    text = canonical(document)
    bundle.request, bundle.request_hash = document, sha256(text).hexdigest()
    under = document["contract"] == bundle.contract_hash
    need(under, "request.json: it is under another contract")
    need(document["id"] == bundle.manifest["request"], "request.json: not the manifest's request")
    need(document["requester"] in bundle.keys, "request.json: who asks is not in the contract")
    asker = bundle.keys[document["requester"]]
    holds = is_signed(asker.public, b"commonground/request/v1\n" + text, signature)
    need(holds, f"request.json: not signed by {document['requester']}")
    granted = any(
        grant["kind"] == document["kind"]
        and grant["purpose"] == document["purpose"]
        and all(grant.get(role) == party for role, party in document["roles"].items())
        for grant in bundle.contract["outputs"]
    )
    need(granted, "request.json: the contract grants no such output for this purpose")
    bundle.said.append(
        f"request: {document['id']}, {document['kind']} for {document['purpose']}, "
        f"signed by {document['requester']}"
    )


def check_checkpoints(bundle: Bundle) -> None:
    """Verify the log's checkpoints, and those of counterparts that this party cosigned."""
    others = [key for key in bundle.keys.values() if key != bundle.log]
    names = ["checkpoints/cosigned.txt", "checkpoints/latest.txt"]
    for name in names:
        if name in bundle.files or name == names[1]:
            bundle.notes.append(bundle.text(name))
            bundle.marks.append(read_checkpoint(bundle.notes[-1], bundle.log, others, name))
    vouched = bundle.marks[0].cosigned
    if len(bundle.marks) == 2:
        lines = bundle.text("checkpoints/consistency.txt").split()
        proof = [unbase64(line, "the consistency proof") for line in lines]
        need(
            extends(bundle.marks[1], bundle.marks[0], proof),
            "checkpoints/latest.txt does not extend the cosigned one: forked or rolled back",
        )
    for name in sorted(bundle.files):
        if name.startswith("checkpoints/seen-"):
            party = name[len("checkpoints/seen-") : -len(".txt")]
            need(party in bundle.keys, f"{name}: {party} is no party of the contract")
            mark = read_checkpoint(bundle.text(name), bundle.keys[party], [bundle.log], name)
            need(mark.cosigned, f"{name}: {bundle.log.name} did not cosign it")
    by = ", ".join(f"{name} at {time}" for name, time in vouched)
    if vouched:
        bundle.said.append(f"checkpoints: {bundle.marks[0].size} entries, cosigned by {by}")
    else:
        bundle.said.append(f"checkpoints: {bundle.marks[0].size} entries, signed by their owner")
        bundle.open.append("no counterpart cosigned a checkpoint: the owner alone vouches for it")


def check_entries(bundle: Bundle) -> None:
    """Verify each receipt: the entry is in the tree of a checkpoint that was verified."""
    notes = dict(zip(bundle.notes, bundle.marks))  # noqa: B905 - this file runs on 3.8
    late, receipts = 0, {}
    for name in bundle.files:
        if name.startswith("entries/"):
            receipts[int(name[len("entries/") : -len(".tlog-proof")])] = name
    for index in sorted(receipts):
        head, _, note = bundle.text(receipts[index]).partition("\n\n")
        kind, extra, place, *hashes = head.split("\n")
        where = f"entry {index}"
        need(kind == "c2sp.org/tlog-proof@v1", f"{where}: its file is no receipt of a log")
        need(place == f"index {index}", f"{where}: its receipt is of another entry")
        data = unbase64(extra.replace("extra ", "", 1), where)
        proof = [unbase64(line, f"{where}: its proof") for line in hashes]
        need(note in notes, f"{where}: its receipt rests on another checkpoint than the bundle's")
        found = is_included(data, index, notes[note], proof)
        need(found, f"{where}: it is not in the log: it was changed, put in or moved")
        late += not notes[note].cosigned
        entry = read_json(data, where)
        bundle.entries.append(entry)
        need(entry.get("seq") == index, f"{where}: it says that it is entry {entry.get('seq')}")
        need(entry.get("v") == 1, f"{where}: it is of another version of the log")
        need(TIME.fullmatch(entry["time"]), f"{where}: its time is malformed")
        before = bundle.entries[-2]["time"] if len(bundle.entries) > 1 else ""
        need(before <= entry["time"], f"{where}: its time is before that of an earlier entry")
        need(entry["party"] == bundle.entries[0]["party"], f"{where}: it is of another party")
    bundle.said.append(f"entries: {len(bundle.entries)}, each in the log at its place")
    if late and any(mark.cosigned for mark in bundle.marks):
        bundle.open.append(f"{late} entries came after the last cosigned checkpoint")


# -- what the entries say together ---------------------------------------------------------------


@dataclass
class Story:
    """What the entries established so far, in the order of the log."""

    bundle: Bundle
    signed: bool = False
    asked: bool = False
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    charges: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    paid: set[str] = field(default_factory=set)
    started: dict[str, Any] | None = None
    started_at: int = 0
    session: str | None = None
    released: dict[str, Any] | None = None
    list_ends: int | None = None
    runs: list[str] = field(default_factory=list)
    ended: str | None = None
    transcript: str | None = None
    deleted: bool = False
    beyond: set[str] = field(default_factory=set)

    def take(self, entry: dict[str, Any]) -> None:
        """Hold an entry against what stands before it."""
        kind, body = entry["kind"], entry["body"]
        if entry["seq"] == 0:
            self.begin(kind, body)
            return
        need(kind != "party.created", "a log is created once, by its first entry")
        ours = body.get("request") == self.bundle.request["id"]
        if ours or kind == "contract.signed":
            need(entry.get("contract") == self.bundle.contract_hash, "it names another contract")
        if ours and entry.get("session"):
            need(self.session in (None, entry["session"]), "it names another session")
            self.session = entry["session"]
        rule = RULES.get(kind)
        if kind == "budget.spent":
            self.spend(entry, body, ours)
        elif rule and (ours or kind in ("contract.signed", "consent.snapshot")):
            need(self.signed or kind == "contract.signed", "no contract.signed stands before it")
            rule(self, entry, body)
        elif not kind.startswith("dataset."):
            self.beyond.add(kind)

    def begin(self, kind: str, body: dict[str, Any]) -> None:
        """The first entry has the log's key and the certificate that the contract pins."""
        need(kind == "party.created", "a log begins with party.created")
        need(Key.read(body["vkey"]) == self.bundle.log, "the log was created with another key")
        card = self.bundle.contract["parties"][self.bundle.party]
        pinned = card["fingerprint"] == "sha256:" + body["certificate"]
        need(pinned, "the contract pins another certificate than the log was created with")

    def sign(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """The terms in the log are those of the contract."""
        contract = self.bundle.contract
        need(not self.signed, "the contract is entered twice")
        same = sorted(body["parties"]) == sorted(contract["parties"])
        need(same, "its parties are not the contract's")
        origins = {name: key.name for name, key in self.bundle.keys.items()}
        need(body["origins"] == origins, "its logs are not those of the contract's keys")
        age = contract["consent_max_age_hours"] * 3600
        need(body["consent_max_age_seconds"] == age, "the age of consent is not the contract's")
        need(body["filter"] == contract["filter"], "the filter is not the contract's")
        for party, budget in contract["budgets"].items():
            written = {
                "epsilon_nano": int(Decimal(budget["epsilon"]).scaleb(9)),
                "delta_e15": int(Decimal(budget["delta"]).scaleb(15)),
                "window_days": contract["window_days"],
            }
            need(body["budgets"].get(party) == written, "a budget is not the contract's")
        self.signed = True

    def ask(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """The request in the log is the one that was signed."""
        same = body["request_hash"] == self.bundle.request_hash
        need(same, "it is about another text of the request")
        need(body["kind"] == self.bundle.request["kind"], "it is about another kind of request")
        self.asked = True

    def consent(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """Note a snapshot."""
        self.snapshots.append(body)

    def spend(self, entry: dict[str, Any], body: dict[str, Any], ours: bool) -> None:
        """Note a charge; one of this request is within the budget of its window."""
        need(self.signed or not ours, "no contract.signed stands before it")
        need(body["window"] <= seconds(entry), "its window begins after it")
        self.charges.append((seconds(entry), body))
        if not ours:
            return
        need(not self.ended, "it charges a session that has ended")
        others = sorted(key.name for key in self.bundle.keys.values() if key != self.bundle.log)
        need(body["coalition"] == ", ".join(others), "its coalition is not all other parties")
        if body["what"] == "disclosure":
            amount = body["epsilon_nano"], body["rho_nano"], body["delta_e15"]
            need(amount == (0, 0, 0), "a disclosure is no private release and has no ε")
        self.paid.add(body["what"])
        members = set(body["coalition"].split(", "))
        shared = [
            charge
            for time, charge in self.charges
            if time >= body["window"]
            and charge["population"] == body["population"]
            and members & set(charge["coalition"].split(", "))
        ]
        total = {
            name: sum(charge[name] for charge in shared)
            for name in ("epsilon_nano", "rho_nano", "delta_e15")
        }
        require_within(self.bundle.contract, self.bundle.party, total)

    def start(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A session rests on a charge and on a snapshot that was fresh enough."""
        need(not self.started and not self.ended, "a session starts once")
        need(self.asked, "no entry about its request stands before it")
        need(self.paid, "no budget.spent for its request stands before it")
        consent = body["consent"]
        known = [one for one in self.snapshots if all(one[n] == consent[n] for n in consent)]
        need(known, "no consent.snapshot stands before it that it rests on")
        others = [one for one in participants(self.bundle.request) if one != self.bundle.party]
        purpose = known[-1]["purpose"] == self.bundle.request["purpose"]
        need(purpose, "its consent snapshot is for another purpose than the request's")
        need(sorted(body["others"]) == sorted(others), "its other parties are not the request's")
        whom = known[-1]["recipient"] == ", ".join(others)
        need(whom, "its consent snapshot is for another recipient than the request's")
        age = seconds(entry) - consent["taken_at"]
        most = self.bundle.contract["consent_max_age_hours"] * 3600
        need(age >= 0, "its consent snapshot was taken after the session started")
        need(age <= most, f"its consent snapshot was {age} seconds old; {most} are allowed")
        self.started, self.started_at = body, seconds(entry)

    def release(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A table was charged before it was released."""
        self.require_open()
        need("dp" in self.paid, "no budget.spent (dp) for its request stands before it")
        tabulator = self.bundle.request["roles"].get("tabulator")
        need(tabulator == self.bundle.party, "it is released by a party that is not its tabulator")
        self.released = body

    def disclose(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A list was charged before it was disclosed, and goes to the request's receiver."""
        self.require_open()
        need("disclosure" in self.paid, "no budget.spent (disclosure) stands before it")
        receiver = self.bundle.request["roles"].get("receiver")
        need(body["recipient"] == receiver, "it goes to another party than the request's receiver")
        self.end_list(body)

    def suppress(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """Runs on a list count from 1 without a gap, and never repeat their points."""
        need(self.ended == "finished" or self.list_ends, "there is no list before it")
        need(body["run"] == len(self.runs) + 1, "the runs on a list count from 1 without a gap")
        need(body["digest"] not in self.runs, "an earlier run on this list had the same points")
        self.runs.append(body["digest"])

    def export(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A list is exported while it lives."""
        need(self.ended == "finished", "no session.finished stands before it")
        self.end_list(body)
        lives = not self.deleted and seconds(entry) < body["expires_at"]
        need(lives, "its list had ended or was deleted before")
        granted = [
            platform
            for grant in self.bundle.contract["outputs"]
            if grant.get("receiver") == self.bundle.party
            for platform in grant.get("export_to", ())
        ]
        need(body["to"] in (*OWN_REFERENCES, *granted), "the contract grants no export there")

    def prune(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """Note that a list was deleted."""
        self.deleted = self.deleted or body["what"] == "list"

    def end_list(self, body: dict[str, Any]) -> None:
        """A list has one end."""
        need(self.list_ends in (None, body["expires_at"]), "its list ends at another time")
        self.list_ends = body["expires_at"]

    def finish(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A session ends once."""
        need(self.started, "no session.started stands before it")
        need(not self.ended, "a session ends once")
        self.ended, self.transcript = "finished", body["transcript"]

    def fail(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A session ends once, also without a result."""
        need(not self.ended, "a session ends once")
        self.ended, self.transcript = "failed", body.get("transcript")

    def refuse(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A request that is refused has no session."""
        self.ask(entry, body)
        need(not self.started, "its session had started before")
        self.ended = "refused"

    def require_open(self) -> None:
        """What is released or disclosed is so in a session that has started."""
        need(self.started, "no session.started stands before it")
        need(not self.ended, "its session had ended before")


RULES = {
    "contract.signed": Story.sign,
    "consent.snapshot": Story.consent,
    "request.made": Story.ask,
    "request.approved": Story.ask,
    "request.refused": Story.refuse,
    "session.started": Story.start,
    "report.released": Story.release,
    "list.disclosed": Story.disclose,
    "list.suppressed": Story.suppress,
    "export.made": Story.export,
    "retention.pruned": Story.prune,
    "session.finished": Story.finish,
    "session.failed": Story.fail,
}


def seconds(entry: dict[str, Any]) -> int:
    """Return the time of an entry as POSIX seconds, rounded down."""
    return math.floor(datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp())


def require_within(contract: dict[str, Any], party: str, total: dict[str, Any]) -> None:
    """Hold the charges since a window began against the contract's budget, by its filter."""
    budget = contract["budgets"][party]
    epsilon = int(Decimal(budget["epsilon"]).scaleb(9))
    delta = int(Decimal(budget["delta"]).scaleb(15))
    if contract["filter"] == "basic":
        holds = total["epsilon_nano"] <= epsilon and total["delta_e15"] <= delta
    else:
        left = delta - total["delta_e15"]
        holds = left > 0 and zcdp_epsilon(total["rho_nano"], left) <= epsilon
    need(holds, "with it more is spent since its window began than the contract allows")


def zcdp_epsilon(rho_nano: int, delta_e15: int) -> int:
    """Return the least ε in 1e-9, rounded down, at which ρ-zCDP is (ε, δ)-DP.

    It is the least (1+x)ρ + ln(1/((1+x)δ))/x + ln(x/(1+x)); the slope is ρ - ln(1/((1+x)δ))/x².
    """
    rho, delta = rho_nano / 10**9, delta_e15 / 10**15
    low, high = 0.0, 1 / delta
    for _ in range(120):
        middle = (low + high) / 2
        if rho * middle**2 < -math.log(delta) - math.log1p(middle):
            low = middle
        else:
            high = middle
    with localcontext() as context:
        context.prec = 60
        x, exact = Decimal(high), Decimal(delta_e15).scaleb(-15)
        loss = (1 + x) * Decimal(rho_nano).scaleb(-9)
        loss += -((1 + x) * exact).ln() / x + (x / (1 + x)).ln()
        return max(0, int(loss.scaleb(9).to_integral_value(rounding=ROUND_FLOOR)))


def check_story(bundle: Bundle) -> None:
    """Hold every entry against those before it, and require that the story has an end."""
    story = bundle.story = Story(bundle)
    need(bundle.entries and bundle.entries[0]["seq"] == 0, "entry 0 is missing")
    for entry in bundle.entries:
        try:
            story.take(entry)
        except (Refused, *MALFORMED) as error:
            why = str(error) if isinstance(error, Refused) else "its body is malformed"
            raise Refused(f"entry {entry['seq']} ({entry['kind']}): {why}") from None
    need(story.signed, "there is no contract.signed")
    need(story.started or story.ended or not story.paid, "there is no session.started")
    roles = bundle.request["roles"]
    if story.ended == "finished" and roles.get("tabulator") == bundle.party:
        need(story.released, "the session finished and there is no report.released")
    if story.ended == "finished" and roles.get("sender") == bundle.party:
        need(story.list_ends, "the session finished and there is no list.disclosed")
    said, paid = (
        story.ended or ("under way" if story.started else "not begun"),
        " and ".join(sorted(story.paid)) or "nothing",
    )
    bundle.said.append(f"story: session {said}, charged for {paid}, in order")
    if story.beyond:
        kinds = ", ".join(sorted(story.beyond))
        bundle.said.append(f"besides: {kinds}, in the log and under no rule of this file")


# -- transcript, table, report -------------------------------------------------------------------


def check_transcript(bundle: Bundle) -> None:
    """Compute the session id and the transcript hash from what was said."""
    story = bundle.story
    shown = [name for name in RESULT_FILES if name in bundle.files]
    finished = story is not None and story.ended == "finished"
    need(finished or not shown, f"{', '.join(shown)}: no session.finished stands in the log")
    if story is None or not finished:
        return
    if "transcript.json" not in bundle.files:
        bundle.open.append("what the parties said is not in the bundle, only its hash is")
        check_table(bundle, None)
        return
    told = read_json(bundle.files["transcript.json"], "transcript.json")
    said = bytes.fromhex(bundle.request_hash)
    named = [one["party"] for one in told["parties"]]
    need(named == participants(bundle.request), "transcript.json: it is of other parties")
    for one in told["parties"]:
        nonce = bytes.fromhex(one["nonce"])
        opened = sha256(b"commonground/nonce/v1" + one["party"].encode() + b"\x00" + nonce)
        need(
            opened.hexdigest() == one["nonce_commitment"],
            f"transcript.json: {one['party']} opened another nonce than it committed to",
        )
        when = struct.pack(">QQ", one["consent"]["sequence"], one["consent"]["taken_at"])
        said += bytes.fromhex(one["consent"]["root"]) + when
        said += bytes.fromhex(one["seed_commitment"] + one["nonce_commitment"]) + nonce
        if one["party"] == bundle.party and story.started:
            own = one["seed_commitment"] == story.started["seed_commitment"]
            need(own, "transcript.json: the seed's commitment is not that of session.started")
            same = one["consent"] == story.started["consent"]
            need(same, "transcript.json: the consent snapshot is not that of session.started")
        elif story.started:
            most = bundle.contract["consent_max_age_hours"] * 3600 + SLACK_SECONDS
            age = story.started_at - one["consent"]["taken_at"]
            need(age <= most, f"transcript.json: the snapshot of {one['party']} was too old")
    steps = b"".join(bytes.fromhex(step) for step in told["steps"])
    session = sha256(b"commonground/session/v1" + said).hexdigest()
    need(session == story.session, "transcript.json: the session id does not follow from it")
    reached = sha256(b"commonground/transcript/v1" + said + steps).hexdigest()
    need(reached == story.transcript, "transcript.json: it is not the one that the log has")
    bundle.said.append(f"transcript: {reached[:16]}…, of {len(told['steps'])} steps")
    check_table(bundle, told["steps"])


def check_table(bundle: Bundle, steps: list[str] | None) -> None:
    """The noisy table is the one of the transcript and of the log, and the report is of it."""
    if "table.json" not in bundle.files:
        if "report.json" in bundle.files:
            bundle.open.append("the numbers of report.json rest on no table in the bundle")
        return
    data = bundle.files["table.json"]
    released = bundle.story.released if bundle.story else None
    if released:
        logged = sha256(data).hexdigest() == released["table_digest"]
        need(logged, "table.json: it is not the table that report.released has")
    if steps is not None:
        prefix = b"commonground/artefact/v1"
        sent = any(
            sha256(prefix + struct.pack(">I", number) + data).hexdigest() == step
            for number, step in enumerate(steps)
        )
        need(sent, "table.json: it is not the table that was sent in this session")
        bundle.said.append("table: the noisy table is the one that was sent in this session")
    elif released is None:
        bundle.open.append("nothing in the bundle shows that table.json was sent")
    if "report.json" in bundle.files:
        report = read_json(bundle.files["report.json"], "report.json", exact=False)
        need(report["kind"] == "shareable", "report.json: it is not a report to be passed on")
        cells = sorted(count for row in report["table"]["counts"] for count in row)
        released_cells = sorted(read_json(data, "table.json", exact=False)["cells"])
        need(cells == released_cells, "report.json: its table has other cells than were released")
        bundle.said.append("report: its table has the cells that were released")


def check(path: Path, contract: str | None = None) -> Bundle:
    """Check one evidence from beginning to end.

    Raises:
        Refused: the first thing that does not hold.
    """
    try:
        bundle = open_bundle(path)
        check_contract(bundle)
        if contract:
            known = bundle.contract_hash == contract.lower()
            need(known, f"contract.json: its hash is another one, {bundle.contract_hash}")
        check_request(bundle)
        check_checkpoints(bundle)
        check_entries(bundle)
        check_story(bundle)
        check_transcript(bundle)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise Refused(f"{path} cannot be read: {error}") from None
    except MALFORMED as error:
        raise Refused(f"{path.name} is malformed ({type(error).__name__}: {error})") from None
    return bundle


def compare(one: Bundle, other: Bundle) -> None:
    """Require that the evidence of two parties tells the same session.

    Raises:
        Refused: what they tell differently.
    """
    need(one.log != other.log, "both are evidence of the same party")
    need(one.contract_hash == other.contract_hash, "the two are under different contracts")
    need(one.request_hash == other.request_hash, "the two are about different requests")
    here, there = one.story, other.story
    if here is None or there is None:
        return
    for what in ("session", "transcript"):
        mine, theirs = getattr(here, what), getattr(there, what)
        need(
            mine is None or theirs is None or mine == theirs,
            f"the {what} is another one in the log of {other.log.name} than in {one.log.name}",
        )
    need(here.runs[: len(there.runs)] == there.runs[: len(here.runs)], "suppression runs differ")


def main(arguments: list[str] | None = None) -> int:
    """Check what is named on the command line and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("evidence", nargs="?", help="a zip or a folder; without it, this folder")
    parser.add_argument("--with", dest="other", help="a counterpart's evidence of the same request")
    parser.add_argument("--contract", help="the contract's hash, as you know it")
    options = parser.parse_args(arguments)
    try:
        bundle = check(Path(options.evidence or Path(__file__).parent), options.contract)
        if options.other:
            other = check(Path(options.other), options.contract)
            compare(bundle, other)
            bundle.said.append(f"compared: {other.log.name} tells the same session")
    except Refused as refused:
        sys.stdout.write(f"NOT VERIFIED: {refused}\n")
        return 1
    sys.stdout.write("".join(f"ok    {line}\n" for line in bundle.said))
    sys.stdout.write("".join(f"note  {line}\n" for line in bundle.open))
    sys.stdout.write(f"contract {bundle.contract_hash}\n")
    for name, card in bundle.contract["parties"].items():
        sys.stdout.write(f"{name}: {card['identity']}\n")
    but = ", but for what the notes say" if bundle.open else ""
    sys.stdout.write(f"Verified{but}. Compare the contract's hash and the keys with yours.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
