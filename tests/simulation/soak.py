"""Run many seeds of the shaky network, say what they met, and stop: `make soak-network SEEDS=200`.

Every fourth seed carries a table of three besides.
"""

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
from three_plays import carry_to_the_end, play_of_three  # noqa: E402
from three_plays import make_ready as make_three_ready  # noqa: E402


def main(seeds):
    """Run `seeds` seeds; return the number of those that broke a promise."""
    broken, ends, faults = [], collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="commonground-soak-") as name:
        pair, three = Path(name) / "pair", Path(name) / "three"
        pair.mkdir()
        three.mkdir()
        make_ready(pair)
        make_three_ready(three)
        for seed in range(seeds):
            plays = [lambda m, at, seed=seed: play_of_two(seed, pair, at, m)]
            if seed % 4 == 0:
                plays.append(lambda m, at, seed=seed: play_of_all(seed, three, at, m))
            for run in plays:
                with tempfile.TemporaryDirectory(dir=name) as at, pytest.MonkeyPatch.context() as m:
                    hurry(m)
                    try:
                        end, starts, met = run(m, Path(at))
                    except Exception:  # noqa: BLE001 - told, counted, and the next seed runs
                        broken.append(seed)
                        traceback.print_exc()
                        continue
                ends[end] += 1
                faults.update(met)
                print(f"seed {seed}: {end}, {starts} starts", flush=True)
    print(f"{seeds} seeds, {len(broken)} broke a promise {broken or ''}")
    for title, counted in (("ended", ends), ("faults", faults)):
        print(f"{title}: " + ", ".join(f"{what} {n}" for what, n in counted.most_common()))
    return len(broken)


def play_of_two(seed, ready, folder, monkeypatch):
    """Play a seed between two; return how it ended, after how many starts, and its faults."""
    one = play(seed, ready, folder, monkeypatch)
    return f"{one.trouble}, {one.kind}: {one.ended}", one.starts, one.faults


def play_of_all(seed, ready, folder, monkeypatch):
    """Play a seed between three; return the same."""
    with play_of_three(ready, folder, monkeypatch, seed=seed, calm=False) as one:
        end = carry_to_the_end(one)
        one.require_finished()
        return f"three: {end}", len(one.stops) + 1, one.network.faults


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
