"""Lists by name: what they are for, how they are refreshed, and when they end."""

import pytest
import sqlalchemy as sa
from interleaved import meanwhile
from listed_parties import (
    NAME,
    another_contract,
    copy_listed,
    make_listed,
    of_people,
)
from organisations import Killed, Wire, people, write_dataset

from client.asking import Choice, match_request
from party import session_record
from party.contract_terms import ListUse
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import PartyError, Refusal, RefusalStatus, ResultError
from party.list_files import Part
from party.list_names import Naming
from party.lists import Lists
from party.request import Request
from party.request_parameters import Parameters
from party.schema import DATASETS
from party.session_record import SessionRecord
from party.subjects.erase import erase
from party.subjects.person import Wanted, find
from party.suppression.desk import SuppressionDesk

TRUE_MATCH = {f"ref{i}" for i in range(20, 60)}


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """Parties of which the channel has a list to exclude, called summer."""
    folder = tmp_path_factory.mktemp("listed")
    listed = make_listed(folder)
    listed.match(Naming(NAME), use=ListUse.EXCLUDE)
    listed.close()
    return folder


@pytest.fixture
def listed(ready, tmp_path):
    listed = copy_listed(ready, tmp_path / "copy")
    yield listed
    listed.close()


def test_a_list_is_found_by_its_name_and_says_what_it_is(listed):
    found = listed.lists.find(NAME)
    assert (found.name, found.use, found.peer) == (NAME, ListUse.EXCLUDE, "advertiser")
    assert found.parts[Part.WHOLE].people == len(TRUE_MATCH)
    assert found.expires_at == found.request.created + 30 * 86_400
    assert found.state(listed.channel.now) == "live"
    assert listed.references(Part.WHOLE) == TRUE_MATCH
    assert listed.lists.find(found.request.id[:8]).name == NAME
    assert [one.name for one in listed.lists.held()] == [NAME]


def test_only_the_receiver_has_the_list(listed):
    request = listed.lists.find(NAME).request
    sender = Lists(listed.parties["advertiser"])
    assert sender.held() == []
    with pytest.raises(PartyError, match="no list: only its receiver has one"):
        sender.of_request(request.id)


def test_a_refresh_tells_exactly_who_came_and_who_went(listed):
    old = listed.lists.find(NAME)
    withdrawn = {30, 31}
    listed.set_people(of_people(10, 50, consent=lambda i: "no" if i in withdrawn else "yes"))
    new = listed.refresh()
    assert listed.references(Part.WHOLE) == {f"ref{i}" for i in range(10, 50)} - {"ref30", "ref31"}
    assert listed.references(Part.ADDED) == {f"ref{i}" for i in range(10, 20)}
    assert listed.references(Part.REMOVED) == {"ref30", "ref31"} | {
        f"ref{i}" for i in range(50, 60)
    }
    found = listed.lists.find(NAME)
    assert (found.request.id, found.use) == (new.id, ListUse.EXCLUDE)
    assert found.parts[Part.ADDED].people == 10
    assert found.request.contract == old.request.contract


def test_whom_a_run_takes_off_is_not_counted_as_added_any_more(listed):
    first = Request.match(
        listed.contract, requester="channel", receiver="channel", sender="advertiser",
        now=listed.channel.now, parameters=Parameters(suppression_runs=1),
    )  # fmt: skip
    assert listed.carry_out(listed.file(first, Naming("spring")))["channel"] is None
    listed.set_people(of_people(10, 50))
    request = listed.refresh("spring")
    assert listed.lists.find("spring").part(Part.ADDED).people == 10
    withdraw(listed, {12, 13, 40})
    sender, receiver = (SuppressionDesk(listed.parties[name]) for name in ("advertiser", "channel"))
    run = sender.sender(Desk(listed.parties["advertiser"]).find(request.id)).next_run()
    receiver.receiver(Desk(listed.channel).find(request.id)).apply(run)
    found = listed.lists.find("spring")
    assert len(found.table(Part.ADDED, listed.channel.now)) == 8
    assert (found.people, found.part(Part.ADDED).people) == (37, 8)
    assert found.part(Part.REMOVED).people == 10


def test_a_run_during_a_refresh_leaves_the_refresh_its_changes(listed, monkeypatch):
    first = Request.match(
        listed.contract, requester="channel", receiver="channel", sender="advertiser",
        now=listed.channel.now, parameters=Parameters(suppression_runs=1),
    )  # fmt: skip
    assert listed.carry_out(listed.file(first, Naming("spring")))["channel"] is None
    withdraw(listed, {40})
    sender, receiver = (SuppressionDesk(listed.parties[name]) for name in ("advertiser", "channel"))
    run = sender.sender(Desk(listed.parties["advertiser"]).find(first.id)).next_run()
    listed.set_people(of_people(10, 50))
    meanwhile(
        monkeypatch, SessionRecord, "agree",
        lambda: receiver.receiver(Desk(listed.channel).find(first.id)).apply(run),
    )  # fmt: skip
    request = listed.refresh("spring")
    found = listed.lists.find("spring")
    assert found.request.id == request.id
    assert (found.part(Part.ADDED).people, found.part(Part.REMOVED).people) == (10, 10)


