"""Lineage events on their way out: a file each in `lineage/`, and a server where one is set.

A file is named by the place in the log where its digest stands, so writing it again is writing the
same. A server (Marquez, or whatever takes `POST /api/v1/lineage`) gets the same bytes in the order
of the log; one that does not answer holds up nothing but the sending. An event that was sent and
not answered is sent again: receivers know a run's event by its id and type.
"""

from __future__ import annotations

import os
import tempfile
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from party.durable import settle
from party.errors import LineageError, StoreError
from party.schema import LINEAGE_EVENTS

if TYPE_CHECKING:
    from email.message import Message

    from party.organisation import Organisation

FOLDER: Final = "lineage"
TOKEN_VARIABLE: Final = "COMMONGROUND_LINEAGE_TOKEN"  # noqa: S105 - its name
_HERE: Final = ("127.0.0.1", "::1", "localhost")
SECONDS: Final = 5.0
"""How long a server may take for one event."""


def file_events(party: Organisation) -> None:
    """Write the files of events that have none yet; one that cannot be written waits."""
    with suppress(OSError, StoreError):
        _file_events(party)


def _file_events(party: Organisation) -> None:
    rows = party.store.rows(
        sa.select(LINEAGE_EVENTS)
        .where(LINEAGE_EVENTS.c.filed_at.is_(None))
        .order_by(LINEAGE_EVENTS.c.seq)
    )
    folder = party.folder / FOLDER
    if rows:
        folder.mkdir(mode=0o700, exist_ok=True)
    for row in rows:
        _write(folder / f"{row.seq:010d}-{row.type}.json", row.data.encode())
        _mark(party, row.seq, "filed_at")


def send_events(party: Organisation) -> int:
    """Send what the server has not got, oldest first, and return how many it took.

    Without a server in the settings nothing is sent.

    Raises:
        LineageError: it does not answer, or takes an event for none; the rest waits.
    """
    url, sent = party.settings.lineage_url, 0
    if not url:
        return 0
    for seq in waiting(party):
        row = party.store.row(sa.select(LINEAGE_EVENTS).where(LINEAGE_EVENTS.c.seq == seq))
        assert row is not None
        _post(url, row.data.encode())
        _mark(party, seq, "sent_at")
        sent += 1
    return sent


def waiting(party: Organisation) -> list[int]:
    """Return the places in the log of the events that no server has got, oldest first."""
    unsent = sa.select(LINEAGE_EVENTS.c.seq).where(LINEAGE_EVENTS.c.sent_at.is_(None))
    return [row.seq for row in party.store.rows(unsent.order_by(LINEAGE_EVENTS.c.seq))]


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        settle(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _mark(party: Organisation, seq: int, column: str) -> None:
    now = party.now

    def work(connection: Connection) -> None:
        connection.execute(
            sa.update(LINEAGE_EVENTS).where(LINEAGE_EVENTS.c.seq == seq).values({column: now})
        )

    party.store.write(work)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Sends nothing on: a token is for the server that was set, and for no other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        """Follow nothing."""


def _post(url: str, data: bytes) -> None:
    headers, parts = {"Content-Type": "application/json"}, urlsplit(url)
    token = os.environ.get(TOKEN_VARIABLE)
    if token and parts.scheme != "https" and parts.hostname not in _HERE:
        raise LineageError(f"lineage_url is not https, so {TOKEN_VARIABLE} is not sent to it")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - settings
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            answer.read(1024)
    except (OSError, HTTPException, ValueError) as error:
        code = getattr(error, "code", None)
        what = f"answered {code}" if code else f"does not answer ({type(error).__name__})"
        raise LineageError(
            f"the lineage server at {parts.hostname} {what}; events are kept in "
            f"{FOLDER}/, and `commonground lineage send` tries again"
        ) from None
