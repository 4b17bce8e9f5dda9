"""The systemd units: what they run exists, and systemd has nothing against them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from client.exits import ExitCode
from commonground.cli import app

FOLDER = Path(__file__).parents[2] / "packaging" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
MOST_EXPOSURE = 2.0


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_the_unit_runs_a_command_that_parses(path):
    words = re.search(r"^ExecStart=\S+/commonground (\w+) (.*)$", path.read_text(), re.MULTILINE)
    command = get_command(app).commands[words[1]]
    command.make_context(words[1], words[2].split())


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_configuration_that_does_not_serve_is_not_started_again(path):
    codes = re.search(r"^RestartPreventExitStatus=(.*)$", path.read_text(), re.MULTILINE)[1]
    assert {int(code) for code in codes.split()} == {
        ExitCode.USAGE, ExitCode.NOT_VERIFIED, ExitCode.BAD_INPUT,
    }  # fmt: skip


@pytest.fixture(params=UNITS, ids=lambda path: path.stem)
def unit(tmp_path, request):
    """A copy that systemd can look at here: of a program that exists."""
    if shutil.which("systemd-analyze") is None:
        return None
    path = tmp_path / request.param.name.replace("@", "@x")
    text = request.param.read_text().replace("/opt/commonground/bin/commonground", "/bin/true")
    path.write_text(text, encoding="utf-8")
    return path


def test_systemd_has_nothing_against_it_and_finds_little_exposed(unit):
    if unit is None:
        return  # there is no systemd here to ask; the two tests above hold anywhere
    said = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert unit.name not in said.stderr
    shown = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", unit],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    found = re.search(r"exposure level for \S+: ([\d.]+)", shown)
    assert float(found[1]) <= MOST_EXPOSURE
