"""A session's folder holds each artefact whole or not at all, wherever a kill cut it off.

A kill is simulated by what it leaves behind: files cut to any length, and renames that did not
happen. Not covered: disks that lose what was synced.
"""

import os
from dataclasses import replace

import numpy as np
import pytest

from party.artefacts import (
    CHUNK_POINTS,
    Chunk,
    SessionFolder,
    SetHeader,
    artefact_digest,
    chunk_digest,
    header_of,
    read_chunk,
    read_chunks,
)
from party.errors import PartyError, Refusal, RefusalStatus
from party.messages import KeyArtefact, NumberingArtefact, ReleaseArtefact, SizesArtefact
from psi.sets import LabelledSet

STEP = 3
SMALL = [
    KeyArtefact(bytes(range(32))),
    SizesArtefact((4, 0, 2)),
    NumberingArtefact(("Nord", "Süd", "∅")),
    ReleaseArtefact((2, 2), (5, -1, 0, 2**52), (1, 0)),
    ReleaseArtefact((1, 2, 2), (5, -1, 0, 9), (0,), (3, -4)),
]


@pytest.fixture
def folder(tmp_path):
    return SessionFolder(tmp_path / "session")


def make_set(elements=2 * CHUNK_POINTS + 5, width=16, seed=1):
    rows = np.random.default_rng(seed).integers(0, 256, (elements, width), dtype=np.uint8)
    return LabelledSet((elements // 2, 0, elements - elements // 2), rows)


def is_same(one, other):
    return one.sizes == other.sizes and np.array_equal(one.elements, other.elements)


def send(folder, labelled, chunks):
    """Open the way in again and let these chunks come."""
    incoming = folder.incoming(STEP, header_of(labelled))
    for index in chunks:
        incoming.accept(read_chunk(labelled, STEP, index))
    return incoming


# -- storing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("artefact", SMALL, ids=lambda one: type(one).__name__)
def test_what_was_stored_is_loaded_and_has_the_digest_it_had(folder, artefact):
    digest = folder.store(STEP, artefact)
    assert folder.load(STEP) == artefact
    assert folder.digest(STEP) == digest == artefact_digest(STEP, folder.load(STEP))


@pytest.mark.parametrize("elements", [0, 1, CHUNK_POINTS, CHUNK_POINTS + 1])
def test_a_set_of_any_size_comes_back_from_disk(folder, elements):
    labelled = make_set(elements)
    folder.store(STEP, labelled)
    assert is_same(SessionFolder(folder.path).load(STEP), labelled)


def test_nothing_is_loaded_before_it_is_whole(folder, monkeypatch):
    assert folder.load(STEP) is None
    assert folder.digest(STEP) is None
    monkeypatch.setattr(
        SessionFolder, "write_bytes", killed_before(SessionFolder.write_bytes, f"{STEP:02d}.digest")
    )
    with pytest.raises(KeyboardInterrupt):
        folder.store(STEP, make_set())
    assert SessionFolder(folder.path).load(STEP) is None


def test_a_file_that_a_kill_left_half_written_is_not_seen(folder):
    (folder.path / ".note.new").write_bytes(b"ha")
    assert not folder.has("note")
    assert folder.read_bytes("note") is None
    folder.write_bytes("note", b"whole")
    assert folder.read_bytes("note") == b"whole"


def test_an_array_comes_back_with_its_values(folder):
    folder.write_array("source", np.arange(7, dtype=np.int64))
    assert folder.read_array("source", np.int64).tolist() == list(range(7))
    folder.write_array("none", np.empty(0, dtype=np.int64))
    assert folder.read_array("none", np.int64).tolist() == []


def test_a_set_that_was_cut_on_disk_is_an_error_and_not_a_shorter_set(folder):
    folder.store(STEP, make_set())
    os.truncate(folder.path / f"{STEP:02d}.set", 100)
    with pytest.raises(PartyError, match="altered or copied in part"):
        folder.load(STEP)


def test_the_digest_covers_step_header_and_every_element():
    labelled = make_set(9)
    other_sizes = LabelledSet((9, 0, 0), labelled.elements)
    flipped = labelled.elements.copy()
    flipped[8, 15] ^= 1
    digests = {
        artefact_digest(STEP, labelled),
        artefact_digest(STEP + 1, labelled),
        artefact_digest(STEP, other_sizes),
        artefact_digest(STEP, LabelledSet(labelled.sizes, flipped)),
    }
    assert len(digests) == 4


def test_wiping_leaves_nothing(folder):
    folder.store(STEP, make_set())
    folder.store(STEP + 1, SMALL[0])
    folder.wipe()
    assert not folder.path.exists()


# -- on the way in -------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [16, 32])
def test_a_set_arrives_over_several_streams_as_it_was_sent(folder, width):
    labelled = make_set(width=width)
    send(folder, labelled, [0])
    send(folder, labelled, [1])
    incoming = send(folder, labelled, [2])
    assert incoming.complete
    assert is_same(incoming.finish(), labelled)
    assert folder.digest(STEP) == artefact_digest(STEP, labelled)
    assert not list(folder.path.glob("*part*"))


def test_an_empty_set_arrives_without_a_chunk(folder):
    labelled = make_set(0)
    assert is_same(send(folder, labelled, []).finish(), labelled)
    assert is_same(folder.load(STEP), labelled)


def test_an_interrupted_set_is_opened_again_without_its_header(folder):
    labelled = make_set()
    assert folder.interrupted(STEP) is None
    send(folder, labelled, [0, 1])
    assert folder.interrupted(STEP).next_chunk == 2


def test_a_chunk_that_comes_again_unchanged_changes_nothing(folder):
    labelled = make_set()
    assert is_same(send(folder, labelled, [0, 0, 1, 0, 2, 1]).finish(), labelled)


@pytest.mark.parametrize("data_length", range(3))
@pytest.mark.parametrize("cut", ["nothing", "one byte", "half"])
def test_a_torn_end_of_the_data_is_cut_back_to_whole_chunks(folder, data_length, cut):
    """A kill can tear the data only: the digest is appended after the data is synced."""
    labelled = make_set()
    send(folder, labelled, range(data_length))
    torn = {"nothing": 0, "one byte": 1, "half": CHUNK_POINTS * 8}[cut]
    with (folder.path / f"{STEP:02d}.part").open("ab") as file:
        file.write(bytes(torn))
    incoming = folder.incoming(STEP, header_of(labelled))
    assert incoming.next_chunk == data_length
    assert is_same(send(folder, labelled, range(data_length, 3)).finish(), labelled)


@pytest.mark.parametrize("torn", [1, 31])
def test_a_torn_end_of_the_digests_is_cut_back(folder, torn):
    labelled = make_set()
    send(folder, labelled, [0, 1])
    digests = folder.path / f"{STEP:02d}.part-digests"
    os.truncate(digests, digests.stat().st_size - torn)
    assert folder.incoming(STEP, header_of(labelled)).next_chunk == 1
    assert is_same(send(folder, labelled, [1, 2]).finish(), labelled)


@pytest.mark.parametrize("left", [0, 1, CHUNK_POINTS * 16, CHUNK_POINTS * 16 + 7])
def test_data_that_is_shorter_than_its_digests_is_asked_for_again(folder, left):
    labelled = make_set()
    send(folder, labelled, [0, 1, 2])
    os.truncate(folder.path / f"{STEP:02d}.part", left)
    incoming = folder.incoming(STEP, header_of(labelled))
    assert incoming.next_chunk == left // (CHUNK_POINTS * 16)
    again = send(folder, labelled, range(incoming.next_chunk, 3))
    assert is_same(again.finish(), labelled)


@pytest.mark.parametrize("elements", [0, 5, 2 * CHUNK_POINTS + 5])
@pytest.mark.parametrize("name", [f"{STEP:02d}.header", f"{STEP:02d}.digest"])
def test_a_kill_while_a_set_is_finished_loses_no_chunk(folder, monkeypatch, elements, name):
    labelled = make_set(elements)
    incoming = send(folder, labelled, range(header_of(labelled).chunks))
    with monkeypatch.context() as killing:
        killing.setattr(
            SessionFolder, "write_bytes", killed_before(SessionFolder.write_bytes, name)
        )
        with pytest.raises(KeyboardInterrupt):
            incoming.finish()
    assert SessionFolder(folder.path).load(STEP) is None
    resumed = SessionFolder(folder.path).interrupted(STEP)
    assert resumed.complete
    assert is_same(resumed.finish(), labelled)
    assert is_same(folder.load(STEP), labelled)


def test_a_set_with_a_chunk_missing_is_not_finished(folder):
    with pytest.raises(Refusal, match="chunk 1 of step 3 is missing at the end"):
        send(folder, make_set(), [0]).finish()
    assert folder.load(STEP) is None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: replace(c, index=2), "came out of order: chunk 1 is the next"),
        (lambda c: replace(c, index=2**31), "came out of order"),
        (lambda c: replace(c, data=c.data[:-1]), "another size"),
        (lambda c: replace(c, data=c.data + b"\0"), "another size"),
        (lambda c: replace(c, data=b""), "another size"),
        (lambda c: replace(c, digest=bytes(32)), "does not have the digest"),
        (lambda c: replace(c, data=bytes(len(c.data))), "does not have the digest"),
        (lambda c: replace(c, digest=chunk_digest(STEP + 1, 1, c.data)), "the digest that came"),
    ],
)
def test_a_chunk_that_does_not_fit_is_refused_and_leaves_no_trace(folder, spoil, message):
    labelled = make_set()
    incoming = send(folder, labelled, [0])
    with pytest.raises(Refusal, match=message) as refused:
        incoming.accept(spoil(read_chunk(labelled, STEP, 1)))
    assert refused.value.status is RefusalStatus.BAD_REQUEST
    assert is_same(send(folder, labelled, [1, 2]).finish(), labelled)


