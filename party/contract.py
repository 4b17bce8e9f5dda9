"""The contract: what two or three organisations grant each other, signed by all of them.

What is signed is the document itself: RFC 8785 JSON of everything but the signatures, exactly as
it was read. Its SHA-256 names the contract in every session and log. Nothing outside a contract
in force is granted, and a contract in which anything differs from what was signed is refused.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import rfc8785

from audit.errors import SignatureError
from languages import message
from party.card import OPTIONAL_KEYS, REQUIRED_KEYS, IdentityCard
from party.contract_terms import (
    EXPORT_TO,
    NAME,
    USES,
    AccountingFilter,
    Budget,
    DatasetTerms,
    Grant,
    OutputKind,
    ProfileTerms,
    read_datasets,
    read_identifiers,
    read_time,
    write_time,
)
from party.document import SIGNATURE, Fail, Section, TextRule
from party.errors import ContractError, IdentityError, Refusal, RefusalStatus
from party.identity import PARTY_NAME, Identity
from party.key_statement import KeyStatement
from party.moment_terms import MOMENTS
from party.transfers import TRANSFERS, Transfer, read_transfers, require_not_lapsed

FORMAT: Final = "commonground/1"
RESULT_DAYS: Final = "result_days"
SUPPRESSION_DAYS: Final = "suppression_days"
REPLAY_DAYS: Final = "replay_days"
SIGNATURE_PREFIX: Final = b"commonground/contract/v1\n"
_MOST_OUTPUTS: Final = 64
DAY_SECONDS: Final = 86_400
_MOST_DAYS: Final = 3660
_MOST_PEOPLE: Final = 10**9

_FORMAT_LINE = TextRule(FORMAT)
_TITLE = TextRule(message("a line of text"))
_PARTY = TextRule(message("a party's name: lower-case letters, digits, hyphens"), PARTY_NAME)


@dataclass(frozen=True)
class Contract:
    """A contract as read; whether it is signed and in force is for its methods to say.

    Mappings are keyed by party. `identifiers` is the order of types: the one identifier that a
    person is sent under is the first it has. `window_days` is the budget's window; `min_match`
    people the smallest list, `min_cell` the smallest count shown; `starts` and `ends` are Unix
    seconds. `transfers` are those across borders, with what each rests on. `signatures` are base64.
    Results end `result_days` after they were made; None keeps them. What a session leaves is kept
    for `retention_days`, or for `replay_days` where the parties agree on longer, so that it can be
    repeated. A withdrawal comes off a list within `suppression_days`; None is the list's own end.
    """

    id: str
    title: str
    parties: Mapping[str, IdentityCard]
    profile: ProfileTerms
    identifiers: tuple[str, ...]
    datasets: Mapping[str, Mapping[str, DatasetTerms]]
    outputs: tuple[Grant, ...]
    budgets: Mapping[str, Budget]
    filter: AccountingFilter
    window_days: int
    min_match: int
    min_cell: int
    list_expiry_days: int
    retention_days: int
    consent_max_age_hours: int
    starts: int
    ends: int
    transfers: tuple[Transfer, ...]
    signatures: Mapping[str, str]
    result_days: int | None = None
    replay_days: int | None = None
    suppression_days: int | None = None

    @classmethod
    def from_json(cls, document: object, *, source: str = "contract") -> Contract:
        """Read a document, or raise ContractError with the path of the first fault.

        `source` names the document in messages. Signatures are read, not verified.
        """

        def fail(problem: str) -> ContractError:
            return ContractError(message("{what}: {details}", what=source, details=problem))

        return _read(document, fail)

    def to_json(self) -> dict[str, object]:
        """Return the document that was read, signatures included where there are any."""
        document: dict[str, object] = {
            "contract": FORMAT,
            "id": self.id,
            "title": self.title,
            "parties": {name: card.to_json() for name, card in self.parties.items()},
            "profile": self.profile.to_json(),
            "identifiers": list(self.identifiers),
            "datasets": {
                party: {name: terms.to_json() for name, terms in own.items()}
                for party, own in self.datasets.items()
            },
            "outputs": [grant.to_json() for grant in self.outputs],
            "budgets": {party: budget.to_json() for party, budget in self.budgets.items()},
            "filter": self.filter.value,
            "window_days": self.window_days,
            "min_match": self.min_match,
            "min_cell": self.min_cell,
            "list_expiry_days": self.list_expiry_days,
            "retention_days": self.retention_days,
            "consent_max_age_hours": self.consent_max_age_hours,
            "starts": write_time(self.starts),
            "ends": write_time(self.ends),
        }
        if self.result_days is not None:
            document[RESULT_DAYS] = self.result_days
        if self.replay_days is not None:
            document[REPLAY_DAYS] = self.replay_days
        if self.suppression_days is not None:
            document[SUPPRESSION_DAYS] = self.suppression_days
        if self.transfers:
            document[TRANSFERS] = [transfer.to_json() for transfer in self.transfers]
        if self.signatures:
            document["signatures"] = dict(self.signatures)
        return document

    @cached_property
    def canonical(self) -> bytes:
        """The canonical form that is hashed and signed: RFC 8785 JSON without signatures."""
        document = self.to_json()
        document.pop("signatures", None)
        return rfc8785.dumps(document)  # type: ignore[arg-type]

    @cached_property
    def digest(self) -> str:
        """The contract's hash: SHA-256 of the canonical form, 64 hex digits."""
        return sha256(self.canonical).hexdigest()

    def sign(self, identity: Identity) -> Contract:
        """Return the contract with the signature of the party that holds `identity`.

        Raises ContractError when the contract is not for that party, or carries a signature that
        does not cover it: nobody signs after a contract was altered.
        """
        name = self.me(identity)
        if self.parties[name].keys.signing != identity.signing:
            raise ContractError(
                message(
                    "Contract {id} has another signing key of '{name}' than this "
                    "party signs with now. Propose the contract again with the "
                    "present public.yaml.",
                    id=self.id,
                    name=name,
                )
            )
        self.verify_signatures(require_all=False)
        signature = identity.sign(SIGNATURE_PREFIX + self.canonical)
        signatures = {**self.signatures, name: b64encode(signature).decode()}
        return replace(self, signatures=MappingProxyType(signatures))

    def verify_signatures(self, *, require_all: bool = True) -> None:
        """Raise ContractError naming the first signature that is wrong, or missing."""
        for name, card in self.parties.items():
            if name in self.signatures:
                self._verify_signature(name, card)
            elif require_all:
                raise ContractError(
                    message(
                        "Contract {id} is not signed by '{name}'. Send them the file to "
                        "sign, and import what they return.",
                        id=self.id,
                        name=name,
                    )
                )

    @property
    def suppression_seconds(self) -> int | None:
        """How long a withdrawal may take to come off a list."""
        return None if self.suppression_days is None else self.suppression_days * DAY_SECONDS

    def list_expires_at(self, created: int) -> int:
        """Return when a list ends whose request was made at `created`; both in Unix seconds."""
        return created + self.list_expiry_days * DAY_SECONDS

    def result_ends_at(self, made: int) -> int | None:
        """Return when a result of `made` ends, None for no end; both in Unix seconds."""
        return None if self.result_days is None else made + self.result_days * DAY_SECONDS

    def session_ends_at(self, ended: int) -> int:
        """Return when what a session that ended left is deleted; both in Unix seconds.

        Until then it can be replayed.
        """
        return ended + (self.replay_days or self.retention_days) * DAY_SECONDS

    def standing(self, now: int) -> str:
        """Say in words whether it is signed and in its time at `now` (Unix seconds)."""
        if len(self.signatures) < len(self.parties):
            return message("not signed by all")
        if now < self.starts:
            return message("not yet in force")
        return message("ended") if now >= self.ends else message("in force")

    def require_in_force(self, now: int) -> None:
        """Raise ContractError unless all have signed and `now` (Unix seconds) is in its time.

        The certificates are part of it, and what transfers across borders rest on: where the last
        known of a party has expired, nothing goes on under the contract.
        """
        self.verify_signatures()
        if now < self.starts:
            raise ContractError(
                message(
                    "Contract {id} starts on {starts}. Wait until then.",
                    id=self.id,
                    starts=write_time(self.starts),
                )
            )
        if now >= self.ends:
            raise ContractError(
                message(
                    "Contract {id} ended on {ends}. Agree and sign a new one.",
                    id=self.id,
                    ends=write_time(self.ends),
                )
            )
        for card in self.parties.values():
            try:
                card.newest.parsed.require_valid(now)
            except IdentityError as error:
                raise ContractError(
                    message(
                        "Contract {id}: {error}",
                        id=self.id,
                        error=error,
                    )
                ) from None
        require_not_lapsed(self.transfers, self.id, now)

    def me(self, identity: Identity) -> str:
        """Return the name under which the contract knows the holder of `identity`."""
        for name, card in self.parties.items():
            if card.identity != identity.vkey:
                continue
            if identity.place_of(card.keys) is None:
                raise ContractError(
                    message(
                        "Contract {id} pins another certificate for '{name}' than this "
                        "party ever had. Propose the contract again with the present "
                        "public.yaml.",
                        id=self.id,
                        name=name,
                    )
                )
            return name
        raise ContractError(
            message(
                "Contract {id} is between {parties}, and none of them has this "
                "party's identity key. Open it in the folder of the party that "
                "it is for.",
                id=self.id,
                parties=", ".join(self.parties),
            )
        )

    def knowing(self, statements: Mapping[str, tuple[KeyStatement, ...]]) -> Contract:
        """Return the contract with what is known of how its parties' keys were replaced.

        `statements` are verified, by the log's key of their party; the contract's text is the same.
        """
        parties = {name: card.knowing(statements) for name, card in self.parties.items()}
        return replace(self, parties=MappingProxyType(parties))

    def counterparts(self, me: str) -> tuple[str, ...]:
        """Return the names of the other parties."""
        return tuple(name for name in self.parties if name != me)

    def dataset(self, party: str, name: str) -> DatasetTerms:
        """Return what the contract says of a dataset, or raise Refusal (NOT_GRANTED)."""
        own = self.datasets.get(party, {})
        if name not in own:
            raise Refusal(
                RefusalStatus.NOT_GRANTED,
                message(
                    "Contract {id} has no dataset '{name}' of '{party}'. It has {value}.",
                    id=self.id,
                    name=name[:64],
                    party=party[:64],
                    value=", ".join(own) or "none of that party",
                ),
            )
        return own[name]

    def output(self, kind: OutputKind, roles: Mapping[str, str]) -> Grant:
        """Return the grant of `kind` to these holders of roles, or raise Refusal (NOT_GRANTED)."""
        for grant in self.outputs:
            if grant.kind is kind and grant.roles == roles:
                return grant
        asked = ", ".join(f"{role} {party[:64]}" for role, party in roles.items())
        raise Refusal(
            RefusalStatus.NOT_GRANTED,
            message(
                "Contract {id} does not grant '{value}' with {asked}. See its outputs.",
                id=self.id,
                value=kind.value,
                asked=asked,
            ),
        )

    def _verify_signature(self, name: str, card: IdentityCard) -> None:
        signature = b64decode(self.signatures[name])
        try:
            card.signer.verify(SIGNATURE_PREFIX + self.canonical, signature)
        except SignatureError:
            raise ContractError(
                message(
                    "The signature of '{name}' does not cover this text of contract "
                    "{id}: it was altered after they signed, or signed with another "
                    "key. Use the file as they signed it, or remove the signatures "
                    "and have every party sign this text.",
                    name=name,
                    id=self.id,
                )
            ) from None


