"""What is wrong with what comes from outside: one clear error, the right exit code, no change.

Covers what only two parties show: sessions that are refused, a counterpart that is another or that
lies (a process of its own, with one function replaced). Data files and contracts by themselves are
in test_cli_datasets and test_cli_contracts; points, chunks and messages of a hostile peer in
tests/simulation (test_lies, test_transport_refusals); silence and Ctrl-C in test_kills; flipped
bytes in test_flipped_bytes.
"""

import re
import time

import pytest
from known_people import reference, traces, write_csv
from recorded import new_kinds, recorded, recorded_at
from two_processes import Pair, Party, copy_pair, holding, propose

DAY = 86_400
FEW = ("--dataset", "few", "--their-dataset", "few")
MATCH = ("match", "--receiver", "channel", *FEW)
REACH = ("report", "reach", "--by", "frequency", "--segment", "segment", *FEW)
RUN = "from commonground.__main__ import run\nrun()\n"
OTHER_UNICODE = f"""
from dataclasses import replace
from psi.identifiers import Profile
current = Profile.current
Profile.current = lambda **options: replace(current(**options), unicode="1.0.0")
{RUN}"""
SEVERAL_SCALARS = f"""
import numpy as np
from party.driver import Driver
from psi.sets import LabelledSet
honest = Driver._raise
def lie(self, *leg):
    answer = honest(self, *leg)
    random = np.random.default_rng(1).integers(0, 256, answer.elements.shape, dtype=np.uint8)
    return LabelledSet(answer.sizes, random)
Driver._raise = lie
{RUN}"""


# -- sessions that are refused -------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(template, tmp_path_factory):
    """A pair whose channel serves; beside the usual contract there is one with a high minimum."""
    pair = copy_pair(template, tmp_path_factory.mktemp("served"))
    agree(pair, propose(pair, tmp_path_factory.mktemp("contract") / "strict.yaml", min_match=9999))
    pair.serve()
    yield pair
    pair.end()


def agree(pair, contract, *names):
    for party in pair:
        party.read("contract", "sign", contract)
    for party in pair:
        if not names or party.name in names:
            party.read("contract", "import", contract)


def test_a_budget_of_the_counterpart_that_does_not_suffice(served):
    before = recorded(served)
    words = (*REACH, "--contract", "contract", "--epsilon", "100")
    said = served.advertiser.read_error(*words, expect=3)
    assert re.fullmatch(
        r"BUDGET_EXHAUSTED: the budget of few towards advertiser\.test/log does not suffice: this "
        r"needs epsilon 101 and delta \S+; of epsilon 100 and delta 1e-6 there is left epsilon \S+ "
        r"and delta \S+\. Ask for less, or wait for the window to renew\. The window renews on \S+",
        said,
    )
    assert new_kinds(served, before) == {
        "advertiser": ["request.made", "request.refused"],
        "channel": [],
    }


def test_a_match_below_the_minimum_makes_no_list_and_says_so_on_both_sides(served):
    before = recorded(served)
    said = served.advertiser.read_error(*MATCH, "--contract", "strict", expect=3)
    assert said == (
        "BELOW_MINIMUM: the match is below the minimum of 9999 that the contract sets, so no list "
        "is made. Widen the datasets or agree on another minimum"
    )
    assert said in served.channel.listener.err
    for party in served:
        old, new = before[party.name], recorded_at(party)
        assert (new["results"], new["lists"]) == (old["results"], old["lists"])
        logged = new["kinds"][len(old["kinds"]) :]
        assert logged.count("session.failed") == 1
        assert not any("disclosed" in kind or "incident" in kind for kind in logged)
        charged = [what for _, what in new["charges"][len(old["charges"]) :]]
        discloses = ["disclosure"] if party is served.advertiser else []
        assert charged == ["session", *discloses, "stop"]
        party.read("audit", "verify")