def withdraw(listed, numbers):
    """Let people of the advertiser withdraw, in a copy of its file."""
    folder = listed.folder / "data" / "advertiser"
    rows = people(0, 60, ["gold", "silver"], consent=lambda i: "no" if i in numbers else "yes")
    write_dataset(folder, "customers", rows, label="segment")
    definition = load_definition(folder / "customers.yaml")
    listed.parties["advertiser"].keep_dataset(definition, inspect(definition), None)


def test_an_erasure_that_was_killed_forgets_who_came_and_went_when_it_is_repeated(
    listed, monkeypatch
):
    listed.set_people(of_people(30, 90))
    listed.refresh()
    folder = listed.channel.folder / "lists"
    person = find(listed.channel, Wanted("ref40"))

    def dies(*_):
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr("party.subjects.erase.delete_changes", dies)
        with pytest.raises(Killed):
            erase(listed.channel, person, actor="test")
    assert len(list(folder.glob("*-removed.parquet"))) == 1
    erase(listed.channel, person, actor="test")
    assert "ref40" not in listed.references(Part.WHOLE)
    assert list(folder.glob("*-added*")) + list(folder.glob("*-removed*")) == []


def test_a_refresh_takes_the_place_of_the_old_list_which_is_deleted_and_logged(listed):
    old = listed.lists.find(NAME)
    listed.refresh()
    assert [one.name for one in listed.lists.held()] == [NAME]
    assert old.parts[Part.WHOLE].file.exists()
    assert listed.pruned() == 1
    assert not old.parts[Part.WHOLE].file.exists()
    with pytest.raises(PartyError, match="deleted when a refresh took its place"):
        listed.lists.of_request(old.request.id).require_live(listed.channel.now)
    assert listed.pruned() == 0
    assert [entry.body.request for entry in listed.entries("retention.pruned")] == [old.request.id]
    listed.verify()


def test_each_refresh_starts_from_the_one_before(listed):
    listed.refresh()
    listed.pruned()
    listed.set_people(of_people(20, 58))
    listed.refresh()
    assert listed.references(Part.REMOVED) == {"ref58", "ref59"}
    assert listed.pruned() == 1
    folder = listed.channel.folder / "lists"
    assert len(list(folder.iterdir())) == 3


def test_a_refresh_is_charged_as_a_disclosure_like_a_first_match(listed):
    sender = listed.parties["advertiser"]
    listed.refresh()
    with sender.store._engine.connect() as connection:
        charged = connection.execute(
            sa.text("select count(*) from ledger where what = 'disclosure'")
        ).scalar_one()
    assert charged == 2


def test_the_old_list_stays_until_the_new_one_is_stored(listed, monkeypatch):
    """The party ends after the new files are written and before the result is."""
    old = listed.lists.find(NAME)
    listed.set_people(of_people(10, 50))
    request = listed.ask_refresh()
    finish = session_record.SessionRecord.finish

    def dies(record, *args):
        if record._me == "channel":
            raise Killed("finish")
        finish(record, *args)

    monkeypatch.setattr(session_record.SessionRecord, "finish", dies)
    wire = Wire()
    listed.carry_out(request, wire)
    assert len(list((listed.channel.folder / "lists").glob("*-added.parquet"))) == 1
    assert listed.lists.find(NAME).request.id == old.request.id
    assert listed.references(Part.WHOLE) == TRUE_MATCH
    assert listed.pruned() == 0
    monkeypatch.undo()
    assert listed.carry_out(request, wire)["channel"] is None
    assert listed.lists.find(NAME).request.id == request.id
    assert listed.references(Part.ADDED) == {f"ref{i}" for i in range(10, 20)}


def test_a_refresh_that_fails_leaves_the_old_list(listed):
    listed.set_people(of_people(57, 90))
    ended = listed.carry_out(listed.ask_refresh())
    assert ended["channel"].status is RefusalStatus.BELOW_MINIMUM
    assert listed.references(Part.WHOLE) == TRUE_MATCH
    listed.set_people(of_people(20, 90))
    listed.refresh()


def test_a_new_list_stands_without_changes_when_the_old_one_was_changed_meanwhile(listed):
    request = listed.ask_refresh()
    flip(listed.lists.find(NAME).parts[Part.WHOLE].file)
    assert listed.carry_out(request)["channel"] is None
    assert set(listed.lists.find(NAME).parts) == {Part.WHOLE}
    with pytest.raises(PartyError, match="has no part 'added'"):
        listed.references(Part.ADDED)


