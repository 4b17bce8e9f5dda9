"""Which report a table becomes, by the kind of output that was asked for.

It refuses labels that a kind cannot be computed from, also before there is a table: what is
refused then has cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reports import (
    arms,
    attribution,
    campaigns,
    crosstab,
    delay,
    funnel,
    insights,
    lift,
    overlap,
    reach,
)
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.errors import UnsuitableCosts, UnsuitableLabels
from reports.rendering import Rendering
from reports.report import Numbers, PrivateReport, ShareableReport


def build(
    kind: str, estimates: PrivateEstimates | ShareableEstimates, costs: Costs | None = None
) -> Rendering:
    """Return the report of one kind; UnsuitableLabels and UnsuitableCosts as `require_suitable`."""
    require_priced(kind, estimates.table.tabulator_labels, costs)
    report = _BUILD[kind](estimates)
    if costs is None or not isinstance(report, PrivateReport | ShareableReport):
        return report
    return replace(report, costs=costs)


def require_suitable(kind: str, labels: Sequence[str]) -> None:
    """Raise UnsuitableLabels unless the kind can be computed from the tabulator's labels."""
    if kind in _CHECK:
        _CHECK[kind](labels)


def require_priced(kind: str, labels: Sequence[str], costs: Costs | None) -> None:
    """Raise UnsuitableCosts where costs are given for what the kind does not name by these labels.

    UnsuitableLabels as `require_suitable`.
    """
    if costs is None:
        return
    numbers = _numbers(kind, labels)
    groups = numbers.named_blocks(labels)
    if not groups and not numbers.own_costs:
        raise UnsuitableCosts(f"a report of the kind {kind} has no costs; leave them out")
    costs.require_labels([label for label, _ in groups if label is not None])


def _numbers(kind: str, labels: Sequence[str]) -> type[Numbers]:
    """Return what a kind measures by these labels."""
    if kind == "reach":
        try:
            reach.rows_by_frequency(tuple(labels))
        except UnsuitableLabels:
            return campaigns.ReachByCampaign
    return _NUMBERS.get(kind, Numbers)


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
    "attribution": attribution.build,
    "delay": delay.build,
    "lift": lift.build,
}
_NUMBERS: dict[str, type[Numbers]] = {
    "overlap": overlap.Overlap,
    "reach": reach.Reach,
    "table": crosstab.Table,
    "insights": insights.Insights,
    "funnel": funnel.Funnel,
    "lift": lift.Lift,
}
_CHECK: dict[str, Callable[[Sequence[str]], object]] = {
    "reach": _check_reach,
    "insights": insights.groups_of,
    "funnel": funnel.require_stages,
    "attribution": attribution.require_journeys,
    "delay": delay.require_ages,
    "lift": arms.arms_of,
}
