"""Two organisations as folders and processes, run by the command line that a partner types.

The channel listens (`commonground serve`), the advertiser only dials, over mutual TLS, along a
`Road` that a test can slow down. What a process prints goes to files, so that a test can look at
everything that was said. Only processes that were started here are ended, by their id.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from known_people import Holding, matched, reached
from slow_road import Road
from typer.testing import CliRunner

from commonground.cli import app

COMMAND_SECONDS = 120
MODULE = ("-m", "commonground")
SIZES = {"few": 300, "many": 1600}
OUTPUTS = "".join(
    f'  - {{kind: {kind}, {roles}, purpose: "dpv:{purpose}", {terms}}}\n'
    for kind, roles, purpose, terms in (
        ("match", "receiver: channel, sender: advertiser", "TargetedAdvertising", "approval: rule"),
        (
            "match",
            "receiver: advertiser, sender: channel",
            "TargetedAdvertising",
            "approval: rule, export_to: [meta]",
        ),
        ("reach", "recipient: advertiser, tabulator: channel", "MarketResearch", "approval: rule"),
        (
            "reach",
            "recipient: channel, tabulator: advertiser",
            "MarketResearch",
            "approval: manual",
        ),
        (
            "overlap",
            "recipient: advertiser, tabulator: channel",
            "MarketResearch",
            "approval: manual",
        ),
    )
)
_DATASET = (
    "{identifiers: [phone, email], most_identifiers: 2, "
    'labels: {frequency: ["1", "2", "3+"], segment: [gold, silver]}}'
)
OFFERED = "".join(
    f"  {name}:\n" + "".join(f"    {size}: {_DATASET}\n" for size in SIZES)
    for name in ("advertiser", "channel")
)
BUDGETS = "".join(
    f'  {name}: {{epsilon: "100", delta: "1e-6"}}\n' for name in ("advertiser", "channel")
)


class Running:
    """One process of a party, with what it prints in files."""

    def __init__(self, words, said: Path, environment, program=MODULE, before=()):
        said.mkdir(parents=True, exist_ok=True)
        number = len(list(said.glob("*.out")))
        stem = f"{number:02d}-{words[0]}"
        self.words = words
        self._out, self._err = said / f"{stem}.out", said / f"{stem}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*before, sys.executable, *program, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment,
                start_new_session=True,  # a signal to its group reaches its workers, and us never
            )

    @property
    def out(self):
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self):
        return self._err.read_text(encoding="utf-8")

    @property
    def document(self):
        """The one JSON document on stdout; anything before or after it is an error."""
        return json.loads(self.out)

    @property
    def ended(self):
        return self.process.poll() is not None

    def wait(self, expect=0):
        """Wait for its end, and fail unless it ends with the exit code that is expected."""
        code = self.process.wait(COMMAND_SECONDS)
        assert code == expect, f"{self.words} ended with {code}\n{self.out}\n{self.err}"
        return self

    def freeze(self):
        """Let it do nothing more, not even end."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """End it as a power cut does, and return its workers, which have to end by themselves."""
        workers = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(COMMAND_SECONDS)
        return workers

    def press_ctrl_c(self):
        """Do what a terminal does: interrupt the process, frozen or not, and all of its workers."""
        os.killpg(self.process.pid, signal.SIGINT)
        os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self):
        """Ask it to end in good order."""
        self.process.terminate()
        return self.wait()

    def end(self):
        """Leave nothing of it behind."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(COMMAND_SECONDS)


class Party:
    """One organisation: its folder, its people, and the commands that it types.

    Each of its processes is started by the words `before`, with `environment` besides its own.
    """

    def __init__(self, folder: Path, said: Path, before=(), environment=None):
        self.before, self.environment = before, environment or {}
        self.folder, self.said = folder, said / folder.name
        self.name = folder.name
        self.listener = None
        self._started = []

    def start(self, *words, program=MODULE):
        """Start a command and return at once."""
        words = [str(word) for word in words]
        place = {"COMMONGROUND_PARTY": str(self.folder), "TMPDIR": str(self.said.parent)}
        environment = {**os.environ, **place, **self.environment}
        running = Running(words, self.said, environment, program, self.before)
        self._started.append(running)
        return running

    def type(self, *words, expect=0):
        """Type a command with --json and return its document."""
        return self.start(*words, "--json").wait(expect).document

    def error(self, *words, expect, program=MODULE):
        """Type a command that fails; return its one sentence, and require that it is one."""
        ended = self.start(*words, program=program).wait(expect)
        return _one_sentence(ended.out, ended.err)

    def read(self, *words):
        """Run a short command with --json in this process, which has everything loaded."""
        return json.loads(self._run(*words, "--json", expect=0).stdout)

    def read_error(self, *words, expect):
        """Run a short command that fails in this process; return its one sentence."""
        done = self._run(*words, expect=expect)
        return _one_sentence(done.stdout, done.stderr)

    def _run(self, *words, expect):
        place = {"COMMONGROUND_PARTY": str(self.folder)}
        done = CliRunner().invoke(app, [str(word) for word in words], env=place)
        assert done.exit_code == expect, f"{words}: {done.exit_code}\n{done.output}"
        return done

    def serve(self, road, program=MODULE, host="127.0.0.1"):
        """Listen behind a road; return once it leads there."""
        self.listener = self.start("serve", "--listen", f"{host}:0", "--json", program=program)
        wait_until(lambda: self.listener.ended or self.listener.out.endswith("}\n"))
        assert not self.listener.ended, self.listener.err
        road.lead_to(self.listener.document["port"])
        return self.listener

    def set(self, **settings):
        """Change whole numbers in the party's configuration."""
        path = self.folder / "party.toml"
        text = path.read_text(encoding="utf-8")
        for name, value in settings.items():
            text = _replaced(text, rf"(?m)^{name} = \d+$", f"{name} = {value}")
        path.write_text(text, encoding="utf-8")

    def everything_said(self):
        """Return all that its processes printed."""
        return "".join(
            path.read_text(encoding="utf-8")
            for path in sorted(self.said.iterdir())
            if path.suffix in (".out", ".err")
        )

    def end(self):
        for running in self._started:
            running.end()


