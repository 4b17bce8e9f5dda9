"""Only the plain text of one self-signed P-256 certificate is read as a party's certificate."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from two_parties import NOW, party_called

from party.certificate import host_of_origin, issue_certificate, read_certificate
from party.errors import IdentityError

PEM = party_called("channel").certificate.pem


def made(names, *, key=None, signer=None, algorithm=SHA256):
    """Return the PEM of a certificate with these names."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    start = datetime.fromtimestamp(NOW, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    certificate = builder.sign(signer or key, algorithm and algorithm())
    return certificate.public_bytes(Encoding.PEM).decode()


INTERNAL = "x.commonground.internal"


def test_a_certificate_is_read_with_its_internal_name():
    assert read_certificate(PEM).internal_name == "channel.commonground.internal"
    assert read_certificate("\n" + PEM + "\n").pem == PEM
    assert read_certificate(made([INTERNAL, "localhost"])).party_name == "x"


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        ("", "not a readable"),
        (PEM[:200], "not a readable"),
        (PEM.replace("M", "é", 1), "not a readable"),
        (PEM + PEM, "more than one certificate"),
        ("junk\n" + PEM, "more than one certificate"),
        (PEM + "-----BEGIN CERTIFICATE-----\n", "more than one certificate"),
        (made([]), "not a readable"),
        (made(["localhost"]), "carries 0 names"),
        (made([INTERNAL, "y.commonground.internal"]), "carries 2 names"),
        (made([INTERNAL], key=ec.generate_private_key(ec.SECP384R1())), "not a P-256 key"),
        (
            made([INTERNAL], key=ed25519.Ed25519PrivateKey.generate(), algorithm=None),
            "not a P-256 key",
        ),
        (
            made([INTERNAL], signer=ec.generate_private_key(ec.SECP256R1())),
            "not signed by its own key",
        ),
    ],
    ids=range(12),
)
def test_any_other_text_is_refused(pem, says):
    with pytest.raises(IdentityError, match=says):
        read_certificate(pem)


def test_two_certificates_of_one_name_have_different_subjects():
    subjects = set()
    for _ in range(2):
        key = ec.generate_private_key(ec.SECP256R1())
        issued = issue_certificate(key, name="channel", hosts=[], now=NOW)
        subjects.add(x509.load_pem_x509_certificate(issued.pem.encode()).subject)
    assert len(subjects) == 2


@pytest.mark.parametrize(
    ("origin", "host"),
    [("example.com", "example.com"), ("example.com/a/b", "example.com"), ("a.b:1/c", "a.b")],
)
def test_the_host_of_a_log_origin(origin, host):
    assert host_of_origin(origin) == host
