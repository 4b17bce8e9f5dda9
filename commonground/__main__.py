"""The entry point: `commonground`, or `python -m commonground`.

Worker processes are spawned, and a spawned process imports the main module again. So this module
imports nothing heavy by itself: the command line is loaded inside `run`.
"""

from __future__ import annotations

import os


def run() -> None:
    """Run the command line on `sys.argv` and exit with its code."""
    # Arrow's own pools keep what a read has freed; the system's allocator gives it back.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from commonground.cli import app

    app(prog_name="commonground")


if __name__ == "__main__":
    run()
