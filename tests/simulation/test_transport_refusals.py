"""A peer that speaks the wire by itself gets nothing that is not its turn, and breaks nothing.

Every call here is what a hostile or faulty holder of a pinned certificate could send. After each
refusal the session is over, its driver has ended with the same refusal, and the listener serves on.
"""

import threading
from dataclasses import replace

import grpc
import pytest
from wired_parties import SECONDS, artefact_of, make_request, raw_stubs, until, wired

from commonground.v1 import collaboration_pb2 as collaboration_pb
from commonground.v1 import session_pb2 as pb
from party.artefacts import CHUNK_POINTS, Chunk, SetHeader, chunk_digest, header_of, read_chunks
from party.errors import Refusal, RefusalStatus
from party.messages import Commitment, Nonce
from party.terms import Terms
from party.wire import artefacts as wire
from party.wire.exchanges import kind_of
from party.wire.names import SessionName, encode_name

# A match that the channel receives: the dialling channel sends steps 0, 2, 3 and pulls 1, 4, 5.
DIALS = "channel"
ELEMENTS = CHUNK_POINTS + 9
TIMEOUT = 60


class Hostile:
    """A dialler whose every call is its own."""

    def __init__(self, one, stub):
        self.one, self.stub = one, stub
        self.request = make_request(one.contract)
        self.terms = Terms.of(self.request)
        self.name = SessionName(self.request.id, bytes.fromhex(one.contract.digest))
        self.session = encode_name(self.name)

    def say(self, message, **changes):
        """Say one message of an exchange, and ask again while the listener computes."""
        kind = kind_of(message)
        envelope = kind.request(self.name, kind.to_bytes(message))
        for field, value in changes.items():
            getattr(envelope, field).CopyFrom(value)
        return self.patiently(lambda: getattr(self.stub, kind.rpc)(envelope, timeout=TIMEOUT))

    def greet(self, **changes):
        hello = self.one.walk_here().hello(self.request)
        return self.say(replace(hello, **changes))

    def begin(self):
        """Say everything that comes before the steps."""
        self.greet()
        self.say(Commitment(DIALS, bytes(32), bytes(32)))
        self.say(Nonce(DIALS, bytes(32)))
        return self

    def artefact(self, step):
        return artefact_of(self.terms, step, ELEMENTS)

    def send_set(self, step, chunks=None, header=None):
        artefact = self.artefact(step)
        opening = wire.SetOpening(self.name, step, header or header_of(artefact))
        chunks = list(read_chunks(artefact, step)) if chunks is None else chunks
        messages = [wire.encode_opening(opening)]
        messages += [pb.SendSetRequest(chunk=wire.encode_chunk(chunk)) for chunk in chunks]
        return self.stub.SendSet(iter(messages), timeout=TIMEOUT)

    def pull_set(self, step, first_chunk=0):
        request = pb.PullSetRequest(session=self.session, step=step, first_chunk=first_chunk)
        return self.patiently(lambda: list(self.stub.PullSet(request, timeout=TIMEOUT)))

    def pull_key(self, step):
        request = pb.PullKeyRequest(session=self.session, step=step)
        return self.patiently(lambda: self.stub.PullKey(request, timeout=TIMEOUT))

    def acknowledge(self, step, digest):
        request = pb.AcknowledgeRequest(session=self.session, step=step, digest=digest)
        return self.stub.Acknowledge(request, timeout=TIMEOUT)

    def take(self, step):
        """Pull a set as an honest dialler does, and acknowledge it."""
        pulled = self.pull_set(step)
        self.acknowledge(step, self.one.desk.folder(self.request.id).digest(step))
        return pulled

    @staticmethod
    def patiently(call):
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                if dict(error.trailing_metadata()).get("commonground-condition") != "NOT_READY":
                    raise


@pytest.fixture
def hostile(tmp_path):
    with wired(tmp_path, dials=DIALS, elements=ELEMENTS) as one, raw_stubs(one) as (stub, _, _):
        yield Hostile(one, stub)


class refused:  # noqa: N801 - reads as pytest.raises
    """Require that a call fails with a refusal, and that it ended the session for the driver."""

    def __init__(self, hostile, status, match="", ends=True):
        self.hostile, self.status, self.match, self.ends = hostile, status, match, ends

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert kind is not None, "nothing was refused"
        if not isinstance(error, grpc.RpcError):
            return False
        said = dict(error.trailing_metadata())
        assert said.get("commonground-status") == self.status, (error.code(), error.details())
        assert self.match in error.details()
        if self.ends:
            there = self.hostile.one.desk.walks[0]
            assert there.done.wait(SECONDS)
            assert isinstance(there.errors[0], Refusal)
            assert there.errors[0].status.value == self.status
        return True


