"""What a party that serves does, in figures for Prometheus (text format, `/metrics`).

Names follow Prometheus's conventions. Figures are of sessions, requests, events, budgets, the log
and the process: none is a count of people, and no label holds an identifier, a request or an error.
Events are counted as they are logged (`party.events`), so what the log says and what is counted
cannot differ; everything else is read when it is asked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from party.balances import balances
from party.errors import PartyError, RefusalStatus
from party.events import ATTRIBUTE, Event
from party.organisation import Organisation
from party.standing import Standing, standing_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import GaugeMetricFamily

SESSION_SECONDS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
"""Upper bounds of the histogram of finished sessions, in seconds."""
_STATUSES: Final = frozenset(status.value for status in RefusalStatus)
_NANO: Final = 10**9


class Metrics(logging.Handler):
    """The figures of one party, from when they are made."""

    def __init__(self, party: Organisation) -> None:
        """Begin to count the party's events.

        Raises:
            ModuleNotFoundError: the extra `http` is not installed.
        """
        from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

        super().__init__()
        self._registry: CollectorRegistry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._events = Counter(
            "commonground_events", "Events logged, by name.", ["event"], registry=self._registry
        )
        self._refusals = Counter(
            "commonground_refusals",
            "Requests and sessions that ended without a result, by status.",
            ["status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "commonground_session_duration_seconds",
            "How long finished sessions took, by kind.",
            ["kind"],
            buckets=SESSION_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Standing(party))
        logging.getLogger("commonground").addHandler(self)

    def close(self) -> None:
        """Count no more."""
        logging.getLogger("commonground").removeHandler(self)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Count an event."""
        event: Event | None = getattr(record, ATTRIBUTE, None)
        if event is None:
            return
        self._events.labels(event.name).inc()
        if event.status in _STATUSES:
            self._refusals.labels(event.status).inc()
        if event.name == "session.finished" and event.seconds is not None:
            self._seconds.labels(event.kind or "unknown").observe(event.seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)


class _Standing:
    """How the party stands, read from its folder and its store at each scrape."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def describe(self) -> list[GaugeMetricFamily]:
        """Describe nothing: registering is no reason to read the store."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the figures; of a store that does not answer, that it does not."""
        identity, settings = self._party.identity, self._party.settings
        ends = identity.certificate.not_after
        yield _one("commonground_build_info", "This program.", 1, version=_version())
        yield _one("commonground_certificate_expiry_timestamp_seconds", "When it ends.", ends)
        yield _one("commonground_sessions_limit", "As many at once.", settings.max_sessions)
        begun = time.monotonic()
        try:
            standing = standing_of(self._party)
        except PartyError:
            yield _one("commonground_store_up", "Whether the store answers.", 0)
            return
        yield _one("commonground_store_up", "Whether the store answers.", 1)
        seconds = time.monotonic() - begun
        yield _one("commonground_store_read_seconds", "How long reading all of this took.", seconds)
        yield from _figures(standing)
        yield from _budgets(self._party)


def _figures(standing: Standing) -> Iterator[GaugeMetricFamily]:
    sessions = _family("commonground_sessions", "Sessions that have not ended.", "state")
    running = sum(one.runs for one in standing.sessions)
    waiting = sum(
        one.doing is not None and one.doing.waits_for is not None for one in standing.sessions
    )
    sessions.add_metric(["working"], running - waiting)
    sessions.add_metric(["waiting"], waiting)
    sessions.add_metric(["suspended"], len(standing.sessions) - running)
    yield sessions
    requests = _family("commonground_requests", "Requests that wait for somebody.", "by")
    requests.add_metric(["here"], len(standing.waiting_here))
    requests.add_metric(["there"], len(standing.waiting_there))
    yield requests
    in_force = sum(one.standing(standing.now) == "in force" for one in standing.contracts)
    yield _one("commonground_contracts_in_force", "Contracts in force.", in_force)
    late = sum(one.due_at < standing.now for one in standing.owed_runs)
    yield _one("commonground_overdue_suppressions", "Lists past their withdrawals' time.", late)
    due = sum(
        one.next_run is not None and one.next_run.slot <= standing.now for one in standing.schedules
    )
    yield _one("commonground_reports_due", "Standing reports whose time has come.", due)
    yield _one("commonground_log_entries", "Entries of the log.", standing.log_size)
    cosigned = standing.cosigned.size if standing.cosigned else 0
    yield _one("commonground_log_cosigned_entries", "Entries that another has cosigned.", cosigned)


def _budgets(party: Organisation) -> Iterator[GaugeMetricFamily]:
    from prometheus_client.core import GaugeMetricFamily

    left = GaugeMetricFamily(
        "commonground_budget_epsilon_left",
        "The largest pure release that still fits the window.",
        labels=["population", "coalition"],
    )
    for one in balances(party):
        account = one.account
        left.add_metric([account.population, account.coalition], one.left[0] / _NANO)
    yield left


def _one(name: str, words: str, value: float, **labels: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, words, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def _family(name: str, words: str, label: str) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, words, labels=[label])


def _version() -> str:
    try:
        return version("commonground")
    except PackageNotFoundError:
        return "unknown"
