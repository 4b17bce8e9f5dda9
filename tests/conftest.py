"""Shared by all tests: where their files lie, and TLS, settled before a module loads gRPC.

Files lie in memory where there is room, because the product waits for the disk at every step and a
session of a test is mostly that. A test that kills a process loses nothing by it; set TMPDIR to
have them elsewhere. A run has a folder of its own there, which it locks, and deletes if nothing has
failed; what a failed or killed run has left goes with the next run of the same checkout. No test
asserts time, so no example of Hypothesis has a deadline: a loaded machine is no defect.
"""

import atexit
import fcntl
import gc
import os
import shutil
import tempfile
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import typer.testing
from chromium import chromium  # noqa: F401 - a fixture
from hypothesis import settings
from kernel_tiers import each_engine, either_engine, tier  # noqa: F401 - fixtures
from migrated_stores import really_migrated  # noqa: F401 - a fixture
from postgresql import postgresql  # noqa: F401 - a fixture
from store_backends import stores  # noqa: F401 - a fixture
from typer.main import get_command

import party.tls  # noqa: F401

os.environ.pop("COLUMNS", None)  # of pytest's workers: what is printed is as wide as for others
gc.disable()  # until all tests are collected: little of it is ever let go

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2 << 30
NAME = f"cg-{zlib.crc32(os.fsencode(Path(__file__).parent)):08x}-"

settings.register_profile("no deadline", settings(), deadline=None)
settings.load_profile("no deadline")


def _serves(folder):
    return (
        os.access(folder, os.W_OK)
        and shutil.disk_usage(folder).free >= ENOUGH_BYTES
        and not os.statvfs(folder).f_flag & os.ST_NOEXEC  # programs are installed there and run
    )


# Each command that a test types in its own process would build the tree of all commands again.
typer.testing._get_command = cache(get_command)


def _own_folder(memory):
    """Return a folder for this run and the lock on it; delete those that nobody locks any more."""
    for old in memory.glob(f"{NAME}*"):
        with suppress(OSError), (old / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=NAME, dir=memory))
    folder.chmod(0o711)  # PostgreSQL's server has an account of its own
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


own_folder = None
if "TMPDIR" not in os.environ and _serves(MEMORY):
    own_folder, _lock = _own_folder(MEMORY)
    os.environ["TMPDIR"], tempfile.tempdir = str(own_folder), None


def pytest_collection_finish():
    """Collect garbage of the tests from here on, and look at no module for it again."""
    gc.enable()
    gc.freeze()


def pytest_unconfigure():
    gc.unfreeze()


def pytest_sessionfinish(exitstatus):
    """Let the run's folder go once the process ends, where there is nothing to look at."""
    if own_folder is not None and exitstatus == 0:
        atexit.register(shutil.rmtree, own_folder, ignore_errors=True)
