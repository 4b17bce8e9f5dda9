"""The lines that `serve` writes to stderr: a sentence for people, or one JSON object.

A fault is shown as the kind of error and where in the program it happened. What the error says
is left out unless debugging was asked for: it may quote data.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from types import TracebackType

from party.events import ATTRIBUTE

_Fault = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


@contextmanager
def events_on_stderr(log_format: str, *, level: str, debug: bool) -> Iterator[None]:
    """Write what happens meanwhile to stderr, as "text" or "json", from a level on ("info")."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level.upper())
    handler.setFormatter(JsonLines(debug) if log_format == "json" else TextLines(debug))
    logger = logging.getLogger("commonground")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


class TextLines(logging.Formatter):
    """A time and a sentence."""

    def __init__(self, debug: bool) -> None:
        super().__init__("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self._debug = debug

    def formatException(self, ei: _Fault) -> str:  # noqa: N802 - logging's name
        """Return where the fault happened; with debugging, all of it."""
        if self._debug or ei[1] is None:
            return super().formatException(ei)
        return "\n".join(f"  {line}" for line in [type(ei[1]).__name__, *_places(ei[1])])


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, event, the event's fields, and the sentence."""

    def __init__(self, debug: bool) -> None:
        super().__init__()
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        event = getattr(record, ATTRIBUTE, None)
        fields = {} if event is None else asdict(event)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": fields.pop("name", "message"),
            **{name: value for name, value in fields.items() if value is not None},
            "message": record.getMessage(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["fault"] = type(error).__name__
            line["at"] = _places(error)
            if self._debug:
                line["traceback"] = "".join(traceback.format_exception(error))
        return json.dumps(line, ensure_ascii=False)


def _places(error: BaseException) -> list[str]:
    """Return where an error passed through the program, without anything that it quotes."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
