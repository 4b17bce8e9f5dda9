"""Shared by all tests: where their files lie, and TLS, settled before a module loads gRPC.

Files lie in memory where there is room, because the product waits for the disk at every step and a
session of a test is mostly that. A test that kills a process loses nothing by it; set TMPDIR to
have them elsewhere. No test asserts time, so no example of Hypothesis has a deadline: a loaded
machine is no defect.
"""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import typer.testing
from hypothesis import settings
from kernel_tiers import each_engine, tier  # noqa: F401 - fixtures
from postgresql import postgresql  # noqa: F401 - a fixture
from store_backends import stores  # noqa: F401 - a fixture
from typer.main import get_command

import party.tls  # noqa: F401

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2 << 30

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

if "TMPDIR" not in os.environ and _serves(MEMORY):
    os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None
