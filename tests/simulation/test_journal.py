"""A party's stored log: groups under one checkpoint, receipts, and the nodes that proofs read."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from organisations import make_party

from audit.bodies import DatasetRegistered
from audit.checkpoint import Checkpoint, CosignatureVerifier, Cosigner, open_checkpoint
from audit.errors import StaleError, TreeError
from audit.merkle import leaf_hash, root, verify_consistency
from audit.note import Signer
from audit.tlog_proof import LogProof, verify_proof
from party.evidence import StoredLog, verify_log
from party.journal import Journal
from party.schema import LOG_ENTRIES, LOG_NODES
from party.store import _alembic_config

ENTRIES = 600
WITNESS = Cosigner("witness.example/w1", bytes([7]) * 32)


def body(number):
    return DatasetRegistered(f"dataset {number}", "a" * 64, ("email",))


@pytest.fixture(scope="module")
def party(tmp_path_factory):
    """A party whose log has 601 entries, 600 of them in three groups."""
    made = make_party(tmp_path_factory.mktemp("journal"), "advertiser")
    for start in range(0, ENTRIES, 200):
        made.store.write(lambda connection, start=start: append(made, connection, start, 200))
    yield made
    made.close()


def append(party, connection, start, count):
    with party.journal.group(connection) as group:
        for number in range(start, start + count):
            group.append("dataset.registered", body(number), actor="operator")


def rows(party, table):
    return [tuple(row) for row in party.store.rows(sa.select(table).order_by(*table.primary_key))]


def test_a_log_that_was_written_in_groups_verifies(party):
    assert verify_log(StoredLog(party.store, party.identity)).entries == ENTRIES + 1


def test_a_group_that_fails_writes_nothing(party):
    before = party.journal.checkpoint()

    def work(connection):
        append(party, connection, 0, 5)
        with party.journal.group(connection) as group:
            group.append("dataset.registered", body(1), actor="operator")
            raise RuntimeError("power")

    with pytest.raises(RuntimeError):
        party.store.write(work)
    assert party.journal.checkpoint() == before
    assert len(rows(party, LOG_ENTRIES)) == ENTRIES + 1


@pytest.mark.parametrize("seq", [0, 1, 255, 256, 511, 512, ENTRIES])
def test_a_receipt_proves_its_entry_offline(party, seq):
    receipt = LogProof.parse(party.journal.receipt(seq).text())
    proven = verify_proof(receipt, party.identity.verifier)
    stored = list(StoredLog(party.store, party.identity).entries())
    assert (proven.index, proven.entry) == (seq, stored[seq])


def test_there_is_no_receipt_of_an_entry_that_does_not_exist(party):
    with pytest.raises(TreeError, match="no entry 601"):
        party.journal.receipt(ENTRIES + 1)


def test_a_receipt_takes_the_checkpoint_that_a_witness_has_cosigned(party):
    other = make_cosigned(party)
    proven = verify_proof(party.journal.receipt(3), party.identity.verifier, witnesses=other)
    assert [one.cosigner for one in proven.cosignatures] == [WITNESS.name]
    log = StoredLog(party.store, party.identity)
    assert log.counterparts() == [WITNESS.verifier.vkey]
    assert verify_log(log).cosigners == (WITNESS.name,)


def make_cosigned(party):
    note = party.journal.checkpoint()
    checkpoint = open_checkpoint(note, party.identity.verifier)
    line = WITNESS.cosign(checkpoint, 1_767_600_000)
    party.journal.keep_cosignature(note, line, WITNESS.verifier, outside=True)
    return [CosignatureVerifier.from_vkey(WITNESS.verifier.vkey)]


@pytest.mark.parametrize("seen", [1, 255, 256, 300, ENTRIES + 1])
def test_what_is_offered_extends_what_was_seen(party, seen):
    note, proof = party.journal.offer(seen)
    new = open_checkpoint(note, party.identity.verifier)
    old = StoredLog(party.store, party.identity)
    old_root = root(list(old.leaf_hashes())[:seen])
    verify_consistency(seen, old_root, new.size, new.root, proof)


def test_a_witness_that_saw_more_than_there_is_gets_no_proof(party):
    with pytest.raises(TreeError):
        party.journal.offer(ENTRIES + 2)


def test_a_stored_proof_reads_few_hashes(party):
    read = []

    def listen(connection, cursor, statement, parameters, context, many):
        read.append(statement)

    sa.event.listen(party.store._engine, "before_cursor_execute", listen)
    try:
        party.journal.receipt(300)
    finally:
        sa.event.remove(party.store._engine, "before_cursor_execute", listen)
    assert len(read) <= 8


def test_a_log_of_an_earlier_version_gets_its_nodes(party):
    before = rows(party, LOG_NODES)
    assert [row[:2] for row in before] == [(1, 0), (1, 1)]
    for to, how in (("0010", command.downgrade), ("head", command.upgrade)):
        with party.store._engine.begin() as connection:
            how(_alembic_config(connection), to)
    assert rows(party, LOG_NODES) == before


def test_a_witness_refuses_a_proof_from_another_size_and_says_what_it_saw(party):
    log = Signer("channel.test/log", bytes([8]) * 32)
    leaves = [leaf_hash(b"%d" % number) for number in range(4)]
    first = Checkpoint(log.name, 2, root(leaves[:2])).sign(log)
    journal: Journal = party.journal
    assert journal.witness(first, log.verifier, (), 0)
    second = Checkpoint(log.name, 4, root(leaves)).sign(log)
    with pytest.raises(StaleError) as caught:
        journal.witness(second, log.verifier, (), 0)
    assert caught.value.seen_size == 2
    assert journal.seen_size(log.name) == 2
    assert journal.witness(second, log.verifier, (root(leaves[2:]),), 2)
    assert journal.seen_size(log.name) == 4
