"""How two parties introduce themselves over an invitation: a card, signed for this invitation.

TLS shows that each side holds what the invitation pins: the joiner the code, the maker its
certificate. The signature adds that the card is its sender's own: the identity key in it signs
the card, the invitation and the sender's part in it, so no card can be presented by another
party, sent back, or taken to another invitation. The maker may add what its datasets hold, in
the words of a contract, so that the joiner's draft is complete.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

import rfc8785

from audit.errors import SignatureError
from languages import message
from party.card import OPTIONAL_KEYS, REQUIRED_KEYS, IdentityCard
from party.contract_terms import DatasetTerms, read_offered
from party.document import SIGNATURE, Section, TextRule, read_canonical
from party.errors import Refusal, RefusalStatus
from party.identity import PARTY_NAME, Identity

Part = Literal["joiner", "maker"]
PARTS: Final[tuple[Part, ...]] = ("joiner", "maker")
MOST_BYTES: Final = 16_384
MOST_STATED_BYTES: Final = 12_288
"""So much of it may be datasets; the rest is for card and signature."""
SIGNATURE_PREFIX: Final = b"commonground/introduction/v1\n"

_KEYS: Final = ("card", "invitation", "part", "signature")
_FINGERPRINT: Final = TextRule(message("the fingerprint of an invitation"), most=71)


@dataclass(frozen=True)
class Introduction:
    """A card with its owner's signature; `invitation` is the fingerprint of its certificate.

    `datasets` are those that the maker states; a joiner states none.
    """

    card: IdentityCard
    invitation: str
    part: Part
    signature: str
    datasets: Mapping[str, DatasetTerms] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def make(
        cls,
        identity: Identity,
        card: IdentityCard,
        *,
        invitation: str,
        part: Part,
        datasets: Mapping[str, DatasetTerms] = MappingProxyType({}),
    ) -> Introduction:
        """Return the own card, signed for an invitation, with the `datasets` that are stated."""
        unsigned = cls(card, invitation, part, "", datasets)
        signature = identity.sign(SIGNATURE_PREFIX + unsigned.signed_text)
        return replace(unsigned, signature=b64encode(signature).decode())

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
        section = Section(
            read_canonical(data, _malformed), "", _malformed, required=_KEYS, optional=("datasets",)
        )
        card = section.section("card", required=REQUIRED_KEYS, optional=OPTIONAL_KEYS)
        part = section.choice("part", PARTS)
        if part == "joiner" and "datasets" in section:
            raise section.fault("datasets", "a joiner states none")
        stated = read_offered(section, "datasets") if "datasets" in section else {}
        return cls(
            card=IdentityCard.read(card),
            invitation=section.text("invitation", _FINGERPRINT),
            part="joiner" if part == "joiner" else "maker",
            signature=section.text("signature", SIGNATURE),
            datasets=stated,
        )

    def encode(self) -> bytes:
        """Return the canonical JSON for the wire."""
        document = {**self._statement(), "signature": self.signature}
        return rfc8785.dumps(document)  # type: ignore[arg-type]

    @property
    def signed_text(self) -> bytes:
        """What the signature is over, after the prefix."""
        return rfc8785.dumps(self._statement())  # type: ignore[arg-type]

    def _statement(self) -> dict[str, object]:
        said: dict[str, object] = {
            "card": self.card.to_json(),
            "invitation": self.invitation,
            "part": self.part,
        }
        if self.datasets:
            said["datasets"] = to_json(self.datasets)
        return said

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
        text = SIGNATURE_PREFIX + self.signed_text
        try:
            self.card.signer.verify(text, b64decode(self.signature))
        except SignatureError:
            raise _malformed("the card is not signed by the identity key in it") from None


def to_json(datasets: Mapping[str, DatasetTerms]) -> dict[str, object]:
    """Return datasets as they stand in an introduction, and in a contract under their party."""
    return {name: terms.to_json() for name, terms in datasets.items()}


def read_stored(text: str) -> Mapping[str, DatasetTerms]:
    """Return datasets that were stored as JSON text."""
    section = Section({"datasets": json.loads(text)}, "", _malformed, required=("datasets",))
    return read_offered(section, "datasets")


def _malformed(problem: str) -> Refusal:
    return Refusal(RefusalStatus.BAD_REQUEST, f"The introduction does not serve: {problem}.")
