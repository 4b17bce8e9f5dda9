"""Whether a contract grants a request: every refusal names the thing, and has its status.

A party checks requests of its own as it checks its counterpart's. What a request says beyond the
contract is not negotiated: it is what the contract says, or it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from languages import message
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
            message(
                "Contract {id} has {number} datasets of '{party}'. Say which of them: {names}.",
                id=contract.id,
                number=len(names),
                party=party,
                names=", ".join(names),
            )
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
            message(
                "The datasets {datasets} have no identifier type in common in "
                "contract {id}. Agree on one that both sides hold.",
                datasets=", ".join(datasets.values()),
                id=contract.id,
            )
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
            message(
                "A table of three parties counts people by one identifier type. "
                "Say which of them: {shared}.",
                shared=", ".join(shared),
            )
        )
    if only is None:
        return shared[:1] if kind is OutputKind.LIFT else shared
    if only not in shared:
        raise not_granted(
            message(
                "Not all of the datasets {datasets} hold the identifier type "
                "'{only}' in contract {id}. All hold {shared}.",
                datasets=", ".join(datasets.values()),
                only=only[:80],
                id=contract.id,
                shared=", ".join(shared),
            )
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
            message(
                "Contract {id} grants no label '{label}' of {party}.{dataset}. It grants {value}.",
                id=contract.id,
                label=label[:64],
                party=party,
                dataset=dataset,
                value=", ".join(terms.labels) or "none",
            )
        )
    return terms.labels[label]


def _check_contract(request: Request, contract: Contract, now: int) -> None:
    if request.contract != contract.digest:
        raise Refusal(
            RefusalStatus.CONTRACT_UNKNOWN,
            message(
                "The request is under contract {contract}…, and not under {id} "
                "({digest}…). Import the contract that all have signed.",
                contract=request.contract[:12],
                id=contract.id,
                digest=contract.digest[:12],
            ),
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
            message(
                "'{requester}' asks, and has no role in what it asks for. One of {roles} asks.",
                requester=request.requester,
                roles=", ".join(request.roles.values()),
            )
        )
    for party in request.roles.values():
        if party not in contract.parties:
            raise not_granted(
                message(
                    "'{party}' is no party of contract {id}.",
                    party=party,
                    id=contract.id,
                )
            )
    if THIRD in request.roles:
        _check_hub(request, contract)
    request.verify_signature(contract.parties[request.requester].signers(request.created))


def _check_hub(request: Request, contract: Contract) -> None:
    """Require what the routes of three need: their recipient asks, and dials the other two."""
    recipient = request.roles[RECIPIENT]
    if request.requester != recipient:
        raise not_granted(
            message(
                "A table of three parties is asked for by its recipient, "
                "'{recipient}', who connects the others; '{requester}' asks.",
                recipient=recipient,
                requester=request.requester,
            )
        )
    for role in (TABULATOR, THIRD):
        party = request.roles[role]
        if not contract.parties[party].address:
            raise not_granted(
                message(
                    "In a table of three parties '{recipient}' connects to the "
                    "others, and contract {id} has no address of '{party}'. Agree on "
                    "a contract that has one.",
                    recipient=recipient,
                    id=contract.id,
                    party=party,
                )
            )


def _check_time(request: Request, now: int) -> None:
    if request.created > now + CLOCK_SKEW_SECONDS:
        raise Refusal(
            RefusalStatus.EXPIRED,
            message(
                "Request {id} is dated {created} seconds ahead of this party's "
                "clock. Set the clocks of both machines.",
                id=request.id,
                created=request.created - now,
            ),
        )
    if now >= request.expires:
        raise Refusal(
            RefusalStatus.EXPIRED,
            message(
                "Request {id} has expired. Make a new request.",
                id=request.id,
            ),
        )
    lifetime = request.expires - request.created
    if not 0 < lifetime <= MOST_LIFETIME_SECONDS:
        raise too_much(
            message("the request's lifetime in seconds"), lifetime, 1, MOST_LIFETIME_SECONDS
        )


def _check_grant(request: Request, contract: Contract) -> None:
    grant = contract.output(request.kind, request.roles)
    if request.purpose != grant.purpose:
        raise not_granted(
            message(
                "Contract {id} grants {kind} for {purpose}, not for {asked}.",
                id=contract.id,
                kind=request.kind,
                purpose=grant.purpose,
                asked=request.purpose,
            )
        )
    use = request.use or ListUse.INCLUDE
    if not grant.allows(use):
        raise not_granted(
            message(
                "Contract {id} grants this match for lists to {uses}, not to {value}.",
                id=contract.id,
                uses=", ".join(one.value for one in grant.uses),
                value=use.value,
            )
        )
    runs = request.parameters.suppression_runs
    if request.kind is OutputKind.MATCH and contract.suppression_days is not None and not runs:
        raise not_granted(
            message(
                "Contract {id} has a deadline for withdrawals, and this match no suppression runs.",
                id=contract.id,
            )
        )
    minimum = contract.min_match if request.kind is OutputKind.MATCH else 0
    if request.min_match != minimum:
        raise not_granted(
            message(
                "The request states a minimum of {min_match} people, the contract {minimum}.",
                min_match=request.min_match,
                minimum=minimum,
            )
        )


def _check_sizes(request: Request) -> None:
    for party, label in request.labels.items():
        if len(label.values) > MOST_LABEL_VALUES:
            raise too_much(
                message(
                    "the labels of '{party}'",
                    party=party,
                ),
                len(label.values),
                1,
                MOST_LABEL_VALUES,
            )
    cells = prod(len(label.values) + 1 for label in request.labels.values()) - 1
    if cells > MOST_CELLS:
        raise too_much(message("the cells of the table"), cells, 1, MOST_CELLS)


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
        raise too_much(message("epsilon_release_nano of a match"), asked.epsilon_release_nano, 0, 0)
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
        raise Refusal(
            RefusalStatus.LIMIT_EXCEEDED,
            message(
                "In the request, {error}.",
                error=error,
            ),
        ) from None
    if added > MOST_ADDED_POINTS:
        raise Refusal(
            RefusalStatus.LIMIT_EXCEEDED,
            message(
                "The request adds about {added} fillers, dummies and points of "
                "padding; {most_added_points} is the most. Ask with fewer "
                "labels, keys a person or room, or with a larger ε of dummies.",
                added=f"{added:,}",
                most_added_points=f"{MOST_ADDED_POINTS:,}",
            ),
        )


def _check_data(request: Request, contract: Contract) -> None:
    shared = shared_identifiers(contract, request.datasets)
    if request.identifiers != tuple(kind for kind in shared if kind in request.identifiers):
        raise not_granted(
            message(
                "The request orders identifiers as {identifiers}. Contract {id} "
                "grants, in this order, {shared} or some of them.",
                identifiers=", ".join(request.identifiers),
                id=contract.id,
                shared=", ".join(shared),
            )
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
            message(
                "{what} counts each person once, so it is asked for one "
                "identifier type; the request names {identifiers}.",
                what=what,
                identifiers=", ".join(request.identifiers),
            )
        )
    sent = identifiers_sent(contract, request.kind, request.roles, request.datasets)
    for party, most in sent.items():
        if request.parameters.most_identifiers[party] != most:
            raise not_granted(
                message(
                    "The request states {most_identifiers} identifiers a person for "
                    "'{party}'; by contract {id} it is {most}.",
                    most_identifiers=request.parameters.most_identifiers[party],
                    party=party,
                    id=contract.id,
                    most=most,
                )
            )


def _check_label(request: Request, contract: Contract, party: str, name: str | None) -> None:
    unlabelled = request.kind is OutputKind.MATCH or (
        request.kind is OutputKind.OVERLAP and party == request.roles[TABULATOR]
    )
    if unlabelled and name is not None:
        raise not_granted(
            message(
                "In {kind} '{party}' has no label; the request names '{name}'.",
                kind=request.kind,
                party=party,
                name=name,
            )
        )
    values = granted_values(contract, party, request.datasets[party], name)
    if request.labels[party].values != values:
        raise not_granted(
            message(
                "The values under which '{party}' labels its records are not "
                "those of contract {id}: state all of them, in its order.",
                party=party,
                id=contract.id,
            )
        )


def _terms(contract: Contract, datasets: Mapping[str, str]) -> dict[str, DatasetTerms]:
    return {party: contract.dataset(party, name) for party, name in datasets.items()}
