"""Peers in the same run: other programs that intersect sets, with the same digests on this machine.

Each has an environment of its own in the folder that PEERS_DIR names (docs/performance.md says how
to make them) and a script in `benchmarks/peers/`, which starts both of its parties as processes. A
peer that is not installed is left out; one that fails has an error in place of figures.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.errors import BenchmarkError
from benchmarks.load import Load, Watch
from benchmarks.network import loopback_bytes
from benchmarks.workload import Size

SCRIPTS = Path(__file__).parent / "peers"
TIME_LIMIT_SECONDS = 900


@dataclass(frozen=True)
class Rival:
    """One protocol of one peer: its environment, its script, and the most people of a side.

    `family` is what it rests on: `DH` for Diffie-Hellman, `VOLE` and `OT` for transfers.
    """

    name: str
    family: str
    environment: str
    script: str
    options: tuple[str, ...]
    most_people: int


RIVALS = (
    Rival("SecretFlow RR22", "VOLE", "venv-spu", "secretflow.py", ("RR22",), 10_000_000),
    Rival("SecretFlow KKRT", "OT", "venv-spu", "secretflow.py", ("KKRT",), 1_000_000),
    Rival("SecretFlow ECDH-25519", "DH", "venv-spu", "secretflow.py", ("ECDH",), 1_000_000),
    Rival("OpenMined PSI", "DH", "venv-openmined", "openmined.py", (), 1_000_000),
)


Installed = dict[Rival, Path]  # with its interpreter


@dataclass(frozen=True)
class RivalRun:
    """What a peer took, by its own clock: see its script for where that begins and ends.

    `error` stands in place of figures when the run failed or its result was wrong.
    """

    name: str
    family: str
    receiver: int
    sender: int
    version: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_mb: dict[str, float] | None = None
    wire_mb: float | None = None
    load: Load | None = None
    error: str | None = None


def installed(folder: Path | str | None) -> Installed:
    """Return the peers whose environment lies in the folder; none for None.

    Raises:
        BenchmarkError: a folder is named and holds no peer.
    """
    if folder is None:
        return {}
    interpreters = {
        rival: Path(folder).absolute() / rival.environment / "bin/python" for rival in RIVALS
    }
    found = {rival: python for rival, python in interpreters.items() if python.exists()}
    if not found:
        raise BenchmarkError(f"{folder} holds no peer: see docs/performance.md, or unset PEERS_DIR")
    return found


def run_rival(rival: Rival, python: Path, size: Size, receiver: Path, sender: Path) -> RivalRun:
    """Run a peer on two files of digests; whatever goes wrong stands in the result."""
    print(f"  {rival.name}, {size}", flush=True)
    wire, watch = loopback_bytes(), Watch()
    try:
        said = _said(
            [python, SCRIPTS / rival.script, *rival.options, "--receiver", receiver,
             "--sender", sender],
        )  # fmt: skip
    except BenchmarkError as error:
        return RivalRun(rival.name, rival.family, size.receiver, size.sender, error=str(error))
    return RivalRun(
        name=rival.name,
        family=rival.family,
        receiver=size.receiver,
        sender=size.sender,
        version=said["version"],
        seconds=said["seconds"],
        cpu_seconds=said["cpu_seconds"],
        peak_mb=said["peak_mb"],
        wire_mb=(loopback_bytes() - wire) / 1e6,
        load=watch.stop(),
    )


def _said(command: list[str | Path]) -> dict[str, Any]:
    """Return the figures that a script prints as its last line.

    Raises:
        BenchmarkError: it took too long, ended badly, or its result was wrong.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=TIME_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        script = psutil.Process(process.pid)
        for member in [*script.children(recursive=True), script]:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.communicate()
        raise BenchmarkError(f"not done after {TIME_LIMIT_SECONDS} seconds") from None
    if process.returncode:
        raise BenchmarkError((err.strip() or out.strip() or "no word").splitlines()[-1][:200])
    figures: dict[str, Any] = json.loads(out.splitlines()[-1])
    if not figures.pop("correct"):
        raise BenchmarkError("its result was wrong")
    return figures
