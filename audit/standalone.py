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
  numbers      all follow from the table and the law of its noise: values, errors, intervals, what
               is suppressed, what is fitted; none is left out

What it cannot show: that the log has no other charge in the window (only the whole log can), what
the party did outside of this program, that the data and the consents are true, that the sizes of
the sets are those that were sent, that numbers which are estimated by drawing (shapley, markov)
follow from the table (who has the program computes them again; a note names them), nor that keys
belong to whom they name: compare the hash and the keys that it prints with what you know.

The numbers are read in `value`, `standard_error`, `low`, `high`, `suppressed`, `fitted` and
`inconsistent`. Text beside them (`shown`) and advice (`epsilon_factor`, `notes`) are not checked.

Sources: RFC 8032 (Ed25519), RFC 8785 (canonical JSON), RFC 9162 section 2.1 (Merkle proofs), and
of C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof. docs/audit.md says the rest.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import cmath
import json
import math
import re
import struct
import sys
import zipfile
import zlib
from array import array
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256, sha512
from itertools import combinations, product
from pathlib import Path
from statistics import NormalDist
from typing import Any, Callable, Dict, NamedTuple, Tuple

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
Point = Tuple[int, int, int, int]


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


def read_json(data: bytes, what: str, *, exact: bool = True) -> Any:
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
    signing: dict[str, list[Key]] = field(default_factory=dict)
    certificates: dict[str, list[str]] = field(default_factory=dict)
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
        by = Key.read(card.get("signing", card["identity"]))
        blob = unbase64(signatures.get(name, ""), f"the contract's signature of {name}")
        holds = is_signed(by.public, b"commonground/contract/v1\n" + signed, blob)
        need(holds, f"contract.json: the signature of {name} does not cover this text")
        follow_keys(bundle, name, card)
        if key == bundle.log:
            bundle.party = name
    need(bundle.party, f"contract.json: none of its parties has the key of {bundle.log.name}")
    names = " and ".join(document["parties"])
    bundle.said.append(f"contract: {document['id']}, signed by {names}")


def follow_keys(bundle: Bundle, name: str, card: dict[str, Any]) -> None:
    """Take a party's keys from its card, and those that replaced them by its signed statements."""
    signing, pinned = card.get("signing", card["identity"]), card["fingerprint"]
    what = f"keys/{name}.jsonl"
    states: list[tuple[str, str]] = []
    for line in bundle.files.get(what, b"").splitlines():
        said = read_json(line, what)
        signatures = said.pop("signatures")
        text = b"commonground/keys/v1\n" + canonical(said)
        before, after = key_state(said["replaces"]), key_state(said["by"])
        last = states[-1] if states else (card["identity"], before[1])
        follows = said["party"] == card["identity"] and before == last
        need(follows, f"{what}: a statement does not begin where the one before it ended")
        for state, which in ((before, "replaced"), (after, "replacing")):
            blob = unbase64(signatures[which], f"a signature in {what}")
            need(is_signed(Key.read(state[0]).public, text, blob), f"{what}: not signed by {name}")
        states += [after] if states else [before, after]
    need(not states or (signing, pinned) in states, f"{what}: not by way of the contract's keys")
    states = states or [(signing, pinned)]
    bundle.signing[name] = [Key.read(one) for one, _ in states]
    bundle.certificates[name] = [one for _, one in states]


def key_state(keys: dict[str, str]) -> tuple[str, str]:
    """Return a signing key and a certificate's fingerprint, as a statement of keys has them."""
    body = "".join(keys["certificate"].strip().splitlines()[1:-1])
    der = unbase64(body, "a certificate")
    return keys["signing"], "sha256:" + sha256(der).hexdigest()


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
    message = b"commonground/request/v1\n" + text
    askers = bundle.signing[document["requester"]]
    holds = any(is_signed(key.public, message, signature) for key in askers)
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
    by = ", ".join(f"{name} at {date_text(time)}" for name, time in vouched)
    if vouched:
        bundle.said.append(f"checkpoints: {bundle.marks[0].size} entries, cosigned by {by}")
    else:
        bundle.said.append(f"checkpoints: {bundle.marks[0].size} entries, signed by their owner")
        bundle.open.append("no counterpart cosigned a checkpoint: the owner alone vouches for it")


def check_entries(bundle: Bundle) -> None:
    """Verify each receipt: the entry is in the tree of a checkpoint that was verified."""
    notes = dict(zip(bundle.notes, bundle.marks))
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
        many = "1 entry" if late == 1 else f"{late} entries"
        bundle.open.append(f"{many} came after the last cosigned checkpoint")


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
    told: list[str] = field(default_factory=list)
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
        own = self.bundle.certificates[self.bundle.party]
        need(
            "sha256:" + body["certificate"] in own,
            "the contract pins another certificate than the log was created with",
        )

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

    def tell(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        """A session is told of at its start and at its end, each once, after it was so."""
        need(self.started, "no session.started stands before it")
        need(body["event"] not in self.told, "the session was told of so before")
        ends = {"START": None, "COMPLETE": "finished", "FAIL": "failed"}
        need(self.ended == ends[body["event"]], "it tells of another end than the session's")
        self.told.append(body["event"])

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
    "lineage.emitted": Story.tell,
    "retention.pruned": Story.prune,
    "session.finished": Story.finish,
    "session.failed": Story.fail,
}


def seconds(entry: dict[str, Any]) -> int:
    """Return the time of an entry as POSIX seconds, rounded down."""
    return math.floor(datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp())


def date_text(time: int) -> str:
    """Return POSIX seconds as a date and a time of day."""
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


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
        check_cells(report["table"], read_json(data, "table.json", exact=False))
        bundle.said.append("report: its table has the cells that were released")
        check_numbers(bundle, report)


# -- the report's numbers ------------------------------------------------------------------------


def check_cells(table: dict[str, Any], released: dict[str, Any]) -> None:
    """The report's table is the released one: row by row, and column by column.

    Only its owner knows which column has which of its labels, so their order is left open.
    """
    width, cells, counts = math.prod(released["shape"][1:]), released["cells"], table["counts"]
    rows = [cells[start : start + width] for start in range(0, len(cells), width)]
    same = [sorted(row) for row in counts] == [sorted(row) for row in rows]
    totals, third = released.get("totals", []), table.get("third")
    if third:
        deep = released["shape"][2]
        sent = [[row[at : at + deep] for at in range(0, width, deep)] for row in rows]
        sent = [[turned(line) for line in turned(plane)] for plane in sent]  # there, ∅ is first
        own = [[row[at : at + deep] for at in range(0, width, deep)] for row in counts]
        over = [totals[at : at + deep - 1] for at in range(0, len(totals), deep - 1)]
        same = same and slices(own, third["totals"]) == slices(sent, over)
        across = slices(list(map(crossed, own)), crossed(third["totals"]))
        same = same and across == slices(list(map(crossed, sent)), crossed(over))
    else:
        people = table["moments"]["people"] if "moments" in table else []
        same = same and people == totals and sorted(crossed(counts)) == sorted(crossed(rows))
    need(same, "report.json: its table has other cells than were released")


def turned(line: list[Any]) -> list[Any]:
    """Return a line whose first is the last."""
    return [*line[1:], line[0]]


def crossed(rows: list[Any]) -> list[list[Any]]:
    """Return the columns of rows."""
    return [list(column) for column in zip(*rows)]


def slices(planes: list[Any], totals: list[Any]) -> list[Any]:
    """Return what each label of an axis has in every plane, the order of the other axis open."""
    return sorted(
        (
            [(sorted(plane[at][:-1]), plane[at][-1]) for plane in planes],
            sorted(totals[at]) if at < len(totals) else [],
        )
        for at in range(len(planes[0]))
    )


# -- the law of the noise ------------------------------------------------------------------------

CONFIDENCE, QUANTILE = 0.95, 1.959963984540054
CLEAR = 3  # standard errors: what is not so far above its noise is no denominator
MILLION = 10**6


@dataclass(frozen=True, eq=False)
class Law:
    """Whole-numbered noise about its mean: the weight of each distance, the variance."""

    weights: list[float]
    variance: float
    mean: int = 0


Term = Tuple[float, Law, int]


@lru_cache(maxsize=16)
def released(epsilon_nano: int, most: int) -> Law:
    """Return the noise on a released number: exp(-|x|ε/most)."""
    require_scale(epsilon_nano, most)
    rate = epsilon_nano / 10**9 / most
    weights = [math.exp(-rate * at) for at in range(math.ceil(math.log(1e16) / rate) + 1)]
    return Law(weights, 2 * math.exp(-rate) / math.expm1(-rate) ** 2)


@lru_cache(maxsize=16)
def truncated(epsilon_nano: int, delta_e15: int, most: int) -> Law:
    """Return the law of dummies or fillers: the same, cut off where δ allows it."""
    n = half_range(epsilon_nano, delta_e15, most)
    decay = math.exp(-epsilon_nano / 10**9 / most)
    weights = [decay**at for at in range(n + 1)]
    squares = 2 * sum(weight * at * at for at, weight in enumerate(weights))
    return Law(weights, squares / (2 * sum(weights) - 1), n)


