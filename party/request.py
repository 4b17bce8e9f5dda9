"""A request: the public, signed statement of one session (docs/protocol.md, crosstab).

Everything that shapes a session stands in it before the start: who has which role, datasets and
labels, the order of identifiers, the parameters of noise and of known answers, the purpose, and
the hash of the contract that grants it. The signature of the party that asks covers its RFC 8785
form, which is also its only form on the wire. What a peer sends is refused unless it is exactly
that; whether it is granted is for `check`.
"""

from __future__ import annotations

import binascii
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import rfc8785

from audit.errors import SignatureError
from languages import message
from party.contract import Contract
from party.contract_terms import (
    LABEL_VALUE,
    NAME,
    PURPOSE,
    ListUse,
    OutputKind,
    read_identifiers,
)
from party.document import SIGNATURE, Section, TextRule, read_canonical
from party.errors import Refusal, RefusalStatus
from party.identity import PARTY_NAME, Identity
from party.key_statement import Signers
from party.request_parameters import MOST_INTEGER, Parameters, read_parameters
from psi.legs import RECEIVER, RECIPIENT, SENDER, TABULATOR, THIRD

FORMAT: Final = "commonground/1"
SIGNATURE_PREFIX: Final = b"commonground/request/v1\n"
MOST_BYTES: Final = 1 << 20
DAY_SECONDS: Final = 86_400

_MOST_VALUES: Final = 1 << 16  # read up to here; `check` refuses from 4,096 on, with its own status
_HEX_32 = TextRule(message("32 lower-case hex digits"), re.compile(r"[0-9a-f]{32}"))
_HEX_64 = TextRule(message("64 lower-case hex digits"), re.compile(r"[0-9a-f]{64}"))
_PARTY = TextRule(message("a party's name"), PARTY_NAME)
_LINE = TextRule(message("a line of text"))
_KEYS: Final = (
    "request", "id", "contract", "kind", "requester", "roles", "datasets", "labels",
    "identifiers", "parameters", "purpose", "min_match", "created", "expires", "signature",
)  # fmt: skip


