"""Attribution between two whole parties in memory, from files of events to the report.

Covers: time keys, padding, caps, people by coalition with their own ledger row, models, delay,
resuming, the log. Does not cover: dialling and approval over the wire (tests/e2e).
"""

import time
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
import sqlalchemy as sa
from drafted_contract import agree
from organisations import Wire, make_party, run_both

from client.asking import Choice, TableChoice, table_request
from client.guess import Guess
from client.output import as_text
from client.quoting import quote_for
from client.render_ledger import ledger_shown
from client.render_request import request_shown
from client.results import result_of
from client.scheduling import run_due
from client.templating import read_schedule, save
from client.timing import TimingChoice
from client.verifying import compare, stored_log
from party.balances import balances
from party.contract_terms import OutputKind, write_time
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import PartyError, Refusal, RefusalStatus
from party.ledger import rows
from party.replay import Verdict, replay
from party.schema import RELEASES
from party.series import SeriesBook
from party.templates import Outputs
from party.terms import Terms
from reports.attribution import MODELS
from reports.errors import UnsuitableLabels

PARTIES = ("advertiser", "channel")
HOUR = 3_600
START = int(time.time()) // 86_400 * 86_400 - 10 * 86_400
CHOICE = Choice(epsilon="20", epsilon_dummies="9")
STRAY = 3  # by noise of scale 2/20 a cell is further off once in 10^12 times
CHANNEL = """dataset: channel
source: channel.csv
person: ref
columns: {email: id.email, seen: event_time, consent: consent}
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:MarketResearch]
  recipients: [advertiser, channel]
labels:
  journey: {journeys_of: campaign, time: seen, campaigns: [C8, C13, C18], in_full: 2}
  age: {ages_of: campaign, time: seen, campaigns: [C8, C13, C18], hours: [0, 24]}
"""
ADVERTISER = """dataset: advertiser
source: advertiser.csv
person: ref
columns: {email: id.email, bought: event_time, consent: consent}
conversions: {time: bought}
consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:MarketResearch]
  recipients: [advertiser, channel]
labels:
  basket: {column: basket, values: ["0", "10", "20"]}
"""


def at(hours):
    return datetime.fromtimestamp(START + hours * HOUR, UTC).isoformat()


def events():
    """Return touches (person, hour, campaign) and conversions (person, hour, basket)."""
    draw = np.random.default_rng(5)
    touches = [
        (person, int(draw.integers(0, 200)), ("C8", "C13", "C18")[draw.integers(3)])
        for person in range(80)
        for _ in range(1 + person % 4)
    ]
    buys = [
        (person, int(draw.integers(0, 216)), ("0", "10", "20")[draw.integers(3)])
        for person in range(40, 130)
        for _ in range(1 + person % 3)
    ]
    return touches, buys


TOUCHES, BUYS = events()


def truth():
    """Return conversions by their last campaign, and by (last campaign, basket), by a scan."""
    found, placed = Counter(), Counter()
    for person, hour, basket in sorted(BUYS):
        placed[person] += 1
        if placed[person] > 2:
            continue
        met = [one for one in TOUCHES if one[0] == person and hour - 120 <= one[1] <= hour]
        if met:
            found[sorted(met, key=lambda one: one[1])[-1][2], basket] += 1
    return found


def make_pair(folder):
    parties = {name: make_party(folder, name) for name in PARTIES}
    seen = "".join(f"r{p},p{p}@example.com,{at(h)},{c},yes\n" for p, h, c in TOUCHES)
    bought = "".join(f"r{p},p{p}@example.com,{at(h)},{b},yes\n" for p, h, b in sorted(BUYS))
    (folder / "channel.csv").write_text("ref,email,seen,campaign,consent\n" + seen)
    (folder / "advertiser.csv").write_text("ref,email,bought,basket,consent\n" + bought)
    for name, text in (("channel", CHANNEL), ("advertiser", ADVERTISER)):
        path = folder / f"{name}.yaml"
        path.write_text(text)
        definition = load_definition(path)
        parties[name].keep_dataset(definition, inspect(definition), None)
    return parties, agree(folder, parties)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    parties, contract = make_pair(tmp_path_factory.mktemp("attribution"))
    yield parties, contract
    for party in parties.values():
        party.close()


