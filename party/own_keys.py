"""The keys of a party that may be replaced, as they lie on disk: the first ones, and each rotation.

A rotation is a folder that appears whole: the statement to counterparts, and the new key with its
public half. It is looked for at every use, so that whatever runs goes on with the new keys; which
of them are in use is a matter of time (`party.identity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from audit.errors import NoteError
from audit.note import Signer, Verifier
from party.certificate import Certificate, read_certificate
from party.errors import IdentityError
from party.key_files import damaged, read_key_file
from party.key_statement import MOST_STATEMENTS, KeyStatement, PublicKeys, require_chain

IDENTITY_KEY, VERIFIER_KEY = "identity.key", "identity.vkey"
TLS_KEY, TLS_CERTIFICATE = "tls.key", "tls.crt"
ROTATIONS, STATEMENT = "rotations", "statement.json"
_PUBLIC: Final = {IDENTITY_KEY: VERIFIER_KEY, TLS_KEY: TLS_CERTIFICATE}

States = tuple[tuple["OwnKeys", ...], tuple[KeyStatement, ...]]


@dataclass(frozen=True, repr=False)
class OwnKeys:
    """Signing key and TLS key of a party with what came of them: one state of `party.rotation`.

    `tls_key` is None where it was replaced and deleted, and so is `signer`.
    """

    public: PublicKeys
    signer: Signer | None
    tls_key: ec.EllipticCurvePrivateKey | None

    @property
    def certificate(self) -> Certificate:
        """The certificate of the TLS key."""
        return self.public.parsed

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) over `message`, which starts with its prefix."""
        if self.signer is None:
            raise IdentityError("The signing key in use was deleted. Restore it from a backup.")
        return self.signer.sign(message).blob

    def tls_key_pem(self) -> bytes:
        """Return the TLS private key as PKCS#8 PEM: for a TLS library, never for a file."""
        if self.tls_key is None:
            raise IdentityError(
                f"The TLS key of {self.certificate.fingerprint} was replaced and deleted."
            )
        return private_pem(self.tls_key)


class KeyRing:
    """Every state of a party's keys, and the statements that lead from one to the next."""

    def __init__(self, first: OwnKeys, rotations: Path) -> None:
        self.first, self._rotations = first, rotations
        self._changed: int | None = None
        self._states: States = ((first,), ())

    @classmethod
    def load(cls, keys: Path, identity_key: Ed25519PrivateKey) -> KeyRing:
        """Return the keys in a party's folder of keys.

        Raises:
            IdentityError: a file is missing, readable by others, damaged or of another party.
        """
        verifier = _load_verifier(keys / VERIFIER_KEY, identity_key)
        tls_key = _load_replaceable(keys / TLS_KEY, keys / ROTATIONS)
        certificate = _load_certificate(keys / TLS_CERTIFICATE, tls_key)
        first = OwnKeys(
            PublicKeys(verifier.vkey, certificate.pem),
            Signer(verifier.name, identity_key.private_bytes_raw()),
            tls_key,
        )
        ring = cls(first, keys / ROTATIONS)
        ring.read()
        return ring

    def read(self) -> States:
        """Return the states and the statements as they lie on disk now."""
        try:
            changed = self._rotations.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed != self._changed:
            self._states = _load_rotations(self._rotations, self.first)
            self._changed = changed
        return self._states

    def tls_files(self, number: int) -> tuple[Path, Path]:
        """Return where certificate and key lie that were made last after `number` statements."""
        key = self._file_before(TLS_KEY, number + 1) or self._rotations.parent / TLS_KEY
        return key.with_name(TLS_CERTIFICATE), key

    def delete_replaced(self, now: float) -> bool:
        """Delete the private keys that nobody accepts at `now`; say whether there were any.

        The log's key stays, whatever has replaced it for signing.
        """
        deleted = False
        for one in self.read()[1]:
            if now < one.ends:
                continue
            name = IDENTITY_KEY if one.replaces_signing_key else TLS_KEY
            path = self._file_before(name, one.number)
            if path is not None and path.exists():
                path.unlink()
                deleted = True
        if deleted:
            self._changed = None
        return deleted

    def _file_before(self, name: str, number: int) -> Path | None:
        """Return where the key lies that statement `number` replaces; None: it is the log's."""
        for earlier in range(number - 1, 0, -1):
            folder = rotation_folder(self._rotations, earlier)
            if (folder / _PUBLIC[name]).exists():
                return folder / name
        return None if name == IDENTITY_KEY else self._rotations.parent / name


def rotation_folder(rotations: Path, number: int) -> Path:
    """Return where the keys of a statement lie."""
    return rotations / f"{number:04d}"


def _load_rotations(rotations: Path, first: OwnKeys) -> States:
    states = [first]
    statements: list[KeyStatement] = []
    for number in range(1, MOST_STATEMENTS + 1):
        folder = rotation_folder(rotations, number)
        if not folder.is_dir():
            break
        statement = KeyStatement.decode(read_key_file(folder / STATEMENT))
        states.append(_load_rotation(folder, statement, states[-1]))
        statements.append(statement)
    require_chain(first.public.signing, statements)
    if statements and statements[0].before != first.public:
        raise damaged(rotations, "its statements begin with other keys")
    return tuple(states), tuple(statements)


def _load_rotation(folder: Path, statement: KeyStatement, last: OwnKeys) -> OwnKeys:
    if not statement.replaces_signing_key:
        tls_key = _load_tls_key(folder / TLS_KEY) if (folder / TLS_KEY).exists() else None
        certificate = _load_certificate(folder / TLS_CERTIFICATE, tls_key)
        if certificate.pem != statement.after.certificate:
            raise damaged(folder / TLS_CERTIFICATE, f"it is not that of {STATEMENT}")
        return OwnKeys(statement.after, last.signer, tls_key)
    signer = None
    if (folder / IDENTITY_KEY).exists():
        key = load_identity_key(folder / IDENTITY_KEY)
        signer = Signer(statement.after.verifier.name, key.private_bytes_raw())
        if signer.verifier != statement.after.verifier:
            raise damaged(folder / IDENTITY_KEY, f"it is not that of {STATEMENT}")
    return OwnKeys(statement.after, signer, last.tls_key)


def _load_replaceable(path: Path, rotations: Path) -> ec.EllipticCurvePrivateKey | None:
    """Return the first TLS key; None where it was replaced since, and deleted."""
    return None if rotations.is_dir() and not path.exists() else _load_tls_key(path)


def load_identity_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in a file, or raise IdentityError."""
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


def _load_verifier(path: Path, key: Ed25519PrivateKey) -> Verifier:
    data = read_key_file(path)
    try:
        verifier = Verifier.from_vkey(data.decode("ascii").strip())
    except (NoteError, UnicodeDecodeError):
        raise damaged(path, "it is not a verifier key") from None
    if verifier.public_key != key.public_key().public_bytes_raw():
        raise damaged(path, f"it does not belong to {IDENTITY_KEY}")
    return verifier


def _load_certificate(path: Path, key: ec.EllipticCurvePrivateKey | None) -> Certificate:
    data = read_key_file(path)
    try:
        certificate = read_certificate(data.decode("ascii"))
    except (IdentityError, UnicodeDecodeError):
        raise damaged(path, "it is not a certificate of a party") from None
    if key is None:
        return certificate
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key_der != public:
        raise damaged(path, f"it does not belong to {TLS_KEY}")
    return certificate


def private_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PKCS#8 PEM, without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
