"""One entry with its proof, checked step by step, so that a reader sees what was computed.

Leaf hash, path, root, the log's signature on its checkpoint, the cosignatures of others on it, and
that the log as it is now goes on from there. A step that fails is shown as failed, with all others:
nothing is left out because something before it did not hold. The reader who does not believe this
program has the receipt (`audit.tlog_proof`) and its keys, to check them elsewhere.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from audit.checkpoint import (
    Checkpoint,
    CosignatureVerifier,
    open_checkpoint,
    verify_cosignature,
    vouching_key,
)
from audit.entry import Entry
from audit.errors import AuditError, TreeError
from audit.merkle import LeafHash, PathStep, inclusion_path, leaf_hash
from audit.note import Signature, parse_note
from audit.tlog_proof import SUFFIX, LogProof
from client.verifying import stored_log
from party.errors import ContractError, PartyError

if TYPE_CHECKING:
    from party.organisation import Organisation


@dataclass(frozen=True)
class Vouched:
    """A cosignature on the checkpoint: whose, and when (Unix seconds, None if it does not hold).

    `known` is whether its key is in a contract here or in party.toml; others are not checked.
    """

    cosigner: str
    known: bool
    time: int | None
    problem: str | None = None


@dataclass(frozen=True)
class ProvenEntry:
    """An entry, and each step of its proof; `*_problem` is why one does not hold, None if it does.

    `path` leads from `leaf` to `root`, the root of the path; `extended_to` is the size of the log
    that was shown to begin with all that the checkpoint covers.
    """

    entry: Entry
    data: bytes
    receipt: LogProof
    vkey: str
    leaf: LeafHash
    path: tuple[PathStep, ...]
    root: bytes
    checkpoint: Checkpoint
    leaf_problem: str | None
    path_problem: str | None
    signature_problem: str | None
    vouched: tuple[Vouched, ...]
    extended_to: int
    extension_problem: str | None

    @property
    def holds(self) -> bool:
        """Whether every step does."""
        steps = (
            self.leaf_problem,
            self.path_problem,
            self.signature_problem,
            self.extension_problem,
            *(one.problem for one in self.vouched),
        )
        return all(problem is None for problem in steps)

    @property
    def witnesses(self) -> tuple[str, ...]:
        """Who has cosigned the checkpoint, of those whose keys are known."""
        return tuple(one.cosigner for one in self.vouched if one.known and one.problem is None)

    @property
    def file(self) -> str:
        """The name of the receipt as a file."""
        return f"entry-{self.entry.seq}{SUFFIX}"

    @property
    def command(self) -> str:
        """How somebody else checks the receipt, by a key that they have from elsewhere."""
        return f"commonground audit check-receipt {self.file} --key {self.vkey}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; hashes as hexadecimal digits."""
        return {
            "entry": json.loads(self.data),
            "holds": self.holds,
            "leaf_hash": self.leaf.hex(),
            "leaf_problem": self.leaf_problem,
            "path": [
                {"sibling": one.sibling.hex(), "left": one.is_left, "node": one.node.hex()}
                for one in self.path
            ],
            "root": self.root.hex(),
            "path_problem": self.path_problem,
            "checkpoint": {
                "origin": self.checkpoint.origin,
                "size": self.checkpoint.size,
                "root": self.checkpoint.root.hex(),
            },
            "key": self.vkey,
            "signature_problem": self.signature_problem,
            "cosignatures": [asdict(one) for one in self.vouched],
            "extended_to": self.extended_to,
            "extension_problem": self.extension_problem,
            "receipt": b64encode(self.receipt.text().encode()).decode(),
        }


def prove_entry(party: Organisation, number: int) -> ProvenEntry:
    """Return an entry of the party's log with its proof, each step computed anew.

    Raises:
        PartyError: the log has no such entry.
        AuditError: what is stored is no entry, or no checkpoint.
    """
    try:
        receipt = party.journal.receipt(number)
    except TreeError as error:
        raise PartyError(str(error)) from None
    data = receipt.entry or b""
    entry, leaf = Entry.parse(data), leaf_hash(data)
    note = parse_note(receipt.checkpoint)
    checkpoint = Checkpoint.parse(note.text)
    path, path_problem = _path(leaf, receipt, checkpoint)
    root = path[-1].node if path else leaf
    if path_problem is None and root != checkpoint.root:
        path_problem = "the path leads to another root than the checkpoint's"
    extended_to, extension_problem = _extension(party, receipt.checkpoint)
    return ProvenEntry(
        entry=entry,
        data=data,
        receipt=receipt,
        vkey=party.identity.vkey,
        leaf=leaf,
        path=path,
        root=root,
        checkpoint=checkpoint,
        leaf_problem=None if entry.seq == number else "the entry says that it has another place",
        path_problem=path_problem,
        signature_problem=_signature(party, receipt.checkpoint),
        vouched=_vouched(party, checkpoint, note.signatures),
        extended_to=extended_to,
        extension_problem=extension_problem,
    )


def _path(
    leaf: LeafHash, receipt: LogProof, checkpoint: Checkpoint
) -> tuple[tuple[PathStep, ...], str | None]:
    try:
        return inclusion_path(leaf, receipt.index, checkpoint.size, receipt.hashes), None
    except AuditError as error:
        return (), str(error)


def _signature(party: Organisation, note: str) -> str | None:
    try:
        open_checkpoint(note, party.identity.verifier)
    except AuditError as error:
        return str(error)
    return None


def _extension(party: Organisation, note: str) -> tuple[int, str | None]:
    size = party.journal.size
    try:
        party.journal.require_extends(note)
    except AuditError as error:
        return size, str(error)
    return size, None


def _vouched(
    party: Organisation, checkpoint: Checkpoint, signatures: Sequence[Signature]
) -> tuple[Vouched, ...]:
    """Check every signature on a checkpoint but the log's own."""
    own = party.identity.verifier
    known = known_witnesses(party)
    found = []
    for one in signatures:
        if (one.name, one.key_id) == (own.name, own.key_id):
            continue
        if (one.name, one.key_id) not in known:
            found.append(Vouched(one.name, known=False, time=None))
            continue
        try:
            said = verify_cosignature(checkpoint, one.line(), list(known.values()))
        except AuditError as error:
            found.append(Vouched(one.name, known=True, time=None, problem=str(error)))
            continue
        found.append(Vouched(said.cosigner, known=True, time=said.time))
    return tuple(found)


def known_witnesses(party: Organisation) -> dict[tuple[str, bytes], CosignatureVerifier]:
    """Return the keys whose cosignatures count here, by name and id: as verifying the log does.

    Raises:
        AuditError: a stored contract is not what was signed.
    """
    try:
        keys = [vouching_key(vkey) for vkey in stored_log(party).counterparts()]
    except ContractError as error:
        raise PartyError(str(error)) from error
    return {(key.name, key.key_id): key for key in keys}
