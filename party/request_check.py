"""Whether a contract grants a request: every refusal names the thing, and has its status.

A party checks requests of its own as it checks its counterpart's. What a request says beyond the
contract is not negotiated: it is what the contract says, or it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from party.contract import Contract
from party.contract_terms import MOST_LABEL_VALUES, DatasetTerms, ListUse, OutputKind
from party.errors import ContractError, Refusal, RefusalStatus
from party.request_parameters import MOST_INTEGER
from party.terms import Terms
from privacy.errors import PrivacyError
from privacy.units import E15, NANO
from psi.ages import read_ages
from psi.errors import JourneyError
from psi.journey import read_journeys
from psi.legs import RECIPIENT, TABULATOR
from psi.sets import MAX_KEYS
from psi.suppression import MOST_RUNS
from psi.time_keys import MOST_ORDINAL, MOST_SLOTS

if TYPE_CHECKING:
    from party.request import Request

UNLABELLED: Final = ("all",)
"""The one value of a party that does not tell its records apart."""
MOST_CELLS: Final = 65_536
LEAST_KNOWN_ANSWERS: Final = 32
MOST_KNOWN_ANSWERS: Final = 4096
LEAST_EPSILON_NANO: Final = NANO // 100
"""ε 0.01: below it the dummies, which grow with 1/ε, are a denial of service."""
MOST_EPSILON_NANO: Final = 100 * NANO
MOST_DELTA_E15: Final = E15 // 1000
LEAST_SLOT_SECONDS: Final = 60
MOST_SLOT_SECONDS: Final = 30 * 86_400
MOST_KEYS_A_PERSON: Final = 1 << 16
MOST_ADDED_POINTS: Final = 1 << 26
"""Fillers, dummies and padding of a table of moments: they grow with M, K_T and room, which the
asker chooses, and the other side has to raise them."""
MOST_LIFETIME_SECONDS: Final = 30 * 86_400
CLOCK_SKEW_SECONDS: Final = 300


def check(request: Request, contract: Contract, now: int) -> None:
    """Raise the Refusal that fits unless `contract` grants `request` at `now` (Unix seconds)."""
    _check_contract(request, contract, now)
    _check_requester(request, contract)
    _check_time(request, now)
    _check_grant(request, contract)
    _check_sizes(request)
    _check_parameters(request)
    _check_data(request, contract)


def only_dataset(contract: Contract, party: str) -> str:
    """Return the one dataset that a party has in a contract; ContractError asks which."""
    names = tuple(contract.datasets[party])
    if len(names) != 1:
        raise ContractError(
            f"Contract {contract.id} has {len(names)} datasets of '{party}'. Say which of them:"
            f" {', '.join(names)}."
        )
    return names[0]


def shared_identifiers(contract: Contract, datasets: Mapping[str, str]) -> tuple[str, ...]:
    """Return the identifier types that all these datasets hold, in the contract's order."""
    terms = _terms(contract, datasets).values()
    shared = tuple(
        kind for kind in contract.identifiers if all(kind in one.identifiers for one in terms)
    )
    if not shared:
        raise _not_granted(
            f"The datasets {', '.join(datasets.values())} have no identifier type in common in"
            f" contract {contract.id}. Agree on one that both sides hold."
        )
    return shared


def identifiers_asked(
    contract: Contract, kind: OutputKind, datasets: Mapping[str, str], only: str | None
) -> tuple[str, ...]:
    """Return the identifier types of a request: all shared ones, or `only` that; a lift has one."""
    shared = shared_identifiers(contract, datasets)
    if only is None:
        return shared[:1] if kind is OutputKind.LIFT else shared
    if only not in shared:
        raise _not_granted(
            f"Not all of the datasets {', '.join(datasets.values())} hold the identifier type"
            f" '{only[:80]}' in contract {contract.id}. All hold {', '.join(shared)}."
        )
    return (only,)


