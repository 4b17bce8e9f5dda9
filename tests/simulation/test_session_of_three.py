"""A session between three whole parties: result, charges, what is drawn once, logs of all three."""

import json
import shutil
from itertools import combinations

import numpy as np
import pytest
import sqlalchemy as sa
from organisations import Killed
from three_organisations import (
    EVERYBODY,
    file_at_all,
    insights_of_three,
    make_three,
    new_wires,
    run_three,
)
from typer.testing import CliRunner

from audit import standalone
from client.audit_files import bundle_of, zipped
from client.guess import Guess
from client.quoting import quote_for
from client.render_quote import quote_shown
from client.sdk.log import Audit
from client.units import shown_bytes
from commonground.cli import app
from party import driver, session_record
from party.desk import Desk
from party.errors import PartyError, Refusal, RefusalStatus
from party.evidence import StoredLog, compare_all_logs
from party.ledger import rows
from party.organisation import Organisation
from party.replay import Verdict, replay
from party.request_parameters import Parameters
from party.schema import RELEASES, SALTS
from party.shelf import Shelf
from party.terms import Terms
from privacy.units import NANO

ENDED_WELL = dict.fromkeys(EVERYBODY)


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    make_three(folder)
    return folder


@pytest.fixture
def three(ready, tmp_path):
    parties = {}
    for name in EVERYBODY:
        shutil.copytree(ready / name, tmp_path / name)
        parties[name] = Organisation.open(tmp_path / name)
    yield parties, parties["advertiser"].contract("three")
    for party in parties.values():
        party.close()


def logs(parties):
    return [StoredLog(party.store, party.identity) for party in parties.values()]


def test_a_table_of_three_is_released_and_every_log_says_the_same(three):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    assert run_three(parties, request, new_wires()) == ENDED_WELL
    terms = Terms.of(request)
    for name, party in parties.items():
        (row,) = party.store.write(rows)
        assert row.spend == terms.spend_of(name)
        assert row.account.coalition == ", ".join(
            f"{other}.test/log" for other in EVERYBODY if other != name
        )
    comparisons = compare_all_logs(*logs(parties))
    assert [(one.ours.origin, one.theirs.origin) for one in comparisons] == [
        ("advertiser.test/log", "channel.test/log"),
        ("advertiser.test/log", "vendor.test/log"),
        ("channel.test/log", "vendor.test/log"),
    ]
    for one in comparisons:
        assert (one.shared, one.only_ours, one.only_theirs) == ((request.id,), (), ())
        assert one.checkpoints == 2  # each has cosigned the other's log
    others = {
        log.origin: set(log.cosigners) for one in comparisons for log in (one.ours, one.theirs)
    }
    assert others == {name: set(others) - {name} for name in others}
    hub, *there = (party.folder for party in parties.values())
    assert Audit(parties["advertiser"]).verify(with_=there) == comparisons
    words = [word for folder in there for word in ("--with", str(folder))]
    told = CliRunner().invoke(app, ["audit", "verify", *words, "--party", str(hub), "--json"])
    said = json.loads(told.stdout)
    assert [log["cosigners"] for log in said["logs"]] == [
        sorted(names) for names in others.values()
    ]
    assert [pair["shared"] for pair in said["pairs"]] == [[request.id]] * 3
    twice = CliRunner().invoke(
        app, ["audit", "verify", *words[:2], *words[:2], "--party", str(hub)]
    )
    assert twice.exit_code == 5
    assert "given twice" in twice.stderr
    assert Desk(parties["advertiser"]).result(request.id)["role"] == "recipient"
    for name in ("channel", "vendor"):
        assert Desk(parties[name]).find(request.id).state == "finished"


def test_verify_py_checks_the_evidence_of_each_of_three_and_that_every_two_agree(three, tmp_path):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    assert run_three(parties, request, new_wires()) == ENDED_WELL
    checked = []
    for name, party in parties.items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(zipped(bundle_of(party, Desk(party).find(request.id))[1]))
        checked.append(standalone.check(path, contract.digest))
        assert all(left.startswith("numbers that were not ") for left in checked[-1].open)
    for one, other in combinations(checked, 2):
        standalone.compare(one, other)


def test_every_set_is_raised_once_by_each_other_party(three, monkeypatch):
    raised, raise_set = [], driver.raise_set
    monkeypatch.setattr(driver, "raise_set", lambda *a, **k: raised.append(1) or raise_set(*a, **k))
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    assert run_three(parties, request, new_wires()) == ENDED_WELL
    assert len(raised) == 3 * 2


def test_a_quote_says_before_what_a_session_of_three_takes(three):
    parties, contract = three
    asked = insights_of_three(parties, contract)
    guess = Guess(their_people=70)
    found = quote_for(parties["advertiser"], contract, asked, guess)
    figures = found.figures
    said = " ".join(str(part) for part in quote_shown(found))
    more = figures.wire_bytes - figures.without_third.wire_bytes
    assert f"the third adds {shown_bytes(more)} on the wire" in said
    request = file_at_all(parties, contract, asked)
    assert run_three(parties, request, new_wires()) == ENDED_WELL
    terms = Terms.of(request)
    shelf = Shelf(terms.table, Desk(parties["advertiser"]).folder(request.id))
    quoted = {leg.name: leg.points for leg in figures.legs}
    for role, party in zip(terms.table.roles, terms.parties, strict=True):
        sizes = shelf.hop(role, 0).sizes
        law = terms.own_noise(party)
        draws = 9 * len(sizes)  # its cells and labels, or fewer
        people = 60 if role == "recipient" else 70
        rounded = len(sizes)  # people spread over labels
        assert abs(quoted[f"{role}'s points"] - people - terms.added_points(party)) < rounded
        assert abs(sum(sizes) - quoted[f"{role}'s points"]) < 6 * (draws * law.variance) ** 0.5
    assert {one.role: one.epsilon_nano for one in figures.charges} == {
        role: terms.spend_of(party).epsilon_nano for role, party in request.roles.items()
    }
    assert figures.wire_bytes > figures.without_third.wire_bytes


