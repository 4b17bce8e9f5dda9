"""Attribution and delay equal plain computations when the harness removes the noise.

Rules are recomputed conversion by conversion; Shapley values over all orders of campaigns; Markov
by walking a chain of dictionaries. Covers the reports from a table on; journeys and their meeting
with conversions are in test_dataset_moments.py and test_attribution_sessions.py.
"""

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from counted_session import SilentLaws
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.session import SessionNoise, TableLaws
from psi.journey import campaigns_of, coalitions_of, list_journeys
from reports import attribution, delay, kinds
from reports.attribution import MODELS
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.credits import UNIT, split
from reports.errors import UnsuitableCosts, UnsuitableLabels
from reports.table import MomentsTable, ReleasedTable, ReleaseParameters

WORLDS = settings(deadline=None, max_examples=30)
RULES = MODELS[:5]
CAMPAIGNS = ("A", "B", "C", "D")
BASKETS = ("new × 0", "new × 10", "new × 20", "old × 0", "old × 10", "old × 20")


def estimates(journeys, counts, people=(), segments=BASKETS, audience=None, laws=None, of=None):
    """Return estimates of a table of these counts; without noise unless laws are given."""
    laws = laws or SilentLaws()
    labels = tuple(one.text for one in journeys) if of is None else of
    counts = np.asarray(counts) + laws.dummies.mean
    parameters = ReleaseParameters(10**9, 10**9, 10**6, 1, 1, 128, 0)
    table = ReleasedTable(
        labels, tuple(segments), tuple(map(tuple, counts.tolist())), (900,) * len(labels),
        (900,) * len(segments), parameters,
        MomentsTable(0, 3600, 24, 24, 64, 10**9 if people else 0, tuple(people)),
    )  # fmt: skip
    drawn = np.full(counts.shape, laws.dummies.mean).tolist()
    known = [10_000] * len(segments) if audience is None else audience
    return PrivateEstimates(table, laws, drawn, known), ShareableEstimates(table, laws)


@st.composite
def worlds(draw):
    """Return journeys, conversions of each by basket, and touched people by coalition."""
    campaigns = CAMPAIGNS[: draw(st.integers(1, 4))]
    journeys = list_journeys(campaigns, draw(st.integers(0, 2)))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    counts = source.integers(0, 4, (len(journeys), len(BASKETS)))
    counts *= source.random(counts.shape) < draw(st.sampled_from([0.1, 1.0]))
    listed = coalitions_of(journeys)
    met = Counter()
    for journey, row in zip(journeys, counts, strict=True):
        met[journey.coalition] += int(row.sum())
    people = [met[frozenset(one)] + int(source.integers(0, 9)) for one in listed]
    return journeys, counts, people


def plain_credit(model, journey):
    """Return the credit of each touch of a journey as (campaign, share)."""
    path = journey.campaigns
    if model == "decay":
        return [(journey.winner, UNIT)]
    if model in ("last", "first"):
        return [(path[-1] if model == "last" else path[0], UNIT)]
    shares = [Fraction(1, len(path))] * len(path)
    if model == "position" and len(path) > 2:
        inner = Fraction(20, 100) / (len(path) - 2)
        shares = [Fraction(40, 100), *[inner] * (len(path) - 2), Fraction(40, 100)]
    floors = [math.floor(share * UNIT) for share in shares]
    left = UNIT - sum(floors)
    order = sorted(range(len(path)), key=lambda at: (floors[at] - shares[at] * UNIT, at))
    for at in order[:left]:
        floors[at] += 1
    return list(zip(path, floors, strict=True))


@WORLDS
@given(worlds())
def test_rules_equal_a_split_of_every_conversion(world):
    journeys, counts, _ = world
    for view in estimates(journeys, counts):
        numbers = attribution.build(view, RULES).numbers
        found = {(c.model, c.campaign, c.segment): c for c in numbers.credited}
        for model in RULES:
            conversions, value = defaultdict(int), defaultdict(int)
            for journey, row in zip(journeys, counts.tolist(), strict=True):
                for basket, count in zip(BASKETS, row, strict=True):
                    segment, _, bound = basket.partition(" × ")
                    for campaign, credit in plain_credit(model, journey):
                        for key in ((campaign, segment), (campaign, None)):
                            conversions[key] += credit * count
                            value[key] += credit * count * int(bound)
            for key in itertools.product(campaigns_of(journeys), ("new", "old", None)):
                one = found[model, *key]
                assert one.conversions.value == conversions[key] / UNIT
                assert one.value.value == pytest.approx(value[key] / UNIT, abs=1e-6)
            total = sum(conversions[campaign, None] for campaign in campaigns_of(journeys))
            assert total == UNIT * counts.sum()