def test_another_reading_of_identifiers_is_named_and_costs_nothing(served):
    before = recorded(served)
    words = (*MATCH, "--contract", "contract")
    said = served.advertiser.error(*words, expect=3, program=("-c", OTHER_UNICODE))
    assert re.fullmatch(
        r"PROFILE_MISMATCH: identifier profiles differ in unicode: '1\.0\.0' here, '[\d.]+' there; "
        r"install the same version or agree on the same option at both parties",
        said,
    )
    assert new_kinds(served, before) == {
        "advertiser": ["request.made", "consent.snapshot", "session.failed"],
        "channel": ["request.approved", "consent.snapshot", "session.failed"],
    }


def test_a_contract_that_only_one_side_has_imported(served, tmp_path):
    agree(served, propose(served, tmp_path / "onesided.yaml"), "advertiser")
    before = recorded(served)
    said = served.advertiser.read_error(*MATCH, "--contract", "onesided", expect=3)
    assert re.fullmatch(
        r"CONTRACT_UNKNOWN: no contract [0-9a-f]{16}… with the caller is signed and in force here; "
        r"both sides import the same signed file",
        said,
    )
    assert new_kinds(served, before) == {
        "advertiser": ["request.made", "request.refused"],
        "channel": [],
    }


def test_own_data_that_went_bad_after_they_were_registered(served, tmp_path):
    party, people = served.advertiser, holding("advertiser", "few")
    party.read("dataset", "add", people.write(tmp_path, "few"))
    rows = [people.row(i) for i in range(people.start, people.stop)]
    rows[6][1] = "5e" * 32
    write_csv(tmp_path / "few.csv", rows)
    before = recorded(served)
    said = party.read_error(*MATCH, "--contract", "contract", expect=6)
    assert said == (
        "dataset few, column 'email': declared email, but row 7: already a digest (sha256); "
        "declare the column as email_sha256, and keep raw values in another"
    )
    found = new_kinds(served, before)
    assert found["advertiser"] == ["request.made"]
    # The channel reads its own people meanwhile, as far as it comes: nothing of them leaves.
    assert found["channel"] in (["request.approved"], ["request.approved", "consent.snapshot"])


def test_the_counterparts_data_that_cannot_be_read_are_its_own_affair(fresh, tmp_path):
    path = holding("channel", "few").write(tmp_path / "gone", "few")
    fresh.channel.read("dataset", "add", path)
    (tmp_path / "gone" / "few.csv").unlink()
    listener, before = fresh.serve(), recorded(fresh)
    said = fresh.advertiser.read_error(*MATCH, expect=4)
    assert re.fullmatch(
        r"the counterpart failed \(INTERNAL\): the session stopped at the other party; ask it to "
        r"look\. The session is on disk\. Go on with `commonground requests resume [0-9a-f]{8}`",
        said,
    )
    assert f"{tmp_path}/gone/few.csv: no such file" in listener.err
    assert new_kinds(fresh, before) == {
        "advertiser": ["request.made", "consent.snapshot"],
        "channel": ["request.approved"],
    }


def test_a_counterpart_that_raises_with_several_scalars_is_an_incident_for_who_noticed(fresh):
    fresh.serve(program=("-c", SEVERAL_SCALARS))
    said = fresh.advertiser.read_error(*MATCH, expect=3)
    assert said == (
        "WRONG_ANSWER: a known answer did not come back under its label: the counterpart did not "
        "raise this set with one scalar. Nothing is released; talk to them"
    )
    fresh.channel.listener.stop()
    assert said in fresh.channel.listener.err
    after = recorded(fresh)
    ends = ["session.failed", "lineage.emitted"]
    assert after["advertiser"]["kinds"][-3:] == ["incident.wrong_answer", *ends]
    assert after["channel"]["kinds"][-4:] == ["session.started", "lineage.emitted", *ends]
    assert not any(one["results"] or one["lists"] for one in after.values())
    fresh.advertiser.read("audit", "verify", "--with", fresh.channel.folder)


