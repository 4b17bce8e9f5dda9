"""The machine that figures were taken on; it names no host, no user and no path."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

_SHOWN_FLAGS = ("avx2", "avx512f", "avx512ifma", "sha_ni")


@dataclass(frozen=True)
class Machine:
    """Processor, instruction sets that matter here, cores, memory, and versions."""

    processor: str
    instructions: tuple[str, ...]
    cores: int
    memory_gb: float
    system: str
    python: str
    openssl: str
    cryptography: str
    kernel: str


def describe_machine() -> Machine:
    """Return what this machine is."""
    lines = _processor_lines()
    flags = set(lines.get("flags", lines.get("Features", "")).split())
    return Machine(
        processor=lines.get("model name", platform.machine()),
        instructions=tuple(flag for flag in _SHOWN_FLAGS if flag in flags),
        cores=usable_cores(),
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        openssl=_openssl_version(),
        cryptography=version("cryptography"),
        kernel=_kernel_version(),
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor_lines() -> dict[str, str]:
    """Return the first processor's lines of /proc/cpuinfo."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _kernel_version() -> str:
    try:
        return version("commonground-kernel")
    except PackageNotFoundError:
        return "none"


def _openssl_version() -> str:
    try:
        said = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return " ".join(said.stdout.split()[:2])
