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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples.demo import files, score
from examples.demo.processes import CommandError, Party
from examples.demo.reports import Report, reports

REAL_HOUSEHOLDS = 2469
SMALL = 10_000  # below, the default minimum of 1,000 people is more than households can give
BUILD = Path("build/demo")

DATASETS = {
    "advertiser": (("customers", "customers"), ("baskets", "customers")),
    "channel": (("receipts", "receipts"), ("experiment", "receipts")),
}
"""What each registers: datasets, and the population that they are of, which has one budget."""
EXAMPLE_DATASET = """\
    people:
      identifiers: [email, phone]
      most_identifiers: 2
      labels:
        group: [one, two]
"""
TOO_MUCH = "5"
"""An ε that the channel's budget has no room for after the reports."""


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
    for party in (advertiser, channel):
        for name, population in DATASETS[party.folder.name]:
            described = build / "data" / party.folder.name / f"{name}.yaml"
            party.run("dataset", "add", described, "--population", population)

    say("3. One contract. Drafted, filled in, signed by both, kept by both.")
    contract, offer = build / "contract.yaml", build / "offer.yaml"
    advertiser.run("contract", "propose", channel.folder / "public.yaml", "--out", contract)
    channel.run("contract", "propose", advertiser.folder / "public.yaml", "--out", offer)
    fill_in(contract, offer, households)
    for party in (advertiser, channel):
        party.run("contract", "sign", contract)
    for party in (advertiser, channel):
        party.run("contract", "import", contract)

    channel.serve()
    try:
        return measure(advertiser, channel, truth, build, reports(households))
    finally:
        channel.stop()


def measure(
    advertiser: Party,
    channel: Party,
    truth: dict[str, Any],
    build: Path,
    asked: Sequence[Report],
) -> dict[str, Any]:
    """Match, ask for the reports, be refused, and verify the logs."""
    say("4. A match. The channel learns which of its own subscribers are customers, no more.")
    began = time.monotonic()
    match = advertiser.run(
        "match", "--receiver", "channel", "--dataset", "customers", "--their-dataset", "receipts"
    )
    match_seconds = time.monotonic() - began
    listed = build / "audience.csv"
    channel.run("report", "show", match["id"], "--out", listed)

    scores = {}
    for number, report in enumerate(asked, 5):
        say(f"{number}. {report.headline}")
        promised = quoted(advertiser, report) if report.quoted else None
        scores[report.name] = ask(advertiser, report, truth, build)
        if promised is not None:
            scores[report.name]["quoted_half_width"] = promised

    say(f"{5 + len(asked)}. Other models, from the table that is stored. They cost nothing.")
    again(advertiser, scores["attribution"]["id"])

    say(f"{6 + len(asked)}. Too much. The channel's ledger has no room for more.")
    refused = advertiser.refused("report", *asked[0].words, "--epsilon", TOO_MUCH)
    print(f"  {refused}")

    say(f"{7 + len(asked)}. The logs. Each verifies its own, and both against each other.")
    verified = {party.folder.name: party.run("audit", "verify") for party in (advertiser, channel)}
    compared = advertiser.run("audit", "verify", "--with", channel.folder)

    return {
        "households": truth["households"],
        "match": {
            **score.score_match(score.read_references(listed), truth),
            "seconds": round(match_seconds, 1),
        },
        "reports": scores,
        "refused": refused,
        "audit": {
            **{name: "verified" if log["verified"] else "failed" for name, log in verified.items()},
            "entries": sum(log["entries"] for log in verified.values()),
            "agree": compared["verified"],
        },
        "bytes": sum(path.stat().st_size for path in (channel.folder / "sessions").rglob("*.set")),
        "peak_rss_mb": round(max(advertiser.meter.peak, channel.meter.peak) / 1e6),
    }


def ask(party: Party, report: Report, truth: dict[str, Any], build: Path) -> dict[str, Any]:
    """Ask for one report, print it beside the truth, and return its scores."""
    began = time.monotonic()
    made = party.run("report", *report.words, "--html", build / f"{report.name}.html")
    seconds = time.monotonic() - began
    rows = made["result"]["rows"]
    numbers = list(report.compare(rows, truth))
    print(table(numbers))
    for line in report.remarks(rows, truth):
        print(f"  {line}")
    return {
        **score.score(numbers, report.total(rows, truth)),
        "epsilon": made["request"]["parameters"]["epsilon_release_nano"] / 1e9,
        "seconds": round(seconds, 1),
        "id": made["id"],
    }


def quoted(party: Party, report: Report) -> float:
    """Return the error of a cell that a quote promises for what may be passed on."""
    quote = party.run("quote", *report.words)
    half_width = float(quote["shareable"]["half_width"])
    print(f"  The quote: a cell will be ± {half_width:.0f}, and nothing has been spent.")
    return half_width


def again(party: Party, made: str) -> None:
    """Show every model of an attribution, from the table that is stored; it costs nothing."""
    rows = party.run("report", "show", made)["result"]["rows"]
    found = {row["metric"]: {} for row in rows if row["metric"].startswith("conversions, ")}
    for row in rows:
        if row["metric"] in found:
            found[row["metric"]][row["label"]] = row["shown"]
    campaigns = list(next(iter(found.values())))
    print(f"  {'model':>10}" + "".join(f"{campaign:>16}" for campaign in campaigns))
    for metric, shown in found.items():
        cells = "".join(f"{shown[campaign]:>16}" for campaign in campaigns)
        print(f"  {metric.removeprefix('conversions, '):>10}{cells}")


def fill_in(path: Path, offer: Path, households: int) -> None:
    """Edit the draft as a person would: the counterpart's data, who approves, the minimum."""
    text, offered = path.read_text(encoding="utf-8"), offer.read_text(encoding="utf-8")
    minimum = 1000
    if households < SMALL:
        minimum = 300
        print("  The contract's minimum for a list is lowered to 300 people for so few households.")
    theirs = offered.partition("  channel:\n")[2].rpartition("  advertiser:\n")[0]
    for old, new in (
        (EXAMPLE_DATASET, theirs.partition("datasets:\n  channel:\n")[2]),
        ("approval: manual", "approval: rule"),
        ("min_match: 1000", f"min_match: {minimum}"),
    ):
        if old not in text:
            raise CommandError(f"the draft no longer says:\n{old}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def table(numbers: Sequence[score.Compared]) -> str:
    """Render released numbers beside the truth, which only the generator knows."""
    head = f"  {'':>28} {'released':>36} {'truth':>14}   95% interval"
    return "\n".join([head, *(number.line for number in numbers)])


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
    match, audit = summary["match"], summary["audit"]
    say("What happened")
    print(
        f"  The channel has a list of {match['found']:,} of its subscribers; the generator says "
        f"{match['truth']:,} ({match['wrong']} wrong)."
    )
    for name, found in summary["reports"].items():
        print(
            f"  {name}: {1 - found['suppressed_share']:.0%} of {found['cells']} numbers are shown; "
            f"{found['within_95_share']:.0%} of their 95% intervals hold the truth; the total is "
            f"{found['total_relative_error']:.2%} off."
        )
    print(
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
