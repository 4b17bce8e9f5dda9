"""Two parties of a peer as two processes: started, lined up, timed together, compared with truth.

Standard library alone, for it runs in the peer's own environment. A peer's script calls `meet` with
what one side does. Both sides prepare until they say that they are ready; then both are told to go.
The clock runs from the first that goes to the last that is done. Peak memory is the kernel's
high-water mark of each process.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECEIVER, SENDER = "receiver", "sender"
_READY, _FIGURES = "ready", "figures "


@dataclass
class Side:
    """One role of a run: its file (a heading, then one digest a line), a folder, two free ports.

    A side prepares, calls `wait`, works, and returns. The receiver leaves what both sides have in
    `result`, in the form of its file.
    """

    role: str
    protocol: str
    file: Path
    folder: Path
    ports: tuple[int, ...]
    began: float = 0.0
    began_cpu: float = 0.0

    @property
    def result(self) -> Path:
        """Where this side's result goes."""
        return _result(self.folder, self.role)

    def wait(self) -> None:
        """Say that this side is prepared, and return when both are: the clock begins."""
        _tell(_READY)
        sys.stdin.readline()
        self.began, self.began_cpu = time.monotonic(), time.process_time()


def meet(play: Callable[[Side], None], *, version: str) -> None:
    """Run the script's command line: both sides, or with --role one of them.

    The last line printed is the figures as JSON. The exit is not 0 when a side failed.
    """
    arguments = _arguments()
    if arguments.role:
        _play(play, arguments)
        return
    with tempfile.TemporaryDirectory(prefix="peer-") as name:
        folder = Path(name)
        told = _conduct(folder)
        figures = {
            "version": version,
            "seconds": max(one["ended"] for one in told) - min(one["began"] for one in told),
            "cpu_seconds": sum(one["cpu_seconds"] for one in told),
            "peak_mb": {one["role"]: one["peak_mb"] for one in told},
            "correct": _is_right(_result(folder, RECEIVER), arguments.receiver, arguments.sender),
        }
    print(json.dumps(figures), flush=True)


def read_digests(file: Path) -> list[str]:
    """Read a heading and one digest a line; quotes are taken off."""
    return [line.strip('"') for line in file.read_text(encoding="ascii").splitlines()[1:]]


def write_digests(file: Path, digests: list[str]) -> None:
    """Write a heading and one digest a line."""
    file.write_text("\n".join(["id", *digests, ""]), encoding="ascii")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol", nargs="?", default="")
    parser.add_argument("--receiver", type=Path, required=True, help="its file of digests")
    parser.add_argument("--sender", type=Path, required=True, help="its file of digests")
    parser.add_argument("--role", choices=(RECEIVER, SENDER), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--ports", type=int, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _play(play: Callable[[Side], None], arguments: argparse.Namespace) -> None:
    """Play one side and say what it took; then end at once, whatever the library still holds."""
    file = arguments.receiver if arguments.role == RECEIVER else arguments.sender
    side = Side(arguments.role, arguments.protocol, file, arguments.folder, tuple(arguments.ports))
    play(side)
    figures = {
        "role": side.role,
        "began": side.began,
        "ended": time.monotonic(),
        "cpu_seconds": time.process_time() - side.began_cpu,
        "peak_mb": _peak_mb(),
    }
    _tell(_FIGURES + json.dumps(figures))
    sys.stdin.readline()  # the other side may still be reading from this one
    os._exit(0)


def _conduct(folder: Path) -> list[dict[str, Any]]:
    """Start both sides and take them through: ready, go, figures, end."""
    ports = [str(port) for port in _free_ports(2)]
    sides = [
        subprocess.Popen(
            [sys.executable, *sys.argv, "--role", role, "--folder", str(folder), "--ports", *ports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for role in (RECEIVER, SENDER)
    ]
    try:
        for side in sides:
            _heard(side, _READY)
        for side in sides:
            _send_line(side)
        told = [json.loads(_heard(side, _FIGURES)) for side in sides]
        for side in sides:
            _send_line(side)
            side.wait(30)
    finally:
        for side in sides:
            side.kill()
    return told


def _heard(side: subprocess.Popen[str], word: str) -> str:
    """Return what follows the word on the next line that begins with it."""
    assert side.stdout is not None
    for line in side.stdout:
        if line.startswith(word):
            return line.removeprefix(word)
    raise SystemExit(f"a side ended with {side.wait()} before it was {word.strip()}")


def _send_line(side: subprocess.Popen[str]) -> None:
    assert side.stdin is not None
    side.stdin.write("\n")
    side.stdin.flush()


def _tell(text: str) -> None:
    print(f"\n{text}", flush=True)  # on a line of its own, whatever a library has printed


def _is_right(result: Path, receiver: Path, sender: Path) -> bool:
    shared = set(read_digests(receiver)) & set(read_digests(sender))
    found = read_digests(result)
    return len(found) == len(shared) and set(found) == shared


def _result(folder: Path, role: str) -> Path:
    return folder / f"{role}.csv"


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("the system does not say how much memory was used at most")


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
