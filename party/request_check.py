"""Whether a contract grants a request: every refusal names the thing, and has its status.

A party checks requests of its own as it checks its counterpart's. What a request says beyond the
contract is not negotiated: it is what the contract says, or it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from party.contract import Contract
from party.contract_terms import MOST_LABEL_VALUES, DatasetTerms, ListUse, OutputKind
from party.errors import ContractError, Refusal, RefusalStatus
from party.moment_check import check_timing, check_touch_label
from party.request_limits import (
    CLOCK_SKEW_SECONDS,
    LEAST_EPSILON_NANO,
    MOST_EPSILON_NANO,
    not_granted,
    require_within,
    too_much,
)
from party.terms import Terms
from privacy.errors import PrivacyError
from privacy.units import E15
from psi.legs import RECIPIENT, TABULATOR, THIRD
from psi.suppression import MOST_RUNS
from psi.windows import MOST_ORDINAL

if TYPE_CHECKING:
    from party.request import Request

UNLABELLED: Final = ("all",)
"""The one value of a party that does not tell its records apart."""
MOST_CELLS: Final = 65_536
LEAST_KNOWN_ANSWERS: Final = 32
MOST_KNOWN_ANSWERS: Final = 4096
MOST_DELTA_E15: Final = E15 // 1000
MOST_ADDED_POINTS: Final = 1 << 26
"""Fillers, dummies and padding of a request: they grow with labels, 1/ε, M, K_T and room, which
the asker chooses, and the others have to raise them."""
MOST_LIFETIME_SECONDS: Final = 30 * 86_400


def check(request: Request, contract: Contract, now: int) -> None:
    """Raise the Refusal that fits unless `contract` grants `request` at `now` (Unix seconds)."""
    _check_contract(request, contract, now)
    _check_requester(request, contract)
    _check_time(request, now)
    _check_grant(request, contract)
    _check_sizes(request)
    _check_parameters(request)
    check_timing(request, contract)
    _check_added_points(request)
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
        raise not_granted(
            f"The datasets {', '.join(datasets.values())} have no identifier type in common in"
            f" contract {contract.id}. Agree on one that both sides hold."
        )
    return shared


def identifiers_asked(
    contract: Contract, kind: OutputKind, datasets: Mapping[str, str], only: str | None
) -> tuple[str, ...]:
    """Return the identifier types of a request: all shared ones, or `only` that; a lift has one.

    Three parties have one too. Which, the asker says: the first would be by the contract's order,
    which is made for what two of them hold.
    """
    shared = shared_identifiers(contract, datasets)
    if only is None and len(datasets) > 2 and len(shared) > 1:
        raise ContractError(
            f"A table of three parties counts people by one identifier type. Say which of them:"
            f" {', '.join(shared)}."
        )
    if only is None:
        return shared[:1] if kind is OutputKind.LIFT else shared
    if only not in shared:
        raise not_granted(
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
    So it does in a table of three.
    """
    one = {party for role, party in roles.items() if TABULATOR in roles and role != TABULATOR}
    if kind is OutputKind.LIFT or THIRD in roles:
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
        raise not_granted(
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
        raise not_granted(
            f"'{request.requester}' asks, and has no role in what it asks for. One of"
            f" {', '.join(request.roles.values())} asks."
        )
    for party in request.roles.values():
        if party not in contract.parties:
            raise not_granted(f"'{party}' is no party of contract {contract.id}.")
    if THIRD in request.roles:
        _check_hub(request, contract)
    request.verify_signature(contract.parties[request.requester].signers(request.created))


def _check_hub(request: Request, contract: Contract) -> None:
    """Require what the routes of three need: their recipient asks, and dials the other two."""
    recipient = request.roles[RECIPIENT]
    if request.requester != recipient:
        raise not_granted(
            f"A table of three parties is asked for by its recipient, '{recipient}', who connects"
            f" the others; '{request.requester}' asks."
        )
    for role in (TABULATOR, THIRD):
        party = request.roles[role]
        if not contract.parties[party].address:
            raise not_granted(
                f"In a table of three parties '{recipient}' connects to the others, and contract"
                f" {contract.id} has no address of '{party}'. Agree on a contract that has one."
            )


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
        raise too_much("the request's lifetime in seconds", lifetime, 1, MOST_LIFETIME_SECONDS)


def _check_grant(request: Request, contract: Contract) -> None:
    grant = contract.output(request.kind, request.roles)
    if request.purpose != grant.purpose:
        raise not_granted(
            f"Contract {contract.id} grants {request.kind} for {grant.purpose}, not for"
            f" {request.purpose}."
        )
    use = request.use or ListUse.INCLUDE
    if not grant.allows(use):
        raise not_granted(
            f"Contract {contract.id} grants this match for lists to"
            f" {', '.join(one.value for one in grant.uses)}, not to {use.value}."
        )
    runs = request.parameters.suppression_runs
    if request.kind is OutputKind.MATCH and contract.suppression_days is not None and not runs:
        raise not_granted(
            f"Contract {contract.id} has a deadline for withdrawals, and this match no suppression "
            "runs."
        )
    minimum = contract.min_match if request.kind is OutputKind.MATCH else 0
    if request.min_match != minimum:
        raise not_granted(
            f"The request states a minimum of {request.min_match} people, the contract {minimum}."
        )


def _check_sizes(request: Request) -> None:
    for party, label in request.labels.items():
        if len(label.values) > MOST_LABEL_VALUES:
            raise too_much(f"the labels of '{party}'", len(label.values), 1, MOST_LABEL_VALUES)
    cells = prod(len(label.values) + 1 for label in request.labels.values()) - 1
    if cells > MOST_CELLS:
        raise too_much("the cells of the table", cells, 1, MOST_CELLS)


def _check_parameters(request: Request) -> None:
    asked = request.parameters
    if request.kind is not OutputKind.MATCH:
        require_within(
            "epsilon_release_nano",
            asked.epsilon_release_nano,
            LEAST_EPSILON_NANO,
            MOST_EPSILON_NANO,
        )
    elif asked.epsilon_release_nano != 0:
        raise too_much("epsilon_release_nano of a match", asked.epsilon_release_nano, 0, 0)
    require_within(
        "epsilon_dummies_nano", asked.epsilon_dummies_nano, LEAST_EPSILON_NANO, MOST_EPSILON_NANO
    )
    require_within("delta_dummies_e15", asked.delta_dummies_e15, 1, MOST_DELTA_E15)
    require_within("known_answers", asked.known_answers, LEAST_KNOWN_ANSWERS, MOST_KNOWN_ANSWERS)
    most_records = MOST_ORDINAL if request.kind.is_timed else 1
    require_within("records_per_person", asked.records_per_person, 1, most_records)
    most_runs = MOST_RUNS if request.kind is OutputKind.MATCH else 0
    require_within("suppression_runs", asked.suppression_runs, 0, most_runs)


def _check_added_points(request: Request) -> None:
    """Refuse noise and padding that would be a denial of service."""
    terms = Terms.of(request)
    try:
        added = sum(terms.added_points(party) for party in terms.parties)
    except PrivacyError as error:
        raise Refusal(RefusalStatus.LIMIT_EXCEEDED, f"In the request, {error}.") from None
    if added > MOST_ADDED_POINTS:
        raise Refusal(
            RefusalStatus.LIMIT_EXCEEDED,
            f"The request adds about {added:,} fillers, dummies and points of padding; "
            f"{MOST_ADDED_POINTS:,} is the most. Ask with fewer labels, keys a person or room, or"
            " with a larger ε of dummies.",
        )


def _check_data(request: Request, contract: Contract) -> None:
    shared = shared_identifiers(contract, request.datasets)
    if request.identifiers != tuple(kind for kind in shared if kind in request.identifiers):
        raise not_granted(
            f"The request orders identifiers as {', '.join(request.identifiers)}. Contract"
            f" {contract.id} grants, in this order, {', '.join(shared)} or some of them."
        )
    for party, label in request.labels.items():
        _check_label(request, contract, party, label.name)
    if request.kind is not OutputKind.MATCH:
        check_touch_label(request)
    if len(request.identifiers) != 1 and (
        request.kind is OutputKind.LIFT or THIRD in request.roles
    ):
        what = "A lift" if request.kind is OutputKind.LIFT else "A table of three parties"
        raise not_granted(
            f"{what} counts each person once, so it is asked for one identifier type; the request"
            f" names {', '.join(request.identifiers)}."
        )
    sent = identifiers_sent(contract, request.kind, request.roles, request.datasets)
    for party, most in sent.items():
        if request.parameters.most_identifiers[party] != most:
            raise not_granted(
                f"The request states {request.parameters.most_identifiers[party]} identifiers a"
                f" person for '{party}'; by contract {contract.id} it is {most}."
            )


def _check_label(request: Request, contract: Contract, party: str, name: str | None) -> None:
    unlabelled = request.kind is OutputKind.MATCH or (
        request.kind is OutputKind.OVERLAP and party == request.roles[TABULATOR]
    )
    if unlabelled and name is not None:
        raise not_granted(f"In {request.kind} '{party}' has no label; the request names '{name}'.")
    values = granted_values(contract, party, request.datasets[party], name)
    if request.labels[party].values != values:
        raise not_granted(
            f"The values under which '{party}' labels its records are not those of contract"
            f" {contract.id}: state all of them, in its order."
        )


def _terms(contract: Contract, datasets: Mapping[str, str]) -> dict[str, DatasetTerms]:
    return {party: contract.dataset(party, name) for party, name in datasets.items()}
