"""Who may act for a party: roles hold in one place, for the command line and for programs.

Covers: each role against what it must not do, before anything is begun; strangers; a role that is
taken away between two steps; that log and store agree on who did what. Does not cover: somebody
who reads the folder's keys and goes past this program, which only the operating system keeps out.
"""

import time

import pytest
from organisations import Wire, copy_pair, make_pair, run_both

from audit.roles import BY_HAND, Role
from client.agreeing import import_contract, sign_contract
from client.drafting import Draft, write_draft
from client.listening import listening
from client.registering import register
from client.templating import save
from party import accounts, databases
from party.datasets import load_definition
from party.desk import Desk
from party.errors import AccessError, NotEntitled
from party.evidence import StoredLog, verify_log
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.reception import Reception
from party.request import Request
from party.retention import prune
from party.templates import Outputs


@pytest.fixture(scope="module")
def rested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rested")
    parties, _ = make_pair(folder)
    for party in parties.values():
        party.close()
    return folder


@pytest.fixture
def who(monkeypatch):
    """Say whose hands are at work; every account exists on this machine."""
    monkeypatch.setattr(accounts, "known", lambda account: account)

    def become(account):
        monkeypatch.setattr(accounts, "current", lambda: account)

    become("olga")
    return become


@pytest.fixture
def pair(rested, tmp_path, who):
    parties, contract = copy_pair(rested, tmp_path)
    yield parties, contract
    for party in parties.values():
        party.close()


@pytest.fixture
def staffed(pair):
    """The advertiser has an operator, an analyst and a compliance officer."""
    advertiser = pair[0]["advertiser"]
    for account, role in (
        ("olga", Role.OPERATOR),
        ("ana", Role.ANALYST),
        ("carl", Role.COMPLIANCE),
    ):
        advertiser.access.add(account, role)
    return pair


def entries(party):
    return list(StoredLog(party.store, party.identity).parsed())


def last(party):
    return entries(party)[-1]


def match(contract):
    now = int(time.time())
    return Request.match(
        contract, requester="advertiser", receiver="advertiser", sender="channel", now=now
    )


OPERATORS = {
    "contract.sign": lambda party, folder, contract: sign_contract(party, folder / "c.yaml"),
    "contract.import": lambda party, folder, contract: import_contract(party, folder / "c.yaml"),
    "dataset.register": lambda party, folder, contract: register(
        party, load_definition(folder / "data" / "advertiser" / "customers.yaml")
    ),
    "peer.invite": lambda party, folder, contract: Reception(party).invite(hours=1, for_name=None,
                                                                           replace=False),
    "invitation.withdraw": lambda party, folder, contract: Reception(party).withdraw("aaaa"),
    "peer.forget": lambda party, folder, contract: KnownPeers(party).forget("channel"),
    "request.approve": lambda party, folder, contract: Desk(party).approve("a", actor=BY_HAND),
    "request.refuse": lambda party, folder, contract: Desk(party).refuse("a", "", actor=BY_HAND),
    "party.serve": lambda party, folder, contract: listening(party, None, "").__enter__(),
    "access.add": lambda party, folder, contract: party.access.add("carl", Role.OPERATOR),
    "access.remove": lambda party, folder, contract: party.access.remove("olga"),
}  # fmt: skip
ANALYSTS = {
    "store.change": lambda party, folder, contract: Desk(party).make(
        match(contract), contract, actor=BY_HAND
    ),
    "template.save": lambda party, folder, contract: save(
        party, "nightly", match(contract), Outputs()
    ),
    "contract.draft": lambda party, folder, contract: write_draft(
        party, contract.parties["channel"], Draft("x", None, 1, False), folder / "new.yaml"
    ),
}


def refused(party, what, act, *words):
    """It ends as refused, nothing but the refusal is in the log, and the log still verifies."""
    before = entries(party)
    with pytest.raises(NotEntitled, match="NOT_ENTITLED") as caught:
        act(party, *words)
    assert caught.value.what == what
    added = entries(party)[len(before) :]
    assert [(entry.kind, entry.body.what) for entry in added] == [("access.refused", what)]
    verify_log(StoredLog(party.store, party.identity))


@pytest.mark.parametrize("account", ["ana", "carl"])
def test_what_is_the_operators_is_refused_to_others_before_it_begins(staffed, who, rested, account):
    parties, contract = staffed
    who(account)
    for what, act in OPERATORS.items():
        refused(parties["advertiser"], what, act, rested, contract)


def test_who_only_reads_asks_for_nothing_and_saves_nothing(staffed, who, rested):
    parties, contract = staffed
    who("carl")
    for what, act in ANALYSTS.items():
        refused(parties["advertiser"], what, act, rested, contract)
    assert not (rested / "new.yaml").exists()


def test_who_only_reads_may_read_and_deletes_nothing_by_opening(staffed, who):
    parties, contract = staffed
    folder = parties["advertiser"].folder
    who("carl")
    party = Organisation.open(folder)
    before = entries(party)
    party.clock = lambda: time.time() + 10**9
    assert prune(party) == []
    assert party.contracts() == [contract]
    assert Desk(party).filed() == []
    assert entries(party) == before
    assert party.access.note_reading("audit.show") is None
    assert (last(party).kind, last(party).actor) == ("audit.read", "carl/compliance")
    party.close()


