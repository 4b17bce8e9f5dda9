"""c2sp.org/signed-note: the specification's example and that of Go's sumdb/note, and refusals."""

from __future__ import annotations

import copy
import pickle

import pytest

from audit.errors import NoteError, SignatureError
from audit.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Signature,
    Signer,
    Verifier,
    open_note,
    parse_note,
    sign_note,
)

SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
    "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

PETER_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH_VKEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33"
    "WWd1RvMc+QQ=\n"
)
PETER, ENOCH = Verifier.from_vkey(PETER_VKEY), Verifier.from_vkey(ENOCH_VKEY)


def test_the_example_of_the_specification_verifies():
    opened = open_note(SPEC_NOTE, [Verifier.from_vkey(SPEC_VKEY)])
    assert opened.text == "This is an example message.\n"
    assert [signature.name for signature in opened.verified] == ["example.com/foo"]


def test_signing_gives_the_bytes_of_go():
    assert sign_note(TEXT, Signer.from_skey(PETER_SKEY)) == f"{TEXT}\n{PETER_LINE}"


def test_a_key_keeps_its_text_form():
    signer = Signer.from_skey(PETER_SKEY)
    assert signer.skey() == PETER_SKEY
    assert signer.verifier == PETER
    assert PETER.vkey == PETER_VKEY


def test_a_new_key_signs_what_its_verifier_opens():
    signer = Signer.generate("example.com/log")
    assert open_note(sign_note("text\n", signer), [signer.verifier]).text == "text\n"
    assert Signer.from_skey(signer.skey()).verifier == signer.verifier


def test_signatures_of_unknown_keys_are_set_aside():
    opened = open_note(f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}", [PETER])
    assert [signature.name for signature in opened.verified] == ["PeterNeumann"]
    assert [signature.name for signature in opened.unknown] == ["EnochRoot"]


def test_several_known_keys_are_all_verified():
    opened = open_note(f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}", [ENOCH, PETER])
    assert [signature.name for signature in opened.verified] == ["PeterNeumann", "EnochRoot"]


def test_a_line_that_repeats_counts_once():
    opened = open_note(f"{TEXT}\n{PETER_LINE}{PETER_LINE}", [PETER])
    assert len(opened.verified) == 1


def test_text_may_have_blank_lines_and_the_last_one_separates():
    signer = Signer.from_skey(PETER_SKEY)
    assert open_note(sign_note("a\n\nb\n", signer), [PETER]).text == "a\n\nb\n"


def test_a_key_of_the_same_name_and_another_id_is_unknown():
    namesake = Signer("PeterNeumann", bytes(32)).verifier
    with pytest.raises(SignatureError, match="no signature of a known key"):
        open_note(f"{TEXT}\n{PETER_LINE}", [namesake])


def test_a_note_that_no_known_key_signed_is_refused():
    with pytest.raises(SignatureError, match="known: nobody"):
        open_note(f"{TEXT}\n{PETER_LINE}", [])


def test_one_wrong_signature_of_a_known_key_refuses_the_note():
    wrong = Signature(PETER.name, PETER.key_id, bytes(64)).line()
    with pytest.raises(SignatureError, match="PeterNeumann"):
        open_note(f"{TEXT}\n{ENOCH_LINE}{wrong}", [PETER, ENOCH])
    with pytest.raises(SignatureError, match="PeterNeumann"):
        open_note(f"{TEXT}\n{PETER_LINE}{wrong}", [PETER])


@pytest.mark.parametrize("position", range(len(TEXT)))
def test_a_changed_character_of_the_text_is_found(position):
    changed = TEXT[:position] + "*" + TEXT[position + 1 :]
    with pytest.raises(NoteError):
        open_note(f"{changed}\n{PETER_LINE}", [PETER])


