"""Points and tags as buffers, and what is refused over a whole set (docs/protocol.md, The group).

A point is a row of 32 bytes, u of Curve25519 in little endian; a tag is the first 16 bytes of a
point that everyone has raised. A refusal says how many and why, and never which: an attacker who
planted a point would otherwise learn where it went.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psi.errors import InvalidPoint

Points = npt.NDArray[np.uint8]  # (n, 32)
Tags = npt.NDArray[np.uint8]  # (n, 16)
Rows = npt.NDArray[np.uint8]  # points or tags
Places = npt.NDArray[np.int64]  # (n,) places in a set

POINT_BYTES = 32
HASH_BYTES = 32  # of SHA-256
_ADVICE = "The counterpart's software is at fault or hostile, and the session ends"
_HEAD = np.dtype("<u8")
_P_WORDS = (2**64 - 19, 2**64 - 1, 2**64 - 1, 2**63 - 1)  # p, least significant first


def require_points(points: Points) -> None:
    """Require canonical and distinct points, before any of them is raised.

    Raises:
        InvalidPoint: another shape than (n, 32), u ≥ 2²⁵⁵ − 19 (a set top bit is), or a repeat.
    """
    require_canonical(points)
    require_distinct(points)


def require_canonical(points: Points) -> None:
    """Require u < 2²⁵⁵ − 19 of every point, a top bit included.

    Raises:
        InvalidPoint: another shape than (n, 32), or points that are not canonical.
    """
    if points.ndim != 2 or points.shape[1] != POINT_BYTES or points.dtype != np.uint8:
        raise InvalidPoint("points are rows of 32 bytes, and this buffer has another shape")
    low, middle, high, top = _words(points).T
    at_least_p = top == np.uint64(_P_WORDS[3])
    at_least_p &= high == np.uint64(_P_WORDS[2])
    at_least_p &= middle == np.uint64(_P_WORDS[1])
    at_least_p &= low >= np.uint64(_P_WORDS[0])
    refused = np.count_nonzero(at_least_p | (top > np.uint64(_P_WORDS[3])))
    if refused:
        raise InvalidPoint(
            f"points refused as not canonical (u at or above 2^255 - 19): {refused}. {_ADVICE}"
        )


def require_nonzero(images: Points) -> None:
    """Require that no image is zero, which those of points of low order are.

    Raises:
        InvalidPoint: images that are zero.
    """
    refused = len(images) - np.count_nonzero(_words(images).any(axis=1))
    if refused:
        raise InvalidPoint(
            f"points refused for an image of zero, being of low order: {refused}. {_ADVICE}"
        )


def require_distinct(elements: Points | Tags) -> None:
    """Require that no point, image or tag stands twice in a whole set.

    Only heads of 8 bytes are sorted: even among a hundred million honest points it is rare that
    two share one. Rows that do are compared whole.

    Raises:
        InvalidPoint: rows that repeat an earlier one.
    """
    heads = _words(elements)[:, 0]
    ordered = np.sort(heads)
    shared = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(shared):
        return
    rows = np.ascontiguousarray(elements[np.isin(heads, shared)])
    refused = len(rows) - len(np.unique(rows.view(f"S{rows.shape[1]}")))
    if refused:
        raise InvalidPoint(f"elements refused as repeats of another one: {refused}. {_ADVICE}")


def as_words(elements: Rows) -> npt.NDArray[np.bytes_]:
    """View (n, w) bytes as n fixed-width words that NumPy sorts and compares bytewise."""
    contiguous = np.ascontiguousarray(elements)
    return contiguous.view(f"S{elements.shape[1]}").reshape(len(elements))


def _words(elements: Points | Tags) -> npt.NDArray[np.uint64]:
    """View (n, w) bytes as (n, w / 8) words, least significant first."""
    return np.ascontiguousarray(elements).view(_HEAD)