_OPTIONAL: Final = (TRANSFERS, RESULT_DAYS, REPLAY_DAYS, SUPPRESSION_DAYS, "signatures")
_REQUIRED: Final = (
    "contract",
    *(field.name for field in fields(Contract) if field.name not in _OPTIONAL),
)


def _read(document: object, fail: Fail) -> Contract:
    root = Section(document, "", fail, required=_REQUIRED, optional=_OPTIONAL)
    if root.text("contract", _FORMAT_LINE) != FORMAT:
        raise root.fault(
            "contract",
            message(
                "this version reads {format} only",
                format=FORMAT,
            ),
        )
    names = root.names("parties", _PARTY, least=2, most=3)
    identifiers = read_identifiers(root)
    cards, outputs = _read_parties(root, names), _read_outputs(root, names)
    contract = Contract(
        id=root.text("id", NAME),
        title=root.text("title", _TITLE),
        parties=cards,
        profile=ProfileTerms.read(root.section("profile", required=("version", "gmail"))),
        identifiers=identifiers,
        datasets=read_datasets(root, names, identifiers),
        outputs=outputs,
        budgets=_read_budgets(root, names),
        filter=AccountingFilter(root.choice("filter", [value.value for value in AccountingFilter])),
        window_days=root.integer("window_days", 1, _MOST_DAYS),
        min_match=root.integer("min_match", 1, _MOST_PEOPLE),
        min_cell=root.integer("min_cell", 1, _MOST_PEOPLE),
        list_expiry_days=root.integer("list_expiry_days", 1, _MOST_DAYS),
        retention_days=root.integer("retention_days", 1, _MOST_DAYS),
        consent_max_age_hours=root.integer("consent_max_age_hours", 1, 24 * _MOST_DAYS),
        starts=read_time(root, "starts"),
        ends=read_time(root, "ends"),
        transfers=read_transfers(root, cards, outputs),
        signatures=_read_signatures(root, names),
        result_days=_read_result_days(root),
        replay_days=_read_replay_days(root),
        suppression_days=_read_suppression_days(root),
    )
    if contract.ends <= contract.starts:
        raise root.fault("ends", message("expected a time after 'starts'"))
    return contract


