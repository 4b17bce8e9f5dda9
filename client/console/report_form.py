"""The form of a new report: which grant of which contract, by which labels, at what ε.

A grant fixes the kind and who has which role, so a form has no question about them. What is chosen
travels as fields, from the form to the quote and from the quote to the request, and is read in the
same way each time. A label is named with its dataset (`households/region`), for a dataset alone
ends in `/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from client.asking import Choice, TableChoice, list_naming, match_request, table_request
from client.by_identifier import TypeRequests, plan
from client.contract_words import grant_in_words
from client.documents.parts import KINDS
from client.guess import MATCH_RATE, Guess
from client.timing import TimeOptions
from languages import Language, message
from party.contract import Contract
from party.contract_terms import Grant, ListUse, OutputKind
from party.errors import PartyError
from party.list_names import Naming
from party.organisation import Organisation
from party.request import Request
from psi.legs import RECEIVER, RECIPIENT, TABULATOR, THIRD

FIELDS: Final = (
    "contract", "grant", "by_identifier", "identifier", "epsilon", "epsilon_dummies", "delta",
    "start", "end", "room", "slot_minutes", "lookback_days", "most_conversions", "most_keys",
    "epsilon_people", "use", "name", "suppression_runs", "match_rate",
)  # fmt: skip
"""Fields of the form beside a label and a number of people for each party."""
LABEL, PEOPLE = "label-", "people-"
_Usual = TypeVar("_Usual", int, None)
_MOST: Final = 200
"""Letters of a field."""


@dataclass(frozen=True)
class Offered:
    """A grant that this party may ask under: its place in the contract, and what it says."""

    contract: Contract
    number: int
    grant: Grant
    kind: str
    said: str

    @property
    def by_type(self) -> bool:
        """Whether it may be asked for by identifier type, of which there are several."""
        return may_be_by_type(self.grant) and len(self.contract.identifiers) > 1


@dataclass(frozen=True)
class Typed:
    """What was typed: a field that was left empty is not there.

    `labels` and `people` are by party.
    """

    values: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Typed:
        """Read the fields of a form or of an address.

        Raises:
            PartyError: one is too long.
        """
        texts = {name: one.strip() for name, one in given.items() if isinstance(one, str)}
        for name, text in texts.items():
            if len(text) > _MOST or len(name) > _MOST:
                raise PartyError(
                    message(
                        "the field {name} has more than {most} letters",
                        name=name[:20],
                        most=_MOST,
                    )
                )
        return cls(
            {name: texts[name] for name in FIELDS if texts.get(name)},
            _beginning(texts, LABEL),
            _beginning(texts, PEOPLE),
        )

    @property
    def fields(self) -> dict[str, str]:
        """All of it as the fields of a form."""
        return {
            **self.values,
            **{LABEL + party: text for party, text in self.labels.items()},
            **{PEOPLE + party: text for party, text in self.people.items()},
        }

    def get(self, name: str, usual: str = "") -> str:
        """Return one field."""
        return self.values.get(name, usual)

    def number(self, name: str, usual: _Usual) -> int | _Usual:
        """Return a whole number, or what is usual; PartyError where it is none."""
        text = self.values.get(name)
        if text is None:
            return usual
        if not (text.isascii() and text.isdigit()) or len(text) > len("1000000000000"):
            raise PartyError(
                message(
                    "{name} is '{text}': write a whole number",
                    name=name,
                    text=text[:40],
                )
            )
        return int(text)

    def guess(self) -> Guess:
        """Return what the asker expects of the others; PartyError where it cannot be read."""
        stated = [f"{name}={text}" for name, text in self.people.items()]
        try:
            rate = float(self.get("match_rate", str(100 * MATCH_RATE))) / 100
        except ValueError:
            raise PartyError(
                message("the share of people that is found is a number of percent")
            ) from None
        return Guess.of(stated or None, rate)


@dataclass(frozen=True)
class ReportForm:
    """A form that was filled in, with the contract and the grant that it is under."""

    contract: Contract
    grant: Grant
    me: str
    typed: Typed

    @classmethod
    def of(cls, party: Organisation, typed: Typed) -> ReportForm:
        """Return the form under the contract and the grant that it names.

        Raises:
            ContractError: there is no such contract, or it is not in force.
            PartyError: the contract has no such grant, or it is not made by identifier type.
        """
        contract = party.contract(typed.get("contract"))
        contract.require_in_force(party.now)
        number = typed.number("grant", 0)
        if number >= len(contract.outputs):
            raise PartyError(
                message(
                    "contract {id} has no grant {number}",
                    id=contract.id,
                    number=number,
                )
            )
        form = cls(contract, contract.outputs[number], contract.me(party.identity), typed)
        if form.by_type and not may_be_by_type(form.grant):
            raise PartyError(message("only an overlap of two parties is made by identifier type"))
        return form

    @property
    def is_list(self) -> bool:
        """Whether it makes a list."""
        return self.grant.kind is OutputKind.MATCH

    @property
    def by_type(self) -> bool:
        """Whether it is one table for each identifier type."""
        return self.typed.get("by_identifier") == "yes"

    @property
    def others(self) -> tuple[str, ...]:
        """The other parties of the request."""
        return tuple(one for one in self.grant.roles.values() if one != self.me)

    def moment(self, name: str) -> str:
        """Return a field that is a time as a field of date and time has it."""
        text = self.typed.get(name)
        return f"{text}T00:00" if len(text) == len("2026-01-01") else text

    def question_of(self, party: str, _: Language) -> str:
        """Return what is asked of a party: its label, or its dataset alone."""
        if self._is_counted_by_label(party):
            mine, theirs = _("By which label of yours"), _("By which label of {party}", party=party)
        else:
            mine, theirs = _("Which dataset of yours"), _("Which dataset of {party}", party=party)
        return mine if party == self.me else theirs

    def labels_of(self, party: str, _: Language) -> list[tuple[str, str]]:
        """Return what of a party may be counted by, or its datasets alone, as (value, text)."""
        found = []
        datasets = self.contract.datasets[party]
        if not self._is_counted_by_label(party):
            return [(f"{dataset}/", dataset) for dataset in datasets]
        for dataset, terms in datasets.items():
            before = f"{dataset}: " if len(datasets) > 1 else ""
            found += [
                (f"{dataset}/{label}", f"{before}{label} ({_few(values)})")
                for label, values in terms.labels.items()
            ]
            found.append((f"{dataset}/", before + _("no label: everybody together")))
        return found

    def _is_counted_by_label(self, party: str) -> bool:
        """Say whether a label of a party counts; of an overlap the recipient's segments it."""
        if self.is_list or self.by_type:
            return False
        return self.grant.kind is not OutputKind.OVERLAP or party != self.grant.roles[TABULATOR]

    def request(self, party: Organisation) -> Request:
        """Return the request; nothing is filed.

        Raises:
            Refusal, ContractError, PartyError, PrivacyError: what was chosen does not serve.
            UnsuitableLabels: the report cannot be computed from the labels.
        """
        if self.by_type:
            raise PartyError(
                message("by identifier type it is several requests, which are asked together")
            )
        table, choice = self._chosen()
        if table is not None:
            return table_request(party, self.contract, table, choice)
        use, runs = self.typed.get("use"), self.typed.number("suppression_runs", None)
        if use and use not in set(ListUse):
            raise PartyError(
                message(
                    "use is '{use}': a list is to {listuse} people",
                    use=use[:40],
                    listuse=" or to ".join(ListUse),
                )
            )
        wanted = ListUse(use) if use else None
        return match_request(party, self.contract, self.grant.roles[RECEIVER], choice, wanted, runs)

    def types(self, party: Organisation, key: str | None = None) -> TypeRequests:
        """Return the requests of an overlap by identifier; see `client.by_identifier.plan`."""
        table, choice = self._chosen()
        if table is None or not self.by_type:
            raise PartyError(message("only an overlap of two parties is made by identifier type"))
        return plan(party, self.contract, table, choice, key=key)

    def _chosen(self) -> tuple[TableChoice | None, Choice]:
        """Return what was chosen; a list has no table."""
        party_labels = {name: self.typed.labels.get(name, "") for name in self.grant.roles.values()}
        datasets = {name: text.partition("/")[0] for name, text in party_labels.items()}
        chosen = {name: text.partition("/")[2] for name, text in party_labels.items()}
        typed, roles, peer = self.typed, self.grant.roles, self._peer()
        choice = Choice(
            datasets.get(self.me) or None,
            datasets.get(peer) or None,
            typed.get("epsilon") or None,
            typed.get("epsilon_dummies") or None,
            typed.get("delta") or None,
        )
        if self.is_list:
            return None, replace(choice, epsilon=None)
        third = roles.get(THIRD)
        table = TableChoice(
            self.grant.kind,
            roles[RECIPIENT],
            roles[TABULATOR],
            chosen[roles[RECIPIENT]] or None,
            chosen[roles[TABULATOR]] or None,
            typed.get("identifier") or None,
            self._times().chosen(self.grant.kind),
            third,
            None if third is None else chosen[third] or None,
            None if third is None else datasets[third] or None,
        )
        return table, choice

    def naming(self, party: Organisation, request: Request) -> Naming | None:
        """Return what a list is to be called; PartyError where the name does not serve."""
        name = self.typed.get("name") or None
        return list_naming(party, request, name) if self.is_list else None

    def _peer(self) -> str:
        roles = self.grant.roles
        if self.is_list:
            return next(name for name in roles.values() if name != self.me)
        recipient = roles[RECIPIENT]
        return roles[TABULATOR] if recipient == self.me else recipient

    def _times(self) -> TimeOptions:
        if not self.grant.kind.is_timed:
            return TimeOptions()
        typed, usual = self.typed, TimeOptions()
        return TimeOptions(
            typed.get("start") or None,
            typed.get("end") or None,
            typed.number("room", None),
            typed.number("slot_minutes", usual.slot_minutes),
            typed.number("lookback_days", usual.lookback_days),
            typed.number("most_conversions", usual.most_conversions),
            typed.number("most_keys", None),
            typed.get("epsilon_people") or None,
        )


def may_be_by_type(grant: Grant) -> bool:
    """Say whether a grant may be asked for by identifier type."""
    return grant.kind is OutputKind.OVERLAP and THIRD not in grant.roles


def offered_to(party: Organisation, contracts: list[Contract], _: Language) -> Iterator[Offered]:
    """Yield the grants of contracts that this party may ask under, in their order.

    A table of three is asked by its recipient, who connects the others.
    """
    for contract in contracts:
        me = contract.me(party.identity)
        for number, grant in enumerate(contract.outputs):
            roles = grant.roles
            if me not in roles.values() or (THIRD in roles and roles.get(RECIPIENT) != me):
                continue
            said = _(KINDS[grant.kind])
            kind = said[:1].upper() + said[1:]
            yield Offered(contract, number, grant, kind, grant_in_words(contract, grant, _))


def _beginning(texts: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): text
        for name, text in texts.items()
        if name.startswith(prefix) and text
    }


def _few(values: tuple[str, ...], most: int = 4) -> str:
    more = "" if len(values) <= most else ", …"
    return ", ".join(values[:most]) + more
