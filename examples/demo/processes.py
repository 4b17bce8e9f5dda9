"""Running a party's commands as processes, with what they print and the memory they take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

_T = TypeVar("_T")
SAMPLE_SECONDS = 0.1
FAMILY_SECONDS = 1.0  # to look for workers takes ten times what a sample does
START_SECONDS = 60
STOP_SECONDS = 30
REST_SECONDS = 1.0
MOST_AT_REST = 10.0  # percent of a core


@dataclass(frozen=True)
class Held:
    """The memory of a process and its workers, in bytes: their own, and what files back."""

    own: int
    shared: int


class Meter:
    """The most resident memory that a party's processes held together, in bytes.

    What files back, programs above all, processes share: the largest such part counts once among
    the party's own, and in full although the other party, here on the same machine, may share it
    too. Linux keeps both numbers at hand. Pages that a process has to itself would have to be
    counted one by one, which takes time from what is measured.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._held: dict[int, Held] = {}
        self._lock = threading.Lock()

    def watch(self, pid: int) -> None:
        """Watch a process and its workers from now on."""
        process = psutil.Process(pid)
        threading.Thread(target=self._sample, args=(process,), daemon=True).start()

    def _sample(self, process: psutil.Process) -> None:
        family: list[psutil.Process] = []
        looked = 0.0
        while process.is_running():
            try:
                if not family or time.monotonic() - looked > FAMILY_SECONDS:
                    family, looked = [process, *process.children(recursive=True)], time.monotonic()
                self._note(process.pid, _held_by(family))
            except psutil.Error:
                family = []  # one of them has just ended
            time.sleep(SAMPLE_SECONDS)
        self._note(process.pid, Held(0, 0))

    def _note(self, pid: int, held: Held) -> None:
        with self._lock:
            self._held[pid] = held
            own = sum(one.own for one in self._held.values())
            self.peak = max(self.peak, own + max(one.shared for one in self._held.values()))


def _held_by(family: Sequence[psutil.Process]) -> Held:
    held = [member.memory_info() for member in family]
    shared = [getattr(memory, "shared", 0) for memory in held]  # Linux alone knows it
    return Held(sum(memory.rss for memory in held) - sum(shared), max(shared))


class CommandError(Exception):
    """A command of the demonstration did not end well; the message is what it printed."""


@dataclass(frozen=True)
class Drawing:
    """A program that draws pages."""

    process: subprocess.Popen[str]

    def wait(self) -> None:
        """Return once all pages are there."""
        _, err = self.process.communicate()
        if self.process.returncode:
            raise CommandError(f"the pages were not drawn:\n{err}")


class Party:
    """One organisation's folder and the commands typed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meter = Meter()
        self._server: subprocess.Popen[str] | None = None

    def run(self, *words: str | Path) -> dict[str, Any]:
        """Show and run one command with --json, and return its document."""
        self.show(*words)
        return self.run_unseen(*words)

    def run_unseen(self, *words: str | Path) -> dict[str, Any]:
        """Run one command with --json and return its document; `show` says what was typed."""
        code, out, err = self._type(*words)
        if code:
            raise CommandError(f"commonground {words[0]} ended with {code}:\n{err}{out}")
        document: dict[str, Any] = json.loads(out)
        return document

    def refused(self, *words: str | Path) -> str:
        """Show and run one command that is to be refused, and return what it says of it."""
        self.show(*words)
        code, out, _ = self._type(*words)
        if code == 0:
            raise CommandError(f"commonground {words[0]} was not refused:\n{out}")
        return str(json.loads(out)["error"]["message"])

    def show(self, *words: str | Path) -> None:
        """Print a command as a person types it."""
        print(f"  {self.folder.name}$ commonground {' '.join(map(_short, words))}", flush=True)

    def _type(self, *words: str | Path) -> tuple[int, str, str]:
        """Run one command with --json; return its exit code and what it wrote."""
        process = self._start([*_command(), *map(str, words), "--json"])
        out, err = process.communicate()
        return process.returncode, out, err

    def draw(self, pages: Mapping[str, Path]) -> Drawing:
        """Draw the pages of finished reports beside what follows; the caller waits for them."""
        words = [f"{request}={path}" for request, path in pages.items()]
        names = " ".join(path.name for path in pages.values())
        print(f"  {self.folder.name}$ python pages.py {names} &", flush=True)
        command = [sys.executable, "-m", "examples.demo.pages", str(self.folder), *words]
        return Drawing(self._start(command))

    def _start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(),
        )
        self.meter.watch(process.pid)
        return process

    def serve(self, *options: str) -> None:
        """Start listening; returns once the port is open."""
        print(f"  {self.folder.name}$ commonground serve &", flush=True)
        log = (self.folder / "serve.log").open("w", encoding="utf-8")
        self._server = subprocess.Popen(
            [*_command(), "serve", *options],
            stdout=log,
            stderr=log,
            text=True,
            env=self._environment(),
        )
        self.meter.watch(self._server.pid)
        deadline = time.monotonic() + START_SECONDS
        while "listens on" not in (self.folder / "serve.log").read_text(encoding="utf-8"):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise CommandError((self.folder / "serve.log").read_text(encoding="utf-8"))
            time.sleep(SAMPLE_SECONDS)

    def settle(self) -> None:
        """Return once the listener rests: at its start it looks who has withdrawn from lists.

        What its processes held until then does not count.
        """
        if self._server is None:
            return
        process = psutil.Process(self._server.pid)
        while process.cpu_percent(REST_SECONDS) > MOST_AT_REST:
            pass
        self.meter.peak = 0

    def stop(self) -> None:
        """Stop listening, gracefully."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(STOP_SECONDS)
            self._server = None

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "COMMONGROUND_PARTY": str(self.folder)}


def at_once(*tasks: Callable[[], _T]) -> list[_T]:
    """Do what several parties do at the same time; raise the first error."""
    with ThreadPoolExecutor(len(tasks)) as threads:
        return [done.result() for done in [threads.submit(task) for task in tasks]]


def _command() -> list[str]:
    return [sys.executable, "-m", "commonground"]


def _short(word: str | Path) -> str:
    text = word.name if isinstance(word, Path) else word
    return f'"{text}"' if " " in text else text
