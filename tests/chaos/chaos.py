"""Break sessions of real processes in every way, and hold what is left: `make chaos SEED=1`.

Each play is a session over networks of its own, on small disks of its own, that faults meet in
its phases. Nothing may be lost, charged twice, or half there. build/chaos/summary.json has the
totals, plays.json each play with its faults. The same seed gives the same plays; a play by itself:
`make chaos SEED=1 PLAY=17`.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.util import Finalize
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
E2E = HERE.parent / "e2e"
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(E2E), str(HERE)]

from acting import act  # noqa: E402 - found on the path above
from cast import Stage, make_templates  # noqa: E402
from faults import ENDS, FAULTS  # noqa: E402
from phases import PHASES  # noqa: E402
from places import can_be_entered, enter  # noqa: E402
from plan import KINDS, make, plan  # noqa: E402
from verdict import BROKEN  # noqa: E402

EACH = 3
"""How often every fault has to meet every phase."""
MOST_MORE = 60
RESUMED = 0.95
PROXIES = ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy")

_stage = None


def main(argv):
    """Play the plays of a seed; return how many promises were broken."""
    options = _options(argv)
    if not can_be_entered():
        sys.exit(
            "Chaos takes root, Debian's iproute2 and postgresql, and a C compiler: networks, "
            "disks, databases and clocks of its own"
        )
    plays = (
        short(options.seed) if options.short else plan(options.seed, options.rounds, list(FAULTS))
    )
    if options.play:
        plays = [play for play in plays if play.number in options.play]
    options.whole = not options.short and not options.play
    signal.signal(signal.SIGTERM, _leave)
    began, told = time.monotonic(), []
    with (
        tempfile.TemporaryDirectory(prefix="cg-chaos-") as name,
        Workers(Path(name), options.jobs, {play.kind for play in plays}) as at,
    ):
        told += at.play(plays)
        if options.whole:
            told += _fill(at, told, options.seed, len(plays))
    return _report(options, told, time.monotonic() - began)


def short(seed):
    """Return two plays of two parties, with a fault in each phase; each victim by the seed."""
    rows = {
        "match": ("stop", "truncate", "kill", "bandwidth", "disk"),
        "crosstab": ("cut", "reset", "stall", "kill", "clock"),
    }
    random = Random(seed)
    return [
        make(seed, number, kind, list(enumerate(row)), random)
        for number, (kind, row) in enumerate(rows.items())
    ]


class Workers:
    """Processes with a stage each; the parties that plays of these kinds copy are made once."""

    def __init__(self, folder, jobs, kinds):
        self._folder, self._jobs, self._kinds = folder, jobs, kinds

    def __enter__(self):
        for name in list(os.environ):
            if name.lower() in PROXIES:
                del os.environ[name]
        templates = self._folder / "templates"
        templates.mkdir()
        make_templates(templates, kinds=self._kinds)
        context = multiprocessing.get_context("spawn")
        self._pool = context.Pool(self._jobs, _set_up, (self._folder, templates))
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self._pool.close()
        else:
            self._pool.terminate()
        self._pool.join()

    def play(self, plays):
        """Play, and say of each how it went."""
        told = []
        for one in self._pool.imap_unordered(_act, plays):
            told.append(one)
            print(_line(one), flush=True)
        return told


def tally(told):
    """Return the summary of plays."""
    ends = Counter(one["end"] for one in told)
    broken = {name: sum(name in one["broken"] for one in told) for name in BROKEN}
    return {
        "faults": sum(len(one["faults"]) for one in told),
        "sessions": len(told),
        "resumed": ends["resumed"],
        "ended_alike": ends["ended_alike"],
        **broken,
    }


def met(told):
    """Return how often each fault met each phase."""
    return Counter((blow["phase"], blow["fault"]) for one in told for blow in one["faults"])


def shortfalls(told):
    """Return what a run has to have done and has not, as sentences."""
    found = [f"{name}: {count}" for name in BROKEN if (count := tally(told)[name])]
    found += [f"play {one['number']}: {one['fell']}" for one in told if one["fell"]]
    sound = [one for one in told if not any(blow["fault"] in ENDS for blow in one["faults"])]
    resumed = sum(one["end"] == "resumed" for one in sound)
    if resumed < RESUMED * len(sound):
        found.append(f"only {resumed} of {len(sound)} sessions with faults that pass went on")
    return found


def _fill(at, told, seed, number):
    """Play more, until every fault has met every phase often enough."""
    random, more = Random(f"{seed}/more"), []
    while len(more) < MOST_MORE:
        counts = met(told + more)
        lacking = [
            (phase, fault)
            for phase, name in enumerate(PHASES)
            for fault in FAULTS
            for _ in range(EACH - counts[name, fault])
        ]
        if not lacking:
            break
        plays = [
            make(seed, number + len(more) + i, random.choice(KINDS), [cell], random)
            for i, cell in enumerate(lacking)
        ]
        more += at.play(plays)
    return more


def _report(options, told, seconds):
    told.sort(key=lambda one: one["number"])
    options.build.mkdir(parents=True, exist_ok=True)
    summary, counts = tally(told), met(told)
    _write(options.build / "summary.json", summary)
    _write(
        options.build / "plays.json",
        {"seed": options.seed, "seconds": round(seconds), "plays": told},
    )
    print(f"\n{'':10}" + "".join(f"{phase:>11}" for phase in PHASES))
    for fault in FAULTS:
        print(f"{fault:10}" + "".join(f"{counts[phase, fault]:11}" for phase in PHASES))
    print(f"\nseed {options.seed}, {seconds / 60:.1f} minutes\n{json.dumps(summary)}")
    found = shortfalls(told)
    if options.whole:
        lacking = [
            f"{fault} met {phase} {counts[phase, fault]} times"
            for phase in PHASES
            for fault in FAULTS
            if counts[phase, fault] < EACH
        ]
        found += lacking
    for one in found:
        print(f"NOT KEPT: {one}")
    return len(found)


def _line(one):
    blows = ", ".join(
        f"{b['fault']} of {b['victim']} in {b['phase']} ({b['said']})" for b in one["faults"]
    )
    broken = "".join(f"\n    {name}: {what}" for name, what in one["broken"].items())
    return (
        f"{one['number']:4} {one['kind']:8} {one['seconds']:6.1f} s {one['end']}: {blows}{broken}"
    )


def _write(path, document):
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _set_up(folder, templates):
    global _stage
    enter()
    own = folder / f"worker-{os.getpid()}"
    own.mkdir()
    _stage = Stage(own, templates)
    signal.signal(signal.SIGTERM, _leave_stage)
    Finalize(None, _stage.close, exitpriority=10)


def _leave(number, frame):
    """End in good order, so that the workers are told to."""
    del frame
    sys.exit(128 + number)


def _leave_stage(number, frame):
    """End what a worker has started, and the worker: an exception could be caught on its way."""
    del frame
    _stage.close()
    os._exit(128 + number)


def _act(play):
    return act(play, _stage).to_dict()


def _options(argv):
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rounds", type=int, default=2, help="165 faults each")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--play", type=int, action="append", help="play these alone")
    parser.add_argument("--short", action="store_true", help="two sessions")
    parser.add_argument("--build", type=Path, default=Path("build/chaos"))
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