# -- chunks --------------------------------------------------------------------------------------


def test_a_chunk_twice_is_taken_once(hostile):
    hostile.begin()
    chunks = list(read_chunks(hostile.artefact(0), 0))
    response = hostile.send_set(0, [chunks[0], chunks[0], chunks[1], chunks[0]])
    assert response.digest == hostile.one.desk.folder(hostile.request.id).digest(0)
    again = hostile.send_set(0)
    assert (again.first_missing, again.digest) == (2, response.digest)


def test_a_stream_that_ends_after_its_header_asks_where_to_go_on(hostile):
    hostile.begin()
    assert hostile.send_set(0, []).first_missing == 0
    chunks = list(read_chunks(hostile.artefact(0), 0))
    assert hostile.send_set(0, chunks[:1]).first_missing == 1
    response = hostile.send_set(0, [])
    assert (response.first_missing, response.digest) == (1, b"")


@pytest.mark.parametrize(
    ("spoil", "status", "match"),
    [
        (lambda cs: cs[::-1], "BAD_REQUEST", "out of order"),
        (lambda cs: [cs[0], replace(cs[1], index=7)], "BAD_REQUEST", "out of order"),
        (lambda cs: [*cs, cs[1], replace(cs[1], index=2)], "BAD_REQUEST", "another chunk 2"),
        (lambda cs: [replace(cs[0], digest=bytes(32))], "BAD_REQUEST", "does not have the digest"),
        (lambda cs: [replace(cs[0], digest=b"short")], "BAD_REQUEST", "must have 32 bytes"),
        (lambda cs: [cs[0], longer(cs[1])], "BAD_REQUEST", "another size"),
        (lambda cs: [replace(cs[0], data=b"")], "BAD_REQUEST", "is empty"),
        (lambda cs: [replace(cs[0], data=bytes(2**20 + 1))], "LIMIT_EXCEEDED", "1048576 bytes"),
        (lambda cs: [cs[0], changed(cs[0])], "BAD_REQUEST", "another digest"),
        (lambda cs: [*cs, changed(cs[0])], "BAD_REQUEST", "came again with another chunk"),
    ],
)
def test_a_chunk_that_does_not_fit_ends_the_session(hostile, spoil, status, match):
    hostile.begin()
    with refused(hostile, status, match):
        hostile.send_set(0, spoil(list(read_chunks(hostile.artefact(0), 0))))


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (SetHeader(16, (5,)), "BAD_REQUEST"),
        (SetHeader(33, (5,)), "BAD_REQUEST"),
        (SetHeader(32, ()), "BAD_REQUEST"),
        (SetHeader(32, (0,) * 4097), "LIMIT_EXCEEDED"),
        (SetHeader(32, (2**31, 1)), "LIMIT_EXCEEDED"),
        (SetHeader(32, (2**63, 2**63)), "LIMIT_EXCEEDED"),
    ],
)
def test_a_header_out_of_shape_is_refused(hostile, header, status):
    hostile.begin()
    with refused(hostile, status, ends=header == SetHeader(16, (5,))):
        hostile.send_set(0, [], header)


def test_a_set_that_comes_again_with_another_header_ends_the_session(hostile):
    hostile.begin()
    hostile.send_set(0)
    with refused(hostile, "BAD_REQUEST", "another header"):
        hostile.send_set(0, [], SetHeader(32, (ELEMENTS + 1,)))


def test_an_older_stream_of_a_set_writes_no_more_once_a_newer_one_has_begun(hostile):
    hostile.begin()
    chunks = list(read_chunks(hostile.artefact(0), 0))
    opening = wire.encode_opening(wire.SetOpening(hostile.name, 0, header_of(hostile.artefact(0))))
    newer_has_begun = threading.Event()

    def older():
        yield opening
        yield pb.SendSetRequest(chunk=wire.encode_chunk(chunks[0]))
        newer_has_begun.wait(TIMEOUT)
        yield pb.SendSetRequest(chunk=wire.encode_chunk(chunks[1]))

    call = hostile.stub.SendSet.future(older(), timeout=TIMEOUT)
    until(lambda: hostile.one.desk.folder(hostile.request.id).interrupted(0) is not None)
    assert hostile.send_set(0).digest
    newer_has_begun.set()
    with pytest.raises(grpc.RpcError) as error:
        call.result()
    assert error.value.code() is grpc.StatusCode.ABORTED
    assert not hostile.one.desk.walks[0].errors


