"""Who a party is: its identity key, its TLS key and certificate, and the key of its node.

The Ed25519 identity key signs contracts, requests and checkpoints. The P-256 key with its pinned
certificate speaks TLS. The node key seals secrets that this party keeps at rest (AES-256-GCM), so
that a copied database is not a copied seed. Secrets hide in `repr` and refuse to pickle.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NoReturn

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from audit.checkpoint import Cosigner
from audit.errors import NoteError
from audit.note import Signer, Verifier
from party.certificate import Certificate, host_of_origin, issue_certificate, read_certificate
from party.errors import IdentityError
from party.key_files import damaged, read_key_file, write_key_folder
from party.sealed_stream import seal_parts, unseal_blocks
from psi.buckets import RoundingKey

PARTY_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,29}[a-z0-9])?")
"""A party's name: a DNS label, since it becomes part of a host name."""

LOG_ORIGIN = re.compile(
    r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*"
)
"""A log's origin: host, perhaps a port, perhaps a path; no scheme, space or plus sign."""
MOST_ORIGIN_CHARACTERS = 200

_DNS_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_FOLDER = "keys"
_IDENTITY_KEY, _VERIFIER_KEY = "identity.key", "identity.vkey"
_TLS_KEY, _TLS_CERTIFICATE, _NODE_KEY = "tls.key", "tls.crt", "node.key"
_NODE_KEY_BYTES = 32
_ROUNDING = b"commonground/rounding/v1"
_SUBJECTS = b"commonground/subjects/v1"
_SEAL_VERSION = b"\x01"
_SEAL_PREFIX = b"commonground/seal/v1\n"
_NONCE_BYTES = 12


class Identity:
    """A party's keys, opened. Made by `create` and `open`, and by nothing else.

    `signer` signs the notes of the party's log and `cosigner` those of others, both with the
    identity key; `certificate` is what counterparts pin.
    """

    def __init__(
        self,
        *,
        log_origin: str,
        identity_key: Ed25519PrivateKey,
        tls_key: ec.EllipticCurvePrivateKey,
        certificate: Certificate,
        node_key: bytes,
    ) -> None:
        self.signer = Signer(log_origin, identity_key.private_bytes_raw())
        self.cosigner = Cosigner(log_origin, identity_key.private_bytes_raw())
        self.certificate = certificate
        self._tls_key = tls_key
        self._node_key = node_key

    @property
    def name(self) -> str:
        """The party's own short name, as given to `create`."""
        return self.certificate.party_name

    @property
    def verifier(self) -> Verifier:
        """The public identity key."""
        return self.signer.verifier

    @property
    def vkey(self) -> str:
        """The public identity key as a C2SP verifier key."""
        return self.verifier.vkey

    @property
    def log_origin(self) -> str:
        """The origin of the party's log, and the name of its key."""
        return self.signer.name

    @property
    def fingerprint(self) -> str:
        """`sha256:` and the hex SHA-256 of the TLS certificate's DER."""
        return self.certificate.fingerprint

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) over `message`, which starts with its prefix."""
        return self.signer.sign(message).blob

    def tls_key_pem(self) -> bytes:
        """Return the TLS private key as PKCS#8 PEM: for a TLS library, never for a file."""
        return _private_pem(self._tls_key)

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Return `plaintext` encrypted for this node; `context` says what it is and must recur.

        What is large goes through `seal_parts`.
        """
        nonce = os.urandom(_NONCE_BYTES)
        box = AESGCM(self._node_key).encrypt(nonce, plaintext, _SEAL_PREFIX + context.encode())
        return _SEAL_VERSION + nonce + box

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed under `context`, or raise IdentityError."""
        body = sealed[len(_SEAL_VERSION) :]
        nonce, box = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        try:
            if not sealed.startswith(_SEAL_VERSION) or len(nonce) < _NONCE_BYTES:
                raise InvalidTag
            return AESGCM(self._node_key).decrypt(nonce, box, _SEAL_PREFIX + context.encode())
        except InvalidTag:
            raise _unopened(context) from None

    def seal_parts(self, parts: Iterable[memoryview], context: str) -> Iterator[bytes]:
        """Yield what `parts` of bytes are sealed as, block by block (`sealed_stream`)."""
        return seal_parts(self._node_key, parts, context)

    def unseal_blocks(self, sealed: BinaryIO, context: str) -> Iterator[bytes]:
        """Yield the blocks of what `seal_parts` sealed, to the end, or raise IdentityError."""
        try:
            yield from unseal_blocks(self._node_key, sealed, context)
        except InvalidTag:
            raise _unopened(context) from None

    @cached_property
    def rounding_key(self) -> RoundingKey:
        """The secret that places values between two bounds, the same in every session."""
        return RoundingKey(hmac.digest(self._node_key, _ROUNDING, "sha256"))

    @cached_property
    def people_key(self) -> bytes:
        """The secret under which the store names people who were erased or asked (32 bytes)."""
        return hmac.digest(self._node_key, _SUBJECTS, "sha256")

    def __repr__(self) -> str:
        return f"Identity(vkey={self.vkey!r}, fingerprint={self.fingerprint!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Identity holds secret keys and is not pickled or copied")


