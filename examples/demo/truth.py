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

import pandas as pd

from examples.demo.holdings import SEGMENTS, TYPES, Holdings

ORDER = ("email", "phone", "maid")
FREQUENCY_UP_TO = 5
BIGGEST_CAMPAIGNS = ("C18", "C13", "C8")
_KEY = ["type", "value"]


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
    met = _values(receiver).merge(_values(sender)[_KEY].drop_duplicates(), on=_KEY)
    found = (2 ** met["rank"]).groupby(met["person"]).sum()
    return found.map(dict(enumerate(_subsets(TYPES)))).rename("types").reset_index()


def shared_values(receiver: pd.DataFrame, sender: pd.DataFrame) -> int:
    """Count the distinct identifiers that both sides hold: what the sender counts as tags."""
    sent = _values(sender)[_KEY].drop_duplicates()
    return len(_values(receiver)[_KEY].drop_duplicates().merge(sent, on=_KEY))


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
    offered = _values(tabulator.assign(label=labels), order)
    sent = _values(recipient.assign(label=segments), order)
    sent = sent.sort_values("rank", kind="stable").drop_duplicates("person")
    offered, offered_dropped = _one_label(offered)
    sent, sent_dropped = _one_label(sent)
    met = offered.merge(sent, on=_KEY, suffixes=("", "_of_recipient"))
    return ReachTable(
        cells=pd.crosstab(met["label"], met["label_of_recipient"], dropna=False).reindex(
            index=labels.cat.categories, columns=segments.cat.categories, fill_value=0
        ),
        tabulator_keys=_count(offered["label"], labels),
        recipient_keys=_count(sent["label"], segments),
        tabulator_dropped=offered_dropped,
        recipient_dropped=sent_dropped,
    )


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


def segment(holdings: Holdings) -> pd.Series:
    """Label each customer with the segment."""
    return holdings.advertiser["segment"].astype(pd.CategoricalDtype(list(SEGMENTS)))


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
    return pd.concat(listed)[[*_KEY, "rank", *kept]]


def _one_label(values: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Drop values that stand under several labels; keep the others once. Say how many fell."""
    labelled = values[[*_KEY, "label"]].drop_duplicates()
    several = labelled.duplicated(_KEY, keep=False)
    return labelled[~several], len(labelled[several][_KEY].drop_duplicates())


def _count(found: pd.Series, names: pd.Series) -> pd.Series:
    return found.value_counts().reindex(names.cat.categories, fill_value=0).astype(int)


def _subsets(names: Sequence[str]) -> list[str]:
    """Name every subset: at position b, the names whose bits are set in b; "none" for none."""
    return [
        "+".join(name for place, name in enumerate(names) if bits >> place & 1) or "none"
        for bits in range(1 << len(names))
    ]
