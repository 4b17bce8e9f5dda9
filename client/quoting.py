"""A quote for a request: what it will cost and how good its numbers will be, before it runs.

Nothing is sent and nothing spent. This party's sizes come from the quality report of its
registered dataset, the others' from what the asker says or else are taken as the same; the speed is
measured on this machine. The quote holds own sizes: it is for the asker's eyes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import hypot, prod, sqrt
from typing import Any, Final, Literal

import numpy as np

from client.guess import Guess
from client.quoting_moments import Touching, touching_of
from languages import message
from party.contract import Contract
from party.contract_terms import OutputKind
from party.desk import Desk
from party.ledger import Balance
from party.organisation import Organisation
from party.registrations import Registered
from party.request import Request
from party.terms import Terms
from privacy.units import format_delta, format_epsilon
from psi import curve
from psi.keys import Keys
from psi.legs import RECEIVER, RECIPIENT, SENDER, TABULATOR, THIRD
from reports.arms import arms_of
from reports.match_quote import MatchPlan, MatchQuote, quote_match
from reports.quote import Plan, Quote, quote
from reports.sums import ValueColumns

_SAMPLE: Final = 1024  # keys: a batch shares an inversion, so a small sample would seem slow
_MEASURE_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Holding:
    """What this party holds for one request, about.

    By type, `coverage` is the share of people with an identifier, and `identifiers` how many a
    person has on average; `most` bounds what is offered of one person.
    """

    dataset: str
    people: int
    by_label: tuple[int, ...]
    coverage: Mapping[str, float]
    identifiers: Mapping[str, float]
    most: int

    @property
    def keys_a_person(self) -> float:
        """How many identifiers of a person are offered on average, at most."""
        return min(sum(self.identifiers.values()), self.most)

    @property
    def share_with_any(self) -> float:
        """The share of people with at least one identifier."""
        return 1 - prod(1 - share for share in self.coverage.values())


@dataclass(frozen=True)
class Quoted:
    """A quote, what is held here, and how the account stands that pays."""

    request: Request
    me: str
    figures: Quote | MatchQuote
    holding: Holding
    balance: Balance
    assumptions: tuple[str, ...]
    touching: Touching | None = None

    @property
    def value_errors(self) -> tuple[float, float] | None:
        """The noise's standard error in the value of one label of the tabulator, if it has any.

        For the recipient's own eyes, and in what may be passed on; the rounding comes on top.
        """
        figures = self.figures
        if not isinstance(figures, Quote):
            return None
        values = ValueColumns.find(self.request.labels[self.request.roles[RECIPIENT]].values)
        if values is None:
            return None
        times = hypot(*values.weights) * sqrt(len(values.segments))
        return times * figures.private.standard_error, times * figures.shareable.standard_error

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        epsilon_left, delta_left = self.balance.left
        return {
            **self.figures.to_dict(),
            "request": str(self.request.kind),
            "roles": dict(self.request.roles),
            "assumptions": list(self.assumptions),
            "value_errors": self.value_errors,
            "own_people": self.holding.people,
            "own_coverage": dict(self.holding.coverage),
            **(self.touching.to_json() if self.touching else {}),
            "budget_left": {
                "population": self.balance.account.population,
                "epsilon": format_epsilon(epsilon_left),
                "delta": format_delta(delta_left),
                "renews_at": self.balance.renews_at,
            },
        }


def quote_for(party: Organisation, contract: Contract, request: Request, guess: Guess) -> Quoted:
    """Quote a request of this party's.

    Raises:
        Refusal: the contract does not grant it, or it asks for more than may be.
        DatasetError: the dataset is not registered here.
        ReportError, PrivacyError: a number does not make sense.
    """
    request.sign(party.identity).check(contract, party.now)
    me = contract.me(party.identity)
    registered = party.dataset(request.datasets[me])
    holding = _holding(registered, request, me, request.parameters.most_identifiers[me])
    said = guess.people_of(request, me, holding.people)
    theirs = {name: people for name, (people, _) in said.items()}
    touching = _touching(request, registered, me, holding, theirs)
    figures: Quote | MatchQuote
    if request.kind is OutputKind.MATCH:
        figures = _quote_match(request, party, me, holding, theirs)
    else:
        plan = _plan(request, contract, party, me, holding, theirs, guess)
        if touching is not None:
            plan = _of_moments(plan, request, touching)
        figures = _quote_table(request, plan)
    return Quoted(
        request,
        me,
        figures,
        holding,
        Desk(party).balance(request, contract),
        (
            message(
                "own sizes as in the quality report of {name}",
                name=registered.name,
            ),
            *(_assumed_of(name, *people) for name, people in said.items()),
            *_of_a_third(request),
            *_of_a_lift(request),
            *(_assumed_of_moments(request, touching) if touching else ()),
            *figures.assumptions,
            message("other machines are as fast as this one"),
        ),
        touching,
    )


def _touching(
    request: Request, registered: Registered, me: str, holding: Holding, theirs: Mapping[str, int]
) -> Touching | None:
    """Return what the tabulator's touches become, where records are moments."""
    tabulator = request.roles.get(TABULATOR)
    if tabulator is None or request.parameters.timing is None:
        return None
    if tabulator != me:
        most = request.parameters.most_identifiers.get(tabulator, 1)
        return touching_of(request, None, theirs[tabulator], most)
    name = request.labels[me].name
    quality = next(one for one in registered.quality["labels"] if one["name"] == name)
    return touching_of(request, quality, holding.people, holding.keys_a_person)


