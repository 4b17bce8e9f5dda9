"""The parts behind the commands: exit codes, who dials, quotes of a match, progress, rendering."""

import io
import logging
import sys
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import client.errors
import server.errors
from audit.errors import AuditError
from client import progress
from client.exits import ExitCode, exit_code
from client.output import Output, open_console
from client.render_report import result_shown
from client.serving import ServedDesk
from client.units import shown_bytes, shown_seconds
from party.decision import Decision
from party.dialling import dials
from party.driver import Progress
from party.errors import (
    ContractError,
    PartyError,
    Refusal,
    RefusalStatus,
    ResultError,
    SessionSuspended,
)
from privacy.errors import PrivacyError
from privacy.session import SessionNoise, TableLaws
from privacy.truncated import TruncatedLaplace
from psi.errors import PsiError
from psi.match import is_below_minimum
from reports import overlap
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.errors import ReportError
from reports.match_quote import MatchPlan, quote_match
from reports.table import ReleasedTable, ReleaseParameters

assert client.errors
assert server.errors  # both trees must be loaded for the walk below
ROOTS = (PartyError, PsiError, AuditError, PrivacyError, ReportError)


def below(root):
    yield root
    for child in root.__subclasses__():
        yield from below(child)


# -- exit codes ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for root in ROOTS for kind in below(root)], ids=str)
def test_no_error_of_ours_is_unexpected(kind):
    code = exit_code(kind.__new__(kind))
    assert code not in (None, ExitCode.OK, ExitCode.UNEXPECTED, ExitCode.USAGE)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refusal(RefusalStatus.DECLINED, "no"), 3),
        (SessionSuspended("later"), 4),
        (AuditError("x"), 5),
        (ResultError("x"), 5),
        (ContractError("x"), 6),
        (ValueError("x"), None),
        (OSError("x"), None),
    ],
)
def test_an_error_ends_with_the_documented_code(error, code):
    assert exit_code(error) == code


# -- who dials -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "my_address", "their_address", "we_dial"),
    [
        (True, None, "peer:1", True),
        (True, "me:1", "peer:1", True),
        (True, "me:1", None, False),
        (False, None, "peer:1", True),
        (False, "me:1", "peer:1", False),
        (False, "me:1", None, False),
    ],
)
def test_whoever_asks_dials_if_the_other_listens(mine, my_address, their_address, we_dial):
    cards = {
        "me": SimpleNamespace(address=my_address),
        "peer": SimpleNamespace(address=their_address),
    }
    contract = SimpleNamespace(id="c", parties=cards, me=lambda _: "me")
    filed = SimpleNamespace(mine=mine, peers=("peer",))
    assert dials(SimpleNamespace(identity=None), contract, filed) is we_dial


def test_two_parties_without_an_address_are_told_so():
    cards = {"me": SimpleNamespace(address=None), "peer": SimpleNamespace(address=None)}
    contract = SimpleNamespace(id="c", parties=cards, me=lambda _: "me")
    with pytest.raises(ContractError, match="nobody can dial"):
        dials(SimpleNamespace(identity=None), contract, SimpleNamespace(mine=True, peers=("peer",)))


# -- quotes ----------------------------------------------------------------------------------

LAW = TruncatedLaplace(10**9, 10**6, 1)


def match_plan(**changes):
    usual = {
        "receiver_keys": 1000,
        "sender_keys": 1000,
        "known_answers": 128,
        "most_identifiers": 2,
        "minimum": 50,
        "reserve": 0,
        "hashes_per_second": 1000.0,
        "raises_per_second": 5000.0,
    }
    return MatchPlan(**usual | changes)


def test_a_match_costs_ninety_six_bytes_a_record():
    one = quote_match(match_plan(), LAW, LAW, {})
    more = quote_match(match_plan(receiver_keys=1001, sender_keys=1001), LAW, LAW, {})
    assert more.wire_bytes - one.wire_bytes == 96


def test_a_quote_has_room_for_the_reserve_of_suppression_runs():
    one = quote_match(match_plan(), LAW, LAW, {})
    more = quote_match(match_plan(reserve=1024), LAW, LAW, {})
    assert more.wire_bytes - one.wire_bytes == 1024 * 48
    assert more.sufficient_common == one.sufficient_common


@given(st.integers(1, 200), st.integers(1, 4), st.integers(0, 2 * LAW.n), st.integers(0, 500))
def test_what_a_quote_calls_sufficient_is_never_stopped_at_the_minimum(minimum, most, drawn, more):
    plan = match_plan(minimum=minimum, most_identifiers=most)
    common = quote_match(plan, LAW, LAW, {}).sufficient_common + more
    agreed = {"dummies": 2 * LAW.n, "most_identifiers": most, "minimum": minimum}
    assert not is_below_minimum(common + drawn, **agreed)


def test_one_fewer_than_sufficient_may_be_stopped():
    common = quote_match(match_plan(), LAW, LAW, {}).sufficient_common - 1
    assert is_below_minimum(common, dummies=2 * LAW.n, most_identifiers=2, minimum=50)


