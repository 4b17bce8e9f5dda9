"""The identity card: what a party passes to a partner so that a contract can name it.

A small public YAML: organisation, identity key, certificate with its fingerprint, the address
where the party listens, if it does, and under whose law it is and where its data lies. It holds no
secret, and it proves nothing by itself: the two sides compare fingerprints by another way
(telephone, letter) before they sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from audit.checkpoint import CosignatureVerifier
from audit.errors import NoteError
from audit.note import Verifier
from languages import message
from party.certificate import Certificate, read_certificate
from party.document import Fail, Section, TextRule
from party.errors import ContractError, IdentityError
from party.identity import LOG_ORIGIN, MOST_ORIGIN_CHARACTERS, Identity
from party.key_statement import Accepted, KeyStatement, PublicKeys, Signers, accepted_keys
from party.places import PLACE_KEYS, Places
from party.yaml_text import read_yaml, write_yaml

CARD_FORMAT: Final = "commonground/1"
REQUIRED_KEYS: Final = ("organisation", "identity", "fingerprint", "certificate")
SIGNING: Final = "signing"
OPTIONAL_KEYS: Final = ("address", SIGNING, *PLACE_KEYS)

ORGANISATION = TextRule(message("a line of text"))
_VKEY = TextRule(
    message("a verifier key, log origin+key id+key"),
    re.compile(rf"(?:{LOG_ORIGIN.pattern})\+[0-9a-f]{{8}}\+[A-Za-z0-9+/]{{44}}"),
    most=MOST_ORIGIN_CHARACTERS + 54,
)
_FINGERPRINT = TextRule(message("sha256: and 64 hex digits"), re.compile(r"sha256:[0-9a-f]{64}"))
_PEM = TextRule(message("a certificate in PEM"), re.compile(r"[ -~\n]+"), most=8192)
ADDRESS = TextRule(
    message("host:port, such as partner.example:7443"),
    re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\]):[1-9][0-9]{0,4}"),
)


@dataclass(frozen=True)
class IdentityCard:
    """One party as others know it. `address` is None for a party that only dials.

    `places` is None on a card of a version that did not ask: where data lies is not declared.

    `identity` is the verifier key's text; `certificate` the PEM, whose fingerprint (over its DER)
    is `fingerprint`. `signing` is the key that signs what others read, None while that is
    `identity`. `statements` are no part of the card: what is known here of how its keys were
    replaced (`party.renewals`), verified.
    """

    organisation: str
    identity: str
    fingerprint: str
    certificate: str
    address: str | None = None
    places: Places | None = None
    signing: str | None = None
    statements: tuple[KeyStatement, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(
        cls,
        identity: Identity,
        *,
        organisation: str,
        address: str | None,
        places: Places | None = None,
    ) -> IdentityCard:
        """Return the card of the party that holds `identity`."""
        card: dict[str, object] = {
            "organisation": organisation,
            "identity": identity.vkey,
            "fingerprint": identity.fingerprint,
            "certificate": identity.certificate.pem,
        }
        if identity.signing != identity.vkey:
            card[SIGNING] = identity.signing
        if address is not None:
            card["address"] = address
        if places is not None:
            card.update(places.to_json())
        return cls.read(_section(card, ContractError))

    @classmethod
    def parse(cls, data: bytes, *, source: str = "identity card") -> IdentityCard:
        """Return the card in a partner's YAML, or raise ContractError; `source` names the file."""

        def fail(problem: str) -> ContractError:
            return ContractError(message("{what}: {details}", what=source, details=problem))

        value = read_yaml(data, source, ContractError)
        if not isinstance(value, dict) or value.pop("card", None) != CARD_FORMAT:
            raise fail(
                f"it does not say 'card: {CARD_FORMAT}', so it is no identity card of this version."
                " Ask your partner for the file public.yaml."
            )
        return cls.read(_section(value, fail))

    @classmethod
    def read(cls, section: Section) -> IdentityCard:
        """Return the card in `section`: key, certificate and fingerprint agree."""
        card = cls(
            organisation=section.text("organisation", ORGANISATION),
            identity=section.text("identity", _VKEY),
            fingerprint=section.text("fingerprint", _FINGERPRINT),
            certificate=section.text("certificate", _PEM),
            address=section.optional_text("address", ADDRESS),
            places=Places.read(section),
            signing=section.optional_text(SIGNING, _VKEY),
        )
        for key in ("identity", SIGNING):
            try:
                Verifier.from_vkey(getattr(card, key) or card.identity)
            except NoteError as error:
                raise section.fault(key, str(error)) from None
        if card.signer.name != card.verifier.name:
            raise section.fault(SIGNING, "it is under another name than the identity key")
        try:
            certificate = read_certificate(card.certificate)
        except IdentityError as error:
            raise section.fault("certificate", str(error)) from None
        if certificate.fingerprint != card.fingerprint:
            raise section.fault(
                "fingerprint",
                "it is not the certificate's. Ask the party for its card again, and compare the"
                " fingerprint by telephone.",
            )
        return card

    @cached_property
    def verifier(self) -> Verifier:
        """The public identity key, under which the party signs its log."""
        return Verifier.from_vkey(self.identity)

    @cached_property
    def signer(self) -> Verifier:
        """The key that signed what others read when this card was made, contracts with it."""
        return Verifier.from_vkey(self.signing or self.identity)

    @cached_property
    def keys(self) -> PublicKeys:
        """The keys in the card that its owner may replace."""
        return PublicKeys(self.signing or self.identity, self.parsed_certificate.pem)

    @cached_property
    def _accepted(self) -> tuple[Accepted, ...]:
        return accepted_keys(self.keys, self.statements)

    def certificates(self, now: float) -> tuple[Certificate, ...]:
        """Return the certificates that are accepted at `now` (Unix seconds), the newest last."""
        found = {one.keys.fingerprint: one.keys.parsed for one in self._accepted if one.at(now)}
        return tuple(found.values())

    def signers(self, since: float) -> Signers:
        """Return the keys whose signatures were accepted at some moment from `since` on."""
        found = {one.keys.signing: one.keys.verifier for one in self._accepted if one.at(since)}
        return Signers(tuple(found.values()))

    def has_had(self, fingerprint: str) -> bool:
        """Say whether a certificate is or was its owner's, as far as is known here."""
        return any(one.keys.fingerprint == fingerprint for one in self._accepted)

    @property
    def newest(self) -> PublicKeys:
        """The keys that its owner has now, as far as is known here."""
        return self._accepted[-1].keys

    def knowing(self, statements: Mapping[str, tuple[KeyStatement, ...]]) -> IdentityCard:
        """Return the card with what is known of its party's keys; see `Contract.knowing`."""
        return replace(self, statements=statements.get(self.identity, ()))

    def with_keys(self, keys: PublicKeys) -> IdentityCard:
        """Return the card with other keys of the same party."""
        signing = None if keys.signing == self.identity else keys.signing
        return replace(
            self, certificate=keys.certificate, fingerprint=keys.fingerprint, signing=signing
        )

    @cached_property
    def cosignature_verifier(self) -> CosignatureVerifier:
        """The same key as that of a witness, under which the party cosigns others' logs."""
        return CosignatureVerifier(self.verifier.name, self.verifier.public_key)

    @cached_property
    def parsed_certificate(self) -> Certificate:
        """The pinned certificate, with the host name that a dialling counterpart asks for."""
        return read_certificate(self.certificate)

    def to_json(self) -> dict[str, object]:
        """Return the card as it stands in documents."""
        card: dict[str, object] = {
            "organisation": self.organisation,
            "identity": self.identity,
            "fingerprint": self.fingerprint,
            "certificate": self.certificate,
        }
        if self.signing is not None:
            card[SIGNING] = self.signing
        if self.address is not None:
            card["address"] = self.address
        if self.places is not None:
            card.update(self.places.to_json())
        return card

    def to_yaml(self) -> str:
        """Return the text of public.yaml."""
        heading = "# The public identity card of a commonground party. It holds no secret.\n"
        return heading + write_yaml({"card": CARD_FORMAT, **self.to_json()})


def _section(value: object, fail: Fail) -> Section:
    return Section(value, "", fail, required=REQUIRED_KEYS, optional=OPTIONAL_KEYS)
