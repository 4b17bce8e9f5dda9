"""The receipt of what a person has said: proof for them that it stands in the party's log.

A receipt has the statements themselves, for each the path (RFC 6962) to the root in the log's
entry, and the offline receipt of that entry (c2sp.org/tlog-proof@v1). The salt in it opens the
commitment to the person, who alone has it beside the party. Whoever checks it needs the person's
id and the log's key, from where the party cannot change it alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import rfc8785
import sqlalchemy as sa

from audit.bodies import ConsentRecorded, ConsentWithdrawn
from audit.checkpoint import Cosignature, vouching_key
from audit.commitment import verify_opening
from audit.entry import Entry
from audit.errors import CommitmentError, NoteError, ReceiptError
from audit.merkle import StoredLeaves, inclusion_proof, leaf_hash, verify_inclusion
from audit.note import Verifier
from audit.tlog_proof import LogProof, require_cosigned, verify_proof
from party.consent.book import event_of
from party.consent.events import SUBJECT
from party.consent.records import Person
from party.errors import ConsentError
from party.journal import Journal
from party.schema import CONSENT_BATCHES, CONSENT_EVENTS
from party.store import Store

FORMAT: Final = "commonground/consent-receipt/v1"
MOST_BYTES: Final = 1 << 20
_KEYS: Final = {"receipt", "log", "salt", "statements", "proof"}
_STATEMENT_KEYS: Final = {"statement", "index", "size", "hashes"}
_MOST_STATEMENTS: Final = 1_000
_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Checked:
    """What a receipt proves: who says what since when, in which log, and who vouches for it."""

    statements: tuple[Mapping[str, Any], ...]
    entry: Entry
    log: Verifier
    cosignatures: tuple[Cosignature, ...]


def make_receipt(store: Store, journal: Journal, vkey: str, person: Person) -> dict[str, Any]:
    """Return the receipt of what a person has said last, as JSON values.

    It has all that was recorded of them together.

    Raises:
        ConsentError: nothing is recorded of them.
    """
    table = CONSENT_EVENTS
    query = sa.select(table).where(table.c.subject == person.subject.number)
    rows = store.rows(query.order_by(table.c.seq))
    if not rows:
        raise ConsentError("nothing is recorded of this person, so there is no receipt")
    batch = rows[-1].batch
    said = sa.select(table.c.seq, table.c.leaf).where(table.c.batch == batch)
    leaves = store.rows(said.order_by(table.c.seq))
    places = {row.seq: place for place, row in enumerate(leaves)}
    nodes = StoredLeaves(lambda start, stop: [row.leaf for row in leaves[start:stop]])
    (entry,) = store.rows(sa.select(CONSENT_BATCHES).where(CONSENT_BATCHES.c.id == batch))
    statements = [
        {
            "statement": event_of(row, person.subject.commitment).to_json(),
            "index": places[row.seq],
            "size": len(leaves),
            "hashes": [one.hex() for one in inclusion_proof(nodes, places[row.seq], len(leaves))],
        }
        for row in rows
        if row.batch == batch
    ]
    return {
        "receipt": FORMAT,
        "log": vkey,
        "salt": person.subject.salt.hex(),
        "statements": statements,
        "proof": journal.receipt(entry.entry).text(),
    }


def check_receipt(
    data: bytes, subject: str, *, key: str | None = None, witnesses: Sequence[str] = ()
) -> Checked:
    """Check a receipt of the person whom the party calls `subject`; needs no party.

    Args:
        data: the receipt's file.
        subject: the person's id.
        key: the log's key. Without it the one that the receipt names is taken, which shows that
            the receipt is whole, and not whose log it is.
        witnesses: the keys of those who must have cosigned the log: of witnesses, or of parties.

    Raises:
        ConsentError: a witness's key is malformed.
        AuditError: it is malformed, of somebody else, not what stands in the log, or one of the
            witnesses has not cosigned it.
    """
    try:
        vouching = [vouching_key(witness) for witness in witnesses]
    except NoteError as error:
        raise ConsentError(f"a witness's key is given as name+id+key: {error}") from None
    receipt = _read_object(data)
    named = _text(receipt, "log")
    if key is not None and key.strip() != named:
        raise ReceiptError("the receipt is of another log than that of this key")
    log = Verifier.from_vkey(named)
    proven = verify_proof(LogProof.parse(_text(receipt, "proof")), log, witnesses=vouching)
    require_cosigned(proven, vouching)
    entry = Entry.parse(proven.entry)
    if not isinstance(entry.body, ConsentRecorded | ConsentWithdrawn):
        raise ReceiptError("the entry in the receipt is about something else than consent")
    salt, root = _bytes(receipt, "salt"), bytes.fromhex(entry.body.root)
    given = receipt["statements"]
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_STATEMENTS:
        raise ReceiptError(f"a receipt has 1 to {_MOST_STATEMENTS} statements")
    statements = [_check_statement(one, root, subject, salt) for one in given]
    return Checked(tuple(statements), entry, log, proven.cosignatures)


def _check_statement(one: object, root: bytes, subject: str, salt: bytes) -> Mapping[str, Any]:
    """Check that a statement is about the person, and in the tree of the entry."""
    if not isinstance(one, dict) or one.keys() != _STATEMENT_KEYS:
        raise ReceiptError(f"a statement of a receipt has {', '.join(sorted(_STATEMENT_KEYS))}")
    said, hashes = one["statement"], one["hashes"]
    index, size = one["index"], one["size"]
    if not isinstance(said, dict) or not isinstance(hashes, list):
        raise ReceiptError("a statement of a receipt is an object, and its hashes are a list")
    if type(index) is not int or type(size) is not int:
        raise ReceiptError("a statement's index and size are whole numbers")
    try:
        verify_opening(_bytes(said, "subject"), SUBJECT, subject.encode(), salt)
    except CommitmentError:
        raise ReceiptError("the receipt is about somebody else than this id") from None
    proof = [_bytes({"hash": one}, "hash") for one in hashes]
    verify_inclusion(leaf_hash(rfc8785.dumps(said)), index, size, proof, root)
    return said


def _read_object(data: bytes) -> dict[str, Any]:
    try:
        if len(data) > MOST_BYTES:
            raise ReceiptError(f"a receipt has at most {MOST_BYTES} bytes")
        value = json.loads(data)
        rfc8785.dumps(value)  # what has no canonical form has no hash
    except (ValueError, RecursionError) as error:
        raise ReceiptError("a receipt is a JSON object in UTF-8") from error
    if not isinstance(value, dict) or value.keys() != _KEYS or value["receipt"] != FORMAT:
        raise ReceiptError(f"a receipt has {', '.join(sorted(_KEYS))}, and is a {FORMAT}")
    return value


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise ReceiptError(f"{key} of a receipt is text")
    return value


def _bytes(document: Mapping[str, Any], key: str) -> bytes:
    """Return 32 bytes that stand as 64 hexadecimal digits."""
    text = _text(document, key)
    if not _HEX.fullmatch(text):
        raise ReceiptError(f"{key} of a receipt is 64 hexadecimal digits")
    return bytes.fromhex(text)
