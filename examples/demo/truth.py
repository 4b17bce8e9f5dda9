"""What an honest match and an honest reach table must find, from the generator's own knowledge.

Plain pandas over normalised values; nothing of the product is imported, and neither digests nor
files are read, so an error in reading, normalising, hashing or matching cannot hide here. The
rules are those of docs/protocol.md: people without consent are left out first; in a match every
identifier takes part; in a table the tabulator offers all identifiers of a person, the recipient
one (the first type that the person has, in the contract's order), and a value that several people
of one side carry under different labels is dropped on that side, without a second choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from examples.demo import experiment
from examples.demo.holdings import SEGMENTS, TYPES, Holdings
from examples.demo.world import SEASON

ORDER = ("email", "phone", "maid")
FREQUENCY_UP_TO = 5
BIGGEST_CAMPAIGNS = ("C18", "C13", "C8")
SEASON_CAMPAIGNS = ("C16", "C17", "C18")
SLOT_SECONDS = 6 * 3_600
LOOKBACK_SLOTS = 28 * 4
MOST_BASKETS = 3
SPEND_CENTS = (0, *(100_00 << doubled for doubled in range(8)))
PROMOTED_CENTS = (0, *(4_00 << doubled for doubled in range(5)))
_SECONDS_A_DAY = 86_400
ARMS = ("treatment", "control")
EXPOSURE = ("exposed", "not exposed")
TEST_CELLS = tuple(f"{arm} × {ad}" for arm in ARMS for ad in EXPOSURE)
KEY = ["type", "value"]


@dataclass(frozen=True)
class ReachTable:
    """The exact table: `cells` label × segment, and how many keys each side brought or dropped."""

    cells: pd.DataFrame
    tabulator_keys: pd.Series
    recipient_keys: pd.Series
    tabulator_dropped: int
    recipient_dropped: int


def match_list(receiver: pd.DataFrame, sender: pd.DataFrame) -> pd.DataFrame:
    """List the receiver's people who share a value with anybody of the sender's.

    Returns `person` and `types` ("email+phone": the types on which they meet), ordered by person.
    """
    met = _values(receiver).merge(_values(sender)[KEY].drop_duplicates(), on=KEY)
    found = (2 ** met["rank"]).groupby(met["person"]).sum()
    return found.map(dict(enumerate(_subsets(TYPES)))).rename("types").reset_index()


def shared_values(receiver: pd.DataFrame, sender: pd.DataFrame) -> int:
    """Count the distinct identifiers that both sides hold: what the sender counts as tags."""
    sent = _values(sender)[KEY].drop_duplicates()
    return len(_values(receiver)[KEY].drop_duplicates().merge(sent, on=KEY))


def unmatchable(receiver: pd.DataFrame, sender: pd.DataFrame) -> int:
    """Count the households that both hold, with consent, and that no identifier connects."""
    both = set(_consented(receiver)["number"]) & set(_consented(sender)["number"])
    listed = set(match_list(receiver, sender)["person"])
    met = set(receiver.loc[receiver["person"].isin(listed), "number"])
    return len(both - met)


def reach_table(
    tabulator: pd.DataFrame,
    recipient: pd.DataFrame,
    labels: pd.Series,
    segments: pd.Series,
    order: Sequence[str] = ORDER,
) -> ReachTable:
    """Count the keys in each cell; `labels` and `segments` are by position in their frames.

    Both are categorical, so that cells which nobody fills are there, with 0.
    """
    offered, offered_dropped = one_label(_offered(tabulator, labels, order))
    sent, sent_dropped = one_label(sent_values(recipient, segments, order))
    met = offered.merge(sent, on=KEY, suffixes=("", "_of_recipient"))
    return ReachTable(
        cells=pd.crosstab(met["label"], met["label_of_recipient"], dropna=False).reindex(
            index=labels.cat.categories, columns=segments.cat.categories, fill_value=0
        ),
        tabulator_keys=_count(offered["label"], labels),
        recipient_keys=_count(sent["label"], segments),
        tabulator_dropped=offered_dropped,
        recipient_dropped=sent_dropped,
    )


def values_met(
    tabulator: pd.DataFrame,
    recipient: pd.DataFrame,
    labels: pd.Series,
    cents: pd.Series,
    bounds: Sequence[int],
    order: Sequence[str] = ORDER,
) -> pd.DataFrame:
    """Add up what the recipient's matched people paid, by tabulator label: `people`, `cents`.

    It is what a table of value buckets estimates: what lies above the last of `bounds` (cents) is
    cut off. A value that several people share counts once where all of them are rounded to the same
    bound, and not at all otherwise; each is rounded by chance, so the expectation counts. `cents`
    is by position; who has none takes no part.
    """
    offered, _ = one_label(_offered(tabulator, labels, order))
    sent = sent_values(recipient[cents.notna()], cents[cents.notna()], order).sort_values(KEY)
    starts = np.flatnonzero(~sent.duplicated(KEY))
    agreeing = np.multiply.reduceat(_rounded(sent["label"].to_numpy(), bounds), starts, axis=0)
    brought = sent.iloc[starts][KEY].assign(
        people=agreeing.sum(axis=1), cents=agreeing @ np.array(bounds)
    )
    met = offered.merge(brought, on=KEY)
    return met.groupby("label", observed=False)[["people", "cents"]].sum()


def _rounded(cents: np.ndarray, bounds: Sequence[int]) -> np.ndarray:
    """Give the chance that each amount is rounded to each bound: shape (amounts, bounds)."""
    places = np.interp(cents, bounds, np.arange(len(bounds)))
    return np.maximum(1 - np.abs(places[:, np.newaxis] - np.arange(len(bounds))), 0)


def _offered(people: pd.DataFrame, labels: pd.Series, order: Sequence[str]) -> pd.DataFrame:
    """List what a tabulator brings: every identifier of each person who has a label."""
    return _values(people.assign(label=labels)[labels.notna()], order)


def sent_values(people: pd.DataFrame, labels: pd.Series, order: Sequence[str]) -> pd.DataFrame:
    """List what a recipient brings: one identifier a person, the first in the order."""
    values = _values(people.assign(label=labels), order)
    return values.sort_values("rank", kind="stable").drop_duplicates("person")


def frequency(holdings: Holdings) -> pd.Series:
    """Label each subscriber with the campaigns received: "1" … "4", "5+"."""
    names = [*map(str, range(1, FREQUENCY_UP_TO)), f"{FREQUENCY_UP_TO}+"]
    received = holdings.receipts.groupby("person")["campaign"].nunique()
    return pd.Series(pd.Categorical.from_codes(received.clip(upper=FREQUENCY_UP_TO) - 1, names))


def campaign_sets(holdings: Holdings) -> pd.Series:
    """Label each subscriber with which of the biggest campaigns came: "C18+C8", "none"."""
    bits = {campaign: 1 << place for place, campaign in enumerate(BIGGEST_CAMPAIGNS)}
    received = holdings.receipts.drop_duplicates(["person", "campaign"])
    found = received["campaign"].map(bits).fillna(0).astype(int).groupby(received["person"]).sum()
    return pd.Series(pd.Categorical.from_codes(found, _subsets(BIGGEST_CAMPAIGNS)))


def arms(holdings: Holdings) -> pd.Series:
    """Label each subscriber with arm and exposure, such as "treatment × exposed"."""
    side = holdings.channel
    cells = 2 * ~side["treated"] + ~side["exposed"]
    return pd.Series(pd.Categorical.from_codes(cells, TEST_CELLS))


def segment(holdings: Holdings) -> pd.Series:
    """Label each customer with the segment."""
    return holdings.advertiser["segment"].astype(pd.CategoricalDtype(list(SEGMENTS)))


def lift(holdings: Holdings) -> dict[str, object]:
    """Count each arm's people and buyers by e-mail, and the effect that was planted on them.

    The effect is that on all who were assigned, and on the exposed: an average over those who can
    be found, since a buyer whom no e-mail finds counts as none.
    """
    channel, advertiser = holdings.channel, holdings.advertiser
    order = ("email",)
    tests = arms(holdings)
    offered, _ = one_label(_offered(channel, tests, order))
    people = _count(offered["label"], tests)
    bought = advertiser["promoted_cents"].where(advertiser["promoted_cents"] > 0)
    buyers = values_met(channel, advertiser, tests, bought, PROMOTED_CENTS, order)["people"]
    reached = values_met(channel, advertiser, tests, advertiser["spend_cents"], (0,), order)[
        "people"
    ]
    chance = reached * pd.Series(experiment.chance_of_buying(list(TEST_CELLS)), TEST_CELLS)
    of_arm = {arm: [f"{arm} × {ad}" for ad in EXPOSURE] for arm in ARMS}
    effect = {
        name: _difference(
            chance, people, [cells[: 1 + (name == "all")] for cells in of_arm.values()]
        )
        for name in ("all", "exposed")
    }
    return {
        "people": {arm: int(people[cells].sum()) for arm, cells in of_arm.items()},
        "conversions": {arm: float(buyers[cells].sum()) for arm, cells in of_arm.items()},
        "effect": effect,
    }


def _difference(chance: pd.Series, people: pd.Series, groups: list[list[str]]) -> float:
    """Return the expected rate of the first group less that of the second."""
    treated, control = (float(chance[cells].sum() / people[cells].sum()) for cells in groups)
    return treated - control


def attribution(holdings: Holdings) -> dict[str, object]:
    """Walk through every basket of the season: which receipts its household had had by then.

    The rules are those of docs/protocol.md, Moments: a customer's first baskets, up to the bound;
    a receipt counts from its own slot on, for the lookback; identifiers of several people of a
    side take no part.
    """
    baskets = holdings.baskets.sort_values(["person", "at"], kind="stable")
    bounded = baskets[baskets.groupby("person").cumcount() < MOST_BASKETS]
    sent = bounded[bounded["person"].isin(_sending(holdings.advertiser))].reset_index(drop=True)
    receipts = holdings.receipts[holdings.receipts["campaign"].isin(SEASON_CAMPAIGNS)]
    pairs = (
        sent.assign(basket=sent.index, subscriber=sent["person"].map(_subscriber_of(holdings)))
        .dropna(subset="subscriber")
        .merge(receipts, left_on="subscriber", right_on="person")
    )
    waited = (pairs["at"] - SEASON) // SLOT_SECONDS - (pairs["sent_at"] - SEASON) // SLOT_SECONDS
    met = pairs[(waited >= 0) & (waited <= LOOKBACK_SLOTS)]
    met = met.sort_values(["basket", "sent_at", "draw"], kind="stable")
    touched = met.groupby("basket")
    days = sent.assign(day=sent["at"] // _SECONDS_A_DAY).groupby(["person", "day"]).size()
    last, first = touched.last(), touched.first()
    return {
        "sent": len(sent),
        "first": _by_campaign(first["campaign"].value_counts()),
        "last": _by_campaign(last["campaign"].value_counts()),
        "three_in_a_day": int((days >= MOST_BASKETS).groupby("person").any().sum()),
        "last_cents": _by_campaign(last.groupby("campaign")["cents"].sum()),
    }


def _by_campaign(found: pd.Series) -> dict[str, int]:
    return found.reindex(SEASON_CAMPAIGNS, fill_value=0).astype(int).to_dict()


def _sending(people: pd.DataFrame) -> np.ndarray:
    """Return who sends an identifier: the first in the order, unless somebody shares it."""
    sent = _values(people, ORDER).sort_values("rank", kind="stable").drop_duplicates("person")
    shared = sent.duplicated(KEY, keep=False)
    return np.flatnonzero(people["person"].isin(sent.loc[~shared, "person"]))


def _subscriber_of(holdings: Holdings) -> dict[int, int]:
    """Map customers to the subscriber whom their identifier finds (positions in their frames)."""
    offered = _values(holdings.channel, ORDER)
    offered = offered[~offered.duplicated(KEY, keep=False)]
    sent = _values(holdings.advertiser, ORDER)
    sent = sent.sort_values("rank", kind="stable").drop_duplicates("person")
    met = sent.merge(offered, on=KEY, suffixes=("", "_of_channel"))
    places = pd.Series(range(len(holdings.advertiser)), holdings.advertiser["person"])
    others = pd.Series(range(len(holdings.channel)), holdings.channel["person"])
    return dict(
        zip(places[met["person"]].tolist(), others[met["person_of_channel"]].tolist(), strict=True)
    )


def summarise(holdings: Holdings) -> dict[str, object]:
    """Say everything that the demo compares with, ready for JSON."""
    channel, advertiser = holdings.channel, holdings.advertiser
    matched = match_list(channel, advertiser)
    tables = {"frequency": frequency(holdings), "campaigns": campaign_sets(holdings)}
    return {
        "people": {"advertiser": _describe(advertiser), "channel": _describe(channel)},
        "match": {
            "receiver": "channel",
            "sender": "advertiser",
            "found": len(matched),
            "shared_identifiers": shared_values(channel, advertiser),
            "sender_identifiers_a_person": len(TYPES),
            "by_types": matched["types"].value_counts().sort_index().to_dict(),
            "on_both_sides_but_unmatchable": unmatchable(channel, advertiser),
            "subscribers": matched["person"].tolist(),
        },
        "reach": {
            name: _as_json(reach_table(channel, advertiser, labels, segment(holdings)))
            for name, labels in tables.items()
        },
        "spend": values_met(
            channel,
            advertiser,
            campaign_sets(holdings),
            advertiser["spend_cents"],
            SPEND_CENTS,
        ).to_dict(orient="index"),
        "lift": lift(holdings),
        "attribution": attribution(holdings),
    }


def _describe(people: pd.DataFrame) -> dict[str, int]:
    consented = _consented(people)
    return {
        "people": len(people),
        "consented": len(consented),
        "with_an_identifier": int(consented[list(TYPES)].notna().any(axis=1).sum()),
        **{f"with_{kind}": int(consented[kind].notna().sum()) for kind in TYPES},
    }


def _as_json(table: ReachTable) -> dict[str, object]:
    return {
        "tabulator": "channel",
        "recipient": "advertiser",
        "order": list(ORDER),
        "cells": table.cells.astype(int).to_dict(orient="index"),
        "total": int(table.cells.to_numpy().sum()),
        "tabulator_keys": table.tabulator_keys.to_dict(),
        "recipient_keys": table.recipient_keys.to_dict(),
        "tabulator_dropped": table.tabulator_dropped,
        "recipient_dropped": table.recipient_dropped,
    }


def _consented(people: pd.DataFrame) -> pd.DataFrame:
    return people[people["consented"]]


def _values(people: pd.DataFrame, order: Sequence[str] = TYPES) -> pd.DataFrame:
    """List the identifiers of consenting people: type, value, rank in `order`, person, label."""
    consented = _consented(people)
    listed = [
        consented.assign(type=kind, rank=rank, value=consented[kind]).dropna(subset="value")
        for rank, kind in enumerate(order)
    ]
    kept = [column for column in ("person", "label") if column in people]
    return pd.concat(listed)[[*KEY, "rank", *kept]]


def one_label(values: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Drop values that stand under several labels; keep the others once. Say how many fell."""
    labelled = values[[*KEY, "label"]].drop_duplicates()
    several = labelled.duplicated(KEY, keep=False)
    return labelled[~several], len(labelled[several][KEY].drop_duplicates())


def _count(found: pd.Series, names: pd.Series) -> pd.Series:
    return found.value_counts().reindex(names.cat.categories, fill_value=0).astype(int)


def _subsets(names: Sequence[str]) -> list[str]:
    """Name every subset: at position b, the names whose bits are set in b; "none" for none."""
    return [
        "+".join(name for place, name in enumerate(names) if bits >> place & 1) or "none"
        for bits in range(1 << len(names))
    ]
