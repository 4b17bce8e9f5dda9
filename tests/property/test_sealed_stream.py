"""A sealed stream opens whole, in its order, under its context and by its party, or not at all."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_parties import party_called

from party import sealed_stream
from party.errors import IdentityError
from party.sealed_stream import BLOCK_BYTES

CONTEXT = "holders/request"
HEAD_BYTES = 1 + 32
PARTS = st.lists(st.binary(min_size=1, max_size=40), max_size=5)


def sealed(parts, context=CONTEXT):
    """Return the head of a sealed stream and its blocks, with their sizes before them."""
    views = [memoryview(part) for part in parts]
    head, *boxes = party_called("advertiser").seal_parts(views, context)
    return [head, *(size + box for size, box in zip(boxes[::2], boxes[1::2], strict=True))]


def opened(pieces, context=CONTEXT, party="advertiser"):
    return list(party_called(party).unseal_blocks(io.BytesIO(b"".join(pieces)), context))


def refused(pieces, **other):
    with pytest.raises(IdentityError, match="does not open"):
        opened(pieces, **other)


@given(PARTS)
def test_each_part_comes_back_as_a_block(parts):
    assert opened(sealed(parts)) == (parts or [b""])


def test_a_large_part_is_cut_and_no_block_is_of_two_parts():
    large = bytes(range(256)) * (2 * BLOCK_BYTES // 256) + b"the rest"
    blocks = opened(sealed([b"head", large, b"tail"]))
    assert [len(block) for block in blocks] == [4, BLOCK_BYTES, BLOCK_BYTES, 8, 4]
    assert b"".join(blocks) == b"head" + large + b"tail"


def test_no_more_than_a_block_is_held(monkeypatch):
    monkeypatch.setattr(sealed_stream, "BLOCK_BYTES", 16)
    taken = []

    def parts():
        for number in range(4):
            taken.append(number)
            yield memoryview(bytes(16))

    stream = party_called("advertiser").seal_parts(parts(), CONTEXT)
    assert taken == []
    next(stream)
    next(stream)
    assert taken == [0, 1], "a block, and the one behind it, which says that it is not the last"


@given(PARTS, st.text(max_size=30).filter(lambda text: text != CONTEXT))
def test_it_opens_under_its_context_only(parts, context):
    refused(sealed(parts), context=context)


def test_another_party_cannot_open_it():
    refused(sealed([b"one"]), party="channel")


@given(st.data())
def test_an_altered_bit_is_refused(data):
    whole = bytearray(b"".join(sealed([b"one", b"two", b"three"])))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    refused([bytes(whole)])


def test_a_last_block_that_states_more_than_there_is_is_refused():
    head, last = sealed([b"one"])
    refused([head, (len(last) - 3).to_bytes(4, "big"), last[4:]])


@given(st.data())
def test_a_cut_is_refused_wherever_it_is(data):
    whole = b"".join(sealed([b"one", b"two", b"three"]))
    refused([whole[: data.draw(st.integers(0, len(whole) - 1))]])


@given(st.permutations(range(4)))
def test_another_order_is_refused(order):
    head, *blocks = sealed([b"same", b"same", b"same", b"same"])
    if order == sorted(order):
        assert len(opened([head, *blocks])) == 4
    else:
        refused([head, *(blocks[place] for place in order)])


@pytest.mark.parametrize("kept", [(), (0,), (0, 1), (1, 2), (0, 2), (0, 1, 2, 2), (0, 0, 1, 2)])
def test_a_block_left_out_or_said_twice_is_refused(kept):
    head, *blocks = sealed([b"one", b"two", b"three"])
    refused([head, *(blocks[place] for place in kept)])


@pytest.mark.parametrize("tail", [b"\0", b"\0\0\0\0", b"\0\0\0\x10" + bytes(16)])
def test_whatever_is_appended_is_refused(tail):
    refused([*sealed([b"one", b"two"]), tail])


def test_a_block_of_another_stream_is_refused():
    (head, *blocks), (_, *others) = sealed([b"one", b"two"]), sealed([b"one", b"two"])
    refused([head, others[0], blocks[1]])
    refused([head, blocks[0], others[1]])


def test_a_stream_is_never_sealed_twice_the_same():
    streams = [sealed([b"seed"]) for _ in range(50)]
    assert len({head for head, _ in streams}) == len({box for _, box in streams}) == 50
    assert not any(b"seed" in box for _, box in streams)


def test_what_is_sealed_in_one_piece_is_no_stream():
    refused([party_called("advertiser").seal(b"one", CONTEXT)])
