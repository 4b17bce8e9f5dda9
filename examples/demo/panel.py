"""What the vendor knows: a panel of households, and who of them used its coupons.

A third of the real households are in the panel, and those that used a coupon. The rest of its
members are nobody's customers and subscribers: real members copied, with new identities, so that
the panel has the size of one. They meet nobody.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from examples.demo.draws import chance, pick
from examples.demo.holdings import Habits, records
from examples.demo.people import identify, join
from examples.demo.world import World

VENDOR = Habits(
    name="vendor",
    prefix="M",
    absent=0.0,
    has={"email": 0.92, "phone": 0.0, "maid": 0.0},
    consents=("granted", "refused", ""),
    consent_shares=(0.97, 0.02, 0.01),
)
ATTRIBUTES = (
    "age", "income", "home_ownership", "marital_status", "household_size", "household_comp",
    "kids_count",
)  # fmt: skip
MEMBERS = 20_000
_FIRST_STRANGER = 1_020_000  # beyond the numbers of any world, within those of identities


@dataclass(frozen=True)
class Panel:
    """What the vendor holds.

    `members`: number, person, email, phone, maid, opt_in, consented, and the seven `ATTRIBUTES`,
    null where the panel does not describe the household. `redemptions` (by time): person (position
    in `members`), campaign ("C18"), at (UTC seconds).
    """

    members: pd.DataFrame
    redemptions: pd.DataFrame

    @property
    def strangers(self) -> int:
        """How many members are copies whom nobody else can know."""
        return int((self.members["number"] >= _FIRST_STRANGER).sum())


def gather(world: World) -> Panel:
    """Take the panel's members out of a world, and fill it up with strangers."""
    described = world.real.demographics["household"].to_numpy()
    known = np.isin(world.sources, np.union1d(described, world.real.redemptions["household"]))
    few = max(0, MEMBERS - int(known.sum()))
    numbers = _FIRST_STRANGER + np.arange(few)
    drawn = described[pick(numbers, "member copied from", len(described))]
    parts = [
        _members(world, np.flatnonzero(known)),
        _members(World(world.real, numbers, drawn), np.arange(few)),
    ]
    first = len(parts[0].members)
    rows = [parts[0].redemptions, parts[1].redemptions.assign(person=lambda t: t["person"] + first)]
    return Panel(
        pd.concat([part.members for part in parts], ignore_index=True),
        pd.concat(rows).sort_values(["at", "person"], kind="stable", ignore_index=True),
    )


def _members(world: World, known: np.ndarray) -> Panel:
    numbers = world.numbers[known]
    has = {
        kind: chance(numbers, f"vendor has {kind}") < share for kind, share in VENDOR.has.items()
    }
    people = records(world, identify(world.numbers), VENDOR, known, has)
    attributes = world.real.demographics.set_index("household").reindex(world.sources[known])
    used = world.redemptions()
    used = used[np.isin(used["person"], known)]
    campaigns = join("C", pa.array(used["campaign"]).cast(pa.string())).to_pandas()
    return Panel(
        people.join(attributes.reset_index(drop=True)),
        used.assign(person=np.searchsorted(known, used["person"]), campaign=campaigns.to_numpy()),
    )
