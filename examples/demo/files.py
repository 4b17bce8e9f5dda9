"""Write what each organisation holds, in its own untidy form, and the truth beside it.

    python -m examples.demo.files --out build/demo/data --households 2469

    advertiser/customers.csv     a row a customer: e-mails as people typed them, phones as clerks
                                 wrote them, blanks and placeholders
    advertiser/baskets.parquet   a row a basket of one season, with its customer's identifiers
    channel/receipts.parquet     a row a campaign receipt: e-mail as SHA-256, phone, IDFA
    channel/experiment.parquet   a row a subscriber: arm, and whether the ad reached (simulated)
    vendor/demographics.parquet  a row a member of a panel: SHA-256 in base64, attributes
    vendor/coupons.parquet       a row a coupon that a member used
    truth.json                   what an honest match and report must find

Each dataset's description stands beside it. The same arguments give the same bytes.
"""

import argparse
import base64
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from examples.demo import truth, truth_of_three, world
from examples.demo.clutter import (
    AT_THE_TILL,
    IN_THE_APP,
    NO_DEVICE,
    SHA256_OF_NOTHING,
    SHA256_OF_TEST,
    device_ids,
    hashed_emails,
    typed_emails,
    written_phones,
)
from examples.demo.holdings import Holdings, divide
from examples.demo.panel import ATTRIBUTES, Panel, gather
from examples.demo.people import choose
from examples.demo.world import World

DESCRIPTIONS = {
    "advertiser": ("customers.yaml", "baskets.yaml"),
    "channel": ("receipts.yaml", "experiment.yaml"),
    "vendor": ("demographics.yaml", "coupons.yaml"),
}
_TEST_CUSTOMERS = (
    ("HH-TEST-1", "unknown", "000-000-0000", "", "bronze", "0.00", "", "Y"),
    ("HH-TEST-2", "test@test.com", "(000) 000-0000", NO_DEVICE, "silver", "0.01", "9.99", "Y"),
    ("HH-TEST-3", " TEST@Test.com ", "n/a", "null", "gold", "0.00", "", "Y"),
    ("HH-TEST-4", "walk-in customer", "front desk", "none", "gold", "0.02", "", "Y"),
)
_TEST_SENT_AT = 1_479_081_600  # 2016-11-14 UTC, the day the first campaign started
_TEST_RECEIPTS = (
    ("S-TEST-1", SHA256_OF_TEST, "000-000-0000", NO_DEVICE, "C24", _TEST_SENT_AT, "yes"),
    ("S-TEST-2", SHA256_OF_NOTHING, "unknown", NO_DEVICE, "C24", _TEST_SENT_AT, "yes"),
    ("S-TEST-3", SHA256_OF_TEST.upper(), "+1 000 000 0000", "UNKNOWN", "C24", _TEST_SENT_AT, "yes"),
)
_SENT_AT = pa.timestamp("s", tz="UTC")


