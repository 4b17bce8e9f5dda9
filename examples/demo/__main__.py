"""`make demo`: two organisations on this machine, from their messy files to verified logs.

Everything that the parties do, they do by the command line that a partner would type, each as
processes of its own, over mutual TLS on loopback. The truth comes from the generator.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

from examples.demo import files, score
from examples.demo.processes import CommandError, Party

REAL_HOUSEHOLDS = 2469
SMALL = 10_000  # below, the default minimum of 1,000 people is more than households can give
BUILD = Path("build/demo")

EXAMPLE_DATASET = """\
    people:
      identifiers: [email, phone]
      most_identifiers: 2
      labels:
        group: [one, two]
"""
CHANNEL_DATASET = """\
    receipts:
      identifiers: [email, phone, maid]
      most_identifiers: 3
      labels:
        frequency: ["1", "2", "3", "4", "5+"]
        campaigns: [C13, C18, C8, C13+C18, C13+C8, C18+C8, C13+C18+C8]
"""


def main() -> None:
    """Run the demonstration and write its summary."""
    arguments = _arguments()
    started = time.monotonic()
    try:
        summary = run(arguments.households, arguments.build)
    except CommandError as error:
        sys.exit(f"The demonstration stopped: {error}")
    summary["seconds"] = round(time.monotonic() - started, 1)
    path = arguments.build / "summary.json"
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    _tell(summary)
    print(f"  Summary: {path}")


def run(households: int, build: Path) -> dict[str, Any]:
    """Play both organisations in folders of `build`; return the summary, without the whole time."""
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    say("1. The data. Each organisation's own files, in its own messy form.")
    files.write(build / "data", households)
    truth = json.loads((build / "data" / "truth.json").read_text(encoding="utf-8"))
    print(f"  {truth['households']['note']}")
    advertiser, channel = Party(build / "advertiser"), Party(build / "channel")

    say("2. Two parties. Keys, certificate, store and audit log, each in a folder.")
    for party, name in ((advertiser, "Example Foods"), (channel, "Channel 5")):
        party.run(
            "init", party.folder, "--name", party.folder.name, "--organisation", name,
            "--origin", f"{party.folder.name}.example/log", "--listen", f"127.0.0.1:{free_port()}",
        )  # fmt: skip
    advertiser.run("dataset", "add", build / "data/advertiser/customers.yaml")
    channel.run("dataset", "add", build / "data/channel/receipts.yaml")

    say("3. One contract. Drafted, filled in, signed by both, kept by both.")
    contract = build / "contract.yaml"
    advertiser.run("contract", "propose", channel.folder / "public.yaml", "--out", contract)
    fill_in(contract, households)
    for party in (advertiser, channel):
        party.run("contract", "sign", contract)
    for party in (advertiser, channel):
        party.run("contract", "import", contract)

    channel.serve()
    try:
        return measure(advertiser, channel, truth, build)
    finally:
        channel.stop()


def measure(
    advertiser: Party, channel: Party, truth: dict[str, Any], build: Path
) -> dict[str, Any]:
    """Match, measure reach twice, and verify the logs."""
    say("4. A match. The channel learns which of its own subscribers are customers, no more.")
    began = time.monotonic()
    match = advertiser.run("match", "--receiver", "channel")
    match_seconds = time.monotonic() - began
    listed = build / "audience.csv"
    channel.run("report", "show", match["id"], "--out", listed)

    say("5. Reach. How many customers of each segment had 1, 2, … 5+ campaigns, with noise.")
    began = time.monotonic()
    reach = advertiser.run("report", "reach", "--by", "frequency", "--segment", "segment")
    reach_seconds = time.monotonic() - began
    print(table(reach["result"]["rows"], truth, "frequency"))

    say("6. Reach by campaign, from the disjoint sets of the three biggest.")
    sets = advertiser.run("report", "reach", "--by", "campaigns", "--segment", "segment")

    say("7. The logs. Each party verifies its own, and both against each other.")
    verified = {party.folder.name: party.run("audit", "verify") for party in (advertiser, channel)}
    compared = advertiser.run("audit", "verify", "--with", channel.folder)

    epsilon = reach["request"]["parameters"]["epsilon_release_nano"] / 1e9
    return {
        "households": truth["households"],
        "match": {
            **score.score_match(score.read_references(listed), truth),
            "seconds": round(match_seconds, 1),
        },
        "reach": {
            **score.score_reach(reach["result"]["rows"], truth, "frequency"),
            "epsilon": epsilon,
            "seconds": round(reach_seconds, 1),
        },
        "campaigns": campaigns(sets["result"]["rows"], truth),
        "audit": {
            **{name: "verified" if log["verified"] else "failed" for name, log in verified.items()},
            "entries": sum(log["entries"] for log in verified.values()),
            "agree": compared["verified"],
        },
        "bytes": sum(path.stat().st_size for path in (channel.folder / "sessions").rglob("*.set")),
        "peak_rss_mb": round(max(advertiser.meter.peak, channel.meter.peak) / 1e6),
    }


def campaigns(rows: list[dict[str, Any]], truth: dict[str, Any]) -> dict[str, Any]:
    """Score reach by campaign: a campaign's people are those of every set that contains it."""
    exact = score.exact_cells(truth, "campaigns")
    found = [
        row for row in rows if row["metric"] == "reach" and row["label"] and not row["suppressed"]
    ]
    within = []
    for row in found:
        true = sum(
            count
            for (label, segment), count in exact.items()
            if row["label"] in label.split("+") and row["segment"] in (None, segment)
        )
        within.append(row["low"] <= true <= row["high"])
    return {"numbers": len(found), "within_95_share": round(sum(within) / len(within), 4)}