ENCODED = PETER_LINE.split(" ")[2].strip()
MALFORMED = {
    "no signature": TEXT,
    "blank line and nothing after": TEXT + "\n",
    "no newline at the end": f"{TEXT}\n{PETER_LINE}".removesuffix("\n"),
    "control character": f"\x01{TEXT}\n{PETER_LINE}",
    "carriage return": f"{TEXT}\n{PETER_LINE}".replace("\n", "\r\n"),
    "tab": f"\t{TEXT}\n{PETER_LINE}",
    "not UTF-8": b"\xff" + f"{TEXT}\n{PETER_LINE}".encode(),
    "lone surrogate": f"\ud800{TEXT}\n{PETER_LINE}",
    "line that is no signature": f"{TEXT}\n{PETER_LINE}Unexpected line.\n",
    "hyphen for the dash": f"{TEXT}\n{PETER_LINE}".replace("—", "-"),
    "name with a space": f"{TEXT}\n— Bad Name {ENCODED}\n",
    "name with a no-break space": f"{TEXT}\n— Bad\u00a0Name {ENCODED}\n",
    "name with a plus": f"{TEXT}\n— Bad+Name {ENCODED}\n",
    "empty name": f"{TEXT}\n—  {ENCODED}\n",
    "no base64": f"{TEXT}\n— PeterNeumann \n",
    "no space after the name": f"{TEXT}\n— PeterNeumann\n",
    "key id and nothing after": f"{TEXT}\n— PeterNeumann x08gow==\n",
    "padding missing": f"{TEXT}\n— PeterNeumann {ENCODED.rstrip('=')}\n",
    "stray bits": f"{TEXT}\n— PeterNeumann {ENCODED[:-2]}N=\n",
    "base64 of URLs": f"{TEXT}\n— PeterNeumann {ENCODED.replace('/', '_')}\n",
    "space in base64": f"{TEXT}\n— PeterNeumann {ENCODED[:8]} {ENCODED[8:]}\n",
    "space after base64": f"{TEXT}\n— PeterNeumann {ENCODED} \n",
    "too many signatures": f"{TEXT}\n" + PETER_LINE * (MAX_SIGNATURES + 1),
    "too large": "a" * MAX_NOTE_BYTES + f"\n\n{PETER_LINE}",
    "malformed line of an unknown key": f"{TEXT}\n{PETER_LINE}— EnochRoot !!!!\n",
}


@pytest.mark.parametrize("note", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_note_is_refused_before_any_signature_is_looked_at(note):
    with pytest.raises(NoteError) as refused:
        open_note(note, [PETER])
    assert not isinstance(refused.value, SignatureError)


def test_as_many_signatures_as_the_specification_demands_are_read():
    lines = [Signature(f"w{i}.example", b"abcd", bytes(64)).line() for i in range(MAX_SIGNATURES)]
    assert len(parse_note(f"{TEXT}\n{''.join(lines)}").signatures) == MAX_SIGNATURES


def test_two_known_keys_with_one_name_and_id_are_refused(monkeypatch):
    monkeypatch.setattr("audit.note._key_id", lambda name, algorithm, key: b"same")
    twins = [Verifier("twin.example", bytes([i]) * 32) for i in (1, 2)]
    with pytest.raises(NoteError, match="share an id"):
        open_note(f"{TEXT}\n{PETER_LINE}", twins)


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "\ud800\n", "cr\r\n"])
def test_a_text_that_cannot_be_read_back_is_not_signed(text):
    with pytest.raises(NoteError):
        sign_note(text, Signer.from_skey(PETER_SKEY))


def test_a_note_without_signer_is_not_made():
    with pytest.raises(NoteError):
        sign_note(TEXT)


def _every_mangling(key):
    yield from (key[:i] for i in range(len(key)))
    yield from (key[i:] for i in range(1, len(key)))
    yield from (key[:i] + chr(ord(key[i]) + 1) + key[i + 1 :] for i in range(len(key)))
    yield from (f"{key} ", f"{key}\n", f"{key}+", key.replace("c74f20a3", "C74F20A3"))


@pytest.mark.parametrize("vkey", list(_every_mangling(PETER_VKEY)))
def test_a_mangled_public_key_is_refused(vkey):
    with pytest.raises(NoteError):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize("skey", list(_every_mangling(PETER_SKEY)))
def test_a_mangled_private_key_is_refused(skey):
    with pytest.raises(NoteError):
        Signer.from_skey(skey)


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
    ids=["another length, the id adjusted", "another algorithm, the id adjusted"],
)
def test_a_key_that_is_not_ed25519_is_refused(vkey):
    with pytest.raises(NoteError):
        Verifier.from_vkey(vkey)


def test_a_private_key_hides_itself_and_does_not_pickle():
    signer = Signer.from_skey(PETER_SKEY)
    assert "AYEK" not in repr(signer)
    assert "PeterNeumann" in repr(signer)
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copying(signer)
