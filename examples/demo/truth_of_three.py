"""What an honest table of three parties must count, from the generator's own knowledge.

Plain pandas, as `truth` is, and by its rules, but that each of the three sends one e-mail a person.
"""

from collections.abc import Sequence

import pandas as pd

from examples.demo.holdings import Holdings
from examples.demo.panel import Panel
from examples.demo.truth import KEY, arms, frequency, one_label, segment, sent_values

ORDER = ("email",)
NONE = "∅"
COUPONS_UP_TO = 3
Side = tuple[pd.DataFrame, pd.Series]


def count(tabulator: Side, recipient: Side, third: Side) -> list[tuple[str, str, str, int]]:
    """Count the keys in each cell: the three labels, `NONE` where a party lacks the key.

    A side is its people and their labels by position; a person whose label is null takes no part.
    """
    joined: pd.DataFrame | None = None
    for name, (people, labels) in zip("TRV", (tabulator, recipient, third), strict=True):
        brought, _ = one_label(sent_values(people[labels.notna()], labels.dropna(), ORDER))
        side = brought.set_index(KEY)["label"].astype(str).rename(name)
        joined = side.to_frame() if joined is None else joined.join(side, how="outer")
    cells = joined.fillna(NONE).value_counts(sort=False)
    return [(*labels, int(number)) for labels, number in cells.items()]


def coupons(panel: Panel) -> pd.Series:
    """Label each member with the campaigns of which it used coupons: "1", "2", "3+"; or null."""
    names = [*map(str, range(1, COUPONS_UP_TO)), f"{COUPONS_UP_TO}+"]
    used = panel.redemptions.groupby("person")["campaign"].nunique()
    labels = pd.Series(names).iloc[used.clip(upper=COUPONS_UP_TO) - 1].set_axis(used.index)
    return labels.reindex(panel.members.index)


def buyers(holdings: Holdings) -> pd.Series:
    """Label the advertiser's customers who bought the promoted product, the others with null."""
    bought = holdings.advertiser["promoted_cents"] > 0
    return pd.Series("bought", holdings.advertiser.index).where(bought)


def summarise(holdings: Holdings, panel: Panel) -> dict[str, object]:
    """Say everything that reports of three are compared with, ready for JSON."""
    channel, customers, members = holdings.channel, holdings.advertiser, panel.members
    audience = customers, segment(holdings)
    tables: dict[str, Sequence[Side]] = {
        "age": ((channel, frequency(holdings)), audience, (members, members["age"])),
        "household": (
            (channel, arms(holdings)),
            (customers, buyers(holdings)),
            (members, members["household_comp"]),
        ),
        "coupons": ((channel, frequency(holdings)), audience, (members, coupons(panel))),
    }
    return {
        "members": len(members),
        "strangers": panel.strangers,
        **{name: count(*sides) for name, sides in tables.items()},
    }
