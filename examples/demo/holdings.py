"""Who knows what: the generator's own knowledge, before anybody writes it down untidily.

Two frames with one row a person, in normalised form. `number` is the household behind the person,
which no organisation would know; the files leave it out and `truth` uses it to say who could not
be matched by anybody. The gaps of the two sides are drawn apart, so matching has to be earned.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from examples.demo import experiment
from examples.demo.draws import chance, pick, weighted
from examples.demo.people import People, choose, identify, join, reference
from examples.demo.world import World

TYPES = ("email", "phone", "maid")
SEGMENTS = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Habits:
    """How one organisation keeps records: the shares of people it lacks, and of what it has."""

    name: str
    prefix: str
    absent: float
    has: dict[str, float]
    consents: tuple[str, str, str]
    consent_shares: tuple[float, float, float]

    @property
    def consented(self) -> str:
        """The one spelling of consent that counts."""
        return self.consents[0]


ADVERTISER = Habits(
    name="advertiser",
    prefix="HH-",
    absent=0.06,
    has={"email": 0.88, "phone": 0.78, "maid": 0.35},
    consents=("Y", "N", ""),
    consent_shares=(0.96, 0.03, 0.01),
)
CHANNEL = Habits(
    name="channel",
    prefix="S",
    absent=0.05,
    has={"email": 0.78, "phone": 0.72, "maid": 0.45},
    consents=("yes", "no", "pending"),
    consent_shares=(0.95, 0.04, 0.01),
)
_MISSING_ON_RECEIPT = 0.08
_SENDING_DAYS = 14
_SECONDS_A_DAY = 86_400
_MOST_CAMPAIGNS = 64


@dataclass(frozen=True)
class Holdings:
    """What each side holds.

    `advertiser`: number, person, email, phone, maid, opt_in, consented, segment, spend_cents,
    promoted_cents (0: did not buy).
    `channel`: number, person, email, phone, maid, opt_in, consented, treated, exposed. A null
    identifier is one that the side does not hold.
    `baskets` (the advertiser's, by time): person (position in `advertiser`), at (UTC seconds),
    cents.
    `receipts` (the channel's, by time): person (position in `channel`), campaign ("C18"), sent_at
    (UTC seconds), draw (an integer of the row's own), and in email, phone, maid whether this row
    carries what the subscriber gave.
    """

    advertiser: pd.DataFrame
    channel: pd.DataFrame
    receipts: pd.DataFrame
    baskets: pd.DataFrame


def divide(world: World) -> Holdings:
    """Split a world: customers are the advertiser's, receivers of campaigns the channel's."""
    people = identify(world.numbers)
    receipts = world.receipts()
    receives = np.zeros(len(world), dtype=bool)
    receives[receipts["person"]] = True
    known = np.flatnonzero(_known(world, CHANNEL) & receives)
    carried = _carry(world, receipts[np.isin(receipts["person"], known)], known)
    seen = {
        kind: np.bincount(carried["person"], weights=carried[kind], minlength=len(known)) > 0
        for kind in TYPES
    }
    arms = experiment.assign(world.numbers)
    reached = np.isin(np.arange(len(world)), known)
    chances = experiment.chances(arms & reached[:, np.newaxis])
    customers = np.flatnonzero(_known(world, ADVERTISER))
    return Holdings(
        advertiser=_customers(world, people, customers).assign(
            promoted_cents=experiment.promoted_cents(world.numbers, chances)[customers]
        ),
        channel=records(world, people, CHANNEL, known, seen).join(
            arms.iloc[known].reset_index(drop=True)
        ),
        receipts=carried,
        baskets=_baskets(world, customers),
    )


def _customers(world: World, people: People, known: np.ndarray) -> pd.DataFrame:
    spend = world.real.spend_cents[world.sources[known]]
    terciles = np.quantile(world.real.spend_cents, [1 / 3, 2 / 3])
    held = records(world, people, ADVERTISER, known, _has(world.numbers[known], ADVERTISER))
    segment = choose(SEGMENTS, np.searchsorted(terciles, spend))
    return held.assign(segment=segment.to_pandas(), spend_cents=spend)


def _baskets(world: World, known: np.ndarray) -> pd.DataFrame:
    baskets = world.baskets()
    baskets = baskets[np.isin(baskets["person"], known)]
    held = baskets.assign(person=np.searchsorted(known, baskets["person"]))
    return held.sort_values(["at", "person"], kind="stable", ignore_index=True)


def records(
    world: World, people: People, habits: Habits, known: np.ndarray, has: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Make a side's frame of the people at positions `known`, with the identifiers it `has`.

    Its columns: number, person, email, phone, maid, opt_in, consented.
    """
    numbers = world.numbers[known]
    consent = weighted(numbers, f"{habits.name} consent", habits.consent_shares)
    columns = {
        "person": reference(numbers, habits.name, habits.prefix),
        **{
            kind: pc.if_else(pa.array(has[kind]), getattr(people, kind).take(pa.array(known)), None)
            for kind in TYPES
        },
        "opt_in": choose(habits.consents, consent),
    }
    frame = pa.table(columns).to_pandas()
    return frame.assign(number=numbers, consented=frame["opt_in"] == habits.consented)


def _carry(world: World, receipts: pd.DataFrame, known: np.ndarray) -> pd.DataFrame:
    """Date each receipt and decide which identifiers its row carries; order by time."""
    numbers = world.numbers[receipts["person"]]
    draws = numbers * _MOST_CAMPAIGNS + receipts["campaign"].to_numpy()
    has = _has(numbers, CHANNEL)
    frame = pd.DataFrame(
        {
            "person": np.searchsorted(known, receipts["person"]),
            "campaign": join("C", pa.array(receipts["campaign"]).cast(pa.string())).to_pandas(),
            "sent_at": _sent_at(receipts, draws),
            "draw": draws,
            **{
                kind: has[kind] & (chance(draws, f"row lacks {kind}") >= _MISSING_ON_RECEIPT)
                for kind in TYPES
            },
        }
    )
    return frame.sort_values(["sent_at", "draw"], ignore_index=True)


def _sent_at(receipts: pd.DataFrame, draws: np.ndarray) -> np.ndarray:
    """Send each campaign in its first fortnight, by day: UTC seconds, shape (n,)."""
    start = receipts["start"].to_numpy().astype("datetime64[s]").astype(np.int64)
    lasts = (receipts["end"] - receipts["start"]).dt.days.to_numpy()
    day = (chance(draws, "sent on day") * np.minimum(lasts, _SENDING_DAYS)).astype(np.int64)
    waking = _SECONDS_A_DAY // 3 + pick(draws, "sent at time", _SECONDS_A_DAY // 2)
    return start + day * _SECONDS_A_DAY + waking


def _known(world: World, habits: Habits) -> np.ndarray:
    return chance(world.numbers, f"{habits.name} lacks the person") >= habits.absent


def _has(numbers: np.ndarray, habits: Habits) -> dict[str, np.ndarray]:
    return {
        kind: chance(numbers, f"{habits.name} has {kind}") < share
        for kind, share in habits.has.items()
    }
