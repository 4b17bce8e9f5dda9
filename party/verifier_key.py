"""A party's public identity key in the text form of C2SP signed notes (vkey).

`name+hex(key id)+base64(01 ‖ public key)`, key id = SHA-256(name ‖ 0A ‖ 01 ‖ public key)[:4],
algorithm 01 = Ed25519. The name is the party's log origin. One spelling is accepted for a key.
"""

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from party.errors import IdentityError

ED25519 = b"\x01"
"""The algorithm's byte in key ids and keys."""

LOG_ORIGIN = re.compile(
    r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*"
)
"""A log origin: host, perhaps a port, perhaps a path; no scheme, space or plus sign."""


@dataclass(frozen=True)
class VerifierKey:
    """A log origin and the Ed25519 public key (32 bytes) that signs under it."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Return the key that `text` spells, or raise IdentityError."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise IdentityError("The identity is not of the form name+key id+key.")
        name, _, encoded = parts
        try:
            key = b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise IdentityError("The identity's key is not base64.") from None
        if len(key) != 33 or key[:1] != ED25519:
            raise IdentityError("The identity's key is not an Ed25519 key of 32 bytes.")
        if len(name) > 255 or LOG_ORIGIN.fullmatch(name) is None:
            raise IdentityError(
                "The identity's name is not a log origin such as example.com/party."
            )
        parsed = cls(name, key[1:])
        if parsed.text != text:
            raise IdentityError("The identity's key id does not belong to its name and key.")
        return parsed

    @property
    def text(self) -> str:
        """The one spelling of this key."""
        key = ED25519 + self.public
        key_id = sha256(self.name.encode() + b"\n" + key).digest()[:4]
        return f"{self.name}+{key_id.hex()}+{b64encode(key).decode()}"

    def require_signature(self, signature: bytes, message: bytes) -> None:
        """Raise IdentityError unless `signature` (64 bytes) is this key's over `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            raise IdentityError(f"The signature is not {self.name}'s over this text.") from None
