"""A backup and a restore by the commands alone, while a counterpart serves that is asked."""

import pytest
from command_line import ask, error_of, run
from sdk_pair import make_pair

from commonground import Party

REACH = {"segment": "segment", "by": "frequency", "epsilon": "1"}


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "pass").write_text("a passphrase of some length\n")
    (tmp_path / "pass").chmod(0o600)
    advertiser, channel = make_pair(tmp_path)
    yield advertiser, channel
    for party in (advertiser, channel):
        party.close()


def test_a_party_comes_back_from_the_last_backup_and_from_no_other(pair, tmp_path):
    advertiser, channel = pair
    seal = ("--passphrase-file", tmp_path / "pass")
    whole = ("--party", advertiser.folder)
    with channel.serve():
        made = ask("backup", tmp_path / "old.backup", *seal, *whole)
        assert made["keys"] == "sealed"
        assert error_of("backup", tmp_path / "old.backup", *seal, *whole, expect=6)
        advertiser.reach(**REACH)
        ask("backup", tmp_path / "last.backup", *seal, *whole)
        advertiser.close()
        advertiser.folder.rename(tmp_path / "burnt")
        back = tmp_path / "back"
        said = error_of("restore", tmp_path / "old.backup", back, *seal, expect=6)
        assert "channel has seen" in said
        assert not back.exists()
        told = ask("restore", tmp_path / "last.backup", back, *seal, "--nothing-spent", "a fire")
        assert told["asked"] == [{"name": "channel", "answered": True, "problem": None}]
        assert told["budgets"] == "kept"
        ask("audit", "verify", "--party", back)
        with Party(back) as party:
            assert "log: ok" in str([f"{it.name}: {it.state}" for it in party.doctor("channel")])
            assert len(party.reach(**REACH).to_pandas())
    with channel.serve(), Party(tmp_path / "burnt") as fork:
        checks = {it.name: it for it in fork.doctor("channel")}
        assert "old backup" in checks["channel: log"].detail


def test_a_backup_in_plain_says_that_it_is_and_a_closed_budget_shows(pair, tmp_path):
    channel = pair[1]
    said = run("backup", tmp_path / "night.tar", "--party", channel.folder).stdout
    assert "The keys are not in it" in said
    shown = run(
        "restore", tmp_path / "night.tar", tmp_path / "back", "--keys", channel.folder / "keys"
    ).stdout
    assert "Budgets are closed until their windows renew" in shown
    assert "advertiser: it only dials, and cannot be asked" in shown
    status = ask("status", "--party", tmp_path / "back")
    assert {it["left"]["epsilon"] for it in status["budgets"]} == {"0"}
