"""The pages of reports that are there, drawn by a program of the advertiser's own.

An analyst's script would do it like this: one process for all pages, since starting what draws
takes longer than a page does. `python -m examples.demo.pages FOLDER REQUEST=FILE …`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from commonground import Party, Report


def draw(folder: Path, pages: Mapping[str, Path]) -> None:
    """Write a page for each request, from the results in a party's folder."""
    with Party(folder) as party:
        for request, path in pages.items():
            report = party.result(request)
            if not isinstance(report, Report):
                raise SystemExit(f"{request} is a match: it has a list and no page")
            report.to_html(path)


def main() -> None:
    """Read the folder and the pages from the command line."""
    folder, *wanted = sys.argv[1:]
    pairs = (one.partition("=") for one in wanted)
    draw(Path(folder), {request: Path(path) for request, _, path in pairs})


if __name__ == "__main__":
    main()