def identifiers_sent(
    contract: Contract, kind: OutputKind, roles: Mapping[str, str], datasets: Mapping[str, str]
) -> Mapping[str, int]:
    """Return, by party, the most identifiers that are sent for one person.

    In a match both sides send all that a person has; in a table the tabulator does, and the
    others send one. In a lift the tabulator sends one too: its sets are the people of the arms.
    """
    one = {party for role, party in roles.items() if TABULATOR in roles and role != TABULATOR}
    if kind is OutputKind.LIFT:
        one.add(roles[TABULATOR])
    return MappingProxyType(
        {
            party: 1 if party in one else terms.most_identifiers
            for party, terms in _terms(contract, datasets).items()
        }
    )


def granted_values(
    contract: Contract, party: str, dataset: str, label: str | None
) -> tuple[str, ...]:
    """Return all values of a granted label, or the one value of a party without a label."""
    terms = contract.dataset(party, dataset)
    if label is None:
        return UNLABELLED
    if label not in terms.labels:
        raise _not_granted(
            f"Contract {contract.id} grants no label '{label[:64]}' of {party}.{dataset}. It grants"
            f" {', '.join(terms.labels) or 'none'}."
        )
    return terms.labels[label]


def _check_contract(request: Request, contract: Contract, now: int) -> None:
    if request.contract != contract.digest:
        raise Refusal(
            RefusalStatus.CONTRACT_UNKNOWN,
            f"The request is under contract {request.contract[:12]}…, and not under {contract.id}"
            f" ({contract.digest[:12]}…). Import the contract that all have signed.",
        )
    try:
        contract.verify_signatures()
    except ContractError as error:
        raise Refusal(RefusalStatus.CONTRACT_UNKNOWN, str(error)) from None
    try:
        contract.require_in_force(now)
    except ContractError as error:
        raise Refusal(RefusalStatus.EXPIRED, str(error)) from None


def _check_requester(request: Request, contract: Contract) -> None:
    if request.requester not in request.roles.values():
        raise _not_granted(
            f"'{request.requester}' asks, and has no role in what it asks for. One of"
            f" {', '.join(request.roles.values())} asks."
        )
    for party in request.roles.values():
        if party not in contract.parties:
            raise _not_granted(f"'{party}' is no party of contract {contract.id}.")
    request.verify_signature(contract.parties[request.requester].verifier)


def _check_time(request: Request, now: int) -> None:
    if request.created > now + CLOCK_SKEW_SECONDS:
        raise Refusal(
            RefusalStatus.EXPIRED,
            f"Request {request.id} is dated {request.created - now} seconds ahead of this party's"
            " clock. Set the clocks of both machines.",
        )
    if now >= request.expires:
        raise Refusal(
            RefusalStatus.EXPIRED, f"Request {request.id} has expired. Make a new request."
        )
    lifetime = request.expires - request.created
    if not 0 < lifetime <= MOST_LIFETIME_SECONDS:
        raise _too_much("the request's lifetime in seconds", lifetime, 1, MOST_LIFETIME_SECONDS)


def _check_grant(request: Request, contract: Contract) -> None:
    grant = contract.output(request.kind, request.roles)
    if request.purpose != grant.purpose:
        raise _not_granted(
            f"Contract {contract.id} grants {request.kind} for {grant.purpose}, not for"
            f" {request.purpose}."
        )
    use = request.use or ListUse.INCLUDE
    if not grant.allows(use):
        raise _not_granted(
            f"Contract {contract.id} grants this match for lists to"
            f" {', '.join(one.value for one in grant.uses)}, not to {use.value}."
        )
    minimum = contract.min_match if request.kind is OutputKind.MATCH else 0
    if request.min_match != minimum:
        raise _not_granted(
            f"The request states a minimum of {request.min_match} people, the contract {minimum}."
        )


