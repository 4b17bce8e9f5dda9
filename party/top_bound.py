"""A top bound for value buckets from a party's own data, with differential privacy that is charged.

Bounds are public, so what the data say of them is a release like any other. People are counted by
the smallest of some public bounds that their value does not exceed; each is in one count, so noise
of scale 1/ε protects everybody. The charge is durable before the noise is drawn. A crash after it
costs the budget and tells nothing; asking again is another release, and is charged again. What was
chosen is stored with its entry in the log before it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import BoundChosen, BudgetSpent
from audit.roles import Role
from party import holds, ledger
from party.contract import Contract
from party.contract_terms import OutputKind
from party.datasets.buckets import BucketLabel
from party.datasets.prepare import read_selection
from party.datasets.rows import open_source
from party.errors import ContractError, DatasetError, PartyError
from party.organisation import Organisation
from party.request_limits import LEAST_EPSILON_NANO, MOST_EPSILON_NANO
from party.schema import BOUNDS
from privacy.accounting import Spend
from privacy.noise import DiscreteLaplaceLaw
from privacy.release import discrete_laplace
from privacy.units import format_epsilon, parse_epsilon
from psi.buckets import ValueBuckets

_ONE_PERSON: Final = 1
"""A person is in one count, so adding or removing one changes the counts by one."""
_CLEAR_ERRORS: Final = 3


@dataclass(frozen=True)
class TopBound:
    """The top bound that was chosen, and what it has cost. It may be passed on.

    Attributes:
        charge: what the ledger and the log call it.
        dataset: whose people were counted, by the values of this `column`.
        chosen_at: when, in Unix seconds.
        buckets: the public bounds up to the chosen one.
        share: how many of the people with a value above 0 were to be within it.
        above: the share that is above it, by the noisy counts.
        epsilon_nano: ε in 1e-9.
    """

    charge: str
    dataset: str
    column: str
    chosen_at: int
    buckets: ValueBuckets
    share: float
    above: float
    epsilon_nano: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "charge": self.charge,
            "dataset": self.dataset,
            "column": self.column,
            "chosen_at": self.chosen_at,
            "bounds": list(self.buckets.labels),
            "share": self.share,
            "share_above": self.above,
            "epsilon": format_epsilon(self.epsilon_nano),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> TopBound:
        """Return what `to_dict` has said."""
        return cls(
            document["charge"],
            document["dataset"],
            document["column"],
            document["chosen_at"],
            ValueBuckets.of(document["bounds"]),
            document["share"],
            document["share_above"],
            parse_epsilon(document["epsilon"]),
        )


@dataclass(frozen=True)
class Question:
    """What a top bound is asked of: a column of a dataset, towards the parties of a contract.

    Attributes:
        dataset: one that the contract names.
        column: as its description names it; a person's rows are added up.
        candidates: the public bounds to choose from.
        share: how many of the people with a value above 0 are to be within the bound.
        epsilon_nano: ε in 1e-9.
        purpose: which people consent to; None where the contract's tables have one purpose.
    """

    dataset: str
    column: str
    candidates: ValueBuckets
    share: float
    epsilon_nano: int
    purpose: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise PartyError("the share of people within the top bound is above 0 and below 1")
        if not LEAST_EPSILON_NANO <= self.epsilon_nano <= MOST_EPSILON_NANO:
            raise PartyError("ε of a top bound is from 0.01 to 100, as that of a table")


def choose_top_bound(
    party: Organisation, contract: Contract, question: Question, *, actor: str
) -> TopBound:
    """Choose the smallest candidate that a share of the people with a value do not exceed.

    Charged is the budget of the dataset's people towards the contract's counterparts.

    Raises:
        DatasetError: the dataset or its column does not serve, or nobody has a value.
        ContractError: the contract is not in force, or leaves the purpose open.
        Refusal: NOT_GRANTED for a dataset of others, BUDGET_EXHAUSTED; nothing is spent.
        PartyError: too few people for this ε; the charge stands.
    """
    party.access.require(Role.ANALYST, "bound.choose")
    contract.require_in_force(party.now)
    contract.dataset(contract.me(party.identity), question.dataset)
    counts = _counted(party, contract, question)
    charge = uuid4().hex
    _charge(party, contract, question, charge, actor)
    noisy = discrete_laplace(counts, question.epsilon_nano, _ONE_PERSON)
    chosen, above = _chosen(noisy, question)
    refund = int(question.candidates.refunds)
    labels = question.candidates.labels[: refund + chosen + 1]
    buckets = ValueBuckets.of(labels)
    found = TopBound(
        charge,
        question.dataset,
        question.column,
        int(party.now),
        buckets,
        question.share,
        above,
        question.epsilon_nano,
    )
    _keep(party, contract, found, actor)
    return found


def taken(party: Organisation) -> list[TopBound]:
    """Return every top bound that was taken from this party's data, the oldest first; it is free.

    Raises:
        NotEntitled: for whom the party's roles do not let read.
    """
    party.access.require(Role.ANALYST, "bound.list")
    stored = party.store.rows(sa.select(BOUNDS).order_by(BOUNDS.c.chosen_at, BOUNDS.c.charge))
    return [TopBound.from_json(json.loads(row.body)) for row in stored]


def _keep(party: Organisation, contract: Contract, found: TopBound, actor: str) -> None:
    """Store and log a bound before anybody is told, so that nobody has to pay for it again."""
    body = json.dumps(found.to_dict(), sort_keys=True)

    def work(connection: Connection) -> None:
        connection.execute(
            BOUNDS.insert().values(
                charge=found.charge,
                contract=contract.digest,
                body=body,
                chosen_at=found.chosen_at,
            )
        )
        entry = BoundChosen(found.charge, found.dataset, sha256(body.encode()).hexdigest())
        party.journal.append(
            connection, "bound.chosen", entry, actor=actor, contract=contract.digest
        )

    party.store.write(work)


def _counted(party: Organisation, contract: Contract, question: Question) -> list[int]:
    """Return the people by the smallest bound above 0 that is not below their value.

    The last count is of those above all bounds.
    """
    definition = party.definition(question.dataset)
    if question.column not in definition.source_columns:
        raise DatasetError(
            f"dataset {definition.name} does not name the column '{question.column[:64]}': declare "
            "it as a value and add the dataset again"
        )
    label = BucketLabel(question.column, question.candidates)
    me = contract.me(party.identity)
    with open_source(definition) as source:
        states = source.states()
        selection, _ = read_selection(
            definition,
            source,
            label=label,
            values=label.values,
            purpose=_purpose(contract, question.purpose),
            recipients=contract.counterparts(me),
            now=party.now,
            executor=party.executor,
            rounding=party.identity.rounding_key,
        )
        source.require_unchanged(states)
    amounts = selection.amounts
    if amounts is None or not np.any(amounts > 0):
        raise DatasetError(f"dataset {definition.name}: nobody has a value above 0 there")
    bounds = np.array(question.candidates.bounds, dtype=np.int64)
    found = np.searchsorted(bounds, amounts[amounts > 0], side="left")
    return [int(count) for count in np.bincount(found, minlength=len(bounds) + 1)[1:]]


def _purpose(contract: Contract, wanted: str | None) -> str:
    tables = [one.purpose for one in contract.outputs if one.kind is not OutputKind.MATCH]
    granted = tuple(dict.fromkeys(tables))
    if wanted is None and len(granted) == 1:
        return granted[0]
    if wanted not in granted:
        raise ContractError(
            f"the tables of contract {contract.id} are for {', '.join(granted) or 'nothing'}: name "
            "one of these purposes"
        )
    return wanted


def _charge(
    party: Organisation, contract: Contract, question: Question, charge: str, actor: str
) -> None:
    """Charge and log it in one transaction, or refuse it and spend nothing."""
    spend = Spend.pure(question.epsilon_nano)
    me = contract.me(party.identity)
    allowance = ledger.Allowance.of(contract, me)

    def work(connection: Connection) -> None:
        moment = party.journal.moment(connection, party.now)
        now = int(moment.timestamp())
        population = ledger.population_of(connection, question.dataset)
        account = ledger.Account.of(contract, me, population, now)
        held = holds.held(connection, account, allowance, now)
        ledger.admit(connection, account, allowance, spend, held)
        ledger.charge(connection, charge, ledger.BOUNDS, account, spend, now)
        body = BudgetSpent(
            request=charge,
            population=account.population,
            coalition=account.coalition,
            window=account.window_start,
            epsilon_nano=spend.epsilon_nano,
            rho_nano=spend.rho_nano,
            delta_e15=spend.delta_e15,
            what="dp",
        )
        party.journal.append(
            connection, "budget.spent", body, actor=actor, contract=contract.digest, moment=moment
        )

    party.store.write(work)


def _chosen(noisy: Sequence[int], question: Question) -> tuple[int, float]:
    """Return the number of the chosen bound, from 1, and the share of people above it."""
    law = DiscreteLaplaceLaw.for_release(question.epsilon_nano, _ONE_PERSON)
    total = sum(noisy)
    if total <= _CLEAR_ERRORS * (law.variance * len(noisy)) ** 0.5:
        raise PartyError(
            "too few people have a value for this ε, so nothing can be told; the charge stands. "
            "Take bounds from public knowledge: `commonground dataset buckets`"
        )
    above = 0
    chosen, share_above = len(noisy) - 1, noisy[-1] / total
    for number in range(len(noisy) - 1, 0, -1):
        above += noisy[number]
        if above > (1 - question.share) * total:
            break
        chosen, share_above = number, above / total
    return chosen, max(share_above, 0.0)
