"""The parts of a contract: what a party offers, what is granted to whom, and what it may cost.

Each part reads itself from a `Section` of the document and writes itself back to exactly what was
read, so that the signed form is what people see.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from languages import message
from party.document import Section, TextRule
from party.moment_terms import MOMENTS, MomentTerms
from privacy.errors import InvalidParameter
from privacy.units import E15, NANO, parse_delta, parse_epsilon
from psi.errors import IdentifierError
from psi.identifiers import kind_of
from psi.legs import RECEIVER, RECIPIENT, SENDER, TABULATOR, THIRD

MOST_LABEL_VALUES: Final = 4096
USES: Final = "uses"
EXPORT_TO: Final = "export_to"
MOST_IDENTIFIERS: Final = 64
_MOST_IDENTIFIER_TYPES: Final = 16
_MOST_DATASETS: Final = 64
_MOST_LABELS: Final = 64
_MOST_EPSILON_NANO: Final = 1000 * NANO

NAME: Final = TextRule(
    message("a name of letters, digits, hyphens and underscores"),
    re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*"),
    64,
)
LABEL_VALUE: Final = TextRule(message("a label: one line of printable text"), most=128)
IDENTIFIER_TYPE: Final = TextRule(message("an identifier type, such as email"), most=80)
PURPOSE: Final = TextRule(
    message("a purpose of the Data Privacy Vocabulary, such as dpv:MarketResearch"),
    re.compile(r"dpv:[A-Z][A-Za-z0-9]*"),
    most=100,
)
_DECIMAL = TextRule(message('a decimal number in quotes, such as "0.5" or "1e-6"'), most=40)
_VERSION = TextRule(
    message('a profile version, such as "2026.1"'), re.compile(r"[0-9]{4}\.[0-9]{1,3}")
)
_TIME = TextRule(
    message("a time in UTC, such as 2026-01-31T00:00:00Z"),
    re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII),
)
_TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


class OutputKind(StrEnum):
    """What a session may make: a list, or one of the tables."""

    MATCH = "match"
    REACH = "reach"
    OVERLAP = "overlap"
    INSIGHTS = "insights"
    FUNNEL = "funnel"
    ATTRIBUTION = "attribution"
    DELAY = "delay"
    LIFT = "lift"
    TABLE = "table"
    CROSS_CHANNEL = "cross-channel"

    @property
    def is_timed(self) -> bool:
        """Whether its records are moments: conversions that meet what touches had produced."""
        return self in (OutputKind.ATTRIBUTION, OutputKind.DELAY)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that somebody has in every request of this kind, in the protocol's order."""
        if self is OutputKind.MATCH:
            return RECEIVER, SENDER
        alone = TABULATOR, RECIPIENT
        return (*alone, THIRD) if self is OutputKind.CROSS_CHANNEL else alone

    @property
    def optional_roles(self) -> tuple[str, ...]:
        """The roles that a request may leave out: a third party's, in a table of people."""
        if self in (OutputKind.MATCH, OutputKind.CROSS_CHANNEL) or self.is_timed:
            return ()
        return (THIRD,)


class ListUse(StrEnum):
    """What a match's list is for: people to reach, or people to leave alone."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


class Platform(StrEnum):
    """Where a contract may allow a list to be taken (docs/lists.md)."""

    GOOGLE = "google-customer-match"
    META = "meta"
    TIKTOK = "tiktok"
    UID2 = "uid2"


class Approval(StrEnum):
    """Who says yes to a granted request: the contract's own rules, or a person each time."""

    RULE = "rule"
    MANUAL = "manual"


class AccountingFilter(StrEnum):
    """How spends add up within a budget."""

    BASIC = "basic"
    ZCDP = "zcdp"


@dataclass(frozen=True)
class ProfileTerms:
    """The identifier profile that both sides follow, and its one option."""

    version: str
    gmail: bool

    @classmethod
    def read(cls, section: Section) -> ProfileTerms:
        """Read the section `profile`."""
        return cls(section.text("version", _VERSION), section.flag("gmail"))

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"version": self.version, "gmail": self.gmail}


