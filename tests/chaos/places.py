"""Where a play takes place: a network of its own for each party, and a small disk for each.

A worker moves itself into a network and a mount table of its own; nothing outside is reached from
there or changed. Each party is behind a cable of its own (a pair of veth), at whose near end the
roads begin. All of it takes root, and goes with the processes.
"""

import ctypes
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from postgresql import programs

NEW_NETWORK, NEW_MOUNTS = 0x4000_0000, 0x0002_0000  # CLONE_NEWNET, CLONE_NEWNS
DISK_BYTES = 64 << 20
_BLOCK = bytes(1 << 16)


def can_be_entered():
    """Say whether this machine allows what a play needs."""
    made = "ip link add cg0 type veth peer name cg1 && tc qdisc add dev cg0 root tbf rate 1mbit "
    tried = ["unshare", "--net", "--mount", "sh", "-c", made + "burst 16kb latency 400ms"]
    try:
        allowed = subprocess.run(tried, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
    return allowed and programs() is not None and shutil.which("cc") is not None


def enter():
    """Move this process, and all that it starts, to a network and mounts of their own."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK | NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "no namespaces: chaos takes root")
    run("mount", "--make-rprivate", "/")
    run("ip", "link", "set", "lo", "up")


def run(*words):
    """Run a program of the system, and fail with what it said."""
    done = subprocess.run([str(word) for word in words], check=False, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stderr.decode(errors='replace')}")


class Cable:
    """One party's network, and the cable that leads from it to the roads."""

    def __init__(self, number):
        self.near, self.host = f"10.77.{number}.1", f"10.77.{number}.2"
        self._end = f"cg{number}"
        hold = ("setpriv", "--pdeathsig", "KILL", "sleep", "infinity")
        self._holder = subprocess.Popen(["unshare", "--net", *hold])
        self.before = ("nsenter", f"--net=/proc/{self._holder.pid}/ns/net")
        self._await_network()
        far = ("peer", "name", "eth0", "netns", self._holder.pid)
        run("ip", "link", "add", self._end, "type", "veth", *far)
        run("ip", "address", "add", f"{self.near}/24", "dev", self._end)
        run("ip", "link", "set", self._end, "up")
        run(*self.before, "ip", "address", "add", f"{self.host}/24", "dev", "eth0")
        for end in ("lo", "eth0"):
            run(*self.before, "ip", "link", "set", end, "up")
        run(*self.before, "ip", "route", "add", "default", "via", self.near)

    def pull(self):
        """Let the link go down: packets are lost, and nobody is told."""
        run("ip", "link", "set", self._end, "down")

    def plug(self):
        run("ip", "link", "set", self._end, "up")

    def narrow(self, rate):
        """Bound both directions, as `tc` writes a rate."""
        bucket = ("root", "tbf", "rate", rate, "burst", "16kb", "latency", "400ms")
        run("tc", "qdisc", "add", "dev", self._end, *bucket)
        run(*self.before, "tc", "qdisc", "add", "dev", "eth0", *bucket)

    def widen(self):
        run("tc", "qdisc", "del", "dev", self._end, "root")
        run(*self.before, "tc", "qdisc", "del", "dev", "eth0", "root")

    def remove(self):
        self._holder.kill()
        self._holder.wait()

    def _await_network(self):
        """Wait until the holder has left this network: until then its end would land here."""
        own = Path("/proc/self/ns/net").readlink()
        theirs = Path(f"/proc/{self._holder.pid}/ns/net")
        deadline = time.monotonic() + 10
        while theirs.readlink() == own:
            if time.monotonic() > deadline:
                raise RuntimeError("no network of its own for a party")
            time.sleep(0.01)


@dataclass(frozen=True)
class Disk:
    """A file system of a fixed size, in memory, for one party's folder."""

    path: Path

    @classmethod
    def mount(cls, path):
        path.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", path)
        return cls(path)

    def fill(self):
        """Leave no room on it."""
        with suppress(OSError), (self.path / "ballast").open("wb", buffering=0) as file:
            while file.write(_BLOCK):
                pass

    def free(self):
        (self.path / "ballast").unlink()

    def unmount(self):
        run("umount", "--lazy", self.path)
