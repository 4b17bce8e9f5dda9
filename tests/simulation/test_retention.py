"""What a contract says ends is deleted at its end, and the log says so and still verifies."""

import time

import pytest
from interleaved import meanwhile
from organisations import Killed, Wire, copy_pair, run_both

from party import list_files, occupied, session_record
from party.desk import Desk
from party.errors import InUse
from party.evidence import StoredLog, compare_logs, verify_log
from party.occupied import deleting, replaying
from party.request import Request
from party.request_parameters import Parameters
from party.retention import prune, run
from party.suppression import list_file

DAY = 86_400


@pytest.fixture
def asked(ready, tmp_path, stores):
    """A match of which the channel gets the list, with suppression runs; nobody has begun."""
    parties, contract = copy_pair(ready, tmp_path, stores)
    request = Request.match(
        contract, requester="advertiser", receiver="channel", sender="advertiser",
        now=int(time.time()),
        parameters=Parameters(suppression_runs=2),
    )  # fmt: skip
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    Desk(parties["channel"]).submit("advertiser", signed)
    yield parties, signed
    for party in parties.values():
        party.close()


@pytest.fixture
def matched(ready, tmp_path, stores):
    parties, contract = copy_pair(ready, tmp_path, stores)
    request = Request.match(
        contract, requester="advertiser", receiver="channel", sender="advertiser",
        now=int(time.time()),
    )  # fmt: skip
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    Desk(parties["channel"]).submit("advertiser", signed)
    assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    yield parties, signed
    for party in parties.values():
        party.close()


def lists(party):
    return sorted((party.folder / "lists").glob("*.parquet"))


def pruned(party):
    log = StoredLog(party.store, party.identity)
    return [entry.body.what for entry in log.parsed() if entry.kind == "retention.pruned"]


def at(party, days):
    party.clock = lambda: time.time() + days * DAY


def test_nothing_is_deleted_before_its_end(matched):
    parties, _ = matched
    at(parties["channel"], 29)
    assert prune(parties["channel"]) == []
    assert len(lists(parties["channel"])) == 1


def test_a_list_is_deleted_at_its_expiry_once_and_logged(matched):
    parties, _ = matched
    at(parties["channel"], 31)
    assert len(prune(parties["channel"])) == 1
    assert lists(parties["channel"]) == []
    assert prune(parties["channel"]) == []
    assert pruned(parties["channel"]) == ["list"]


def test_artefacts_and_seed_are_deleted_after_the_retention(matched):
    parties, request = matched
    party = parties["advertiser"]
    folder = party.folder / "sessions" / request.id
    assert folder.exists()
    at(party, 91)
    assert len(prune(party)) == 1
    assert not folder.exists()
    assert pruned(party) == ["session"]


@pytest.mark.parametrize("step", ["iterdir", "unlink", "rmdir"])
def test_two_processes_that_delete_at_once_delete_it_once(matched, monkeypatch, step):
    parties, request = matched
    party = parties["advertiser"]
    at(party, 91)
    path_type = type(party.folder)
    meanwhile(monkeypatch, path_type, step, lambda: prune(party))
    assert [one.what for one in prune(party)] == ["session"]
    assert not (party.folder / "sessions" / request.id).exists()
    assert pruned(party) == ["session"]
    verify_log(StoredLog(party.store, party.identity))


def test_whoever_asks_for_a_deletion_is_told_that_another_is_at_it(matched, monkeypatch):
    party = matched[0]["advertiser"]
    at(party, 91)
    monkeypatch.setattr(occupied, "PATIENCE_SECONDS", 0.0)
    with deleting(party.folder):
        assert prune(party) == []
        with pytest.raises(InUse, match="repeat this"):
            run(party)
    assert [one.what for one in run(party)] == ["session"]


def test_a_session_that_is_being_replayed_is_deleted_after_the_replay(matched):
    parties, request = matched
    party = parties["advertiser"]
    scratch = party.replay_folder(request.id)
    scratch.write_bytes("00.set", b"points")
    at(party, 91)
    with replaying(party.folder, request.id):
        assert prune(party) == []
        assert scratch.has("00.set")
        assert party.session_folder(request.id).load(0) is not None
    assert [one.what for one in prune(party)] == ["session"]
    assert not scratch.path.exists()
    assert pruned(party) == ["session"]


def test_logs_still_verify_and_agree_after_deletion(matched):
    parties, _ = matched
    for party in parties.values():
        at(party, 91)
        prune(party)
        verify_log(StoredLog(party.store, party.identity))
    assert compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values())).shared


# What a session leaves that ends after its list was written and before its result was stored


def of_lists(party):
    return sorted(file.name for file in (party.folder / "lists").glob("*"))


def dies(monkeypatch, module, name, party):
    """Let the channel's process end when it comes to a function."""
    then = getattr(module, name)

    def ends(first, *rest):
        if party.identity.name == getattr(first, "_me", "channel"):
            raise Killed(name)
        return then(first, *rest)

    monkeypatch.setattr(module, name, ends)


@pytest.mark.parametrize(
    ("module", "name", "left"),
    [
        (session_record.SessionRecord, "finish", {".parquet", ".tags"}),
        (list_file, "settle", {".tags-new"}),
    ],
)
def test_a_list_that_no_result_names_is_deleted_and_written_again_by_its_session(
    asked, monkeypatch, module, name, left
):
    parties, request = asked
    channel, wire = parties["channel"], Wire()
    dies(monkeypatch, module, name, channel)
    run_both(parties, request, wire)
    assert {file.removeprefix(request.id) for file in of_lists(channel)} == left
    (channel.folder / "lists" / "notes.txt").write_text("somebody's own")
    assert prune(channel) == []
    assert of_lists(channel) == ["notes.txt"]
    assert pruned(channel) == []
    monkeypatch.undo()
    assert run_both(parties, request, wire)["channel"] is None
    assert len(lists(channel)) == 1
    prune(channel)
    assert len(lists(channel)) == 1


def test_a_list_whose_session_never_goes_on_is_deleted(asked, monkeypatch):
    parties, request = asked
    dies(monkeypatch, session_record.SessionRecord, "finish", parties["channel"])
    run_both(parties, request, Wire())
    at(parties["channel"], 400)
    prune(parties["channel"])
    assert of_lists(parties["channel"]) == []


def test_a_list_whose_session_is_about_to_store_its_result_stays(asked, monkeypatch):
    parties, request = asked
    finish = session_record.SessionRecord.finish

    def prunes_first(record, *rest):
        prune(parties[record._me])
        finish(record, *rest)

    monkeypatch.setattr(session_record.SessionRecord, "finish", prunes_first)
    assert run_both(parties, request, Wire()) == {"advertiser": None, "channel": None}
    assert len(lists(parties["channel"])) == 1


def test_what_a_refresh_left_half_written_goes_with_it(tmp_path):
    for part in list_files.Part:
        (tmp_path / f"1-{part}.parquet").touch()
        (tmp_path / f"1-{part}.new").touch()
    list_files.delete_changes(tmp_path, "1")
    assert {file.name for file in tmp_path.iterdir()} == {"1-whole.parquet", "1-whole.new"}
