"""A party that listens, for as long as somebody wants it to.

What listens is handed in from outside, since this package knows no server. While it listens, what
has come to its end is deleted once a day, people who have withdrawn are taken off lists, standing
reports are run as their time comes, sessions that broke off go on, outside witnesses are asked to
cosign the log, counterparts are told of keys that were replaced, and sessions with whom was revoked
end.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from audit.roles import Role
from client.cancelling import Cancelled, CancelToken
from client.carrying import Carrier
from client.key_exchange import tell_all
from client.resuming import SUSPENDED, Went, broken_off, go_on_with
from client.scheduling import run_due
from client.serving import Logged, ServedDesk
from client.suppressing import Suppressor
from client.witnessing import ask_witnesses
from party.certificate_ends import certificate_warnings
from party.desk import Desk
from party.errors import InUse, PartyError
from party.events import Event, note
from party.filing import APPROVED
from party.ledger import DAY_SECONDS
from party.lineage.delivery import send_events
from party.occupied import one_listener
from party.organisation import Organisation
from party.retention import prune
from party.revocation import Revocations, Revoked
from party.rotation import finish_rotation
from party.series import Run, SeriesBook
from party.suppression.desk import SuppressionDesk

GRACE_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 60
SOON_SECONDS: Final = 2
RETRY_SECONDS: Final = 600
GUARD_SECONDS: Final = 1.0

_log: Final = logging.getLogger("commonground.serve")


class Listener(Protocol):
    """What listens."""

    port: int

    def stop(self, grace_seconds: float) -> None:
        """Suspend the sessions and end."""

    def end_refused(self) -> None:
        """Let open sessions whose requests have been refused meanwhile end at once."""

    def trouble(self, service: str) -> str | None:
        """Return why a service ("" for all) does not serve; None if it does."""


Listen = Callable[[Organisation, ServedDesk, str], Listener]
"""Starts what listens on an address (host:port; port 0 takes a free one)."""


class HttpListener(Protocol):
    """What answers over HTTP."""

    url: str

    def stop(self) -> None:
        """End."""


Health = Callable[[str], str | None]
"""Says why a service ("" for all) does not serve; None: it does."""
ListenHttp = Callable[[Organisation, str, Health], HttpListener]
"""Starts what answers over HTTP on an address (host:port; port 0 takes a free one)."""


@dataclass
class Listening:
    """A party that listens; `url` is where it answers over HTTP, None for nowhere."""

    url: str | None = None
    listener: Listener | None = None

    @property
    def port(self) -> int:
        """Where counterparts are listened for."""
        assert self.listener is not None
        return self.listener.port

    def trouble(self, service: str) -> str | None:
        """Return why a service ("" for all) does not serve; None if it does."""
        return "it is starting" if self.listener is None else self.listener.trouble(service)


@contextmanager
def listening(
    party: Organisation,
    listen: Listen,
    address: str,
    over_http: ListenHttp | None = None,
    http: str | None = None,
) -> Iterator[Listening]:
    """Listen meanwhile; at the end sessions are suspended, and go on at the next start.

    With `over_http` the log and how things stand are offered over HTTP at `http` (host:port;
    without it, where party.toml says, or nowhere), from before the first session to after the last.

    Raises:
        InUse: another process listens for this party.
        PartyError: an address cannot be listened on, or the certificate is not valid now.
    """
    party.access.require(Role.OPERATOR, "party.serve")
    here = Listening()
    with (
        one_listener(party.folder) as tell_where,
        _answering_http(party, over_http, http, here.trouble) as here.url,
    ):
        finish_rotation(party)
        desk = ServedDesk(Desk(party), SuppressionDesk(party))
        listener = here.listener = listen(party, desk, address)
        tell_where(f"{address.rpartition(':')[0]}:{listener.port}")
        ended = threading.Event()
        stop = CancelToken()
        daily = threading.Thread(target=_keep_house, args=(party, ended), name="housekeeping")
        told = threading.Thread(target=_keep_known, args=(party, ended), name="keys")
        guarded = threading.Thread(target=_keep_out, args=(party, ended, listener), name="revoked")
        timely = threading.Thread(target=_keep_time, args=(party, ended, stop), name="reports")
        resuming = threading.Thread(target=_keep_going, args=(party, ended, stop), name="resuming")
        vouched = threading.Thread(target=_keep_witnessed, args=(party, ended), name="witnesses")
        threads = (daily, told, guarded, timely, resuming, vouched)
        for thread in threads:
            thread.daemon = True
            thread.start()
        try:
            yield here
        finally:
            ended.set()
            stop.cancel()
            listener.stop(GRACE_SECONDS)
            for thread in threads:
                thread.join()


@contextmanager
def _answering_http(
    party: Organisation, listen: ListenHttp | None, address: str | None, health: Health
) -> Iterator[str | None]:
    """Offer the log over HTTP meanwhile, and yield its URL; None for nowhere."""
    where = address or party.settings.http
    if listen is None or not where:
        yield None
        return
    listener = listen(party, where, health)
    try:
        yield listener.url
    finally:
        listener.stop()


def _keep_house(party: Organisation, ended: threading.Event) -> None:
    """Do at once what the day asks for, and then once a day."""
    while True:
        for work in (_delete_what_has_ended, _warn_of_certificates, _take_off_who_withdrew):
            try:
                work(party)
            except Exception as error:  # noqa: BLE001 - a fault today leaves tomorrow's work alone
                sentence = "a fault of this program in the day's housekeeping"
                event = Event("housekeeping.failed")
                note(_log, event, sentence, level=logging.ERROR, fault=error)
        if ended.wait(DAY_SECONDS):
            return


def _keep_known(party: Organisation, ended: threading.Event) -> None:
    """Tell counterparts of keys that were replaced, until all who can be dialled know of it."""
    told: set[tuple[str, int]] = set()
    while True:
        failed = False
        newest = len(party.identity.statements)
        try:
            for one in tell_all(party) if newest else ():
                failed = failed or not one.knows
                if one.knows and (one.peer, newest) not in told:
                    told.add((one.peer, newest))
                    note(_log, Event("key.told", peer=one.peer), f"{one.peer} knows the new keys")
                if one.problem is not None:
                    event = Event("key.untold", peer=one.peer, reason=one.problem)
                    sentence = f"{one.peer} does not know the new keys: {one.problem}"
                    note(_log, event, sentence, level=logging.WARNING)
        except Exception as error:  # noqa: BLE001 - a fault now leaves the next look's work alone
            failed = True
            sentence = "a fault of this program in telling of new keys"
            note(_log, Event("key.untold"), sentence, level=logging.ERROR, fault=error)
        if ended.wait(RETRY_SECONDS if failed else LOOK_SECONDS):
            return


def _keep_out(party: Organisation, ended: threading.Event, listener: Listener) -> None:
    """End sessions with whom was revoked, as soon as it was; what starts asks by itself."""
    seen: list[Revoked] = []
    while not ended.wait(GUARD_SECONDS):
        try:
            now = Revocations(party).all()
            if now != seen:
                listener.end_refused()
                seen = now
        except PartyError as error:
            event = Event("revocation.unread", reason=str(error))
            note(_log, event, f"who is revoked: {error}", level=logging.ERROR)


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


def _keep_going(party: Organisation, ended: threading.Event, stop: CancelToken) -> None:
    """Go on with sessions that broke off and that this party dials; a new outcome is said once."""
    carrier = Carrier(party, Logged(), cancel=stop)
    said: dict[str, str] = {}
    pause = SOON_SECONDS
    while True:
        waiting = False
        try:
            for filed in broken_off(party):
                went = go_on_with(carrier, filed)
                waiting = waiting or went.state == SUSPENDED
                _say_once(said, went)
        except Cancelled:
            pass  # the party is closing
        except PartyError as error:
            event = Event("session.waits", reason=str(error))
            note(_log, event, f"sessions that broke off: {error}", level=logging.ERROR)
        except Exception as error:  # noqa: BLE001 - a fault now leaves the next look alone
            sentence = "a fault of this program in going on with sessions"
            note(_log, Event("session.waits"), sentence, level=logging.ERROR, fault=error)
        pause = min(2 * pause, LOOK_SECONDS) if waiting else SOON_SECONDS
        if ended.wait(pause if waiting else LOOK_SECONDS):
            return


def _say_once(said: dict[str, str], went: Went) -> None:
    request = went.filed.id
    if said.get(request) != went.state:
        said[request] = went.state
        name = "session.waits" if went.state == SUSPENDED else "session.resumed"
        event = Event(name, request, state=went.state, reason=went.said)
        note(_log, event, f"session {request[:8]}, {went.state}: {went.said}")


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


def _warn_of_certificates(party: Organisation) -> None:
    party.identity.delete_replaced()
    for warning in certificate_warnings(party):
        event = Event("certificate.ends", peer=warning.peer, reason=warning.sentence)
        note(_log, event, warning.sentence, level=logging.WARNING)


def _take_off_who_withdrew(party: Organisation) -> None:
    for filed, said in Suppressor(party).suppress_all(cover=party.settings.cover_runs):
        event = Event("suppression", request=filed.request.id, peer=filed.peer, reason=said)
        note(_log, event, f"suppression of list {filed.request.id[:8]}: {said}")
