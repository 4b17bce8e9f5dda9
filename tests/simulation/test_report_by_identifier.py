"""Overlap by identifier: the verdict on each type rests on noisy numbers and their errors alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from counted_session import CountedSession, People

from privacy.session import SessionNoise, TableLaws
from reports import by_identifier
from reports.by_identifier import (
    PrivateByIdentifier,
    ShareableByIdentifier,
    Verdict,
)
from reports.errors import MalformedTable, NotShareable

# type: (matched, only the tabulator has, only the recipient has)
CASES = {
    "all is well": ({"phone": (600, 400, 400), "email": (550, 450, 350)}, {}),
    "phones hashed wrongly": (
        {"phone": (0, 1000, 1000), "email": (600, 400, 400)},
        {"phone": Verdict.DIFFERS},
    ),
    "a few phones right": (
        {"phone": (120, 900, 880), "email": (600, 400, 400)},
        {"phone": Verdict.PARTLY_DIFFERS},
    ),
    "phones missing here": (
        {"phone": (10, 990, 20), "email": (600, 400, 400)},
        {"phone": Verdict.MISSING_HERE},
    ),
    "phones missing there": (
        {"phone": (20, 10, 980), "email": (600, 400, 400)},
        {"phone": Verdict.MISSING_THERE},
    ),
    "few are shared": (
        {"phone": (40, 960, 960), "email": (38, 960, 950)},
        {"phone": Verdict.NOT_SHARED, "email": Verdict.NOT_SHARED},
    ),
    "nobody is shared": (
        {"phone": (0, 1000, 1000), "email": (0, 1000, 1000)},
        {"phone": Verdict.NOT_SHARED, "email": Verdict.NOT_SHARED},
    ),
    "a small list against a large one": (
        {"phone": (300, 100, 19_700), "email": (280, 120, 19_720)},
        {},
    ),
    "a large list against a small one": (
        {"phone": (0, 20_000, 500), "email": (300, 19_700, 100)},
        {"phone": Verdict.DIFFERS},
    ),
    "one type that finds": ({"email": (600, 400, 400)}, {}),
    "one type of three": (
        {"phone": (0, 1000, 1000), "email": (600, 400, 400), "maid": (5, 995, 15)},
        {"phone": Verdict.DIFFERS, "maid": Verdict.MISSING_HERE},
    ),
}
LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6), tabulator_bound=2)


def counted(matched, only_tabulator, only_recipient, *, seed=0):
    """Run a session of one cell, with the production laws of noise."""
    people = People(np.array([[matched]]), np.array([only_tabulator]), np.array([only_recipient]))
    return CountedSession(people, LAWS, labels=("all",), segments=("all",), seed=seed).run()


def report(case, kind, seed=0):
    tables = {
        name: getattr(counted(*numbers, seed=seed + at), kind)
        for at, (name, numbers) in enumerate(CASES[case][0].items())
    }
    if kind == "shareable":
        return ShareableByIdentifier(tables)
    return PrivateByIdentifier(tables, dict.fromkeys(tables, 0.5))


@pytest.fixture(params=["private", "shareable"])
def kind(request):
    return request.param


@pytest.mark.parametrize("case", CASES)
def test_each_type_is_judged_rightly_whatever_the_noise(kind, case):
    expected = CASES[case][1]
    for seed in range(0, 80, 10):
        for judged in report(case, kind, seed).verdicts:
            assert judged.verdict is expected.get(judged.type, Verdict.FINDS), seed


def test_the_thresholds_are_those_of_the_document():
    document = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    section = document.split("## overlap by identifier")[1].split("\n## ")[0]
    assert f"surely below {by_identifier.LOW_COVERAGE:.0%}" in section
    assert f"surely finds more than {by_identifier.SURELY_FINDS:.0%}" in section
    assert f"surely less than {by_identifier.NEAR_NOTHING:.0%}" in section
    assert by_identifier.NEXT_TO_NOTHING == 0.1
    assert "less than a tenth" in section
    assert by_identifier.FAR_FEWER == 0.5
    assert "less than half" in section


def test_a_verdict_on_too_few_people_is_not_given(kind):
    tables = {"phone": getattr(counted(3, 10, 20), kind), "email": getattr(counted(4, 9, 20), kind)}
    made = (
        ShareableByIdentifier(tables)
        if kind == "shareable"
        else PrivateByIdentifier(tables, dict.fromkeys(tables, 1.0))
    )
    assert {one.verdict for one in made.verdicts} <= {Verdict.UNCLEAR, Verdict.FINDS}


def test_a_shareable_report_depends_on_the_released_tables_alone():
    made = report("phones hashed wrongly", "shareable")
    tables = {
        name: replace(one, table=type(one.table).from_dict(one.table.to_dict()))
        for name, one in made.tables.items()
    }
    assert ShareableByIdentifier(tables).to_json() == made.to_json()


def test_a_shareable_report_refuses_private_estimates():
    made = report("all is well", "private")
    with pytest.raises(NotShareable):
        ShareableByIdentifier(made.tables)
    shared = report("all is well", "shareable")
    with pytest.raises(NotShareable):
        PrivateByIdentifier(shared.tables, {})


def test_a_report_of_no_type_is_refused():
    with pytest.raises(MalformedTable):
        ShareableByIdentifier({})


def test_a_suppressed_count_stays_hidden_in_every_form():
    made = report("phones hashed wrongly", "shareable")
    document = made.to_dict()
    hidden = [
        row["value"]
        for row in document["rows"]
        if row["label"] == "phone" and row["metric"] in ("matched", "match rate")
    ]
    assert hidden == [None, None]
    assert json.loads(made.to_json())["verdicts"] == document["verdicts"]
    assert "the digests differ" in made.notes()[0]
    assert len(made.to_csv().splitlines()) == 1 + len(document["rows"])
    assert made.to_parquet()[:4] == b"PAR1"


def test_every_private_row_says_that_it_is_private():
    made = report("all is well", "private")
    assert set(made.frame()["kind"]) == {made.kind}
    own = [row for row in made.to_dict()["rows"] if row["metric"] == "share of own people"]
    assert [row["value"] for row in own] == [0.5, 0.5]


def test_a_type_that_few_of_all_own_people_have_is_noted_for_their_owner_alone():
    made = report("all is well", "private")
    few = PrivateByIdentifier(made.tables, {"phone": 0.05, "email": 0.9})
    assert few.notes()[2:] == ("phone: only 5.0% of your own people have one",)
    assert len(report("all is well", "shareable").notes()) == 2


def test_coverage_is_covered_by_its_interval():
    hits = 0
    for seed in range(0, 400, 2):
        first = counted(600, 400, 400, seed=seed).shareable
        second = counted(150, 850, 250, seed=seed + 1).shareable
        made = ShareableByIdentifier({"email": first, "phone": second})
        ratio = made.types[1].coverage
        hits += ratio.low <= 0.4 <= ratio.high
    assert hits >= 190
    assert np.isclose(made.types[1].coverage.value, 0.4, atol=0.1)
