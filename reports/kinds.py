"""Which report a table becomes, by the kind of output that was asked for.

It refuses labels that a kind cannot be computed from, also before there is a table: what is
refused then has cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from languages import message
from reports import (
    arms,
    attribution,
    campaigns,
    cross_channel,
    crosstab,
    delay,
    funnel,
    insights,
    lift,
    overlap,
    reach,
    third_insights,
)
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.errors import UnsuitableCosts, UnsuitableLabels
from reports.rendering import Rendering
from reports.report import Numbers, PrivateReport, ShareableReport


def build(
    kind: str,
    estimates: PrivateEstimates | ShareableEstimates,
    costs: Costs | None = None,
    models: Sequence[str] = attribution.MODELS,
) -> Rendering:
    """Return the report of one kind, an attribution under these models.

    Raises:
        UnsuitableLabels, UnsuitableCosts: as `require_suitable` and `require_priced`.
    """
    third = estimates.table.third
    require_priced(kind, estimates.table.tabulator_labels, costs, with_third=third is not None)
    if kind == "attribution":
        report: Rendering = attribution.build(estimates, models)
    else:
        report = _BUILD[kind](estimates)
    if costs is None or not isinstance(report, PrivateReport | ShareableReport):
        return report
    return replace(report, costs=costs)


def require_suitable(kind: str, labels: Sequence[str], third: Sequence[str] | None = None) -> None:
    """Raise UnsuitableLabels unless the kind can be computed from the tabulator's labels.

    `third` are those of a third party, where there is one.
    """
    if third is not None and kind in _CHECK_THIRD:
        _CHECK_THIRD[kind](labels, third)
    elif kind in _CHECK:
        _CHECK[kind](labels)


def priced(kind: str, labels: Sequence[str], *, with_third: bool = False) -> Sequence[str] | None:
    """Return which names may have a cost beside that of everything; None where nothing may.

    UnsuitableLabels as `require_suitable`.
    """
    return _numbers(kind, labels, with_third=with_third).priced(labels)


def require_priced(
    kind: str, labels: Sequence[str], costs: Costs | None, *, with_third: bool = False
) -> None:
    """Raise UnsuitableCosts where costs are given for what the kind does not name by these labels.

    UnsuitableLabels as `require_suitable`.
    """
    if costs is None:
        return
    names = priced(kind, labels, with_third=with_third)
    if names is None:
        raise UnsuitableCosts(
            message(
                "a report of the kind {kind} has no costs; leave them out",
                kind=kind,
            )
        )
    costs.require_labels(names)


def _numbers(kind: str, labels: Sequence[str], *, with_third: bool) -> type[Numbers]:
    """Return what a kind measures by these labels."""
    if with_third and kind in _NUMBERS_OF_THIRD:
        return _NUMBERS_OF_THIRD[kind]
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


def _build_insights(estimates: PrivateEstimates | ShareableEstimates) -> Rendering:
    if estimates.table.third is None:
        return insights.build(estimates)
    return third_insights.build(estimates)


def _check_channels(labels: Sequence[str], third: Sequence[str]) -> None:
    """Both channels' labels are frequencies, or one label each."""
    for each in (labels, third):
        cross_channel.times_of(tuple(each))


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
    "insights": _build_insights,
    "funnel": funnel.build,
    "delay": delay.build,
    "lift": lift.build,
    "cross-channel": cross_channel.build,
}
_NUMBERS: dict[str, type[Numbers]] = {
    "overlap": overlap.Overlap,
    "reach": reach.Reach,
    "table": crosstab.Table,
    "insights": insights.Insights,
    "funnel": funnel.Funnel,
    "attribution": attribution.Attribution,
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
_NUMBERS_OF_THIRD: dict[str, type[Numbers]] = {
    "insights": third_insights.ThirdInsights,
    "cross-channel": cross_channel.CrossChannel,
}
_CHECK_THIRD: dict[str, Callable[[Sequence[str], Sequence[str]], object]] = {
    "insights": lambda _, third: insights.groups_of(third),
    "cross-channel": _check_channels,
}
