"""Whoever alters a log after the fact is found, and the first entry that fails is named.

Covered: entries and stored leaf hashes changed, dropped, put in, moved, cut off; checkpoints and
cosignatures changed, moved, signed with another key; histories rewritten, rolled back and forked
with the right key; two logs that tell one session differently. The rules that tie entries to each
other are in test_audit_rules.py. Not covered: an owner who rewrites what nobody has cosigned yet,
which nothing can find.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from audit_logs import DIGEST, LogKeeper, run_session, two_parties

from audit.checkpoint import Checkpoint, Cosigner
from audit.errors import VerificationError
from audit.merkle import leaf_hash, root
from audit.note import Signer
from audit.source import Cosigned
from audit.verify import compare, verify

SESSIONS = 3


def keepers():
    advertiser, channel = two_parties()
    for number in range(1, SESSIONS + 1):
        run_session(advertiser, channel, number)
    return advertiser, channel


ADVERTISER, CHANNEL = keepers()
LOG, THEIRS = ADVERTISER.stored(), CHANNEL.stored()
SIZE = len(LOG.stored)
SEEN = Checkpoint.parse(LOG.cosigned_notes[1].checkpoint.partition("\n\n")[0] + "\n").size
"""The size of the second of three cosigned checkpoints."""


def flip(data, position):
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def changed_at(items, index, item):
    return (*items[:index], item, *items[index + 1 :])


def with_another_release(entries, index):
    """Return the entries with one well-formed, canonical lie in place of the release at `index`."""
    lie = entries[index].replace(DIGEST.encode(), b"e" * 64)
    assert b"report.released" in lie
    assert lie != entries[index]
    return changed_at(entries, index, lie)


def resigned(log, signer=ADVERTISER.signer):
    """Sign the log as it stands, with the owner's key: what only the owner can do."""
    return replace(
        log, note=Checkpoint(signer.name, len(log.leaves), root(log.leaves)).sign(signer)
    )


def refused(log, message, entry, check=verify):
    with pytest.raises(VerificationError, match=message) as caught:
        check(log)
    assert caught.value.entry == entry
    return str(caught.value)


def test_an_honest_log_verifies_and_says_what_was_checked():
    found = verify(LOG)
    assert (found.origin, found.entries) == ("advertiser.example/log", SIZE)
    assert (found.sessions, found.spends) == (SESSIONS, SESSIONS)
    assert (found.cosignatures, found.witnessed) == (SESSIONS, SESSIONS)
    assert len(found.checks) >= 10


def test_two_honest_logs_agree():
    found = compare(LOG, THEIRS)
    assert found.shared == ("r-1", "r-2", "r-3")
    assert (found.only_ours, found.only_theirs) == ((), ())
    assert found.checkpoints == 2 * SESSIONS


def test_a_log_of_one_entry_verifies():
    alone = LogKeeper("advertiser", bytes([1]) * 32)
    alone.create()
    assert verify(alone.stored()).entries == 1


def test_an_empty_log_verifies():
    assert verify(LogKeeper("advertiser", bytes([1]) * 32).stored()).entries == 0


