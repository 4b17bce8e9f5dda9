"""`make demo`: three organisations on this machine, from their messy files to verified logs.

Everything that the parties do, they do by the command line that a partner would type, each as
processes of its own, over mutual TLS on loopback. The truth comes from the generator.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from examples.demo import files, picture, score
from examples.demo.agreement import ORGANISATIONS, agree_on_three, agree_on_two, set_up
from examples.demo.processes import CommandError, Drawing, Party, at_once
from examples.demo.reports import Report, reports
from examples.demo.reports_of_three import picture_of_three, reports_of_three

REAL_HOUSEHOLDS = 2469
BUILD = Path("build/demo")
_chapters = itertools.count(1)

TERMINALS = 2
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
    """Play all organisations in folders of `build`; return the summary, without the whole time."""
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    chapter("The data. Each organisation's own files, in its own messy form.")
    files.write(build / "data", households)
    truth = json.loads((build / "data" / "truth.json").read_text(encoding="utf-8"))
    print(f"  {truth['households']['note']}")
    advertiser, channel, vendor = (Party(build / name) for name in ORGANISATIONS)

    chapter("Three parties. Keys, certificate, store and audit log, each in a folder.")
    at_once(*(partial(set_up, party, build / "data") for party in (advertiser, channel, vendor)))

    chapter("One contract. Drafted, filled in, signed by both, kept by both.")
    agree_on_two(build, advertiser, channel, households)

    channel.serve()
    try:
        summary = measure(advertiser, channel, truth, build, reports(households))
        drawings = [draw(advertiser, summary["reports"], build)]
        chapter("A third party. A vendor's panel, and a contract of three, signed by all.")
        agree_on_three(build, advertiser, channel, vendor)
        vendor.serve()
        summary["three_party"] = measure_three(advertiser, truth, build)
        drawings.append(draw(advertiser, summary["three_party"], build, "three-"))
    finally:
        channel.stop()
        vendor.stop()
    summary |= finish(advertiser, channel, vendor)
    for drawing in drawings:
        drawing.wait()
    return summary


def measure(
    advertiser: Party,
    channel: Party,
    truth: dict[str, Any],
    build: Path,
    asked: Sequence[Report],
) -> dict[str, Any]:
    """Match, ask for the reports of two, and be refused."""
    chapter("A match. The channel learns which of its own subscribers are customers, no more.")
    began = time.monotonic()
    match = advertiser.run(
        "match", "--receiver", "channel", "--dataset", "customers", "--their-dataset", "receipts"
    )
    match_seconds = time.monotonic() - began
    listed = build / "audience.csv"
    channel.run("report", "show", match["id"], "--out", listed)

    scores = {}
    for answer in answers(advertiser, asked):
        name, promised = answer.report.name, half_width(advertiser, answer)
        scores[name], _ = tell(advertiser, answer, truth)
        if promised is not None:
            scores[name]["quoted_half_width"] = promised

    chapter("Other models, from the table that is stored. They cost nothing.")
    again(advertiser, scores["attribution"]["id"])

    chapter("Too much. The channel's ledger has no room for more.")
    refused = advertiser.refused("report", *asked[0].words, "--epsilon", TOO_MUCH)
    print(f"  {refused}")

    return {
        "households": truth["households"],
        "match": {
            **score.score_match(score.read_references(listed), truth),
            "seconds": round(match_seconds, 1),
        },
        "reports": scores,
        "refused": refused,
    }


def measure_three(advertiser: Party, truth: dict[str, Any], build: Path) -> dict[str, Any]:
    """Ask for the reports of three, and say what the vendor costs beside a table of two."""
    scores: dict[str, Any] = {}
    compared: dict[str, list[score.Compared]] = {}
    for answer in answers(advertiser, reports_of_three()):
        cost_of_the_third(advertiser, answer)
        name = answer.report.name
        scores[name], compared[name] = tell(advertiser, answer, truth)
    picture.write_svg(picture_of_three(compared), build / "three.svg")
    print(f"  Drawn beside the truth: {build / 'three.svg'}")
    return scores


def half_width(party: Party, answer: Answer) -> float | None:
    """Show what a quote promises of a cell's error in what may be passed on, if there is one."""
    if answer.quote is None:
        return None
    party.show("quote", *answer.report.words)
    promised = float(answer.quote["shareable"]["half_width"])
    print(f"  The quote: a cell will be ± {promised:.0f}, and nothing has been spent.")
    return promised


def cost_of_the_third(party: Party, answer: Answer) -> None:
    """Show what a quote says of a table of three, beside the same table without the third."""
    if answer.quote is None:
        return
    party.show("quote", *answer.report.words)
    three = answer.quote
    two = three["without_third"]
    for name, quote in (("of three", three), ("without the vendor", two)):
        dummies = sum(quote[f"dummies_{role}"] for role in ("tabulator", "recipient", "third"))
        print(
            f"  The quote {name}: a cell ± {quote['shareable']['half_width']:.0f}, {dummies:,} "
            f"dummies, {len(quote['legs'])} legs, {quote['wire_bytes'] / 1e6:.1f} MB."
        )


