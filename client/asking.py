"""From what a person typed to a request: roles, datasets, labels and privacy parameters.

What is left out is filled in where there is one way to do it, and asked for where there are
several. Labels that the report could not be computed from are refused before anything is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from client.timing import TimingChoice
from languages import message
from party.contract import Contract
from party.contract_terms import DatasetTerms, ListUse, OutputKind
from party.errors import ContractError, PartyError, Refusal, RefusalStatus
from party.list_names import Naming, require_free
from party.lists import Lists, MatchedList
from party.organisation import Organisation
from party.request import Request
from party.request_parameters import Parameters
from privacy.units import parse_delta, parse_epsilon
from psi.legs import RECEIVER, RECIPIENT, SENDER, TABULATOR, THIRD
from psi.suppression import MOST_RUNS
from reports.kinds import require_suitable

_COUNTED_BY: Final = (
    OutputKind.REACH, OutputKind.INSIGHTS, OutputKind.FUNNEL, OutputKind.ATTRIBUTION,
    OutputKind.DELAY, OutputKind.LIFT, OutputKind.TABLE,
)  # fmt: skip
"""Kinds that need a label of the tabulator."""
_SPLIT_BY: Final = (OutputKind.FUNNEL, OutputKind.TABLE)
"""Kinds that need a label of the recipient."""


@dataclass(frozen=True)
class Choice:
    """What both kinds of request let a person choose; None is the default."""

    dataset: str | None = None
    their_dataset: str | None = None
    epsilon: str | None = None
    epsilon_dummies: str | None = None
    delta: str | None = None

    def datasets(self, me: str, peer: str) -> Mapping[str, str]:
        """Return the datasets that were named, by party."""
        named = {me: self.dataset, peer: self.their_dataset}
        return {party: dataset for party, dataset in named.items() if dataset is not None}

    def parameters(self) -> Parameters:
        """Return the privacy parameters; PrivacyError when one cannot be read exactly."""
        usual = Parameters()
        return replace(
            usual,
            epsilon_release_nano=_given(self.epsilon, parse_epsilon, usual.epsilon_release_nano),
            epsilon_dummies_nano=_given(
                self.epsilon_dummies, parse_epsilon, usual.epsilon_dummies_nano
            ),
            delta_dummies_e15=_given(self.delta, parse_delta, usual.delta_dummies_e15),
        )


def _given(text: str | None, parse: Callable[[str], int], usual: int) -> int:
    return usual if text is None else parse(text)


def match_request(
    party: Organisation,
    contract: Contract,
    receiver: str | None,
    choice: Choice,
    use: ListUse | None = None,
    suppression_runs: int | None = None,
) -> Request:
    """Return the request for a list; `receiver` is this party unless another is named.

    Without a use it is the one that the contract grants, or to include where it grants both.
    Without a number of suppression runs there is one for each day of the list, as far as may be.

    Raises:
        ContractError: a name is no party's, or several are possible.
        Refusal: the contract does not grant it, or there are more runs than may be.
    """
    if suppression_runs is not None and not 0 <= suppression_runs <= MOST_RUNS:
        raise Refusal(
            RefusalStatus.LIMIT_EXCEEDED,
            message(
                "{suppression_runs} suppression_runs were asked for: a list has 0 to {most_runs}",
                suppression_runs=suppression_runs,
                most_runs=MOST_RUNS,
            ),
        )
    me = contract.me(party.identity)
    receiver, sender = _roles(contract, me, receiver, None)
    peer = sender if receiver == me else receiver
    return Request.match(
        contract,
        requester=me,
        receiver=receiver,
        sender=sender,
        now=party.now,
        use=use or _usual_use(contract, receiver, sender),
        datasets=choice.datasets(me, peer),
        parameters=replace(
            choice.parameters(),
            suppression_runs=(
                min(contract.list_expiry_days, MOST_RUNS)
                if suppression_runs is None
                else suppression_runs
            ),
        ),
    )


def _usual_use(contract: Contract, receiver: str, sender: str) -> ListUse:
    granted = contract.output(OutputKind.MATCH, {RECEIVER: receiver, SENDER: sender}).uses
    return granted[0] if len(granted) == 1 else ListUse.INCLUDE


def list_naming(party: Organisation, request: Request, name: str | None) -> Naming | None:
    """Return what a request's list is to be called, where it is this party's and has a name.

    Raises:
        PartyError: the name does not serve or is another list's, or the list is the counterpart's.
    """
    if name is None:
        return None
    if request.roles[RECEIVER] != request.requester:
        raise PartyError(message("the list is the counterpart's, who names it: leave out --name"))
    naming = Naming(name)
    require_free(party.store, naming)
    return naming


def refresh_request(party: Organisation, found: MatchedList, contract: Contract) -> Request:
    """Return the request that makes a list anew: the same contract, roles, datasets and terms.

    Raises:
        Refusal: another contract (NOT_GRANTED), or the list has expired (EXPIRED).
        PartyError: it has no name, was deleted, or its dataset has other people now.
        ResultError: it was changed after it was made.
    """
    if contract.digest != found.request.contract:
        raise Refusal(
            RefusalStatus.NOT_GRANTED,
            message(
                "the list {title} was made under contract {contract}…, and {id} "
                "is another: a refresh is under the same. Make a new list with "
                "`commonground match`",
                title=found.title,
                contract=found.request.contract[:12],
                id=contract.id,
            ),
        )
    with Lists(party).kept_still(found.request.id) as found:
        found.require_whole(party.now)
    if found.name is None:
        raise PartyError(
            message(
                "only a list that has a name is refreshed: give it one with "
                "`commonground lists name {title} NAME`",
                title=found.title,
            )
        )
    Lists(party).require_same_people(found)
    receiver = found.request.roles[RECEIVER]
    return Request.match(
        contract,
        requester=receiver,
        receiver=receiver,
        sender=found.peer,
        now=party.now,
        use=found.use,
        datasets=found.request.datasets,
        parameters=found.request.parameters,
    )


@dataclass(frozen=True)
class TableChoice:
    """What a table lets a person choose: who has which role, and whose labels count.

    `identifier` is the one type that takes part in a lift, and in a table of three; `timing` is for
    attribution and delay. `attribute` is a label of `third`, the third party.
    """

    kind: OutputKind
    recipient: str | None = None
    tabulator: str | None = None
    segment: str | None = None
    by: str | None = None
    identifier: str | None = None
    timing: TimingChoice | None = None
    third: str | None = None
    attribute: str | None = None
    third_dataset: str | None = None


def table_request(
    party: Organisation, contract: Contract, table: TableChoice, choice: Choice
) -> Request:
    """Return the request for a table; this party is the recipient unless others are named.

    Raises:
        ContractError: a name is no party's, or several are possible.
        Refusal: the contract does not grant it.
        UnsuitableLabels: the report cannot be computed from the labels.
        PartyError: one identifier is chosen for what is counted by all, or a third party's label
            without the third party.
    """
    me = contract.me(party.identity)
    roles = _roles_of(contract, me, table)
    recipient, tabulator, third = roles[RECIPIENT], roles[TABULATOR], roles.get(THIRD)
    _require_fitting(table, third)
    datasets = choice.datasets(me, tabulator if recipient == me else recipient)
    if third is not None and table.third_dataset is not None:
        datasets = {**datasets, third: table.third_dataset}
    segment, by, attribute = table.segment, table.by, table.attribute
    profiled = table.kind is OutputKind.INSIGHTS and third is not None
    if table.kind in _COUNTED_BY and by is None and not profiled:
        by = _only_label(contract, tabulator, datasets, "--by", "to count by")
    if table.kind in _SPLIT_BY and segment is None:
        segment = _only_label(contract, recipient, datasets, "--segment", "to split by")
    if third is not None and table.kind is not OutputKind.CROSS_CHANNEL and attribute is None:
        attribute = _only_label(contract, third, datasets, "--attribute", "to split by")
    parameters = choice.parameters()
    if table.timing is not None:
        counted = _terms_of(contract, tabulator, datasets)
        granted = contract.output(table.kind, roles).moment_terms
        parameters = table.timing.applied(parameters, counted.most_identifiers, granted)
    request = Request.crosstab(
        contract,
        table.kind,
        requester=me,
        tabulator=tabulator,
        recipient=recipient,
        third=third,
        now=party.now,
        labels={recipient: segment, tabulator: by, **({third: attribute} if third else {})},
        datasets=datasets,
        parameters=parameters,
        identifier=table.identifier,
    )
    require_suitable(
        str(table.kind),
        request.labels[tabulator].values,
        None if third is None else request.labels[third].values,
    )
    return request


def _roles_of(contract: Contract, me: str, table: TableChoice) -> dict[str, str]:
    """Return who has which role; of two parties that are left for two roles, by their order."""
    third = table.third
    if third is None and table.kind is not OutputKind.CROSS_CHANNEL:
        recipient, tabulator = _roles(contract, me, table.recipient, table.tabulator)
        return {TABULATOR: tabulator, RECIPIENT: recipient}
    recipient = table.recipient or me
    for name in (recipient, table.tabulator, third):
        if name is not None:
            _require_party(contract, name)
    left = [name for name in contract.parties if name not in (recipient, table.tabulator, third)]
    tabulator = table.tabulator or (left.pop(0) if left else recipient)
    third = third or (left.pop(0) if left else recipient)
    if left or len({recipient, tabulator, third}) != len((TABULATOR, RECIPIENT, THIRD)):
        raise ContractError(
            message(
                "a table of three is between three parties, and contract {id} "
                "has {parties}: say who counts with --tabulator and who is the "
                "third with --third",
                id=contract.id,
                parties=", ".join(contract.parties),
            )
        )
    return {TABULATOR: tabulator, RECIPIENT: recipient, THIRD: third}


def _require_fitting(table: TableChoice, third: str | None) -> None:
    """Raise PartyError where a choice is given that the table would not have."""
    if table.identifier is not None and table.kind is not OutputKind.LIFT and third is None:
        raise PartyError(
            message(
                "only a lift and tables of three are asked for by one identifier "
                "type, and no {kind} of two",
                kind=table.kind,
            )
        )
    if third is None and (table.attribute, table.third_dataset) != (None, None):
        raise PartyError(
            message("an attribute and its dataset are a third party's: name it with --third")
        )


def _require_party(contract: Contract, name: str) -> None:
    if name not in contract.parties:
        raise ContractError(
            message(
                "'{name}' is no party of contract {id}: it is between {parties}",
                name=name,
                id=contract.id,
                parties=", ".join(contract.parties),
            )
        )


def _roles(contract: Contract, me: str, first: str | None, second: str | None) -> tuple[str, str]:
    """Return the holders of the asker's usual role and of the other one."""
    for name in (first, second):
        if name is not None:
            _require_party(contract, name)
    if first is None:
        first = me if second != me else _only_other(contract, me)
    return first, second or (_only_other(contract, me) if first == me else me)


def _only_other(contract: Contract, me: str) -> str:
    others = contract.counterparts(me)
    if len(others) != 1:
        raise ContractError(
            message(
                "contract {id} has several counterparts ({others}): name one",
                id=contract.id,
                others=", ".join(others),
            )
        )
    return others[0]


def _terms_of(contract: Contract, party: str, datasets: Mapping[str, str]) -> DatasetTerms:
    return contract.dataset(party, _dataset_of(contract, party, datasets))


def _dataset_of(contract: Contract, party: str, datasets: Mapping[str, str]) -> str:
    """Return the dataset that was named, or the first; the request asks which where it matters."""
    return datasets.get(party) or next(iter(contract.datasets[party]))


def _only_label(
    contract: Contract, party: str, datasets: Mapping[str, str], option: str, use: str
) -> str:
    """Return the one label of a party's dataset, or ask which."""
    name = _dataset_of(contract, party, datasets)
    labels = contract.dataset(party, name).labels
    if len(labels) != 1:
        raise ContractError(
            message(
                "say with {option} which label of {party} {use}: {value} in its dataset {name}",
                option=option,
                party=party,
                use=use,
                value=", ".join(labels) or "none",
                name=name,
            )
        )
    return next(iter(labels))
