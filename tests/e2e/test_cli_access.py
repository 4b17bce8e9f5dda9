"""Members and roles as people type them, and what of it the log says."""

import pytest
from command_line import ask, error_of, init, log_size, make_pair, run, write_dataset

from commonground import Party, errors
from party import accounts


@pytest.fixture
def brand(tmp_path, monkeypatch):
    monkeypatch.setattr(accounts, "known", lambda account: account)
    init(tmp_path, "brand")
    return tmp_path / "brand"


@pytest.fixture
def who(monkeypatch):
    return lambda account: monkeypatch.setattr(accounts, "current", lambda: account)


def entries(party):
    return ask("audit", "show", "--party", party)["entries"]


def test_a_compliance_officer_reads_and_is_refused_everything_else(brand, who, tmp_path):
    who("olga")
    party = ("--party", brand)
    assert "access add olga --role operator" in run("access", "list", *party).stdout
    assert "the first member" in error_of(
        *("access", "add", "carl", "--role", "compliance", *party), expect=6
    )
    for account, role in (("olga", "operator"), ("carl", "compliance")):
        assert ask("access", "add", account, "--role", role, *party)["role"] == role
    who("carl")
    assert ask("access", "list", *party)["role"] == "compliance"
    assert ask("audit", "verify", *party)["verified"]
    before = log_size(brand)
    said = error_of("dataset", "add", write_dataset(tmp_path), *party, expect=3)
    assert said.startswith("Error: NOT_ENTITLED: the account carl is compliance")
    assert log_size(brand) == before + 1
    refused = ask("access", "remove", "olga", *party, expect=3)["error"]
    assert (refused["exit_code"], refused["status"]) == (3, "NOT_ENTITLED")
    told = [(one["kind"], one["body"], one["actor"]) for one in entries(brand)]
    assert told[-1] == ("access.refused", {"what": "access.remove"}, "carl/compliance")
    assert ("audit.read", {"what": "audit.verify"}, "carl/compliance") in told
    who("mallory")
    assert "not a member" in error_of("status", *party, expect=3)


def test_a_program_is_held_to_the_same_roles(brand, who):
    who("olga")
    with Party(brand) as party:
        party.access.add("olga", role="operator")
        assert [one.account for one in party.access.list()] == ["olga"]
        with pytest.raises(errors.AccessError, match="operator, analyst, compliance"):
            party.access.add("carl", role="chief")
        party.access.add("carl", role="compliance")
    who("carl")
    with Party(brand) as party:
        party.audit.verify()
        with pytest.raises(errors.NotEntitled) as caught:
            party.invite("channel")
        assert errors.exit_code(caught.value) == 3
        told = [(one.kind, one.actor) for one in party.audit.entries()]
    assert told[-2:] == [("audit.read", "carl/compliance"), ("access.refused", "carl/compliance")]
    who("olga")
    with Party(brand) as party:
        assert party.access.remove("carl").role.value == "compliance"


READING = (
    "status", "requests list", "ledger show", "dataset list", "dataset show people",
    "contract show deal", "lists list", "peers list", "invitations list", "access list",
    "report templates list", "report schedules list", "retention show",
    "audit verify", "audit show", "audit filter --kind contract", "audit export OUT/log.jsonl",
    "audit export --tiles OUT/tiles", "audit receipt 0 --out OUT/first.tlog-proof",
    "lineage show people", "contract documents deal --out OUT/documents", "subject consent r1",
    "subject access r1 --out OUT/person",
)  # fmt: skip


def test_a_compliance_officer_reads_everything_that_there_is(tmp_path, monkeypatch, who):
    monkeypatch.setattr(accounts, "known", lambda account: account)
    who("olga")
    party = ("--party", make_pair(tmp_path) / "advertiser")
    for account, role in (("olga", "operator"), ("carl", "compliance")):
        run("access", "add", account, "--role", role, *party)
    who("carl")
    for command in READING:
        run(*command.replace("OUT", str(tmp_path)).split(), *party)
    run("audit", "verify", *party)
    made = {entry["kind"] for entry in entries(party[1]) if entry["actor"].startswith("carl/")}
    assert made <= {"audit.read", "subject.access", "document.made"}
