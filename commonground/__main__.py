"""The entry point: `commonground`, or `python -m commonground`.

Worker processes are spawned, and a spawned process imports the main module again. So this module
imports nothing by itself: the command line is loaded inside `run`.
"""

from __future__ import annotations


def run() -> None:
    """Run the command line on `sys.argv` and exit with its code."""
    from commonground.cli import app

    app(prog_name="commonground")


if __name__ == "__main__":
    run()