def fill_in(path: Path, households: int) -> None:
    """Edit the draft as a person would: the counterpart's data, who approves, the minimum."""
    text = path.read_text(encoding="utf-8")
    minimum = 1000
    if households < SMALL:
        minimum = 300
        print("  The contract's minimum for a list is lowered to 300 people for so few households.")
    for old, new in (
        (EXAMPLE_DATASET, CHANNEL_DATASET),
        ("approval: manual", "approval: rule"),
        ("min_match: 1000", f"min_match: {minimum}"),
    ):
        if old not in text:
            raise CommandError(f"the draft no longer says:\n{old}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def table(rows: list[dict[str, Any]], truth: dict[str, Any], label: str) -> str:
    """Render the released cells beside the truth, which only the generator knows."""
    exact = score.exact_cells(truth, label)
    lines = [f"  {'campaigns':>10} {'segment':>8} {'released':>18} {'truth':>8}"]
    for row in rows:
        if row["metric"] == "reach exactly" and row["segment"] is not None:
            true = exact[row["label"], row["segment"]]
            lines.append(f"  {row['label']:>10} {row['segment']:>8} {row['shown']:>18} {true:>8,}")
    return "\n".join(lines)


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def say(text: str) -> None:
    """Print a headline."""
    print(f"\n{text}", flush=True)


def _tell(summary: dict[str, Any]) -> None:
    match, reach, audit = summary["match"], summary["reach"], summary["audit"]
    say("What happened")
    print(
        f"  The channel has a list of {match['found']:,} of its subscribers; the generator says "
        f"{match['truth']:,} ({match['wrong']} wrong).\n"
        f"  Of {reach['cells']} cells {1 - reach['suppressed_share']:.0%} are shown, and "
        f"{reach['within_95_share']:.0%} of these hold the truth within their 95% interval; the "
        f"total is {reach['total_relative_error']:.2%} off.\n"
        f"  Both logs verify and agree ({audit['entries']} entries). Neither side saw a row of "
        f"the other's.\n"
        f"  {summary['bytes'] / 1e6:.1f} MB crossed, {summary['seconds']} s, at most "
        f"{summary['peak_rss_mb']} MB a party (all of its processes)."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--households", type=int, default=REAL_HOUSEHOLDS)
    parser.add_argument("--build", type=Path, default=BUILD, help="where everything is put")
    return parser.parse_args()


if __name__ == "__main__":
    main()