def plain_shapley(campaigns, converted, people):
    """Average each campaign's marginal rate over all orders in which campaigns may come."""
    rate = {frozenset(): 0.0}
    for size in range(1, len(campaigns) + 1):
        for some in map(frozenset, itertools.combinations(campaigns, size)):
            if people.get(some):
                rate[some] = converted[some] / people[some]
            else:  # nobody to tell: what the best subset tells
                rate[some] = max(
                    rate[frozenset(less)]
                    for fewer in range(size)
                    for less in itertools.combinations(some, fewer)
                )
    value = dict.fromkeys(campaigns, 0.0)
    orders = list(itertools.permutations(campaigns))
    for order in orders:
        for place, campaign in enumerate(order):
            before = frozenset(order[:place])
            value[campaign] += (rate[before | {campaign}] - rate[before]) / len(orders)
    return value


def plain_markov(campaigns, paths):
    """Return removal effects from (path, converted, strayed), by walking until all have ended."""
    flow = defaultdict(Counter)
    for path, converted, strayed in paths:
        steps = ["start", *path]
        for here, there in itertools.pairwise(steps):
            flow[here][there] += converted + strayed
        flow[steps[-1]]["done"] += converted
        flow[steps[-1]]["away"] += strayed

    def reached(without):
        mass, done = {"start": 1.0}, 0.0
        for _ in range(4_000):
            after = defaultdict(float)
            for here, part in mass.items():
                whole = sum(flow[here].values())
                for there, count in flow[here].items():
                    if not whole or there == without or there == "away":
                        continue
                    if there == "done":
                        done += part * count / whole
                    else:
                        after[there] += part * count / whole
            mass = after
            if sum(mass.values()) < 1e-15:
                break
        return done

    whole = reached(None)
    return {name: 1 - reached(name) / whole for name in campaigns}


@WORLDS
@given(worlds())
def test_data_driven_models_equal_plain_ones(world):
    journeys, counts, people = world
    campaigns, total = campaigns_of(journeys), int(counts.sum())
    touched = {
        frozenset(names): n for names, n in zip(coalitions_of(journeys), people, strict=True)
    }
    converted = Counter()
    rows = [int(row.sum()) for row in counts]
    for journey, count in zip(journeys, rows, strict=True):
        converted[journey.coalition] += count
    paths = []
    for journey, count in zip(journeys, rows, strict=True):
        mine = journey.coalition
        stayed, whole = touched[mine] - converted[mine], converted[mine]
        alike = sum(other.coalition == mine for other in journeys)
        part = count / whole if whole else 1 / alike
        paths.append((journey.campaigns, count, stayed * part))
    expected = {}
    if total:
        shapley = plain_shapley(campaigns, converted, touched)
        effect = plain_markov(campaigns, paths)
        gains = {k: max(v, 0) if v > 1e-12 else 0 for k, v in shapley.items()}
        expected["shapley"] = {k: v / (sum(gains.values()) or 1) for k, v in gains.items()}
        expected["markov"] = {k: v / sum(effect.values()) for k, v in effect.items()}
    numbers = attribution.build(estimates(journeys, counts, people)[0]).numbers
    found = {(c.model, c.campaign): c for c in numbers.credited if c.segment is None}
    value = numbers.attributed[-1][2].value
    for model, campaign in itertools.product(("shapley", "markov"), campaigns):
        one = found[model, campaign]
        if not total or not any(expected[model].values()):
            assert one.conversions.suppressed or model == "shapley"  # rounding may tell all
            continue
        share = expected[model][campaign]
        assert one.conversions.value == pytest.approx(share * total, rel=1e-9, abs=1e-9)
        assert one.value.value == pytest.approx(share * value, rel=1e-9, abs=1e-6)
        assert one.conversions.standard_error == pytest.approx(0, abs=1e-9)


