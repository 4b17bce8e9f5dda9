"""What all parties of a session know before it starts, derived from the signed request.

Noise, dummies and sizes follow from these terms alone, so the quote, the driver and the tests
ask here and nowhere else. The laws themselves are `privacy.session`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from privacy.accounting import Spend
from privacy.session import SessionNoise, TableLaws
from privacy.truncated import TruncatedLaplace
from psi.dummies import Dealing
from psi.legs import CROSSTABS, MATCH, RECEIVER, RECIPIENT, SENDER, TABULATOR, LegTable
from psi.suppression import RUN_POINTS

if TYPE_CHECKING:
    from party.request import Request


@dataclass(frozen=True)
class Terms:
    """One session's public terms; tuples run in the order of the leg table's roles.

    `most_keys` bounds the keys that one person has in each party's set.
    """

    table: LegTable
    parties: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    most_keys: tuple[int, ...]
    known_answers: int
    noise: SessionNoise
    min_match: int = 0
    suppression_runs: int = 0

    @classmethod
    def of(cls, request: Request) -> Terms:
        """Derive the terms of a request."""
        table = MATCH if request.kind == "match" else CROSSTABS[len(request.roles)]
        parties = tuple(request.roles[role] for role in table.roles)
        parameters = request.parameters
        offered = {
            party: parameters.most_identifiers[party] if _role_offers_all(table, role) else 1
            for role, party in zip(table.roles, parties, strict=True)
        }
        return cls(
            table=table,
            parties=parties,
            labels=tuple(tuple(request.labels[party].values) for party in parties),
            most_keys=tuple(parameters.records_per_person * offered[p] for p in parties),
            known_answers=parameters.known_answers,
            noise=SessionNoise(
                parameters.epsilon_release_nano,
                parameters.epsilon_dummies_nano,
                parameters.delta_dummies_e15,
            ),
            min_match=request.min_match,
            suppression_runs=parameters.suppression_runs,
        )

    @property
    def is_match(self) -> bool:
        """Say whether the session makes a list, not a table."""
        return self.table is MATCH

    @cached_property
    def dealing(self) -> Dealing:
        """The parties and their labels, as dummies are named by them."""
        return Dealing(self.parties, self.labels)

    @cached_property
    def choosers(self) -> tuple[str, ...]:
        """The parties whose people dummies protect: the receiver, or all but the tabulator."""
        if self.is_match:
            return (self.party_of(RECEIVER),)
        return tuple(p for p in self.parties if p != self.party_of(TABULATOR))

    def party_of(self, role: str) -> str:
        """Return the party that has a role."""
        return self.parties[self.table.roles.index(role)]

    def role_of(self, party: str) -> str:
        """Return the role that a party has."""
        return self.table.roles[self.parties.index(party)]

    def labels_of(self, role: str) -> tuple[str, ...]:
        """Return the label names of a role's party."""
        return self.labels[self.table.roles.index(role)]

    def offers_all(self, party: str) -> bool:
        """Say whether a party offers every identifier of a person, and not just one (§2)."""
        return _role_offers_all(self.table, self.role_of(party))

    def keys_a_person(self, party: str) -> int:
        """Return the most keys that one person has in a party's set."""
        return self.most_keys[self.parties.index(party)]

    def own_noise(self, party: str) -> TruncatedLaplace:
        """Return the law of a party's dummy draws in a cell and of its fillers in a label."""
        return self.noise.sizes(self.keys_a_person(party))

    def reserve_of(self, party: str) -> int:
        """Return how many unused points a party's set has for suppression runs (§4.1)."""
        return self.suppression_runs * RUN_POINTS if self.role_of(party) == SENDER else 0

    @property
    def tabulator_bound(self) -> int:
        """L_T: the most by which one person of the tabulator changes the table (§5.4)."""
        return self.keys_a_person(self.party_of(TABULATOR))

    @property
    def table_laws(self) -> TableLaws:
        """The laws of a table of two, for its reports and its quote."""
        recipient_bound = self.keys_a_person(self.party_of(RECIPIENT))
        return TableLaws(self.noise, self.tabulator_bound, recipient_bound)

    def spend_of(self, party: str) -> Spend:
        """Return what a party is charged for the whole session before its first byte (§5.5)."""
        releases = self.role_of(party) == TABULATOR
        return self.noise.spend(self.keys_a_person(party), releases=releases)

    def agreed_dummies(self, chooser: str) -> int:
        """Return D, the dummies of a chooser's cell that every other party puts in."""
        return 2 * self.own_noise(chooser).n


def _role_offers_all(table: LegTable, role: str) -> bool:
    return table is MATCH or (len(table.roles) == 2 and role == TABULATOR)