def half_range(epsilon_nano: int, delta_e15: int, most: int) -> int:
    """Return the mean n of dummies or fillers: the least whose `most` outermost weigh up to δ.

    Of 0..2n, each x weighs a^|x-n| with a = exp(-ε/most).
    """
    require_scale(epsilon_nano, most)
    need(0 < delta_e15 < 10**15, "request.json: its δ is none that a request may ask for")
    with localcontext() as context:
        context.prec = 120
        decay = (Decimal(-epsilon_nano) / (most * 10**9)).exp()
        delta = Decimal(delta_e15).scaleb(-15)

        def hides(n: int) -> bool:
            outer = decay ** (n - most + 1) * (1 - decay**most)
            return outer <= delta * (1 + decay - 2 * decay ** (n + 1))

        low = high = most
        while not hides(high):
            low, high = high + 1, 2 * high
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if hides(middle) else (middle + 1, high)
        return high


def require_scale(epsilon_nano: int, most: int) -> None:
    """Refuse noise that would drown every number, and take a program long to compute."""
    holds = 0 < most * 10**9 <= 10_000 * epsilon_nano
    need(holds, "request.json: its noise is outside of what a request may ask for")


STEPS = 16
NORMAL = Law([math.exp(-((at / STEPS) ** 2) / 2) for at in range(8 * STEPS + 1)], STEPS**2)
"""Of the rounding of many values: the normal law, so many steps to its standard deviation."""


def spread(terms: list[Term]) -> tuple[float, float]:
    """Return the standard error of a sum of independent noise, and half its 95% interval.

    That is the smallest w with P(|noise| ≤ w) ≥ 0.95, by the exact law; from ten draws of equal
    weight on it is the normal law's.
    """
    return spread_of(tuple(term for term in terms if term[0] and term[2]))