def test_a_chunk_beyond_the_end_is_refused(folder):
    labelled = make_set()
    incoming = send(folder, labelled, [0, 1, 2])
    with pytest.raises(Refusal, match="out of order"):
        incoming.accept(Chunk(3, b"", chunk_digest(STEP, 3, b"")))


def test_a_chunk_that_comes_again_with_another_content_is_refused(folder):
    labelled = make_set()
    incoming = send(folder, labelled, [0, 1])
    with pytest.raises(Refusal, match="came again with another digest"):
        incoming.accept(read_chunk(make_set(seed=2), STEP, 0))
    assert is_same(send(folder, labelled, [2]).finish(), labelled)


def test_a_set_that_comes_again_with_another_header_is_refused(folder):
    labelled = make_set()
    send(folder, labelled, [0])
    with pytest.raises(Refusal, match="another header"):
        folder.incoming(STEP, SetHeader(16, (1, 0, header_of(labelled).elements - 1)))


def test_chunks_are_read_from_any_place_and_make_up_the_set():
    labelled = make_set()
    chunks = list(read_chunks(labelled, STEP))
    assert b"".join(chunk.data for chunk in chunks) == labelled.elements.tobytes()
    assert list(read_chunks(labelled, STEP, start=1)) == chunks[1:]
    assert list(read_chunks(labelled, STEP, start=3)) == []


def killed_before(write, name):
    """Return `write_bytes` as it is when the process is killed before it writes `name`."""

    def killed(self, wanted, data):
        if wanted == name:
            raise KeyboardInterrupt
        write(self, wanted, data)

    return killed