@dataclass(frozen=True)
class LabelList:
    """How one party labels its records: a label of its dataset with all values, or no label.

    Without a label `name` is None and the one value is "all".
    """

    name: str | None
    values: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """One session as asked for. Mappings are by role (`roles`) or by party (the others).

    `roles` runs in the protocol's order; `id` is 32 hex digits; `contract` the contract's digest;
    `identifiers` the types that take part, in the contract's order; `created` and `expires` Unix
    seconds; `use` what the list of a match is for (one that does not say so is to include);
    `signature` base64, empty until `sign`.
    """

    id: str
    contract: str
    kind: OutputKind
    requester: str
    roles: Mapping[str, str]
    datasets: Mapping[str, str]
    labels: Mapping[str, LabelList]
    identifiers: tuple[str, ...]
    parameters: Parameters
    purpose: str
    min_match: int
    created: int
    expires: int
    use: ListUse | None = None
    signature: str = ""

    @classmethod
    def match(
        cls,
        contract: Contract,
        *,
        requester: str,
        receiver: str,
        sender: str,
        now: int,
        use: ListUse = ListUse.INCLUDE,
        datasets: Mapping[str, str] | None = None,
        parameters: Parameters | None = None,
        lifetime_seconds: int = DAY_SECONDS,
    ) -> Request:
        """Return an unsigned request for the list of `receiver`'s people whom `sender` has too.

        `datasets` may be left out where the contract has one of each party; `parameters` are
        filled in from the contract. Raises Refusal (NOT_GRANTED) or ContractError.
        """
        return _build(
            contract,
            kind=OutputKind.MATCH,
            requester=requester,
            roles={RECEIVER: receiver, SENDER: sender},
            labels={},
            datasets=datasets or {},
            parameters=replace(parameters or Parameters(), epsilon_release_nano=0),
            created=now,
            expires=now + lifetime_seconds,
            use=use,
        )

    @classmethod
    def crosstab(
        cls,
        contract: Contract,
        kind: OutputKind,
        *,
        requester: str,
        tabulator: str,
        recipient: str,
        now: int,
        labels: Mapping[str, str | None],
        datasets: Mapping[str, str] | None = None,
        parameters: Parameters | None = None,
        lifetime_seconds: int = DAY_SECONDS,
        identifier: str | None = None,
        third: str | None = None,
    ) -> Request:
        """Return an unsigned request for the table of `kind` that `recipient` receives.

        `labels` names a label of each party's dataset; a party that is None or left out has one
        label for all. `third` is a party whose labels are an axis of the table too. `identifier`
        is the one type that takes part; without it all take part, in a lift the first, and of
        three parties the one that they share. For the rest see `match`.
        """
        pair = {TABULATOR: tabulator, RECIPIENT: recipient}
        return _build(
            contract,
            kind=kind,
            requester=requester,
            roles=pair if third is None else {**pair, THIRD: third},
            labels=labels,
            datasets=datasets or {},
            parameters=parameters or Parameters(),
            created=now,
            expires=now + lifetime_seconds,
            identifier=identifier,
        )

    @classmethod
    def decode(cls, data: bytes) -> Request:
        """Read a signed request from the wire, or raise Refusal (BAD_REQUEST, LIMIT_EXCEEDED).

        Only the canonical form is read, so one request has one spelling. The signature is read,
        not verified: that needs the contract.
        """
        if len(data) > MOST_BYTES:
            raise Refusal(
                RefusalStatus.LIMIT_EXCEEDED,
                message(
                    "The request has {number} bytes; at most {most_bytes} are read.",
                    number=len(data),
                    most_bytes=MOST_BYTES,
                ),
            )
        return cls.from_json(read_canonical(data, _malformed))

    @classmethod
    def from_json(cls, document: object) -> Request:
        """Read a signed request's document, or raise Refusal (BAD_REQUEST)."""
        return _read(Section(document, "", _malformed, required=_KEYS, optional=("use",)))

    def to_json(self) -> dict[str, object]:
        """Return the request's document, with the signature when there is one."""
        document: dict[str, object] = {
            "request": FORMAT,
            "id": self.id,
            "contract": self.contract,
            "kind": self.kind.value,
            "requester": self.requester,
            "roles": dict(self.roles),
            "datasets": dict(self.datasets),
            "labels": {
                party: {"name": label.name, "values": list(label.values)}
                for party, label in self.labels.items()
            },
            "identifiers": list(self.identifiers),
            "parameters": self.parameters.to_json(),
            "purpose": self.purpose,
            "min_match": self.min_match,
            "created": self.created,
            "expires": self.expires,
        }
        if self.use is not None:
            document["use"] = self.use.value
        if self.signature:
            document["signature"] = self.signature
        return document

    def encode(self) -> bytes:
        """Return the canonical JSON for the wire."""
        return rfc8785.dumps(self.to_json())  # type: ignore[arg-type]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the signed text, 64 hex digits: names what was asked, whoever signed it."""
        return sha256(self._signed_text).hexdigest()

    @property
    def participants(self) -> tuple[str, ...]:
        """The parties in the request's order, which is that of the roles in the protocol."""
        return tuple(self.roles.values())

    def sign(self, identity: Identity) -> Request:
        """Return the request with the signature of `identity`, which is the requester's."""
        signature = identity.sign(SIGNATURE_PREFIX + self._signed_text)
        return replace(self, signature=b64encode(signature).decode())

    def verify_signature(self, signers: Signers) -> None:
        """Raise Refusal (BAD_REQUEST) unless one of `signers` has signed this request."""
        try:
            signature = b64decode(self.signature, validate=True)
            signers.verify(SIGNATURE_PREFIX + self._signed_text, signature)
        except (SignatureError, binascii.Error):
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                message(
                    "Request {id} is not signed by the identity key of '{requester}' "
                    "in the contract. Make the request again in the folder of that "
                    "party.",
                    id=self.id,
                    requester=self.requester,
                ),
            ) from None

    def check(self, contract: Contract, now: int) -> None:
        """Raise the Refusal that fits unless `contract` grants all of this at `now`."""
        from party import request_check

        request_check.check(self, contract, now)

    @cached_property
    def _signed_text(self) -> bytes:
        document = self.to_json()
        document.pop("signature", None)
        return rfc8785.dumps(document)  # type: ignore[arg-type]


