"""Which engine works: chosen by what is installed and by one variable, and never silently."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from kernel_tiers import TIERS, require_kernel

from psi import engines, kernel
from psi.engines import choose, engine
from psi.errors import EngineError


@pytest.fixture(autouse=True)
def _afresh():
    for cached in (choose, kernel.module, kernel.loaded):
        cached.cache_clear()
    yield
    for cached in (choose, kernel.module, kernel.loaded):
        cached.cache_clear()


class FakeEngine:
    """A kernel's tier that raises nothing and says so by zeros."""

    tier = "ifma"

    def __init__(self, tier: str | None = None) -> None:
        if tier not in (None, "ifma"):
            raise ValueError("this processor runs these tiers of the kernel: ifma")

    def raise_points(self, points, scalar, out, *, threads):
        return 0

    def hash(self, data, offsets, prefix, dst, out, *, threads):
        return None


def install(monkeypatch, *, interface=kernel.INTERFACE):
    fake = ModuleType("commonground_kernel")
    fake.INTERFACE = interface
    fake.Engine = FakeEngine
    monkeypatch.setitem(sys.modules, "commonground_kernel", fake)


def uninstall(monkeypatch):
    monkeypatch.setitem(sys.modules, "commonground_kernel", None)


def test_without_the_kernel_the_portable_engine_works(monkeypatch):
    uninstall(monkeypatch)
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    assert (engine().name, engine().releases_gil) == ("portable", False)


def test_an_empty_variable_asks_for_nothing(monkeypatch):
    uninstall(monkeypatch)
    monkeypatch.setenv(engines.VARIABLE, "")
    assert engine().name == "portable"


@pytest.mark.parametrize("asked", [*TIERS, "avx512", "None", " none"])
def test_a_tier_asked_for_without_the_kernel_is_an_error(monkeypatch, asked):
    uninstall(monkeypatch)
    monkeypatch.setenv(engines.VARIABLE, asked)
    with pytest.raises(EngineError, match="not installed: install the wheel"):
        engine()


def test_a_kernel_that_gives_wrong_answers_is_an_error(monkeypatch):
    install(monkeypatch)
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    with pytest.raises(EngineError, match="gives wrong answers with the tier ifma"):
        engine()


@pytest.mark.parametrize("interface", [None, 0, kernel.INTERFACE + 1, "1"])
def test_a_kernel_of_another_version_is_an_error(monkeypatch, interface):
    install(monkeypatch, interface=interface)
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    with pytest.raises(EngineError, match=rf"has interface {interface}, .*COMMONGROUND_KERNEL"):
        engine()


def test_a_kernel_that_does_not_load_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "commonground_kernel.py").write_text("import no_such_library")
    monkeypatch.delitem(sys.modules, "commonground_kernel", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    with pytest.raises(EngineError, match="does not load"):
        engine()


@pytest.mark.parametrize("broken", [None, 7])
def test_none_does_without_a_kernel_whatever_it_is(monkeypatch, broken):
    install(monkeypatch, interface=broken)
    monkeypatch.setenv(engines.VARIABLE, "none")
    assert engine().name == "portable"


def test_a_tier_that_is_not_here_is_an_error_that_names_those_that_are(monkeypatch):
    install(monkeypatch)
    monkeypatch.setenv(engines.VARIABLE, "avx2")
    with pytest.raises(EngineError, match=r"COMMONGROUND_KERNEL=avx2: .*tiers of the kernel: ifma"):
        engine()


def test_the_fastest_tier_works_where_none_is_asked_for(monkeypatch):
    fastest = require_kernel().tiers()[0]
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    assert (engine().name, engine().releases_gil) == (f"kernel ({fastest})", True)


def test_a_forced_tier_works_and_says_so(monkeypatch, tier):
    monkeypatch.setenv(engines.VARIABLE, tier)
    assert engine().name == f"kernel ({tier})"


def test_a_process_with_the_kernel_loads_no_openssl_for_it(monkeypatch):
    require_kernel()
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    program = (
        "import sys, psi.curve; psi.curve.engine(); "
        "print(any(name.startswith('cryptography') for name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "False")


def test_tiers_and_the_portable_engine_give_the_same_bytes(tier):
    from psi.curve import Scalar

    data = np.frombuffer(np.random.default_rng(4).bytes(38 * 300), dtype=np.uint8)
    offsets = np.arange(301, dtype=np.int64) * 38
    scalar = Scalar.from_bytes(bytes(range(32))).secret_bytes()
    ours, portable = choose(tier), choose("none")
    points = portable.hash_chunk(data, offsets, b"session")
    assert ours.hash_chunk(data, offsets, b"session").tobytes() == points.tobytes()
    images = portable.raise_chunk(points, scalar)
    assert ours.raise_chunk(points, scalar).tobytes() == images.tobytes()
    fused = ours.hash_and_raise_chunk(data, offsets, b"session", scalar)
    assert fused.tobytes() == images.tobytes()
    secrets = np.random.default_rng(5).bytes(32 * 130)
    assert ours.public_chunk(secrets).tobytes() == portable.public_chunk(secrets).tobytes()
    point = points[0].tobytes()
    raised = ours.raise_to_chunk(point, secrets)
    assert raised.tobytes() == portable.raise_to_chunk(point, secrets).tobytes()
    of_low_order = (1).to_bytes(32, "little")
    assert not ours.raise_to_chunk(of_low_order, secrets).any()
    assert not portable.raise_to_chunk(of_low_order, secrets).any()


@pytest.mark.parametrize(("flag", "needed"), [("avx512ifma", "ifma"), ("avx2", "avx2")])
def test_a_tier_that_the_processor_can_run_is_there(flag, needed):
    tiers = require_kernel().tiers()
    flags = Path("/proc/cpuinfo")
    if not flags.exists() or f" {flag} " not in flags.read_text():
        pytest.skip(f"this processor has no {flag}, as far as is known")
    assert needed in tiers
    assert tiers[-1] == "portable"
