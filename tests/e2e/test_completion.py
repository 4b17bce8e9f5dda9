"""Completion in the shell: commands, options, and what the party has; and it stays light."""

import contextlib
import os
import sqlite3
import subprocess
import sys

import pytest
from command_line import make_pair
from test_cli_help import HEAVY


@pytest.fixture(scope="module")
def party(tmp_path_factory):
    return make_pair(tmp_path_factory.mktemp("pair")) / "advertiser"


def offered(line, party=None):
    """Return what fish is offered at the end of a line."""
    environment = {
        **os.environ,
        "_COMMONGROUND_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": f"commonground {line}",
    }
    if party is not None:
        environment["COMMONGROUND_PARTY"] = str(party)
    done = subprocess.run(
        [sys.executable, "-m", "commonground"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines() if line]


def test_commands_and_options_are_offered():
    assert offered("req") == ["requests"]
    assert "--party" in offered("status --")


def test_what_the_party_has_is_offered(party):
    assert offered("dataset show ", party) == ["people"]
    assert offered(f"report reach --party {party} --contract ") == ["deal"]
    assert offered("quote match --contract x", party) == []
    assert offered("requests show ", party) == []
    assert offered("peers forget ", party) == []


def test_open_invitations_and_pinned_peers_are_offered(party):
    with contextlib.closing(sqlite3.connect(party / "party.db")) as store, store:
        store.execute("INSERT INTO peers VALUES ('channel', 'a card', 0)")
        for digits, used in (("1f0c22ab99", None), ("2f0c22ab99", "somebody")):
            store.execute(
                "INSERT INTO invitations VALUES (?, 'pem', NULL, 0, 0, 0, ?, NULL, NULL, NULL)",
                (f"sha256:{digits}", used),
            )
    assert offered("peers forget ", party) == ["channel"]
    assert offered("invitations withdraw ", party) == ["1f0c22ab"]


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but some bytes" * 40])
def test_a_party_that_cannot_be_read_offers_nothing_and_is_not_made(tmp_path, content):
    if content is not None:
        (tmp_path / "party.db").write_bytes(content)
    assert offered("requests show ", tmp_path) == []
    assert (tmp_path / "party.db").exists() == (content is not None)


def test_completing_loads_nothing_that_takes_long(party):
    code = (
        "import json, sys; from types import SimpleNamespace as Of;"
        "from client.completion import offer_datasets;"
        f"print(list(offer_datasets(Of(params={{'party': {str(party)!r}}}), '')));"
        f"sys.exit(any(name in sys.modules for name in {HEAVY!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[('people', 'people of people')]\n")