def test_a_quote_takes_each_other_party_as_large_as_is_said_of_it_by_name(three):
    parties, contract = three
    asked = insights_of_three(parties, contract)
    alike, apart = (
        quote_for(parties["advertiser"], contract, asked, Guess(people))
        for people in (100_000, {"channel": 100_000, "vendor": 20_000})
    )
    points = [{leg.name: leg.points for leg in one.figures.legs} for one in (alike, apart)]
    for role, fewer in (("tabulator", 0), ("third", 80_000), ("recipient", 0)):
        changed = points[0][f"{role}'s points"] - points[1][f"{role}'s points"]
        assert abs(changed - fewer) < 10  # people spread over labels
    assert "vendor has 20,000 people, as stated" in apart.assumptions
    with pytest.raises(PartyError, match="said of 'advertiser'"):
        quote_for(parties["advertiser"], contract, asked, Guess({"advertiser": 5}))


def test_cells_and_totals_are_drawn_once_each_by_its_law_and_committed_to(three, monkeypatch):
    """A cell has noise of ε_r for the tabulator's people, a total of ε_d for the third's."""
    parties, contract = three
    drawn, release = [], session_record.release_table

    def noted(exact, epsilon_nano, bound):
        drawn.append((exact.shape, epsilon_nano, bound))
        return release(exact, epsilon_nano, bound)

    monkeypatch.setattr(session_record, "release_table", noted)
    numbers = Parameters(epsilon_release_nano=NANO // 2, epsilon_dummies_nano=2 * NANO)
    asked = insights_of_three(parties, contract, parameters=numbers)
    request, wires, seen = file_at_all(parties, contract, asked), new_wires(), set()
    last = len(Terms.of(request).table.steps) - 1
    to_hub = wires[frozenset(("channel", "advertiser"))]
    for after in (False, False, True):
        run_three(
            parties,
            request,
            wires,
            {("channel", "advertiser"): {"dies_at": f"send {last}", "after": after}},
        )
        artefact = to_hub.artefacts.get(last)
        seen |= {(artefact.cells, artefact.totals)} if artefact else set()
    assert run_three(parties, request, wires) == ENDED_WELL
    released = to_hub.artefacts[last]
    assert seen == {(released.cells, released.totals)}
    assert drawn == [((3, 9), NANO // 2, 1), ((1, 4), 2 * NANO, 1)]
    (noise,) = committed_noise(parties["channel"])
    assert len(noise) == len(released.cells) + len(released.totals)
    # What is left without the noise is a count of people and dummies, of which none is negative.
    assert min(np.array([*released.cells, *released.totals]) - noise) >= 0


def committed_noise(party):
    values = {row.commitment.hex(): row.value for row in party.store.rows(sa.select(SALTS))}
    released = party.store.rows(sa.select(RELEASES.c.noise))
    return [np.frombuffer(values[row.noise], dtype=">i8") for row in released]


@pytest.mark.parametrize(
    ("name", "peer", "call"),
    [
        ("advertiser", "vendor", "Commitment"),
        ("vendor", "channel", "send 3"),
        ("channel", "vendor", "receive 6"),
        ("advertiser", "vendor", "Cosignature"),
    ],
)
def test_whoever_is_killed_goes_on_and_nobody_pays_twice(three, name, peer, call):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    wires = new_wires()
    ended = run_three(parties, request, wires, {(name, peer): {"dies_at": call}})
    assert isinstance(ended[name], Killed)
    assert run_three(parties, request, wires) == ENDED_WELL
    for party in parties.values():
        assert len(party.store.write(rows)) == 1
    for one in compare_all_logs(*logs(parties)):
        assert (one.shared, one.checkpoints) == ((request.id,), 2)


def test_a_party_whose_budget_does_not_suffice_refuses_and_nobody_pays(tmp_path):
    parties, contract = make_three(tmp_path, epsilon="0.9")
    numbers = Parameters(epsilon_release_nano=NANO // 2, epsilon_dummies_nano=NANO // 2)
    asked = insights_of_three(parties, contract, parameters=numbers)
    signed = Desk(parties["advertiser"]).make(asked, contract, actor="operator")
    assert Desk(parties["vendor"]).submit("advertiser", signed).state == "approved"
    with pytest.raises(Refusal) as refused:
        Desk(parties["channel"]).submit("advertiser", signed)  # which pays for the release, too
    assert refused.value.status is RefusalStatus.BUDGET_EXHAUSTED
    assert all(party.store.write(rows) == [] for party in parties.values())
    for party in parties.values():
        party.close()


def test_each_of_three_can_replay_its_own_rounds(three):
    parties, contract = three
    request = file_at_all(parties, contract, insights_of_three(parties, contract))
    assert run_three(parties, request, new_wires()) == ENDED_WELL
    walked = set()
    for name, party in parties.items():
        done = replay(party, request.id)
        assert done.verdict is Verdict.AGREES, (name, done.checks)
        walked |= {check.what.partition(",")[0] for check in done.checks}
    steps = range(len(Terms.of(request).table.steps))
    assert {f"step {index}" for index in steps} <= walked, "nobody's step is left out"
