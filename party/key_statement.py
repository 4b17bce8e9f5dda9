"""A party's word that other keys of its own take the place of those that counterparts know.

A party is known by its log's key, which never changes: C2SP takes a log and its key as one. Two
keys may be replaced: the signing key, by which it signs contracts, requests, parcels and
acknowledgements (the log's key, until it is replaced), and the TLS key with its certificate. A
statement names what it replaces and what replaces it, and is signed by the signing key before and
the one after. Statements count from 1 and each begins where the last one ended, so whoever knows
one state of a party's keys finds the present one, and nobody can leave one out.

What was replaced is accepted until the statement's end. Nothing here reads a clock or a store.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import rfc8785

from audit.errors import NoteError, SignatureError
from audit.note import Verifier
from languages import message
from party.certificate import Certificate, read_certificate
from party.document import SIGNATURE, Section, TextRule, read_canonical
from party.errors import IdentityError

if TYPE_CHECKING:
    from audit.note import Signer

FORMAT: Final = "commonground/keys/1"
SIGNATURE_PREFIX: Final = b"commonground/keys/v1\n"
MOST_BYTES: Final = 12_288
MOST_STATEMENTS: Final = 64
MOST_OVERLAP_SECONDS: Final = 90 * 86_400
_LATEST: Final = 2**40  # seconds since 1970

_FORMAT_LINE: Final = TextRule(message("a format"), most=40)
_VKEY: Final = TextRule(message("a verifier key"), most=254)
_PEM: Final = TextRule(message("a certificate in PEM"), re.compile(r"[ -~\n]+"), most=4096)
_KEYS: Final = (
    "keys",
    "party",
    "number",
    "made",
    "starts",
    "ends",
    "replaces",
    "by",
    "signatures",
)


@dataclass(frozen=True)
class PublicKeys:
    """The keys of a party that may be replaced: signing key (text form) and certificate (PEM)."""

    signing: str
    certificate: str

    @cached_property
    def verifier(self) -> Verifier:
        """The signing key."""
        return Verifier.from_vkey(self.signing)

    @cached_property
    def parsed(self) -> Certificate:
        """The certificate, taken apart."""
        return read_certificate(self.certificate)

    @property
    def fingerprint(self) -> str:
        """The certificate's fingerprint."""
        return self.parsed.fingerprint

    def to_json(self) -> dict[str, object]:
        """Return them as they stand in a statement."""
        return {"signing": self.signing, "certificate": self.certificate}

    @classmethod
    def read(cls, section: Section) -> PublicKeys:
        """Read both, or raise what the section raises."""
        signing = section.text("signing", _VKEY)
        try:
            Verifier.from_vkey(signing)
        except NoteError as error:
            raise section.fault("signing", str(error)) from None
        try:
            certificate = read_certificate(section.text("certificate", _PEM))
        except IdentityError as error:
            raise section.fault("certificate", str(error)) from None
        return cls(signing, certificate.pem)


