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
from psi.dummies import Dealing, cells_with
from psi.journey import coalitions_of, read_journeys
from psi.legs import (
    CROSSTABS,
    MATCH,
    RECEIVER,
    RECIPIENT,
    SENDER,
    TABULATOR,
    THIRD,
    LegTable,
)
from psi.suppression import RUN_POINTS
from psi.windows import Timing

if TYPE_CHECKING:
    from party.request import Request


@dataclass(frozen=True)
class Terms:
    """One session's public terms; tuples run in the order of the leg table's roles.

    `most_keys` bounds the keys that one person has in each party's set. Where records are moments
    (`timing`) the tabulator has many keys for a person, of which `most_counted` can be counted:
    each of the other's records meets one of them at most.
    """

    table: LegTable
    parties: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    most_keys: tuple[int, ...]
    known_answers: int
    noise: SessionNoise
    min_match: int = 0
    suppression_runs: int = 0
    most_counted: int = 1
    timing: Timing | None = None

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
        timing = parameters.timing
        counted = {party: parameters.records_per_person * offered[party] for party in parties}
        most = dict(counted)
        if timing is not None:
            most[request.roles[TABULATOR]] = timing.most_keys
        return cls(
            table=table,
            parties=parties,
            labels=tuple(tuple(request.labels[party].values) for party in parties),
            most_keys=tuple(most[party] for party in parties),
            known_answers=parameters.known_answers,
            noise=SessionNoise(
                parameters.epsilon_release_nano,
                parameters.epsilon_dummies_nano,
                parameters.delta_dummies_e15,
            ),
            min_match=request.min_match,
            suppression_runs=parameters.suppression_runs,
            most_counted=counted[parties[0]],
            timing=timing,
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

    def added_points(self, party: str) -> int:
        """Return about how many points of a party's set are nobody's, or room: the mean.

        Known answers, fillers, reserve and dummies; of padded sets all points: an exact number.

        Raises:
            PrivacyError: the parameters are out of range.
        """
        sizes = dict(zip(self.parties, map(len, self.labels), strict=True))
        labels, padded = sizes[party], self.padded(party)
        if padded is not None:
            return labels * padded
        dummies = sum(
            cells_with(sizes, chooser, party)
            * (self.own_noise(party).mean if chooser == party else self.agreed_dummies(chooser))
            for chooser in self.choosers
        )
        fillers = labels * (self.known_answers + self.own_noise(party).mean)
        return dummies + fillers + self.reserve_of(party)

    def reserve_of(self, party: str) -> int:
        """Return how many unused points a party's set has for suppression runs (§4.1)."""
        return self.suppression_runs * RUN_POINTS if self.role_of(party) == SENDER else 0

    @property
    def tabulator_bound(self) -> int:
        """L_T: the most by which one person of the tabulator changes the table (§5.4)."""
        tabulator = self.keys_a_person(self.party_of(TABULATOR))
        return tabulator if self.timing is None else self.most_counted

    @cached_property
    def coalitions(self) -> tuple[tuple[str, ...], ...]:
        """The coalitions whose people the tabulator states beside its table; none as a rule."""
        if self.timing is None or not self.timing.epsilon_people_nano:
            return ()
        return coalitions_of(read_journeys(self.labels_of(TABULATOR)))

    def padded(self, party: str) -> int | None:
        """Return the points in each label of a party whose sets are padded, else None (§5.8).

        Room for the moments, all dummies that may fall to a label, and the known answers.
        """
        if self.timing is None or party not in self.choosers:
            return None
        cells = len(self.labels_of(TABULATOR))
        moments = self.timing.room * self.timing.keys_a_moment
        return moments + cells * self.agreed_dummies(party) + self.known_answers

    @property
    def table_laws(self) -> TableLaws:
        """The laws of a table, for its reports and its quote."""
        recipient_bound = self.keys_a_person(self.party_of(RECIPIENT))
        keys = self.keys_a_person(self.party_of(TABULATOR))
        people = self.timing.epsilon_people_nano if self.timing else 0
        third = self.keys_a_person(self.party_of(THIRD)) if THIRD in self.table.roles else 1
        return TableLaws(self.noise, self.tabulator_bound, recipient_bound, keys, people, third)

    def spend_of(self, party: str) -> Spend:
        """Return what a party is charged for the whole session before its first byte (§5.5)."""
        return self.table_spend_of(party) + self.people_spend_of(party)

    def table_spend_of(self, party: str) -> Spend:
        """Return what of it is for the table and the sizes."""
        releases = self.role_of(party) == TABULATOR
        return self.noise.spend(self.keys_a_person(party), releases=releases)

    def people_spend_of(self, party: str) -> Spend:
        """Return what of it is for the people by coalition, who are released beside the table."""
        if self.timing is None or self.role_of(party) != TABULATOR:
            return Spend()
        epsilon = self.timing.epsilon_people_nano
        return Spend.pure(epsilon) if epsilon else Spend()

    def agreed_dummies(self, chooser: str) -> int:
        """Return D, the dummies of a chooser's cell that every other party puts in."""
        return 2 * self.own_noise(chooser).n


def _role_offers_all(table: LegTable, role: str) -> bool:
    return table is MATCH or (len(table.roles) == 2 and role == TABULATOR)
