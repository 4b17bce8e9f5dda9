"""A contract in plain words, in a language: who, what is granted to whom, and what it may cost.

A term is a sentence under a heading and a name, so that two versions are compared term by term.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from client.documents.parts import BASES, KINDS
from languages import Language, message
from party.contract import Contract
from party.contract_terms import (
    AccountingFilter,
    Approval,
    DatasetTerms,
    Grant,
    ListUse,
    OutputKind,
)
from party.places import EEA
from psi.legs import RECEIVER, RECIPIENT, SENDER, TABULATOR, THIRD

WHO: Final = message("Who")
GRANTED: Final = message("What may be made, and who learns what")
OFFERED: Final = message("What each offers")
COST: Final = message("What it may cost")
LIMITS: Final = message("What is not shown")
KEPT: Final = message("How long things are kept")
MATCHED: Final = message("How people are matched")
WHEN: Final = message("When it holds")
BORDERS: Final = message("What crosses a border")
_FILTERS: Final = {
    AccountingFilter.BASIC: message("ε and δ are added up"),
    AccountingFilter.ZCDP: message("added up by zero-concentrated differential privacy"),
}
_MOST_VALUES: Final = 6


@dataclass(frozen=True)
class Term:
    """One term: where it stands, what it is called there, and what it says."""

    heading: str
    name: str
    said: str


@dataclass(frozen=True)
class Change:
    """A term that differs: what it said before and says now, None where it is not there."""

    heading: str
    name: str
    before: str | None
    after: str | None


def terms_of(contract: Contract, _: Language) -> list[Term]:
    """Return what a contract says, term by term, in the order in which people ask."""
    parts = (
        (GRANTED, _granted(contract, _)),
        (OFFERED, _offered(contract, _)),
        (COST, _cost(contract, _)),
        (LIMITS, _limits(contract, _)),
        (KEPT, _kept(contract, _)),
        (WHEN, _when(contract, _)),
        (BORDERS, _borders(contract, _)),
        (MATCHED, _matched(contract, _)),
        (WHO, _who(contract, _)),
    )
    return [Term(_(heading), *one) for heading, found in parts for one in found]


def changes_between(before: Contract, after: Contract, _: Language) -> list[Change]:
    """Return the terms that differ, in the order of the later version, what is gone last."""
    old = {(one.heading, one.name): one.said for one in terms_of(before, _)}
    new = {(one.heading, one.name): one.said for one in terms_of(after, _)}
    return [
        Change(*key, old.get(key), new.get(key))
        for key in dict.fromkeys([*new, *old])
        if old.get(key) != new.get(key)
    ]


def grant_in_words(contract: Contract, grant: Grant, _: Language) -> str:
    """Say who learns what by a grant, for which purpose, and who says yes to it."""
    sentences = [
        _learnt(contract, grant, _),
        _(
            "For {purpose}; {approval}.",
            purpose=grant.purpose,
            approval=_(APPROVALS[grant.approval]),
        ),
        *_of_its_list(grant, _),
        *_of_its_moments(grant, _),
    ]
    return _.space.join(sentences)


APPROVALS: Final = {
    Approval.RULE: message("runs without asking"),
    Approval.MANUAL: message("asks a person each time"),
}


def _learnt(contract: Contract, grant: Grant, _: Language) -> str:
    roles = grant.roles
    if grant.kind is OutputKind.MATCH:
        return _(
            "{receiver} learns which of its own people {sender} has too, if there are at least "
            "{minimum}.",
            receiver=roles[RECEIVER],
            sender=roles[SENDER],
            minimum=_.number(contract.min_match),
        )
    if THIRD in roles:
        return _(
            "{recipient} gets a table of noisy counts with the labels of {third}, counted by "
            "{tabulator}; nobody learns who.",
            recipient=roles[RECIPIENT],
            tabulator=roles[TABULATOR],
            third=roles[THIRD],
        )
    return _(
        "{recipient} gets a table of noisy counts, counted by {tabulator}; nobody learns who.",
        recipient=roles[RECIPIENT],
        tabulator=roles[TABULATOR],
    )


USES: Final[dict[tuple[ListUse, ...], str]] = {
    (ListUse.INCLUDE,): message("include"),
    (ListUse.EXCLUDE,): message("exclude"),
}


def _of_its_list(grant: Grant, _: Language) -> Iterator[str]:
    if grant.kind is OutputKind.MATCH:
        yield _(
            "Its list is to {uses}, and may be taken to {platforms}.",
            uses=USES.get(grant.uses, message("include or exclude")),
            platforms=", ".join(grant.export_to) or message("no platform"),
        )


def _of_its_moments(grant: Grant, _: Language) -> Iterator[str]:
    if not grant.kind.is_timed:
        return
    terms = grant.moment_terms
    yield _(
        "At most {conversions} conversions of a person count, with {keys} keys for each and each "
        "identifier, and touches of {days} days.",
        conversions=terms.most_conversions,
        keys=terms.keys_a_conversion,
        days=terms.lookback_days,
    )


def _granted(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    for grant in contract.outputs:
        holders = ", ".join(grant.roles.values())
        name = _("{kind} ({holders})", kind=_(KINDS[grant.kind]), holders=holders)
        yield name, grant_in_words(contract, grant, _)


def _offered(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    for party, datasets in contract.datasets.items():
        for name, terms in datasets.items():
            yield f"{party}: {name}", _offer(terms, _)


def _offer(terms: DatasetTerms, _: Language) -> str:
    said = _(
        "People by {types}, at most {most} identifiers each.",
        types=", ".join(terms.identifiers),
        most=terms.most_identifiers,
    )
    labels = [f"{label} ({_few(values, _)})" for label, values in terms.labels.items()]
    if not labels:
        return said + _.space + _("No label may be counted.")
    return said + _.space + _("Labels that may be counted: {labels}.", labels="; ".join(labels))


def _few(values: Sequence[str], _: Language) -> str:
    more = len(values) - _MOST_VALUES
    shown = ", ".join(values[:_MOST_VALUES])
    return shown if more <= 0 else _("{shown} and {more} more", shown=shown, more=more)


def _cost(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    for party, budget in contract.budgets.items():
        yield (
            _("people of {party}", party=party),
            _(
                "At most ε {epsilon} and δ {delta} in {days} days, over everything that runs; "
                "{filter}.",
                epsilon=budget.epsilon,
                delta=budget.delta,
                days=contract.window_days,
                filter=_(_FILTERS[contract.filter]),
            ),
        )


def _limits(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    yield (
        _("small lists"),
        _("A match of fewer than {people} people makes no list.",
          people=_.number(contract.min_match)),
    )  # fmt: skip
    yield (
        _("small counts"),
        _("A count below {cell} is not shown.", cell=_.number(contract.min_cell)),
    )


def _kept(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    yield _("lists"), _("{days} days after their request", days=contract.list_expiry_days)
    replay, days = contract.replay_days, contract.retention_days
    yield (
        _("the rest of a session"),
        _("{days} days after it", days=days)
        if replay is None
        else _("{days} days after it, so that it can be repeated until then", days=replay),
    )
    result = contract.result_days
    yield (
        _("numbers and tables"),
        _("without an end") if result is None else _("{days} days", days=result),
    )
    yield (
        _("consent"),
        _("read at most {hours} hours before a session", hours=contract.consent_max_age_hours),
    )
    if contract.suppression_days is not None:
        days = contract.suppression_days
        yield _("who withdraws"), _("is off lists within {days} days", days=days)


def _when(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    yield _("from"), _moment(contract.starts, _)
    yield _("until"), _moment(contract.ends, _)


def _borders(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    if all(card.places is None for card in contract.parties.values()):
        yield (
            _("not declared"),
            _("Nobody has said where its data lies, so a transfer would not be noticed."),
        )
    elif not contract.transfers:
        yield _("nothing"), _("By what the parties declared, no data crosses a border.")
    for one in contract.transfers:
        crossing = one.crossing
        area = _("European Economic Area") if crossing.out_of == EEA else crossing.out_of
        until = "" if one.until is None else _(", until {moment}", moment=_moment(one.until, _))
        yield (
            _("{sender} to {receiver}, out of {area}", sender=crossing.sender,
              receiver=crossing.receiver, area=area),
            f"{_(BASES[one.basis])}: {one.reference}{until}",
        )  # fmt: skip


def _matched(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    yield _("in this order"), ", ".join(contract.identifiers)
    yield _("normalised by"), _("profile {version}", version=contract.profile.version)
    yield (
        _("Gmail addresses"),
        _("dots and +tag mean nothing") if contract.profile.gmail else _("as they are written"),
    )


def _who(contract: Contract, _: Language) -> Iterator[tuple[str, str]]:
    for name, card in contract.parties.items():
        reached = _("only dials") if card.address is None else _("reached at {at}", at=card.address)
        places = card.places
        law = (
            _("not declared where its data lies")
            if places is None
            else _("law of {law}, data in {places}", law=places.jurisdiction,
                   places=", ".join(places.storage))
        )  # fmt: skip
        yield name, f"{card.organisation}; {reached}; {law}; {card.fingerprint}"


def _moment(seconds: int, _: Language) -> str:
    return _.moment(datetime.fromtimestamp(seconds, UTC))