def timing(**changes):
    given = {
        "start": at(0), "end": at(216), "room": 60, "lookback_days": 5, "most_conversions": 2,
        "epsilon_people": "20",
    }  # fmt: skip
    return TimingChoice(**given | changes)


def ask(pair, kind, by, **changes):
    parties, _ = pair
    signed = make(pair, kind, by, timing(**changes))
    assert Desk(parties["channel"]).submit("advertiser", signed).state == "approved"
    return signed


def make(pair, kind, by, choice):
    """Ask for it at the asker's side; nothing is sent."""
    parties, contract = pair
    table = TableChoice(kind, segment="basket", by=by, timing=choice)
    request = table_request(parties["advertiser"], contract, table, CHOICE)
    return Desk(parties["advertiser"]).make(request, contract, actor="test")


def carry(pair, kind, by, **changes):
    parties, _ = pair
    signed = ask(pair, kind, by, **changes)
    assert set(run_both(parties, signed, Wire()).values()) == {None}
    return signed, {name: Desk(party).find(signed.id) for name, party in parties.items()}


@pytest.fixture(scope="module")
def attributed(pair):
    return carry(pair, OutputKind.ATTRIBUTION, "journey")


def test_conversions_reach_the_campaigns_that_a_plain_scan_finds(pair, attributed):
    parties, _ = pair
    _, filed = attributed
    rendering = result_of(parties["advertiser"], filed["advertiser"], private=True)
    found, expected = rendering.numbers, truth()
    by_last = {c.campaign: c for c in found.credited if c.model == "last" and c.segment is None}
    for campaign in ("C8", "C13", "C18"):
        conversions = sum(n for (name, _), n in expected.items() if name == campaign)
        value = sum(int(b) * n for (name, b), n in expected.items() if name == campaign)
        assert abs(by_last[campaign].conversions.value - conversions) <= 4 * STRAY
        assert abs(by_last[campaign].value.value - value) <= 40 * STRAY
    ((_, unattributed),) = found.unattributed
    sent = sum(min(2, 1 + person % 3) for person in range(40, 130))
    assert abs(unattributed.value - (sent - sum(expected.values()))) <= 4 * STRAY


def test_shared_numbers_are_the_same_at_either_side_and_tell_nothing_unattributed(pair, attributed):
    parties, _ = pair
    _, filed = attributed
    shared = {
        name: result_of(parties[name], filed[name], private=False).numbers for name in PARTIES
    }
    first, other = (
        {(c.model, c.campaign): c.conversions.value for c in one.credited if c.segment is None}
        for one in shared.values()
    )
    assert first == other
    assert {model for model, _ in first} == set(MODELS)
    for model in MODELS:
        total = sum(value for (name, _), value in first.items() if name == model)
        ((_, attributed_, _),) = shared["advertiser"].attributed
        assert abs(total - attributed_.value) < 1e-6
    assert all(one.suppressed for _, one in shared["advertiser"].unattributed)


def test_people_by_coalition_have_a_row_of_their_own_and_both_logs_agree(pair, attributed):
    parties, _ = pair
    signed, _ = attributed
    paid = {
        name: {
            row.what: row.spend.epsilon_nano
            for row in party.store.write(rows) if row.request == signed.id
        }
        for name, party in parties.items()
    }  # fmt: skip
    nano = 10**9
    assert paid == {
        "channel": {"session": (20 + 9) * nano, "people": 20 * nano},
        "advertiser": {"session": 9 * nano},
    }
    compare(*(stored_log(parties[name]) for name in ("channel", "advertiser")))
    spent, left = parties["channel"].store.write(rows), balances(parties["channel"])
    assert "coalition" in as_text(*ledger_shown(left, spent))