@lru_cache(maxsize=4096)
def spread_of(terms: tuple[Term, ...]) -> tuple[float, float]:
    """Return the errors of noise, from its sums on a ring.

    They go round at 24 standard errors to either side, or at 12 where a step is no whole number:
    by then less is left than changes w.
    """
    parts = [(draws * factor**2 * law.variance, draws) for factor, law, draws in terms]
    variance = math.fsum(part for part, _ in parts)
    if not variance:
        return 0.0, 0.0
    error = math.sqrt(variance)
    if variance**2 >= 10 * (1 - 1e-12) * math.fsum(part**2 / draws for part, draws in parts):
        return error, QUANTILE * error
    sizes = {abs(factor) for factor, _, _ in terms}
    far, step = 24, next(iter(sizes))
    if len(sizes) > 1:
        far, step = 12, math.ldexp(1 / 64, math.frexp(error)[1] - 1)
    size = 1 << math.ceil(2 * far * error / step + 1).bit_length()
    spectrum = [2 / size] * (size // 2 + 1)
    spectrum[0] = spectrum[-1] = 1 / size
    for factor, law, draws in terms:
        one = spectrum_of(law, abs(factor) / step, size)
        spectrum = [whole * part**draws for whole, part in zip(spectrum, one)]
    low, high = 0, size // 2
    while low < high:
        middle = (low + high) // 2
        holds = within(spectrum, middle, size) >= CONFIDENCE - 1e-12
        low, high = (low, middle) if holds else (middle + 1, high)
    return error, step * low


def within(spectrum: list[float], most: int, size: int) -> float:
    """Return the probability of at most so many steps to either side (Dirichlet's kernel)."""
    turn = math.pi * (2 * most + 1) / size
    near = (2 * most + 1) * spectrum[0]
    return near + sum(
        part * math.sin(turn * at) / sine
        for at, part, sine in zip(range(1, size), spectrum[1:], sines(size))
    )


@lru_cache(maxsize=32)
def sines(size: int) -> list[float]:
    """Return sin(πk/size) for k from 1 to size/2."""
    return [math.sin(math.pi * at / size) for at in range(1, size // 2 + 1)]


@lru_cache(maxsize=1024)
def spectrum_of(law: Law, stretch: float, size: int) -> array[float]:
    """Return half the transform of one draw on a ring of so many places; it is symmetric."""
    ring = [0.0] * size
    for at, weight in enumerate(law.weights):
        for place, mass in {at * stretch: weight, -at * stretch: weight}.items():
            below = math.floor(place)
            ring[below % size] += mass * (1 - place + below)
            ring[(below + 1) % size] += mass * (place - below)
    found = [part.real for part in fourier(ring)[: size // 2 + 1]]
    return array("d", [part / found[0] for part in found])


def fourier(values: list[float]) -> list[complex]:
    """Return the discrete Fourier transform of 2^k numbers."""
    if len(values) == 2:
        return [complex(values[0] + values[1]), complex(values[0] - values[1])]
    even, odd = fourier(values[::2]), fourier(values[1::2])
    both = [(one, other * turn) for one, other, turn in zip(even, odd, turns(len(values)))]
    return [one + other for one, other in both] + [one - other for one, other in both]


@lru_cache(maxsize=32)
def turns(size: int) -> list[complex]:
    """Return the first half of the roots of 1."""
    return [cmath.exp(-2j * math.pi * at / size) for at in range(size // 2)]


def ratio_spread(terms: list[Term]) -> tuple[float, float]:
    """Return the errors of a ratio: as `spread`, by parts of the error rounded to 1/128.

    The half-width is widened by 1/64 of the standard error for it.
    """
    sizes = [abs(factor) * math.sqrt(draws * law.variance) for factor, law, draws in terms]
    error = math.hypot(*sizes)
    if not error:
        return 0.0, 0.0
    parts = [round(128 * size / error) for size in sizes]
    shape = tuple((law, draws, part) for (_, law, draws), part in zip(terms, parts) if part)
    return error, (relative(shape) + 1 / 64) * error


@lru_cache(maxsize=4096)
def relative(shape: tuple[tuple[Law, int, int], ...]) -> float:
    """Return half a 95% interval in standard errors."""
    terms = [(part / math.sqrt(law.variance * draws), law, draws) for law, draws, part in shape]
    error, half = spread(terms)
    return half / error


# -- a number of a report ------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A number as it follows from the table; `limits` where the interval is not symmetric."""

    value: float
    error: float = math.nan
    half: float = math.nan
    hidden: bool = False
    limits: tuple[float, float] | None = None
    fitted: float | None = None

    @property
    def clear(self) -> bool:
        """Tell whether it is far enough above its noise to be divided by."""
        return not self.hidden and self.value > CLEAR * self.error

    @property
    def ends(self) -> tuple[float, float]:
        """Return the ends of its 95% interval."""
        return self.limits or (self.value - self.half, self.value + self.half)


WITHHELD = Number(math.nan, hidden=True)
Numbers = Dict[Tuple[Any, Any, Any, Any], Number]


def ranged(value: float, error: float, limits: tuple[float, float]) -> Number:
    """Return a number with limits of its own."""
    return Number(value, error, limits=limits)


def require_number(row: dict[str, Any], told: Number) -> None:
    """Hold a number of a report against what follows from the table.

    Values and errors agree to a millionth of the error, ends of intervals to a thirtieth.
    """
    where = " · ".join(str(row[name]) for name in NAMES if row.get(name))
    what = f"report.json: '{where}' does not follow from the table"

    def same(found: float | None, one: float, slack: float) -> bool:
        if found is None or not math.isfinite(one):
            return found is None and not math.isfinite(one)
        error = told.error if math.isfinite(told.error) else 0.0
        return abs(found - one) <= slack * error + 1e-9 * abs(one)

    need(row["suppressed"] is told.hidden, what)
    need(same(row["standard_error"], told.error, 1e-6), what)
    if told.hidden:
        need(row["value"] is row["low"] is row["high"] is row["fitted"] is None, what)
        return
    need(same(row["value"], told.value, 1e-6), what)
    slack = 1 / 30 if told.limits is None else 1e-6
    need(all(map(same, (row["low"], row["high"]), told.ends, (slack, slack))), what)
    if told.fitted is None:
        need(row["fitted"] is None, what)
        return
    need(abs(row["fitted"] - told.fitted) <= 1e-3 + 1e-9 * abs(told.fitted), what)
    moved = abs(told.fitted - told.value) > 7 * told.error + 1e-6
    need(row["inconsistent"] is moved, what)


# -- who is where: every cell of a table, and the noise in it -------------------------------------


class Weights(NamedTuple):
    """What a person of each label counts for, and then of nobody's."""

    of: tuple[float, ...]


Block = Tuple[Any, Any, Any]


@lru_cache(maxsize=4096)
def classes(labels: int, chosen: tuple[Any, ...]) -> list[tuple[tuple[float, ...], int, bool]]:
    """Return the weights of an axis's labels in some blocks, how many have them, ∅ apart."""
    rows = []
    for places in chosen:
        row = [0.0] * (labels + 1)
        if isinstance(places, Weights):
            row[: len(places.of)] = places.of
        else:
            for at in places:
                row[at] = 1.0
        rows.append(row)
    *named, absent = zip(*rows)
    return [*((one, many, False) for one, many in Counter(named).items()), (absent, 1, True)]


@dataclass(eq=False)
class Cells:
    """People by label of the tabulator, the recipient and a third; the last place is ∅, in none.

    A set's size and a released total are margins of this one table, so where a party is ∅ follows
    from them; each draw of noise then stands in several cells. Without a third its axis is ∅ alone.
    `layers` are the third's places that count, all of them without it.
    """

    names: tuple[list[str], list[str], list[str]]
    people: list[list[list[int]]]
    laws: dict[str, Law]
    floor: int
    padded: bool
    layers: tuple[int, ...] | None = None
    kept: dict[Any, Any] = field(default_factory=dict)

    @property
    def rows(self) -> range:
        """Every label of the tabulator."""
        return range(len(self.names[0]))

    @property
    def columns(self) -> range:
        """Every label of the recipient."""
        return range(len(self.names[1]))

    @property
    def every(self) -> Any:
        """The third's places that count."""
        return range(len(self.names[2]) + 1) if self.layers is None else self.layers

    def of_third(self, layer: int) -> Cells:
        """Return the same of the people in one layer."""
        return replace(self, layers=(layer,), kept={})

    # blocks

    def block(self, rows: Any, columns: Any) -> Block:
        """Return people of both."""
        return as_places(rows), as_places(columns), self.every

    def audience_of(self, columns: Any) -> Block:
        """Return the recipient's people, the tabulator's or not."""
        return range(len(self.rows) + 1), as_places(columns), self.every

    def offered_of(self, rows: Any) -> Block:
        """Return the tabulator's keys, the recipient's or not."""
        return as_places(rows), range(len(self.columns) + 1), self.every

    def value(self, block: Block) -> float:
        """Return the people in a block, with noise."""
        if block not in self.kept:
            rows, columns, layers = map(weighed, block)
            self.kept[block] = sum(
                w * sum(x * sum(y * self.people[g][b][v] for v, y in layers) for b, x in columns)
                for g, w in rows
            )
        return self.kept[block]  # type: ignore[no-any-return]

    # noise

    def draws(self, blocks: tuple[Block, ...]) -> list[tuple[Law, tuple[float, ...], int]]:
        """Collect the noise in some blocks: a law, its coefficient in each, how many draws."""
        by_axis = zip(self.names, zip(*blocks))
        axes = tuple(tuple(classes(len(names), chosen)) for names, chosen in by_axis)
        if axes not in self.kept:
            self.kept[axes] = self.collected(axes)
        return self.kept[axes]  # type: ignore[no-any-return]

    def collected(self, axes: tuple[Any, ...]) -> list[tuple[Law, tuple[float, ...], int]]:
        """Collect draws of blocks whose axes are of these classes."""
        none_g, none_b, none_v = (axis[-1] for axis in axes)

        def cell(*places: Any) -> list[float]:
            if all(absent for _, _, absent in places):
                return [0.0] * len(places[0][0])
            return [x * y * z for x, y, z in zip(*(weights for weights, _, _ in places))]

        def less(one: list[float], *others: list[float]) -> list[float]:
            return [x - sum(rest) for x, *rest in zip(one, *others)]

        found: Counter[tuple[str, tuple[float, ...]]] = Counter()
        for g, b, v in product(*axes):
            (_, rows, no_g), (_, columns, no_b), (_, layers, no_v) = g, b, v
            held: list[tuple[str, list[float]]] = []
            if not no_g:
                held.append(
                    ("release", less(cell(g, b, v), cell(none_g, b, v), cell(g, none_b, none_v)))
                )
            elif not no_b and not no_v:
                below = less(cell(g, b, none_v), cell(g, none_b, none_v))
                held.append(("totals", less(cell(g, b, v), cell(g, none_b, v), below)))
            if not no_b and not (no_g and no_v):
                held.append(("dummies", less(cell(g, b, v), cell(g, none_b, v))))
            if not no_v and not (no_g and no_b):
                held.append(("third dummies", less(cell(g, b, v), cell(g, b, none_v))))
            if (no_g, no_b, no_v).count(False) == 1:
                owner = "tabulator" if not no_g else "third" if not no_v else "recipient"
                held.append((f"{owner} fillers", cell(g, b, v)))
            for source, coefficients in held:
                if any(abs(one) > 1e-12 for one in coefficients):
                    found[source, tuple(coefficients)] += rows * columns * layers
        return [(self.laws[source], own, many) for (source, own), many in found.items()]

    def terms(self, form: list[tuple[float, Block]]) -> list[Term]:
        """Return the noise of Σ factor × block."""
        factors = [factor for factor, _ in form]
        return [
            (sum(x * y for x, y in zip(factors, own)), law, many)
            for law, own, many in self.draws(tuple(block for _, block in form))
        ]

    def noise(self, coefficient: float, cells: int) -> list[Term]:
        """Return the noise of a coefficient times the sum of so many cells."""
        one = self.terms([(1, self.block((0,), (0,)))])
        return [(coefficient * factor, law, cells * draws) for factor, law, draws in one]

    def covariance(self, one: Block, other: Block) -> float:
        """Return the covariance of two blocks by noise."""
        return sum(many * x * y * law.variance for law, (x, y), many in self.draws((one, other)))

    # numbers

    def form(self, form: list[tuple[float, Block]]) -> Number:
        """Return a sum of blocks."""
        return Number(sum(f * self.value(one) for f, one in form), *spread(self.terms(form)))

    def sum(self, block: Block) -> Number:
        """Return the people in a block, shown whatever their number."""
        draws = tuple((own[0], law, many) for law, own, many in self.draws((block,)))
        if draws not in self.kept:
            self.kept[draws] = spread(list(draws))
        return Number(self.value(block), *self.kept[draws])

    def cell(self, block: Block) -> Number:
        """Return the people in a block, suppressed where they are few."""
        return self.hidden_if_few(self.sum(block))

    def hidden_if_few(self, found: Number) -> Number:
        """Suppress a count below the contract's least cell, or below three errors."""
        return replace(found, hidden=found.value < max(self.floor, CLEAR * found.error))

    def count(self, rows: Any, columns: Any) -> Number:
        """Return the people in some cells: one is suppressed where it is small, a sum is shown."""
        block = self.block(rows, columns)
        return self.cell(block) if len(rows) * len(columns) == 1 else self.sum(block)

    def audience(self, columns: Any) -> Number:
        """Return the recipient's people; padded sets say nothing of them."""
        if self.padded:
            return WITHHELD
        alone = self.layers is not None and len(columns) == 1
        return (self.cell if alone else self.sum)(self.audience_of(columns))

    def offered(self, rows: Any) -> Number:
        """Return the tabulator's keys."""
        return self.sum(self.offered_of(rows))

    def ratio(self, part: list[tuple[float, Block]], whole: list[tuple[float, Block]]) -> Number:
        """Return one sum over another (delta method)."""
        of = sum(factor * self.value(block) for factor, block in whole)
        value = sum(factor * self.value(block) for factor, block in part) / of
        terms = [(factor / of, block) for factor, block in part]
        terms += [(-value * factor / of, block) for factor, block in whole]
        return Number(value, *ratio_spread(self.terms(terms)))

    def index(self, part: Block, whole: Block, base: Block, base_whole: Block) -> Number:
        """Return 100 × (part / whole) / (base / its whole) (delta method)."""
        of, of_base = self.value(whole), self.value(base_whole)
        share, usual = self.value(part) / of, self.value(base) / of_base
        value = share / usual
        terms = self.terms(
            [
                (1 / (of * usual), part),
                (-share / (of * usual), whole),
                (-value / (of_base * usual), base),
                (value / of_base, base_whole),
            ]
        )
        error, half = ratio_spread(terms)
        return Number(100 * value, 100 * error, 100 * half)

    def share(self, rows: Any, columns: Any) -> Number:
        """Return which share of the recipient's people is in some cells."""
        if self.count(rows, columns).hidden or not self.audience(columns).clear:
            return WITHHELD
        return self.ratio([(1, self.block(rows, columns))], [(1, self.audience_of(columns))])

    def part(self, rows: Any, columns: Any, of_rows: Any, of_columns: Any) -> Number:
        """Return which share of the people in some cells is in others among them."""
        if self.count(rows, columns).hidden or not self.count(of_rows, of_columns).clear:
            return WITHHELD
        return self.ratio([(1, self.block(rows, columns))], [(1, self.block(of_rows, of_columns))])


def as_places(places: Any) -> Any:
    """Return places of an axis as a key."""
    return places if isinstance(places, (range, Weights)) else tuple(places)


def weighed(places: Any) -> list[tuple[int, float]]:
    """Return places of an axis with what each counts for."""
    if isinstance(places, Weights):
        return [(at, weight) for at, weight in enumerate(places.of) if weight]
    return [(at, 1) for at in places]


def cells_of(bundle: Bundle, table: dict[str, Any]) -> Cells:
    """Return the people of a table: what the signed request says of its noise is taken off."""
    asked, roles = bundle.request["parameters"], bundle.request["roles"]
    third, moments = table.get("third"), table.get("moments")
    epsilon, delta = asked["epsilon_dummies_nano"], asked["delta_dummies_e15"]
    own = asked["records_per_person"]
    most = 1 if third else asked["most_identifiers"][roles["tabulator"]]
    require_parameters(bundle, table, most)
    sent = asked["timing"]["most_keys"] if moments else own * most
    laws = {
        "release": released(asked["epsilon_release_nano"], own * most),
        "totals": released(epsilon, own),
        "dummies": truncated(epsilon, delta, own),
        "tabulator fillers": truncated(epsilon, delta, sent),
    }
    for name in ("third dummies", "recipient fillers", "third fillers"):
        laws[name] = laws["dummies"]
    names = table["tabulator_labels"], table["recipient_labels"], third["labels"] if third else []
    keys = presence(table, *map(len, names))
    public = expected(laws, asked["known_answers"], *map(len, names))
    people = [
        [[found - public(g, b, v) for v, found in enumerate(row)] for b, row in enumerate(plane)]
        for g, plane in enumerate(keys)
    ]
    return Cells(names, people, laws, bundle.contract["min_cell"], padded=bool(moments))


def require_parameters(bundle: Bundle, table: dict[str, Any], most: int) -> None:
    """Require that a report's table is of the request: its parameters and its labels."""
    asked, roles = bundle.request["parameters"], bundle.request["roles"]
    wanted = {
        "epsilon_release_nano": asked["epsilon_release_nano"],
        "epsilon_dummy_nano": asked["epsilon_dummies_nano"],
        "delta_dummy_e15": asked["delta_dummies_e15"],
        "records_per_person": asked["records_per_person"],
        "keys_per_person": most,
        "known_answers": asked["known_answers"],
        "min_cell": bundle.contract["min_cell"],
    }
    for name, said in wanted.items():
        same = table["parameters"][name] == said
        need(same, f"report.json: {name} is not what request and contract have")
    timing = asked.get("timing")
    need(
        bool(timing) is bool(table.get("moments")),
        "report.json: only one of it and the request is of moments",
    )
    for name in ("start", "slot_seconds", "slots", "lookback", "most_keys"):
        same = not timing or table["moments"][name] == timing[name]
        need(same, f"report.json: {name} is not what the request has")
    shown = {"tabulator": table["tabulator_labels"], "recipient": table["recipient_labels"]}
    if "third" in table:
        shown["third"] = table["third"]["labels"]
        same = table["third"]["parties"] == [
            roles[role] for role in ("tabulator", "recipient", "third")
        ]
        need(same, "report.json: its parties are not the request's")
    need(shown.keys() == roles.keys(), "report.json: its table is not of the request's parties")
    for role, labels in shown.items():
        named = bundle.request["labels"][roles[role]]["values"]
        known = [named]
        if role != "tabulator":  # the tabulator never learns which of them is which
            known.append([f"label {number}" for number in range(1, len(named) + 1)])
        need(labels in known, f"report.json: the labels of the {role} are not the request's")


def presence(table: dict[str, Any], g: int, b: int, v: int) -> list[list[list[int]]]:
    """Return the keys in every cell: those in which a party is ∅ follow from sizes and totals."""
    keys = [[[0] * (v + 1) for _ in range(b + 1)] for _ in range(g + 1)]
    sizes, theirs, third = table["tabulator_sizes"], table["recipient_sizes"], table.get("third")
    for row, counts in enumerate(table["counts"]):
        for at, count in enumerate(counts):
            column, layer = divmod(at, v + 1) if third else (at, 0)
            keys[row][column][layer] = count
        keys[row][b][v] = 0
        keys[row][b][v] = sizes[row] - sum(map(sum, keys[row]))
    for column in range(b):
        totals = list(third["totals"][column]) if third else []
        totals.append(theirs[column] - sum(totals))
        for layer, total in enumerate(totals):
            keys[g][column][layer] = total - sum(keys[row][column][layer] for row in range(g))
    for layer in range(v):
        found = sum(plane[column][layer] for plane in keys for column in range(b + 1))
        keys[g][b][layer] = table["third"]["sizes"][layer] - found
    return keys


def expected(
    laws: dict[str, Law], known: int, g: int, b: int, v: int
) -> Callable[[int, int, int], int]:
    """Return how many dummies, fillers and known answers are to be expected in a cell.

    Of the dummies that are agreed for a cell its owner puts in half on average; all others put all
    in, so the rest stand where the owner is ∅.
    """

    def of(row: int, column: int, layer: int) -> int:
        absent = row == g, column == b, layer == v
        if all(absent):
            return 0
        found = 0
        if not (absent[0] and absent[2]):
            found += laws["dummies"].mean * (b if absent[1] else 1)
        if v and not (absent[0] and absent[1]):
            found += laws["third dummies"].mean * (v if absent[2] else 1)
        if absent.count(False) == 1:
            owner = ("tabulator", "recipient", "third")[absent.index(False)]
            found += known + laws[f"{owner} fillers"].mean
        return found

    return of


# -- counts made consistent ----------------------------------------------------------------------


def fit_table(given: list[list[float]], variances: list[float] | None = None) -> list[list[float]]:
    """Return the nearest cells that are not negative, with fitted margins (weighted squares).

    The grand total stays; margins are fitted to it, cells to them. `variances` are by row.
    """
    weights = variances or [1.0] * len(given)
    total = sum(map(sum, given))
    if total <= 0:
        return [[0.0] * len(row) for row in given]
    columns = [list(map(float, column)) for column in zip(*given)]
    alike = [1.0] * len(columns)
    by_column = fit_total([sum(column) for column in columns], total, alike)
    by_row = fit_total([float(sum(row)) for row in given], total, weights)
    lowered = [0.0] * len(given)
    fitted: list[list[float]] = []
    for _ in range(1_000):
        moved = [[count - low for count, low in zip(column, lowered)] for column in columns]
        levels = [level(*one, weights) for one in zip(moved, by_column)]
        fitted = [
            [max(count - weight * one, 0.0) for count, weight in zip(column, weights)]
            for column, one in zip(moved, levels)
        ]
        sums = map(sum, zip(*fitted))
        if max(abs(found - wanted) for found, wanted in zip(sums, by_row)) < 1e-7:
            break
        lowered = [
            level(
                [column[at] - weights[at] * one for column, one in zip(columns, levels)],
                wanted,
                alike,
            )
            for at, wanted in enumerate(by_row)
        ]
    return [list(row) for row in zip(*fitted)]


def fit_total(values: list[float], total: float, weights: list[float]) -> list[float]:
    """Return the nearest values of a given sum that are not negative."""
    one = level(values, total, weights)
    return [max(value - weight * one, 0.0) for value, weight in zip(values, weights)]


def level(values: list[float], total: float, weights: list[float]) -> float:
    """Return the t with Σ max(value - weight × t, 0) = total."""
    falling = sorted(zip(values, weights), key=lambda one: -one[0] / one[1])
    found = above = below = 0.0
    for value, weight in falling:
        above, below = above + value, below + weight
        if value / weight < (above - total) / below:
            break
        found = (above - total) / below
    return found


# -- the reports ---------------------------------------------------------------------------------

JOINT, ANY, GAP, UNIT = " × ", "any", "…", 1_000_000
NAMES = ("metric", "label", "segment", "attribute")
BOUND = re.compile(r"(0|[1-9][0-9]{0,12})(\.[0-9]{0,5}[1-9])?", re.ASCII)


def blocks(labels: list[str]) -> list[tuple[Any, Any]]:
    """Return each label with its place, and all of them (None) last."""
    return [*((name, (at,)) for at, name in enumerate(labels)), (None, range(len(labels)))]


def overlap(cells: Cells, found: Numbers) -> None:
    """Matched people, audience and match rate by segment; keys offered."""
    for name, columns in [*segments_of(cells), (None, cells.columns)]:
        found["matched", None, name, None] = cells.count(cells.rows, columns)
        found["audience", None, name, None] = cells.audience(columns)
        found["match rate", None, name, None] = cells.share(cells.rows, columns)
    found["offered", None, None, None] = cells.offered(cells.rows)
    worth(cells, found, [(None, cells.rows)])


def crosstab(cells: Cells, found: Numbers) -> None:
    """Every cell and margin; the sizes of the sets."""
    labels, segments = map(blocks, cells.names[:2])
    for label, rows in labels:
        found["offered", label, None, None] = cells.offered(rows)
        for segment, columns in segments:
            found["matched", label, segment, None] = cells.count(rows, columns)
    for segment, columns in segments:
        found["audience", None, segment, None] = cells.audience(columns)
    worth(cells, found, labels)


def frequencies(labels: list[str]) -> list[int]:
    """Return how often the people of each label were met: 1, 2, … and the last with a plus."""
    return [int(name.rstrip("+")) for name in labels]


def reach(cells: Cells, found: Numbers) -> None:
    """Reach by frequency, with fitted numbers beside."""
    times = frequencies(cells.names[0])
    order = sorted(cells.rows, key=lambda row: times[row])
    met = Weights((*map(float, times), 0.0))
    counts = [[cells.value(cells.block((g,), (b,))) for b in cells.columns] for g in cells.rows]
    fitted = fit_table(counts)
    for name, columns in [*segments_of(cells), (None, cells.columns)]:
        every = cells.count(order, columns)
        for at, row in enumerate(order):
            exactly = f"{at + 1}+" if at + 1 == len(order) else str(at + 1)
            for metric, label, some in (
                ("reach at least", f"{at + 1}+", order[at:]),
                ("reach exactly", exactly, [row]),
            ):
                fit = sum(fitted[g][b] for g in some for b in columns)
                found[metric, label, name, None] = replace(cells.count(some, columns), fitted=fit)
        block = met, as_places(columns), cells.every
        found["reach", None, name, None] = every
        found["impressions", None, name, None] = WITHHELD if every.hidden else cells.sum(block)
        mean = (
            cells.ratio([(1, block)], [(1, cells.block(cells.rows, columns))])
            if every.clear
            else WITHHELD
        )
        found["average frequency", None, name, None] = mean
        found["audience", None, name, None] = cells.audience(columns)
        found["share reached", None, name, None] = cells.share(order, columns)
        if name is not None:
            found["on-target share", None, name, None] = cells.part(
                order, columns, order, cells.columns
            )
    worth(cells, found, blocks(cells.names[0]))


def campaigns(cells: Cells, found: Numbers) -> None:
    """Reach of campaigns, whose sets the labels are."""
    sets = [frozenset(label.split("+")) for label in cells.names[0]]
    each = {
        name: [g for g, held in enumerate(sets) if name in held]
        for name in sorted(frozenset().union(*sets))
    }
    alone = {name: (g,) for g, held in enumerate(sets) if len(held) == 1 for name in held}
    pairs: dict[str, list[int]] = {}
    for g, held in enumerate(sets):
        for both in combinations(sorted(held), 2):
            pairs.setdefault(" & ".join(both), []).append(g)
    for name, columns in [*segments_of(cells), (None, cells.columns)]:
        for campaign, rows in [*each.items(), (None, cells.rows)]:
            found["reach", campaign, name, None] = cells.count(rows, columns)
            found["share reached", campaign, name, None] = cells.share(rows, columns)
            if campaign and len(each) > 1:
                found["reach share", campaign, name, None] = cells.part(
                    rows, columns, cells.rows, columns
                )
                if campaign in alone:
                    own = cells.count(alone[campaign], columns)
                    found["reached by it alone", campaign, name, None] = own
            if name:
                found["on-target share", campaign, name, None] = cells.part(
                    rows, columns, rows, cells.columns
                )
        for label, rows in pairs.items():
            found["reached by both", label, name, None] = cells.count(rows, columns)
    worth(cells, found, [*each.items(), (None, cells.rows)])


def funnel(cells: Cells, found: Numbers) -> None:
    """Flow between stages of either side."""
    ours, theirs = cells.names[0], segments_of(cells)
    onwards = [
        [column for _, columns in theirs[at:] for column in columns] for at in range(len(theirs))
    ]
    for label, rows in blocks(ours):
        for segment, columns in [*theirs, (None, cells.columns)]:
            found["flow", label, segment, None] = cells.count(rows, columns)
    for at, (segment, _) in enumerate(theirs):
        found["reached", None, segment, None] = cells.count(cells.rows, onwards[at])
        if at + 1 < len(theirs):
            step = cells.part(cells.rows, onwards[at + 1], cells.rows, onwards[at])
            found["step conversion", None, segment, None] = step
        for row, label in enumerate(ours):
            if at:
                came = cells.part((row,), onwards[at], (row,), cells.columns)
                found["arrived there or later", label, segment, None] = came
    for at, label in enumerate(ours):
        here, later = cells.rows[at:], cells.rows[at + 1 :]
        found["reached", label, None, None] = cells.count(here, cells.columns)
        if later:
            found["step conversion", label, None, None] = cells.part(
                later, cells.columns, here, cells.columns
            )
    worth(cells, found, blocks(ours))


def groups_of(labels: list[str]) -> list[tuple[Any, list[int]]]:
    """Return marginals of combined attributes, and the combinations, with their places."""
    parts = [label.split(JOINT) for label in labels]
    every = range(len(parts[0]))
    groups: dict[Any, list[int]] = {}
    for size in range(1, len(parts[0]) + 1):
        for kept in combinations(every, size):
            for at, part in enumerate(parts):
                name = JOINT.join(part[one] if one in kept else ANY for one in every)
                groups.setdefault(name, []).append(at)
    return list(groups.items())


def insights(cells: Cells, found: Numbers) -> None:
    """The matched by the tabulator's attributes, against its base."""
    groups, segments = groups_of(cells.names[0]), [*segments_of(cells), (None, cells.columns)]
    whole = cells.offered_of(cells.rows)
    base_clear = cells.sum(whole).clear
    for segment, columns in segments:
        found["matched", None, segment, None] = cells.count(cells.rows, columns)
    for group, rows in groups:
        base = cells.ratio([(1, cells.offered_of(rows))], [(1, whole)]) if base_clear else WITHHELD
        found["base", group, None, None] = cells.offered(rows)
        found["share of base", group, None, None] = base
        for segment, columns in segments:
            share = cells.part(rows, columns, cells.rows, columns)
            index = WITHHELD
            if not share.hidden and base.clear:
                part, every = cells.block(rows, columns), cells.block(cells.rows, columns)
                index = cells.index(part, every, cells.offered_of(rows), whole)
            found["matched with", group, segment, None] = cells.count(rows, columns)
            found["share of matched", group, segment, None] = share
            found["index", group, segment, None] = index
    worth(cells, found, [*groups, (None, cells.rows)])


def third_insights(cells: Cells, found: Numbers) -> None:
    """The matched of two by the attributes of a third."""
    g, b = len(cells.rows), len(cells.columns)
    known, everybody = range(len(cells.names[2])), range(len(cells.names[2]) + 1)
    groups = groups_of(cells.names[2])

    def base(layers: Any) -> Block:
        return range(g + 1), range(b + 1), as_places(layers)

    for group, layers in groups:
        clear = cells.sum(base(known)).clear
        share = cells.ratio([(1, base(layers))], [(1, base(known))]) if clear else WITHHELD
        found["base", None, None, group] = cells.sum(base(layers))
        found["share of base", None, None, group] = share
    labels = blocks(cells.names[0])
    for (label, rows), (segment, columns) in product(
        labels if g > 1 else labels[-1:], [*segments_of(cells), (None, cells.columns)]
    ):

        def of(layers: Any, some: Any = rows, columns: Any = columns) -> Block:
            return as_places(some), as_places(columns), as_places(layers)

        def count(layers: Any, rows: Any = rows, columns: Any = columns, of: Any = of) -> Number:
            alone = len(rows) * len(columns) * len(layers) == 1
            return (cells.cell if alone else cells.sum)(of(layers))

        matched = count(everybody)
        sure = matched.clear and not count(known).hidden
        found["matched", label, segment, None] = matched
        found["matched and known", label, segment, None] = count(known)
        found["matched and not known", label, segment, None] = count(everybody[-1:])
        found["share known", label, segment, None] = (
            cells.ratio([(1, of(known))], [(1, of(everybody))]) if sure else WITHHELD
        )
        for group, layers in groups:
            some = count(layers)
            sure = not some.hidden and cells.sum(of(known)).clear
            found["matched with", label, segment, group] = some
            found["share of matched", label, segment, group] = (
                cells.ratio([(1, of(layers))], [(1, of(known))]) if sure else WITHHELD
            )
            audience = of(layers, range(g + 1)), of(known, range(g + 1))
            for metric, one, whole in (
                ("index", base(layers), base(known)),
                ("index to audience", *audience),
            ):
                clear = sure and cells.sum(one).clear and cells.sum(whole).clear
                index = cells.index(of(layers), of(known), one, whole) if clear else WITHHELD
                found[metric, label, segment, group] = index


Plane = Dict[Tuple[int, int], int]  # what a person counts for, by both channels' labels


@dataclass(frozen=True)
class Met:
    """How often the people of each cell were met by the tabulator and by the third."""

    names: tuple[str, str]
    one: list[int]
    other: list[int]

    @property
    def together(self) -> Plane:
        """By both together."""
        places = product(range(len(self.one)), range(len(self.other)))
        return {(g, v): self.one[g] + self.other[v] for g, v in places}

    @property
    def by_channel(self) -> dict[str | None, Plane]:
        """By each channel, and by both together (None)."""
        return {
            self.names[0]: {(g, v): self.one[g] for g, v in self.together},
            self.names[1]: {(g, v): self.other[v] for g, v in self.together},
            None: self.together,
        }

    @property
    def parts(self) -> dict[str, Plane]:
        """Whom one channel alone has met, and whom both; how often."""
        ours, theirs, every = self.by_channel.values()
        alone = {at: often for at, often in every.items() if often and not theirs[at]}
        others = {at: often for at, often in every.items() if often and not ours[at]}
        both = {at: often for at, often in every.items() if ours[at] and theirs[at]}
        return {f"{self.names[0]} only": alone, f"{self.names[1]} only": others, "both": both}


@dataclass(frozen=True)
class Channels:
    """One segment of a table of two channels: sums of its cells, and of the fitted ones."""

    cells: Cells
    fitted: dict[tuple[int, int], list[float]]
    columns: Any

    def form(self, weights: Plane) -> list[tuple[float, Block]]:
        """Return Σ weight × people, labels of equal weights together."""
        alike: dict[tuple[float, ...], list[int]] = {}
        for g in range(len(self.cells.rows) + 1):
            layers = range(len(self.cells.names[2]) + 1)
            row = tuple(float(weights.get((g, v), 0)) for v in layers)
            if any(row):
                alike.setdefault(row, []).append(g)
        columns = as_places(self.columns)
        return [(1, (tuple(rows), columns, Weights(row))) for row, rows in alike.items()]

    def number(self, weights: Plane) -> Number:
        """Return the sum; what is one cell of the table is suppressed where it is small."""
        whole = self.cells.form(self.form(weights))
        alone = sum(map(bool, weights.values())) * len(self.columns) == 1
        return self.cells.hidden_if_few(whole) if alone else whole

    def people(self, weights: Plane) -> Number:
        """Return the sum of people, with the fitted one."""
        pairs = [(self.fitted[at], one) for at, one in weights.items() if at in self.fitted]
        fitted = sum(one * row[b] for row, one in pairs for b in self.columns)
        return replace(self.number(weights), fitted=fitted)

    def ratio(self, part: Plane, whole: Plane) -> Number:
        """Return one sum over another."""
        if self.number(part).hidden or not self.number(whole).clear:
            return WITHHELD
        return self.cells.ratio(self.form(part), self.form(whole))


def channels(cells: Cells, found: Numbers, names: tuple[str, str]) -> None:
    """Reach across two channels, the tabulator's and the third's."""
    times = [
        [1] if len(labels) == 1 else frequencies(labels)
        for labels in (cells.names[0], cells.names[2])
    ]
    met, most = Met(names, [*times[0], 0], [*times[1], 0]), min(map(max, times))
    people = [at for at, often in met.together.items() if often]
    counts = [[float(cells.people[g][b][v]) for b in cells.columns] for g, v in people]
    blocks_of = [((g,), (0,), (v,)) for g, v in people]
    variances = [max(cells.covariance(one, one), 1e-9) for one in blocks_of]
    fitted = dict(zip(people, fit_table(counts, variances)))
    everybody = dict.fromkeys(met.together, 1)
    for name, columns in [*segments_of(cells), (None, cells.columns)]:
        of = Channels(cells, fitted, columns)
        found["audience", None, name, None] = cells.audience(columns)
        for label, often in met.by_channel.items():
            reached = {at: 1 for at, many in often.items() if many}
            found["reach", label, name, None] = of.people(reached)
            found["share reached", label, name, None] = of.ratio(reached, everybody)
            found["average frequency", label, name, None] = of.ratio(often, reached)
            found["impressions", label, name, None] = of.number(often)
        for label, part in met.parts.items():
            found["reached by", label, name, None] = of.people(dict.fromkeys(part, 1))
            share = of.ratio(dict.fromkeys(part, 1), dict.fromkeys(people, 1))
            found["share of reach", label, name, None] = share
            top = most if label == "both" else max(part.values())
            exactly(of, found, (label, name), part, top)
        for least in range(1, most + 1):
            some = {at: 1 for at, often in met.together.items() if often >= least}
            found["reach at least", f"{least}+", name, None] = of.people(some)


def exactly(of: Channels, found: Numbers, where: tuple[str, Any], part: Plane, top: int) -> None:
    """Add the people of a part by how often they were met, `top` times and more together."""
    label, segment = where
    for often in sorted({min(times, top) for times in part.values()}):
        some = {at: 1 for at, times in part.items() if min(times, top) == often}
        what = f"{label}: {often}+" if often == top else f"{label}: {often}"
        found["reached exactly", what, segment, None] = of.people(some)


def delay(cells: Cells, found: Numbers) -> None:
    """Conversions by campaign and age of the last touch."""
    parts = [label[:-2].rpartition(JOINT) for label in cells.names[0]]
    names, hours = (list(dict.fromkeys(part[at] for part in parts)) for at in (0, 2))
    segments = blocks(cells.names[1]) if len(cells.columns) > 1 else blocks(cells.names[1])[-1:]
    groups = [
        *((name, [at]) for at, name in enumerate(names)),
        ("all campaigns", range(len(names))),
    ]
    for (name, numbers), (segment, columns) in product(groups, segments):
        steps = [[number * len(hours) + at for number in numbers] for at in range(len(hours))]
        whole = [row for step in steps for row in step]
        found["conversions", name, segment, None] = cells.count(whole, columns)
        for at, step in enumerate(steps):
            label = f"{name}{JOINT}{hours[at]} h"
            found["conversions by age", label, segment, None] = cells.count(step, columns)
            if at + 1 < len(steps):
                younger = [row for own in steps[: at + 1] for row in own]
                then = cells.part(younger, columns, whole, columns)
                found["share by then", label, segment, None] = then


# -- attribution by rules ------------------------------------------------------------------------


def attribution(cells: Cells, found: Numbers) -> None:
    """Conversions and their value by rule and campaign, and by path."""
    journeys = [
        (path.split(" > "), won[:-1])
        for path, _, won in (label.rpartition(" (") for label in cells.names[0])
    ]
    named = dict.fromkeys(name for path, won in journeys for name in (*path, won) if name != GAP)
    values = ValueTable.of(cells)
    segments = blocks(cells.names[1]) if len(cells.columns) > 1 else blocks(cells.names[1])[-1:]
    if values is not None:
        segments = [
            (name, [column for own in each for column in own]) for name, each in values.blocks
        ]
    for segment, columns in segments:
        found["conversions", None, segment, None] = cells.count(cells.rows, columns)
        if values is not None:
            found["value", None, segment, None] = ValueBlock.of(values, cells.rows, segment).total()
        for rule, campaign in product(RULES_OF_CREDIT, named):
            credit = [credits_of(rule, path, won).get(campaign, 0) for path, won in journeys]
            number = credited(cells, credit, columns)
            found[f"conversions, {rule}", campaign, segment, None] = number
            if values is not None:
                shares = [part / UNIT for part in credit]
                value = ValueBlock.of(values, cells.rows, segment, shares).total()
                found[f"value, {rule}", campaign, segment, None] = value
    paths: dict[str, list[int]] = {}
    for row, label in enumerate(cells.names[0]):
        paths.setdefault(label.rpartition(" (")[0], []).append(row)
    hidden: list[Number] = []
    others: list[int] = []
    for path, rows in paths.items():
        error = ratio_spread(cells.noise(1, len(rows) * len(cells.columns)))
        counted = Number(cells.value(cells.block(rows, cells.columns)), *error)
        number = cells.hidden_if_few(counted)
        if number.hidden:
            hidden.append(number)
            others += rows
        else:
            found["path", path, None, None] = number
    if hidden:
        rest = hidden[0] if len(hidden) == 1 else cells.count(others, cells.columns)
        found["path", "all other paths", None, None] = rest


RULES_OF_CREDIT = ("last", "first", "linear", "position", "decay")


def credits_of(rule: str, path: list[str], won: str) -> dict[str, int]:
    """Return what a rule gives each campaign of a journey, in millionths of a conversion."""
    names = [name for name in path if name != GAP]
    if rule == "decay":
        return {won: UNIT}
    if rule in ("last", "first"):
        return {names[-1 if rule == "last" else 0]: UNIT}
    shares = [Fraction(1, len(names))] * len(names)
    if rule == "position" and len(names) > 2:
        middle = Fraction(1, 5) / (len(names) - 2)
        shares = [Fraction(2, 5), *[middle] * (len(names) - 2), Fraction(2, 5)]
    parts = [int(share * UNIT) for share in shares]
    left = sorted(range(len(parts)), key=lambda at: parts[at] - shares[at] * UNIT)
    for at in left[: UNIT - sum(parts)]:
        parts[at] += 1
    found: dict[str, int] = {}
    for name, part in zip(names, parts):
        found[name] = found.get(name, 0) + part
    return found


def credited(cells: Cells, credit: list[int], columns: Any) -> Number:
    """Return Σ credit × conversions; what is one cell is suppressed as the cell is."""
    rows = [row for row, part in enumerate(credit) if part]
    if len(rows) * len(columns) == 1 and credit[rows[0]] == UNIT:
        return cells.count(rows, columns)
    value = sum(credit[row] * cells.value(cells.block((row,), columns)) for row in rows) / UNIT
    terms = [
        term
        for part, many in Counter(credit[row] for row in rows).items()
        for term in cells.noise(part / UNIT, many * len(columns))
    ]
    return Number(value, *ratio_spread(terms))


# -- sums of values ------------------------------------------------------------------------------


def bounds_of(labels: list[str]) -> tuple[int, ...] | None:
    """Return the bounds in millionths that labels are, 0 first, or None where they are none."""
    written = labels[1:] if labels[:1] == ["refund"] else labels
    if not 2 <= len(written) <= 256 or not all(map(BOUND.fullmatch, written)):
        return None
    bounds = tuple(int(Decimal(text) * MILLION) for text in written)
    rising = list(bounds) == sorted(set(bounds))
    return bounds if bounds[0] == 0 and rising and bounds[-1] <= 10**18 else None


@dataclass(frozen=True)
class ValueTable:
    """A table whose recipient's labels are value buckets, or segments × buckets.

    `blocks` are the columns of each segment in the order of the bounds, and of all (None) last;
    `weights` is what a person of each bucket adds to a sum.
    """

    cells: Cells
    bounds: tuple[int, ...]
    refunds: bool
    blocks: tuple[tuple[Any, tuple[tuple[int, ...], ...]], ...]

    @classmethod
    def of(cls, cells: Cells) -> ValueTable | None:
        """Read the labels; None where they are something else."""
        labels = cells.names[1]
        segments: dict[Any, tuple[list[str], list[int]]] = {}
        plain = bounds_of(labels) is not None
        for column, label in enumerate(labels):
            segment, joint, bound = (None, JOINT, label) if plain else label.rpartition(JOINT)
            if not joint:
                return None
            texts, columns = segments.setdefault(segment, ([], []))
            texts.append(bound)
            columns.append(column)
        lists = {tuple(texts) for texts, _ in segments.values()}
        bounds = bounds_of(list(lists.pop())) if len(lists) == 1 else None
        if bounds is None:
            return None
        own = tuple((name, (tuple(columns),)) for name, (_, columns) in segments.items())
        every = tuple(columns for _, (columns,) in own)
        refunds = next(iter(segments.values()))[0][0] == "refund"
        return cls(
            cells, bounds, refunds, (*(one for one in own if one[0] is not None), (None, every))
        )

    @property
    def weights(self) -> tuple[float, ...]:
        """What a person of each bucket adds; a refund adds 0."""
        return tuple(
            bound / MILLION for bound in ((0, *self.bounds) if self.refunds else self.bounds)
        )

    def rounding(self, people: list[float]) -> float:
        """Return how much rounding to bounds can vary at most, of so many people by bucket."""
        kept = [max(float(one), 0.0) for one in people[int(self.refunds) :]]
        gaps = [(high - low) / MILLION for low, high in zip(self.bounds, self.bounds[1:])]
        between = sum(
            gap**2 * (down + 1) * (up + 1) / (down + up + 2)
            for gap, down, up in zip(gaps, kept, kept[1:])
        )
        widest = [max(one, other) for one, other in zip([*gaps, 0.0], [0.0, *gaps])]
        return min(between, sum(one * gap**2 for one, gap in zip(kept, widest)) / 4)

    def share_noise(self, factor: float, rows: int, columns: int, share: float) -> list[Term]:
        """Return the noise of factor × (people - share × audience)."""
        people = self.cells.block(range(rows), range(columns))
        audience = self.cells.audience_of(range(columns))
        return self.cells.terms([(factor, people), (-factor * share, audience)])


def segments_of(cells: Cells) -> list[tuple[Any, Any]]:
    """Return the recipient's segments with their columns; buckets alone are none."""
    values = ValueTable.of(cells)
    if values is None:
        return blocks(cells.names[1])[:-1]
    return [(name, columns) for name, (columns, *_) in values.blocks[:-1]]


@dataclass(frozen=True)
class ValueBlock:
    """Some rows of a table, against the buckets of one segment or of all."""

    table: ValueTable
    rows: Any
    segments: tuple[tuple[int, ...], ...]
    credit: list[float]

    @classmethod
    def of(cls, table: ValueTable, rows: Any, segment: Any, credit: Any = None) -> ValueBlock:
        """Choose rows and a segment; `credit` is how much of a person's value each row counts."""
        return cls(table, rows, dict(table.blocks)[segment], credit or [1.0] * len(rows))

    @property
    def columns(self) -> list[int]:
        """All columns."""
        return [column for own in self.segments for column in own]

    @property
    def earning(self) -> list[int]:
        """Those of people with a value above 0."""
        weights = self.table.weights
        return [column for own in self.segments for column, one in zip(own, weights) if one]

    def counted(self, power: int) -> list[float]:
        """Return the people in each column, a row's times its credit to a power."""
        cells, by_row = self.table.cells, list(zip(self.rows, self.credit))
        return [
            sum(part**power * cells.value(cells.block((row,), (column,))) for row, part in by_row)
            for column in self.columns
        ]

    def rounding_of(self, people: list[float]) -> float:
        """Return the variance of the rounding to bounds."""
        size = len(self.table.weights)
        parts = [people[at : at + size] for at in range(0, len(people), size)]
        return math.fsum(map(self.table.rounding, parts))

    def worth_of(self, people: list[float]) -> float:
        """Return Σ bound × people."""
        weights = self.table.weights * len(self.segments)
        return sum(one * many for one, many in zip(weights, people))

    def terms(self, weights: list[float]) -> list[Term]:
        """Return the noise of Σ weight × credit × count, draws of equal weight together."""
        found: Counter[float] = Counter()
        for part, rows in Counter(self.credit).items():
            for weight in weights:
                found[abs(part * weight)] += rows * len(self.segments)
        noise = self.table.cells.noise
        return [term for factor, many in found.items() if factor for term in noise(factor, many)]

    @property
    def hidden(self) -> bool:
        """Tell whether the sum would be that of one suppressed cell."""
        return self.table.cells.count(self.rows, self.earning).hidden

    def total(self) -> Number:
        """Return the sum."""
        if self.hidden:
            return WITHHELD
        rounding = self.rounding_of(self.counted(2))
        return rounded(
            self.worth_of(self.counted(1)), self.terms(list(self.table.weights)), rounding
        )

    def mean(self, columns: list[int], counts: list[int]) -> Number:
        """Return the sum for each person in some columns; of a bucket `counts` tells whether."""
        people = self.table.cells.count(self.rows, columns)
        if self.hidden or not people.clear:
            return WITHHELD
        value = self.worth_of(self.counted(1)) / people.value
        pairs = zip(self.table.weights, counts)
        slopes = [(weight - value * one) / people.value for weight, one in pairs]
        return rounded(
            value, self.terms(slopes), self.rounding_of(self.counted(2)) / people.value**2
        )

    def share(self) -> Number:
        """Return which share of the value of the recipient's audience it is."""
        table, cells, many = self.table, self.table.cells, len(self.segments)
        people = [cells.audience((column,)).value for column in self.columns]
        whole = self.worth_of(people)
        noise = [term for one in table.weights for term in table.share_noise(one, 0, 1, -1)]
        error = math.sqrt(math.fsum(n * f**2 * law.variance for f, law, n in noise) * many)
        if self.hidden or whole <= CLEAR * error:
            return WITHHELD
        share = self.worth_of(self.counted(1)) / whole
        terms = [
            term
            for one in table.weights
            if one
            for term in table.share_noise(one / whole, len(self.rows), many, share)
        ]
        own = self.rounding_of(self.counted(2))
        variance = (1 - 2 * share) * own + share**2 * self.rounding_of(people)
        return rounded(share, terms, max(variance, 0.0) / whole**2)


def rounded(value: float, noise: list[Term], variance: float) -> Number:
    """Return a number with the error of its noise and of the rounding to bounds."""
    return Number(value, *ratio_spread([*noise, (math.sqrt(variance) / STEPS, NORMAL, 1)]))


def worth(cells: Cells, found: Numbers, groups: Any) -> None:
    """Add value, conversion and baskets, where the recipient's labels are value buckets."""
    table = ValueTable.of(cells)
    if table is None:
        return
    for (segment, _), (label, rows) in product(table.blocks, groups):
        block, ones = ValueBlock.of(table, rows, segment), [1] * len(table.weights)
        earning = [int(weight > 0) for weight in table.weights]
        numbers = {
            "value": block.total(),
            "average value": block.mean(block.columns, ones),
            "share of value": block.share(),
            "with a value": cells.count(rows, block.earning),
            "conversion rate": cells.part(rows, block.earning, rows, block.columns),
            "average basket": block.mean(block.earning, earning),
        }
        if table.refunds:
            numbers["with a refund"] = cells.count(rows, [own[0] for own in block.segments])
        for metric, number in numbers.items():
            found[metric, label, segment, None] = number


# -- lift ----------------------------------------------------------------------------------------


class Rate(NamedTuple):
    """How many of an arm's people have converted, with the noise of both counts."""

    converted: float
    people: float
    converted_variance: float
    people_variance: float
    covariance: float

    @property
    def value(self) -> float:
        """The rate."""
        return self.converted / self.people

    @property
    def chance(self) -> float:
        """The variance of the rate by chance in who converts."""
        share = min(max(self.value, 0.0), 1.0)
        return share * (1 - share) / self.people

    def noise_at(self, rate: float) -> float:
        """Return the variance of the noise of converted - rate × people."""
        return self.converted_variance - 2 * rate * self.covariance + rate**2 * self.people_variance

    @property
    def error(self) -> float:
        """The standard error by both."""
        return math.sqrt(self.chance + self.noise_at(self.value) / self.people**2)

    def limits(self, quantile: float = QUANTILE) -> tuple[float, float]:
        """Return Wilson's score interval, with the noise's variance added."""
        return self.limit(-1, quantile), self.limit(1, quantile)

    def limit(self, sign: int, quantile: float) -> float:
        """Return one end; outside of 0 to 1 there is only noise."""
        chance = self.root(sign, quantile, quantile**2 * self.people)
        if chance is not None and 0 <= chance <= 1:
            return chance
        noise = self.root(sign, quantile, 0.0)
        return sign * math.inf if noise is None else noise

    def root(self, sign: int, quantile: float, chance: float) -> float | None:
        """Solve (x - np)² = z²(np(1-p) + σx² - 2pσxn + p²σn²) for p."""
        a = self.people**2 + chance - quantile**2 * self.people_variance
        b = 2 * self.people * self.converted + chance - 2 * quantile**2 * self.covariance
        c = self.converted**2 - quantile**2 * self.converted_variance
        under = b * b - 4 * a * c
        return None if a <= 0 or under < 0 else (b + sign * math.sqrt(under)) / (2 * a)


def difference(one: Rate, other: Rate, quantile: float = QUANTILE) -> tuple[float, float]:
    """Return the interval of a difference (Newcombe 1998, method 10)."""
    (low, high), (other_low, other_high) = one.limits(quantile), other.limits(quantile)
    value = one.value - other.value
    return (
        value - math.hypot(one.value - low, other_high - other.value),
        value + math.hypot(high - one.value, other.value - other_low),
    )


def ratio_limits(one: Rate, other: Rate) -> tuple[float, float] | None:
    """Return the interval of a ratio (Donner and Zou 2012); None of nothing sure."""
    (low, high), (other_low, other_high) = one.limits(), other.limits()
    if other_low <= 0 or one.value < 0:
        return None
    both = one.value * other.value
    below = max(low * (2 * one.value - low), 0.0)
    under = both**2 - below * other_high * (2 * other.value - other_high)
    above, over = high * (2 * one.value - high), other_low * (2 * other.value - other_low)
    return (
        below / (both + math.sqrt(under)) if below else 0.0,
        (both + math.sqrt(max(both**2 - above * over, 0.0))) / over,
    )


def p_value(one: Rate, other: Rate) -> float:
    """Return the p-value of equal rates: from the widest interval that excludes 0."""
    low, high = 0.0, 40.0
    for _ in range(48):
        middle = (low + high) / 2
        ends = difference(one, other, middle)
        low, high = (low, middle) if ends[0] <= 0 <= ends[1] else (middle, high)
    return 2 * NormalDist().cdf(-low)


@dataclass(frozen=True)
class Outcome:
    """One kind of conversion, or all: its columns, and of value buckets their bounds."""

    cells: Cells
    columns: Any
    bounds: tuple[float, ...] | None

    def rate(self, rows: tuple[int, ...]) -> Rate | None:
        """Return the rate of some people; None where it may not be shown."""
        converted, people = self.cells.count(rows, self.columns), self.cells.offered(rows)
        if converted.hidden or not people.clear:
            return None
        block, offered = self.cells.block(rows, self.columns), self.cells.offered_of(rows)
        together = self.cells.covariance(block, offered)
        return Rate(converted.value, people.value, converted.error**2, people.error**2, together)

    def mean(self, rows: tuple[int, ...]) -> tuple[Rate, float] | None:
        """Return the value of some people as a rate, and the variance of its mean by chance."""
        if self.bounds is None or self.rate(rows) is None:
            return None
        earning = [at for at, bound in zip(self.columns, self.bounds) if bound]
        if self.cells.count(rows, earning).hidden:
            return None
        weights = [0.0] * len(self.cells.columns)
        for at, bound in zip(self.columns, self.bounds):
            weights[at] = bound
        total, squares = (
            (rows, Weights(tuple(one**power for one in weights)), self.cells.every)
            for power in (1, 2)
        )
        people, offered = self.cells.offered(rows), self.cells.offered_of(rows)
        variance = self.cells.covariance(total, total)
        together = self.cells.covariance(total, offered)
        mean = Rate(self.cells.value(total), people.value, variance, people.error**2, together)
        chance = max(self.cells.value(squares) / people.value - mean.value**2, 0.0) / people.value
        return mean, chance


def lift(cells: Cells, found: Numbers) -> None:
    """Two arms of people assigned at random, and what lies between them."""
    labels, values = cells.names[0], ValueTable.of(cells)
    exposed = len(labels) == 4
    arms = list(dict.fromkeys(label.split(JOINT)[0] for label in labels)) if exposed else labels
    groups: dict[str, tuple[int, ...]] = (
        {arms[0]: (0, 1), arms[1]: (2, 3)} if exposed else {arms[0]: (0,), arms[1]: (1,)}
    )
    if exposed:
        groups.update({labels[0]: (0,), labels[2]: (2,)})
    treatment, control = groups[arms[0]], groups[arms[1]]
    outcomes = [(name, Outcome(cells, columns, None)) for name, columns in blocks(cells.names[1])]
    if values is not None:
        outcomes = [
            (name, Outcome(cells, [at for own in each for at in own], values.weights * len(each)))
            for name, each in values.blocks
        ]
    for group, rows in groups.items():
        found["people", group, None, None] = cells.offered(rows)
        for segment, outcome in outcomes:
            rate, mean = outcome.rate(rows), outcome.mean(rows)
            found["conversions", group, segment, None] = cells.count(rows, outcome.columns)
            found["conversion rate", group, segment, None] = (
                ranged(rate.value, rate.error, rate.limits()) if rate else WITHHELD
            )
            if values is not None:
                found["value a person", group, segment, None] = mean_number(mean)
    for segment, outcome in outcomes:
        compare_arms(outcome, found, (None, segment), treatment, control)
        if exposed:
            if cells.offered((2,)).clear:
                compare_arms(outcome, found, ("exposed, by ghosts", segment), (0,), (2,))
            found["lift", "exposed, by Bloom", segment, None] = bloom(outcome, treatment, control)


def mean_number(mean: tuple[Rate, float] | None) -> Number:
    """Return a value a person."""
    if mean is None:
        return WITHHELD
    one, chance = mean
    error = math.sqrt(chance + one.noise_at(one.value) / one.people**2)
    return Number(one.value, error, QUANTILE * error)


def compare_arms(
    outcome: Outcome, found: Numbers, where: tuple[Any, Any], one: Any, other: Any
) -> None:
    """Add lift, relative lift, incremental conversions and value, and the p-value."""
    treated, control = outcome.rate(one), outcome.rate(other)
    numbers = dict.fromkeys(
        ("lift", "relative lift", "incremental conversions", "p-value"), WITHHELD
    )
    if treated and control:
        value = treated.value - control.value
        numbers["lift"] = ranged(
            value, math.hypot(treated.error, control.error), difference(treated, control)
        )
        limits = ratio_limits(treated, control)
        if limits:
            quotient = treated.value / control.value
            error = math.hypot(treated.error, quotient * control.error) / control.value
            numbers["relative lift"] = ranged(quotient - 1, error, (limits[0] - 1, limits[1] - 1))
        counted = Rate(treated.converted, treated.people, treated.noise_at(control.value), 0.0, 0.0)
        low, high = difference(counted, control)
        numbers["incremental conversions"] = ranged(
            treated.converted - treated.people * control.value,
            treated.people * math.hypot(counted.error, control.error),
            (treated.people * low, treated.people * high),
        )
        numbers["p-value"] = Number(p_value(treated, control))
    if outcome.bounds is not None:
        brought, usual = outcome.mean(one), outcome.mean(other)
        numbers["incremental value"] = WITHHELD
        if brought and usual:
            (mean, chance), (base, base_chance) = brought, usual
            base_variance = base_chance + base.noise_at(base.value) / base.people**2
            variance = mean.people**2 * (chance + base_variance) + mean.noise_at(base.value)
            error = math.sqrt(variance)
            added = mean.converted - mean.people * base.value
            half = QUANTILE * error
            numbers["incremental value"] = ranged(added, error, (added - half, added + half))
    for metric, number in numbers.items():
        found[(metric, *where, None)] = number


def bloom(outcome: Outcome, treatment: Any, control: Any) -> Number:
    """Return the effect on the exposed: the difference over the share exposed (Bloom 1984)."""
    cells = outcome.cells
    one, other = outcome.rate(treatment), outcome.rate(control)
    among, counted = cells.offered((0,)), cells.count((0,), outcome.columns)
    if one is None or other is None or counted.hidden or not among.clear:
        return WITHHELD
    arm = cells.block(treatment, outcome.columns)
    together = cells.covariance(arm, cells.offered_of((0,)))
    share, change = among.value / one.people, one.value - other.value
    effect = change / share
    chance = effect**2 * max(share * (1 - share), 0.0)
    chance -= 2 * effect * (counted.value / one.people - one.value * share)
    noise = one.noise_at(other.value) - one.noise_at(one.value) - 2 * effect * together
    noise += ((effect + other.value) ** 2 - other.value**2) * among.error**2
    added = chance / one.people + noise / one.people**2
    low, high = (
        math.sqrt(max(distance**2 + QUANTILE**2 * added, 0.0)) / share
        for distance in (change - difference(one, other)[0], difference(one, other)[1] - change)
    )
    return ranged(effect, (low + high) / 2 / QUANTILE, (effect - low, effect + high))


# -- all numbers of a report ---------------------------------------------------------------------

REPORTS: dict[str, Callable[[Cells, Numbers], None]] = {
    "overlap": overlap,
    "table": crosstab,
    "reach": reach,
    "reach by campaign": campaigns,
    "funnel": funnel,
    "insights": insights,
    "lift": lift,
    "attribution": attribution,
    "delay": delay,
}


TITLES = {
    "reach": ("reach", "reach by campaign"),
    "cross-channel": ("cross-channel reach",),
}
"""What a report is called where that is not the kind that was asked for."""


def numbers_of(bundle: Bundle, report: dict[str, Any]) -> Numbers:
    """Return the numbers that a report must have, where this file knows how to compute them."""
    table, kind, asked = report["table"], report["report"], bundle.request["kind"]
    same = kind in (*TITLES.get(asked, (asked,)), "table")  # whoever has not all names has a table
    need(same, "report.json: it is another report than was asked for")
    third = table.get("third")
    cells = cells_of(bundle, table)
    found: Numbers = {}
    if kind == "cross-channel reach":
        tabulator, _, other = third["parties"]
        channels(cells, found, (tabulator, other))
    elif kind == "insights" and third:
        third_insights(cells, found)
    elif kind in REPORTS:
        REPORTS[kind](cells, found)
        for layer, name in enumerate(
            [*third["labels"], f"not known to {third['parties'][2]}"] if third else []
        ):
            own: Numbers = {}
            REPORTS[kind](cells.of_third(layer), own)
            found.update({(*where[:3], name): number for where, number in own.items()})
    return found


def check_numbers(bundle: Bundle, report: dict[str, Any]) -> None:
    """Compute the numbers again, and say which this file cannot."""
    told, left, seen = numbers_of(bundle, report), set(), set()
    for row in report["rows"]:
        where = tuple(row.get(name) for name in NAMES)
        need(where not in seen, f"report.json: a number stands twice: {row['metric']}")
        seen.add(where)
        if where in told:
            require_number(row, told[where])
        else:
            left.add(row["metric"])
    for where in told:
        said = " · ".join(filter(None, where))
        need(where in seen, f"report.json: a number is missing: {said}")
    if told:
        many = f"{len(told)} of {len(report['rows'])}"
        bundle.said.append(f"numbers: {many} follow from the table, and so do their intervals")
    if left:
        bundle.open.append(f"numbers that were not computed again: {'; '.join(sorted(left))}")


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