@WORLDS
@given(worlds())
def test_paths_totals_and_unattributed_equal_plain_sums(world):
    journeys, counts, _ = world
    private, shareable = estimates(journeys, counts, audience=[500] * len(BASKETS))
    numbers = attribution.build(private, ()).numbers
    by_path = Counter()
    for journey, row in zip(journeys, counts, strict=True):
        by_path[journey.path] += int(row.sum())
    assert {path: one.value for path, one in numbers.paths} == by_path
    totals = {segment: one.value for segment, one, _ in numbers.attributed}
    unattributed = {segment: one.value for segment, one in numbers.unattributed}
    assert totals == {
        "new": counts[:, :3].sum(), "old": counts[:, 3:].sum(), None: counts.sum()
    }  # fmt: skip
    assert unattributed == {
        segment: (3_000 if segment is None else 1_500) - count for segment, count in totals.items()
    }
    assert all(one.suppressed for _, one in attribution.build(shareable, ()).numbers.unattributed)


def suppressed_below_ten(journeys, counts, people=()):
    """Return the attribution of one label's conversions where cells below ten are suppressed."""
    made, _ = estimates(journeys, counts, people, ("all",))
    table = replace(made.table, parameters=replace(made.table.parameters, min_cell=10))
    return attribution.build(replace(made, table=table)).numbers


@pytest.mark.parametrize(("counts", "shown"), [({"A": 4, "B": 20}, None), ({"A": 4, "B": 4}, 16)])
def test_one_suppressed_path_is_not_shown_as_all_others(counts, shown):
    journeys = list_journeys(("A", "B"), 0)
    paths = dict(suppressed_below_ten(journeys, [[counts[one.last]] for one in journeys]).paths)
    others = paths["all other paths"]
    assert others.suppressed == (shown is None)
    assert others.suppressed or others.value == shown


def test_a_model_of_one_suppressed_cell_is_withheld():
    numbers = suppressed_below_ten(list_journeys(("A",), 0), [[8]], (90,))
    assert {one.model for one in numbers.credited} == set(MODELS)
    assert all(one.conversions.suppressed for one in numbers.credited)


def test_above_ten_campaigns_the_smallest_are_one():
    campaigns = tuple(f"C{number}" for number in range(12))
    journeys = list_journeys(campaigns, 1)
    counts = np.zeros((len(journeys), 1), dtype=int)
    for row, journey in enumerate(journeys):
        if journey.text == f"{journey.last} ({journey.last})":
            counts[row] = 5 + campaigns.index(journey.last)
    people = [100 if len(one) == 1 else 0 for one in coalitions_of(journeys)]
    numbers = attribution.build(estimates(journeys, counts, people, ("all",))[0]).numbers
    for model in ("shapley", "markov"):
        found = {c.campaign: c.conversions.value for c in numbers.credited if c.model == model}
        assert set(found) == {*campaigns[3:], "other campaigns"}
        assert sum(found.values()) == pytest.approx(counts.sum())


@WORLDS
@given(st.integers(1, 4), st.integers(0, 2**32))
def test_delay_equals_plain_sums(classes, seed):
    hours = (0, 1, 24, 168)[:classes]
    labels = tuple(f"{name} × {bound} h" for name in ("A", "B") for bound in hours)
    counts = np.random.default_rng(seed).integers(0, 50, (len(labels), 2))
    numbers = delay.build(
        estimates((), counts, segments=("new", "old"), of=labels)[0]
    ).numbers  # fmt: skip
    grid = counts.reshape(2, classes, 2)
    columns = {"new": [0], "old": [1], None: [0, 1]}
    groups = {"A": [0], "B": [1], "all campaigns": [0, 1]}
    for one in numbers.classes:
        name, _, bound = one.label.rpartition(" × ")
        step = hours.index(int(bound.removesuffix(" h")))
        block = grid[groups[name]][:, :, columns[one.segment]]
        assert one.conversions.value == block[:, step].sum()
        if one.share is not None and not one.share.suppressed:
            assert one.share.value == pytest.approx(block[:, : step + 1].sum() / block.sum())
    for name, segment, total in numbers.totals:
        assert total.value == grid[groups[name]][:, :, columns[segment]].sum()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=7))
def test_a_conversion_is_split_to_the_last_millionth(weights):
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    parts = split(shares)
    assert sum(parts) == UNIT
    assert all(abs(part - share * UNIT) < 1 for part, share in zip(parts, shares, strict=True))