def write(out: Path, households: int) -> dict[str, object]:
    """Write a world of so many households below `out`; return what truth.json says."""
    made = world.resample(world.load(), households)
    holdings, panel = divide(made), gather(made)
    for organisation in ("advertiser", "channel", "vendor"):
        (out / organisation).mkdir(parents=True, exist_ok=True)
    pv.write_csv(customers(holdings), out / "advertiser" / "customers.csv")
    pq.write_table(baskets(holdings), out / "advertiser" / "baskets.parquet")
    pq.write_table(receipts(holdings), out / "channel" / "receipts.parquet")
    pq.write_table(subjects(holdings), out / "channel" / "experiment.parquet")
    pq.write_table(demographics(panel), out / "vendor" / "demographics.parquet")
    pq.write_table(coupons(panel), out / "vendor" / "coupons.parquet")
    for holder, names in DESCRIPTIONS.items():
        for name in names:
            shutil.copyfile(Path(__file__).with_name(name), out / holder / name)
    known = {
        "households": _describe(made),
        **truth.summarise(holdings),
        "three": truth_of_three.summarise(holdings, panel),
    }
    (out / "truth.json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return known


def customers(holdings: Holdings) -> pa.Table:
    """Render the advertiser's file, with a few test customers that are nobody."""
    side = holdings.advertiser
    table = pa.table(
        {
            **_card(side),
            "segment": pa.array(side["segment"], pa.string()),
            "total_spend": _money(side["spend_cents"]),
            "promoted_spend": _money(side["promoted_cents"].where(side["promoted_cents"] > 0)),
            "opt_in": pa.array(side["opt_in"], pa.string()),
        }
    )
    return _append(table, _TEST_CUSTOMERS)


def baskets(holdings: Holdings) -> pa.Table:
    """Render the season's baskets by time, each with what the customer's card says."""
    rows = holdings.baskets
    side = holdings.advertiser
    table = pa.table({**_card(side), "opt_in": pa.array(side["opt_in"], pa.string())})
    table = table.take(pa.array(rows["person"]))
    table = table.append_column("paid_at", pa.array(rows["at"]).cast(_SENT_AT))
    return table.append_column("total", _money(rows["cents"]))


def subjects(holdings: Holdings) -> pa.Table:
    """Render the experiment: a row a subscriber, as the channel's ad server has them."""
    side = holdings.channel
    numbers = side["number"].to_numpy()
    return pa.table(
        {
            "subscriber": pa.array(side["person"], pa.string()),
            "email_hash": pa.array(side["email"].map(_sha256, na_action="ignore"), pa.string()),
            "phone": written_phones(numbers, side["phone"], IN_THE_APP, {"": 1.0}),
            "idfa": device_ids(numbers, side["maid"].str.upper(), {"": 1.0}),
            "arm": choose(("control", "treatment"), side["treated"].to_numpy().astype(np.int64)),
            "ad": choose(("not exposed", "exposed"), side["exposed"].to_numpy().astype(np.int64)),
            "opt_in": pa.array(side["opt_in"], pa.string()),
        }
    )


def _card(side: pd.DataFrame) -> dict[str, pa.Array]:
    """Write what the advertiser's customer cards say of people, as they were typed."""
    numbers = side["number"].to_numpy()
    phone_gaps = {"": 0.8, "000-000-0000": 0.15, "unknown": 0.05}
    email_gaps = {"": 0.75, "unknown": 0.15, "test@test.com": 0.05, "n/a": 0.05}
    return {
        "household": pa.array(side["person"], pa.string()),
        "email": typed_emails(numbers, side["email"], email_gaps),
        "phone": written_phones(numbers, side["phone"], AT_THE_TILL, phone_gaps),
        "app_device_id": device_ids(numbers, side["maid"], {"": 0.97, "null": 0.03}),
    }


def _money(cents: pd.Series) -> pa.Array:
    """Write amounts as a till does: "12.30", and nothing where there is none."""
    texts = ["" if pd.isna(amount) else f"{amount / 100:.2f}" for amount in cents]
    return pa.array(texts, pa.string())


def receipts(holdings: Holdings) -> pa.Table:
    """Render the channel's file by time, with a few test subscribers that are nobody.

    The identifiers of one subscriber are spread over rows: a row may lack what another shows, and
    may write it differently.
    """
    rows = holdings.receipts
    draws = rows["draw"].to_numpy()
    side = holdings.channel.iloc[rows["person"]].reset_index(drop=True)
    shown = {kind: side[kind].where(rows[kind]) for kind in truth.ORDER}
    email_gaps = {None: 0.8, SHA256_OF_NOTHING: 0.12, SHA256_OF_TEST: 0.08}
    phone_gaps = {None: 0.85, "000-000-0000": 0.1, "unknown": 0.05}
    digests = shown["email"].map(_sha256, na_action="ignore")
    table = pa.table(
        {
            "subscriber": pa.array(side["person"], pa.string()),
            "email_hash": hashed_emails(draws, digests, email_gaps),
            "phone": written_phones(draws, shown["phone"], IN_THE_APP, phone_gaps),
            "idfa": device_ids(draws, shown["maid"].str.upper(), {None: 0.4, NO_DEVICE: 0.6}),
            "campaign": pa.array(rows["campaign"], pa.string()),
            "sent_at": pa.array(rows["sent_at"]).cast(_SENT_AT),
            "opt_in": pa.array(side["opt_in"], pa.string()),
        }
    )
    return _append(table, _TEST_RECEIPTS)


def demographics(panel: Panel) -> pa.Table:
    """Render the vendor's members: the e-mail as a digest in base64, and what it knows of each."""
    members = panel.members[panel.members["age"].notna()]
    attributes = pa.Table.from_pandas(members[list(ATTRIBUTES)], preserve_index=False)
    named = _member(members)
    for column in attributes.schema.names:
        named = named.append_column(column, attributes[column])
    return named


def coupons(panel: Panel) -> pa.Table:
    """Render the coupons that members used, by time."""
    rows = panel.redemptions
    table = _member(panel.members.iloc[rows["person"]])
    table = table.append_column("campaign", pa.array(rows["campaign"], pa.string()))
    return table.append_column("used_at", pa.array(rows["at"]).cast(_SENT_AT))


def _member(side: pd.DataFrame) -> pa.Table:
    return pa.table(
        {
            "member_id": pa.array(side["person"], pa.string()),
            "email_hash": pa.array(side["email"].map(_base64, na_action="ignore"), pa.string()),
            "opt_in": pa.array(side["opt_in"], pa.string()),
        }
    )


def _append(table: pa.Table, rows: tuple[tuple[str | int, ...], ...]) -> pa.Table:
    added = zip(table.schema, zip(*rows, strict=True), strict=True)
    return pa.concat_tables(
        [table, pa.table({field.name: pa.array(column, field.type) for field, column in added})]
    ).combine_chunks()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _base64(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _describe(made: World) -> dict[str, object]:
    return {"count": len(made), "resampled": made.resampled, "note": made.describe()}


def main() -> None:
    """Parse the arguments, write the files, say what they are."""
    parser = argparse.ArgumentParser(description="Write the demonstration's data.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write below")
    parser.add_argument("--households", type=int, default=2469, help="more than 2469 resamples")
    arguments = parser.parse_args()
    try:
        known = write(arguments.out, arguments.households)
    except ValueError as refusal:
        parser.error(str(refusal))
    print(known["households"]["note"])
    print(f"Wrote {arguments.out}/ (advertiser, channel, vendor, truth.json).")


if __name__ == "__main__":
    main()
