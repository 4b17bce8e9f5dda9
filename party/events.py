"""What happens while a party works, as its operator may read it in a log.

An event has only the fields below: none takes an identifier or a count of people. How it is
written, as a sentence or as JSON, is decided where the log is set up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

ATTRIBUTE: Final = "commonground_event"
"""The attribute of a log record that holds its event."""


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    `name` is stable and made for machines, such as "session.finished"; `seconds` is a duration;
    `reason` is a sentence of an error of ours, which holds no identifier.
    """

    name: str
    request: str | None = None
    peer: str | None = None
    kind: str | None = None
    state: str | None = None
    status: str | None = None
    phase: str | None = None
    seconds: float | None = None
    address: str | None = None
    reason: str | None = None


def note(
    log: logging.Logger,
    event: Event,
    sentence: str,
    *,
    level: int = logging.INFO,
    fault: Exception | None = None,
) -> None:
    """Log an event; `fault` is an error that this program did not expect."""
    log.log(level, "%s", sentence, extra={ATTRIBUTE: event}, exc_info=fault)
