"""The terms that later entries are held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from audit.errors import EntryError
from audit.shapes import (
    DIGEST,
    LABEL,
    TOKEN,
    Label,
    ListOf,
    MapOf,
    Natural,
    Nested,
    OneOf,
    Record,
    Token,
    Whole,
)

COALITION_SEPARATOR: Final = ", "
MAX_PARTIES: Final = 3
MAX_PLATFORMS: Final = 16
MAX_TRANSFERS: Final = 102
MAX_FILES: Final = 16
BASIC: Final = "basic"
ZCDP: Final = "zcdp"
FILTERS: Final = (BASIC, ZCDP)


@dataclass(frozen=True)
class Budget(Record):
    """What one party's population may lose to one coalition in one window.

    Args:
        epsilon_nano: ε in units of 1e-9.
        delta_e15: δ in units of 1e-15.
        window_days: the length of a window.
    """

    epsilon_nano: Natural
    delta_e15: Natural
    window_days: Annotated[int, Whole(1, 36_525)]


@dataclass(frozen=True)
class TransferStated(Record):
    """Data of one party that leaves a country for another party, as the contract states it.

    Args:
        sender: whose data it is.
        receiver: who gets it.
        out_of: the country by ISO 3166-1, or `EEA`.
        basis: what it rests on, in the contract's word; the contract has the reference.
    """

    sender: Label
    receiver: Label
    out_of: Token
    basis: Token


@dataclass(frozen=True)
class ContractSigned(Record):
    """`contract.signed`: the terms that later entries are held to; the entry names the contract.

    Args:
        parties: their names, two or three.
        budgets: by party.
        consent_max_age_seconds: how old a consent snapshot may be when a session starts.
        filter: how charges add up within a budget: `basic` sums, or `zcdp`.
        origins: by party, the origin of its log, by which coalitions are named.
        export_to: by party, the platforms that it may take its lists to; absent for none.
        transfers: what crosses a border, and on which basis; absent for none.
        suppression_seconds: how long a withdrawal may take to come off a list; absent for the
            list's own end.
    """

    parties: Annotated[tuple[str, ...], ListOf(LABEL, MAX_PARTIES)]
    budgets: Annotated[Mapping[str, Budget], MapOf(LABEL, Nested(Budget), MAX_PARTIES)]
    consent_max_age_seconds: Natural
    filter: Annotated[str, OneOf(FILTERS)]
    origins: Annotated[Mapping[str, str], MapOf(LABEL, LABEL, MAX_PARTIES)]
    export_to: (
        Annotated[
            Mapping[str, tuple[str, ...]],
            MapOf(LABEL, ListOf(TOKEN, MAX_PLATFORMS), MAX_PARTIES),
        ]
        | None
    ) = None
    transfers: (
        Annotated[tuple[TransferStated, ...], ListOf(Nested(TransferStated), MAX_TRANSFERS)] | None
    ) = None
    suppression_seconds: Natural | None = None

    def _require_together(self) -> None:
        if len(self.parties) == 1:
            raise EntryError("parties must be two or three")
        if self.origins.keys() != set(self.parties):
            raise EntryError("origins must name the log of each party, and of nobody else")
        if not self.budgets.keys() <= set(self.parties):
            raise EntryError("budgets has a budget for somebody who is not among parties")
        if not (self.export_to or {}).keys() <= set(self.parties):
            raise EntryError("export_to names somebody who is not among parties")
        for one in self.transfers or ():
            if not {one.sender, one.receiver} <= set(self.parties):
                raise EntryError("transfers names somebody who is not among parties")

    def coalition_against(self, party: str) -> str:
        """Return who may pool what it learns of `party`: the others' logs, in order of origin."""
        others = sorted(origin for name, origin in self.origins.items() if name != party)
        return COALITION_SEPARATOR.join(others)


@dataclass(frozen=True)
class DocumentMade(Record):
    """`document.made`: record of processing and impact assessment, written to be filled in.

    Args:
        language: in which, `en` or `zh`.
        files: by name, the SHA-256 of each file as it was written.
    """

    language: Token
    files: Annotated[Mapping[str, str], MapOf(TOKEN, DIGEST, MAX_FILES)]
