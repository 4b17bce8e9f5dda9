"""Curve25519 over sets: hash, raise, refuse (docs/protocol.md, The group; RFC 7748, RFC 9380).

Which engine works is settled in `psi/engines.py`; all give the same bytes. Chunks go to an injected
executor and come back in order, a bounded number at a time, into one array; without an executor
they are worked here. Nothing is returned before the whole set is done, and one refused point
refuses the set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing

import numpy as np
import numpy.typing as npt

from psi.chunks import Jobs, in_order
from psi.engines import Engine, engine
from psi.keys import Keys
from psi.points import (
    POINT_BYTES,
    Points,
    Rows,
    Tags,
    require_canonical,
    require_distinct,
    require_nonzero,
    require_points,
)
from psi.scalar import Scalar

__all__ = [
    "CHUNK",
    "Engine",
    "Points",
    "Progress",
    "Scalar",
    "Tags",
    "beyond",
    "engine",
    "hash_and_raise",
    "hash_to_curve",
    "points_per_second",
    "public_point",
    "public_points",
    "raise_points",
    "raise_to_each",
    "require_distinct",
    "require_points",
]

CHUNK = 4096  # points: a quarter of a second of work against a millisecond of pipe
_SCALARS = 512  # images a chunk where each has a scalar of its own
_SAMPLE = 256  # points timed between two looks at the clock: a whole block of the kernel

Progress = Callable[[int], None]  # called with the number done so far, once a finished chunk


def raise_points(
    points: Points,
    scalar: Scalar,
    *,
    executor: Executor | None = None,
    chunk: int = CHUNK,
    progress: Progress | None = None,
    out: Rows | None = None,
) -> Rows:
    """Raise points (n, 32) to a scalar, in their order: X25519 of each.

    With `out`, of shape (n, w), the first w bytes of the images stand there. Whether points or
    images repeat is a question about the whole set: `require_points` before and
    `require_distinct` after.

    Raises:
        InvalidPoint: points that are not canonical (then nothing is raised) or whose image is
            zero (then nothing is returned).
    """
    require_canonical(points)
    secret = scalar.secret_bytes()
    jobs = ((points[start:stop], secret) for start, stop in _spans(len(points), chunk))
    images = _rows(len(points)) if out is None else out
    _work(engine().raise_chunk, jobs, images, executor, progress)
    require_nonzero(images)
    return images


def hash_to_curve(
    keys: Keys,
    *,
    prefix: bytes,
    executor: Executor | None = None,
    chunk: int = CHUNK,
    progress: Progress | None = None,
) -> Points:
    """Hash each prefix ‖ key to a point, shape (n, 32); the prefix is the session id."""
    jobs = ((*job, prefix) for job in _key_chunks(keys, chunk))
    return _work(engine().hash_chunk, jobs, _rows(len(keys)), executor, progress)


def hash_and_raise(
    keys: Keys,
    scalar: Scalar,
    *,
    prefix: bytes,
    executor: Executor | None = None,
    chunk: int = CHUNK,
    progress: Progress | None = None,
    out: Points | None = None,
) -> Points:
    """Hash each prefix ‖ key to a point and raise it, in one pass over each chunk.

    With `out`, of shape (n, 32), the images stand there.

    Raises:
        InvalidPoint: an image is zero, which takes a break of SHA-512.
    """
    secret = scalar.secret_bytes()
    jobs = ((*job, prefix, secret) for job in _key_chunks(keys, chunk))
    images = _rows(len(keys)) if out is None else out
    _work(engine().hash_and_raise_chunk, jobs, images, executor, progress)
    require_nonzero(images)
    return images


def public_point(scalar: Scalar) -> bytes:
    """Return X25519(scalar, 9), 32 bytes."""
    return engine().public_chunk(scalar.secret_bytes()).tobytes()


def public_points(scalars: Sequence[Scalar], *, executor: Executor | None = None) -> Points:
    """Return X25519(scalar, 9) of each scalar, shape (n, 32)."""
    jobs = ((secrets,) for secrets in _secret_chunks(scalars))
    return _work(engine().public_chunk, jobs, _rows(len(scalars)), executor, None)


def raise_to_each(point: bytes, scalars: Sequence[Scalar]) -> Points:
    """Return X25519(scalar, point) of one point and each scalar, shape (n, 32).

    Raises:
        InvalidPoint: the point is not canonical, or an image is zero.
    """
    require_canonical(np.frombuffer(point, dtype=np.uint8).reshape(1, -1))
    jobs = ((point, secrets) for secrets in _secret_chunks(scalars))
    images = _work(engine().raise_to_chunk, jobs, _rows(len(scalars)), None, None)
    require_nonzero(images)
    return images


def beyond(begun: int, progress: Progress | None) -> Progress | None:
    """Return what counts on from the first `begun`."""
    return None if progress is None else lambda done: progress(begun + done)


def points_per_second(
    seconds: float = 0.2, *, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Measure how many points one worker raises in a second here, for about `seconds`."""
    scalar = Scalar.from_bytes(bytes(range(32))).secret_bytes()
    work = engine()
    points = np.tile(work.public_chunk(scalar), (_SAMPLE, 1))
    raised, start = 0, clock()
    while (elapsed := clock() - start) < seconds or not raised:
        work.raise_chunk(points, scalar)
        raised += _SAMPLE
    return raised / elapsed


def _secret_chunks(scalars: Sequence[Scalar]) -> Iterator[bytes]:
    for start, stop in _spans(len(scalars), _SCALARS):
        yield b"".join(scalar.secret_bytes() for scalar in scalars[start:stop])


def _spans(count: int, chunk: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + chunk, count)) for start in range(0, count, chunk))


def _key_chunks(
    keys: Keys, chunk: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    for start, stop in _spans(len(keys), chunk):
        part = keys.slice(start, stop)
        yield part.data, part.offsets


def _rows(count: int) -> Points:
    return np.empty((count, POINT_BYTES), dtype=np.uint8)


def _work(
    function: Callable[..., Points],
    jobs: Jobs,
    images: Rows,
    executor: Executor | None,
    progress: Progress | None,
) -> Rows:
    """Put the chunks' results, as far as rows are wide, one behind the other into `images`."""
    done = 0
    with closing(in_order(function, jobs, executor)) as results:
        for result in results:
            images[done : done + len(result)] = result[:, : images.shape[1]]
            done += len(result)
            if progress is not None:
                progress(done)
    return images
