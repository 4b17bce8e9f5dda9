"""Verifying a party's log in a process of its own, beside a program that goes on answering people.

`python -m client.log_check FOLDER` verifies the log of the party there and prints JSON lines: how
many entries were found right so far, and at the end the verification or what failed first. It ends
when whoever started it is gone. `LogCheck` is that one's side.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from audit.errors import AuditError, VerificationError
from party.errors import PartyError

_EVERY: Final = 2_000
_NICENESS: Final = 10
_ENDED: Final = "the check ended without a verdict: see the console's own log, and try again"


@dataclass(frozen=True)
class Checked:
    """How far a check is: `done` of `total` entries, and its end where it has come to it.

    `by` is who began it, at `began` (Unix seconds). At the `ended` there is a `verification`, as
    JSON values, or a `problem`, with the `entry` that it was found at where it is one's.
    """

    by: str
    began: float
    total: int
    done: int = 0
    ended: float | None = None
    verification: dict[str, Any] | None = None
    problem: str | None = None
    entry: int | None = None

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return self.ended is None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "runs": self.runs,
            "by": self.by,
            "began": int(self.began),
            "done": self.done,
            "total": self.total,
            "ended": None if self.ended is None else int(self.ended),
            "verification": self.verification,
            "problem": self.problem,
            "entry": self.entry,
        }


class LogCheck:
    """The check of one party's log, one at a time; it may be asked from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._last: Checked | None = None
        self._process: subprocess.Popen[str] | None = None
        self._following: threading.Thread | None = None

    @property
    def last(self) -> Checked | None:
        """The check that runs, or the last one, of this program's time."""
        return self._last

    def start(self, by: str, total: int) -> Checked:
        """Begin a check of a log of about `total` entries; one that runs goes on instead."""
        with self._lock:
            if self._last is not None and self._last.runs:
                return self._last
            started = Checked(by, time.time(), total)
            self._process = process = subprocess.Popen(  # noqa: S603 - this program, and its folder
                [sys.executable, "-P", "-m", "client.log_check", str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._following = threading.Thread(target=self._follow, args=(process,), daemon=True)
            self._following.start()
            self._last = started
        return started

    def stop(self) -> None:
        """End a check that runs, and wait for it."""
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        told: dict[str, Any] = {}
        with process:
            for line in process.stdout:
                told = json.loads(line)
                if "done" in told:
                    self._note(done=told["done"])
        if "done" in told or process.returncode != 0:
            told = {"problem": _ENDED}
        self._note(ended=time.time(), **told)

    def _note(self, **changed: Any) -> None:  # noqa: ANN401 - fields of `Checked`
        with self._lock:
            assert self._last is not None
            self._last = replace(self._last, **changed)


def main() -> None:
    """Verify the log of the party in the folder that is named."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(_NICENESS)
    _tell(_verify(Path(sys.argv[1]), _tell))


def _verify(folder: Path, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    from client.render_audit import verification_document
    from client.verifying import stored_log, verify
    from party.organisation import Organisation

    def passed(place: int) -> None:
        if place % _EVERY == _EVERY - 1:
            tell({"done": place + 1})

    try:
        party = Organisation.open(folder)
        try:
            return {"verification": verification_document(verify(stored_log(party), passed))}
        finally:
            party.close()
    except VerificationError as error:
        return {"problem": str(error), "entry": error.entry}
    except (AuditError, PartyError) as error:
        return {"problem": str(error)}


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