@pytest.mark.parametrize("index", range(SIZE))
def test_a_flipped_byte_in_any_entry_is_found_there(index):
    for position in (0, len(LOG.stored[index]) // 2, -2):
        position %= len(LOG.stored[index])
        entries = changed_at(LOG.stored, index, flip(LOG.stored[index], position))
        refused(replace(LOG, stored=entries), "does not hash to its stored leaf", index)


@pytest.mark.parametrize("index", range(SIZE))
def test_a_flipped_byte_in_any_stored_leaf_hash_is_found_there(index):
    leaves = changed_at(LOG.leaves, index, flip(LOG.leaves[index], 31))
    refused(replace(LOG, leaves=leaves), "does not hash to its stored leaf", index)


@pytest.mark.parametrize("position", range(0, len(LOG.note.encode()), 3))
def test_a_flipped_byte_in_the_checkpoint_is_found(position):
    note = flip(LOG.note.encode(), position)
    refused(replace(LOG, note=note), "the checkpoint: ", None)


@pytest.mark.parametrize("position", range(0, len(LOG.cosigned_notes[1].line.encode()), 3))
def test_a_flipped_byte_in_a_cosignature_is_found(position):
    line = flip(LOG.cosigned_notes[1].line.encode(), position).decode(errors="replace")
    notes = changed_at(LOG.cosigned_notes, 1, replace(LOG.cosigned_notes[1], line=line))
    refused(replace(LOG, cosigned_notes=notes), "cosigned checkpoint 1: ", None)
    kept = changed_at(LOG.witnessed_notes, 1, replace(LOG.witnessed_notes[1], line=line))
    refused(replace(LOG, witnessed_notes=kept), "witnessed checkpoint 1: ", None)


def test_a_changed_entry_with_a_changed_leaf_hash_is_found_between_two_cosigned_checkpoints():
    """The entry in question is told as closely as checkpoints that others signed allow."""
    forged = LOG.with_entries(with_another_release(LOG.stored, SEEN + 3))
    refused(forged, f"the entries from {SEEN} to {SIZE - 1} are not those", SEEN)


def test_a_history_that_the_owner_rewrote_and_signed_is_found_by_what_was_cosigned():
    forged = resigned(LOG.with_entries(with_another_release(LOG.stored, 5)))
    message = refused(forged, "rewritten or forked", 0)
    assert "channel.example/log cosigned" in message


def test_what_nobody_has_cosigned_can_be_rewritten_by_its_owner_alone():
    """The limit that the documentation states; a cosignature closes it."""
    forged = resigned(LOG.with_entries(LOG.stored[:SEEN]))
    two_of_three = replace(forged, cosigned_notes=LOG.cosigned_notes[:2])
    assert verify(two_of_three).entries == SEEN
    refused(forged, "rolled back", SEEN)


@pytest.mark.parametrize("index", range(SIZE - 1))
def test_a_dropped_entry_is_found_at_its_place(index):
    shorter = LOG.with_entries((*LOG.stored[:index], *LOG.stored[index + 1 :]))
    message = "a log begins with" if index == 0 else "entries were dropped"
    refused(shorter, f"entry {index}: .*({message}|says that it is entry {index + 1})", index)


@pytest.mark.parametrize("index", range(1, SIZE))
def test_an_inserted_entry_is_found_at_its_place(index):
    longer = LOG.with_entries((*LOG.stored[:index], LOG.stored[index - 1], *LOG.stored[index:]))
    refused(longer, f"says that it is entry {index - 1}", index)


@pytest.mark.parametrize("index", range(SIZE - 1))
def test_two_swapped_entries_are_found_at_the_first(index):
    one, two = LOG.stored[index], LOG.stored[index + 1]
    moved = LOG.with_entries((*LOG.stored[:index], two, one, *LOG.stored[index + 2 :]))
    refused(moved, f"entry {index}: ", index)


def test_an_entry_without_leaf_and_a_leaf_without_entry_are_found():
    refused(replace(LOG, leaves=LOG.leaves[:-1]), "no stored leaf hash", SIZE - 1)
    refused(replace(LOG, stored=LOG.stored[:-1]), "the entry is missing", SIZE - 1)


@pytest.mark.parametrize("size", [0, 1, SEEN, SIZE - 1])
def test_a_tail_that_was_cut_off_is_found_at_the_first_missing_entry(size):
    refused(LOG.with_entries(LOG.stored[:size]), f"entry {size} is missing", size)


@pytest.mark.parametrize("size", [0, 1, SEEN, SIZE - 1])
def test_a_log_that_its_owner_rolled_back_and_signed_is_found_by_what_was_cosigned(size):
    rolled = resigned(LOG.with_entries(LOG.stored[:size]))
    refused(rolled, f"entry {size} is missing: the checkpoint that channel", size)


def test_entries_beyond_the_checkpoint_are_found():
    old = replace(LOG, note=LOG.cosigned_notes[1].checkpoint, cosigned_notes=())
    refused(old, f"entry {SEEN} and what follows is not covered", SEEN)


def test_a_checkpoint_signed_with_another_key_is_found():
    thief = Signer(ADVERTISER.signer.name, bytes([9]) * 32)
    refused(resigned(LOG, thief), "the checkpoint: the note has no signature of a known key", None)


def test_a_log_that_began_with_another_key_is_found():
    thief = Signer(ADVERTISER.signer.name, bytes([9]) * 32)
    stolen = replace(resigned(LOG, thief), vkey=thief.verifier.vkey, witnessed_notes=())
    refused(replace(stolen, cosigned_notes=()), "created with another key", 0)


def test_a_checkpoint_of_another_log_is_found():
    refused(replace(LOG, note=THEIRS.note), "the checkpoint: ", None)


def test_a_cosignature_moved_to_another_checkpoint_is_found():
    first, second, third = LOG.cosigned_notes
    moved = (first, Cosigned(third.checkpoint, second.line), third)
    refused(replace(LOG, cosigned_notes=moved), "cosigned checkpoint 1: the signature of ch", None)


def test_a_cosignature_of_nobody_known_is_found():
    stranger = Cosigner("stranger.example/log", bytes([7]) * 32)
    note = LOG.cosigned_notes[0].checkpoint
    body = Checkpoint.parse(note.partition("\n\n")[0] + "\n")
    strange = (Cosigned(note, stranger.cosign(body, 1)),)
    refused(replace(LOG, cosigned_notes=strange), "by no known witness", None)
    trusted = replace(LOG, cosigned_notes=strange, known=(*LOG.known, stranger.verifier.vkey))
    assert verify(trusted).cosignatures == 1


def test_a_kept_checkpoint_that_its_log_did_not_sign_is_found():
    forged = Checkpoint(CHANNEL.signer.name, 4, bytes(32))
    signer = Signer(CHANNEL.signer.name, bytes([9]) * 32)
    kept = (Cosigned(forged.sign(signer), ADVERTISER.cosigner.cosign(forged, 1)),)
    refused(replace(LOG, witnessed_notes=kept), "witnessed checkpoint 0: ", None)


def test_a_kept_checkpoint_of_an_unknown_log_is_found():
    forged = Checkpoint("vendor.example/log", 4, bytes(32))
    signer = Signer("vendor.example/log", bytes([9]) * 32)
    kept = (Cosigned(forged.sign(signer), ADVERTISER.cosigner.cosign(forged, 1)),)
    refused(replace(LOG, witnessed_notes=kept), "whose key is not known", None)


def test_a_counterpart_that_signed_two_logs_of_one_size_is_found():
    fork = Checkpoint(CHANNEL.signer.name, len(CHANNEL.entries), bytes(32))
    kept = Cosigned(fork.sign(CHANNEL.signer), ADVERTISER.cosigner.cosign(fork, 1))
    refused(
        replace(LOG, witnessed_notes=(*LOG.witnessed_notes, kept)), "has signed two logs of", None
    )


@pytest.mark.parametrize("vkey", ["", "advertiser.example/log", LOG.vkey + "x", LOG.vkey[:-1]])
def test_a_source_with_a_malformed_key_is_refused(vkey):
    refused(replace(LOG, vkey=vkey), "the key of the log: ", None)
    refused(replace(LOG, known=(vkey,)), "the key of the log: ", None)


def with_theirs(log):
    return compare(log, THEIRS)


def test_a_transcript_told_differently_is_found_in_both_logs():
    advertiser, channel = two_parties()
    run_session(advertiser, channel, 1)
    run_session(advertiser, channel, 2, transcripts=("1" * 64, "2" * 64))
    ours, theirs = advertiser.stored(), channel.stored()
    end = len(ours.stored) - 1
    refused(ours, "the transcript hash of this session", end, lambda log: compare(log, theirs))
    theirs_end = len(theirs.stored) - 1
    refused(theirs, "the transcript hash", theirs_end, lambda log: compare(log, ours))


def test_a_session_under_another_contract_or_id_is_found():
    for change in ({"contract": "a" * 64}, {"session": "5" * 64}):
        advertiser, channel = two_parties()
        for party in (advertiser, channel):
            told = {"contract": "c" * 64, "session": "4" * 64}
            if party is channel:
                told |= change
            party.sign_contract(contract="a" * 64)
            party.start("r-1", party.snapshot_consent(), **told)
        theirs = channel.stored()
        refused(
            advertiser.stored(),
            "(contract hash|session id) of this session is another one",
            4,
            lambda log, theirs=theirs: compare(log, theirs),
        )


def test_a_session_that_only_one_log_has_is_told():
    advertiser, channel = two_parties()
    run_session(advertiser, channel, 1)
    advertiser.start("r-2", advertiser.snapshot_consent())
    found = compare(advertiser.stored(), channel.stored())
    assert (found.shared, found.only_ours, found.only_theirs) == (("r-1",), ("r-2",), ())


def test_a_failed_session_agrees_with_one_that_reached_no_transcript():
    advertiser, channel = two_parties()
    run_session(advertiser, channel, 1)
    for party in (advertiser, channel):
        party.start("r-2", party.snapshot_consent())
    advertiser.fail("r-2")
    channel.fail("r-2", "7" * 64)
    assert compare(advertiser.stored(), channel.stored()).shared == ("r-1", "r-2")


def forgetful(log):
    """The owner also drops the cosignatures that would convict it: only the other log can."""
    return replace(log, cosigned_notes=())


def test_a_rolled_back_log_is_found_by_what_the_counterpart_keeps():
    rolled = forgetful(resigned(LOG.with_entries(LOG.stored[:SEEN])))
    verify(rolled)
    message = refused(rolled, f"entry {SEEN} is missing", SEEN, with_theirs)
    assert "that channel.example/log keeps" in message
    refused(THEIRS, f"entry {SEEN} is missing", SEEN, lambda log: compare(log, rolled))


def test_a_forked_log_is_found_by_what_the_counterpart_keeps():
    forked = forgetful(resigned(LOG.with_entries(with_another_release(LOG.stored, SEEN + 3))))
    verify(forked)
    message = refused(forked, "rewritten or forked", SEEN, with_theirs)
    assert "that channel.example/log keeps" in message


def test_a_rewritten_history_that_grew_is_found_by_what_the_counterpart_keeps():
    """Sizes alone would not tell: the fork is longer than anything the counterpart has seen."""
    advertiser, channel = two_parties()
    run_session(advertiser, channel, 1)
    kept = channel.stored()
    advertiser.entries = list(with_another_release(advertiser.entries, 5))
    advertiser.start("r-2", advertiser.snapshot_consent(sequence=2))
    forked = forgetful(advertiser.stored())
    verify(forked)
    refused(forked, "rewritten or forked", 0, lambda log: compare(log, kept))


def test_logs_of_parties_that_do_not_know_each_other_are_not_compared():
    stranger = LogKeeper("vendor", bytes([3]) * 32)
    stranger.create()
    refused(LOG, "knows no counterpart", None, lambda log: compare(log, stranger.stored()))
    stranger.counterparts.append(ADVERTISER)
    refused(stranger.stored(), "knows no counterpart", None, lambda log: compare(log, LOG))
    refused(LOG, "knows no counterpart", None, lambda log: compare(log, stranger.stored()))


def test_leaf_hashes_are_those_of_the_entries():
    assert LOG.leaves == tuple(leaf_hash(entry) for entry in LOG.stored)
