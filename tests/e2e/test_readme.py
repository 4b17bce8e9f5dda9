"""The README's quick start: every command in it parses, and what it shows is what is printed.

The transcripts (blocks marked `console`) are typed in their order by two parties with made-up
people. Ids, times, numbers and the width of tables are masked; a line of three dots in the README
stands for lines that it leaves out.
"""

import os
import re
import shlex
import time
from itertools import pairwise
from pathlib import Path

import pytest
import two_processes
from slow_road import Road
from two_processes import Pair, Party, holding, propose
from typer.main import get_command
from typer.testing import CliRunner

from commonground.cli import app

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
DATASETS = {"advertiser": "customers", "channel": "subscribers"}
SECONDS = 30
USERS = ("partner's engineer", "analyst", "compliance officer")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(text):
    """Return the commands of a block, with continued lines joined."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if re.match(r"(\$ )?commonground ", line)]


TYPED = [line for text in blocks(r"\w*") for line in commands(text)]


@pytest.mark.parametrize("line", TYPED)
def test_every_command_of_the_readme_parses(line):
    words = shlex.split(line, comments=True)[1:]
    target = get_command(app)
    while words and getattr(target, "commands", None):
        target, words = target.commands[words[0]], words[1:]
    target.make_context("commonground", words)


def transcripts():
    """Yield each command of the transcripts with the output below it."""
    for text in blocks("console"):
        parts = re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]
        for part in parts:
            line, _, output = part.partition("\n")
            yield line, output


def shape(text):
    """Return the lines of an output without what differs from run to run."""
    masked = []
    for line in text.splitlines():
        line = re.sub(r"[━─┏┳┓┡╇┩└┴┘├┼┤]+", "-", line)
        line = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b|\b[a-f]{8}\b", "N", line)
        line = re.sub(r"kernel \(\w+\)", "KERNEL", line)
        line = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", line)
        line = re.sub(r"[-+~]?\d[\d.,]*(e-?\d+)?", "N", line)
        line = re.sub(r"N (k|M|G)?B\b|N bytes", "BYTES", line)
        line = re.sub(r"under a second|N s\b|N min N s", "SECONDS", line)
        line = " ".join(line.split())
        if line:
            masked.append(line)
    return masked


def require_same_shape(shown, printed, line):
    """Require that the printed lines are those of the README, in order and with nothing between."""
    runs = [shape(run) for run in re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)]
    lines, place = shape(printed), 0
    for number, run in enumerate(runs):
        if number == 0:
            place = 0
        else:
            place = next(i for i in range(place, len(lines) + 1) if lines[i : i + len(run)] == run)
        assert lines[place : place + len(run)] == run, f"{line}\n{printed}"
        place += len(run)
    assert runs[-1] == [] or place == len(lines), f"{line}\n{printed}"


@pytest.fixture(scope="module")
def parties(tmp_path_factory):
    """Two parties as the README has them: a contract, a dataset each, and the channel listens."""
    folder, road = tmp_path_factory.mktemp("readme"), Road()
    pair = Pair(*(Party(folder / name, folder / "said") for name in DATASETS), road)
    offered = "".join(
        f"  {name}:\n    {dataset}:{two_processes._DATASET.replace('{', ' {', 1)}\n"
        for name, dataset in DATASETS.items()
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(two_processes, "OFFERED", offered)
        for party, more in ((pair.advertiser, ()), (pair.channel, ("--listen", road.address))):
            party.read(
                *("init", party.folder, "--name", party.name, "--origin", f"{party.name}.test/log"),
                *("--jurisdiction", "NL", "--organisation", f"Example {party.name}", *more),
            )
            party.set(workers=1)
            path = holding(party.name, "many").write(folder / "data" / party.name, "many")
            text = path.read_text(encoding="utf-8")
            described = path.with_name("described.yaml")
            described.write_text(
                text.replace("dataset: many", f"dataset: {DATASETS[party.name]}"), encoding="utf-8"
            )
            party.read("dataset", "add", described)
        contract = propose(pair, folder / "summer.yaml")
    for step in ("sign", "import"):
        for party in pair:
            party.read("contract", step, contract)
    pair.serve()
    before = Path.cwd()
    os.chdir(folder)
    yield pair
    os.chdir(before)
    pair.end()
    road.close()


def test_the_transcripts_show_what_is_printed(parties, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    for line, shown in transcripts():
        deadline = time.monotonic() + SECONDS
        while True:
            done = CliRunner().invoke(app, shlex.split(line, comments=True)[1:])
            assert done.exit_code == 0, f"{line}\n{done.output}"
            if " status " not in line or "by nobody" not in done.stdout:
                break  # the listener keeps a cosignature a moment after the dialling side has ended
            assert time.monotonic() < deadline, done.stdout
        require_same_shape(shown, done.stdout, line)


def test_each_of_the_three_users_has_a_transcript():
    sections = [README.index(f"### You are a{'n' * (user[0] in 'aeiou')} {user}") for user in USERS]
    ends = [*sections, README.index("## Exit codes")]
    for start, stop in pairwise(ends):
        assert "```console\n$ commonground " in README[start:stop]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a 1\nb\n", "a 2\n"),
        ("a 1\n", "a 2\nb\n"),
        ("a\n...\nc\n", "a\nb\n"),
        ("a\n...\nc\n", "a\nc\nd\n"),
        ("Verified: x", "Refused: x"),
    ],
)
def test_a_transcript_that_is_not_what_is_printed_is_noticed(shown, printed):
    with pytest.raises((AssertionError, StopIteration)):
        require_same_shape(shown, printed, "a command")
    require_same_shape(shown, shown.replace("...\n", "b\nb\n"), "a command")
