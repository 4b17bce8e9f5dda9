"""Reports with a third party, from what a person types to pages and files, over real sessions.

Covers: reading the choice, the session over gRPC, the stored tables of recipient, tabulator and
third, and every form that a report leaves in. Numbers are held against plain sets within 6 standard
errors: the noise is real.
"""

import json

import pandas as pd
import pytest
import three_organisations
from organisations import people
from three_over_grpc import three_over_grpc

from client.asking import Choice, TableChoice, table_request
from client.lookalike import make_lookalike
from client.page.document import page_of
from client.page.figures import STEPS, figures_of
from client.page.source import source_of
from client.render_report import result_shown
from client.results import NothingLearnt, export, result_of
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import ContractError, PartyError
from reports.costs import Costs
from reports.errors import UnsuitableCosts, UnsuitableLabels
from reports.kinds import require_priced, require_suitable

KINDS = ("insights", "cross-channel", "reach")
SETS = {
    "advertiser": ("customers", "segment", people(0, 2000, ["gold", "silver"])),
    "channel": ("receipts", "frequency", people(500, 2500, ["1", "2+", "1"])),
    "vendor": ("panel", "seen", people(300, 1900, ["1", "2", "3+", "1", "1"])),
}
CHOICES = {
    "insights": TableChoice(
        OutputKind.INSIGHTS, third="vendor", segment="segment", attribute="seen", identifier="email"
    ),
    "cross-channel": TableChoice(
        OutputKind.CROSS_CHANNEL, segment="segment", by="frequency", attribute="seen",
        identifier="email",
    ),
    "reach": TableChoice(OutputKind.REACH, third="vendor", identifier="email"),
}  # fmt: skip
EXACT = Choice(epsilon="3", epsilon_dummies="3")


def labels_of(name):
    return {row[0]: row[3] for row in SETS[name][2]}


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The parties after one session of each kind, and each kind's request as all have filed it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(three_organisations, "SETS", SETS)
    folder = tmp_path_factory.mktemp("three")
    with patch.context(), three_over_grpc(folder, kinds=KINDS, epsilon="40") as three:
        hub, ids = three.parties["advertiser"], {}
        for kind in KINDS:
            request = table_request(hub, three.contract, CHOICES[kind], EXACT)
            asked = Desk(hub).make(request, three.contract, actor="test")
            assert three.carry(asked).state == "finished"
            ids[kind] = asked.id
        yield three, ids
    patch.undo()


def report_of(reported, kind, *, party="advertiser", private=False):
    three, ids = reported
    here = three.parties[party]
    return result_of(here, Desk(here).find(ids[kind]), private=private)


def numbers(report):
    return {(r.metric, r.label, r.segment, r.attribute): r.estimate for r in report.rows()}


def close(estimate, truth):
    assert not estimate.suppressed
    assert abs(estimate.value - truth) <= 6 * estimate.standard_error + 1e-9
    return True


@pytest.mark.parametrize("private", [True, False])
def test_reach_across_channels_counts_nobody_twice(reported, private):
    asker, one, two = map(labels_of, ("advertiser", "channel", "vendor"))
    report = report_of(reported, "cross-channel", private=private)
    found = numbers(report)
    drawn = next(one for one in figures_of(report) if one.metric == STEPS)
    assert [row.segment for row in drawn.rows[::3]] == ["gold", "silver", None]
    for segment in ("gold", "silver", None):
        people = {who for who, value in asker.items() if segment in (value, None)}
        a, b = people & one.keys(), people & two.keys()
        where = segment, None
        assert close(found["reach", "channel", *where], len(a))
        assert close(found["reach", "vendor", *where], len(b))
        assert close(found["reach", None, *where], len(a | b))
        assert close(found["reached by", "channel only", *where], len(a - b))
        assert close(found["reached by", "vendor only", *where], len(b - a))
        assert close(found["reached by", "both", *where], len(a & b))
        twice = {w for w in a | b if int(one.get(w, "0")[0]) + int(two.get(w, "0")[0]) >= 2}
        assert close(found["reach at least", "2+", *where], len(twice))
        often = {who for who in b - a if two[who] == "3+"}
        assert close(found["reached exactly", "vendor only: 3+", *where], len(often))
        audience = found["audience", None, *where]
        assert audience.value == len(people) if private else close(audience, len(people))


