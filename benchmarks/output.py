"""The files of figures: each part's own, and whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError

FOLDER = Path("build/bench")


def part_file(part: str) -> Path:
    """Return where a part's figures lie."""
    return FOLDER / f"{part}.json"


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write figures; a number that is not finite is refused with ValueError."""
    write_text(path, json.dumps(figures, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def read_figures(path: Path) -> dict[str, Any]:
    """Return what `write_figures` wrote.

    Raises:
        BenchmarkError: there is no such file, or something else is in it.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"{path} has no figures: run that part again") from error
    if not isinstance(figures, dict):
        raise BenchmarkError(f"{path} has no figures: run that part again")
    return figures
