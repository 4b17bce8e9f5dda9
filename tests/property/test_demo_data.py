"""The demonstration's data: the same on every run, honest about what is real, and with a truth that
an independent reading of the written files confirms."""

import base64
import csv
import hashlib
import json
import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.demo import (
    draws,
    experiment,
    files,
    holdings,
    panel,
    people,
    truth,
    truth_of_three,
    world,
)

REAL_HOUSEHOLDS = 2469
LABELS = ("1", "2", "3+")
ROOT = Path(files.__file__).parents[2]


@pytest.fixture(scope="module")
def real():
    return world.load()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The real world, written once: the folder, and what truth.json says."""
    out = tmp_path_factory.mktemp("demo")
    files.write(out, REAL_HOUSEHOLDS)
    return out, json.loads((out / "truth.json").read_text())


# --- the same bytes, and the same people in worlds of any size -----------------------------------


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for run in ("first", "second"):
        files.write(tmp_path / run, 300)
    first = sorted(path for path in (tmp_path / "first").rglob("*") if path.is_file())
    assert len(first) == 13
    for path in first:
        again = tmp_path / "second" / path.relative_to(tmp_path / "first")
        assert path.read_bytes() == again.read_bytes(), path.name


def test_a_larger_world_begins_with_the_smaller_one(real):
    small, large = (holdings.divide(world.resample(real, size)) for size in (3000, 5000))
    for side in ("advertiser", "channel"):
        lesser, greater = getattr(small, side), getattr(large, side)
        pd.testing.assert_frame_equal(lesser, greater.iloc[: len(lesser)])


def test_other_purposes_and_numbers_give_other_draws():
    numbers = np.arange(1000)
    assert len(np.unique(draws.chance(numbers, "a"))) == 1000
    assert abs(np.corrcoef(draws.chance(numbers, "a"), draws.chance(numbers, "b"))[0, 1]) < 0.1


# --- identities ----------------------------------------------------------------------------------


def test_no_two_people_share_an_identifier_by_accident():
    identities = people.identify(np.arange(150_000))
    for column in (identities.phone, identities.maid, identities.member):
        assert len(column.unique()) == 150_000
    emails = identities.email.to_pandas()
    repeated = emails[emails.duplicated(keep=False)]
    neighbours = (emails == emails.shift(1)) | (emails == emails.shift(-1))
    assert neighbours[repeated.index].all()
    assert 0.5 < repeated.nunique() / (150_000 * people.SHARED_EMAIL) < 1.1


def test_identifiers_have_the_shape_of_real_ones():
    identities = people.identify(np.arange(2000))
    shapes = {
        "email": r"[a-z]+[._-][a-z]+\d*@([a-z]+\.)?example\.(com|net|org)",
        "phone": r"\+1[2-5]\d\d555\d{4}",
        "maid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    }
    for kind, shape in shapes.items():
        assert all(re.fullmatch(shape, text) for text in getattr(identities, kind).to_pylist())
    assert "5551212" not in "".join(identities.phone.to_pylist())


def test_references_of_the_two_sides_cannot_be_joined(real):
    divided = holdings.divide(world.resample(real, 2000))
    assert divided.advertiser["person"].is_unique
    assert divided.channel["person"].is_unique
    digits = [set(side["person"].str[-7:]) for side in (divided.advertiser, divided.channel)]
    assert len(digits[0] & digits[1]) < 10


def test_numbers_beyond_the_last_identity_are_refused():
    for number in (-1, 1 << 20):
        with pytest.raises(ValueError, match="lies outside"):
            people.identify(np.array([number]))


# --- resampling ----------------------------------------------------------------------------------


@pytest.mark.parametrize("households", [0, -5, 1_000_001])
def test_impossible_worlds_are_refused(real, households):
    with pytest.raises(ValueError, match="households must be"):
        world.resample(real, households)


def test_a_world_says_what_is_resampled(real):
    assert world.resample(real, REAL_HOUSEHOLDS).resampled == 0
    assert "nothing resampled" in world.resample(real, 100).describe()
    larger = world.resample(real, 3000)
    assert larger.resampled == 531
    assert "531 resampled" in larger.describe()


def test_the_first_households_are_the_real_ones_with_all_their_receipts(real):
    made = world.resample(real, REAL_HOUSEHOLDS)
    assert made.numbers.tolist() == real.ids.tolist()
    receipts = made.receipts()
    assert len(receipts) == len(real.receipts) == 6589
    assert receipts["person"].nunique() == 1559


def test_a_resampled_household_has_its_sources_receipts_and_another_identity(real):
    made = world.resample(real, 4000)
    received = made.receipts().groupby("person")["campaign"].agg(tuple)
    for position in range(REAL_HOUSEHOLDS, 4000):
        source = int(made.sources[position])
        assert made.numbers[position] != made.numbers[source]
        assert received.get(position) == received.get(source)


def test_resampling_keeps_marginal_shares(real):
    small, large = (
        holdings.divide(world.resample(real, size)) for size in (REAL_HOUSEHOLDS, 40_000)
    )
    for share in (
        lambda divided: divided.advertiser["segment"].value_counts(normalize=True),
        lambda divided: truth.frequency(divided).value_counts(normalize=True),
        lambda divided: truth.campaign_sets(divided).value_counts(normalize=True),
        lambda divided: divided.receipts["campaign"].value_counts(normalize=True),
        lambda divided: divided.channel[list(truth.ORDER)].notna().mean(),
    ):
        difference = share(small).sub(share(large), fill_value=0).abs()
        assert difference.max() < 0.03


# --- the truth, by brute force from the files ----------------------------------------------------


def test_every_identifier_earns_some_matches_and_some_people_share_nothing(written):
    _, known = written
    assert known["match"]["found"] == 1091  # the number that examples/README.md states
    for types in ("email", "phone", "maid", "email+phone"):
        assert known["match"]["by_types"][types] >= 10
    assert known["match"]["on_both_sides_but_unmatchable"] > 100
    assert sum(known["match"]["by_types"].values()) == known["match"]["found"]


def test_the_match_list_is_what_the_files_support(written):
    out, known = written
    advertiser, channel = read_customers(out), read_receipts(out)
    theirs = set().union(*(ids for ids, _ in advertiser.values()))
    mine = set().union(*(ids for ids, _ in channel.values()))
    listed = sorted(person for person, (ids, _) in channel.items() if ids & theirs)
    assert listed == known["match"]["subscribers"]
    assert len(mine & theirs) == known["match"]["shared_identifiers"]


@pytest.mark.parametrize("name", ["frequency", "campaigns"])
def test_the_reach_table_is_what_the_files_support(written, name):
    out, known = written
    labels = {"frequency": label_by_frequency, "campaigns": label_by_campaigns}
    channel = {
        person: (ids, labels[name](campaigns))
        for person, (ids, campaigns) in read_receipts(out).items()
    }
    cells, dropped = brute_force_table(channel, read_customers(out), truth.ORDER)
    stated = known["reach"][name]
    flat = {(row, column): n for row, by in stated["cells"].items() for column, n in by.items()}
    assert {cell: n for cell, n in flat.items() if n} == dict(cells)
    assert dropped == (stated["tabulator_dropped"], stated["recipient_dropped"])
    assert min(dropped) > 0, "the deliberately shared e-mails do not show"


def test_attributed_baskets_are_what_the_files_support(written):
    out, known = written
    holders = defaultdict(list)
    touches = defaultdict(list)
    for row in pq.read_table(out / "channel" / "receipts.parquet").to_pylist():
        if row["opt_in"] == "yes" and row["campaign"] in truth.SEASON_CAMPAIGNS:
            touches[row["subscriber"]].append((slot_of(row["sent_at"]), row["campaign"]))
    for person, (ids, _) in read_receipts(out).items():
        for identifier in ids:
            holders[identifier].append(person)
    baskets = read_baskets(out)
    sent = {household: first_identifier(ids) for household, (ids, _) in read_customers(out).items()}
    shared = {one for one, n in Counter(sent.values()).items() if n > 1}
    first, last, cents, count = Counter(), Counter(), Counter(), 0
    for household, identifier in sent.items():
        if identifier is None or identifier in shared:
            continue
        met = holders[identifier] if len(holders[identifier]) == 1 else ()
        for paid_at, paid in sorted(baskets[household])[: truth.MOST_BASKETS]:
            count += 1
            slot = slot_of(paid_at)
            counting = [
                campaign
                for person in met
                for at, campaign in touches[person]
                if at <= slot <= at + truth.LOOKBACK_SLOTS
            ]
            if counting:
                first[counting[0]] += 1
                last[counting[-1]] += 1
                cents[counting[-1]] += paid
    assert known["attribution"] == {
        "sent": count,
        "first": dict(first),
        "last": dict(last),
        "last_cents": dict(cents),
        "three_in_a_day": known["attribution"]["three_in_a_day"],
    }


def test_spend_and_arms_are_what_the_files_support(written):
    out, known = written
    with (out / "advertiser" / "customers.csv").open(newline="", encoding="utf-8") as lines:
        spend = {row["household"]: float(row["total_spend"]) for row in csv.DictReader(lines)}
    sharing = defaultdict(list)
    for household, (ids, _) in read_customers(out).items():
        if ids:
            sharing[first_identifier(ids)].append(spend[household])
    brought, _ = single_labels(
        (one, label_by_campaigns(campaigns))
        for ids, campaigns in read_receipts(out).values()
        for one in ids
    )
    bounds = [bound / 100 for bound in truth.SPEND_CENTS]
    people, spent = Counter(), Counter()
    for identifier in brought.keys() & sharing.keys():
        for bound in bounds:
            chance = math.prod(rounds_to(bound, paid, bounds) for paid in sharing[identifier])
            people[brought[identifier]] += chance
            spent[brought[identifier]] += chance * bound
    assert any(len(paid) > 1 for paid in sharing.values())
    for label, one in known["spend"].items():
        assert one["people"] == pytest.approx(people[label])
        assert one["cents"] == pytest.approx(100 * spent[label])
    arms = Counter()
    mails = set()
    for row in pq.read_table(out / "channel" / "experiment.parquet").to_pylist():
        if row["opt_in"] == "yes" and row["email_hash"] and row["email_hash"] not in mails:
            mails.add(row["email_hash"])
            arms[row["arm"]] += 1
    people = known["lift"]["people"]
    assert all(0 <= arms[arm] - people[arm] <= 5 for arm in people)  # some share one, across arms
    assert set(known["lift"]["conversions"]) == set(arms)


def test_the_planted_effect_is_there(real):
    """What exposure adds to the chance of buying, found again among all subscribers."""
    made = holdings.divide(world.resample(real, 60_000))
    known = truth.lift(made)
    rate = {arm: known["conversions"][arm] / known["people"][arm] for arm in known["people"]}
    assert abs(rate["treatment"] - rate["control"] - known["effect"]["all"]) < 0.012
    found = known["effect"]["exposed"] / known["effect"]["all"]
    assert abs(found - 1 / experiment.EXPOSED_SHARE) < 0.1


people_of_one_side = st.lists(
    st.tuples(
        st.tuples(*[st.none() | st.sampled_from("abcd")] * 3),
        st.sampled_from(LABELS),
        st.booleans(),
    ),
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(mine=people_of_one_side, theirs=people_of_one_side, order=st.permutations(truth.ORDER))
def test_the_truth_follows_its_rules_in_any_small_world(mine, theirs, order):
    (tabulator, offered), (recipient, sent) = as_side(mine), as_side(theirs)
    table = truth.reach_table(
        tabulator, recipient, tabulator["label"], recipient["label"], order=order
    )
    cells, dropped = brute_force_table(offered, sent, order)
    stacked = table.cells.stack()
    assert {cell: n for cell, n in stacked.items() if n} == dict(cells)
    assert table.cells.shape == (len(LABELS), len(LABELS))
    assert (table.tabulator_dropped, table.recipient_dropped) == dropped
    listed = [
        person
        for person, (ids, _) in sorted(offered.items())
        if any(ids & others for others, _ in sent.values())
    ]
    assert truth.match_list(tabulator, recipient)["person"].tolist() == listed


# --- what the files look like --------------------------------------------------------------------


def test_files_hold_clutter_that_only_normalising_removes(written):
    out, _ = written
    with (out / "advertiser" / "customers.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    emails = [row["email"] for row in rows]
    assert any(text != text.strip() for text in emails)
    assert any(text != text.lower() for text in emails)
    assert {"", "unknown", "test@test.com"} <= set(emails)
    shapes = Counter(re.sub(r"\d", "9", row["phone"]) for row in rows)
    assert len([shape for shape, n in shapes.items() if n > 20]) >= 7
    receipts = pq.read_table(out / "channel" / "receipts.parquet").to_pandas()
    hashes = receipts["email_hash"].dropna()
    assert hashes.str.fullmatch("[0-9a-f]{64}|[0-9A-F]{64}").all()
    assert 0.2 < hashes.str.contains("[A-F]").mean() < 0.6
    assert not receipts["phone"].str.contains("[0-9a-fA-F]{32}", na=False).any()
    assert str(receipts["sent_at"].dt.tz) == "UTC"


def test_every_receipt_was_sent_within_its_campaign(real):
    made = world.resample(real, REAL_HOUSEHOLDS)
    sent = holdings.divide(made).receipts
    dates = real.receipts.drop_duplicates("campaign").set_index("campaign")
    when = pd.to_datetime(sent["sent_at"], unit="s")
    campaign = sent["campaign"].str[1:].astype(int)
    assert (when >= campaign.map(dates["start"])).all()
    assert (when < campaign.map(dates["end"])).all()
    assert when.is_monotonic_increasing


def test_dataset_descriptions_say_what_the_truth_assumes(written):
    out, _ = written
    customers = yaml.safe_load((out / "advertiser" / "customers.yaml").read_text())
    receipts = yaml.safe_load((out / "channel" / "receipts.yaml").read_text())
    assert customers["labels"]["segment"]["values"] == list(holdings.SEGMENTS)
    assert customers["consent"]["given"] == [holdings.ADVERTISER.consented]
    for label, cents in (("spend", truth.SPEND_CENTS), ("promoted", truth.PROMOTED_CENTS)):
        assert [100 * int(bound) for bound in customers["labels"][label]["bounds"]] == list(cents)
    assert receipts["consent"]["given"] == [holdings.CHANNEL.consented]
    assert receipts["labels"] == {
        "frequency": {"count": "campaign", "up_to": truth.FREQUENCY_UP_TO},
        "campaigns": {"set_of": "campaign", "among": list(truth.BIGGEST_CAMPAIGNS)},
        "journey": {
            "journeys_of": "campaign",
            "time": "sent_at",
            "campaigns": list(truth.SEASON_CAMPAIGNS),
            "in_full": 2,
        },
    }
    header = pq.read_schema(out / "channel" / "receipts.parquet").names
    assert set(header) == {"subscriber", *receipts["columns"]}


def test_the_biggest_campaigns_are_the_biggest(real):
    biggest = real.receipts["campaign"].value_counts().index[:3]
    assert tuple(f"C{campaign}" for campaign in biggest) == truth.BIGGEST_CAMPAIGNS


def test_the_vendors_panel_has_real_members_and_strangers_whom_nobody_else_knows(real, written):
    out, known = written
    vendor = pq.read_table(out / "vendor" / "demographics.parquet").to_pandas()
    assert known["three"]["members"] == panel.MEMBERS
    assert panel.MEMBERS - known["three"]["strangers"] == 801 + 410 - 295  # a member once
    assert len(vendor) == known["three"]["strangers"] + 801
    assert vendor["member_id"].is_unique
    assert set(vendor.columns) == {"member_id", "email_hash", "opt_in", *panel.ATTRIBUTES}
    strangers = panel.gather(world.resample(real, 10)).members["email"].dropna()[-1000:]
    assert not set(strangers) & set(holdings.divide(world.resample(real, 3000)).advertiser["email"])


def test_descriptions_of_the_vendors_data_say_what_the_truth_assumes(written):
    out, known = written
    members, coupons = (
        yaml.safe_load((out / "vendor" / f"{name}.yaml").read_text())
        for name in ("demographics", "coupons")
    )
    for described in (members, coupons):
        assert described["consent"]["given"] == [panel.VENDOR.consented]
        header = pq.read_schema(out / "vendor" / described["source"]).names
        assert set(described["columns"]) | {described["person"]} <= set(header)
    assert coupons["labels"] == {
        "coupons": {"count": "campaign", "up_to": truth_of_three.COUPONS_UP_TO}
    }
    for label in ("age", "household"):
        counted = {third for *_, third, _ in known["three"][label]} - {truth_of_three.NONE}
        assert counted == set(members["labels"][label]["values"])


def test_the_table_of_three_is_what_loops_over_the_written_files_find(written):
    out, known = written
    customers = {
        name: (e_mail(ids), segment) for name, (ids, segment) in read_customers(out).items()
    }
    receipts = {
        name: (e_mail(ids), label_by_frequency(campaigns))
        for name, (ids, campaigns) in read_receipts(out).items()
    }
    for label, members in read_members(out).items():
        sides = [
            single_labels([one for one in side.values() if one[0]])[0]
            for side in (receipts, customers, members)
        ]
        keys = set().union(*sides)
        cells = Counter(tuple(side.get(key, truth_of_three.NONE) for side in sides) for key in keys)
        assert {tuple(names): count for *names, count in known["three"][label]} == cells


def read_members(out):
    """Return {label: {member: (e-mail, value)}} of the consenting, from the Parquet alone."""
    rows = pq.read_table(out / "vendor" / "demographics.parquet").to_pylist()
    found = {"age": {row["member_id"]: (row, row["age"]) for row in rows}}
    used = defaultdict(set)
    rows = pq.read_table(out / "vendor" / "coupons.parquet").to_pylist()
    for row in rows:
        used[row["member_id"]].add(row["campaign"])
    found["coupons"] = {
        row["member_id"]: (row, str(n) if (n := len(used[row["member_id"]])) < 3 else "3+")
        for row in rows
    }
    return {
        label: {
            member: (base64.b64decode(row["email_hash"] or "").hex(), value)
            for member, (row, value) in members.items()
            if row["opt_in"] == "granted"
        }
        for label, members in found.items()
    }


def e_mail(ids):
    """Return the digest of an e-mail, if there is one."""
    return dict(ids).get("email")


def test_making_data_and_truth_never_imports_the_product():
    packages = "{'psi', 'privacy', 'reports', 'audit', 'party', 'server', 'client', 'commonground'}"
    script = f"import sys, examples.demo.files; sys.exit(bool({packages} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


# --- an independent reading: standard library, loops, sets ---------------------------------------


def read_customers(out):
    """Return {household: (identifiers, segment)} of the consenting, from the CSV alone."""
    with (out / "advertiser" / "customers.csv").open(newline="", encoding="utf-8") as lines:
        return {
            row["household"]: (
                identifiers(hash_email(row["email"]), row["phone"], row["app_device_id"]),
                row["segment"],
            )
            for row in csv.DictReader(lines)
            if row["opt_in"] == "Y"
        }


def read_baskets(out):
    """Return {household: [(time, cents)]} of the season, from the Parquet alone."""
    found = defaultdict(list)
    for row in pq.read_table(out / "advertiser" / "baskets.parquet").to_pylist():
        found[row["household"]].append((row["paid_at"], round(100 * float(row["total"]))))
    return found


def first_identifier(ids):
    """Return the one that a recipient sends, or None."""
    return min(ids, key=lambda one: truth.ORDER.index(one[0]), default=None)


def rounds_to(bound, paid, bounds):
    """Return the chance that an amount is rounded to this bound, one of the two around it."""
    paid = min(paid, bounds[-1])
    low = max(one for one in bounds if one <= paid)
    high = min((one for one in bounds if one > paid), default=low)
    up = (paid - low) / (high - low) if high > low else 0
    return {low: 1 - up, high: up}.get(bound, 0) if high > low else float(bound == low)


def slot_of(moment):
    """Return the slot of the season that a moment lies in; before the season, below 0."""
    return (int(moment.timestamp()) - world.SEASON) // truth.SLOT_SECONDS


def read_receipts(out):
    """Return {subscriber: (identifiers, campaigns)} of the consenting, from the Parquet alone."""
    found = defaultdict(lambda: (set(), set()))
    for row in pq.read_table(out / "channel" / "receipts.parquet").to_pylist():
        if row["opt_in"] != "yes":
            continue
        ids, campaigns = found[row["subscriber"]]
        ids |= identifiers((row["email_hash"] or "").lower(), row["phone"] or "", row["idfa"] or "")
        campaigns.add(row["campaign"])
    return dict(found)


def identifiers(email_digest, phone, device):
    """Return the set of (type, value) that these three fields really hold."""
    empty = {hashlib.sha256(text).hexdigest() for text in (b"", b"test@test.com")}
    found = set()
    if email_digest and email_digest not in empty:
        found.add(("email", email_digest))
    digits = re.sub(r"\D", "", phone.split("ext")[0])[-10:]
    if len(digits) == 10 and set(digits) != {"0"}:
        found.add(("phone", digits))
    if len(device) == 36 and set(device) != {"0", "-"}:
        found.add(("maid", device.lower()))
    return found


def hash_email(text):
    plain = text.strip().lower()
    return hashlib.sha256(plain.encode()).hexdigest() if plain.count("@") == 1 else ""


def label_by_frequency(campaigns):
    return str(len(campaigns)) if len(campaigns) < 5 else "5+"


def label_by_campaigns(campaigns):
    return "+".join(c for c in ("C18", "C13", "C8") if c in campaigns) or "none"


def brute_force_table(tabulator, recipient, order):
    """Count cells from {person: (identifiers, label)}; return them and both sides' dropped keys."""
    offered = [(key, label) for ids, label in tabulator.values() for key in ids]
    sent = []
    for ids, label in recipient.values():
        held = dict(ids)
        first = next((kind for kind in order if kind in held), None)
        if first is not None:
            sent.append(((first, held[first]), label))
    (mine, mine_dropped), (theirs, theirs_dropped) = single_labels(offered), single_labels(sent)
    cells = Counter((mine[key], theirs[key]) for key in mine.keys() & theirs.keys())
    return cells, (mine_dropped, theirs_dropped)


def single_labels(pairs):
    """Return {key: label} of the keys with one label, and how many keys have several."""
    by_key = defaultdict(set)
    for key, label in pairs:
        by_key[key].add(label)
    kept = {key: next(iter(labels)) for key, labels in by_key.items() if len(labels) == 1}
    return kept, len(by_key) - len(kept)


def as_side(members):
    """Make one side twice: the frame that `truth` reads, and {person: (identifiers, label)}."""
    frame = pd.DataFrame(
        {
            "person": [f"p{position}" for position in range(len(members))],
            "number": range(len(members)),
            "label": pd.Categorical([label for _, label, _ in members], LABELS),
            "consented": pd.Series([consented for *_, consented in members], dtype=bool),
            **{
                kind: pd.Series([values[place] for values, *_ in members], dtype="str")
                for place, kind in enumerate(truth.ORDER)
            },
        }
    )
    plain = {
        f"p{position}": (
            {(k, v) for k, v in zip(truth.ORDER, values, strict=True) if v is not None},
            label,
        )
        for position, (values, label, consented) in enumerate(members)
        if consented
    }
    return frame, plain