def create(
    folder: Path | str,
    *,
    name: str,
    log_origin: str,
    hosts: Sequence[str] = (),
    now: int | None = None,
) -> Identity:
    """Make a party's keys in `folder`/keys, and return them opened.

    `name` is a short lower-case name; `log_origin` the schemeless address of its log, such as
    `audit.example.com/advertiser`; `hosts` the DNS names or addresses where it listens; `now`
    Unix seconds. Raises IdentityError where a name does not serve or keys exist already.
    """
    _require_names(name, log_origin, hosts)
    identity_key = Ed25519PrivateKey.generate()
    verifier = Verifier(log_origin, identity_key.public_key().public_bytes_raw())
    tls_key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue_certificate(
        tls_key,
        name=name,
        hosts=[host_of_origin(log_origin), *hosts],
        now=int(time.time()) if now is None else now,
    )
    files = {
        _IDENTITY_KEY: _private_pem(identity_key),
        _VERIFIER_KEY: verifier.vkey.encode() + b"\n",
        _TLS_KEY: _private_pem(tls_key),
        _TLS_CERTIFICATE: certificate.pem.encode(),
        _NODE_KEY: os.urandom(_NODE_KEY_BYTES).hex().encode() + b"\n",
    }
    write_key_folder(Path(folder) / _FOLDER, files)
    return open(folder, now=now)


def open(folder: Path | str, *, now: int | None = None) -> Identity:  # noqa: A001 - as gzip.open
    """Return the keys in `folder`/keys.

    Raises IdentityError when a file is missing, readable by others, damaged or of another party,
    and when the certificate is not valid at `now` (Unix seconds; the clock's without it).
    """
    keys = Path(folder) / _FOLDER
    if not keys.is_dir():
        raise IdentityError(
            f"{folder} is not a party's folder: {keys} does not exist. Run 'commonground init'."
        )
    identity_key = _load_identity_key(keys / _IDENTITY_KEY)
    tls_key = _load_tls_key(keys / _TLS_KEY)
    identity = Identity(
        log_origin=_load_log_origin(keys / _VERIFIER_KEY, identity_key),
        identity_key=identity_key,
        tls_key=tls_key,
        certificate=_load_certificate(keys / _TLS_CERTIFICATE, tls_key),
        node_key=_load_node_key(keys / _NODE_KEY),
    )
    identity.certificate.require_valid(int(time.time()) if now is None else now)
    return identity


def _unopened(context: str) -> IdentityError:
    return IdentityError(
        f"What is stored as '{context}' does not open: it was altered, moved from another place, or"
        " sealed by another party. Restore it together with the keys."
    )


def _require_names(name: str, log_origin: str, hosts: Sequence[str]) -> None:
    if PARTY_NAME.fullmatch(name) is None:
        raise IdentityError(
            f"The name {name[:48]!r} does not serve: use lower-case letters, digits and hyphens,"
            " a letter first, at most 31 characters."
        )
    if len(log_origin) > MOST_ORIGIN_CHARACTERS or LOG_ORIGIN.fullmatch(log_origin) is None:
        raise IdentityError(
            f"The log origin {log_origin[:48]!r} does not serve: write host and path without a"
            f" scheme, such as example.com/{name}."
        )
    for host in hosts:
        if _DNS_NAME.fullmatch(host) is None and not _is_address(host):
            raise IdentityError(
                f"The host {host[:48]!r} is neither a DNS name nor an IP address; leave out the"
                " scheme and the port."
            )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _load_identity_key(path: Path) -> Ed25519PrivateKey:
    key = _load_private_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise damaged(path, "it is not an Ed25519 key")
    return key


def _load_tls_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = _load_private_key(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise damaged(path, "it is not an elliptic-curve key")
    return key


def _load_private_key(path: Path) -> object:
    data = read_key_file(path)
    try:
        return load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise damaged(path, "it is not a private key in PEM") from None


def _load_log_origin(path: Path, key: Ed25519PrivateKey) -> str:
    data = read_key_file(path)
    try:
        verifier = Verifier.from_vkey(data.decode("ascii").strip())
    except (NoteError, UnicodeDecodeError):
        raise damaged(path, "it is not a verifier key") from None
    if verifier.public_key != key.public_key().public_bytes_raw():
        raise damaged(path, f"it does not belong to {_IDENTITY_KEY}")
    return verifier.name


def _load_certificate(path: Path, key: ec.EllipticCurvePrivateKey) -> Certificate:
    data = read_key_file(path)
    try:
        certificate = read_certificate(data.decode("ascii"))
    except (IdentityError, UnicodeDecodeError):
        raise damaged(path, "it is not a certificate of a party") from None
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key_der != public:
        raise damaged(path, f"it does not belong to {_TLS_KEY}")
    return certificate


def _load_node_key(path: Path) -> bytes:
    data = read_key_file(path)
    try:
        key = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        raise damaged(path, "it is not hexadecimal") from None
    if len(key) != _NODE_KEY_BYTES:
        raise damaged(path, f"it does not hold {_NODE_KEY_BYTES} bytes")
    return key


def _private_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