def test_who_approves_by_hand_reads_the_window_and_its_bounds(attributed):
    _, filed = attributed
    said = " ".join(as_text(*request_shown(filed["channel"])).split())
    assert "in slots of 60 minutes, with touches of 120 hours before" in said
    assert "at most 2 conversions and 128 keys a person, room for 60 conversions a label" in said
    assert "ε of people by coalition 20" in said


def test_sets_of_the_recipient_have_one_public_size(pair, attributed):
    parties, _ = pair
    signed, filed = attributed
    table = result_of(parties["channel"], filed["channel"], private=False).estimates.table
    assert set(table.recipient_sizes) == {Terms.of(signed).padded("advertiser")}


def test_a_resumed_attribution_repeats_its_bytes_and_noise(pair):
    parties, _ = pair
    signed, wire = ask(pair, OutputKind.ATTRIBUTION, "journey"), Wire()
    run_both(parties, signed, wire, channel={"dies_at": "send 4", "after": False})
    first = parties["channel"].store.rows(sa.select(RELEASES.c.artefact))
    assert set(run_both(parties, signed, wire).values()) == {None}
    assert parties["channel"].store.rows(sa.select(RELEASES.c.artefact)) == first


def test_delay_counts_by_last_campaign_and_age(pair):
    parties, _ = pair
    _, filed = carry(pair, OutputKind.DELAY, "age", epsilon_people=None)
    numbers = result_of(parties["advertiser"], filed["advertiser"], private=True).numbers
    expected, placed = Counter(), Counter()
    for person, hour, _ in sorted(BUYS):
        placed[person] += 1
        met = [one for one in TOUCHES if one[0] == person and hour - 120 <= one[1] <= hour]
        if placed[person] <= 2 and met:
            last = sorted(met, key=lambda one: one[1])[-1]
            expected[f"{last[2]} × {24 if hour - last[1] >= 24 else 0} h"] += 1
    found = {one.label: one.conversions.value for one in numbers.classes if one.segment is None}
    for label, count in expected.items():
        assert abs(found[label] - count) <= 3 * STRAY


def test_what_does_not_fit_begins_nothing(pair):
    parties, _ = pair
    before = parties["advertiser"].store.write(rows)
    signed = ask(pair, OutputKind.ATTRIBUTION, "journey", room=2)
    ended = run_both(parties, signed, Wire())
    assert "more conversions than the 2 that" in str(ended["advertiser"])
    assert parties["advertiser"].store.write(rows) == before


def test_only_the_recipient_chooses_window_and_room(pair):
    parties, contract = pair
    table = TableChoice(
        OutputKind.ATTRIBUTION, "advertiser", "channel", "basket", "journey", timing=timing(room=2)
    )
    request = table_request(parties["channel"], contract, table, CHOICE)
    with pytest.raises(Refusal, match="asked for by its recipient, 'advertiser'"):
        Desk(parties["channel"]).make(request, contract, actor="test")
    signed = request.sign(parties["channel"].identity)
    with pytest.raises(Refusal, match="asked for by its recipient, 'advertiser'"):
        Desk(parties["advertiser"]).submit("channel", signed)


def test_a_tabulator_without_a_touch_in_the_window_does_not_show_it_by_stopping(pair):
    empty = {"start": at(200), "end": at(216), "lookback_days": 0}
    assert not any(hour >= 200 for _, hour, _ in TOUCHES)
    _, filed = carry(pair, OutputKind.ATTRIBUTION, "journey", **empty)
    parties, _ = pair
    numbers = result_of(parties["advertiser"], filed["advertiser"], private=True).numbers
    assert not any(
        abs(one.conversions.value) > 9 * STRAY
        for one in numbers.credited
        if one.segment is None and not one.conversions.suppressed
    )


