"""A quote in plain words, in a language: how good the numbers will be, and what they cost.

A quote rests on this party's own sizes: it is for the eyes of whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from client.quoting import Quoted
from client.request_words import ROLES, moment
from client.scheduling import SeriesQuote
from client.units import shown_bytes, shown_seconds
from languages import Language
from party.ledger import Balance
from party.terms import Terms
from privacy.accounting import Spend
from privacy.errors import BudgetExhausted
from privacy.units import format_delta, format_epsilon
from reports.laws import NORMAL_QUANTILE
from reports.match_quote import MatchQuote
from reports.quote import PartyCharge, Quote


@dataclass(frozen=True)
class Paid:
    """What one party's people pay: ε and δ as exact text."""

    party: str
    role: str
    epsilon: str
    delta: str


@dataclass(frozen=True)
class Account:
    """The account that pays here, before and after; `short` is whether it does not suffice."""

    population: str
    budget: str
    before: str
    after: str
    delta_before: str
    delta_after: str
    renews: str
    held: str | None
    short: bool


@dataclass(frozen=True)
class Window:
    """What runs of a series cost here in one window; `short` is whether it does not suffice."""

    until: str
    runs: str
    epsilon: str
    delta: str
    before: str
    after: str
    short: bool


@dataclass(frozen=True)
class OfType:
    """How good the table of one identifier type will be, and who of one's own people has it."""

    type: str
    coverage: str
    private: str
    shareable: str


def types_of(quotes: Sequence[Quoted], _: Language) -> list[OfType]:
    """Return how good the tables of an overlap by identifier will be, one for each type."""
    return [
        OfType(
            kind,
            f"{one.holding.coverage[kind]:.0%}",
            _.number(round(one.figures.private.half_width)),
            _.number(round(one.figures.shareable.half_width)),
        )
        for one in quotes
        for kind in one.request.identifiers
        if isinstance(one.figures, Quote)
    ]


def quality_of(quoted: Quoted, _: Language) -> Iterator[str]:
    """Yield how exact the numbers will be, or what a match discloses."""
    figures = quoted.figures
    if isinstance(figures, MatchQuote):
        yield _("The receiver learns which of its people the sender has: that is a disclosure.")
        yield _(
            "With {common} or more identifiers in common the minimum holds for certain.",
            common=_.number(figures.sufficient_common),
        )
        return
    yield _(
        "Each of the {cells} numbers will be within ± {private} of the truth 19 times out of 20, "
        "for your own eyes.",
        cells=_.number(figures.cells),
        private=_.number(round(figures.private.half_width)),
    )
    yield _(
        "In what you pass on it is ± {shareable}.",
        shareable=_.number(round(figures.shareable.half_width)),
    )
    yield _(
        "Likely too small to be shown: {private} of them, and {shareable} in what you pass on.",
        private=_.number(figures.suppressed_private),
        shareable=_.number(figures.suppressed_shareable),
    )
    errors = quoted.value_errors
    if errors is not None:
        private, shareable = (_.number(round(NORMAL_QUANTILE * error)) for error in errors)
        yield _(
            "The value of a label will be within ± {private}, and ± {shareable} in what you pass "
            "on; rounding to bounds adds to it.",
            private=private,
            shareable=shareable,
        )


def work_of(quotes: Sequence[Quoted], _: Language) -> Iterator[str]:
    """Yield how much has to be sent and computed, for requests that are asked together."""
    yield _(
        "About {size} go over the network, and the work takes {time}.",
        size=shown_bytes(sum(one.figures.wire_bytes for one in quotes)),
        time=shown_seconds(sum(one.figures.seconds for one in quotes)),
    )
    for touching in [one.touching for one in quotes if one.touching is not None]:
        yield _(
            "About {keys} keys for each touched person; {most} at most, later ones are left out.",
            keys=_.number(round(touching.keys_a_person)),
            most=_.number(touching.most_keys),
        )


def paid_by(quotes: Sequence[Quoted], _: Language) -> list[Paid]:
    """Return what each party's people pay for all of them: requests of the same parties."""
    return [
        Paid(
            party,
            _(ROLES[role]),
            format_epsilon(sum(one.epsilon_nano for one in _charges(quotes, role))),
            format_delta(sum(one.delta_e15 for one in _charges(quotes, role))),
        )
        for role, party in quotes[0].request.roles.items()
    ]


def paid_for_all(quote: SeriesQuote, _: Language) -> list[Paid]:
    """Return what each party's people pay for all runs of a series."""
    return [
        Paid(one.party, one.role, format_epsilon(spend.epsilon_nano), format_delta(spend.delta_e15))
        for one in paid_by([quote.each], _)
        for spend in (quote.charges[one.party],)
    ]


def windows_of(quote: SeriesQuote, _: Language) -> list[Window]:
    """Return what is held of this party's budget for a series, by window."""
    return [
        Window(
            until=moment(one.balance.renews_at, _),
            runs=_.number(one.runs),
            epsilon=format_epsilon(one.spend.epsilon_nano),
            delta=format_delta(one.spend.delta_e15),
            before=format_epsilon(one.balance.left[0]),
            after=format_epsilon(_after(one.balance, one.spend).left[0]),
            short=one.balance.closed or not _fits(one.balance, one.spend),
        )
        for one in quote.windows
    ]


def _charges(quotes: Sequence[Quoted], role: str) -> list[PartyCharge]:
    return [charge for one in quotes for charge in one.figures.charges if charge.role == role]


def account_of(quotes: Sequence[Quoted], _: Language) -> Account:
    """Return how the account that pays here for all of them stands before and after."""
    balance = quotes[0].balance
    spend = sum((Terms.of(one.request).spend_of(one.me) for one in quotes), Spend())
    before, then = balance.left, _after(balance, spend).left
    held = balance.held.epsilon_nano
    return Account(
        population=balance.account.population,
        budget=format_epsilon(balance.allowance.epsilon_nano),
        before=format_epsilon(before[0]),
        after=format_epsilon(then[0]),
        delta_before=format_delta(before[1]),
        delta_after=format_delta(then[1]),
        renews=moment(balance.renews_at, _),
        held=format_epsilon(held) if held else None,
        short=balance.closed or not _fits(balance, spend),
    )


def _after(balance: Balance, spend: Spend) -> Balance:
    return replace(balance, spent=balance.spent + spend)


def _fits(balance: Balance, spend: Spend) -> bool:
    try:
        balance.allowance.rule.admit(balance.spent + balance.held, spend)
    except BudgetExhausted:
        return False
    return True


def coverage_of(quoted: Quoted, _: Language) -> str:
    """Say how many of this party's people have each identifier."""
    shares = ", ".join(f"{kind} {share:.0%}" for kind, share in quoted.holding.coverage.items())
    return _("Your people by identifier, in the contract's order: {shares}.", shares=shares)
