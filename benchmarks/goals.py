"""What is to be reached, and what was: each goal a figure of one run.

The goals hold for a processor with AVX-512 IFMA and two cores. Where a figure was not measured, the
goal is not judged. A goal that is missed fails nothing: figures are for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.session_tables import find_run, rival_ratio
from benchmarks.text_table import number, text_table

Figures = dict[str, Any]
_MILLION = 1_000_000


@dataclass(frozen=True)
class Goal:
    """A figure's name, its bound, whether it is a least or a most, and how it is found."""

    name: str
    bound: float
    at_least: bool
    find: Callable[[Figures], float | None]

    def judge(self, summary: Figures) -> Judged:
        """Return what was measured, and whether that is enough."""
        figure = self.find(summary)
        if figure is None:
            return Judged(self.name, self.wanted, None, None)
        met = figure >= self.bound if self.at_least else figure <= self.bound
        return Judged(self.name, self.wanted, figure, met)

    @property
    def wanted(self) -> str:
        """The bound as text."""
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"


@dataclass(frozen=True)
class Judged:
    """A goal and what was measured; `met` is None where nothing was."""

    name: str
    wanted: str
    figure: float | None
    met: bool | None


def judge_goals(summary: Figures) -> list[Judged]:
    """Return every goal beside what this run measured."""
    return [goal.judge(summary) for goal in GOALS]


def goals_table(judged: Iterable[Judged]) -> str:
    """Return the goals that were measured, as text."""
    rows = [
        [goal.name, goal.wanted, number(goal.figure), "met" if goal.met else "missed"]
        for goal in judged
        if goal.met is not None
    ]
    return "\n".join(["Goals", text_table(("figure", "goal", "measured", ""), rows)])


def _tier(name: str, figure: str) -> Callable[[Figures], float | None]:
    def find(summary: Figures) -> float | None:
        for tier in summary.get("curve", {}).get("tiers", ()):
            if tier["name"] == name:
                found: float | None = tier[figure]
                return found
        return None

    return find


def _run(
    protocol: str, receiver: int, sender: int, figure: Callable[[Figures], float | None]
) -> Callable[[Figures], float | None]:
    def find(summary: Figures) -> float | None:
        run = find_run(_session(summary), protocol, receiver, sender)
        return None if run is None else figure(run)

    return find


def _over(
    above: Callable[[Figures], float | None], below: Callable[[Figures], float | None]
) -> Callable[[Figures], float | None]:
    def find(summary: Figures) -> float | None:
        top, bottom = above(summary), below(summary)
        return top / bottom if top is not None and bottom else None

    return find


def _rival(name: str) -> Callable[[Figures], float | None]:
    """Return a peer's seconds over those of our match, a million people a side."""

    def find(summary: Figures) -> float | None:
        session = _session(summary)
        for run in session["rivals"]:
            if (run["name"], run["receiver"], run["sender"]) == (name, _MILLION, _MILLION):
                return rival_ratio(session, run, "seconds")
        return None

    return find


def _keys(touches: int, lookback_days: int) -> Callable[[Figures], float | None]:
    """Return the keys of a person with so many touches."""

    def find(summary: Figures) -> float | None:
        for case in summary.get("moments", {}).get("cases", ()):
            if (case["touches"], case["lookback_days"]) == (touches, lookback_days):
                return float(case["keys_a_person"])
        return None

    return find


def _session(summary: Figures) -> Figures:
    found: Figures = summary.get("session", {"runs": (), "rivals": ()})
    return found


def _seconds(run: Figures) -> float:
    return float(run["seconds"])


def _peak(run: Figures) -> float:
    return float(max(run["peak_mb"].values()))


def _wire(run: Figures) -> float | None:
    found: float | None = run["wire_mb"]
    return found


def _both(size: int, protocol: str = "match") -> tuple[str, int, int]:
    return protocol, size, size


GOALS = (
    Goal("openssl / kernel, one core", 6.5, True, _tier("ifma", "openssl_ratio")),
    Goal("openssl / kernel, AVX2 tier", 1.7, True, _tier("avx2", "openssl_ratio")),
    Goal("hash to curve / raise", 0.6, False, _tier("ifma", "hash_per_raise")),
    Goal("all cores / one core, throughput", 1.9, True, _tier("ifma", "scaling")),
    Goal("keys a touched person, 3 touches", 25, False, _keys(3, 7)),
    Goal("match 1M x 1M, seconds", 15, False, _run(*_both(_MILLION), _seconds)),
    Goal("SecretFlow ECDH-25519 / match 1M x 1M", 1.5, True, _rival("SecretFlow ECDH-25519")),
    Goal("OpenMined PSI / match 1M x 1M", 13, True, _rival("OpenMined PSI")),
    Goal("match 10k x 1M, seconds", 8, False, _run("match", 10_000, _MILLION, _seconds)),
    Goal(
        "crosstab / match, 1M x 1M", 1.2, False,
        _over(_run(*_both(_MILLION, "crosstab"), _seconds), _run(*_both(_MILLION), _seconds)),
    ),
    Goal(
        "crosstab of three / of two, 1M each, time", 2.6, False,
        _over(_run(*_both(_MILLION, "crosstab of three"), _seconds),
              _run(*_both(_MILLION, "crosstab"), _seconds)),
    ),
    Goal(
        "crosstab of three / of two, 1M each, peak MB a party", 1.1, False,
        _over(_run(*_both(_MILLION, "crosstab of three"), _peak),
              _run(*_both(_MILLION, "crosstab"), _peak)),
    ),
    Goal(
        "engine / wall, match 1M x 1M", 0.75, True,
        _run(*_both(_MILLION), lambda run: float(run["engine_share"])),
    ),
    Goal("peak MB a party, match 1M x 1M", 450, False, _run(*_both(_MILLION), _peak)),
    Goal("peak MB a party, match 10M x 10M", 1500, False, _run(*_both(10 * _MILLION), _peak)),
    Goal("MB on the wire, match 1M x 1M", 100, False, _run(*_both(_MILLION), _wire)),
    Goal("MB on the wire, crosstab 1M x 1M", 90, False, _run(*_both(_MILLION, "crosstab"), _wire)),
    Goal(
        "match 10M x 10M / 1M x 1M, time", 10.8, False,
        _over(_run(*_both(10 * _MILLION), _seconds), _run(*_both(_MILLION), _seconds)),
    ),
)  # fmt: skip