@pytest.mark.parametrize(
    "changes",
    [{"receiver_keys": -1}, {"most_identifiers": 0}, {"raises_per_second": 0.0}, {"minimum": -1}],
)
def test_a_plan_that_makes_no_sense_is_refused(changes):
    with pytest.raises(ReportError):
        match_plan(**changes)


# -- progress --------------------------------------------------------------------------------


def watched(capsys, monkeypatch, quiet, told):
    monkeypatch.setattr(progress, "QUIET_SECONDS", quiet)
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.05)
    show, all_told, shown = progress.Lines.show, threading.Event(), threading.Event()

    def note(self, phase):
        after = all_told.is_set()
        show(self, phase)
        if after:
            shown.set()

    monkeypatch.setattr(progress.Lines, "show", note)
    with progress.watching("channel") as tell:
        for one in told:
            tell(one)
        all_told.set()
        assert shown.wait(60 if quiet == 0 else 0.2) == (quiet == 0)
    return capsys.readouterr()


def test_progress_goes_to_stderr_with_phase_rate_and_time_left(capsys, monkeypatch):
    said = watched(capsys, monkeypatch, 0.0, [Progress("blinding", 500, 1000)])
    assert said.out == ""
    assert "blinding: 500 of 1,000 points" in said.err
    assert "a second" in said.err
    assert "left" in said.err


def test_between_phases_it_says_whom_it_waits_for(capsys, monkeypatch):
    said = watched(capsys, monkeypatch, 0.0, [Progress("blinding", 1000, 1000)])
    assert "waiting for channel" in said.err


def test_what_is_quick_shows_nothing(capsys, monkeypatch):
    said = watched(capsys, monkeypatch, 5.0, [Progress("blinding", 500, 1000)])
    assert said.err == ""


# -- rendering -------------------------------------------------------------------------------

PARAMETERS = ReleaseParameters(10**9, 10**9, 10**6, 1, 1, 128, 10)
LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6))


def estimates(counts, segments, *, private=False):
    table = ReleasedTable(("all",), segments, (counts,), (5000,), (900,) * len(counts), PARAMETERS)
    if not private:
        return ShareableEstimates(table, LAWS)
    return PrivateEstimates(table, LAWS, [[LAW.n] * len(counts)], [700] * len(counts))


def shown(result):
    text = io.StringIO()
    console = Console(file=text, width=120, markup=False, highlight=False)
    for part in result_shown(result):
        console.print(part)
    return text.getvalue()


def test_a_small_cell_is_suppressed_and_explained_and_never_a_number():
    text = shown(overlap.build(estimates((500, LAW.n + 3), ("[bold]gold[/bold]", "few"))))
    matched = next(line for line in text.splitlines() if "matched" in line)
    assert "480 ±" in matched
    assert "suppressed" in matched
    assert "it does not mean 0" in text
    assert "[bold]gold[/bold]" in text  # names are shown as they are


def test_a_single_segment_is_shown_once():
    text = shown(overlap.build(estimates((500,), ("all",))))
    header = next(line for line in text.splitlines() if "all" in line)
    assert header.count("all") == 1


@pytest.mark.parametrize(("private", "word"), [(True, "For your eyes only"), (False, "passed on")])
def test_a_report_says_whether_it_may_be_passed_on(private, word):
    assert word in shown(overlap.build(estimates((500, 400), ("a", "b"), private=private)))


def test_many_segments_are_lines_and_not_columns():
    segments = tuple(f"region {number}" for number in range(9))
    text = shown(overlap.build(estimates((500,) * 9, segments)))
    assert all(sum(name in line for name in segments) <= 1 for line in text.splitlines())


def test_a_sentence_is_one_line_where_nobody_watches(capsys):
    Output().say("word " * 100)
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert open_console(sys.stdout).width > 80


def test_sizes_and_durations_are_written_for_people():
    assert shown_bytes(999) == "999 bytes"
    assert shown_bytes(3_400_000) == "3.4 MB"
    assert [shown_seconds(s) for s in (0.2, 12, 200, 7500)] == [
        "under a second",
        "12 s",
        "3 min 20 s",
        "2 h 5 min",
    ]


# -- serving ---------------------------------------------------------------------------------


class FakeDesk:
    def __init__(self):
        self.decision = Decision("pending")

    def submit(self, peer, request):
        return self.decision

    def run(self, request, link, hook):
        for done in (1, 2):
            hook(Progress("raising the tabulator's set", done, 987_654))


def test_serving_logs_an_event_once_and_no_size(caplog):
    desk, request = FakeDesk(), SimpleNamespace(id="ab" * 16, kind="reach")
    served = ServedDesk(desk, None)
    with caplog.at_level(logging.INFO, "commonground.serve"):
        served.submit("channel", request)
        served.submit("channel", request)
        desk.decision = Decision("approved")
        served.submit("channel", request)
        served.run(request, {"channel": SimpleNamespace(peer="channel")})
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 5
    assert "waits for `commonground requests approve abababab`" in lines[0]
    assert lines[3].endswith("raising the tabulator's set")
    assert "987" not in "".join(lines)
