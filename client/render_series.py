"""Templates, schedules and what is due, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from client.render_quote import quote_shown
from client.scheduling import SeriesQuote, Went
from client.units import shown_time
from party.ledger import Balance
from party.series import Run, Series
from party.templates import Template
from privacy.accounting import Spend
from privacy.units import format_delta, format_epsilon


def template_document(template: Template) -> dict[str, Any]:
    """Return a template as JSON values: what it asks for, and its files."""
    request = template.request
    return {
        "name": template.name,
        "kind": str(request.kind),
        "contract": request.contract,
        "roles": dict(request.roles),
        "datasets": dict(request.datasets),
        "labels": {party: label.name for party, label in request.labels.items()},
        "identifiers": list(request.identifiers),
        "epsilon": format_epsilon(request.parameters.epsilon_release_nano),
        "epsilon_dummies": format_epsilon(request.parameters.epsilon_dummies_nano),
        "delta": format_delta(request.parameters.delta_dummies_e15),
        "timing": request.parameters.to_json().get("timing"),
        "records_per_person": request.parameters.records_per_person,
        **asdict(template.outputs),
        "made_at": template.made_at,
    }


def templates_shown(templates: Sequence[Template]) -> list[RenderableType]:
    """Return a line a template."""
    if not templates:
        return ["There are no templates. `commonground report save NAME …` makes one."]
    table = Table("name", "report", "labels", "ε", "ε of dummies", "files")
    for one in templates:
        document, outputs = template_document(one), one.outputs
        table.add_row(
            one.name,
            document["kind"],
            ", ".join(label for label in document["labels"].values() if label) or "–",
            document["epsilon"],
            document["epsilon_dummies"],
            "\n".join(filter(None, (outputs.out, outputs.html, outputs.png))) or "–",
        )
    return [table]


def series_document(series: Series) -> dict[str, Any]:
    """Return a schedule as JSON values, with all its runs."""
    upcoming, last = series.next_run, series.last_run
    return {
        "template": series.name,
        "state": series.state,
        "every": series.schedule.every.value,
        "first": series.schedule.first,
        "last": series.schedule.last,
        "next_run": None if upcoming is None else upcoming.slot,
        "last_run": None if last is None else _run(last),
        "held": _spend(series.held),
        "spent": _spend(series.spent),
        "made_at": series.made_at,
        "cancelled_at": series.cancelled_at,
        "runs": [_run(run) for run in series.runs],
    }


def series_shown(series: Sequence[Series], balances: Sequence[Balance]) -> list[RenderableType]:
    """Return a line a schedule, and what is left beside what they hold."""
    if not series:
        return ["There are no schedules. `commonground report schedule NAME …` makes one."]
    table = Table("template", "every", "state", "next run", "last result", "runs left", "held, ε")
    for one in series:
        upcoming = one.next_run
        table.add_row(
            one.name,
            one.schedule.every.value,
            one.state,
            "–" if upcoming is None else shown_time(upcoming.slot),
            _last_result(one),
            f"{one.runs_left} of {len(one.runs)}",
            format_epsilon(one.held.epsilon_nano),
        )
    left = [
        f"Left for {one.account.population} towards {one.account.coalition} beside what is held: "
        f"ε {format_epsilon(one.left[0])}, δ {format_delta(one.left[1])}, until "
        f"{shown_time(one.renews_at)}"
        for one in balances
    ]
    return [table, *left]


def series_quote_document(quote: SeriesQuote) -> dict[str, Any]:
    """Return the quote of a whole series as JSON values."""
    return {
        "template": quote.template.name,
        "every": quote.schedule.every.value,
        "first": quote.schedule.first,
        "last": quote.schedule.last,
        "runs": quote.runs,
        "charges": [{"party": name, **_spend(spend)} for name, spend in quote.charges.items()],
        "windows": [
            {
                "population": one.balance.account.population,
                "coalition": one.balance.account.coalition,
                "window_start": one.balance.account.window_start,
                "renews_at": one.balance.renews_at,
                "runs": one.runs,
                **_spend(one.spend),
                "left": dict(zip(("epsilon", "delta"), _left(one.balance), strict=True)),
            }
            for one in quote.windows
        ],
        "each": quote.each.to_json(),
    }


def series_quote_shown(quote: SeriesQuote) -> list[RenderableType]:
    """Return the quote of a whole series, before it is made."""
    schedule = quote.schedule
    windows = Table("  window until", "runs", "ε", "δ", "left before, ε", "δ", box=None)
    for one in quote.windows:
        windows.add_row(
            f"  {shown_time(one.balance.renews_at)}",
            str(one.runs),
            *_spend(one.spend).values(),
            *_left(one.balance),
        )
    pays = Table("  pays for all runs", "ε", "δ", box=None)
    for name, spend in quote.charges.items():
        pays.add_row(f"  {name}", *_spend(spend).values())
    return [
        f"Quote of the series {quote.template.name}: {quote.runs} runs, every "
        f"{schedule.every.value} from {shown_time(schedule.first)} to {shown_time(schedule.last)}",
        windows,
        pays,
        "Each run:",
        *quote_shown(quote.each),
    ]


def went_shown(went: Sequence[Went]) -> list[RenderableType]:
    """Return a line for each run that was due."""
    if not went:
        return ["Nothing is due."]
    return [
        f"{one.series.name}, {shown_time(one.run.slot)}: {one.state}, {one.said}" for one in went
    ]


def _last_result(series: Series) -> str:
    last = series.last_run
    if last is None:
        return "–"
    said = f"{last.state}, {shown_time(last.slot)}, {last.request[:8]}"
    return said if last.reason is None else f"{said}: {last.reason}"


def _run(run: Run) -> dict[str, Any]:
    return asdict(run)


def _left(balance: Balance) -> tuple[str, str]:
    epsilon, delta = balance.left
    return format_epsilon(epsilon), format_delta(delta)


def _spend(spend: Spend) -> dict[str, str]:
    return {
        "epsilon": format_epsilon(spend.epsilon_nano),
        "delta": format_delta(spend.delta_e15),
    }
