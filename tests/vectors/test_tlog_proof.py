"""c2sp.org/tlog-proof@v1: the receipt of one entry, its text, and what is refused."""

from __future__ import annotations

import base64

import pytest

from audit.checkpoint import Checkpoint, Cosigner, with_cosignatures
from audit.errors import AuditError, InclusionError, NoteError, ReceiptError, SignatureError
from audit.merkle import StoredLeaves, leaf_hash, root
from audit.note import Signer
from audit.tlog_proof import LogProof, prove, verify_proof

LOG = Signer("advertiser.example/log", bytes([1]) * 32)
WITNESS = Cosigner("channel.example/log", bytes([2]) * 32)
STRANGER = Cosigner("stranger.example/w", bytes([3]) * 32)
ENTRIES = [b"entry %d" % number for number in range(7)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
NODES = StoredLeaves(lambda start, stop: LEAVES[start:stop])
CHECKPOINT = Checkpoint(LOG.name, len(LEAVES), root(LEAVES))
COSIGNED = with_cosignatures(
    CHECKPOINT.sign(LOG), [one.cosign(CHECKPOINT, 1_767_600_000) for one in (WITNESS, STRANGER)]
)
# RFC 6962 §2.1.3: the audit path of leaf 4 of seven leaves is [leaf 5, leaf 6, node of 0 to 3].
AUDIT_PATH = (LEAVES[5], LEAVES[6], root(LEAVES[:4]))
RECEIPT = prove(NODES, 4, COSIGNED, ENTRIES[4])


def test_the_text_is_that_of_the_specification():
    lines = [
        "c2sp.org/tlog-proof@v1",
        f"extra {base64.b64encode(ENTRIES[4]).decode()}",
        "index 4",
        *(base64.b64encode(item).decode() for item in AUDIT_PATH),
        "",
        COSIGNED,
    ]
    assert RECEIPT.text() == "\n".join(lines)


@pytest.mark.parametrize("entry", [None, b"entry"])
@pytest.mark.parametrize("index", range(len(LEAVES)))
def test_what_is_written_is_read_back(index, entry):
    receipt = prove(NODES, index, COSIGNED, entry)
    assert LogProof.parse(receipt.text()) == LogProof.parse(receipt.text().encode()) == receipt


@pytest.mark.parametrize("index", range(len(LEAVES)))
def test_every_entry_is_proven_by_its_own_receipt_and_by_no_other(index):
    receipt = prove(NODES, index, COSIGNED)
    proven = verify_proof(receipt, LOG.verifier, entry=ENTRIES[index])
    assert (proven.entry, proven.index, proven.checkpoint) == (ENTRIES[index], index, CHECKPOINT)
    with pytest.raises(InclusionError):
        verify_proof(receipt, LOG.verifier, entry=ENTRIES[index - 1])


def test_a_tree_of_one_leaf_has_a_receipt_without_hashes():
    single = Checkpoint(LOG.name, 1, root(LEAVES[:1])).sign(LOG)
    receipt = prove(NODES, 0, single, ENTRIES[0])
    assert receipt.hashes == ()
    assert verify_proof(LogProof.parse(receipt.text()), LOG.verifier).entry == ENTRIES[0]


def test_cosignatures_count_only_of_witnesses_that_the_reader_names():
    def cosigners(*witnesses):
        proven = verify_proof(RECEIPT, LOG.verifier, witnesses=[one.verifier for one in witnesses])
        return [one.cosigner for one in proven.cosignatures]

    assert cosigners() == []
    assert cosigners(WITNESS) == [WITNESS.name]
    assert cosigners(STRANGER, WITNESS) == [WITNESS.name, STRANGER.name]


def test_a_named_witness_whose_cosignature_is_of_another_tree_refuses_the_receipt():
    other = Checkpoint(LOG.name, 3, root(LEAVES[:3]))
    moved = with_cosignatures(CHECKPOINT.sign(LOG), [WITNESS.cosign(other, 1)])
    receipt = prove(NODES, 4, moved, ENTRIES[4])
    verify_proof(receipt, LOG.verifier)
    with pytest.raises(SignatureError):
        verify_proof(receipt, LOG.verifier, witnesses=[WITNESS.verifier])


def test_another_logs_key_proves_nothing():
    with pytest.raises(NoteError):
        verify_proof(RECEIPT, Signer(LOG.name, bytes([9]) * 32).verifier)


def test_a_receipt_without_its_entry_needs_the_entry_beside_it():
    with pytest.raises(ReceiptError, match="leaves its entry out"):
        verify_proof(prove(NODES, 4, COSIGNED), LOG.verifier)


def test_a_receipt_that_is_held_against_another_entry_is_refused():
    with pytest.raises(ReceiptError, match="another entry"):
        verify_proof(RECEIPT, LOG.verifier, entry=ENTRIES[3])


def test_every_changed_byte_of_a_receipt_is_refused():
    """Without the stranger's line: of cosigners whom nobody named nothing is known."""
    receipt = prove(NODES, 4, COSIGNED.rpartition("— ")[0], ENTRIES[4])
    data = receipt.text().encode()
    keys = {"witnesses": [WITNESS.verifier]}
    witness_line = data.rindex("— ".encode())
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        try:
            proven = verify_proof(LogProof.parse(bytes(changed)), LOG.verifier, **keys)
        except AuditError:
            continue
        # A line whose name or key id was changed is of a witness whom nobody named.
        assert at >= witness_line
        assert proven.cosignatures == ()


REFUSED = {
    "another header": RECEIPT.text().replace("@v1", "@v2"),
    "no checkpoint": RECEIPT.text().partition("\n\n")[0],
    "no index": RECEIPT.text().replace("index 4\n", ""),
    "an index with a leading zero": RECEIPT.text().replace("index 4", "index 04"),
    "an index beyond 2**63-1": RECEIPT.text().replace("index 4", f"index {2**63 - 1}"),
    "extra data after the index": RECEIPT.text().replace("index 4\n", "index 4\nextra AA==\n"),
    "empty extra data": RECEIPT.text().replace(RECEIPT.text().split("\n")[1], "extra "),
    "a short hash": RECEIPT.text().replace("index 4\n", "index 4\nAA==\n"),
    "base64 with stray bits": RECEIPT.text().replace("index 4\n", "index 4\nAB==\n"),
    "base64 with spaces": RECEIPT.text().replace("index 4\n", "index 4\nA A==\n"),
    "64 hashes": LogProof(4, AUDIT_PATH[:1] * 64, COSIGNED).text(),
    "carriage returns": RECEIPT.text().replace("\n", "\r\n"),
    "no UTF-8": b"\xff" + RECEIPT.text().encode(),
    "too large": RECEIPT.text() + "x" * 2**20,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_receipt_is_refused(name):
    with pytest.raises((ReceiptError, NoteError)):
        LogProof.parse(REFUSED[name])


def test_an_index_outside_the_tree_is_refused():
    with pytest.raises(InclusionError, match="has no leaf"):
        verify_proof(LogProof(7, AUDIT_PATH, COSIGNED, b"entry"), LOG.verifier)
