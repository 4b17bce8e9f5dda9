"""The command line of a part."""

from __future__ import annotations

import argparse


def part_parser(module: str, text: str | None) -> argparse.ArgumentParser:
    """Return a parser that shows the module's docstring as it is written."""
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