# -- certificates and time -----------------------------------------------------------------------


def test_another_party_at_the_address_is_told_nothing(fresh, tmp_path):
    stranger = Party(tmp_path / "stranger", tmp_path / "said")
    stranger.read(
        *("init", stranger.folder, "--name", "channel", "--organisation", "The channel"),
        *("--jurisdiction", "NL", "--origin", "channel.test/log", "--listen", fresh.road.address),
    )
    try:
        stranger.serve(fresh.road)
        before = recorded((fresh.advertiser, stranger))
        said = fresh.advertiser.read_error(*MATCH, expect=6)
        assert re.fullmatch(
            rf"what answers at {fresh.road.address} has another certificate than is pinned "
            r"for 'channel' \(sha256:[0-9a-f]{64}\); nothing was said to it\. "
            r"If they have replaced theirs, ask for their keys\.json: "
            r"`commonground peers renew FILE`",
            said,
        )
        assert new_kinds((fresh.advertiser, stranger), before) == {
            "advertiser": ["request.made"],
            "stranger": [],
        }
    finally:
        stranger.end()


def test_a_dialler_whom_nobody_there_has_pinned_is_told_what_to_do(fresh, tmp_path):
    stranger = Party(tmp_path / "advertiser", tmp_path / "said")
    stranger.read(
        *("init", stranger.folder, "--name", "advertiser", "--organisation", "The advertiser"),
        *("--jurisdiction", "NL", "--origin", "advertiser.test/log"),
    )
    stranger.read("dataset", "add", holding("advertiser", "few").write(tmp_path / "data", "few"))
    fresh.serve()
    pair = Pair(stranger, fresh.channel, fresh.road)
    agree(pair, propose(pair, tmp_path / "theirs.yaml"), "advertiser")
    before = recorded(pair)
    said = stranger.read_error(*MATCH, expect=6)
    stranger.end()
    assert said == (
        f"'channel' at {fresh.road.address} hangs up: no contract in force there pins this party's "
        "certificate. Both sides import the same signed contract"
    )
    assert new_kinds(pair, before) == {"advertiser": ["request.made"], "channel": []}


@pytest.mark.parametrize(
    ("days", "code", "said"),
    [
        (400, 3, r"EXPIRED: Contract contract ended on \S+\. Agree and sign a new one\."),
        (
            800,
            6,
            r"The certificate of advertiser\S* expired on \S+\. Its owner replaces it .+",
        ),
    ],
    ids=["contract", "certificate"],
)
def test_what_has_expired_begins_nothing(fresh, tmp_path, monkeypatch, days, code, said):
    if code == 6:
        agree(fresh, propose(fresh, tmp_path / "long.yaml", ends="2099-01-01T00:00:00Z"))
    before, now = recorded(fresh), time.time
    monkeypatch.setattr(time, "time", lambda: now() + days * DAY)
    words = (*MATCH, "--contract", "contract" if code == 3 else "long")
    assert re.fullmatch(said, fresh.advertiser.read_error(*words, expect=code))
    assert new_kinds(fresh, before) == {"advertiser": [], "channel": []}


# -- columns -------------------------------------------------------------------------------------


def test_a_column_of_nothing_but_malformed_identifiers_registers_nothing(fresh, tmp_path):
    people = holding("advertiser", "few")
    path = people.write(tmp_path, "broken")
    rows = [people.row(i) for i in range(people.start, people.stop)]
    for row in rows:
        row[1] = row[1].replace("@", " at ")
    write_csv(tmp_path / "broken.csv", rows)
    before = recorded(fresh)
    said = fresh.advertiser.read_error("dataset", "add", path, expect=6)
    assert "email" in said
    assert traces(said) == set()
    assert reference("advertiser", 0) not in said
    assert new_kinds(fresh, before) == {"advertiser": [], "channel": []}
