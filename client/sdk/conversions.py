"""Attribution and delay: what had reached people before they converted, and how long before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias, overload

from client.asking import Choice, TableChoice
from client.cancelling import CancelToken
from client.results import models_of
from client.sdk.asking import ATTRIBUTION, DELAY, Asked
from client.sdk.calls import Calls
from client.sdk.results import Report
from client.timing import LOOKBACK_DAYS, SLOT_MINUTES, TimingChoice
from party.driver import Progress
from party.organisation import Organisation

Time: TypeAlias = datetime | str
"""A time with its zone, or ISO 8601 text; UTC where no zone is said."""


class ConversionVerbs:
    """The verbs of `commonground report` about conversions; a part of `Party`."""

    _party: Organisation
    _calls: Calls

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
        model: str | None = None,
        recipient: str | None = None,
        tabulator: str | None = None,
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
        """Attribute the recipient's conversions to the tabulator's campaigns, with noise.

        Each conversion from `start` up to `end` meets the journey that touches of the last
        `lookback_days` had produced by its slot of `slot_minutes`. `room` is how many conversions
        each of the recipient's labels has room for, from public knowledge. `most_conversions` of a
        person count, the first by time; a person has `most_keys` keys at most, if None as many as
        the contract grants for them.
        With `epsilon_people` the tabulator's people by coalition are released beside the table, as
        shapley and markov need. `model` is one of last, first, linear, position, decay, shapley and
        markov, or all of them; the report has the others too (`Party.result`).

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
            PartyError: a time, a number or a model does not serve.
            UnsuitableLabels: the tabulator's labels are no list of journeys.
        """
        timing = timing_of(
            start, end, room, slot_minutes, lookback_days, most_conversions, most_keys,
            epsilon_people,
        )  # fmt: skip
        table = TableChoice(ATTRIBUTION, recipient, tabulator, segment, by, timing=timing)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        models_of(ATTRIBUTION, model)
        filed = self._calls.ask(asked, progress, cancel, wait=wait)
        return Report(self._party, filed, model=model)

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
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Measure how long after the last touch people converted, by campaign, with noise.

        The arguments are those of `attribution`; `by` is the tabulator's label of ages.

        Raises:
            Refusal, SessionSuspended, ContractError, DatasetError, PrivacyError: as `match`.
            PartyError: a time or a number does not serve.
            UnsuitableLabels: the tabulator's labels are no list of ages.
        """
        timing = timing_of(
            start, end, room, slot_minutes, lookback_days, most_conversions, most_keys
        )
        table = TableChoice(DELAY, recipient, tabulator, segment, by, timing=timing)
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        asked = Asked.table(self._party, contract, table, choice)
        return Report(self._party, self._calls.ask(asked, progress, cancel, wait=wait))


def timing_of(
    start: Time,
    end: Time,
    room: int,
    slot_minutes: int,
    lookback_days: int,
    most_conversions: int,
    most_keys: int | None,
    epsilon_people: str | None = None,
) -> TimingChoice:
    """Return what a caller chose about time."""
    return TimingChoice(
        time_text(start), time_text(end), room, slot_minutes, lookback_days, most_conversions,
        most_keys, epsilon_people,
    )  # fmt: skip


@overload
def time_text(time: Time) -> str: ...
@overload
def time_text(time: Time | None) -> str | None: ...
def time_text(time: Time | None) -> str | None:
    """Return a time as text, as the command line takes it."""
    return time.isoformat() if isinstance(time, datetime) else time
