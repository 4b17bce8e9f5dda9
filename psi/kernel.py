"""The native kernel, where it is installed: the one module that imports `commonground_kernel`.

Functions on chunks take a tier's name first and stand at module level, so that they go to a thread
or to a spawned worker alike. Such a call works on one thread with the GIL released: the executor
decides how many calls there are at a time. Sorting and finding want the whole set, and all cores.

A kernel that does not load, that this version does not know how to call, or that gives another
answer than the RFCs is an error. Going on without it would give the same bytes, at a sixth of the
speed and without a word.
"""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from psi.errors import EngineError
from psi.expand import DST
from psi.points import HASH_BYTES, POINT_BYTES, Places, Points, Rows

if TYPE_CHECKING:
    import commonground_kernel

INTERFACE: Final = 3
"""What `commonground_kernel.INTERFACE` must be."""
_REMEDY: Final = "install the wheel that was built with this version, or set COMMONGROUND_KERNEL"
# RFC 7748 §5.2, the first vector; and the hash of "abc" of RFC 9380 J.4.1 under its own DST.
_SCALAR: Final = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"
_POINT: Final = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"
_IMAGE: Final = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
_DST: Final = b"QUUX-V01-CS02-with-curve25519_XMD:SHA-512_ELL2_RO_"
_HASH_OF_ABC: Final = "6d52bc6a6b822e43de0bd75d91600a7bcc72ca0a2b69de72588fd4f2f119442b"


@lru_cache(maxsize=1)
def module() -> ModuleType | None:
    """Return the kernel's module, or None where it is not installed.

    Raises:
        EngineError: it is installed and cannot be used.
    """
    try:
        import commonground_kernel
    except ModuleNotFoundError as error:
        if error.name == "commonground_kernel":
            return None
        raise _unusable(f"does not load ({type(error).__name__})") from error
    except ImportError as error:
        raise _unusable(f"does not load ({type(error).__name__})") from error
    found = getattr(commonground_kernel, "INTERFACE", None)
    if found != INTERFACE:
        raise _unusable(f"has interface {found}, and this version calls {INTERFACE}")
    return commonground_kernel


@lru_cache(maxsize=8)
def loaded(tier: str | None) -> commonground_kernel.Engine:
    """Return a tier, the fastest for None, having seen it give the RFCs' answers.

    Raises:
        EngineError: the kernel cannot be used, has no such tier for this processor, or is wrong.
    """
    try:
        engine: commonground_kernel.Engine = _required().Engine(tier)
    except ValueError as error:
        raise EngineError(
            f"COMMONGROUND_KERNEL={tier}: {error}. Name one of them, or none to do without"
        ) from None
    _require_answers(engine)
    return engine


def raise_chunk(tier: str, points: Points, scalar: bytes) -> Points:
    """Raise (n, 32) canonical points; the row of a point of low order is zero."""
    images = np.empty((len(points), POINT_BYTES), dtype=np.uint8)
    loaded(tier).raise_points(np.ascontiguousarray(points), scalar, images, threads=1)
    return images


def hash_chunk(
    tier: str, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], prefix: bytes
) -> Points:
    """Hash prefix ‖ data[offsets[i]:offsets[i + 1]] to the curve, for each i: shape (n, 32)."""
    images = np.empty((len(offsets) - 1, POINT_BYTES), dtype=np.uint8)
    loaded(tier).hash(data, offsets, prefix, DST, images, threads=1)
    return images


def hash_and_raise_chunk(
    tier: str,
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    prefix: bytes,
    scalar: bytes,
) -> Points:
    """Hash a chunk of keys and raise the points, in one pass."""
    images = np.empty((len(offsets) - 1, POINT_BYTES), dtype=np.uint8)
    loaded(tier).hash_and_raise(data, offsets, prefix, DST, scalar, images, threads=1)
    return images


def public_chunk(tier: str, scalars: bytes) -> Points:
    """Raise the base point 9 to each scalar, 32 bytes each: shape (n, 32)."""
    images = np.empty((len(scalars) // POINT_BYTES, POINT_BYTES), dtype=np.uint8)
    loaded(tier).public_points(scalars, images, threads=1)
    return images


def raise_to_chunk(tier: str, point: bytes, scalars: bytes) -> Points:
    """Raise one canonical point to each scalar, 32 bytes each: shape (n, 32), zero as it comes."""
    images = np.empty((len(scalars) // POINT_BYTES, POINT_BYTES), dtype=np.uint8)
    loaded(tier).raise_to_each(point, scalars, images, threads=1)
    return images


def find(wanted: Rows, rows: Rows) -> Places:
    """Return where each row of `wanted` stands in `rows`, the first place, or -1: (n,) int64."""
    places = np.empty(len(wanted), dtype=np.int64)
    _required().find(
        np.ascontiguousarray(wanted), np.ascontiguousarray(rows), rows.shape[1], places
    )
    return places


def sort_order(rows: Rows) -> Places:
    """Return the place of each row in bytewise order: (n,) int64; equal rows keep theirs."""
    order = np.empty(len(rows), dtype=np.int64)
    _required().sort_order(np.ascontiguousarray(rows), rows.shape[1], order)
    return order


def digest_plain(
    form: str, width: int, data: Rows, offsets: npt.NDArray[np.int64]
) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Return the digests (n, width) of the values in plain writing, and which those are (n,)."""
    digests = np.empty((len(offsets) - 1, width), dtype=np.uint8)
    taken = np.empty(len(offsets) - 1, dtype=np.uint8)
    _required().digest(form, width, data, offsets, digests, taken)
    return digests, taken.view(np.bool_)


def hash_behind(prefix: bytes, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Rows:
    """Return SHA-256 of prefix ‖ data[offsets[i]:offsets[i + 1]] for each i: shape (n, 32)."""
    hashes = np.empty((len(offsets) - 1, HASH_BYTES), dtype=np.uint8)
    _required().hash_behind(prefix, data, offsets, hashes)
    return hashes


def _require_answers(engine: commonground_kernel.Engine) -> None:
    image, hashed = bytearray(POINT_BYTES), bytearray(POINT_BYTES)
    engine.raise_points(bytes.fromhex(_POINT), bytes.fromhex(_SCALAR), image, threads=1)
    offsets = np.array([0, 3], dtype=np.int64)
    engine.hash(b"abc", offsets, b"", _DST, hashed, threads=1)
    if (image.hex(), hashed.hex()) != (_IMAGE, _HASH_OF_ABC):
        raise _unusable(f"gives wrong answers with the tier {engine.tier}")


def _required() -> ModuleType:
    kernel = module()
    if kernel is None:
        raise EngineError(
            "COMMONGROUND_KERNEL names a tier of the native kernel, which is not installed: "
            "install the wheel commonground-kernel, or unset the variable"
        )
    return kernel


def _unusable(what: str) -> EngineError:
    return EngineError(f"the native kernel {what}: {_REMEDY}=none to do without it")