def _of_moments(plan: Plan, request: Request, touching: Touching) -> Plan:
    """Return the plan with the tabulator's keys and the recipient's padded sets."""
    terms = Terms.of(request)
    rows = len(plan.tabulator_sizes)
    return replace(
        plan,
        tabulator_sizes=(touching.keys // rows,) * rows,
        padded=terms.padded(request.roles[RECIPIENT]),
    )


def _assumed_of_moments(request: Request, touching: Touching) -> tuple[str, ...]:
    most = request.parameters.records_per_person
    loss = touching.most_keys / Terms.of(request).tabulator_bound
    return (
        message(
            "a touched person has {touches} touches, evenly over the window",
            touches=touching.touches,
        ),
        message("each person of the recipient has one conversion in it"),
        message(
            "the recipient sends {most} of a person at most, as it is bound "
            "to; if it sent more, the tabulator's people would lose up to "
            "{loss} times the table's ε",
            most=most,
            loss=f"{loss:.0f}",
        ),
    )


def _assumed_of(name: str, people: int, stated: bool) -> str:
    shown = f"{people:,}"
    if stated:
        return message("{name} has {people} people, as stated", name=name, people=shown)
    return message(
        "{name} has {people} people, as here where nothing is said of it", name=name, people=shown
    )


def _of_a_third(request: Request) -> tuple[str, ...]:
    """Say whom a table of three counts, and what the asker carries for the others."""
    if THIRD not in request.roles:
        return ()
    counted = () if request.kind is OutputKind.LIFT else _of_one_type(request)
    return (
        *counted,
        message("whoever consents for one of the others consents for both"),
        message(
            "{requester} carries what the others send each other: these bytes count twice",
            requester=request.requester,
        ),
    )


def _of_a_lift(request: Request) -> tuple[str, ...]:
    """Say which people a lift counts, and which arm is which, before anything is spent."""
    if request.kind is not OutputKind.LIFT:
        return ()
    arms = arms_of(request.labels[request.roles[TABULATOR]].values)
    return (*_of_one_type(request), arms.said)


def _of_one_type(request: Request) -> tuple[str, ...]:
    return (
        message(
            "people are counted who have the identifier type {identifiers}, and each sends one",
            identifiers=request.identifiers[0],
        ),
    )


def _quote_table(request: Request, plan: Plan) -> Quote:
    terms = Terms.of(request)
    charges = {role: terms.spend_of(party) for role, party in request.roles.items()}
    return quote(plan, terms.table_laws, charges)


def _quote_match(
    request: Request, party: Organisation, me: str, holding: Holding, theirs: Mapping[str, int]
) -> MatchQuote:
    terms = Terms.of(request)
    hashes, raises = _speeds(party)
    keys = {
        name: round(holding.people * holding.keys_a_person)
        if name == me
        else theirs[name] * terms.keys_a_person(name)
        for name in terms.parties
    }
    receiver, sender = request.roles[RECEIVER], request.roles[SENDER]
    plan = MatchPlan(
        receiver_keys=keys[receiver],
        sender_keys=keys[sender],
        known_answers=terms.known_answers,
        most_identifiers=terms.keys_a_person(sender),
        minimum=terms.min_match,
        reserve=terms.reserve_of(sender),
        hashes_per_second=hashes,
        raises_per_second=raises,
    )
    charges = {role: terms.spend_of(request.roles[role]) for role in (RECEIVER, SENDER)}
    return quote_match(plan, terms.own_noise(receiver), terms.own_noise(sender), charges)


def _plan(
    request: Request,
    contract: Contract,
    party: Organisation,
    me: str,
    holding: Holding,
    theirs: Mapping[str, int],
    guess: Guess,
) -> Plan:
    terms = Terms.of(request)
    hashes, raises = _speeds(party)
    sizes = {role: _label_sizes(terms, role, me, holding, theirs) for role in request.roles}
    return Plan(
        tabulator_sizes=sizes[TABULATOR],
        recipient_sizes=sizes[RECIPIENT],
        third_sizes=sizes.get(THIRD),
        known_answers=terms.known_answers,
        min_cell=contract.min_cell,
        match_rate=guess.match_rate,
        hashes_per_second=hashes,
        raises_per_second=raises,
    )


def _label_sizes(
    terms: Terms, role: str, me: str, holding: Holding, theirs: Mapping[str, int]
) -> tuple[int, ...]:
    """Return about how many keys a role's party sends under each label."""
    name = terms.party_of(role)
    if name != me:
        labels = len(terms.labels_of(role))
        return (theirs[name] * terms.keys_a_person(name) // labels,) * labels
    keys = holding.keys_a_person if terms.offers_all(name) else holding.share_with_any
    return tuple(round(people * keys) for people in holding.by_label)


def _holding(registered: Registered, request: Request, me: str, most: int) -> Holding:
    quality = registered.quality
    said = {(one["purpose"], one["recipient"]): one["people"] for one in quality["consent"]}
    peers = [name for name in request.participants if name != me]
    people = min(said.get((request.purpose, peer), 0) for peer in peers)
    consenting = people / quality["people"] if quality["people"] else 0.0
    label = request.labels[me]
    by_label = (people,)
    if label.name is not None:
        counts = next(one["people"] for one in quality["labels"] if one["name"] == label.name)
        by_label = tuple(round(counts.get(value, 0) * consenting) for value in label.values)
    return Holding(
        registered.name,
        people,
        by_label,
        _a_person(quality, request.identifiers, "people"),
        _a_person(quality, request.identifiers, "identifiers"),
        most,
    )


def _a_person(
    quality: Mapping[str, Any], types: tuple[str, ...], what: Literal["people", "identifiers"]
) -> dict[str, float]:
    """Return by type how many people have one, or how many there are, over all people."""
    found = {one["type"]: one[what] for one in quality["types"]}
    people = max(quality["people"], 1)
    return {kind: found.get(kind, 0) / people for kind in types}


def _speeds(party: Organisation) -> tuple[float, float]:
    """Measure how many keys all workers hash and raise, and how many points they raise, a second.

    The two take less than half a second together.
    """
    workers = party.settings.worker_count
    keys = Keys.from_digests("email", np.zeros((_SAMPLE, 32), dtype=np.uint8))
    scalar = curve.Scalar.from_bytes(bytes(range(32)))
    start = time.perf_counter()
    curve.hash_and_raise(keys, scalar, prefix=b"")
    hashes = _SAMPLE / (time.perf_counter() - start)
    return hashes * workers, curve.points_per_second(_MEASURE_SECONDS) * workers
