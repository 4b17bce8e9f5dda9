"""What a request would cost and how exact it would be; nothing is sent and nothing is spent."""

from __future__ import annotations

from client.asking import Choice, TableChoice
from client.by_identifier import plan, quote_all
from client.guess import MATCH_RATE, Guess, People
from client.quoting import quote_for
from client.sdk.asking import (
    ATTRIBUTION,
    CROSS_CHANNEL,
    DELAY,
    FUNNEL,
    INSIGHTS,
    LIFT,
    OVERLAP,
    REACH,
    TABLE,
    Asked,
    ListChoice,
    in_force,
)
from client.sdk.by_identifier import QuoteByIdentifier
from client.sdk.conversions import Time, timing_of
from client.sdk.results import Quote
from client.timing import LOOKBACK_DAYS, SLOT_MINUTES
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
        their_people: People | None = None,
        suppression_runs: int | None = None,
        use: str | None = None,
    ) -> Quote:
        """Quote a list; raises what `Party.match` does before it begins."""
        choice = Choice(dataset, their_dataset, None, epsilon, delta)
        wanted = ListChoice(receiver, use, suppression_runs)
        asked = Asked.list_(self._party, contract, wanted, choice)
        return self._quote(asked, Guess(their_people))

    def reach(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        identifier: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote a reach table; raises what `Party.reach` does before it begins."""
        table = TableChoice(
            REACH,
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def overlap(
        self,
        segment: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        identifier: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote an overlap table; raises what `Party.overlap` does before it begins."""
        table = TableChoice(
            OVERLAP,
            recipient,
            tabulator,
            segment,
            identifier=identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def insights(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        identifier: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote an insights table; raises what `Party.insights` does before it begins."""
        table = TableChoice(
            INSIGHTS,
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def funnel(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        identifier: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote a funnel; raises what `Party.funnel` does before it begins."""
        table = TableChoice(
            FUNNEL,
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def lift(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        identifier: str | None = None,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote a lift; raises what `Party.lift` does before it begins."""
        table = TableChoice(
            LIFT,
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def cross_channel(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        identifier: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote reach of two channels; raises what `Party.cross_channel` does before it begins."""
        table = TableChoice(
            CROSS_CHANNEL,
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def table(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        identifier: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote a table; raises what `Party.table` does before it begins."""
        table = TableChoice(
            TABLE,
            recipient,
            tabulator,
            segment,
            by,
            identifier,
            third=third,
            attribute=attribute,
            third_dataset=third_dataset,
        )
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def attribution(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        start: Time,
        end: Time,
        room: int,
        slot_minutes: int = SLOT_MINUTES,
        lookback_days: int = LOOKBACK_DAYS,
        most_conversions: int = 1,
        most_keys: int | None = None,
        epsilon_people: str | None = None,
        recipient: str | None = None,
        tabulator: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote an attribution; raises what `Party.attribution` does before it begins."""
        timing = timing_of(
            start, end, room, slot_minutes, lookback_days, most_conversions, most_keys,
            epsilon_people,
        )  # fmt: skip
        table = TableChoice(ATTRIBUTION, recipient, tabulator, segment, by, timing=timing)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def delay(
        self,
        segment: str | None = None,
        by: str | None = None,
        *,
        start: Time,
        end: Time,
        room: int,
        slot_minutes: int = SLOT_MINUTES,
        lookback_days: int = LOOKBACK_DAYS,
        most_conversions: int = 1,
        most_keys: int | None = None,
        recipient: str | None = None,
        tabulator: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> Quote:
        """Quote a delay; raises what `Party.delay` does before it begins."""
        timing = timing_of(
            start, end, room, slot_minutes, lookback_days, most_conversions, most_keys
        )
        table = TableChoice(DELAY, recipient, tabulator, segment, by, timing=timing)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return self._quote(asked, Guess(their_people, match_rate))

    def overlap_by_identifier(
        self,
        *,
        recipient: str | None = None,
        tabulator: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> QuoteByIdentifier:
        """Quote an overlap table for each identifier type; raises what `overlap` does."""
        agreed = in_force(self._party, contract)
        table = TableChoice(OVERLAP, recipient, tabulator)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        guess = Guess(their_people, match_rate)
        return QuoteByIdentifier(
            quote_all(self._party, plan(self._party, agreed, table, choice), guess)
        )

    def _quote(self, asked: Asked, guess: Guess) -> Quote:
        return Quote(quote_for(self._party, asked.contract, asked.request, guess))