def _read_result_days(root: Section) -> int | None:
    """Read how long results are kept: no shorter than what they were made from."""
    if RESULT_DAYS not in root:
        return None
    days = root.integer(RESULT_DAYS, 1, _MOST_DAYS)
    for other in ("list_expiry_days", "retention_days"):
        if days < root.integer(other, 1, _MOST_DAYS):
            raise root.fault(
                RESULT_DAYS,
                message(
                    "expected a number not below {other}",
                    other=other,
                ),
            )
    return days


def _read_replay_days(root: Section) -> int | None:
    """Read how long a session can be replayed, which is longer than it would be kept anyway."""
    if REPLAY_DAYS not in root:
        return None
    days = root.integer(REPLAY_DAYS, 1, _MOST_DAYS)
    if days <= root.integer("retention_days", 1, _MOST_DAYS):
        raise root.fault(
            REPLAY_DAYS, message("expected a number above retention_days, or leave it out")
        )
    if RESULT_DAYS in root and days > root.integer(RESULT_DAYS, 1, _MOST_DAYS):
        raise root.fault(REPLAY_DAYS, message("expected a number not above result_days"))
    return days


def _read_suppression_days(root: Section) -> int | None:
    """Read by when a withdrawal is off a list: before the list ends by itself."""
    if SUPPRESSION_DAYS not in root:
        return None
    days = root.integer(SUPPRESSION_DAYS, 1, _MOST_DAYS)
    if days >= root.integer("list_expiry_days", 1, _MOST_DAYS):
        raise root.fault(
            SUPPRESSION_DAYS, message("expected a number below list_expiry_days, or leave it out")
        )
    return days


