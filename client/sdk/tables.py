"""The reports of one table each: a verb for each kind."""

from __future__ import annotations

from collections.abc import Callable

from client.asking import Choice, TableChoice
from client.cancelling import CancelToken
from client.sdk.asking import CROSS_CHANNEL, FUNNEL, INSIGHTS, LIFT, OVERLAP, REACH, TABLE, Asked
from client.sdk.calls import Calls
from client.sdk.results import Report
from party.driver import Progress
from party.organisation import Organisation


class TableVerbs:
    """The verbs of `commonground report` that ask for one table; a part of `Party`."""

    _party: Organisation
    _calls: Calls

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Measure how many people a campaign met and how often, by segment, with noise.

        `segment` is the recipient's label, `by` the tabulator's: frequencies, or sets of campaigns.
        ε and δ are exact decimal text.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
            UnsuitableLabels: reach cannot be computed from the tabulator's labels.
        """
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
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Measure how many people two parties share, by the recipient's segment, with noise.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
        """
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
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Say what the people whom both parties have are like, by segment, with noise.

        `by` is the tabulator's label of attributes, such as region × age.

        ε and δ are exact decimal text.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
            UnsuitableLabels: the labels are not all combinations of some attributes.
        """
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
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Follow people from the tabulator's stages (`by`) to the recipient's (`segment`).

        ε and δ are exact decimal text.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
            UnsuitableLabels: the tabulator's label has fewer than two stages.
        """
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
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Measure what a treatment has changed between two arms (`by`), with noise.

        `segment` is the recipient's label of people who converted: kinds, or value buckets; without
        it all of its people have. `identifier` is the one type that people are counted by, the
        contract's first without it. `with_cost` of the report says what the treatment has cost.

        ε and δ are exact decimal text.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
            UnsuitableLabels: the tabulator's labels are not two arms, or two arms × exposed.
        """
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
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Measure the reach of two channels together, and nobody twice, with noise.

        The tabulator and the `third` party are the channels, whose labels (`by`, `attribute`) are
        frequencies; without one everybody whom the channel met is counted alike.

        ε and δ are exact decimal text.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
            UnsuitableLabels: the labels of a channel are no frequencies.
        """
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
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Count a label of the tabulator (`by`) against one of the recipient (`segment`).

        ε and δ are exact decimal text.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
        """
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
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))