def _check_sizes(request: Request) -> None:
    for party, label in request.labels.items():
        if len(label.values) > MOST_LABEL_VALUES:
            raise _too_much(f"the labels of '{party}'", len(label.values), 1, MOST_LABEL_VALUES)
    cells = prod(len(label.values) + 1 for label in request.labels.values()) - 1
    if cells > MOST_CELLS:
        raise _too_much("the cells of the table", cells, 1, MOST_CELLS)


def _check_parameters(request: Request) -> None:
    asked = request.parameters
    if request.kind is not OutputKind.MATCH:
        _require(
            "epsilon_release_nano",
            asked.epsilon_release_nano,
            LEAST_EPSILON_NANO,
            MOST_EPSILON_NANO,
        )
    elif asked.epsilon_release_nano != 0:
        raise _too_much("epsilon_release_nano of a match", asked.epsilon_release_nano, 0, 0)
    _require(
        "epsilon_dummies_nano", asked.epsilon_dummies_nano, LEAST_EPSILON_NANO, MOST_EPSILON_NANO
    )
    _require("delta_dummies_e15", asked.delta_dummies_e15, 1, MOST_DELTA_E15)
    _require("known_answers", asked.known_answers, LEAST_KNOWN_ANSWERS, MOST_KNOWN_ANSWERS)
    most_records = MOST_ORDINAL if request.kind.is_timed else 1
    _require("records_per_person", asked.records_per_person, 1, most_records)
    _check_timing(request)
    most_runs = MOST_RUNS if request.kind is OutputKind.MATCH else 0
    _require("suppression_runs", asked.suppression_runs, 0, most_runs)


