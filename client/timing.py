"""From what a person typed about time to the terms of a table whose records are moments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from languages import message
from party.contract_terms import OutputKind
from party.errors import PartyError
from party.moment_check import MOST_SLOT_SECONDS
from party.moment_terms import MOST_KEYS_A_PERSON, MomentTerms
from party.request_parameters import Parameters
from privacy.units import parse_epsilon
from psi.sets import MAX_KEYS
from psi.windows import MOST_ORDINAL, MOST_SLOTS, Timing, Window

SLOT_MINUTES: Final = 60
LOOKBACK_DAYS: Final = 30
_MINUTE: Final = 60
_DAY: Final = 86_400


@dataclass(frozen=True)
class TimingChoice:
    """What attribution and delay let a person choose; times are ISO 8601, UTC without an offset.

    `most_keys` None is all that the contract grants for so many conversions: 64 for each of them
    and each identifier of a person, unless it says otherwise.
    """

    start: str
    end: str
    room: int
    slot_minutes: int = SLOT_MINUTES
    lookback_days: int = LOOKBACK_DAYS
    most_conversions: int = 1
    most_keys: int | None = None
    epsilon_people: str | None = None

    def applied(
        self, parameters: Parameters, most_identifiers: int, granted: MomentTerms
    ) -> Parameters:
        """Return the parameters with M and the terms of time; whether they are granted is checked.

        Raises:
            PartyError: a time cannot be read, or a number is out of range.
            LimitExceeded, PrivacyError: the window has too many slots; ε cannot be read exactly.
        """
        _require("--slot-minutes", self.slot_minutes, 1, MOST_SLOT_SECONDS // _MINUTE)
        slot = self.slot_minutes * _MINUTE
        _require("--lookback-days", self.lookback_days, 0, MOST_SLOTS * slot // _DAY)
        _require("--most-conversions", self.most_conversions, 1, MOST_ORDINAL)
        _require("--room", self.room, 1, MAX_KEYS)
        if self.most_keys is not None:
            _require("--most-keys", self.most_keys, 1, MOST_KEYS_A_PERSON)
        start, end = _seconds("--start", self.start), _seconds("--end", self.end)
        if end <= start:
            raise PartyError(
                message(
                    "--end {end} is not after --start {start}: no conversion is in between",
                    end=self.end,
                    start=self.start,
                )
            )
        lookback = self.lookback_days * _DAY // slot
        each = granted.keys_a_conversion * most_identifiers
        usual = min(each * self.most_conversions, MOST_KEYS_A_PERSON)
        timing = Timing(
            Window(start, slot, -(-(end - start) // slot)),
            lookback,
            usual if self.most_keys is None else self.most_keys,
            self.room,
            0 if self.epsilon_people is None else parse_epsilon(self.epsilon_people),
        )
        return replace(parameters, records_per_person=self.most_conversions, timing=timing)


@dataclass(frozen=True)
class TimeOptions:
    """What a person said about time, whatever the kind of report; see `TimingChoice`."""

    start: str | None = None
    end: str | None = None
    room: int | None = None
    slot_minutes: int = SLOT_MINUTES
    lookback_days: int = LOOKBACK_DAYS
    most_conversions: int = 1
    most_keys: int | None = None
    epsilon_people: str | None = None

    def chosen(self, kind: OutputKind | None) -> TimingChoice | None:
        """Return the choice for a kind that has it; None for another kind, or for none.

        Raises:
            PartyError: the kind has no window, needs one, or counts no people.
        """
        if kind is None or not kind.is_timed:
            if self != TimeOptions():
                raise PartyError(message("only attribution and delay have a window of conversions"))
            return None
        if kind is OutputKind.DELAY and self.epsilon_people is not None:
            raise PartyError(
                message("only an attribution counts people: leave out --epsilon-people")
            )
        if self.start is None or self.end is None or self.room is None:
            raise PartyError(message("attribution and delay need --start, --end and --room"))
        return TimingChoice(
            self.start,
            self.end,
            self.room,
            self.slot_minutes,
            self.lookback_days,
            self.most_conversions,
            self.most_keys,
            self.epsilon_people,
        )


def _seconds(option: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PartyError(
            message(
                "{option} is no time: '{text}'; write one such as 2026-01-01 or 2026-01-01T06:00",
                option=option,
                text=text[:40],
            )
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _require(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise PartyError(
            message(
                "{option} is {value}: take {least} to {most}",
                option=option,
                value=value,
                least=f"{least:,}",
                most=f"{most:,}",
            )
        )