@dataclass(frozen=True)
class DatasetTerms:
    """What one party offers of one dataset.

    `identifiers` are the types it holds, `most_identifiers` the most that one person has;
    `labels` maps each label's name to all of its values.
    """

    identifiers: tuple[str, ...]
    most_identifiers: int
    labels: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, section: Section, order: Collection[str] | None) -> DatasetTerms:
        """Read one dataset; its identifier types are among the contract's `order`, if it has one.

        Outside a contract there is no order, and `order` is None.
        """
        identifiers = read_identifiers(section)
        for kind in identifiers:
            if order is not None and kind not in order:
                raise section.fault(
                    "identifiers",
                    message(
                        "'{kind}' is not in the contract's own list 'identifiers'",
                        kind=kind,
                    ),
                )
        labels: dict[str, tuple[str, ...]] = {}
        if "labels" in section:
            names = section.names("labels", NAME, most=_MOST_LABELS)
            values = section.section("labels", required=names)
            labels = {n: values.texts(n, LABEL_VALUE, most=MOST_LABEL_VALUES) for n in names}
        most = section.integer("most_identifiers", 1, MOST_IDENTIFIERS)
        return cls(identifiers, most, MappingProxyType(labels))

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        document: dict[str, object] = {
            "identifiers": list(self.identifiers),
            "most_identifiers": self.most_identifiers,
        }
        if self.labels:
            document["labels"] = {name: list(values) for name, values in self.labels.items()}
        return document


@dataclass(frozen=True)
class Grant:
    """One output that the contract allows: its kind, who has which role, for which purpose.

    `roles` maps them to parties in the protocol's order.

    Of a match, `uses` are what its list may be for, both where none are written; `export_to` the
    platforms that the receiver may take it to. Of attribution and delay, `moments` is how far a
    request may go; None where it is not written, and `moment_terms` then has the usual.
    """

    kind: OutputKind
    roles: Mapping[str, str]
    purpose: str
    approval: Approval
    uses: tuple[ListUse, ...] = ()
    export_to: tuple[Platform, ...] = ()
    moments: MomentTerms | None = None

    @classmethod
    def read(cls, section: Section, parties: Collection[str]) -> Grant:
        """Read one entry of `outputs`, whose roles are held by two or three of `parties`."""
        kind = OutputKind(section.choice("kind", [kind.value for kind in OutputKind]))
        possible = (*kind.roles, *kind.optional_roles)
        for role in (RECEIVER, SENDER, TABULATOR, RECIPIENT, THIRD):
            if role in kind.roles and role not in section:
                raise section.fault(
                    role,
                    message(
                        "is missing; a {kind} names its {roles}",
                        kind=kind,
                        roles=" and ".join(kind.roles),
                    ),
                )
            if role not in possible and role in section:
                why = f"{kind} is between two parties" if kind.is_timed else f"a {kind} has none"
                raise section.fault(
                    role,
                    message(
                        "{why}; remove it",
                        why=why,
                    ),
                )
        roles = {role: section.choice(role, parties) for role in possible if role in section}
        if len(set(roles.values())) != len(roles):
            raise section.fault(kind.roles[1], message("one party cannot have two roles"))
        return cls(
            kind,
            MappingProxyType(roles),
            section.text("purpose", PURPOSE),
            Approval(section.choice("approval", [value.value for value in Approval])),
            tuple(ListUse(use) for use in _of_a_match(section, kind, USES, ListUse)),
            tuple(Platform(one) for one in _of_a_match(section, kind, EXPORT_TO, Platform)),
            _moments(section, kind),
        )

    @property
    def moment_terms(self) -> MomentTerms:
        """How far a request about conversions may go."""
        return self.moments or MomentTerms()

    def allows(self, use: ListUse) -> bool:
        """Say whether a list may be for this."""
        return not self.uses or use in self.uses

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        document: dict[str, object] = {
            "kind": self.kind.value,
            **self.roles,
            "purpose": self.purpose,
            "approval": self.approval.value,
        }
        if self.uses:
            document[USES] = [use.value for use in self.uses]
        if self.export_to:
            document[EXPORT_TO] = [platform.value for platform in self.export_to]
        if self.moments is not None:
            document[MOMENTS] = self.moments.to_json()
        return document


