"""Measure reach from a script, with tqdm showing how far it is.

Run it with a party's folder: `python -m examples.progress advertiser/`. tqdm is not a dependency;
`pip install tqdm`. A Ctrl-C suspends the session, and the next run could resume it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from commonground import Party, Progress, errors

if TYPE_CHECKING:
    from tqdm import tqdm


class Bar:
    """Shows each phase of a session as a bar of its own."""

    def __init__(self, bars: type[tqdm]) -> None:
        self._bars = bars
        self._phase, self._bar = "", bars(disable=True)

    def __call__(self, progress: Progress) -> None:
        """Take in how far the session is."""
        if progress.phase != self._phase:
            self._bar.close()
            self._phase = progress.phase
            self._bar = self._bars(total=progress.total, desc=progress.phase, unit="points")
        self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        """Leave the last bar where it is."""
        self._bar.close()


def main(folder: str) -> int:
    """Ask for reach, print it, and return the exit code that the command would end with."""
    from tqdm import tqdm

    bar = Bar(tqdm)
    try:
        with Party(folder) as party:
            report = party.reach(segment="segment", by="frequency", progress=bar)
            print(report.to_pandas()[["metric", "label", "segment", "shown"]])
    except errors.EXPECTED as error:
        print(error, file=sys.stderr)
        code = errors.exit_code(error)
        return 1 if code is None else int(code)
    finally:
        bar.close()
    return 0


if __name__ == "__main__":  # workers import this module again
    sys.exit(main(sys.argv[1]))