@pytest.mark.parametrize(
    ("granted", "use"),
    [
        (", uses: [exclude]", ListUse.EXCLUDE),
        (", uses: [exclude, include]", ListUse.INCLUDE),
        ("", ListUse.INCLUDE),
    ],
)
def test_a_list_is_for_the_one_use_that_is_granted_unless_another_is_asked(listed, granted, use):
    contract = another_contract(listed, granted)
    assert match_request(listed.channel, contract, None, Choice()).use is use
    asked = match_request(listed.channel, contract, None, Choice(), ListUse.INCLUDE)
    assert asked.use is ListUse.INCLUDE
    if granted == ", uses: [exclude]":
        with pytest.raises(Refusal, match="for lists to exclude, not to include"):
            Desk(listed.channel).make(asked, contract, actor="test")


# What is refused


def test_a_refresh_under_another_contract_is_refused(listed):
    other = another_contract(listed)
    with pytest.raises(Refusal, match="a refresh is under the same") as refused:
        listed.ask_refresh(contract=other)
    assert refused.value.status is RefusalStatus.NOT_GRANTED


def test_a_refresh_of_other_people_is_refused(listed):
    with listed.channel.store._engine.begin() as connection:
        connection.execute(sa.update(DATASETS).values(population="others"))
    with pytest.raises(PartyError, match="was made of other people"):
        listed.ask_refresh()


def test_a_refresh_of_people_told_by_row_numbers_is_refused(listed):
    listed.register(lambda text: text.replace("person: ref\n", ""))
    with pytest.raises(PartyError, match="tells people by the number of their row"):
        listed.ask_refresh()


def test_an_expired_list_is_neither_shown_nor_refreshed(listed):
    found = listed.lists.find(NAME)
    listed.at(days=31)
    for pruned in (False, True):
        if pruned:
            listed.pruned()
        with pytest.raises(Refusal, match=r"expired on .* and was deleted") as refused:
            listed.lists.find(NAME).require_whole(listed.channel.now)
        assert refused.value.status is RefusalStatus.EXPIRED
        with pytest.raises(Refusal, match="expired on"):
            listed.references(Part.WHOLE)
        with pytest.raises(Refusal, match="expired on"):
            listed.ask_refresh()
    assert not found.parts[Part.WHOLE].file.exists()
    assert listed.lists.find(NAME).state(listed.channel.now) == "expired"


@pytest.mark.parametrize("delete", [True, False])
def test_a_deleted_or_changed_list_is_not_refreshed(listed, delete):
    file = listed.lists.find(NAME).parts[Part.WHOLE].file
    if delete:
        file.unlink()
    else:
        flip(file)
    kind, says = (PartyError, "deleted or moved") if delete else (ResultError, "was changed")
    with pytest.raises(kind, match=says):
        listed.ask_refresh()


def test_a_changed_part_of_a_refreshed_list_is_noticed(listed):
    listed.refresh()
    found = listed.lists.find(NAME)
    flip(found.parts[Part.REMOVED].file)
    with pytest.raises(ResultError, match="was changed after it was made"):
        found.require_whole(listed.channel.now)
    with pytest.raises(ResultError, match="was changed after it was made"):
        found.table(Part.REMOVED, listed.channel.now)


def test_a_refresh_under_way_is_not_begun_twice(listed):
    request = listed.ask_refresh()
    with pytest.raises(PartyError, match=f"requests resume {request.id[:8]}"):
        listed.ask_refresh()
    assert [name for name, _ in listed.lists.under_way()] == [NAME]


def test_a_name_is_one_lists_until_it_ends(listed):
    with pytest.raises(PartyError, match="there is a list called summer already"):
        listed.ask(Naming(NAME))
    assert [filed.state for filed in Desk(listed.channel).filed()] == ["finished"]
    listed.at(days=31)
    listed.pruned()
    listed.match(Naming(NAME))
    assert listed.lists.find(NAME).use is ListUse.INCLUDE
    assert set(listed.lists.find(NAME).parts) == {Part.WHOLE}


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65, "../x", "é"])
def test_a_name_that_does_not_serve_is_refused(name):
    with pytest.raises(PartyError, match="the name of a list"):
        Naming(name)


def test_a_list_that_is_not_there_is_named(listed):
    with pytest.raises(PartyError, match="there is no list called winter"):
        listed.lists.find("winter")


def test_a_list_that_the_counterpart_asked_for_is_named_later_and_once(listed):
    request = listed.match(requester="advertiser")
    unnamed = listed.lists.find(request.id)
    assert unnamed.title == request.id[:8]
    with pytest.raises(PartyError, match="only a list that has a name is refreshed"):
        listed.ask_refresh(request.id[:8])
    with pytest.raises(PartyError, match="there is a list called summer already"):
        listed.lists.give_name(request.id, NAME)
    assert listed.lists.give_name(request.id[:8], "winter").name == "winter"
    assert listed.lists.find("winter").request.id == request.id
    with pytest.raises(PartyError, match="is called winter and stays so"):
        listed.lists.give_name("winter", "spring")


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
