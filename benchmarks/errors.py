"""What a benchmark refuses."""

from __future__ import annotations


class BenchmarkError(Exception):
    """A run failed or was wrong, so that there is no figure; the message says which and why."""