# -- turns ---------------------------------------------------------------------------------------


def test_a_key_is_not_served_before_the_answer_it_follows_is_acknowledged(hostile):
    hostile.begin()
    hostile.send_set(0)
    hostile.take(1)
    hostile.send_set(2)
    kind = wire.small_kind(hostile.terms.table.steps[3])
    hostile.stub.SendKey(kind.send_request(hostile.name, 3, hostile.artefact(3)))
    hostile.pull_set(4)  # here in full, but not acknowledged
    with refused(hostile, "BAD_REQUEST", "step 4 must be done first"):
        hostile.pull_key(5)


def test_a_key_is_not_taken_before_the_answer_it_follows_is_complete(hostile):
    hostile.begin()
    hostile.send_set(0)
    hostile.take(1)
    hostile.send_set(2, list(read_chunks(hostile.artefact(2), 2))[:1])
    kind = wire.small_kind(hostile.terms.table.steps[3])
    with refused(hostile, "BAD_REQUEST", "step 2 must be done first"):
        hostile.stub.SendKey(kind.send_request(hostile.name, 3, hostile.artefact(3)))


@pytest.mark.parametrize("step", [1, 4])
def test_a_set_is_not_served_before_the_dialler_has_sent_its_own(hostile, step):
    hostile.begin()
    with refused(hostile, "BAD_REQUEST", "step 0 must be done first"):
        hostile.pull_set(step)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda h: h.pull_set(0), "is not one that goes to"),
        (lambda h: h.pull_set(17), "is not one that goes to"),
        (lambda h: h.pull_set(64), "must be below 64"),
        (lambda h: h.pull_key(4), "carries something else"),
        (lambda h: h.pull_set(5), "carries something else"),
        (lambda h: h.send_set(1), "is not one that comes from"),
        (lambda h: h.acknowledge(0, bytes(32)), "is not one that goes to"),
        (lambda h: h.acknowledge(1, bytes(31)), "must have 32 bytes"),
        (lambda h: h.acknowledge(1, bytes(32)), "step 0 must be done first"),
    ],
)
def test_a_step_that_is_not_the_diallers_to_ask_for_ends_the_session(hostile, call, match):
    hostile.begin()
    with refused(hostile, "BAD_REQUEST", match):
        call(hostile)


def test_a_set_step_that_is_sent_as_a_key_ends_the_session(hostile):
    hostile.begin()
    with refused(hostile, "BAD_REQUEST", "carries something else"):
        hostile.stub.SendKey(
            pb.SendKeyRequest(session=hostile.session, step=0, key={"point": bytes(32)})
        )


def test_an_acknowledgement_of_another_content_ends_the_session(hostile):
    hostile.begin()
    hostile.send_set(0)
    hostile.pull_set(1)
    with refused(hostile, "TRANSCRIPT_MISMATCH", "another content"):
        hostile.acknowledge(1, bytes(32))


def test_what_was_not_served_yet_cannot_be_acknowledged(tmp_path):
    go_on = threading.Event()
    with wired(tmp_path, dials=DIALS, elements=9) as one, raw_stubs(one) as (stub, _, _):
        one.prepare = lambda walk: setattr(
            walk, "before_step", lambda index, link: go_on.wait(SECONDS) if index == 1 else None
        )
        hostile = Hostile(one, stub).begin()
        hostile.send_set(0, [], SetHeader(32, (0,)))
        with refused(hostile, "BAD_REQUEST", "the step itself must be done first", ends=False):
            hostile.acknowledge(1, bytes(32))
        go_on.set()


@pytest.mark.parametrize("rpc", ["Commit", "Reveal", "Close", "Finish", "Cosign", "Attend"])
def test_nothing_is_answered_before_a_greeting(hostile, rpc):
    request = getattr(pb, f"{rpc}Request")(session=hostile.session)
    with pytest.raises(grpc.RpcError) as error:
        getattr(hostile.stub, rpc)(request, timeout=TIMEOUT)
    assert dict(error.value.trailing_metadata())["commonground-condition"] == "GREET_FIRST"


def test_a_nonce_is_not_taken_before_the_commitments(hostile):
    hostile.greet()
    with refused(hostile, "BAD_REQUEST", "the exchange Commit must be done first"):
        hostile.say(Nonce(DIALS, bytes(32)))


