"""Whether a contract grants what a request says of time: window, bounds and labels of touches.

Only attribution and delay say anything of it. M, K_T, lookback and room are the recipient's choice,
and the tabulator's memory and time, so they have limits here and in the contract.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from languages import message
from party.contract import Contract
from party.contract_terms import OutputKind
from party.errors import Refusal, RefusalStatus
from party.moment_terms import MOST_KEYS_A_PERSON
from party.request_limits import (
    CLOCK_SKEW_SECONDS,
    LEAST_EPSILON_NANO,
    MOST_EPSILON_NANO,
    not_granted,
    require_within,
)
from party.request_parameters import MOST_INTEGER
from psi.ages import read_ages
from psi.errors import JourneyError
from psi.journey import read_journeys
from psi.legs import RECIPIENT, TABULATOR
from psi.sets import MAX_KEYS
from psi.windows import MOST_SLOTS, Timing

if TYPE_CHECKING:
    from party.request import Request

LEAST_SLOT_SECONDS: Final = 60
MOST_SLOT_SECONDS: Final = 30 * 86_400
_DAY_SECONDS: Final = 86_400


def check_timing(request: Request, contract: Contract) -> None:
    """Require terms of time where records are moments, and none elsewhere."""
    asked, timing = request.parameters, request.parameters.timing
    if timing is None or not request.kind.is_timed:
        if request.kind.is_timed or timing is not None:
            raise not_granted(
                message(
                    "{kind} needs parameters.timing, its window and lookback.", kind=request.kind
                )
                if request.kind.is_timed
                else message(
                    "{kind} has no parameters.timing, its window and lookback.", kind=request.kind
                )
            )
        return
    # Whether the recipient has room for its conversions is exact, and shows when it stops: another
    # who chose window and room could search for their number, and would be charged nothing.
    if request.requester != request.roles[RECIPIENT]:
        raise not_granted(
            message(
                "{kind} is asked for by its recipient, '{roles}', who alone may "
                "choose a window and room for its conversions.",
                kind=request.kind,
                roles=request.roles[RECIPIENT],
            )
        )
    window = timing.window
    require_within("timing.start", window.start, 0, MOST_INTEGER)
    require_within(
        "timing.slot_seconds", window.slot_seconds, LEAST_SLOT_SECONDS, MOST_SLOT_SECONDS
    )
    require_within("timing.lookback", timing.lookback, 0, MOST_SLOTS)
    counted = asked.records_per_person * asked.most_identifiers[request.roles[TABULATOR]]
    require_within("timing.most_keys", timing.most_keys, counted, MOST_KEYS_A_PERSON)
    require_within("timing.room", timing.room, 1, MAX_KEYS // timing.keys_a_moment)
    most = MOST_EPSILON_NANO if request.kind is OutputKind.ATTRIBUTION else 0
    least = LEAST_EPSILON_NANO if timing.epsilon_people_nano else 0
    require_within("timing.epsilon_people_nano", timing.epsilon_people_nano, least, most)
    if window.stop > request.created + CLOCK_SKEW_SECONDS:
        raise Refusal(
            RefusalStatus.EXPIRED,
            message(
                "The window of request {id} ends {stop} seconds after the "
                "request was made: ask about time that has passed, and see that "
                "the clock is right.",
                id=request.id,
                stop=window.stop - request.created,
            ),
        )
    _check_granted(request, contract, timing)


def _check_granted(request: Request, contract: Contract, timing: Timing) -> None:
    """Refuse what is beyond the contract: M, K_T and lookback are the asker's choice."""
    granted = contract.output(request.kind, request.roles).moment_terms
    conversions = request.parameters.records_per_person
    if conversions > granted.most_conversions:
        raise not_granted(
            message(
                "Contract {id} grants {kind} of at most {most_conversions} "
                "conversions a person; the request asks for {conversions}.",
                id=contract.id,
                kind=request.kind,
                most_conversions=granted.most_conversions,
                conversions=conversions,
            )
        )
    tabulator = request.roles[TABULATOR]
    keys = granted.keys_a_conversion * request.parameters.most_identifiers[tabulator] * conversions
    if timing.most_keys > keys:
        raise not_granted(
            message(
                "Contract {id} grants {kind} with {keys_a_conversion} keys for "
                "each conversion and identifier of a person, so {keys} in all; "
                "the request asks for {most_keys}.",
                id=contract.id,
                kind=request.kind,
                keys_a_conversion=granted.keys_a_conversion,
                keys=f"{keys:,}",
                most_keys=f"{timing.most_keys:,}",
            )
        )
    days = timing.lookback * timing.window.slot_seconds / _DAY_SECONDS
    if days > granted.lookback_days:
        raise not_granted(
            message(
                "Contract {id} grants {kind} with touches of at most "
                "{lookback_days} days before a conversion; the request asks for "
                "{days}.",
                id=contract.id,
                kind=request.kind,
                lookback_days=granted.lookback_days,
                days=f"{days:,g}",
            )
        )


def check_touch_label(request: Request) -> None:
    """Require the tabulator's label to be journeys or ages where records are moments, only there.

    Anywhere else it would be found out when the session has begun.
    """
    tabulator = request.roles[TABULATOR]
    if request.kind.is_timed:
        read = read_journeys if request.kind is OutputKind.ATTRIBUTION else read_ages
        try:
            read(request.labels[tabulator].values)
        except JourneyError as error:
            raise not_granted(
                message(
                    "{kind} cannot be counted by this label: {error}.",
                    kind=request.kind,
                    error=error,
                )
            ) from None
    for party, label in request.labels.items():
        counted = request.kind.is_timed and party == tabulator
        if not counted and _is_of_touches(label.values):
            raise not_granted(
                message(
                    "The label of '{party}' is made of touches and their times; only "
                    "attribution and delay are counted by it, at the tabulator.",
                    party=party,
                )
            )


def _is_of_touches(values: tuple[str, ...]) -> bool:
    for read in (read_journeys, read_ages):
        with suppress(JourneyError):
            read(values)
            return True
    return False
