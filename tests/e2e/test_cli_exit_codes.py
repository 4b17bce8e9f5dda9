"""How commands end when something is refused, waits, was tampered with, or fails."""

import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from command_line import altered, ask, error_of, make_pair, propose, run, sign, write_dataset

from client.commands import doctor as doctor_command
from client.dial import Dialler


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def pair(made, tmp_path):
    """Two parties of one's own: whatever a test does to them, the next one has fresh ones."""
    folder = tmp_path / "pair"
    shutil.copytree(made, folder)
    return folder


def test_a_misspelt_option_or_command_is_usage(pair):
    assert "No such option" in run("ledger", "show", "--jsn", expect=2).stderr
    run("ledgr", "show", expect=2)
    run("report", "reach", "--out", "here.txt", "--party", pair / "advertiser", expect=2)


def test_what_the_contract_does_not_grant_is_refused_with_the_status_word(pair):
    words = ("report", "reach", "--recipient", "channel", "--party", pair / "advertiser")
    assert error_of(*words, "--by", "group", expect=3).startswith("Error: NOT_GRANTED: ")
    document = ask(*words, "--by", "group", expect=3)
    assert document["error"]["status"] == "NOT_GRANTED"


def test_a_budget_that_does_not_suffice_is_refused_and_nothing_is_filed(pair):
    words = ("report", "overlap", "--epsilon-dummies", "11", "--party", pair / "advertiser")
    assert "BUDGET_EXHAUSTED" in error_of(*words, expect=3)
    nothing = {"requests": [], "left_out": 0}
    assert ask("requests", "list", "--party", pair / "advertiser") == nothing


def test_a_counterpart_that_is_not_there_leaves_a_request_that_can_go_on(pair, monkeypatch):
    monkeypatch.setitem(Dialler.__init__.__kwdefaults__, "connect_seconds", 0.3)
    said = ask("report", "overlap", "--party", pair / "advertiser", expect=4)["error"]
    assert "requests resume" in said["message"]
    filed = ask("requests", "list", "--party", pair / "advertiser")["requests"]
    assert [one["id"] for one in filed] == [said["request"]]
    assert filed[0]["state"] == "approved"
    said = ask("requests", "resume", said["request"], "--party", pair / "advertiser", expect=4)


def test_a_counterpart_that_only_dials_leaves_the_request_filed(pair):
    run("dataset", "add", write_dataset(pair), "--party", pair / "channel")
    words = ("match", "--party", pair / "channel", "--their-dataset", "people")
    said = error_of(*words, expect=4)
    assert "advertiser only dials" in said
    assert "commonground serve" in said


def test_saying_no_to_the_quote_spends_nothing(pair):
    done = run("match", "--ask", "--party", pair / "advertiser", given="n\n", expect=3)
    assert "NOT_GRANTED" in done.stderr
    done = run("report", "overlap", "--ask", "--party", pair / "advertiser", given="n\n")
    assert "nothing was spent" in done.stdout
    nothing = {"requests": [], "left_out": 0}
    assert ask("requests", "list", "--party", pair / "advertiser") == nothing


def execute(party, statement):
    with sqlite3.connect(party / "party.db") as store:
        assert store.execute(statement).rowcount == 1


@pytest.mark.parametrize("entry", [0, 1, 2])
def test_a_flipped_byte_in_the_log_is_named_and_ends_with_5(pair, entry):
    party = pair / "advertiser"
    run("audit", "verify", "--party", party)
    execute(
        party,
        "update log_entries set data = cast(replace(cast(data as text), 'operator', 'operatoq') "
        f"as blob) where seq = {entry}",
    )
    assert f"entry {entry}" in error_of("audit", "verify", "--party", party, expect=5)
    document = ask("audit", "verify", "--party", party, expect=5)
    assert document["error"]["exit_code"] == 5


def test_a_contract_changed_in_the_store_is_not_used_and_ends_with_5(pair):
    party = pair / "advertiser"
    execute(party, "update contracts set text = replace(text, 'min_cell: 10', 'min_cell: 11')")
    assert "contract" in error_of("audit", "verify", "--party", party, expect=5)
    for words in (("contract", "show"), ("match",), ("requests", "list")):
        said = error_of(*words, "--party", party, expect=5)
        assert said == (
            "Error: the stored contract deal was changed after it was signed: restore the store "
            "from a backup"
        )


def test_an_unexpected_fault_is_a_sentence_and_a_private_file(pair, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def fail(*_):
        raise RuntimeError("person1@example.com")

    monkeypatch.setattr(doctor_command, "opened", fail)
    said = error_of("doctor", "--party", pair / "advertiser", expect=1)
    assert "person1" not in said
    path = Path(next(word.rstrip(".") for word in said.split() if word.endswith(".log.")))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "person1@example.com" in path.read_text()
    assert "Traceback" in run("--debug", "doctor", expect=1).stderr


def test_an_interruption_ends_with_130(pair, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor_command, "opened", interrupt)
    assert run("doctor", "--party", pair / "advertiser", expect=130).stderr == "Interrupted.\n"


def test_reach_by_labels_that_cannot_be_read_is_refused_before_it_costs(pair):
    file = altered(propose(pair, "second"), "['1', 2+]", "['1', 3+]")
    sign(file, pair)
    run("contract", "import", file, "--party", pair / "advertiser")
    words = ("report", "reach", "--contract", "second", "--party", pair / "advertiser")
    assert "label" in error_of(*words, expect=6)
    nothing = {"requests": [], "left_out": 0}
    assert ask("requests", "list", "--party", pair / "advertiser") == nothing
