"""Which report a table becomes, by the kind of output that was asked for.

It refuses labels that a kind cannot be computed from, also before there is a table: what is
refused then has cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports import campaigns, crosstab, funnel, insights, overlap, reach
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.errors import UnsuitableLabels
from reports.rendering import Rendering


def build(kind: str, estimates: PrivateEstimates | ShareableEstimates) -> Rendering:
    """Return the report of one kind; UnsuitableLabels as `require_suitable`."""
    return _BUILD[kind](estimates)


def require_suitable(kind: str, labels: Sequence[str]) -> None:
    """Raise UnsuitableLabels unless the kind can be computed from the tabulator's labels."""
    if kind in _CHECK:
        _CHECK[kind](labels)


def _build_reach(estimates: PrivateEstimates | ShareableEstimates) -> Rendering:
    try:
        return reach.build(estimates)
    except UnsuitableLabels:
        return campaigns.build(estimates)


def _check_reach(labels: Sequence[str]) -> None:
    """Reach is by frequency, or by sets of campaigns."""
    try:
        reach.rows_by_frequency(tuple(labels))
    except UnsuitableLabels:
        campaigns.campaign_sets(labels)


_BUILD: dict[str, Callable[[PrivateEstimates | ShareableEstimates], Rendering]] = {
    "overlap": overlap.build,
    "reach": _build_reach,
    "table": crosstab.build,
    "insights": insights.build,
    "funnel": funnel.build,
}
_CHECK: dict[str, Callable[[Sequence[str]], object]] = {
    "reach": _check_reach,
    "insights": insights.groups_of,
    "funnel": funnel.require_stages,
}