def _read_parties(root: Section, names: tuple[str, ...]) -> Mapping[str, IdentityCard]:
    section = root.section("parties", required=names)
    cards = {
        name: IdentityCard.read(
            section.section(name, required=REQUIRED_KEYS, optional=OPTIONAL_KEYS)
        )
        for name in names
    }
    for what in ("identity", "certificate"):
        if len({getattr(card, what) for card in cards.values()}) != len(cards):
            raise root.fault(
                "parties",
                message(
                    "two parties have one {what}; each has its own",
                    what=what,
                ),
            )
    return MappingProxyType(cards)


def _read_outputs(root: Section, names: tuple[str, ...]) -> tuple[Grant, ...]:
    roles = {role for kind in OutputKind for role in (*kind.roles, *kind.optional_roles)}
    entries = root.sections(
        "outputs",
        required=("kind", "purpose", "approval"),
        optional=(*sorted(roles), USES, EXPORT_TO, MOMENTS),
        most=_MOST_OUTPUTS,
    )
    grants: list[Grant] = []
    for entry in entries:
        grant = Grant.read(entry, names)
        if any(grant.kind is one.kind and grant.roles == one.roles for one in grants):
            raise entry.fault(
                "kind",
                message(
                    "'{kind}' is granted twice with these roles; keep one",
                    kind=grant.kind,
                ),
            )
        grants.append(grant)
    return tuple(grants)


def _read_budgets(root: Section, names: tuple[str, ...]) -> Mapping[str, Budget]:
    section = root.section("budgets", required=names)
    return MappingProxyType(
        {name: Budget.read(section.section(name, required=("epsilon", "delta"))) for name in names}
    )


def _read_signatures(root: Section, names: tuple[str, ...]) -> Mapping[str, str]:
    if "signatures" not in root:
        return MappingProxyType({})
    section = root.section("signatures", required=(), optional=names)
    signatures = {name: section.text(name, SIGNATURE) for name in names if name in section}
    return MappingProxyType(signatures)
