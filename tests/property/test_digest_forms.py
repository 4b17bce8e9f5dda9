"""How cells of a digest column are written: what is read, and what is said of the rest."""

import base64
import hashlib

import pytest

from psi.digest_forms import FormFault, read_form, shape
from psi.digest_variants import TextFault, placeholder_variants, variants

TEXT = "ann@example.com"
SHA256 = hashlib.sha256(TEXT.encode())
HEX, BASE64 = SHA256.hexdigest(), base64.b64encode(SHA256.digest()).decode()
SHA1, MD5 = (hashlib.new(name, TEXT.encode()).hexdigest() for name in ("sha1", "md5"))


@pytest.mark.parametrize("text", [HEX, HEX.upper(), f" {HEX}\n", BASE64, BASE64.rstrip("=")])
def test_a_digest_as_it_should_be_has_no_fault(text):
    form = read_form(text, "sha256")
    assert (form.fault, form.digest) == (None, SHA256.digest())


@pytest.mark.parametrize(
    ("text", "fault", "digest"),
    [
        (MD5, FormFault.ALGORITHM, MD5),
        (SHA1, FormFault.ALGORITHM, SHA1),
        (HEX.encode().hex(), FormFault.ENCODED_TWICE, HEX),
        (base64.b64encode(HEX.encode()).decode(), FormFault.ENCODED_TWICE, HEX),
        (MD5.encode().hex(), None, MD5.encode().hex()),
        (f"0x{HEX}", FormFault.AROUND, HEX),
        (f"\\x{HEX}", FormFault.AROUND, HEX),
        (f"sha256:{HEX}", FormFault.AROUND, HEX),
        (f'"{HEX}"', FormFault.AROUND, HEX),
        (f"0x{MD5}", FormFault.ALGORITHM, MD5),
        (":".join(HEX[i : i + 2] for i in range(0, 64, 2)), FormFault.AROUND, HEX),
        (BASE64.lower(), FormFault.BASE64_CASE, None),
        (BASE64.upper(), FormFault.BASE64_CASE, None),
        (HEX[:50], FormFault.CUT, None),
        (HEX[:63], FormFault.CUT, None),
        ("deadbeef", FormFault.NO_DIGEST, None),
        (TEXT, FormFault.NO_DIGEST, None),
        ("+12025550100", FormFault.NO_DIGEST, None),
        ("350000000000006", FormFault.NO_DIGEST, None),
        ("", FormFault.NO_DIGEST, None),
    ],
)
def test_a_fault_is_told_and_the_digest_read_where_it_can_be(text, fault, digest):
    form = read_form(text, "sha256")
    assert form.fault is fault
    assert form.digest == (None if digest is None else bytes.fromhex(digest))


def test_the_length_of_the_columns_own_algorithm_is_no_fault():
    assert read_form(MD5, "md5").fault is None
    assert read_form(HEX, "md5").algorithm == "sha256"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HEX, "(64 hex digits)"),
        (f"0x{HEX}", "9x(64 hex digits)"),
        (BASE64, "44 characters of base64"),
        ("Ann@example.com", "Xxx@xxxxxxx.xxx"),
        ("(202) 555-0100", "(999) 999-9999"),
    ],
)
def test_a_shape_tells_no_digest_from_another(text, shown):
    assert shape(text) == shown


def test_a_right_digest_has_no_fault_among_its_variants():
    found = variants("email", " Ann@Example.com", algorithm="sha256")
    assert found[SHA256.digest()].faults == frozenset()


@pytest.mark.parametrize("raw", ["no address", "unknown", "", "a b@example.com"])
def test_a_value_that_has_no_normal_form_has_no_variant(raw):
    assert variants("email", raw, algorithm="sha256") == {}


def test_the_fewest_mistakes_explain_a_digest():
    digest = hashlib.sha256(b"ANN@EXAMPLE.COM").digest()
    found = variants("email", "ANN@EXAMPLE.COM", algorithm="sha256")
    assert found[digest].faults == {TextFault.CASE}


def test_placeholders_hashed_rightly_are_no_evidence():
    found = placeholder_variants("email", "sha256")
    for text in ("unknown", "", "test@test.com"):
        assert hashlib.sha256(text.encode()).digest() not in found
    assert found[hashlib.sha256(b"unknown\n").digest()].faults == {TextFault.NEWLINE}
    assert found[hashlib.sha256(b"\n").digest()].faults == {TextFault.NEWLINE}
    assert found[hashlib.sha256(b"NULL").digest()].faults == {TextFault.CASE}
