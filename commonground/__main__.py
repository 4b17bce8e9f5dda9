"""The entry point: `commonground`, or `python -m commonground`.

Worker processes are spawned, and a spawned process imports the main module again. So this module
imports nothing heavy by itself: the command line is loaded inside `run`.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_M_MMAP_THRESHOLD: Final = -3  # mallopt(3)
_M_ARENA_MAX: Final = -8
_LARGE_BYTES: Final = 1 << 18


def run() -> None:
    """Run the command line on `sys.argv` and exit with its code."""
    _give_memory_back()
    from party.process import keep_memory_private

    keep_memory_private()
    from client.interrupt import hear
    from commonground.cli import app

    hear()
    app(prog_name="commonground")


def _give_memory_back() -> None:
    """Let memory that was freed return to the system, so that a listener stays small.

    Arrow's own pools keep what a read has freed. glibc gives each thread a heap that keeps what
    the thread has freed, and learns to put even a large buffer there; sessions and calls come on
    many threads. So there is one heap, and what is large stays out of it. NumPy's linear algebra,
    which has matrices of a few labels here, starts no threads with buffers of their own.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if os.name == "posix" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


if __name__ == "__main__":
    run()
