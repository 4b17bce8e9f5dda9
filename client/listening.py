"""A party that listens, for as long as somebody wants it to.

What listens is handed in from outside, since this package knows no server. While it listens, what
has come to its end is deleted once a day, people who have withdrawn are taken off lists, standing
reports are run as their time comes, and outside witnesses are asked to cosign the log.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from audit.roles import Role
from client.cancelling import Cancelled, CancelToken
from client.carrying import Carrier
from client.scheduling import run_due
from client.serving import Logged, ServedDesk
from client.suppressing import Suppressor
from client.witnessing import ask_witnesses
from party.desk import Desk
from party.errors import InUse, PartyError
from party.events import Event, note
from party.filing import APPROVED
from party.ledger import DAY_SECONDS
from party.lineage.delivery import send_events
from party.occupied import one_listener
from party.organisation import Organisation
from party.retention import prune
from party.series import Run, SeriesBook
from party.suppression.desk import SuppressionDesk

GRACE_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 60
RETRY_SECONDS: Final = 600

_log: Final = logging.getLogger("commonground.serve")


class Listener(Protocol):
    """What listens."""

    port: int

    def stop(self, grace_seconds: float) -> None:
        """Suspend the sessions and end."""


Listen = Callable[[Organisation, ServedDesk, str], Listener]
"""Starts what listens on an address (host:port; port 0 takes a free one)."""


class HttpListener(Protocol):
    """What answers over HTTP."""

    url: str

    def stop(self) -> None:
        """End."""


ListenHttp = Callable[[Organisation, str], HttpListener]
"""Starts what answers over HTTP on an address (host:port; port 0 takes a free one)."""


@contextmanager
def listening(party: Organisation, listen: Listen, address: str) -> Iterator[Listener]:
    """Listen meanwhile; at the end sessions are suspended, and go on at the next start.

    Raises:
        InUse: another process listens for this party.
        PartyError: the address cannot be listened on, or the certificate is not valid now.
    """
    party.access.require(Role.OPERATOR, "party.serve")
    with one_listener(party.folder) as tell_where:
        desk = ServedDesk(Desk(party), SuppressionDesk(party))
        listener = listen(party, desk, address)
        tell_where(f"{address.rpartition(':')[0]}:{listener.port}")
        ended = threading.Event()
        stop = CancelToken()
        daily = threading.Thread(target=_keep_house, args=(party, ended), name="housekeeping")
        timely = threading.Thread(target=_keep_time, args=(party, ended, stop), name="reports")
        vouched = threading.Thread(target=_keep_witnessed, args=(party, ended), name="witnesses")
        for thread in (daily, timely, vouched):
            thread.daemon = True
            thread.start()
        try:
            yield listener
        finally:
            ended.set()
            stop.cancel()
            listener.stop(GRACE_SECONDS)
            daily.join()
            timely.join()
            vouched.join()


@contextmanager
def listening_http(
    party: Organisation, listen: ListenHttp, address: str | None
) -> Iterator[str | None]:
    """Offer the log over HTTP meanwhile, and yield its URL.

    `address` is host:port; without it, where party.toml says, and nowhere if it says nothing.

    Raises:
        PartyError: the address cannot be listened on.
    """
    where = address or party.settings.http
    if not where:
        yield None
        return
    listener = listen(party, where)
    try:
        yield listener.url
    finally:
        listener.stop()


def _keep_house(party: Organisation, ended: threading.Event) -> None:
    """Do at once what the day asks for, and then once a day."""
    while True:
        for work in (_delete_what_has_ended, _take_off_who_withdrew):
            try:
                work(party)
            except Exception as error:  # noqa: BLE001 - a fault today leaves tomorrow's work alone
                sentence = "a fault of this program in the day's housekeeping"
                event = Event("housekeeping.failed")
                note(_log, event, sentence, level=logging.ERROR, fault=error)
        if ended.wait(DAY_SECONDS):
            return


def _keep_time(party: Organisation, ended: threading.Event, stop: CancelToken) -> None:
    """Run standing reports when they are due; try those that wait for somebody now and then."""
    carrier = Carrier(party, Logged(), cancel=stop)
    tried: dict[str, int] = {}
    while True:
        try:
            _run_reports(carrier, tried)
        except (Cancelled, InUse):
            pass  # the party is closing, or `report due` is at it; the next look will tell
        except Exception as error:  # noqa: BLE001 - a fault now leaves the next hour's work alone
            sentence = "a fault of this program in running what is due"
            event = Event("report.stopped")
            note(_log, event, sentence, level=logging.ERROR, fault=error)
        _send_lineage(party)
        if ended.wait(LOOK_SECONDS):
            return


def _keep_witnessed(party: Organisation, ended: threading.Event) -> None:
    """Have outside witnesses cosign what the log has gained; those that fail are asked later."""
    if not party.settings.witnesses:
        return
    while True:
        failed = False
        try:
            for asked in ask_witnesses(party):
                failed = failed or asked.problem is not None
                event = Event("log.witnessed", peer=asked.witness, reason=asked.problem)
                if asked.problem is not None:
                    sentence = f"witness {asked.witness}: {asked.problem}"
                    note(_log, event, sentence, level=logging.WARNING)
        except PartyError as error:
            failed = True
            event = Event("log.witnessed", reason=str(error))
            note(_log, event, f"witnesses: {error}", level=logging.ERROR)
        except Exception as error:  # noqa: BLE001 - a fault now leaves the next hour's work alone
            failed = True
            sentence = "a fault of this program in asking witnesses"
            note(_log, Event("log.witnessed"), sentence, level=logging.ERROR, fault=error)
        if ended.wait(RETRY_SECONDS if failed else LOOK_SECONDS):
            return


def _send_lineage(party: Organisation) -> None:
    try:
        send_events(party)
    except PartyError as error:
        note(_log, Event("lineage.waits", reason=str(error)), str(error), level=logging.WARNING)


def _run_reports(carrier: Carrier, tried: dict[str, int]) -> None:
    """Run what is due now; `tried` says when a run was tried last (Unix seconds)."""
    party = carrier.party
    slot = SeriesBook(party).next_slot()
    if slot is None or slot > party.now:
        return

    def wanted(run: Run) -> bool:
        last, filed = tried.get(run.request), Desk(party).known(run.request)
        ended = filed is not None and filed.state != APPROVED
        return last is None or ended or party.now - last >= RETRY_SECONDS

    for went in run_due(carrier, wanted=wanted):
        tried[went.run.request] = party.now
        event = Event("report.due", went.run.request, state=went.state, reason=went.said)
        note(_log, event, f"standing report {went.series.name}: {went.state}, {went.said}")


def _delete_what_has_ended(party: Organisation) -> None:
    try:
        prune(party)
    except (PartyError, OSError) as error:
        sentence = f"what has expired could not be deleted: {error}"
        note(_log, Event("retention.failed", reason=str(error)), sentence, level=logging.ERROR)


def _take_off_who_withdrew(party: Organisation) -> None:
    for filed, said in Suppressor(party).suppress_all(cover=party.settings.cover_runs):
        event = Event("suppression", request=filed.request.id, peer=filed.peer, reason=said)
        note(_log, event, f"suppression of list {filed.request.id[:8]}: {said}")
