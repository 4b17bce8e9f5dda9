"""Evidence as a liar would hand it over: altered, and signed again with every key that he has.

The liar is the log's owner. He signs a new checkpoint, new receipts and a new manifest; what he
cannot make is a counterpart's cosignature, or another party's signature of contract and request.
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

import rfc8785

from audit.checkpoint import Checkpoint
from audit.merkle import StoredLeaves, leaf_hash, root
from audit.note import Signer
from audit.tlog_proof import SUFFIX, LogProof, prove
from party.bundle import FORMAT, MANIFEST, SIGNATURE
from party.evidence import StoredLog


@dataclass(frozen=True)
class Forger:
    """One party's evidence for one request, and its whole log.

    Args:
        files: the honest bundle.
        log: the entries of the log as JSON values, in their order.
        identity: the party's keys.
    """

    files: dict
    log: tuple
    identity: object

    @classmethod
    def of(cls, party, files):
        entries = StoredLog(party.store, party.identity).entries()
        return cls(dict(files), tuple(json.loads(data) for data in entries), party.identity)

    @property
    def shown(self):
        """The numbers of the entries in the bundle."""
        names = [name for name in self.files if name.startswith("entries/")]
        return sorted(int(name.removeprefix("entries/").removesuffix(SUFFIX)) for name in names)

    def number_of(self, kind):
        """The number of the last entry of a kind in the bundle."""
        return [seq for seq in self.shown if self.log[seq]["kind"] == kind][-1]

    def with_files(self, changed=(), dropped=()):
        """Return the bundle with other files, under a new manifest."""
        files = {**self.files, **dict(changed)}
        for name in (*dropped, MANIFEST, SIGNATURE):
            del files[name]
        manifest = {
            **json.loads(self.files[MANIFEST]),
            "files": {name: sha256(data).hexdigest() for name, data in files.items()},
        }
        text = rfc8785.dumps(manifest)
        signature = self.identity.sign_own(FORMAT.encode() + b"\n" + text)
        return {**files, MANIFEST: text, SIGNATURE: b64encode(signature) + b"\n"}

    def receipt(self, seq, **changes):
        """Return the name and the text of a receipt, parts of it replaced."""
        proof = LogProof.parse(self.files[f"entries/{seq}{SUFFIX}"])
        return f"entries/{seq}{SUFFIX}", LogProof(**vars(proof) | changes).text().encode()

    def changed_entry(self, seq, old, new):
        """Return a bundle in which one entry says something else."""
        data = rfc8785.dumps(self.log[seq])
        assert old in data
        return self.with_files([self.receipt(seq, entry=data.replace(old, new))])

    def rewritten(self, keep=lambda entry: True, change=lambda entry: entry, without=()):
        """Return a bundle from a history that the owner wrote anew, cosigned by nobody."""
        shown = set(self.shown)
        told = [(change(e), e["seq"] in shown) for e in self.log if keep(e)]
        data = [rfc8785.dumps({**entry, "seq": seq}) for seq, (entry, _) in enumerate(told)]
        leaves = [leaf_hash(one) for one in data]
        own = Checkpoint(self.identity.log_origin, len(leaves), root(leaves))
        note, nodes = own.sign(self.identity.signer), StoredLeaves(lambda a, b: leaves[a:b])
        receipts = {
            f"entries/{seq}{SUFFIX}": prove(nodes, seq, note, data[seq]).text().encode()
            for seq, (_, is_shown) in enumerate(told)
            if is_shown
        }
        kept = {
            name: content
            for name, content in self.files.items()
            if not name.startswith(("entries/", "checkpoints/")) and name not in without
        }
        found = {**kept, **receipts, "checkpoints/latest.txt": note.encode()}
        return Forger(found, self.log, self.identity).with_files()

    def without_kind(self, kind):
        """Return a bundle from a history that never had entries of a kind about this request."""
        gone = {seq for seq in self.shown if self.log[seq]["kind"] == kind}
        return self.rewritten(keep=lambda entry: entry["seq"] not in gone)

    def _note(self, leaves):
        own = Checkpoint(self.identity.log_origin, len(leaves), root(leaves))
        return own.sign(self.identity.signer).encode()

    @property
    def _leaves(self):
        return [leaf_hash(rfc8785.dumps(entry)) for entry in self.log]

    def shorter(self):
        """Return a new checkpoint without the last entries, and the honest one."""
        return self._note(self._leaves[:-3]), self.files["checkpoints/latest.txt"]

    def fork(self):
        """Return a new checkpoint of a log that grew from another history, and the honest one."""
        leaves = [leaf_hash(b"another beginning"), *self._leaves[1:], leaf_hash(b"and another end")]
        return self._note(leaves), self.files["checkpoints/latest.txt"]

    def stolen(self):
        """Return the checkpoint, signed by somebody else under the log's name."""
        leaves = self._leaves
        thief = Signer(self.identity.log_origin, bytes([9]) * 32)
        return Checkpoint(thief.name, len(leaves), root(leaves)).sign(thief).encode()

    def moved(self):
        """Return a checkpoint of another tree, with the cosignature of the honest one under it."""
        lines = self.files["checkpoints/latest.txt"].decode().rpartition("\n\n")[2].splitlines()
        return self._note(self._leaves[:-1]) + f"{lines[-1]}\n".encode()
