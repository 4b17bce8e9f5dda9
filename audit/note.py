"""Signed notes and their keys, as in c2sp.org/signed-note; algorithm 01, Ed25519.

A note is text, a blank line and signature lines. Nothing of its text may be used before
`open_note` has checked a signature of a known key. Signatures of unknown keys are set aside, as
the specification demands; a malformed line, also of an unknown key, refuses the whole note, and
so does one wrong signature of a known key. Base64 must be canonical, so that one note has one
spelling.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final, NoReturn, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import NoteError, SignatureError

MAX_NOTE_BYTES: Final = 512 * 1024
MAX_SIGNATURES: Final = 100
KEY_ID_BYTES: Final = 4
PUBLIC_KEY_BYTES: Final = 32
SEED_BYTES: Final = 32
_EM_DASH: Final = "— "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_PRIVATE: Final = "PRIVATE+KEY+"


@dataclass(frozen=True)
class Signature:
    """One signature line: who signed, and the bytes after the key id."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> str:
        """Return the line with its newline."""
        return f"{_EM_DASH}{self.name} {_encode(self.key_id + self.blob)}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read one line that ends in a newline.

        Raises:
            NoteError: it is not a signature line.
        """
        name, space, encoded = line.removeprefix(_EM_DASH).removesuffix("\n").partition(" ")
        if not (line.startswith(_EM_DASH) and line.endswith("\n") and space):
            raise NoteError("a signature line is an em dash, a name and base64, and a newline")
        require_name(name)
        data = _decode(encoded, "a signature")
        if len(data) <= KEY_ID_BYTES:
            raise NoteError("a signature line has a key id of 4 bytes and a signature after it")
        return cls(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


@dataclass(frozen=True)
class Verifier:
    """A public key under a name.

    Args:
        name: the key's name, a URL without its scheme.
        public_key: Ed25519, 32 bytes.
    """

    name: str
    public_key: bytes
    algorithm: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_name(self.name)
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise NoteError("an Ed25519 public key is 32 bytes")

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read a key in its text form, `name+id+key`.

        Raises:
            NoteError: it is malformed, of another algorithm, or its id is not that of the key.
        """
        name, key_id, public_key = _split_key(vkey, cls.algorithm)
        verifier = cls(name, public_key)
        if verifier.key_id.hex() != key_id:
            raise NoteError(
                f"the id in the key of {name[:60]} is not that of the key; copy it again"
            )
        return verifier

    @classmethod
    def of(cls, other: Verifier) -> Self:
        """Return the same public key in the role of this class: another algorithm, another id."""
        return cls(other.name, other.public_key)

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256 over name, newline, algorithm and key."""
        return _key_id(self.name, self.algorithm, self.public_key)

    @property
    def vkey(self) -> str:
        """The text form, `name+id+key`."""
        material = bytes([self.algorithm]) + self.public_key
        return f"{self.name}+{self.key_id.hex()}+{_encode(material)}"

    def verify(self, text: bytes, blob: bytes) -> None:
        """Check the bytes of a signature against the text of a note.

        Raises:
            SignatureError: this key did not sign this text.
        """
        verify_ed25519(self, text, blob)


class SecretKey:
    """An Ed25519 private key under a name; hides itself in `repr` and refuses to pickle."""

    __slots__ = ("_key", "name", "public_key")
    algorithm: ClassVar[int]

    def __init__(self, name: str, seed: bytes) -> None:
        require_name(name)
        if len(seed) != SEED_BYTES:
            raise NoteError("an Ed25519 private key is a seed of 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.name = name
        self.public_key = self._key.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a new key from the operating system's randomness."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_skey(cls, skey: str) -> Self:
        """Read a key in its text form, `PRIVATE+KEY+name+id+seed`.

        Raises:
            NoteError: it is malformed, of another algorithm, or its id is not that of the key.
        """
        if not skey.startswith(_PRIVATE):
            raise NoteError("a private key in text form begins with PRIVATE+KEY+")
        name, _, seed = _split_key(skey.removeprefix(_PRIVATE), cls.algorithm)
        key = cls(name, seed)
        if key.skey() != skey:
            raise NoteError(f"the id in the private key of {name} is not that of the key")
        return key

    @classmethod
    def of(cls, other: SecretKey) -> Self:
        """Return the same private key in the role of this class: another algorithm, another id."""
        return cls(other.name, other._key.private_bytes_raw())

    def skey(self) -> str:
        """Return the text form, which is the secret."""
        key_id = _key_id(self.name, self.algorithm, self.public_key)
        material = bytes([self.algorithm]) + self._key.private_bytes_raw()
        return f"{_PRIVATE}{self.name}+{key_id.hex()}+{_encode(material)}"

    def _sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, <hidden>)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} does not pickle: it is a secret")


class Signer(SecretKey):
    """The private key of a log: signs the text of notes."""

    __slots__ = ()
    algorithm = Verifier.algorithm

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.public_key)

    def sign(self, text: bytes) -> Signature:
        """Sign the text of a note."""
        return Signature(self.name, self.verifier.key_id, self._sign(text))


@dataclass(frozen=True)
class Note:
    """A note taken apart, with nothing verified: its text is not to be used yet."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class OpenedNote:
    """A note whose text at least one known key signed.

    Args:
        text: the signed text, with its last newline.
        verified: the signatures of known keys, all of them right.
        unknown: the signatures of other keys, about which nothing is known.
    """

    text: str
    verified: tuple[Signature, ...]
    unknown: tuple[Signature, ...]