def test_an_analyst_carries_a_request_to_its_end_and_each_entry_says_who(staffed, who):
    parties, contract = staffed
    advertiser = parties["advertiser"]
    start = len(entries(advertiser))
    who("ana")
    signed = Desk(advertiser).make(match(contract), contract, actor=BY_HAND)
    Desk(parties["channel"]).submit("advertiser", signed)
    assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    actors = {entry.kind: entry.actor for entry in entries(advertiser)[start:]}
    assert actors["request.made"] == "ana/analyst"
    assert actors["session.finished"] == "session:ana/analyst"
    assert {actor.partition(":")[2] or actor for actor in actors.values()} == {"ana/analyst"}
    verify_log(StoredLog(advertiser.store, advertiser.identity))
    assert {entry.actor for entry in entries(parties["channel"])} == {
        "operator", "contract", "session",
    }  # fmt: skip


def test_without_members_an_entry_says_what_it_said(pair):
    parties, contract = pair
    Desk(parties["advertiser"]).make(match(contract), contract, actor=BY_HAND)
    assert last(parties["advertiser"]).actor == "operator"


def test_a_stranger_opens_nothing_and_is_in_the_log(staffed, who):
    party = staffed[0]["advertiser"]
    who("mallory")
    with pytest.raises(NotEntitled, match="mallory is not a member"):
        Organisation.open(party.folder)
    assert (last(party).kind, last(party).actor) == ("access.refused", "mallory/none")
    verify_log(StoredLog(party.store, party.identity))


def test_a_role_that_is_taken_away_ends_what_is_under_way(staffed, who):
    parties, contract = staffed
    advertiser = parties["advertiser"]
    who("ana")
    desk = Desk(advertiser)
    desk.make(match(contract), contract, actor=BY_HAND)
    who("olga")
    advertiser.access.remove("ana")
    who("ana")
    refused(advertiser, "store.change", lambda _: desk.make(match(contract), contract, actor="x"))


def test_the_first_member_is_whoever_adds_it_as_operator(pair):
    access = pair[0]["advertiser"].access
    for account, role in (("ana", Role.OPERATOR), ("olga", Role.COMPLIANCE)):
        with pytest.raises(AccessError, match="access add olga --role operator"):
            access.add(account, role)
    assert access.members() == []


def test_an_operator_stays_while_there_are_others_and_the_last_member_may_go(staffed):
    party = staffed[0]["advertiser"]
    for change in (
        lambda: party.access.remove("olga"),
        lambda: party.access.add("olga", Role.ANALYST),
    ):
        with pytest.raises(AccessError, match="another operator"):
            change()
    for account in ("ana", "carl", "olga"):
        party.access.remove(account)
    assert party.access.members() == []
    assert last(party).actor == "olga/operator"
    party.store.write(lambda c: party.journal.append(c, "audit.read", _read(), actor=BY_HAND))
    assert last(party).actor == "operator"
    verify_log(StoredLog(party.store, party.identity))


def _read():
    from audit.bodies import AuditRead

    return AuditRead("audit.show")


def test_a_change_that_no_verb_has_asked_about_is_refused_by_its_kind(staffed, who):
    party = staffed[0]["advertiser"]
    who("ana")
    definition = load_definition_of(party)
    with pytest.raises(NotEntitled, match=r"dataset\.registered"):
        party.keep_dataset(*definition, None)
    assert (last(party).kind, last(party).body.what) == ("access.refused", "dataset.registered")


def load_definition_of(party):
    from party.datasets import Definition, inspect

    definition = Definition.from_dict(party.dataset("customers").definition)
    return definition, inspect(definition)


def test_a_read_only_folder_is_read_and_says_that_this_is_not_logged(pair, monkeypatch):
    party = pair[0]["advertiser"]
    party.close()
    before = (party.folder / "party.db").read_bytes()
    monkeypatch.setattr(databases.os, "access", lambda path, mode: False)
    resting = Organisation.open(party.folder)
    verify_log(StoredLog(resting.store, resting.identity))
    assert "did not take the change" in resting.access.note_reading("audit.verify")
    resting.close()
    assert (party.folder / "party.db").read_bytes() == before
    assert not list(party.folder.glob("party.db-*"))


def test_the_account_is_the_kernels_and_not_the_environments(monkeypatch, tmp_path):
    own = accounts.current()
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "mallory")
    assert accounts.current() == own
    login = tmp_path / "loginuid"
    monkeypatch.setattr(accounts, "_LOGIN", login)
    login.write_text("0")
    assert accounts.current() == "root"  # who logged in, whoever the process runs as
    login.write_text("4000000000")
    assert accounts.current() == "uid-4000000000"
    for nobody in ("4294967295", "not a number"):
        login.write_text(nobody)
        monkeypatch.setattr(accounts.os, "geteuid", lambda: 0)
        assert accounts.current() == "root"


def test_an_account_that_this_machine_does_not_have_is_no_member():
    assert accounts.known("root") == accounts.known("uid-0") == "root"
    with pytest.raises(AccessError, match="no account"):
        accounts.known("nobody-of-this-name")
