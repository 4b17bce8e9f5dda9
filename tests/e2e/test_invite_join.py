"""From two empty folders to a contract in force by invite and join, and every way that it fails.

The channel serves in a process of its own; the others type commands.
"""

import contextlib
import shutil
import sqlite3

import pytest
from command_line import ask, error_of, init, run, write_dataset
from slow_road import Road
from two_processes import Party

from party.contract_file import load_contract
from party.invitation import Invitation

STEPS = ("DNS", "TCP", "TLS", "pin", "clock", "profile", "contract", "log", "throughput")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A channel that serves, and templates of parties that only dial."""
    folder, road = tmp_path_factory.mktemp("invited"), Road()
    init(folder, "channel", "--listen", road.address)
    for name in ("advertiser", "vendor"):
        init(folder / "templates", name)
    channel = Party(folder / "channel", folder / "said")
    channel.serve(road)
    yield folder, channel
    channel.end()
    road.close()


@pytest.fixture
def newcomer(place, tmp_path):
    """Return a party of a name, made a moment ago."""

    def copy(name):
        return shutil.copytree(place[0] / "templates" / name, tmp_path / name)

    return copy


def invite(place, *words):
    """Return the one line that `invite` prints."""
    done = run("invite", *words, "--party", place[0] / "channel")
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("commonground://")
    return lines[0]


def join(line, party, *, draft="draft"):
    words = ("--id", draft, "--out", party.parent / f"{draft}.yaml", "--party", party)
    return ask("join", line, *words)


def kept(party):
    """Return all log entries and peers of a party."""
    with contextlib.closing(sqlite3.connect(party / "party.db")) as store:
        return [
            store.execute(f"SELECT * FROM {table}").fetchall() for table in ("log_entries", "peers")
        ]


def failing(line, party, expect):
    """Return the sentence of a join that fails, which pins nobody and writes no draft."""
    before = kept(party)
    draft = party.parent / "failed.yaml"
    said = error_of("join", line, "--out", draft, "--party", party, expect=expect)
    assert not draft.exists()
    assert kept(party) == before
    return said


def test_two_commands_pin_both_sides_and_a_contract_follows(place, newcomer):
    channel = place[1]
    party = newcomer("advertiser")
    joined = join(invite(place, "--for", "advertiser", "--replace"), party, draft="deal")
    assert (joined["peer"], joined["contract"]) == ("channel", "deal")
    assert joined["fingerprint"] == channel.listener.document["fingerprint"]
    assert "peer advertiser has joined" in channel.listener.err

    found = ask("doctor", "--peer", "channel", "--party", party, expect=6)
    states = [check["state"] for check in found["checks"][-len(STEPS) :]]
    assert states == ["failed" if step == "contract" else "ok" for step in STEPS]
    assert found["failed"] == "channel: contract"

    file = party.parent / "deal.yaml"
    for who in (party, channel.folder):
        run("contract", "sign", file, "--party", who)
    run("contract", "import", file, "--party", party)
    found = ask("doctor", "--peer", "channel", "--party", party, expect=6)
    assert "in force here only: deal" in found["checks"][-3]["detail"]
    run("contract", "import", file, "--party", channel.folder)
    found = ask("doctor", "--peer", "channel", "--party", party)
    assert found["failed"] is None
    assert [check["name"] for check in found["checks"][-len(STEPS) :]] == [
        f"channel: {step}" for step in STEPS
    ]
    assert "MB/s" in found["checks"][-1]["detail"]
    for who in (party, channel.folder):
        assert ask("audit", "verify", "--party", who)["verified"] is True


def test_a_draft_has_what_the_maker_offers_and_says_so_where_it_offers_nothing(
    place, newcomer, tmp_path
):
    channel, party = place[0] / "channel", newcomer("vendor")
    run("dataset", "add", write_dataset(tmp_path), "--party", channel)
    offering = ("--for", "vendor", "--replace", "--offer", "people")
    assert join(invite(place, *offering), party, draft="whole")["their_datasets"] == ["people"]
    draft = load_contract(party.parent / "whole.yaml")
    assert draft.datasets["channel"]["people"].labels == {"group": ("a", "b")}
    said = (party.parent / "whole.yaml").read_text()
    assert "what vendor offers is not known here" in said
    assert "what channel offers" not in said

    done = join(invite(place, "--for", "vendor"), party, draft="partial")
    assert done["their_datasets"] == []
    said = (party.parent / "partial.yaml").read_text()
    assert "TO FILL IN: what channel offers is not known here" in said
    assert "no dataset nothing" in error_of(
        "invite", "--offer", "nothing", "--party", channel, expect=6
    )


def test_a_known_peer_is_drafted_with_by_name(place, newcomer):
    party = newcomer("vendor")
    join(invite(place, "--for", "vendor", "--replace"), party)
    for who, name in ((party, "channel"), (place[0] / "channel", "vendor")):
        out = party.parent / f"with-{name}.yaml"
        run("contract", "propose", name, "--id", "again", "--out", out, "--party", who)
        assert f"  {name}:" in out.read_text()
    said = error_of("contract", "propose", "nobody", "--party", party, expect=6)
    assert "no peer of this name is known here (known: channel)" in said


def test_a_line_is_read_from_stdin_too(place, newcomer):
    """So that the code stands in no history of a shell."""
    party = newcomer("vendor")
    line = invite(place, "--for", "vendor", "--replace")
    out = party.parent / "draft.yaml"
    run("join", "-", "--out", out, "--party", party, given=line + "\n")
    assert out.exists()


def test_a_mistyped_line_is_said_to_be_mistyped(place, newcomer):
    line = invite(place)
    wrong = line[:-20] + ("a" if line[-20] != "a" else "b") + line[-19:]
    assert "mistyped or cut short" in failing(wrong, newcomer("vendor"), 6)
    assert "no invitation" in failing("hello", newcomer("advertiser"), 6)


def test_an_invitation_serves_once(place, newcomer):
    line = invite(place, "--for", "advertiser", "--replace")
    join(line, newcomer("advertiser"))
    said = failing(line, newcomer("vendor"), 3)
    assert said.startswith("Error: EXPIRED: this invitation has been used by another party")


def test_an_invitation_that_has_ended_is_said_to_have(place, newcomer):
    line = invite(place, "--hours", 1)
    with sqlite3.connect(place[0] / "channel" / "party.db") as store:
        store.execute(
            "UPDATE invitations SET ends_at = 1 WHERE fingerprint = ?",
            (Invitation.parse(line).certificate.fingerprint,),
        )
    store.close()
    said = failing(line, newcomer("vendor"), 3)
    assert said == "Error: EXPIRED: this invitation has ended; ask for a new one"


def test_a_withdrawn_invitation_is_refused_at_join(place, newcomer):
    channel = place[0] / "channel"
    made = ask("invite", "--party", channel)
    issued = ask("invitations", "list", "--party", channel)["invitations"]
    listed = {one["id"]: one for one in issued}[made["id"]]
    assert (listed["state"], listed["for"]) == ("open", None)
    run("invitations", "withdraw", made["id"], "--party", channel)
    said = failing(made["line"], newcomer("vendor"), 3)
    assert said.startswith("Error: EXPIRED: this invitation was withdrawn")
    assert made["id"] in run("invitations", "list", "--party", channel).stdout
    said = error_of("invitations", "withdraw", made["id"], "--party", channel, expect=6)
    assert "was withdrawn already" in said


def test_a_forgotten_peer_is_shut_out_of_a_listener_that_runs(place, newcomer):
    channel, party = place[0] / "channel", newcomer("vendor")
    line = invite(place, "--for", "vendor", "--replace")
    join(line, party)
    assert "vendor" in [one["peer"] for one in ask("peers", "list", "--party", channel)["peers"]]
    done = ask("peers", "forget", "vendor", "--party", channel)
    assert done == {"peer": "vendor", "withdrawn_invitations": 0}
    assert "vendor" not in run("peers", "list", "--party", channel).stdout
    found = ask("doctor", "--peer", "channel", "--party", party, expect=6)
    assert found["failed"] == "channel: pin"
    failed = next(check for check in found["checks"] if check["state"] == "failed")
    assert "or have forgotten it" in failed["detail"]
    assert "was withdrawn" in failing(line, party, 3)
    said = error_of("peers", "forget", "vendor", "--party", channel, expect=6)
    assert "no invitation has pinned a peer named 'vendor'" in said
    assert ask("audit", "verify", "--party", channel)["verified"] is True
    join(invite(place, "--for", "vendor"), party, draft="again")


def test_an_invitation_for_another_party_is_refused(place, newcomer):
    said = failing(invite(place, "--for", "vendor"), newcomer("advertiser"), 3)
    assert said.startswith("Error: NOT_GRANTED: this invitation is for the party 'vendor'")


def test_somebody_else_at_the_address_is_told_nothing(place, newcomer):
    real = Invitation.parse(invite(place))
    false = Invitation(real.address, "sha256:" + "0" * 64, real.code)
    party = newcomer("vendor")
    assert "somebody else answers" in failing(false.line, party, 6)


def test_nobody_at_the_address_is_said(place, newcomer):
    real = Invitation.parse(invite(place))
    moved = Invitation("127.0.0.1:9", real.fingerprint, real.code)
    assert "nobody answers at 127.0.0.1:9" in failing(moved.line, newcomer("vendor"), 6)


def test_a_code_that_the_maker_does_not_know_is_said(place, newcomer):
    real = Invitation.parse(invite(place))
    other = Invitation(real.address, real.fingerprint, bytes(16))
    assert "does not know this invitation's code" in failing(other.line, newcomer("vendor"), 6)


def test_a_party_does_not_join_itself(place):
    party = place[0] / "channel"
    assert "the party's own" in failing(invite(place), party, 6)


def test_a_name_that_another_identity_has_is_refused_on_either_side(place, newcomer, tmp_path):
    party = newcomer("vendor")
    join(invite(place, "--for", "vendor", "--replace"), party)
    init(tmp_path / "anew", "vendor")
    anew = tmp_path / "anew" / "vendor"
    said = failing(invite(place), anew, 3)
    assert said.startswith("Error: DECLINED: at the other party, 'vendor' is pinned already")
    # And here: the joiner knows another channel under this name.
    with sqlite3.connect(party / "party.db") as store:
        card = (anew / "public.yaml").read_text()
        store.execute("UPDATE peers SET card = ? WHERE name = 'channel'", (card,))
    store.close()
    line = invite(place)
    assert "'channel' is pinned already with other keys" in failing(line, party, 6)
    out = tmp_path / "replaced.yaml"
    run("join", line, "--replace", "--out", out, "--party", party)
    assert out.exists()


def test_a_draft_that_exists_is_left_alone_and_the_code_unused(place, newcomer):
    party, line = newcomer("vendor"), invite(place, "--for", "vendor", "--replace")
    out = party.parent / "draft.yaml"
    out.write_text("mine")
    said = error_of("join", line, "--out", out, "--party", party, expect=6)
    assert "exists already" in said
    assert out.read_text() == "mine"
    out.unlink()
    join(line, party)


def test_a_party_that_only_dials_cannot_invite(newcomer):
    said = error_of("invite", "--party", newcomer("vendor"), expect=6)
    assert "only dials" in said


def test_doctor_names_a_peer_that_it_does_not_know(newcomer):
    found = ask("doctor", "--peer", "stranger", "--party", newcomer("vendor"), expect=6)
    assert found["failed"] == "stranger: DNS"
    assert "no invitation has pinned it" in found["checks"][-1]["detail"]
