"""Run many seeds of the shaky network, say what they met, and stop: `make soak SEEDS=200`."""

import collections
import sys
import tempfile
import traceback
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from shaky_network import hurry  # noqa: E402 - found on the path above
from shaky_plays import make_ready, play  # noqa: E402


def main(seeds):
    """Run `seeds` seeds; return the number of those that broke a promise."""
    broken, ends, faults = [], collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="commonground-soak-") as name:
        ready = Path(name) / "ready"
        ready.mkdir()
        make_ready(ready)
        for seed in range(seeds):
            with tempfile.TemporaryDirectory(dir=name) as folder, pytest.MonkeyPatch.context() as m:
                hurry(m)
                try:
                    one = play(seed, ready, Path(folder), m)
                except Exception:  # noqa: BLE001 - told, counted, and the next seed runs
                    broken.append(seed)
                    traceback.print_exc()
                    continue
            ends[f"{one.trouble}, {one.kind}: {one.ended}"] += 1
            faults.update(one.faults)
            told = f"{one.trouble}, {one.kind}, {one.ended}, {one.starts} starts"
            print(f"seed {seed}: {told}", flush=True)
    print(f"{seeds} seeds, {len(broken)} broke a promise {broken or ''}")
    for title, counted in (("ended", ends), ("faults", faults)):
        print(f"{title}: " + ", ".join(f"{what} {n}" for what, n in counted.most_common()))
    return len(broken)


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
