"""What a process that holds secrets asks of the system. Nothing heavy is imported here."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # prctl(2)


def keep_memory_private() -> None:
    """Leave no core file, and let no other process of the same account read this one's memory.

    A limit of zero alone does not hold where the system pipes cores to a program (core(5)); a
    process that is not dumpable (Linux) is neither dumped nor traced. A program that it starts
    begins without, and asks for itself.
    """
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError):  # a service manager may forbid the call: it sets the limit itself
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