@WORLDS
@given(worlds(), st.sampled_from(["private", "shareable"]))
def test_cost_and_return_equal_plain_divisions(world, kind):
    journeys, counts, people = world
    private, shareable = estimates(journeys, counts * 40, people)
    campaigns = campaigns_of(journeys)
    costs = Costs.of_campaigns({name: str(100 + 50 * at) for at, name in enumerate(campaigns)})
    report = kinds.build("attribution", private if kind == "private" else shareable, costs)
    found = {(row.metric, row.label): row.estimate for row in report.rows() if row.segment is None}
    paid = {name: 100 + 50 * at for at, name in enumerate(campaigns)}
    for (metric, name), one in found.items():
        of, _, model = metric.partition(", ")
        if of == "cost":
            expected = sum(paid.values()) if name is None else paid[name]
            assert (one.value, one.half_width) == (expected, 0)
        if of not in ("cost per acquisition", "ROAS"):
            continue
        cost = sum(paid.values()) if name is None else paid[name]
        under = f", {model}" if model else ""
        conversions, value = found[f"conversions{under}", name], found[f"value{under}", name]
        if of == "ROAS":
            assert one.suppressed == value.suppressed
            assert one.suppressed or one.value == pytest.approx(value.value / cost)
        else:
            assert one.suppressed == (not conversions.clear)
            assert one.suppressed or one.value == pytest.approx(cost / conversions.value)
    credited = {name for metric, name in found if metric == "cost per acquisition, last"}
    assert credited == set(campaigns)
    assert any("what the campaign has caused" in note for note in report.notes())


def test_cost_of_one_campaign_is_said_of_it_alone_and_unknown_ones_are_refused():
    journeys = list_journeys(("A", "B"), 1)
    private, _ = estimates(journeys, np.full((len(journeys), len(BASKETS)), 50))
    rows = kinds.build("attribution", private, Costs.of_campaigns({"B": "9"}), ("last",)).rows()
    priced = [
        (row.metric, row.label) for row in rows if "ost" in row.metric or "ROAS" in row.metric
    ]
    assert priced == [("cost", "B"), ("cost per acquisition, last", "B"), ("ROAS, last", "B")]
    with pytest.raises(UnsuitableCosts, match="for 'C', which this report does not have"):
        kinds.build("attribution", private, Costs.of_campaigns({"C": "9"}))


def test_a_reader_may_choose_models():
    journeys = list_journeys(("A", "B"), 1)
    view = estimates(journeys, np.ones((len(journeys), 6), dtype=int))[0]
    assert {c.model for c in attribution.build(view, ("first",)).numbers.credited} == {"first"}
    assert {c.model for c in attribution.build(view).numbers.credited} == set(RULES)


def test_labels_that_are_no_list_are_refused():
    view = estimates((), [[1] * 6], of=("gold",))[0]
    with pytest.raises(UnsuitableLabels, match="counted by journeys"):
        attribution.build(view)
    with pytest.raises(UnsuitableLabels, match="counted by ages"):
        delay.build(view)


RUNS = 100


@pytest.mark.parametrize("kind", [0, 1], ids=["private", "shareable"])
def test_intervals_hold_what_they_promise(kind):
    """Over runs with fresh noise, about 95 of 100 intervals hold the noiseless number."""
    noise = SessionNoise(10**9, 10**9, 10**6)
    laws = TableLaws(noise, 2, 2, 128, 10**9)
    journeys = list_journeys(("A", "B", "C"), 1)
    source = np.random.default_rng(11)
    exact = source.integers(0, 900, (len(journeys), 1)) * (source.random((len(journeys), 1)) < 0.6)
    people = [int(n) for n in source.integers(20_000, 40_000, len(coalitions_of(journeys)))]
    truth = {
        (c.model, c.campaign): c.conversions.value
        for c in attribution.build(
            estimates(journeys, exact, people, ("all",))[0]
        ).numbers.credited
    }  # fmt: skip
    held = Counter()

    def draws(law, shape):
        first, mass = law.pmf()
        values = first - law.mean + np.arange(len(mass))
        return source.choice(values, shape, p=mass / mass.sum())

    for _ in range(RUNS):
        counts = exact + draws(laws.release, exact.shape)
        if kind == 1:
            counts = counts + draws(laws.dummies, exact.shape)
        noisy = [n + int(draws(laws.people, ())) for n in people]
        view = estimates(journeys, counts, noisy, ("all",), laws=laws)[kind]
        for one in attribution.build(view).numbers.credited:
            inside = one.conversions.low <= truth[one.model, one.campaign] <= one.conversions.high
            held[one.model] += inside / 3
    for model in MODELS:
        assert 0.90 <= held[model] / RUNS <= 0.99, (model, held[model] / RUNS)