@dataclass(frozen=True)
class KeyStatement:
    """Statement `number` of the party whose log has the key `party`; times are Unix seconds.

    `before` is replaced by `after`, which is used from `starts` on; `before` is accepted until
    `ends`.
    """

    party: str
    number: int
    made: int
    starts: int
    ends: int
    before: PublicKeys
    after: PublicKeys
    signatures: tuple[str, str] = ("", "")

    def sign(self, before: Signer, after: Signer) -> KeyStatement:
        """Return the statement with the signatures of the signing key before and after."""
        replaced, replacing = (
            b64encode(signer.sign(self.signed_text).blob).decode() for signer in (before, after)
        )
        return replace(self, signatures=(replaced, replacing))

    @classmethod
    def decode(cls, data: bytes) -> KeyStatement:
        """Read a statement from the wire or a file; signatures are read, not verified.

        Raises:
            IdentityError: it is too large, not canonical, or contradicts itself.
        """
        if len(data) > MOST_BYTES:
            raise _malformed(f"it has more than {MOST_BYTES} bytes")
        root = Section(read_canonical(data, _malformed), "", _malformed, required=_KEYS)
        if root.text("keys", _FORMAT_LINE) != FORMAT:
            raise root.fault("keys", f"this version reads {FORMAT} only")
        party = root.text("party", _VKEY)
        before, after = (
            PublicKeys.read(root.section(name, required=("signing", "certificate")))
            for name in ("replaces", "by")
        )
        signatures = root.section("signatures", required=("replaced", "replacing"))
        statement = cls(
            party=party,
            number=root.integer("number", 1, MOST_STATEMENTS),
            made=root.integer("made", 0, _LATEST),
            starts=root.integer("starts", 0, _LATEST),
            ends=root.integer("ends", 0, _LATEST),
            before=before,
            after=after,
            signatures=(
                signatures.text("replaced", SIGNATURE),
                signatures.text("replacing", SIGNATURE),
            ),
        )
        statement._require_sense()
        return statement

    def encode(self) -> bytes:
        """Return the canonical JSON."""
        replaced, replacing = self.signatures
        signed = {"signatures": {"replaced": replaced, "replacing": replacing}}
        return rfc8785.dumps({**self._said(), **signed})  # type: ignore[dict-item]

    @cached_property
    def signed_text(self) -> bytes:
        """What both signatures are over, prefix included."""
        return SIGNATURE_PREFIX + rfc8785.dumps(self._said())  # type: ignore[arg-type]

    @property
    def digest(self) -> str:
        """SHA-256 of the signed text, 64 hex digits: names what was said."""
        return sha256(self.signed_text).hexdigest()

    @property
    def replaces_signing_key(self) -> bool:
        """Say whether the signing key is another one."""
        return self.before.signing != self.after.signing

    def verify(self) -> None:
        """Raise IdentityError unless the signing keys before and after have signed this."""
        keys = (self.before.verifier, self.after.verifier)
        for key, signature in zip(keys, self.signatures, strict=True):
            try:
                key.verify(self.signed_text, b64decode(signature))
            except SignatureError:
                raise _malformed(
                    f"it is not signed by {key.vkey}: it was altered, or is not that party's"
                ) from None

    def _said(self) -> dict[str, object]:
        return {
            "keys": FORMAT,
            "party": self.party,
            "number": self.number,
            "made": self.made,
            "starts": self.starts,
            "ends": self.ends,
            "replaces": self.before.to_json(),
            "by": self.after.to_json(),
        }

    def _require_sense(self) -> None:
        """Require times in order, keys under the log's name, and that something is replaced."""
        if not self.made <= self.starts <= self.ends <= self.made + MOST_OVERLAP_SECONDS:
            most = MOST_OVERLAP_SECONDS // 86_400
            raise _malformed(f"its times are not in order, or more than {most} days apart")
        origin = self.party.partition("+")[0]
        for keys in (self.before, self.after):
            if keys.verifier.name != origin:
                raise _malformed("a signing key has another name than the party's log")
        if self.before.parsed.internal_name != self.after.parsed.internal_name:
            raise _malformed("the certificates are for two names")
        same = (self.before.signing == self.after.signing) + (
            self.before.fingerprint == self.after.fingerprint
        )
        if same != 1:
            raise _malformed("it replaces one key, the signing key or the certificate")


def require_chain(party: str, statements: Sequence[KeyStatement]) -> None:
    """Require the statements of the party with this log's key: from 1, unbroken, signed.

    Raises:
        IdentityError: one is another party's, is missing, does not begin where the one before it
            ended, or is not signed.
    """
    signing, certificate = party, None
    for number, statement in enumerate(statements, 1):
        if (statement.party, statement.number) != (party, number):
            raise _malformed(f"statement {number} of {party.partition('+')[0]} is missing")
        known = certificate in (None, statement.before.fingerprint)
        if statement.before.signing != signing or not known:
            raise _malformed(f"statement {number} replaces other keys than those before it gave")
        statement.verify()
        signing, certificate = statement.after.signing, statement.after.fingerprint


@dataclass(frozen=True)
class Accepted:
    """Keys of a party, and until when they are accepted (Unix seconds; None: they are present)."""

    keys: PublicKeys
    until: int | None

    def at(self, moment: float) -> bool:
        """Say whether they are accepted at a moment (Unix seconds)."""
        return self.until is None or moment < self.until


def accepted_keys(known: PublicKeys, statements: Sequence[KeyStatement]) -> tuple[Accepted, ...]:
    """Return the states of a party's keys, oldest first, given one that is `known` for certain.

    `statements` are a chain that was verified. Where it does not pass through what is known, that
    alone stands.
    """
    if not statements:
        return (Accepted(known, None),)
    states = [statements[0].before, *(one.after for one in statements)]
    if known not in states:
        return (Accepted(known, None),)
    ends: list[int | None] = [one.ends for one in statements]
    return tuple(Accepted(keys, end) for keys, end in zip(states, [*ends, None], strict=True))


@dataclass(frozen=True)
class Signers:
    """Signing keys of one party, of which any serves."""

    keys: tuple[Verifier, ...]

    def verify(self, text: bytes, blob: bytes) -> None:
        """Raise SignatureError unless one of them has signed `text`."""
        for key in self.keys:
            with suppress(SignatureError):
                return key.verify(text, blob)
        raise SignatureError(f"it is signed by no key of {self.keys[-1].name} that is accepted")


def _malformed(problem: str) -> IdentityError:
    return IdentityError(f"The statement of keys does not serve: {problem}.")