def finish(advertiser: Party, channel: Party, vendor: Party) -> dict[str, Any]:
    """Verify the logs of all, each by itself and against the others', and count."""
    parties = (advertiser, channel, vendor)
    chapter("The logs. Each verifies its own, and all of them against each other.")
    others = [word for party in (channel, vendor) for word in ("--with", party.folder)]
    *alone, compared = at_once(
        *(partial(party.run, "audit", "verify") for party in parties),
        partial(advertiser.run, "audit", "verify", *others),
    )
    verified = {party.folder.name: log for party, log in zip(parties, alone, strict=True)}
    sets = {
        path.relative_to(party.folder): path.stat().st_size
        for party in parties
        for path in (party.folder / "sessions").rglob("*.set")
    }  # what several have under one name is one step between them
    return {
        "audit": {
            **{name: "verified" if log["verified"] else "failed" for name, log in verified.items()},
            "entries": sum(log["entries"] for log in verified.values()),
            "agree": compared["verified"],
        },
        "bytes": sum(sets.values()),
        "peak_rss_mb": round(max(party.meter.peak for party in parties) / 1e6),
    }


@dataclass(frozen=True)
class Answer:
    """What came of asking for one report: its quote where there is one, and how long it took."""

    report: Report
    quote: dict[str, Any] | None
    made: dict[str, Any]
    seconds: float


def answers(party: Party, asked: Sequence[Report]) -> Iterator[Answer]:
    """Ask for reports, two at a time as in two terminals; yield what came of each in order."""
    with ThreadPoolExecutor(TERMINALS) as terminals:
        for report, answer in [(one, terminals.submit(ask, party, one)) for one in asked]:
            chapter(report.headline)
            yield answer.result()


def ask(party: Party, report: Report) -> Answer:
    """Ask for one report, with a quote before it where one is wanted."""
    quote = party.run_unseen("quote", *report.words) if report.quoted else None
    began = time.monotonic()
    made = party.run_unseen("report", *report.words)
    return Answer(report, quote, made, time.monotonic() - began)


def tell(
    party: Party, answer: Answer, truth: dict[str, Any]
) -> tuple[dict[str, Any], list[score.Compared]]:
    """Show a report beside the truth; return its scores and what was scored."""
    report, made = answer.report, answer.made
    party.show("report", *report.words)
    rows = made["result"]["rows"]
    numbers = list(report.compare(rows, truth))
    print(table(numbers))
    for line in report.remarks(rows, truth):
        print(f"  {line}")
    scored = {
        **score.score(numbers, report.total(rows, truth)),
        "epsilon": made["request"]["parameters"]["epsilon_release_nano"] / 1e9,
        "seconds": round(answer.seconds, 1),
        "id": made["id"],
    }
    return scored, numbers


def draw(party: Party, made: dict[str, Any], build: Path, prefix: str = "") -> Drawing:
    """Draw the page of each report, from its stored result."""
    return party.draw({one["id"]: build / f"{prefix}{name}.html" for name, one in made.items()})


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


def table(numbers: Sequence[score.Compared]) -> str:
    """Render released numbers beside the truth, which only the generator knows."""
    head = f"  {'':>34} {'released':>36} {'truth':>14}   95% interval"
    return "\n".join([head, *(number.line for number in numbers)])


def chapter(text: str) -> None:
    """Print the headline of the next chapter."""
    print(f"\n{next(_chapters)}. {text}", flush=True)


def _tell(summary: dict[str, Any]) -> None:
    match, audit = summary["match"], summary["audit"]
    print("\nWhat happened")
    print(
        f"  The channel has a list of {match['found']:,} of its subscribers; the generator says "
        f"{match['truth']:,} ({match['wrong']} wrong)."
    )
    asked = {**summary["reports"], **_named_of_three(summary["three_party"])}
    for name, made in asked.items():
        print(
            f"  {name}: {1 - made['suppressed_share']:.0%} of {made['cells']} numbers are shown; "
            f"{made['within_95_share']:.0%} of their 95% intervals hold the truth; the total is "
            f"{made['total_relative_error']:.2%} off."
        )
    print(
        f"  All logs verify and agree ({audit['entries']} entries). Nobody saw a row of "
        f"another's.\n"
        f"  {summary['bytes'] / 1e6:.1f} MB crossed, {summary['seconds']} s, at most "
        f"{summary['peak_rss_mb']} MB a party (all of its processes)."
    )


def _named_of_three(scores: dict[str, Any]) -> dict[str, Any]:
    return {f"{name} of three": found for name, found in scores.items()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--households", type=int, default=REAL_HOUSEHOLDS)
    parser.add_argument("--build", type=Path, default=BUILD, help="where everything is put")
    return parser.parse_args()


if __name__ == "__main__":
    main()
