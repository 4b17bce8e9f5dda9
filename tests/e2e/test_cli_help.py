"""The help of every command: a summary, every option explained, an example that would parse."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from client.exits import ExitCode
from commonground.cli import app

ROOT = get_command(app)
HEAVY = ("pandas", "pyarrow", "duckdb", "opendp", "grpc", "sqlalchemy", "numpy", "phonenumbers")
DOCUMENT = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def walk(command, path=()):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, (*path, name))


COMMANDS = {" ".join(path): command for path, command in walk(ROOT) if path}
LEAVES = {name: one for name, one in COMMANDS.items() if not getattr(one, "commands", None)}
ISSUE = (
    "sandbox init invite join serve status doctor match suppress lookalike backup restore quote|"
    "dataset add buckets check list show top-bound top-bounds|"
    "contract propose sign import show documents|"
    "consent record withdraw import show receipt verify|"
    "report overlap reach insights funnel attribution delay lift table show save run schedule due|"
    "report cross-channel|"
    "report/templates list remove|report/schedules list cancel|"
    "requests list show approve refuse resume|ledger show|"
    "lists list show name refresh export|"
    "invitations list withdraw|peers list forget renew revoke restore|"
    "keys show rotate tell move-node-key|"
    "audit verify show filter export evidence receipt check-receipt witness replay|"
    "lineage show send|console/users add list remove password role|"
    "console/tokens add list revoke|access add remove list|subject access consent erase|"
    "retention show run"
)


def examples_of(command):
    """Return the example lines, with continued ones joined."""
    text = command.epilog.replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip().startswith("commonground")]


def test_the_commands_are_those_of_the_issue():
    first, *groups = ISSUE.split("|")
    expected = {*first.split()}
    for group in groups:
        name, *verbs = group.split()
        expected |= {f"{name.replace('/', ' ')} {verb}" for verb in verbs}
    assert set(LEAVES) == expected


@pytest.mark.parametrize("name", COMMANDS)
def test_help_begins_with_one_line_that_says_what_the_command_does(name):
    summary = COMMANDS[name].help.split("\n\n")[0]
    assert summary.endswith(".")
    assert 20 <= len(summary) <= 110
    assert "\n" not in summary


@pytest.mark.parametrize("name", COMMANDS)
def test_paragraphs_are_left_to_the_screen_to_wrap(name):
    assert all("\n" not in paragraph for paragraph in COMMANDS[name].help.split("\n\n"))


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_and_argument_is_explained(name):
    for parameter in LEAVES[name].params:
        assert len(parameter.help or "") > 10, parameter.name
        assert parameter.help.endswith("."), parameter.name


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_takes_json(name):
    assert any("--json" in parameter.opts for parameter in LEAVES[name].params)


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_but_init_takes_a_party_or_its_variable(name):
    found = [one for one in LEAVES[name].params if "--party" in one.opts]
    without = "init|sandbox|restore|dataset buckets|consent verify|audit check-receipt"
    if name in without.split("|"):
        assert not found
    else:
        assert found[0].envvar == "COMMONGROUND_PARTY"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_call_of_the_command_that_would_parse(name):
    examples = examples_of(COMMANDS[name])
    assert examples
    for line in examples:
        words = shlex.split(line.split(" > ")[0])[1:]
        target, rest = ROOT, words
        while getattr(target, "commands", None) and (rest or [None])[0] in target.commands:
            target, rest = target.commands[rest[0]], rest[1:]
        assert line.startswith(f"commonground {name}")
        target.make_context(name, rest)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_fit_a_terminal_of_eighty_columns(name):
    assert max(len(line) for line in COMMANDS[name].epilog.splitlines()) <= 78


def test_the_root_help_lists_every_exit_code():
    for code in ExitCode:
        assert f"{code.value}  {code.meaning}" in ROOT.epilog


def test_the_document_lists_every_exit_code_and_no_other():
    rows = [line.split("|")[1].strip() for line in DOCUMENT.read_text().splitlines() if "|" in line]
    assert rows[2:] == [str(code.value) for code in ExitCode]


def run_python(*words, **environment):
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def imported_by(statement):
    done = run_python(
        "-c", f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_command_line_loads_nothing_that_takes_long():
    loaded = imported_by("import commonground.cli")
    assert not loaded & set(HEAVY)
    assert not [name for name in loaded if name.startswith("client.commands")]


def test_the_main_module_that_every_worker_imports_loads_nothing():
    loaded = imported_by("import commonground.__main__")
    assert not loaded & {*HEAVY, "typer", "commonground.cli", "client", "server", "party"}


def test_help_is_printed_by_the_module_and_ends_well():
    done = run_python("-m", "commonground", "--help")
    assert done.returncode == 0
    assert "contract" in done.stdout


def test_the_version_is_printed():
    done = run_python("-m", "commonground", "--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "commonground")