def test_a_recipient_stops_at_a_window_of_its_own_without_conversions(pair):
    parties, _ = pair
    signed = ask(pair, OutputKind.ATTRIBUTION, "journey", start=at(-48), end=at(-24))
    ended = run_both(parties, signed, Wire())
    assert "the window is one that the data have" in str(ended["advertiser"])


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"end": at(-1)}, PartyError, "is not after --start"),
        ({"end": at(0)}, PartyError, "is not after --start"),
        ({"start": "1969-12-31", "slot_minutes": 1440}, Refusal, r"timing\.start: -86400"),
        ({"end": at(24 * 30)}, Refusal, "ask about time that has passed"),
        ({"start": "tomorrow"}, PartyError, "--start is no time"),
        ({"room": 0}, PartyError, "--room is 0"),
        ({"room": 10**20}, PartyError, "--room is 10000"),
        ({"most_conversions": 256}, PartyError, "--most-conversions is 256: take 1 to 255"),
        ({"most_keys": 10**20}, PartyError, "--most-keys is 10000"),
        ({"lookback_days": -1}, PartyError, "--lookback-days is -1"),
        ({"lookback_days": 10**10}, PartyError, "--lookback-days is 10000"),
        ({"most_keys": 1}, Refusal, r"timing\.most_keys: 1 is outside 2"),
        ({"epsilon_people": "0.001"}, Refusal, "epsilon_people_nano"),
        ({"slot_minutes": 0}, PartyError, "--slot-minutes is 0"),
        ({"slot_minutes": 10**20}, PartyError, "--slot-minutes is 10000"),
    ],
)
def test_a_time_that_cannot_be_counted_in_is_refused_before_anything(pair, changes, error, says):
    with pytest.raises(error, match=says):
        make(pair, OutputKind.ATTRIBUTION, "journey", timing(**changes))


@pytest.mark.parametrize(
    ("kind", "by", "given", "says"),
    [
        (OutputKind.ATTRIBUTION, "age", True, "attribution is counted by journeys"),
        (OutputKind.DELAY, "journey", True, "delay is counted by ages"),
        (OutputKind.ATTRIBUTION, "journey", False, r"needs parameters\.timing"),
        (OutputKind.TABLE, "journey", False, "made of touches and their times"),
        (OutputKind.TABLE, "journey", True, r"has no parameters\.timing"),
        (OutputKind.DELAY, "age", True, "epsilon_people_nano"),
    ],
)
def test_labels_of_touches_are_for_attribution_and_delay_alone(pair, kind, by, given, says):
    with pytest.raises((Refusal, UnsuitableLabels), match=says):
        make(pair, kind, by, timing(most_conversions=1) if given else None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"most_conversions": 5}, "of at most 4 conversions a person; the request asks for 5"),
        ({"most_conversions": 255}, "of at most 4 conversions a person; the request asks for 255"),
        ({"most_keys": 65_536}, "so 128 in all; the request asks for 65,536"),
        ({"lookback_days": 31}, "of at most 30 days before a conversion; the request asks for 31"),
    ],
)
def test_what_a_recipient_asks_beyond_the_contract_is_refused_at_either_side(pair, changes, says):
    parties, contract = pair
    with pytest.raises(Refusal, match=says) as refused:
        make(pair, OutputKind.ATTRIBUTION, "journey", timing(**changes))
    assert refused.value.status is RefusalStatus.NOT_GRANTED
    table = TableChoice(
        OutputKind.ATTRIBUTION, segment="basket", by="journey", timing=timing(**changes)
    )
    hostile = table_request(parties["advertiser"], contract, table, CHOICE)
    before = parties["channel"].store.write(rows)
    with pytest.raises(Refusal, match=says):
        Desk(parties["channel"]).submit("advertiser", hostile.sign(parties["advertiser"].identity))
    assert parties["channel"].store.write(rows) == before


@pytest.mark.parametrize("changes", [{"room": 5_000_000}, {"most_keys": 128, "room": 2_600_000}])
def test_noise_and_padding_that_would_be_an_attack_are_refused(pair, changes):
    with pytest.raises(Refusal, match="fillers, dummies and points of padding"):
        make(pair, OutputKind.ATTRIBUTION, "journey", timing(**changes))