def test_steps_are_not_taken_before_the_nonces_are_open(hostile):
    hostile.greet()
    hostile.say(Commitment(DIALS, bytes(32), bytes(32)))
    with refused(hostile, "BAD_REQUEST", "the exchange Reveal must be done first"):
        hostile.send_set(0)


def test_a_session_is_not_closed_before_its_steps_are_done(hostile):
    hostile.begin()
    closing = pb.Closing(party=DIALS, digests=[pb.StepDigest(step=0, digest=bytes(32))])
    with refused(hostile, "BAD_REQUEST", "step 0 must be done first"):
        hostile.stub.Close(pb.CloseRequest(session=hostile.session, closing=closing))


# -- words ---------------------------------------------------------------------------------------


def test_a_message_that_changes_when_it_is_repeated_ends_the_session(hostile):
    hostile.greet()
    hostile.say(Commitment(DIALS, bytes(32), bytes(32)))
    with refused(hostile, "BAD_REQUEST", "repeated its commitment with another content"):
        hostile.say(Commitment(DIALS, bytes(32), b"\1" * 32))


def test_a_greeting_in_another_partys_name_is_refused(hostile):
    with refused(hostile, "BAD_REQUEST", "another sender than the certificate"):
        hostile.greet(party="advertiser")


@pytest.mark.parametrize("change", ["request", "contract", "name"])
def test_a_greeting_that_contradicts_its_call_opens_nothing(hostile, change):
    other = make_request(hostile.one.contract)
    hello = hostile.one.walk_here().hello(other if change == "request" else hostile.request)
    if change == "contract":
        hello = replace(hello, contract_hash=bytes(32))
    if change == "name":
        hostile.name = SessionName(other.id, hostile.name.contract_hash)
    with refused(hostile, "BAD_REQUEST", "names another request or contract", ends=False):
        hostile.say(hello)
    assert not hostile.one.desk.walks


def test_a_contract_that_nobody_signed_here_is_unknown(hostile):
    hostile.name = SessionName(hostile.request.id, bytes(32))
    with refused(hostile, "CONTRACT_UNKNOWN", "is signed and in force here", ends=False):
        hostile.greet()


def test_a_request_id_cannot_leave_its_folder(hostile):
    name = pb.SessionName(request_id="../../../../../../../etc", contract_hash=bytes(32))
    with refused(hostile, "BAD_REQUEST", "32 lower-case hexadecimal digits", ends=False):
        hostile.stub.Attend(pb.AttendRequest(session=name))


# -- sizes ---------------------------------------------------------------------------------------


def test_a_message_above_the_limit_is_cut_off_and_the_listener_serves_on(hostile):
    hostile.begin()
    chunk = Chunk(0, bytes(5 * 2**20), bytes(32))
    with pytest.raises(grpc.RpcError) as error:
        hostile.send_set(0, [chunk])
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert hostile.send_set(0).digest


@pytest.mark.parametrize("data", [b"\xff" * 64, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\xc3("])
def test_bytes_that_are_no_message_are_turned_away_and_the_listener_serves_on(tmp_path, data):
    with wired(tmp_path, dials=DIALS) as one, raw_stubs(one) as (stub, _, channel):
        for rpc in ("Greet", "Attend", "SendKey"):
            call = channel.unary_unary(f"/commonground.v1.SessionService/{rpc}")
            with pytest.raises(grpc.RpcError):
                call(data, timeout=TIMEOUT)
        assert Hostile(one, stub).greet().hello.party == one.listens


def test_a_request_that_is_too_large_or_no_request_is_not_submitted(tmp_path):
    with wired(tmp_path, dials=DIALS) as one, raw_stubs(one) as (_, stub, _):
        for document, status in [
            (b"x" * (2**20 + 1), RefusalStatus.LIMIT_EXCEEDED),
            (b"[" * 200_000, RefusalStatus.BAD_REQUEST),
            (b"{}", RefusalStatus.BAD_REQUEST),
            (b"", RefusalStatus.BAD_REQUEST),
        ]:
            message = collaboration_pb.SubmitRequestRequest(request={"document": document})
            with pytest.raises(grpc.RpcError) as error:
                stub.SubmitRequest(message, timeout=TIMEOUT)
            assert dict(error.value.trailing_metadata())["commonground-status"] == status.value


def longer(chunk):
    data = chunk.data + b"\0"
    return Chunk(chunk.index, data, chunk_digest(0, chunk.index, data))


def changed(chunk):
    data = bytes(len(chunk.data))
    return Chunk(chunk.index, data, chunk_digest(0, chunk.index, data))
