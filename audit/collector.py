"""Python's garbage collector, out of the way while very many objects without cycles are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Let no garbage be looked for: among a million live objects the search takes a tenth and more.

    For what makes no cycles; other objects are freed as ever, when nobody refers to them.
    """
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()
