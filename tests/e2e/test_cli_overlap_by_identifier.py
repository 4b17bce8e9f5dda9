"""`report overlap --by-identifier` as it is typed: between two processes, and what it refuses."""

import pytest
from command_line import run

ALL = ("report", "overlap", "--by-identifier", "--dataset", "few", "--their-dataset", "few")


def test_types_are_asked_together_approved_by_hand_and_shown_together(fresh, tmp_path):
    advertiser, channel = fresh
    quoted = advertiser.read("quote", *ALL[1:])
    assert {one["party"]: one["epsilon"] for one in quoted["charges"]} == {
        "channel": "4",
        "advertiser": "2",
    }
    fresh.serve()
    waiting = advertiser.read_error(*ALL, expect=4)
    assert "Done: none; not done: phone, email" in waiting
    pending = [
        one["id"]
        for one in channel.read("requests", "list")["requests"]
        if one["state"] == "pending"
    ]
    assert len(pending) == 2
    for request in pending:
        channel.read("requests", "approve", request)
    out = tmp_path / "types.csv"
    done = advertiser.read(*ALL, "--resume", "--out", out)
    assert sorted(done["requests"].values()) == sorted(pending)
    assert (done["result"]["report"], done["result"]["kind"]) == (
        "overlap by identifier",
        "shareable",
    )
    assert [one["type"] for one in done["result"]["verdicts"]] == ["phone", "email"]
    assert out.read_text().count("\n") == 1 + len(done["result"]["rows"])
    again = advertiser.read(*ALL, "--resume", "--private")
    assert again["result"]["kind"].startswith("private")
    assert again["requests"] == done["requests"]
    verified = advertiser.read("audit", "verify", "--with", channel.folder)
    assert (verified["only_ours"], verified["only_theirs"]) == ([], [])
    charged = [row["epsilon"] for row in advertiser.read("ledger", "show")["rows"]]
    assert charged == ["1", "1"]


@pytest.mark.parametrize(
    "words",
    [
        ("report", "overlap", "--by-identifier", "--segment", "segment"),
        ("report", "overlap", "--by-identifier", "--third", "vendor"),
        ("quote", "overlap", "--by-identifier", "--identifier", "email"),
        ("report", "overlap", "--resume"),
        ("quote", "reach", "--by-identifier"),
        ("quote", "overlap", "--by-identifier", "--segment", "segment"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words):
    run(*words, expect=2)
