"""What a request would cost and how exact it would be; nothing is sent and nothing is spent."""

from __future__ import annotations

from client.asking import Choice, TableChoice
from client.quoting import MATCH_RATE, Guess, quote_for
from client.sdk.asking import OVERLAP, REACH, Asked
from client.sdk.results import Quote
from party.organisation import Organisation


class Quotes:
    """`commonground quote`: the arguments are those of the verbs, and what you expect."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def match(
        self,
        receiver: str | None = None,
        *,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        delta: str | None = None,
        their_people: int | None = None,
    ) -> Quote:
        """Quote a list; raises what `Party.match` does before it begins."""
        choice = Choice(dataset, their_dataset, None, epsilon, delta)
        asked = Asked.list_(self._party, contract, receiver, choice)
        return self._quote(asked, Guess(their_people))

    def reach(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: int | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote a reach table; raises what `Party.reach` does before it begins."""
        table = TableChoice(REACH, recipient, tabulator, segment, by)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def overlap(
        self,
        segment: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: int | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote an overlap table; raises what `Party.overlap` does before it begins."""
        table = TableChoice(OVERLAP, recipient, tabulator, segment)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def _quote(self, asked: Asked, guess: Guess) -> Quote:
        return Quote(quote_for(self._party, asked.contract, asked.request, guess))