def sign_note(text: str, *signers: Signer) -> str:
    """Sign `text`, which ends in a newline, and return the note.

    Raises:
        NoteError: the text cannot be the text of a note, or nobody signs.
    """
    if not _read_text(text).endswith("\n"):
        raise NoteError("the text of a note ends in a newline")
    if not signers:
        raise NoteError("a note has at least one signature")
    return text + "\n" + "".join(signer.sign(text.encode()).line() for signer in signers)


def parse_note(note: str | bytes) -> Note:
    """Take a note apart without verifying it; lines that repeat stand once.

    Raises:
        NoteError: it is malformed or too large.
    """
    whole = _read_text(note)
    before, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteError("a note is text, a blank line and signature lines, each with a newline")
    signature_lines = lines.removesuffix("\n").split("\n")
    if len(signature_lines) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures")
    signatures = dict.fromkeys(Signature.parse(f"{line}\n") for line in signature_lines)
    return Note(before + "\n", tuple(signatures))


def open_note(note: str | bytes, verifiers: Sequence[Verifier]) -> OpenedNote:
    """Verify a note: every signature of a known key, and at least one.

    Raises:
        NoteError: the note is malformed, or two known keys share name and id.
        SignatureError: no known key signed it, or a known key's signature is wrong.
    """
    parsed = parse_note(note)
    known = _by_name_and_id(verifiers)
    verified, unknown = [], []
    for signature in parsed.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            unknown.append(signature)
            continue
        verifier.verify(parsed.text.encode(), signature.blob)
        verified.append(signature)
    if not verified:
        names = ", ".join(sorted({verifier.name for verifier in verifiers})) or "nobody"
        raise SignatureError(f"the note has no signature of a known key (known: {names})")
    return OpenedNote(parsed.text, tuple(verified), tuple(unknown))


def require_name(name: str) -> None:
    """Check the name of a key.

    Raises:
        NoteError: it is empty or has a space, a plus, a control character or no UTF-8.
    """
    if not name or "+" in name or any(c.isspace() or c < " " for c in name) or not _is_utf8(name):
        raise NoteError("the name of a key is a URL without scheme: no space, no plus, not empty")


def verify_ed25519(verifier: Verifier, message: bytes, signature: bytes) -> None:
    """Check an Ed25519 signature over `message`.

    Raises:
        SignatureError: it is not this key's signature of this message.
    """
    try:
        Ed25519PublicKey.from_public_bytes(verifier.public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(
            f"the signature of {verifier.name} ({verifier.key_id.hex()}) is not one of this text"
        ) from error


def _by_name_and_id(verifiers: Sequence[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        other = known.setdefault((verifier.name, verifier.key_id), verifier)
        if other != verifier:
            raise NoteError(f"two known keys of {verifier.name} share an id; rename one")
    return known


def _key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    material = bytes([algorithm]) + public_key
    return sha256(name.encode() + b"\n" + material).digest()[:KEY_ID_BYTES]


def _split_key(text: str, algorithm: int) -> tuple[str, str, bytes]:
    """Split `name+id+base64(algorithm ‖ 32 bytes)`; the caller checks the id."""
    name, _, rest = text.partition("+")
    key_id, plus, encoded = rest.partition("+")
    require_name(name)
    if not plus:
        raise NoteError("a key in text form is name+id+key")
    material = _decode(encoded, "a key")
    if len(material) != 1 + PUBLIC_KEY_BYTES or material[0] != algorithm:
        raise NoteError(
            f"the key of {name[:60]} is not an Ed25519 key of algorithm {algorithm:02x}"
        )
    return name, key_id, material[1:]


def _read_text(note: str | bytes) -> str:
    """Decode a note and refuse what no note may contain."""
    try:
        data = note if isinstance(note, bytes) else note.encode()
        if len(data) > MAX_NOTE_BYTES:
            raise NoteError(f"a note has at most {MAX_NOTE_BYTES} bytes, this has {len(data)}")
        text = data.decode()
    except UnicodeError as error:
        raise NoteError("a note is UTF-8 text") from error
    if _CONTROL.search(text):
        raise NoteError("a note has no control characters but newlines")
    return text


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str, what: str) -> bytes:
    """Read base64 that is spelt in the one canonical way."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise NoteError(f"{what} is in standard base64 with padding") from error
    if _encode(data) != text:
        raise NoteError(f"{what} is in canonical base64; the last character has stray bits")
    return data
