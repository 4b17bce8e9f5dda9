"""Fuzz every parser for a stated time: `make fuzz MINUTES=30`.

Each parser runs under atheris (libFuzzer, guided by coverage of our code) in a process of its own,
which may use 2 GB and 20 s for one input. Where there is no atheris, inputs are mutants of the
seeds (`target.mutants`). What makes new coverage is kept in build/fuzz/corpus/, and a finding in
build/fuzz/findings/: put it into `regressions.py`, and mend the parser.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
BUILD = REPOSITORY / "build" / "fuzz"
sys.path[:0] = [str(HERE), str(REPOSITORY)]
OURS = ("audit", "party", "psi", "privacy", "reports")
MOST_BYTES = 16_384
MOST_MEGABYTES, MOST_SECONDS = 2_048, 20
_PROGRESS = re.compile(r"cov: (\d+) .* corp: (\d+)")
_DONE = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True)
class Outcome:
    """What became of one parser; `coverage` counts edges, None where nothing counted them."""

    parser: str
    inputs: int
    seconds: float
    coverage: int | None
    kept: int | None
    findings: list[str]


def slug(name: str) -> str:
    """Return a parser's name as that of a file."""
    return re.sub(r"\W+", "-", name).strip("-")


def guided(name: str, seconds: int) -> Outcome:
    """Fuzz one parser under atheris, in a process of its own."""
    corpus, findings = BUILD / "corpus" / slug(name), BUILD / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    command = [
        sys.executable, __file__, "--one", name, "--", f"-max_total_time={seconds}",
        f"-max_len={MOST_BYTES}", f"-rss_limit_mb={MOST_MEGABYTES}", f"-timeout={MOST_SECONDS}",
        f"-artifact_prefix={findings}/{slug(name)}-", "-print_final_stats=1", str(corpus),
    ]  # fmt: skip
    began = time.monotonic()
    most = 10 * seconds + 900  # loading our code with counters takes a minute on a busy machine
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=most, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(name, 0, most, None, None, [f"did not end in {most} s"])
    took = time.monotonic() - began
    progress = _PROGRESS.findall(done.stderr)
    inputs = _DONE.search(done.stderr)
    found = sorted(str(path) for path in set(findings.iterdir()) - before)
    if done.returncode and not found:
        found = [f"ended with {done.returncode}: {done.stderr[-400:]}"]
    (BUILD / f"{slug(name)}.log").write_text(done.stderr)
    coverage, kept = map(int, progress[-1]) if progress else (None, None)
    return Outcome(name, int(inputs[1]) if inputs else 0, round(took, 1), coverage, kept, found)


def one(name: str, arguments: list[str]) -> None:
    """Run libFuzzer on one parser; returns only on a finding."""
    import atheris

    with atheris.instrument_imports(include=OURS):
        from targets import TARGETS
    target = TARGETS[name]
    corpus = Path(arguments[-1])
    for seed in target.seeds():
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)

    def examine(data: bytes) -> None:
        target.examine(data)

    atheris.Setup([sys.argv[0], *arguments], examine)
    atheris.Fuzz()


def unguided(name: str, seconds: int) -> Outcome:
    """Fuzz one parser with mutants of its seeds."""
    from target import mutants
    from targets import TARGETS

    target, number, findings = TARGETS[name], 0, []
    seeds, began = target.seeds(), time.monotonic()
    while time.monotonic() - began < seconds and not findings:
        for data in mutants(seeds, 100, seed=number):
            number += 1
            try:
                target.examine(data)
            except Exception as error:  # noqa: BLE001 - any of them is a finding
                path = BUILD / "findings" / f"{slug(name)}-{sha256(data).hexdigest()[:16]}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                findings.append(f"{path}: {type(error).__name__}")
                break
    return Outcome(name, number, round(time.monotonic() - began, 1), None, None, findings)


def main() -> int:
    """Fuzz all, print a line for each as it is done, and return 1 if there is a finding."""
    parse = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parse.add_argument("--minutes", type=float, default=30.0, help="of wall time, over all parsers")
    parse.add_argument("--jobs", type=int, default=2, help="parsers at once")
    parse.add_argument("--only", help="parsers with this in their names")
    parse.add_argument("--one", help=argparse.SUPPRESS)
    options, rest = parse.parse_known_args()
    if options.one:
        one(options.one, [argument for argument in rest if argument != "--"])
        return 1
    from targets import TARGETS

    names = [name for name in TARGETS if options.only is None or options.only in name]
    seconds = max(1, int(options.minutes * 60 * options.jobs / len(names)))
    way = guided if find_spec("atheris") else unguided
    print(f"{len(names)} parsers, {seconds} s each, {options.jobs} at once, {way.__name__}")
    print(f"{'parser':34} {'inputs':>10} {'seconds':>8} {'edges':>7} {'kept':>6}  findings")
    outcomes = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(lambda name: way(name, seconds), names):
            outcomes.append(outcome)
            edges, kept = outcome.coverage or "", outcome.kept or ""
            found = "; ".join(outcome.findings) or "none"
            line = f"{outcome.parser:34} {outcome.inputs:10,} {outcome.seconds:8} {edges:>7} "
            print(f"{line}{kept:>6}  {found}", flush=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    summary = {
        "guided": way is guided,
        "inputs": sum(one.inputs for one in outcomes),
        "findings": sum(len(one.findings) for one in outcomes),
        "parsers": [asdict(one) for one in outcomes],
    }
    (BUILD / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{summary['inputs']:,} inputs, {summary['findings']} findings; {BUILD / 'summary.json'}")
    return 1 if summary["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
