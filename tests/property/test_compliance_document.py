"""What docs/compliance.md names is there: commands with their options, kinds of entries, files."""

import re
from pathlib import Path

import typer

from audit.bodies import KINDS
from commonground.cli import app
from party.transfers import Basis

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "compliance.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))


def command_of(words):
    """Return the command that words begin with, or None; its own words are taken off the list."""
    found = typer.main.get_command(app)
    while words and hasattr(found, "commands") and words[0] in found.commands:
        found = found.commands[words.pop(0)]
    return None if hasattr(found, "commands") else found


def test_every_command_and_option_that_is_named_exists():
    groups = set(typer.main.get_command(app).commands)
    named = [q.removeprefix("commonground ").split() for q in QUOTED]
    named = [words for words in named if words[0] in groups and words != ["serve"]]
    assert len(named) > 20
    for words in named:
        rest = list(words)
        command = command_of(rest)
        assert command is not None, words
        options = {option for param in command.params for option in param.opts}
        assert {word for word in rest if word.startswith("--")} <= options, words


def test_every_kind_of_entry_that_is_named_is_one():
    kinds = [q for q in QUOTED if re.fullmatch(r"[a-z]+\.[a-z]+", q) and not q.endswith(".py")]
    assert len(kinds) > 15
    assert set(kinds) <= set(KINDS)


def test_every_document_and_basis_that_is_named_is_there():
    for link in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (DOCS / link).is_file(), link
    assert {basis.value for basis in Basis} <= set(QUOTED)
