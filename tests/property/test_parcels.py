"""What is sealed opens only as its sender made it, for its receiver, in its place and session."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealed_pair import TABULATES, THIRD, THREE, order_of, pair, request_of_three, seal_of

from party.artefacts import SessionFolder
from party.errors import Refusal, RefusalStatus
from party.parcels.contents import pieces_of
from party.parcels.seal import ParcelHeader
from party.parcels.store import IncomingParcel, ParcelFile
from party.wire.limits import MOST_CHUNK_BYTES, SEAL_BYTES
from psi.sets import MAX_KEYS

HUB = THREE["recipient"]
PLACES = st.tuples(st.integers(0, 71), st.integers(0, 65_536), st.integers(1, 65_537))
DATA = st.binary(max_size=200)


def refused(work):
    """Check that `work` is refused as malformed, in a word that holds no bytes of it."""
    with pytest.raises(Refusal) as stopped:
        work()
    assert stopped.value.status is RefusalStatus.BAD_REQUEST
    return stopped.value.message


# -- sealing -------------------------------------------------------------------------------------


@given(DATA, PLACES)
def test_what_one_seals_the_other_opens_and_nobody_reads_on_the_way(data, place):
    third, tabulator = pair()
    sealed = third.seal(*place, data, tabulator.public_key)
    assert tabulator.open(*place, sealed) == data
    assert len(sealed) == len(data) + SEAL_BYTES
    assert len(data) < 8 or data not in sealed
    assert third.seal(*place, data, tabulator.public_key) != sealed


@given(st.binary(min_size=1, max_size=200), PLACES, st.data())
def test_a_chunk_with_any_byte_changed_added_or_cut_does_not_open(data, place, draw):
    third, tabulator = pair()
    sealed = third.seal(*place, data, tabulator.public_key)
    at = draw.draw(st.integers(0, len(sealed) - 1))
    bit = draw.draw(st.integers(0, 7))
    # The top bit of the encapsulated key is no part of its value, and HPKE covers it all the same.
    flipped = sealed[:at] + bytes([sealed[at] ^ (1 << bit)]) + sealed[at + 1 :]
    for changed in (flipped, sealed[:at], sealed + b"\0"):
        refused(lambda changed=changed: tabulator.open(*place, changed))


@given(DATA, PLACES, PLACES)
def test_a_chunk_opens_in_no_other_place(data, place, other):
    third, tabulator = pair()
    sealed = third.seal(*place, data, tabulator.public_key)
    if place != other:
        refused(lambda: tabulator.open(*other, sealed))


@given(DATA, PLACES)
def test_a_chunk_opens_in_no_other_session_direction_or_pair(data, place):
    third, tabulator = pair()
    elsewhere = [
        seal_of(THIRD, TABULATES, request=request_of_three(1)),
        seal_of(HUB, TABULATES),
        seal_of(TABULATES, THIRD),
    ]
    for other in elsewhere:
        sealed = other.seal(*place, data, tabulator.public_key)
        refused(lambda sealed=sealed: tabulator.open(*place, sealed))
    sealed = third.seal(*place, data, third.public_key)
    refused(lambda: tabulator.open(*place, sealed))


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31)])
def test_a_key_of_low_order_is_refused_before_anything_is_sealed_to_it(key):
    third, _ = pair()
    refused(lambda: third.seal(4, 0, 1, b"secret", key))


# -- signing -------------------------------------------------------------------------------------


HEADERS = st.builds(
    ParcelHeader, st.integers(1, 65_537), st.integers(1, 2**37), st.binary(min_size=32, max_size=32)
)


@given(HEADERS, st.integers(0, 71), st.data())
def test_a_header_verifies_as_it_was_signed_and_no_otherwise(header, number, draw):
    third, tabulator = pair()
    made = third.signed(number, header.chunks, header.size, header.digest)
    tabulator.verify_header(number, made)
    at, bit = draw.draw(st.integers(0, 63)), draw.draw(st.integers(0, 7))
    flipped = bytes(b ^ ((1 << bit) * (i == at)) for i, b in enumerate(made.signature))
    for changed in (
        ParcelHeader(made.chunks + 1, made.size, made.digest, made.signature),
        ParcelHeader(made.chunks, made.size - 1, made.digest, made.signature),
        ParcelHeader(made.chunks, made.size, made.digest[::-1] + b"", made.signature),
        ParcelHeader(made.chunks, made.size, made.digest, flipped),
    ):
        if changed != made:
            refused(lambda changed=changed: tabulator.verify_header(number, changed))
    refused(lambda: tabulator.verify_header((number + 1) % 72, made))


@given(HEADERS, st.integers(0, 71))
def test_a_header_of_another_sender_session_or_direction_is_refused(header, number):
    _, tabulator = pair()
    for other in (
        seal_of(THIRD, TABULATES, signs_as=HUB),
        seal_of(THIRD, TABULATES, request=request_of_three(1)),
        seal_of(HUB, TABULATES),
        seal_of(THIRD, HUB),
        seal_of(TABULATES, THIRD),
    ):
        made = other.signed(number, header.chunks, header.size, header.digest)
        refused(lambda made=made: tabulator.verify_header(number, made))


@given(st.binary(min_size=32, max_size=32), st.integers(0, 71))
def test_a_receipt_is_of_one_parcel_by_its_receiver(digest, number):
    third, tabulator = pair()
    receipt = tabulator.receipt(number, digest)
    third.verify_receipt(number, digest, receipt)
    refused(lambda: third.verify_receipt((number + 1) % 72, digest, receipt))
    refused(lambda: third.verify_receipt(number, digest[1:] + b"\x07", receipt[::-1]))
    refused(lambda: tabulator.verify_receipt(number, digest, receipt))
    forged = seal_of(TABULATES, THIRD, signs_as=HUB).receipt(number, digest)
    refused(lambda: third.verify_receipt(number, digest, forged))


def test_what_is_refused_says_nothing_of_what_was_sealed():
    third, tabulator = pair()
    sealed = third.seal(4, 0, 1, b"anna@example.com", tabulator.public_key)
    said = refused(lambda: tabulator.open(4, 0, 1, sealed[:-1]))
    assert "anna" not in said
    assert sealed.hex()[:16] not in said


# -- the order ---------------------------------------------------------------------------------


def test_both_ends_number_alike_and_the_steps_stand_between_the_exchanges():
    ours, theirs = order_of(THIRD, TABULATES), order_of(TABULATES, THIRD)
    assert ours.outgoing == theirs.incoming
    assert ours.incoming == theirs.outgoing
    both = sorted({*ours.outgoing, *ours.incoming})
    assert both == list(range(len(both)))
    steps = [ours.step_of(number) for number in both]
    assert steps == [None] * 4 + list(ours.turns.steps) + [None] * 4


def test_only_sets_may_be_large():
    order = order_of(THIRD, TABULATES)
    for number in order.outgoing:
        chunks, size = order._most(number, MAX_KEYS)
        step = order.step_of(number)
        carries_a_set = step is not None and type(order.turns.table.steps[step]).__name__ in (
            "Leg", "Answers",
        )  # fmt: skip
        assert (size > 2**24) is (chunks > 4) is carries_a_set


# -- on disk -----------------------------------------------------------------------------------


def written(folder, chunks, number=5):
    file = ParcelFile(SessionFolder(folder / "from"), THIRD, TABULATES, number)
    file.write(iter(chunks), lambda *parcel: pair()[0].signed(number, *parcel))
    return file


def incoming(folder, number=5):
    return ParcelFile(SessionFolder(folder / "to"), THIRD, TABULATES, number)


CHUNKS = [b"a" * 70, b"b", b"c" * 300, b"d" * 70]


def test_a_parcel_arrives_as_it_was_over_any_number_of_restarts(tmp_path):
    file, there = written(tmp_path, CHUNKS), incoming(tmp_path)
    for index, chunk in enumerate(CHUNKS):
        part = there.incoming(file.header)
        assert part.next_chunk == index
        part.accept(index, chunk)
        with (tmp_path / "to" / "parcel-vendor-channel-05.part").open("ab") as torn:
            torn.write(b"\0\0\0")  # what a kill leaves of the next
    assert there.header is None
    there.interrupted().finish()
    assert there.header == file.header
    assert list(there.chunks()) == CHUNKS
    assert list(there.chunks(2)) == CHUNKS[2:]


@pytest.mark.parametrize(
    "changed",
    [
        {0: b"z" * 70},
        {3: b"d" * 69},
        {0: CHUNKS[3], 3: CHUNKS[0]},
        {1: b"bb", 2: b"c" * 299},
    ],
    ids=["altered", "shortened", "exchanged", "cut elsewhere"],
)
def test_chunks_that_are_not_those_which_were_signed_are_refused_and_deleted(tmp_path, changed):
    file, there = written(tmp_path, CHUNKS), incoming(tmp_path)
    part = there.incoming(file.header)
    for index, chunk in enumerate(CHUNKS):
        part.accept(index, changed.get(index, chunk))
    refused(part.finish)
    assert there.header is None
    assert not (tmp_path / "to" / "parcel-vendor-channel-05.part").exists()


def test_chunks_out_of_order_beyond_the_end_or_repeated_otherwise_are_refused(tmp_path):
    file, there = written(tmp_path, CHUNKS), incoming(tmp_path)
    part = there.incoming(file.header)
    refused(lambda: part.accept(1, CHUNKS[1]))
    part.accept(0, CHUNKS[0])
    part.accept(0, CHUNKS[0])
    refused(lambda: part.accept(0, b"a" * 69 + b"z"))
    refused(lambda: part.accept(1, b"x" * 1000))
    refused(part.finish)
    for index in (1, 2, 3):
        part.accept(index, CHUNKS[index])
    refused(lambda: part.accept(4, b"e"))
    part.finish()


def test_a_parcel_that_comes_again_with_another_header_is_refused(tmp_path):
    file, there = written(tmp_path, CHUNKS), incoming(tmp_path)
    there.incoming(file.header)
    other = ParcelHeader(3, file.header.size, file.header.digest, file.header.signature)
    refused(lambda: there.incoming(other))


def test_a_parcel_that_was_sealed_is_repeated_byte_for_byte(tmp_path):
    file = written(tmp_path, CHUNKS)
    again = ParcelFile(SessionFolder(tmp_path / "from"), THIRD, TABULATES, 5)
    assert again.header == file.header
    assert list(again.chunks()) == CHUNKS


@given(st.integers(0, 3 * MOST_CHUNK_BYTES))
def test_pieces_are_bounded_and_none_is_lost(size):
    pieces = pieces_of(bytes(size))
    assert all(len(piece) <= MOST_CHUNK_BYTES for piece in pieces)
    assert sum(map(len, pieces)) == size
    assert pieces


def test_a_torn_file_is_cut_to_its_whole_chunks(tmp_path):
    file, there = written(tmp_path, CHUNKS), incoming(tmp_path)
    part = there.incoming(file.header)
    for index in range(3):
        part.accept(index, CHUNKS[index])
    path = tmp_path / "to" / "parcel-vendor-channel-05.part"
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        ends = [74, 79, 383]
        found = IncomingParcel(there, file.header, path)
        assert found.next_chunk == sum(end <= size for end in ends)
        assert path.stat().st_size == max([0, *(end for end in ends if end <= size)])
