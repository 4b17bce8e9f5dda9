"""A party's keys appear whole, stay private, and are refused when anything about them is wrong."""

import copy
import os
import pickle
import shutil
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from two_parties import BEFORE, NOW, party_called

from audit.checkpoint import Checkpoint
from audit.merkle import EMPTY_ROOT
from audit.note import Verifier, open_note
from party import identity
from party.errors import IdentityError
from party.key_files import write_key_folder

FILES = ("identity.key", "identity.vkey", "tls.key", "tls.crt", "node.key")
TWO_YEARS = 730 * 86_400


@pytest.fixture
def folder(tmp_path):
    identity.create(tmp_path, name="advertiser", log_origin="example.com/a", now=BEFORE)
    return tmp_path


def test_what_was_made_is_what_is_opened(folder):
    first, again = identity.open(folder, now=NOW), identity.open(folder, now=NOW)
    assert (first.vkey, first.fingerprint) == (again.vkey, again.fingerprint)
    assert (first.name, first.log_origin) == ("advertiser", "example.com/a")
    assert again.unseal(first.seal(b"seed", "session/1/seed"), "session/1/seed") == b"seed"


def test_the_fingerprint_is_that_of_the_certificates_der(folder):
    opened = identity.open(folder, now=NOW)
    certificate = x509.load_pem_x509_certificate((folder / "keys/tls.crt").read_bytes())
    der = certificate.public_bytes(Encoding.DER)
    assert opened.fingerprint == f"sha256:{sha256(der).hexdigest()}"


def test_the_identity_signs_contracts_and_notes_with_one_key(folder):
    opened = identity.open(folder, now=NOW)
    verifier = Verifier.from_vkey(opened.vkey)
    verifier.verify(b"text", opened.sign(b"text"))
    note = Checkpoint("example.com/a", 0, EMPTY_ROOT).sign(opened.signer)
    assert open_note(note, [verifier]).verified
    assert opened.cosigner.verifier.public_key == verifier.public_key


def test_the_certificate_carries_the_hosts_and_one_stable_name(tmp_path):
    made = identity.create(
        tmp_path, name="a-1", log_origin="log.example:8443/a", hosts=["10.0.0.1", "a.example"]
    )
    certificate = x509.load_pem_x509_certificate(made.certificate.pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {
        "a-1.commonground.internal",
        "log.example",
        "a.example",
        "localhost",
    }
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "10.0.0.1"}
    assert made.certificate.internal_name == "a-1.commonground.internal"


def test_every_key_file_is_private(folder):
    assert sorted(path.name for path in (folder / "keys").iterdir()) == sorted(FILES)
    assert (folder / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (folder / "keys").iterdir()} == {0o600}


def test_key_files_are_private_under_any_umask(tmp_path):
    before = os.umask(0)
    try:
        identity.create(tmp_path, name="a", log_origin="example.com/a")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_keys_are_never_overwritten(folder):
    before = {name: (folder / "keys" / name).read_bytes() for name in FILES}
    with pytest.raises(IdentityError, match="already holds keys"):
        identity.create(folder, name="other", log_origin="example.com/b")
    assert before == {name: (folder / "keys" / name).read_bytes() for name in FILES}


def test_of_two_that_make_keys_at_once_the_second_is_refused(tmp_path, monkeypatch):
    real = identity.Path.exists
    monkeypatch.setattr(identity.Path, "exists", lambda path: False)  # both saw no folder
    write_key_folder(tmp_path / "keys", {"node.key": b"first"})
    monkeypatch.setattr(identity.Path, "rename", _rename_after(monkeypatch, real))
    with pytest.raises(IdentityError, match="already holds keys"):
        write_key_folder(tmp_path / "keys", {"node.key": b"second"})
    assert (tmp_path / "keys/node.key").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_keys_that_cannot_be_written_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", _fail)
    with pytest.raises(OSError, match="disk full"):
        identity.create(tmp_path, name="a", log_origin="example.com/a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "log_origin", "hosts", "says"),
    [
        ("Advertiser", "example.com/a", [], "The name 'Advertiser'"),
        ("", "example.com/a", [], "The name ''"),
        ("a.b", "example.com/a", [], "The name 'a.b'"),
        ("a" * 32, "example.com/a", [], "The name"),
        ("a", "https://example.com/a", [], "without a scheme"),
        ("a", "example.com/a b", [], "The log origin"),
        ("a", "example.com/a+b", [], "The log origin"),
        ("a", "x" * 201, [], "The log origin"),
        ("a", "example.com/a", ["https://x"], "The host 'https://x'"),
        ("a", "example.com/a", ["a.example:80"], "leave out the scheme and the port"),
    ],
)
def test_names_that_do_not_serve_make_no_keys(tmp_path, name, log_origin, hosts, says):
    with pytest.raises(IdentityError, match=says):
        identity.create(tmp_path, name=name, log_origin=log_origin, hosts=hosts)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_keys_says_how_to_make_them(tmp_path):
    with pytest.raises(IdentityError, match="Run 'commonground init'"):
        identity.open(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_key_file_is_named(folder, name):
    (folder / "keys" / name).unlink()
    with pytest.raises(IdentityError, match=f"{name} is missing"):
        identity.open(folder, now=NOW)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_file_that_others_reach_is_refused(folder, name, mode):
    (folder / "keys" / name).chmod(mode)
    with pytest.raises(IdentityError, match=rf"{name} has mode 0{mode:o}.*chmod 600"):
        identity.open(folder, now=NOW)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"key", b"0" * 70_000])
