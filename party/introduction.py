"""How two parties introduce themselves over an invitation: a card, signed for this invitation.

TLS shows that each side holds what the invitation pins: the joiner the code, the maker its
certificate. The signature adds that the card is its sender's own: the identity key in it signs
the card, the invitation and the sender's part in it, so no card can be presented by another
party, sent back, or taken to another invitation.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final, Literal

import rfc8785

from audit.errors import SignatureError
from party.card import OPTIONAL_KEYS, REQUIRED_KEYS, IdentityCard
from party.document import Section, TextRule, read_canonical
from party.errors import Refusal, RefusalStatus
from party.identity import PARTY_NAME, Identity

Part = Literal["joiner", "maker"]
PARTS: Final[tuple[Part, ...]] = ("joiner", "maker")
MOST_BYTES: Final = 16_384
SIGNATURE_PREFIX: Final = b"commonground/introduction/v1\n"

_KEYS: Final = ("card", "invitation", "part", "signature")
_FINGERPRINT: Final = TextRule("the fingerprint of an invitation", most=71)
_SIGNATURE: Final = TextRule("a signature in base64", most=88)


@dataclass(frozen=True)
class Introduction:
    """A card with its owner's signature; `invitation` is the fingerprint of its certificate."""

    card: IdentityCard
    invitation: str
    part: Part
    signature: str

    @classmethod
    def make(
        cls, identity: Identity, card: IdentityCard, *, invitation: str, part: Part
    ) -> Introduction:
        """Return the own card, signed for an invitation."""
        text = SIGNATURE_PREFIX + _signed_text(card, invitation, part)
        return cls(card, invitation, part, b64encode(identity.sign(text)).decode())

    @classmethod
    def decode(cls, data: bytes) -> Introduction:
        """Read an introduction from the wire; only its canonical form is read.

        Raises:
            Refusal: it is too large, malformed, or its card contradicts itself.
        """
        if len(data) > MOST_BYTES:
            raise Refusal(
                RefusalStatus.LIMIT_EXCEEDED, f"The introduction has more than {MOST_BYTES} bytes."
            )
        section = Section(read_canonical(data, _malformed), "", _malformed, required=_KEYS)
        card = section.section("card", required=REQUIRED_KEYS, optional=OPTIONAL_KEYS)
        part = section.choice("part", PARTS)
        return cls(
            card=IdentityCard.read(card),
            invitation=section.text("invitation", _FINGERPRINT),
            part="joiner" if part == "joiner" else "maker",
            signature=section.text("signature", _SIGNATURE),
        )

    def encode(self) -> bytes:
        """Return the canonical JSON for the wire."""
        document = _statement(self.card, self.invitation, self.part)
        document["signature"] = self.signature
        return rfc8785.dumps(document)  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        """The name of the party that introduces itself, once verified."""
        return self.card.parsed_certificate.party_name

    def verify(self, *, invitation: str, part: Part) -> None:
        """Raise Refusal unless the card's owner signed it for this invitation and part."""
        if (self.invitation, self.part) != (invitation, part):
            raise _malformed("it was made for another invitation")
        if PARTY_NAME.fullmatch(self.name) is None:
            raise _malformed("the certificate's name is no party's name")
        text = SIGNATURE_PREFIX + _signed_text(self.card, invitation, part)
        try:
            self.card.verifier.verify(text, b64decode(self.signature, validate=True))
        except (SignatureError, binascii.Error):
            raise _malformed("the card is not signed by the identity key in it") from None


def _statement(card: IdentityCard, invitation: str, part: Part) -> dict[str, object]:
    return {"card": card.to_json(), "invitation": invitation, "part": part}


def _signed_text(card: IdentityCard, invitation: str, part: Part) -> bytes:
    return rfc8785.dumps(_statement(card, invitation, part))  # type: ignore[arg-type]


def _malformed(problem: str) -> Refusal:
    return Refusal(RefusalStatus.BAD_REQUEST, f"The introduction does not serve: {problem}.")
