"""The sandbox: what it prints is what sessions find, and it touches nothing that is not its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest
from command_line import ask, error_of
from ports import free_port

from client.sandbox import MARKER, open_sandbox, remove_sandbox
from client.sandbox_people import FREQUENCIES, SEGMENTS, People
from commonground import Party, errors

PEOPLE = 400  # enough to be above the minimum with whatever dummies
STRAY = 12  # by noise of ε 20 on five cells of a segment: further off once in 10^9 times


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return open_sandbox(tmp_path_factory.mktemp("made") / "sandbox", PEOPLE)


@pytest.fixture(scope="module")
def parties(made):
    with Party(made.you) as you, Party(made.partner) as partner, partner.serve(made.address):
        yield you, partner


def test_the_list_has_exactly_as_many_people_as_the_sandbox_says(made, parties):
    assert parties[0].match(receiver="you").people == made.truth.matched


def test_reach_is_near_what_the_sandbox_says_in_every_segment(made, parties):
    report = parties[0].reach("segment", "frequency", epsilon="20")
    frame = report.private.to_pandas()
    found = frame[(frame["metric"] == "reach") & frame["segment"].notna()]
    assert set(found["segment"]) == set(SEGMENTS)
    for one in found.itertuples():
        assert abs(one.value - made.truth.reached[one.segment]) <= STRAY


def test_the_partner_asks_by_hand_and_both_directions_are_granted(parties):
    you, partner = parties
    quoted = partner.quote.reach("frequency", "segment")
    assert "Quote: reach" in str(quoted)
    contract = you.contracts.show()
    approvals = {(str(grant.kind), str(grant.approval)) for grant in contract.outputs}
    assert approvals >= {("match", "rule"), ("match", "manual"), ("reach", "rule")}


def test_the_same_number_gives_the_same_people_and_another_gives_others():
    assert People.make(50) == People.make(50)
    assert People.make(50).you != People.make(51).you[:50]
    labels = {one.label for one in People.make(400).partner}
    assert labels == {"", *FREQUENCIES}


def test_nobody_is_counted_who_does_not_consent():
    people = People.make(200)
    truth = people.truth()
    assert 0 < sum(truth.reached.values()) < truth.matched < 80
    agreeing = {one.number for one in people.you if one.consents}
    agreeing &= {one.number for one in people.partner if one.consents}
    assert truth.matched <= len(agreeing)


# -- folders -------------------------------------------------------------------------------------


@pytest.fixture
def copied(made, tmp_path):
    shutil.copytree(made.folder, tmp_path / "sandbox")
    return tmp_path / "sandbox"


def test_a_sandbox_that_is_there_goes_on_as_it_was_left(made, copied):
    again = open_sandbox(copied)
    assert (again.people, again.truth, again.address) == (PEOPLE, made.truth, made.address)
    assert ask("sandbox", copied, "--no-serve")["truth"]["matched"] == made.truth.matched


def test_a_half_made_sandbox_is_made_anew(copied):
    (copied / MARKER).write_text(json.dumps({"sandbox": 1, "complete": False}))
    (copied / "you" / "party.db").unlink()
    assert open_sandbox(copied, 60).people == 60
    with Party(copied / "you") as you:
        assert len(you.contracts.list()) == 1


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("letters.txt", "mine", "no sandbox"),
        (MARKER, "{", "not of this version"),
        (MARKER, '{"sandbox": 2}', "not of this version"),
    ],
)
def test_a_folder_of_something_else_is_refused_and_left_as_it_is(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    assert says in error_of("sandbox", tmp_path, "--no-serve", "--remove", expect=6)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, text)]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "sandbox").write_text("mine")
    assert "is a file" in error_of("sandbox", tmp_path / "sandbox", "--no-serve", expect=6)


def test_removing_deletes_what_was_made_and_nothing_else(copied):
    (copied / "notes.txt").write_text("mine")
    ask("sandbox", copied, "--no-serve", "--remove")
    assert [file.name for file in copied.iterdir()] == ["notes.txt"]
    with pytest.raises(errors.SettingsError, match="no sandbox"):
        remove_sandbox(copied)


def test_a_port_that_is_taken_is_said_before_anything_listens(made, copied):
    host = made.address.split(":")[0]
    address = json.loads((copied / MARKER).read_text())
    with socket.create_server((host, 0)) as other:
        address["address"] = f"{host}:{other.getsockname()[1]}"
        (copied / MARKER).write_text(json.dumps(address))
        assert "is taken" in error_of("sandbox", copied, expect=6)


def test_ctrl_c_ends_it_well_and_leaves_everything(copied, tmp_path):
    said = json.loads((copied / MARKER).read_text())
    said["address"] = f"127.0.0.1:{free_port()}"
    (copied / MARKER).write_text(json.dumps(said))
    with subprocess.Popen(
        [sys.executable, "-m", "commonground", "sandbox", str(copied)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as running:
        lines = iter(running.stdout.readline, "")
        shown = [next(lines)]
        while "until Ctrl-C" not in shown[-1]:
            shown.append(next(lines))
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    assert sum(line.strip().startswith("commonground ") for line in shown) == 3
    assert (copied / "partner" / "party.db").is_file()