def test_a_damaged_key_file_is_named(folder, name, content):
    (folder / "keys" / name).write_bytes(content)
    with pytest.raises(IdentityError, match=f"{name} is damaged") as refused:
        identity.open(folder, now=NOW)
    assert "Restore it from a backup" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("identity.key", "identity.vkey"),
        ("identity.vkey", "identity.vkey"),
        ("tls.key", "tls.crt"),
        ("tls.crt", "tls.crt"),
    ],
)
def test_a_file_of_another_party_is_found(folder, tmp_path_factory, name, found):
    other = tmp_path_factory.mktemp("other")
    identity.create(other, name="advertiser", log_origin="example.com/a", now=BEFORE)
    shutil.copy(other / "keys" / name, folder / "keys" / name)
    with pytest.raises(IdentityError, match=f"{found} is damaged: it does not belong to"):
        identity.open(folder, now=NOW)


def test_a_key_of_another_kind_is_found(folder):
    shutil.copy(folder / "keys/tls.key", folder / "keys/identity.key")
    with pytest.raises(IdentityError, match="it is not an Ed25519 key"):
        identity.open(folder, now=NOW)


def test_a_key_file_that_is_no_file_is_refused(folder):
    (folder / "keys/node.key").unlink()
    (folder / "keys/node.key").mkdir(mode=0o700)
    with pytest.raises(IdentityError, match=r"node\.key is not a regular file"):
        identity.open(folder, now=NOW)


def test_a_certificate_is_valid_for_two_years(folder):
    identity.open(folder, now=BEFORE + TWO_YEARS - 1)
    with pytest.raises(IdentityError, match=r"advertiser\.commonground\.internal expired on 2025"):
        identity.open(folder, now=BEFORE + TWO_YEARS)
    with pytest.raises(IdentityError, match="Check this machine's clock"):
        identity.open(folder, now=BEFORE - 7200)


# Secrets


def test_an_identity_hides_its_secrets_and_does_not_travel():
    opened = party_called("advertiser")
    shown = repr(opened) + str(opened)
    for secret in (opened._node_key.hex(), repr(opened._node_key), "PRIVATE"):
        assert secret not in shown
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="secret"):
            carry(opened)


@given(plaintext=st.binary(max_size=100), context=st.text(max_size=30))
def test_what_is_sealed_opens_under_its_context_only(plaintext, context):
    opened = party_called("advertiser")
    sealed = opened.seal(plaintext, context)
    assert opened.unseal(sealed, context) == plaintext
    with pytest.raises(IdentityError, match="does not open"):
        opened.unseal(sealed, context + "x")


@given(place=st.integers(0, 1 + 12 + 4 + 16 - 1), flip=st.integers(1, 255))
def test_a_sealed_secret_that_was_altered_does_not_open(place, flip):
    opened = party_called("advertiser")
    sealed = bytearray(opened.seal(b"seed", "seed"))
    sealed[place] ^= flip
    with pytest.raises(IdentityError, match="does not open"):
        opened.unseal(bytes(sealed), "seed")


@given(length=st.integers(0, 1 + 12 + 4 + 16 - 1))
def test_a_sealed_secret_that_was_cut_does_not_open(length):
    opened = party_called("advertiser")
    with pytest.raises(IdentityError, match="does not open"):
        opened.unseal(opened.seal(b"seed", "seed")[:length], "seed")


def test_another_party_cannot_open_what_was_sealed():
    sealed = party_called("advertiser").seal(b"seed", "seed")
    with pytest.raises(IdentityError, match="sealed by another party"):
        party_called("channel").unseal(sealed, "seed")


def test_one_secret_is_never_sealed_twice_the_same():
    opened = party_called("advertiser")
    sealed = {opened.seal(b"seed", "seed") for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"seed" in one for one in sealed)


def _fail(*_):
    raise OSError("disk full")


def _rename_after(monkeypatch, exists):
    """Rename as the system does, once the folder is seen again."""
    real = identity.Path.rename

    def rename(path, target):
        monkeypatch.setattr(identity.Path, "exists", exists)
        return real(path, target)

    return rename


def test_the_node_key_may_be_a_credential_of_the_service_and_nothing_else_opens(
    folder, tmp_path, monkeypatch
):
    sealed = identity.open(folder, now=NOW).seal(b"seed", "session/1/seed")
    given = tmp_path / "credentials"
    given.mkdir()
    shutil.move(folder / "keys/node.key", given / "node.key")
    with pytest.raises(IdentityError, match=r"node\.key is missing"):
        identity.open(folder, now=NOW)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert identity.open(folder, now=NOW).unseal(sealed, "session/1/seed") == b"seed"
    (given / "node.key").chmod(0o640)
    with pytest.raises(IdentityError, match="mode 0640"):
        identity.open(folder, now=NOW)
