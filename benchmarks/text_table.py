"""Tables of plain text: the first column to the left, the others to the right."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.load import MOST_OTHER_CORES

MARK = "~"  # behind a figure of a disturbed run
MARK_LEGEND = f"{MARK} other processes took more than {MOST_OTHER_CORES} cores meanwhile: run again"
NONE = "-"


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return headings, a line, and the rows."""
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
    shown = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([shown[0], "-" * (sum(widths) + 2 * len(widths) - 2), *shown[1:]])


def number(figure: float | None, digits: int = 2) -> str:
    """Return a figure with so many digits behind the point, or a dash where there is none."""
    return NONE if figure is None else f"{figure:,.{digits}f}"


def share(figure: float) -> str:
    """Return a share in per cent."""
    return f"{figure:.0%}"


def marked(text: str, *, disturbed: bool) -> str:
    """Return the text, with a mark where the run was disturbed."""
    return text + MARK if disturbed else text