@pytest.mark.parametrize("private", [True, False])
def test_a_third_partys_attributes_on_the_shared_audience(reported, private):
    asker, one, two = map(labels_of, ("advertiser", "channel", "vendor"))
    report = report_of(reported, "insights", private=private)
    found = numbers(report)
    for segment in ("gold", "silver", None):
        matched = {who for who in asker.keys() & one.keys() if segment in (asker[who], None)}
        known = matched & two.keys()
        assert close(found["matched", None, segment, None], len(matched))
        assert close(found["matched and not known", None, segment, None], len(matched - known))
        for value in ("1", "2", "3+"):
            here = {who for who in known if two[who] == value}
            assert close(found["matched with", None, segment, value], len(here))
            base = sum(one == value for one in two.values()) / len(two)
            index = 100 * len(here) / len(known) / base
            assert close(found["index", None, segment, value], index)


def test_reach_by_attribute_says_whom_the_third_does_not_know(reported):
    asker, one, two = map(labels_of, ("advertiser", "channel", "vendor"))
    found = numbers(report_of(reported, "reach"))
    reached = asker.keys() & one.keys()
    assert close(found["reach", None, None, None], len(reached))
    unknown = found["reach", None, None, "not known to vendor"]
    assert close(unknown, len(reached - two.keys()))
    assert close(found["audience", None, None, "1"], sum(two.get(who) == "1" for who in asker))


def test_the_tabulator_has_the_table_without_names_and_the_third_has_nothing(reported):
    table = report_of(reported, "cross-channel", party="channel")
    assert table.title() == "table"
    assert {row.attribute for row in table.rows()} == {
        None, "label 1", "label 2", "label 3", "not known to vendor",
    }  # fmt: skip
    with pytest.raises(PartyError, match="only the recipient"):
        report_of(reported, "cross-channel", party="channel", private=True)
    nothing = report_of(reported, "cross-channel", party="vendor")
    assert nothing == NothingLearnt("third")
    assert "has its table; the third party" in result_shown(nothing)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_three_leaves_in_every_form(reported, kind, tmp_path):
    three, ids = reported
    hub = three.parties["advertiser"]
    source = source_of(hub, Desk(hub).find(ids[kind]))
    for private in (False, True):
        report = report_of(reported, kind, private=private)
        page = page_of(report, [source], "advertiser")
        assert "vendor as the third party" in page
        assert ("not known to vendor" in page) == (kind == "reach")
        assert page.count("data:image/svg+xml") >= 2
        assert len(result_shown(report)) > 3
    for suffix in ("csv", "parquet", "json"):
        export(report_of(reported, kind), tmp_path / f"report.{suffix}")
    frame = pd.read_parquet(tmp_path / "report.parquet")
    assert len(frame) == len(pd.read_csv(tmp_path / "report.csv"))
    named = {"cross-channel": set(), "insights": {"1", "2", "3+"}}
    known = named.get(kind, {"1", "2", "3+", "not known to vendor"})
    assert set(frame["attribute"].dropna()) == known
    stored = json.loads((tmp_path / "report.json").read_text())
    assert stored["table"]["third"]["parties"] == ["channel", "advertiser", "vendor"]
    assert "drawn" not in stored["table"]


def test_what_cannot_be_asked_for_is_refused_before_anything_is_spent(reported):
    three, _ = reported
    hub, contract = three.parties["advertiser"], three.contract

    def ask(**changes):
        return table_request(hub, contract, TableChoice(**changes), Choice())

    with pytest.raises(PartyError, match="name it with --third"):
        ask(kind=OutputKind.REACH, tabulator="channel", attribute="seen")
    with pytest.raises(ContractError, match="no party of contract"):
        ask(kind=OutputKind.REACH, third="nobody")
    with pytest.raises(ContractError, match="between three parties"):
        ask(kind=OutputKind.REACH, tabulator="vendor", third="vendor")
    with pytest.raises(UnsuitableLabels, match="two arms"):
        require_suitable("lift", ("1", "2+", "3"), ("1", "2+"))
    with pytest.raises(UnsuitableCosts):
        require_priced(
            "cross-channel", ("1", "2+"), Costs.of_campaigns({"all": "5"}), with_third=True
        )


def test_no_lookalike_is_made_from_the_attributes_of_another(reported, tmp_path):
    three, ids = reported
    with pytest.raises(PartyError, match=r"the attributes of request .* are vendor's"):
        make_lookalike(
            three.parties["channel"],
            ids["insights"],
            dataset=None,
            purpose="dpv:MarketResearch",
            top=1.0,
            out=tmp_path / "scored.csv",
            actor="test",
        )
    assert not list(tmp_path.iterdir())