def _build(
    contract: Contract,
    *,
    kind: OutputKind,
    requester: str,
    roles: Mapping[str, str],
    labels: Mapping[str, str | None],
    datasets: Mapping[str, str],
    parameters: Parameters,
    created: int,
    expires: int,
    use: ListUse | None = None,
    identifier: str | None = None,
) -> Request:
    from party import request_check

    grant = contract.output(kind, roles)
    _require_roles(roles, [*labels, *datasets])
    chosen = {
        party: datasets.get(party) or request_check.only_dataset(contract, party)
        for party in roles.values()
    }
    return Request(
        id=secrets.token_hex(16),
        contract=contract.digest,
        kind=kind,
        requester=requester,
        roles=MappingProxyType(dict(roles)),
        datasets=MappingProxyType(chosen),
        labels=MappingProxyType(
            {
                party: _label(contract, party, dataset, labels.get(party))
                for party, dataset in chosen.items()
            }
        ),
        identifiers=request_check.identifiers_asked(contract, kind, chosen, identifier),
        parameters=replace(
            parameters,
            most_identifiers=request_check.identifiers_sent(contract, kind, roles, chosen),
        ),
        purpose=grant.purpose,
        min_match=contract.min_match if kind is OutputKind.MATCH else 0,
        created=created,
        expires=expires,
        use=use,
    )


def _require_roles(roles: Mapping[str, str], named: Iterable[str]) -> None:
    """Refuse labels and datasets of a party that takes no part: they would be left out silently."""
    for party in named:
        if party not in roles.values():
            raise Refusal(
                RefusalStatus.NOT_GRANTED,
                message(
                    "'{party}' has no role in this request, and so no label or "
                    "dataset in it; it is between {roles}.",
                    party=party[:64],
                    roles=", ".join(roles.values()),
                ),
            )


def _label(contract: Contract, party: str, dataset: str, name: str | None) -> LabelList:
    from party.request_check import granted_values

    return LabelList(name, granted_values(contract, party, dataset, name))


def _malformed(problem: str) -> Refusal:
    return Refusal(RefusalStatus.BAD_REQUEST, f"The request is malformed: {problem}.")


def _read(root: Section) -> Request:
    if root.text("request", _LINE) != FORMAT:
        raise root.fault(
            "request",
            message(
                "this version reads {format} only",
                format=FORMAT,
            ),
        )
    kind = OutputKind(root.choice("kind", [kind.value for kind in OutputKind]))
    held = root.section("roles", required=kind.roles, optional=kind.optional_roles)
    possible = (*kind.roles, *kind.optional_roles)
    roles = {role: held.text(role, _PARTY) for role in possible if role in held}
    parties = tuple(roles.values())
    if len(set(parties)) != len(parties):
        raise root.fault("roles", message("one party cannot have two roles"))
    datasets = root.section("datasets", required=parties)
    return Request(
        id=root.text("id", _HEX_32),
        contract=root.text("contract", _HEX_64),
        kind=kind,
        requester=root.text("requester", _PARTY),
        roles=MappingProxyType(roles),
        datasets=MappingProxyType({party: datasets.text(party, NAME) for party in parties}),
        labels=_read_labels(root, parties),
        identifiers=read_identifiers(root),
        parameters=read_parameters(root, parties),
        purpose=root.text("purpose", PURPOSE),
        min_match=root.integer("min_match", 0, MOST_INTEGER),
        created=root.integer("created", 0, MOST_INTEGER),
        expires=root.integer("expires", 0, MOST_INTEGER),
        use=_read_use(root, kind),
        signature=root.text("signature", SIGNATURE),
    )


def _read_use(root: Section, kind: OutputKind) -> ListUse | None:
    if "use" not in root:
        return None
    if kind is not OutputKind.MATCH:
        raise root.fault("use", message("only a match makes a list; remove it"))
    return ListUse(root.choice("use", [use.value for use in ListUse]))


def _read_labels(root: Section, parties: tuple[str, ...]) -> Mapping[str, LabelList]:
    section = root.section("labels", required=parties)
    lists = {party: section.section(party, required=("name", "values")) for party in parties}
    return MappingProxyType(
        {
            party: LabelList(
                one.nullable_text("name", NAME),
                one.texts("values", LABEL_VALUE, most=_MOST_VALUES),
            )
            for party, one in lists.items()
        }
    )
