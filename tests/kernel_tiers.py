"""The engines that this machine has, for tests that run on each of them.

Without the wheel `commonground-kernel` the tests that ask for it are skipped, unless
COMMONGROUND_REQUIRE_KERNEL=1: then they fail. A tier that this processor lacks is skipped always.
"""

import os
from importlib.util import find_spec

import pytest

REQUIRE = "COMMONGROUND_REQUIRE_KERNEL"
TIERS = ("ifma", "avx2", "portable")


def require_kernel():
    """Return the kernel's module, or skip."""
    if find_spec("commonground_kernel") is None:
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("THE KERNEL IS NOT TESTED: it is not installed; make kernel")
    import commonground_kernel

    return commonground_kernel


def require_tier(tier):
    """Skip where this processor lacks a tier; return its name."""
    if tier not in require_kernel().tiers():
        pytest.skip(f"THE TIER {tier} IS NOT TESTED: this processor lacks it")
    return tier


@pytest.fixture(params=TIERS)
def tier(request):
    """Each tier of the kernel in turn, by name."""
    return require_tier(request.param)


@pytest.fixture(params=("none", *TIERS))
def each_engine(request, monkeypatch):
    """The portable engine and each tier of the kernel in turn, in use for one test."""
    if request.param != "none":
        require_tier(request.param)
    monkeypatch.setenv("COMMONGROUND_KERNEL", request.param)
    return request.param


@pytest.fixture(scope="module", params=("none", "kernel"))
def either_engine(request):
    """No kernel, then the kernel's fastest tier: for what all tiers have in common."""
    fastest = "none" if request.param == "none" else require_kernel().tiers()[0]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COMMONGROUND_KERNEL", fastest)
        yield
