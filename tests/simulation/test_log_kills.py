"""The log survives kill -9 between any two writes; `make log-kills` does it hundreds of times."""

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("log_kills.py")


def test_a_log_whose_writer_is_killed_anywhere_verifies():
    """In a process of its own, which has no threads and may fork."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "3"], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    moments = [int(found) for found in re.findall(r"each of (\d+) moments", done.stdout)]
    assert len(moments) == 2
    assert min(moments) >= 8  # statements, before and after each