def test_noise_of_more_than_can_be_drawn_is_refused(pair, monkeypatch):
    monkeypatch.setitem(globals(), "CHOICE", Choice(epsilon="20", epsilon_dummies="0.01"))
    with pytest.raises(Refusal, match="In the request"):
        make(pair, OutputKind.ATTRIBUTION, "journey", timing())


def test_a_quote_tells_keys_and_what_rests_on_the_bound(pair):
    parties, contract = pair
    table = TableChoice(OutputKind.ATTRIBUTION, segment="basket", by="journey", timing=timing())
    request = table_request(parties["advertiser"], contract, table, CHOICE)
    quoted = quote_for(parties["advertiser"], contract, request, Guess(their_people=1000))
    assert 20 < quoted.touching.keys_a_person < 60  # two for each interval
    assert "up to 64 times the table's ε" in "; ".join(quoted.assumptions)
    assert quoted.to_json()["touches_a_person"] == 3
    legs = {leg.name: leg.points for leg in quoted.figures.legs}
    assert legs["recipient's points"] == 3 * Terms.of(request).padded("advertiser")
    assert {charge.role: charge.epsilon_nano for charge in quoted.figures.charges} == {
        "tabulator": 49 * 10**9, "recipient": 9 * 10**9,
    }  # fmt: skip


def test_an_attribution_replays_from_the_events_of_its_window(pair, attributed):
    request, _ = attributed
    parties, _ = pair
    for party in parties.values():
        done = replay(party, request.id)
        assert done.verdict is Verdict.AGREES, done.checks


class Carried:
    """Carries the advertiser's requests to the channel, both in this process."""

    def __init__(self, parties):
        self.parties, self.party = parties, parties["advertiser"]

    def ask(self, request, contract, *, actor):
        signed = Desk(self.party).make(request, contract, actor=actor)
        assert Desk(self.parties["channel"]).submit("advertiser", signed).state == "approved"
        return self.go_on(Desk(self.party).find(signed.id))

    def go_on(self, filed):
        assert set(run_both(self.parties, filed.request, Wire()).values()) == {None}
        return Desk(self.party).find(filed.id)


def test_each_run_of_a_schedule_has_a_window_of_its_own_and_what_was_held_for_it(
    pair, attributed, tmp_path
):
    parties, _ = pair
    asker = parties["advertiser"]
    saved = save(asker, "weekly", attributed[0], Outputs(out=str(tmp_path / "{date}.csv")))
    due = asker.now // HOUR * HOUR + 2 * HOUR
    at_hour = datetime.fromtimestamp(due, UTC).strftime("%H:%M")
    schedule = read_schedule(asker, "weekly", "week", at_hour, write_time(due)[:10], None)[1]
    series = SeriesBook(asker).make(saved, schedule)
    assert [run.slot for run in series.runs] == [due]
    spend = Terms.of(attributed[0]).spend_of("advertiser")
    (balance,) = balances(asker)
    assert balance.held.epsilon_nano == spend.epsilon_nano
    before = balance.spent.epsilon_nano
    clocks = {name: party.clock for name, party in parties.items()}
    try:
        for party in parties.values():
            party.clock = lambda: due + 60
        [went] = run_due(Carried(parties))
        assert went.state == "done"
        filed = Desk(asker).find(went.run.request)
        (balance,) = balances(asker)
        assert balance.held.epsilon_nano == 0
        assert balance.spent.epsilon_nano == before + spend.epsilon_nano
        first, asked = (one.parameters.timing.window for one in (attributed[0], filed.request))
        later = filed.request.created - attributed[0].created
        assert 0 <= later - (asked.start - first.start) < first.slot_seconds
        assert len(list(tmp_path.glob("*.csv"))) == 1
    finally:
        for name, party in parties.items():
            party.clock = clocks[name]
    assert run_due(Carried(parties)) == []
