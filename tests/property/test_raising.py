"""Raising over sets: it commutes, and neither chunks nor executors change a byte."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from psi import chunks, curve
from psi.curve import (
    Points,
    Scalar,
    engine,
    hash_and_raise,
    hash_to_curve,
    points_per_second,
    public_point,
    raise_points,
)
from psi.errors import InvalidPoint
from psi.keys import Keys

A = Scalar.from_bytes(bytes(range(32)))
B = Scalar.from_bytes(bytes(range(50, 82)))
KEYS = Keys.from_list([b"email\0%d" % i for i in range(257)])
POINTS = hash_to_curve(KEYS, prefix=b"session")
RAISED = raise_points(POINTS, A)

secrets = st.binary(min_size=32, max_size=32)


class Lazy(Executor):
    """An executor that works only when a result is asked for, and counts what it holds."""

    def __init__(self) -> None:
        self.held: list[Future[Any]] = []
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        executor = self

        class OnDemand(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                executor.held.remove(self)
                return fn(*args, **kwargs)

        future = OnDemand()
        self.held.append(future)
        self.most = max(self.most, len(self.held))
        return future


@settings(max_examples=30, deadline=None)
@given(secrets, secrets, secrets)
def test_raising_commutes(a: bytes, b: bytes, base: bytes) -> None:
    point = np.frombuffer(public_point(Scalar.from_bytes(base)), dtype=np.uint8).reshape(1, 32)
    first, second = Scalar.from_bytes(a), Scalar.from_bytes(b)
    there = raise_points(raise_points(point, first), second)
    back = raise_points(raise_points(point, second), first)
    assert there.tobytes() == back.tobytes()


@settings(max_examples=30, deadline=None)
@given(secrets)
def test_public_point_is_the_base_point_raised(secret: bytes) -> None:
    base = np.zeros((1, 32), dtype=np.uint8)
    base[0, 0] = 9
    scalar = Scalar.from_bytes(secret)
    assert raise_points(base, scalar).tobytes() == public_point(scalar)


@pytest.mark.usefixtures("each_engine")
def test_each_image_is_x25519_of_its_point_in_order() -> None:
    private = X25519PrivateKey.from_private_bytes(bytes(range(32)))
    expected = [
        private.exchange(X25519PublicKey.from_public_bytes(row.tobytes())) for row in POINTS
    ]
    assert [row.tobytes() for row in raise_points(POINTS, A)] == expected


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 255, 256, 257])
@pytest.mark.parametrize("chunk", [8, 256, 4096])
def test_chunk_size_changes_no_byte(size: int, chunk: int) -> None:
    raised = raise_points(POINTS[:size], A, chunk=chunk)
    assert raised.shape == (size, 32)
    assert raised.tobytes() == RAISED[:size].tobytes()


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("chunk", [20, 100, 257, 4096])
def test_hashing_and_raising_at_once_is_hashing_then_raising(chunk: int) -> None:
    assert hash_and_raise(KEYS, A, prefix=b"session", chunk=chunk).tobytes() == RAISED.tobytes()


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("make", [lambda: ThreadPoolExecutor(3), Lazy], ids=["threads", "lazy"])
def test_executor_changes_no_byte(make: Callable[[], Executor]) -> None:
    with make() as executor:
        assert raise_points(POINTS, A, executor=executor, chunk=9).tobytes() == RAISED.tobytes()
        hashed = hash_to_curve(KEYS, prefix=b"session", executor=executor, chunk=100)
        assert hashed.tobytes() == POINTS.tobytes()
        fused = hash_and_raise(KEYS, A, prefix=b"session", executor=executor, chunk=100)
        assert fused.tobytes() == RAISED.tobytes()


@pytest.mark.usefixtures("each_engine")
def test_spawned_processes_change_no_byte_and_refuse_alike() -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as executor:
        fused = hash_and_raise(KEYS, A, prefix=b"session", executor=executor, chunk=100)
        assert fused.tobytes() == RAISED.tobytes()
        twice = raise_points(fused, B, executor=executor, chunk=50)
        assert twice.tobytes() == raise_points(raise_points(POINTS, B), A).tobytes()
        bad = POINTS.copy()
        bad[[3, 250]] = 0
        with pytest.raises(InvalidPoint, match=r"an image of zero.*: 2\."):
            raise_points(bad, A, executor=executor, chunk=50)


def test_worker_imports_neither_tables_nor_a_transport() -> None:
    program = (
        "import sys, psi.portable; "
        "print(*sorted({name.split('.')[0] for name in sys.modules} & {"
        "'pandas', 'pyarrow', 'duckdb', 'opendp', 'phonenumbers', 'grpc', 'sqlalchemy', "
        "'asyncio', 'logging'}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "")


def test_chunks_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "IN_FLIGHT", 3)
    executor = Lazy()
    assert raise_points(POINTS, A, executor=executor, chunk=8).tobytes() == RAISED.tobytes()
    assert executor.most == 3
    assert executor.held == []


def test_chunks_not_begun_are_cancelled_when_the_caller_gives_up() -> None:
    executor = Lazy()

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        raise_points(POINTS, A, executor=executor, chunk=8, progress=stop)
    assert executor.held
    assert all(future.cancelled() for future in executor.held)


@pytest.mark.parametrize("executor", [None, Lazy()], ids=["inline", "lazy"])
def test_progress_reports_what_is_done_after_each_chunk(executor: Executor | None) -> None:
    done: list[int] = []
    raise_points(POINTS, A, executor=executor, chunk=100, progress=done.append)
    hash_to_curve(KEYS, prefix=b"", executor=executor, chunk=200, progress=done.append)
    hash_and_raise(KEYS, A, prefix=b"", executor=executor, chunk=256, progress=done.append)
    assert done == [100, 200, 257, 200, 257, 256, 257]


def test_a_key_whose_image_is_zero_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: Any, offsets: Any, prefix: bytes, scalar: bytes) -> Points:
        return np.zeros((len(offsets) - 1, 32), dtype=np.uint8)

    faulty = replace(engine(), hash_and_raise_chunk=broken)
    monkeypatch.setattr(curve, "engine", lambda: faulty)
    with pytest.raises(InvalidPoint, match=r"an image of zero.*: 257\."):
        hash_and_raise(KEYS, A, prefix=b"session")


@pytest.mark.usefixtures("each_engine")
def test_points_in_any_memory_layout_are_raised_by_their_rows() -> None:
    wide = np.zeros((len(POINTS), 48), dtype=np.uint8)
    wide[:, :32] = POINTS
    assert raise_points(wide[:, :32], A).tobytes() == RAISED.tobytes()
    assert raise_points(POINTS[::-1], A).tobytes() == RAISED[::-1].tobytes()
    assert raise_points(np.asfortranarray(POINTS), A).tobytes() == RAISED.tobytes()


def test_speed_is_what_was_raised_while_the_clock_ran() -> None:
    ticks = iter([0.0, 0.0, 0.1, 0.25])
    assert points_per_second(0.2, clock=lambda: next(ticks)) == pytest.approx(512 / 0.25)
