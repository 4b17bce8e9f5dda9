"""Who a party is: its identity key, its TLS key and certificate, and the key of its node.

The Ed25519 identity key signs contracts, requests and checkpoints. The P-256 key with its pinned
certificate speaks TLS. Both may be replaced while the party is open, here or in another process
(`party.rotation`): then a new signing key signs what others read, and the first identity key goes
on signing the log and what this party keeps. The node key seals secrets that this party keeps at
rest (AES-256-GCM), so that a copied database is not a copied seed. Secrets hide in `repr` and
refuse to pickle.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.checkpoint import Cosigner
from audit.note import Signer, Verifier
from party.certificate import Certificate, host_of_origin, issue_certificate
from party.errors import IdentityError
from party.key_files import write_key_folder
from party.key_statement import KeyStatement, PublicKeys
from party.node_key import FILE as NODE_KEY
from party.node_key import load_node_key, new_node_key
from party.own_keys import (
    IDENTITY_KEY,
    TLS_CERTIFICATE,
    TLS_KEY,
    VERIFIER_KEY,
    KeyRing,
    OwnKeys,
    load_identity_key,
    private_pem,
)
from party.sealed_stream import seal_parts, unseal_blocks

if TYPE_CHECKING:
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
_ROUNDING = b"commonground/rounding/v1"
_SUBJECTS = b"commonground/subjects/v1"
_SEAL_VERSION = b"\x01"
_SEAL_PREFIX = b"commonground/seal/v1\n"
_NONCE_BYTES = 12


class Identity:
    """A party's keys, opened. Made by `create` and `open`, and by nothing else.

    `signer` signs the notes of the party's log and `cosigner` those of others, both with the
    identity key; `certificate` is what counterparts pin. What may be replaced is asked for anew at
    every use, so that a program that is open goes on with the new keys. `clock` gives Unix seconds.
    """

    def __init__(
        self,
        *,
        log_origin: str,
        identity_key: Ed25519PrivateKey,
        ring: KeyRing,
        node_key: bytes,
    ) -> None:
        self.signer = Signer(log_origin, identity_key.private_bytes_raw())
        self.cosigner = Cosigner(log_origin, identity_key.private_bytes_raw())
        self.clock: Callable[[], float] = time.time
        self._ring, self._node_key = ring, node_key

    @property
    def name(self) -> str:
        """The party's own short name, as given to `create`."""
        return self._ring.first.certificate.party_name

    @property
    def verifier(self) -> Verifier:
        """The public identity key: the log's, for ever."""
        return self.signer.verifier

    @property
    def vkey(self) -> str:
        """The public identity key as a C2SP verifier key."""
        return self.verifier.vkey

    @property
    def log_origin(self) -> str:
        """The origin of the party's log, and the name of its key."""
        return self.signer.name

    # -- keys that may be replaced ------------------------------------------------------------

    @property
    def statements(self) -> tuple[KeyStatement, ...]:
        """What this party has said of its keys to counterparts, oldest first."""
        return self._ring.read()[1]

    @property
    def keys(self) -> OwnKeys:
        """The keys that are in use now."""
        return self.keys_after(len(self.statements))

    @property
    def newest(self) -> OwnKeys:
        """The keys that were made last, which may not be in use yet."""
        return self._ring.read()[0][-1]

    def keys_after(self, number: int) -> OwnKeys:
        """Return the keys that are in use now towards whoever knows statements up to `number`.

        They are those before a statement that it does not know, for as long as it accepts them and
        their certificate is valid.
        """
        states, statements = self._ring.read()
        now, used = self.clock(), 0
        for one in statements:
            over = now >= min(one.ends, states[used].certificate.not_after)
            known = one.number <= number or over
            if now >= one.starts and known:
                used = one.number
        return states[used]

    @property
    def signing(self) -> str:
        """The key that signs what others read, in text form."""
        return self.keys.public.signing

    @property
    def certificate(self) -> Certificate:
        """The certificate that is in use now."""
        return self.keys.certificate

    @property
    def fingerprint(self) -> str:
        """`sha256:` and the hex SHA-256 of the TLS certificate's DER."""
        return self.certificate.fingerprint

    def place_of(self, keys: PublicKeys) -> int | None:
        """Return after how many statements these were this party's keys; None: they never were."""
        states = [one.public for one in self._ring.read()[0]]
        return states.index(keys) if keys in states else None

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) over `message`, which starts with its prefix.

        It is by the signing key in use, for others to verify.
        """
        return self.keys.sign(message)

    def sign_own(self, message: bytes) -> bytes:
        """Return the same by the log's key: for what this party keeps, or proves by its log."""
        return self.signer.sign(message).blob

    def tls_key_pem(self) -> bytes:
        """Return the TLS private key as PKCS#8 PEM: for a TLS library, never for a file."""
        return self.keys.tls_key_pem()

    def tls_files(self) -> tuple[Path, Path]:
        """Return where the certificate in use and its key lie, for a library that wants files."""
        return self._ring.tls_files(self.place_of(self.keys.public) or 0)

    def delete_replaced(self) -> bool:
        """Delete the private keys that nobody accepts any more; say whether there were any."""
        return self._ring.delete_replaced(self.clock())

    # -- what this party keeps ----------------------------------------------------------------

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
        from psi.buckets import RoundingKey

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
        IDENTITY_KEY: private_pem(identity_key),
        VERIFIER_KEY: verifier.vkey.encode() + b"\n",
        TLS_KEY: private_pem(tls_key),
        TLS_CERTIFICATE: certificate.pem.encode(),
        NODE_KEY: new_node_key(),
    }
    write_key_folder(Path(folder) / _FOLDER, files)
    return open(folder, now=now)


def open(  # noqa: A001 - as gzip.open
    folder: Path | str, *, now: int | None = None, expired: bool = False
) -> Identity:
    """Return the keys in `folder`/keys.

    Raises IdentityError when a file is missing, readable by others, damaged or of another party,
    and, unless `expired` certificates serve, when the one in use is not valid at `now` (Unix
    seconds; the clock's without it).
    """
    keys = Path(folder) / _FOLDER
    if not keys.is_dir():
        raise IdentityError(
            f"{folder} is not a party's folder: {keys} does not exist. Run 'commonground init'."
        )
    identity_key = load_identity_key(keys / IDENTITY_KEY)
    ring = KeyRing.load(keys, identity_key)
    identity = Identity(
        log_origin=ring.first.public.verifier.name,
        identity_key=identity_key,
        ring=ring,
        node_key=load_node_key(keys, ring.first.public.signing),
    )
    if now is not None:
        identity.clock = lambda: now
    if not expired:
        identity.certificate.require_valid(int(identity.clock()))
    identity.clock = time.time
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
