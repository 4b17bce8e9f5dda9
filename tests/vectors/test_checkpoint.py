"""c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature v1: forms, and what is refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import (
    Checkpoint,
    CosignatureVerifier,
    Cosigner,
    open_checkpoint,
    verify_cosignature,
    with_cosignatures,
)
from audit.errors import CheckpointError, NoteError, SignatureError
from audit.merkle import EMPTY_ROOT
from audit.note import Signature, Signer, Verifier, open_note, parse_note, sign_note

BODY = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SPEC_NOTE = (
    f"{BODY}\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
TIME = 1679315147
LOG = Signer("example.com/behind-the-sofa", bytes(range(32)))
WITNESS_SEED = bytes(range(32, 64))
WITNESS = Cosigner("witness.example.com/w1", WITNESS_SEED)
CHECKPOINT = Checkpoint.parse(BODY)


def test_the_body_of_the_specification_is_read_and_written_byte_for_byte():
    assert CHECKPOINT.size == 20852163
    assert CHECKPOINT.body() == BODY


def test_the_note_of_the_specification_has_a_cosignature_with_its_time():
    note = parse_note(SPEC_NOTE)
    assert Checkpoint.parse(note.text) == CHECKPOINT
    cosignature = note.signatures[1]
    assert len(cosignature.blob) == 72
    assert int.from_bytes(cosignature.blob[:8], "big") == TIME


def test_a_signed_checkpoint_opens_with_the_key_of_its_log():
    assert open_checkpoint(CHECKPOINT.sign(LOG), LOG.verifier) == CHECKPOINT


def test_an_empty_log_has_a_checkpoint():
    empty = Checkpoint.of_nothing("example.com/log")
    assert Checkpoint.parse(empty.body()) == empty
    assert empty.root == EMPTY_ROOT


@pytest.mark.parametrize(
    "body",
    [
        BODY.removesuffix("\n"),
        BODY + "extension\n",
        BODY + "extension",
        BODY + "\n",
        "\n" + BODY,
        BODY.replace("20852163", "020852163"),
        BODY.replace("20852163", "+20852163"),
        BODY.replace("20852163", "20852163 "),
        BODY.replace("20852163", "-1"),
        BODY.replace("20852163", "20_852"),
        BODY.replace("20852163", "٣"),
        BODY.replace("20852163", str(2**63)),
        BODY.replace("20852163", "9" * 5000),
        BODY.replace("20852163", ""),
        BODY.replace("20852163", "0"),
        BODY.replace("q2I=", "q2J="),
        BODY.replace("q2I=", "q2I"),
        BODY.replace("q2I=", "q2I= "),
        BODY.replace("CsUY", ""),
        BODY.replace("/X", "_X"),
        BODY.replace("example.com/behind-the-sofa", ""),
        BODY.replace("example.com", "example com"),
        BODY.replace("example.com", "example+com"),
        BODY.replace("\n", "\r\n"),
        "",
    ],
)
def test_a_body_out_of_form_is_refused(body):
    with pytest.raises(CheckpointError):
        Checkpoint.parse(body)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [("a b", 1, bytes(32)), ("a", -1, bytes(32)), ("a", 1, bytes(31)), ("a", 0, bytes(32))],
)
def test_a_checkpoint_out_of_range_is_not_made(origin, size, root):
    with pytest.raises(CheckpointError):
        Checkpoint(origin, size, root)


def test_a_key_speaks_only_for_its_own_log():
    other = Signer("example.com/other", bytes(32))
    with pytest.raises(CheckpointError, match="speaks for its own log"):
        CHECKPOINT.sign(other)
    with pytest.raises(CheckpointError, match="speaks for its own log"):
        open_checkpoint(sign_note(BODY, other), other.verifier)


def test_another_key_of_the_same_name_does_not_open_a_checkpoint():
    with pytest.raises(SignatureError):
        open_checkpoint(CHECKPOINT.sign(LOG), Signer(LOG.name, bytes(32)).verifier)


def test_a_signed_note_that_is_no_checkpoint_is_refused():
    with pytest.raises(CheckpointError):
        open_checkpoint(sign_note("hello\n", LOG), LOG.verifier)


def test_a_cosignature_is_the_one_that_the_specification_describes():
    """Computed here from the text of the specification, without the code under test."""
    key = Ed25519PrivateKey.from_private_bytes(WITNESS_SEED)
    public = key.public_key().public_bytes_raw()
    key_id = hashlib.sha256(b"witness.example.com/w1\n\x04" + public).digest()[:4]
    signed = key.sign(f"cosignature/v1\ntime {TIME}\n{BODY}".encode())
    blob = base64.b64encode(key_id + TIME.to_bytes(8, "big") + signed).decode()
    assert WITNESS.cosign(CHECKPOINT, TIME) == f"— witness.example.com/w1 {blob}\n"


def test_a_cosignature_verifies_and_tells_who_and_when():
    line = WITNESS.cosign(CHECKPOINT, TIME)
    found = verify_cosignature(CHECKPOINT, line, [WITNESS.verifier])
    assert (found.cosigner, found.time) == ("witness.example.com/w1", TIME)


def test_a_cosigned_note_opens_with_both_keys():
    note = with_cosignatures(CHECKPOINT.sign(LOG), [WITNESS.cosign(CHECKPOINT, TIME)])
    opened = open_note(note, [LOG.verifier, WITNESS.verifier])
    assert len(opened.verified) == 2
    assert open_checkpoint(note, LOG.verifier) == CHECKPOINT


def test_a_cosignature_on_another_checkpoint_is_refused():
    moved = Checkpoint(CHECKPOINT.origin, CHECKPOINT.size + 1, CHECKPOINT.root)
    with pytest.raises(SignatureError):
        verify_cosignature(moved, WITNESS.cosign(CHECKPOINT, TIME), [WITNESS.verifier])


@pytest.mark.parametrize("position", range(76))
def test_a_cosignature_with_a_flipped_byte_is_refused(position):
    line = WITNESS.cosign(CHECKPOINT, TIME)
    data = bytearray(base64.b64decode(line.split(" ")[2]))
    data[position] ^= 1
    changed = Signature(WITNESS.name, bytes(data[:4]), bytes(data[4:])).line()
    with pytest.raises(SignatureError):
        verify_cosignature(CHECKPOINT, changed, [WITNESS.verifier])


def _line(blob):
    return Signature(WITNESS.name, WITNESS.verifier.key_id, blob).line()


@pytest.mark.parametrize(
    "line",
    [
        _line(bytes(71)),
        _line(bytes(73)),
        _line(b"\x80" + bytes(71)),
        Signer(WITNESS.name, WITNESS_SEED).sign(BODY.encode()).line(),
        Cosigner("witness.example.com/w2", WITNESS_SEED).cosign(CHECKPOINT, TIME),
    ],
    ids=["too short", "too long", "time beyond 2**63", "a log's signature", "another name"],
)
def test_what_is_no_cosignature_of_a_known_witness_is_refused(line):
    with pytest.raises(SignatureError):
        verify_cosignature(CHECKPOINT, line, [WITNESS.verifier])


@pytest.mark.parametrize("line", ["", "\n", "— a b\n", "no line", "— a AAAAAAA=\n— b AAAAAAA=\n"])
def test_a_malformed_line_is_no_cosignature_and_is_not_appended(line):
    with pytest.raises(NoteError):
        verify_cosignature(CHECKPOINT, line, [WITNESS.verifier])
    with pytest.raises(NoteError):
        with_cosignatures(CHECKPOINT.sign(LOG), [line])


def test_a_time_beyond_the_format_is_refused_also_when_it_is_signed():
    time = 2**63
    key = Ed25519PrivateKey.from_private_bytes(WITNESS_SEED)
    signed = key.sign(f"cosignature/v1\ntime {time}\n{BODY}".encode())
    with pytest.raises(SignatureError):
        verify_cosignature(CHECKPOINT, _line(time.to_bytes(8, "big") + signed), [WITNESS.verifier])


@pytest.mark.parametrize("note", ["", BODY, CHECKPOINT.sign(LOG).removesuffix("\n")])
def test_cosignatures_are_not_appended_to_what_is_no_note(note):
    with pytest.raises(NoteError):
        with_cosignatures(note, [WITNESS.cosign(CHECKPOINT, TIME)])


@pytest.mark.parametrize("time", [-1, 2**63])
def test_a_time_that_the_format_cannot_hold_is_not_cosigned(time):
    with pytest.raises(CheckpointError):
        WITNESS.cosign(CHECKPOINT, time)


def test_one_key_in_two_roles_has_two_ids_and_neither_takes_the_others_signature():
    cosigner = Cosigner.of(LOG)
    assert cosigner.public_key == LOG.public_key
    assert cosigner.verifier == CosignatureVerifier.of(LOG.verifier)
    assert cosigner.verifier.key_id != LOG.verifier.key_id
    with pytest.raises(SignatureError):
        verify_cosignature(CHECKPOINT, LOG.sign(BODY.encode()).line(), [cosigner.verifier])
    with pytest.raises(SignatureError):
        open_checkpoint(f"{BODY}\n{cosigner.cosign(CHECKPOINT, TIME)}", LOG.verifier)


def test_the_text_form_of_a_witness_key_is_not_that_of_a_log_key():
    vkey = WITNESS.verifier.vkey
    assert CosignatureVerifier.from_vkey(vkey) == WITNESS.verifier
    assert Cosigner.from_skey(WITNESS.skey()).verifier == WITNESS.verifier
    with pytest.raises(NoteError):
        Verifier.from_vkey(vkey)
    with pytest.raises(NoteError):
        CosignatureVerifier.from_vkey(LOG.verifier.vkey)
    with pytest.raises(NoteError):
        Signer.from_skey(WITNESS.skey())
