"""The TLS certificate of a party: self-signed, and trusted only because a contract pins it.

P-256 with ECDSA, since the TLS library inside gRPC takes no Ed25519. It is marked as an authority
over itself (CA:TRUE, path length 0), which that library needs to accept a certificate as its own
root. Whatever addresses a party has, its certificate also carries one stable name,
`<party>.commonground.internal`, which the other side asks for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from party.errors import IdentityError

INTERNAL_DOMAIN = ".commonground.internal"
VALID_DAYS = 730
_CLOCK_SKEW = timedelta(hours=1)
_BEFORE_ANY = datetime(2020, 1, 1, tzinfo=UTC)
_NO_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280: a certificate without an end
_UNREADABLE = (
    ValueError,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    UnsupportedAlgorithm,
)


@dataclass(frozen=True)
class Certificate:
    """A party's certificate, checked: one self-signed P-256 certificate and nothing else.

    `pem` is its only text form; `fingerprint` is `sha256:` and the hex SHA-256 of its DER;
    `internal_name` is the host name that a dialling counterpart asks for; times are Unix seconds.
    """

    pem: str
    fingerprint: str
    internal_name: str
    not_before: int
    not_after: int
    public_key_der: bytes

    @property
    def party_name(self) -> str:
        """The name that the party gave itself when it was made."""
        return self.internal_name.removesuffix(INTERNAL_DOMAIN)

    def require_valid(self, now: int) -> None:
        """Raise IdentityError unless the certificate is valid at `now` (Unix seconds)."""
        if now < self.not_before:
            raise IdentityError(
                f"The certificate of {self.internal_name} is valid only from"
                f" {_date(self.not_before)}. Check this machine's clock."
            )
        if now >= self.not_after:
            raise IdentityError(
                f"The certificate of {self.internal_name} expired on {_date(self.not_after)}."
                " Its owner replaces it with 'commonground keys rotate tls', and gives keys.json to"
                " those who could not be told."
            )


def issue_certificate(
    key: ec.EllipticCurvePrivateKey, *, name: str, hosts: Sequence[str], now: int
) -> Certificate:
    """Make the certificate of party `name` for two years from `now` (Unix seconds).

    `hosts` are DNS names or IP addresses besides the internal name, `localhost` and 127.0.0.1.
    """
    start = datetime.fromtimestamp(now, UTC)
    builder = (
        _builder(key, name, hosts)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _CLOCK_SKEW)
        .not_valid_after(start + timedelta(days=VALID_DAYS))
    )
    return _readable(builder.sign(key, SHA256()))


def repeatable_certificate(
    key: ec.EllipticCurvePrivateKey, *, name: str, serial: int
) -> Certificate:
    """Make a certificate that is the same, byte for byte, whoever makes it from the same key.

    It has no end of its own: whoever accepts it decides until when. The signature is the
    deterministic one of RFC 6979.
    """
    builder = (
        _builder(key, name, ())
        .serial_number(serial)
        .not_valid_before(_BEFORE_ANY)
        .not_valid_after(_NO_END)
    )
    return _readable(builder.sign(key, SHA256(), ecdsa_deterministic=True))


def _builder(
    key: ec.EllipticCurvePrivateKey, name: str, hosts: Sequence[str]
) -> x509.CertificateBuilder:
    """Return what every certificate of a party says, but serial number and dates."""
    public = key.public_key()
    internal_name = name + INTERNAL_DOMAIN
    subject = _subject(public, internal_name)
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    alternative = [_general_name(host) for host in _once(internal_name, *hosts)]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )


def _readable(certificate: x509.Certificate) -> Certificate:
    return read_certificate(certificate.public_bytes(Encoding.PEM).decode("ascii"))


def read_certificate(pem: str) -> Certificate:
    """Return the certificate in `pem`, or raise IdentityError with what is wrong with it.

    The text must be the plain encoding of one certificate: TLS libraries trust every certificate
    in a text, so a second one beside the pinned one would be let in.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
        plain = certificate.public_bytes(Encoding.PEM).decode("ascii")
        key = certificate.public_key()
        internal_name = _internal_name(certificate)
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, TypeError):
        raise IdentityError("The certificate is not signed by its own key.") from None
    except _UNREADABLE:
        raise IdentityError("The certificate is not a readable X.509 certificate in PEM.") from None
    if pem.strip() != plain.strip():
        raise IdentityError("The certificate's text holds more than one certificate in plain PEM.")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IdentityError("The certificate's key is not a P-256 key.")
    return Certificate(
        pem=plain,
        fingerprint="sha256:" + sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
        internal_name=internal_name,
        not_before=int(certificate.not_valid_before_utc.timestamp()),
        not_after=int(certificate.not_valid_after_utc.timestamp()),
        public_key_der=_der(key),
    )


def hosts_of(certificate: Certificate) -> list[str]:
    """Return the DNS names and addresses for which a certificate was made, but its stable name."""
    parsed = x509.load_pem_x509_certificate(certificate.pem.encode())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(one.value) for one in names if str(one.value) != certificate.internal_name]


def host_of_origin(log_origin: str) -> str:
    """Return the host of a log origin such as `audit.example.com:8443/advertiser`."""
    return log_origin.split("/", 1)[0].split(":", 1)[0]


def _subject(key: ec.EllipticCurvePublicKey, internal_name: str) -> x509.Name:
    """A name of its own for each key: a listener trusts many parties, two may share a name."""
    own = sha256(_der(key)).hexdigest()[:32]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, internal_name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, own),
        ]
    )


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _once(*hosts: str) -> list[str]:
    return list(dict.fromkeys([*hosts, "localhost", "127.0.0.1"]))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _internal_name(certificate: x509.Certificate) -> str:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = extension.value.get_values_for_type(x509.DNSName)
    internal = [name for name in names if name.endswith(INTERNAL_DOMAIN)]
    if len(internal) != 1:
        raise IdentityError(
            f"The certificate carries {len(internal)} names under {INTERNAL_DOMAIN[1:]}; it needs"
            " one. Use the certificate that 'commonground init' made."
        )
    return internal[0]


def _der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