def _check_timing(request: Request) -> None:
    """Require terms of time where records are moments, and none elsewhere."""
    asked, timing = request.parameters, request.parameters.timing
    if timing is None or not request.kind.is_timed:
        if request.kind.is_timed or timing is not None:
            word = "needs" if request.kind.is_timed else "has no"
            raise _not_granted(f"{request.kind} {word} parameters.timing, its window and lookback.")
        return
    # Whether the recipient has room for its conversions is exact, and shows when it stops: another
    # who chose window and room could search for their number, and would be charged nothing.
    if request.requester != request.roles[RECIPIENT]:
        raise _not_granted(
            f"{request.kind} is asked for by its recipient, '{request.roles[RECIPIENT]}', who alone"
            " may choose a window and room for its conversions."
        )
    window = timing.window
    _require("timing.start", window.start, 0, MOST_INTEGER)
    _require("timing.slot_seconds", window.slot_seconds, LEAST_SLOT_SECONDS, MOST_SLOT_SECONDS)
    _require("timing.lookback", timing.lookback, 0, MOST_SLOTS)
    counted = asked.records_per_person * asked.most_identifiers[request.roles[TABULATOR]]
    _require("timing.most_keys", timing.most_keys, counted, MOST_KEYS_A_PERSON)
    _require("timing.room", timing.room, 1, MAX_KEYS // timing.keys_a_moment)
    most = MOST_EPSILON_NANO if request.kind is OutputKind.ATTRIBUTION else 0
    least = LEAST_EPSILON_NANO if timing.epsilon_people_nano else 0
    _require("timing.epsilon_people_nano", timing.epsilon_people_nano, least, most)
    if window.stop > request.created + CLOCK_SKEW_SECONDS:
        raise Refusal(
            RefusalStatus.EXPIRED,
            f"The window of request {request.id} ends {window.stop - request.created} seconds"
            " after the request was made: ask about time that has passed, and see that the clock"
            " is right.",
        )
    _check_added_points(request)


def _check_added_points(request: Request) -> None:
    """Refuse noise and padding that would be a denial of service."""
    tabulator, recipient = request.roles[TABULATOR], request.roles[RECIPIENT]
    rows, columns = (len(request.labels[party].values) for party in (tabulator, recipient))
    terms = Terms.of(request)
    try:
        fillers = rows * terms.own_noise(tabulator).mean
        dummies = rows * columns * terms.agreed_dummies(recipient)
        padding = columns * (terms.padded(recipient) or 0)
    except PrivacyError as error:
        raise Refusal(RefusalStatus.LIMIT_EXCEEDED, f"In the request, {error}.") from None
    added = fillers + dummies + padding
    if added > MOST_ADDED_POINTS:
        raise Refusal(
            RefusalStatus.LIMIT_EXCEEDED,
            f"The request adds about {added:,} fillers, dummies and points of padding; "
            f"{MOST_ADDED_POINTS:,} is the most. Ask with fewer labels, keys a person or room, or"
            " with a larger ε of dummies.",
        )


def _check_touch_label(request: Request) -> None:
    """Require the tabulator's label to be journeys or ages where records are moments, only there.

    Anywhere else it would be found out when the session has begun.
    """
    tabulator = request.roles[TABULATOR]
    if request.kind.is_timed:
        read = read_journeys if request.kind is OutputKind.ATTRIBUTION else read_ages
        try:
            read(request.labels[tabulator].values)
        except JourneyError as error:
            raise _not_granted(
                f"{request.kind} cannot be counted by this label: {error}."
            ) from None
    for party, label in request.labels.items():
        counted = request.kind.is_timed and party == tabulator
        if not counted and _is_of_touches(label.values):
            raise _not_granted(
                f"The label of '{party}' is made of touches and their times; only attribution and"
                " delay are counted by it, at the tabulator."
            )


def _is_of_touches(values: tuple[str, ...]) -> bool:
    for read in (read_journeys, read_ages):
        with suppress(JourneyError):
            read(values)
            return True
    return False


def _check_data(request: Request, contract: Contract) -> None:
    shared = shared_identifiers(contract, request.datasets)
    if request.identifiers != tuple(kind for kind in shared if kind in request.identifiers):
        raise _not_granted(
            f"The request orders identifiers as {', '.join(request.identifiers)}. Contract"
            f" {contract.id} grants, in this order, {', '.join(shared)} or some of them."
        )
    for party, label in request.labels.items():
        _check_label(request, contract, party, label.name)
    if request.kind is not OutputKind.MATCH:
        _check_touch_label(request)
    if request.kind is OutputKind.LIFT and len(request.identifiers) != 1:
        raise _not_granted(
            "A lift counts each person of an arm once, so it is asked for one identifier type; the"
            f" request names {', '.join(request.identifiers)}."
        )
    sent = identifiers_sent(contract, request.kind, request.roles, request.datasets)
    for party, most in sent.items():
        if request.parameters.most_identifiers[party] != most:
            raise _not_granted(
                f"The request states {request.parameters.most_identifiers[party]} identifiers a"
                f" person for '{party}'; by contract {contract.id} it is {most}."
            )


def _check_label(request: Request, contract: Contract, party: str, name: str | None) -> None:
    unlabelled = request.kind is OutputKind.MATCH or (
        request.kind is OutputKind.OVERLAP and party == request.roles[TABULATOR]
    )
    if unlabelled and name is not None:
        raise _not_granted(f"In {request.kind} '{party}' has no label; the request names '{name}'.")
    values = granted_values(contract, party, request.datasets[party], name)
    if request.labels[party].values != values:
        raise _not_granted(
            f"The values under which '{party}' labels its records are not those of contract"
            f" {contract.id}: state all of them, in its order."
        )


def _terms(contract: Contract, datasets: Mapping[str, str]) -> dict[str, DatasetTerms]:
    return {party: contract.dataset(party, name) for party, name in datasets.items()}


def _require(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise _too_much(f"parameters.{name}", value, least, most)


def _too_much(what: str, value: int, least: int, most: int) -> Refusal:
    return Refusal(
        RefusalStatus.LIMIT_EXCEEDED,
        f"In the request, {what}: {value} is outside {least} to {most}. Ask within the limits.",
    )


def _not_granted(message: str) -> Refusal:
    return Refusal(RefusalStatus.NOT_GRANTED, message)