def _one_sentence(out, err):
    assert out == ""
    assert "Traceback" not in err
    found = re.findall(r"^(?:Error|Not finished): (.+)$", err, re.MULTILINE)
    assert len(found) == 1, err
    return found[0]


@dataclass(frozen=True)
class Pair:
    """Both parties, and the road between them."""

    advertiser: Party
    channel: Party
    road: Road

    def __iter__(self):
        return iter((self.advertiser, self.channel))

    def serve(self, program=MODULE):
        return self.channel.serve(self.road, program)

    def end(self):
        for party in self:
            party.end()
        self.road.clear()


def holding(name, size):
    """Return a party's people in the dataset of a size; the parties hold others in part."""
    start = 0 if name == "advertiser" else SIZES[size] // 4
    return Holding(name, start, start + SIZES[size])


def true_match(size):
    return matched(holding("advertiser", size), holding("channel", size))


def true_reach(size, recipient):
    tabulator = "channel" if recipient == "advertiser" else "advertiser"
    return reached(holding(recipient, size), holding(tabulator, size))


def make_pair(
    folder: Path, road: Road, *, sizes=tuple(SIZES), type_=Party.read, new_store=lambda: ""
) -> Pair:
    """Make both parties from nothing, with data and a contract, by typing commands.

    `type_` says how: each as a process of its own (`Party.type`), or in this one. `new_store`
    says where a party's store is: empty for SQLite in its folder.
    """
    said = folder / "said"
    pair = Pair(Party(folder / "advertiser", said), Party(folder / "channel", said), road)
    for party, more in ((pair.advertiser, ()), (pair.channel, ("--listen", road.address))):
        type_(
            *(party, "init", party.folder, "--name", party.name, "--jurisdiction", "NL"),
            *("--organisation", f"The {party.name}", "--origin", f"{party.name}.test/log"),
            *("--store", new_store(), *more),
        )
        party.set(workers=1)
        for size in sizes:
            path = holding(party.name, size).write(folder / "data" / party.name, size)
            type_(party, "dataset", "add", path)
    contract = propose(pair, folder / "contract.yaml", type_=type_)
    for step in ("sign", "import"):
        for party in pair:
            type_(party, "contract", step, contract)
    return pair


def propose(pair: Pair, path: Path, *, type_=Party.read, **changes) -> Path:
    """Let the advertiser draft a contract, and fill it in; `changes` replace single lines."""
    card = pair.channel.folder / "public.yaml"
    type_(pair.advertiser, "contract", "propose", card, "--id", path.stem, "--out", path)
    text = path.read_text(encoding="utf-8")
    usual = {"min_match": 50, "identifiers": "[phone, email]", "list_expiry_days": 2}
    changes = {**usual, **changes}
    for key, value in {"datasets": OFFERED, "outputs": OUTPUTS, "budgets": BUDGETS}.items():
        text = _replaced(text, rf"(?m)^{key}:\n(?:[ -].*\n)+", f"{key}:\n{value}")
    for key, value in changes.items():
        text = _replaced(text, rf"(?m)^{key}: .*$", f"{key}: {value}")
    path.write_text(text, encoding="utf-8")
    return path


def _replaced(text, pattern, by):
    text, times = re.subn(pattern, lambda _: by, text)
    assert times == 1, pattern
    return text


def copy_pair(made: Pair, folder: Path) -> Pair:
    """Return copies of two parties at rest, on the same road; their data stay where they are."""
    parties = []
    for party in made:
        shutil.copytree(party.folder, folder / party.name)
        parties.append(Party(folder / party.name, folder / "said"))
    return Pair(*parties, made.road)


def wait_until(ready, seconds=COMMAND_SECONDS, every=0.002):
    """Wait until `ready()` returns something, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = ready()
        if found:
            return found
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