@dataclass(frozen=True)
class Budget:
    """What may be spent on one party's people in a window: exact decimals, as written."""

    epsilon: str
    delta: str

    @classmethod
    def read(cls, section: Section) -> Budget:
        """Read one party's budget."""
        budget = cls(section.text("epsilon", _DECIMAL), section.text("delta", _DECIMAL))
        try:
            epsilon_nano = budget.epsilon_nano
        except InvalidParameter as error:
            raise section.fault("epsilon", str(error)) from None
        try:
            delta_e15 = budget.delta_e15
        except InvalidParameter as error:
            raise section.fault("delta", str(error)) from None
        if not 0 < epsilon_nano <= _MOST_EPSILON_NANO:
            raise section.fault("epsilon", message("expected a number above 0 and at most 1000"))
        if not 0 < delta_e15 <= E15 // 1000:
            raise section.fault("delta", message("expected a number above 0 and at most 0.001"))
        return budget

    @property
    def epsilon_nano(self) -> int:
        """ε in units of 1e-9."""
        return parse_epsilon(self.epsilon)

    @property
    def delta_e15(self) -> int:
        """δ in units of 1e-15."""
        return parse_delta(self.delta)

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        return {"epsilon": self.epsilon, "delta": self.delta}


def read_datasets(
    root: Section, parties: Collection[str], order: Collection[str]
) -> Mapping[str, Mapping[str, DatasetTerms]]:
    """Read the section `datasets`: for each of the parties, its datasets by name."""
    section = root.section("datasets", required=parties)
    return MappingProxyType({party: _datasets_of(section, party, order) for party in parties})


def read_offered(section: Section, key: str) -> Mapping[str, DatasetTerms]:
    """Read under a key what one party says that it offers: its datasets by name."""
    return _datasets_of(section, key, None)


def read_identifiers(section: Section) -> tuple[str, ...]:
    """Read a list of identifier types under the key `identifiers`."""
    types = section.texts("identifiers", IDENTIFIER_TYPE, most=_MOST_IDENTIFIER_TYPES)
    for name in types:
        try:
            kind_of(name)
        except IdentifierError as error:
            raise section.fault("identifiers", str(error)) from None
    return types


def read_time(section: Section, key: str) -> int:
    """Read a time as Unix seconds."""
    text = section.text(key, _TIME)
    try:
        moment = datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise section.fault(
            key,
            message(
                "there is no such time; expected {expects}",
                expects=_TIME.expects,
            ),
        ) from None
    return int(moment.timestamp())


def write_time(seconds: int) -> str:
    """Return Unix seconds as contracts write them."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIME_FORMAT)


def _of_a_match(
    section: Section, kind: OutputKind, key: str, allowed: type[StrEnum]
) -> tuple[str, ...]:
    """Return the words under a key that only a match may have; none where it is left out."""
    if key not in section:
        return ()
    if kind is not OutputKind.MATCH:
        raise section.fault(key, message("only a match makes a list; remove it"))
    return section.choices(key, [word.value for word in allowed])


def _moments(section: Section, kind: OutputKind) -> MomentTerms | None:
    if MOMENTS not in section:
        return None
    if not kind.is_timed:
        raise section.fault(MOMENTS, message("only attribution and delay count moments; remove it"))
    return MomentTerms.read(section)


def _datasets_of(
    section: Section, party: str, order: Collection[str] | None
) -> Mapping[str, DatasetTerms]:
    names = section.names(party, NAME, most=_MOST_DATASETS)
    own = section.section(party, required=names)
    return MappingProxyType({name: _dataset(own, name, order) for name in names})


def _dataset(section: Section, name: str, order: Collection[str] | None) -> DatasetTerms:
    required = ("identifiers", "most_identifiers")
    return DatasetTerms.read(section.section(name, required=required, optional=("labels",)), order)
