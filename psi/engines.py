"""Which engine works on chunks: the native kernel where it is installed, else the portable one.

COMMONGROUND_KERNEL forces a tier of the kernel (`ifma`, `avx2`, `portable`), or `none` to do
without it. The bytes are the same whatever works; only the time differs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

import numpy as np
import numpy.typing as npt

from psi import kernel
from psi.points import Places, Points, Rows

VARIABLE: Final = "COMMONGROUND_KERNEL"
WITHOUT: Final = "none"

_Data = npt.NDArray[np.uint8]
_Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Engine:
    """What works on a chunk, in a thread or a worker process; from `find` on, on a whole set.

    `releases_gil` says that threads of one process work at the same time. An engine without
    `digest_plain` leaves identifiers to `psi.columns`, which reads them one by one.
    """

    name: str
    releases_gil: bool
    raise_chunk: Callable[[Points, bytes], Points]
    hash_chunk: Callable[[_Data, _Offsets, bytes], Points]
    hash_and_raise_chunk: Callable[[_Data, _Offsets, bytes, bytes], Points]
    public_chunk: Callable[[bytes], Points]
    raise_to_chunk: Callable[[bytes, bytes], Points]
    find: Callable[[Rows, Rows], Places]
    sort_order: Callable[[Rows], Places]
    hash_behind: Callable[[bytes, _Data, _Offsets], Rows]
    digest_plain: Callable[[str, int, _Data, _Offsets], tuple[Rows, npt.NDArray[np.bool_]]] | None


def engine() -> Engine:
    """Return the engine in use here.

    Raises:
        EngineError: the kernel is installed, or asked for, and cannot be used.
    """
    return choose(os.environ.get(VARIABLE) or None)


@lru_cache(maxsize=8)
def choose(asked: str | None) -> Engine:
    """Return the engine of a tier's name, of `none`, or, for None, the fastest there is."""
    if asked == WITHOUT or (asked is None and kernel.module() is None):
        return _portable()
    tier = kernel.loaded(asked).tier
    return Engine(
        name=f"kernel ({tier})",
        releases_gil=True,
        raise_chunk=partial(kernel.raise_chunk, tier),
        hash_chunk=partial(kernel.hash_chunk, tier),
        hash_and_raise_chunk=partial(kernel.hash_and_raise_chunk, tier),
        public_chunk=partial(kernel.public_chunk, tier),
        raise_to_chunk=partial(kernel.raise_to_chunk, tier),
        find=kernel.find,
        sort_order=kernel.sort_order,
        hash_behind=kernel.hash_behind,
        digest_plain=kernel.digest_plain,
    )


def _portable() -> Engine:
    from psi import portable

    return Engine(
        name="portable",
        releases_gil=False,
        raise_chunk=portable.raise_chunk,
        hash_chunk=portable.hash_chunk,
        hash_and_raise_chunk=portable.hash_and_raise_chunk,
        public_chunk=portable.public_chunk,
        raise_to_chunk=portable.raise_to_chunk,
        find=portable.find,
        sort_order=portable.sort_order,
        hash_behind=portable.hash_behind,
        digest_plain=None,
    )
