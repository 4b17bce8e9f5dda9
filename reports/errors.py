"""What reports refuse, rooted in one class."""

from __future__ import annotations


class ReportError(Exception):
    """Root of every refusal of this package."""


class MalformedTable(ReportError):  # noqa: N818
    """A table whose parts do not belong together, or a stored one that cannot be read."""


class UnsuitableLabels(ReportError):  # noqa: N818
    """Labels that a report cannot be computed from."""


class NotShareable(ReportError):  # noqa: N818
    """Something private was put where only what may leave the house can stand."""


class UnsuitableCosts(ReportError):  # noqa: N818
    """Costs cannot be read, or name what a report does not have."""
