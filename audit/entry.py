"""One entry of the log: RFC 8785 canonical JSON of less than 64 KiB (docs/audit, The log).

`{v, seq, time, kind, party, session?, contract?, actor, body}`. What is hashed is the bytes, so
exactly one spelling is accepted: an entry that is not its own canonical form is refused, and so
are unknown fields, floats, nulls and duplicates.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from audit.bodies import kind_named
from audit.canonical import canonical
from audit.errors import EntryError
from audit.merkle import LeafHash, leaf_hash
from audit.shapes import DIGEST, LABEL, NATURAL, JsonObject, Record

VERSION: Final = 1
MAX_ENTRY_BYTES: Final = 64 * 1024 - 1
"""What the two bytes of a length in a bundle of entries can say (`audit.tiles`)."""
_REQUIRED: Final = frozenset({"v", "seq", "time", "kind", "party", "actor", "body"})
_OPTIONAL: Final = frozenset({"session", "contract"})
_FIELDS: Final = _REQUIRED | _OPTIONAL
_READER: Final = json.JSONDecoder()
_ABSENT: Final = dict.fromkeys(_OPTIONAL)
_TIME_WORDS: Final = "time must be RFC 3339 in UTC with microseconds: 2026-01-31T08:00:00.000000Z"
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@dataclass(frozen=True)
class Entry:
    """What happened, as the log says it.

    Args:
        seq: the index of the entry's leaf, from 0.
        time: RFC 3339, UTC, microseconds (`format_time`).
        kind: one of `audit.bodies.KINDS`, or `incident.<word>`.
        party: whose log this is.
        actor: who acted: a role or an account, never an address.
        body: the record of this kind.
        session: the session id, 64 hexadecimal digits, once there is one.
        contract: the contract's hash, 64 hexadecimal digits.

    Raises:
        EntryError: a field is out of shape, or not as its kind asks.
    """

    seq: int
    time: str
    kind: str
    party: str
    actor: str
    body: Record
    session: str | None = None
    contract: str | None = None

    def __post_init__(self) -> None:
        NATURAL.check(self.seq, "seq")
        parse_time(self.time)
        head = self.kind, self.party, self.actor, self.session is not None, self.contract
        try:
            body = _body_of(*head)
        except TypeError:
            raise EntryError("kind, party, actor and contract of an entry must be text") from None
        if type(self.body) is not body:
            raise EntryError(f"the body of {self.kind} must be a {body.__name__}")
        if self.session is not None:
            DIGEST.check(self.session, "session")

    def encode(self) -> bytes:
        """Return the canonical bytes, which are what the log stores and hashes.

        Raises:
            EntryError: they are 64 KiB or more, or not representable.
        """
        fields: JsonObject = {
            "v": VERSION,
            "seq": self.seq,
            "time": self.time,
            "kind": self.kind,
            "party": self.party,
            "actor": self.actor,
            "body": self.body.to_json(),
        }
        optional = {"session": self.session, "contract": self.contract}
        fields |= {name: value for name, value in optional.items() if value is not None}
        data = _canonical(fields)
        _require_size(data)
        return data

    @property
    def seconds(self) -> float:
        """The time as POSIX seconds."""
        return parse_time(self.time).timestamp()

    def leaf_hash(self) -> LeafHash:
        """Return the hash of the entry as a leaf."""
        return leaf_hash(self.encode())

    @classmethod
    def parse(cls, data: bytes) -> Entry:
        """Read an entry that is in its canonical form.

        Raises:
            EntryError: it is too large, malformed, not canonical, or not as its kind asks.
        """
        _require_size(data)
        fields = _read_object(data)
        if not fields.keys() >= _REQUIRED:
            raise EntryError(f"an entry lacks {', '.join(sorted(_REQUIRED - fields.keys()))}")
        if not fields.keys() <= _FIELDS:
            raise EntryError("an entry has a field that no entry has")
        if None in fields.values():
            raise EntryError("an entry has a null; a field without a value is left out")
        if type(fields["v"]) is not int or fields["v"] != VERSION:
            raise EntryError(f"v must be {VERSION}: this program reads no other version")
        if _canonical(fields) != data:
            raise EntryError("an entry must be in canonical form (RFC 8785)")
        body = kind_named(fields["kind"]).body.from_json(fields.pop("body"), "body")
        del fields["v"]
        made = object.__new__(cls)  # as the constructor would, at a fraction of its time
        made.__dict__.update(_ABSENT, **fields, body=body)
        made.__post_init__()
        return made


def format_time(moment: datetime) -> str:
    """Return a moment as entries have it; `moment` knows its time zone.

    Raises:
        EntryError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise EntryError("the time of an entry needs a time zone")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_time(text: object) -> datetime:
    """Read the time of an entry.

    Raises:
        EntryError: it is not RFC 3339 in UTC with six digits of a second.
    """
    if not isinstance(text, str):
        raise EntryError(_TIME_WORDS)
    return _moment(text)


@lru_cache(maxsize=64)  # several rules ask for the time of one entry
def _moment(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise EntryError(_TIME_WORDS)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise EntryError("time must be a moment that exists") from error


@lru_cache(maxsize=1024)
def _body_of(
    kind: str, party: str, actor: str, in_session: bool, contract: str | None
) -> type[Record]:
    """Check what many entries have alike, and return the class of their body."""
    LABEL.check(party, "party")
    LABEL.check(actor, "actor")
    named = kind_named(kind)
    named.session.check(in_session or None, "session", kind)
    named.contract.check(contract, "contract", kind)
    if contract is not None:
        DIGEST.check(contract, "contract")
    return named.body


def _require_size(data: bytes) -> None:
    if len(data) > MAX_ENTRY_BYTES:
        raise EntryError(f"an entry has at most {MAX_ENTRY_BYTES} bytes, this has {len(data)}")


def _read_object(data: bytes) -> JsonObject:
    """Read a JSON object; duplicate names do not survive the canonical form."""
    try:
        value, _ = _READER.raw_decode(data.decode())  # what follows it is not canonical
    except (ValueError, RecursionError) as error:
        raise EntryError("an entry must be a JSON object in UTF-8") from error
    if not isinstance(value, dict):
        raise EntryError("an entry must be a JSON object in UTF-8")
    return value


def _canonical(fields: dict[str, Any]) -> bytes:
    try:
        return canonical(fields)
    except (ValueError, RecursionError) as error:
        raise EntryError("an entry has a value that canonical JSON cannot hold") from error
