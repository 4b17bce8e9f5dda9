"""The arithmetic of benchmarks: what becomes of figures, and which runs get none, never a time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_parties import BEFORE, card_of

from benchmarks import __main__ as orchestra
from benchmarks import attribution, columns, curve, identity, moments, output, rivals, session
from benchmarks.errors import BenchmarkError
from benchmarks.goals import GOALS, judge_goals
from benchmarks.growth import fit_exponent
from benchmarks.machine import Machine
from benchmarks.openssl import parse_speed
from benchmarks.parties import ADVERTISER, CHANNEL, VENDOR, filled_in, terms_of
from benchmarks.session_tables import find_run, rival_ratio, session_tables
from benchmarks.summary import assemble, render
from benchmarks.text_table import MARK_LEGEND
from benchmarks.workload import (
    FREQUENCIES,
    SEGMENTS,
    Size,
    frequency_of,
    receiver_numbers,
    segment_of,
    sender_numbers,
    write_list,
    write_people,
)
from party.contract_draft import draft_contract
from party.contract_file import parse_contract

MILLION = 1_000_000
QUIET = {
    "seconds": 1.0,
    "cpu_seconds": 1.0,
    "other_cores": 0.0,
    "stolen_cores": 0.0,
    "disturbed": False,
}
MACHINE = Machine(
    "a processor", ("avx2",), 2, 8.0, "Linux x86_64", "3.11", "OpenSSL 3", "50", "none"
)


def run(protocol, people, seconds, *, sender=None, disturbed=False, wire_mb=96.0):
    return {
        "protocol": protocol,
        "receiver": people,
        "sender": sender or people,
        "seconds": seconds,
        "session_seconds": seconds - 1,
        "cpu_seconds": 2 * seconds,
        "engine_cpu_seconds": 1.5 * seconds,
        "engine_share": 0.75,
        "engine_share_of_cpu": 0.8,
        "peak_mb": {"advertiser": 300.0, "channel": 400.0},
        "wire_mb": wire_mb,
        "payload_mb": 95.0,
        "load": QUIET | {"disturbed": disturbed},
    }


def rival(name, people, seconds, **other):
    return {
        "name": name,
        "family": "DH",
        "receiver": people,
        "sender": people,
        "version": "x 1",
        "seconds": seconds,
        "cpu_seconds": seconds,
        "peak_mb": {"receiver": 500.0, "sender": 600.0},
        "wire_mb": 76.0,
        "load": QUIET,
        "error": None,
    } | other


def sessions(*runs, others=()):
    return {"engine": "ifma", "runs": list(runs), "rivals": list(others)}


def summary(**parts):
    return assemble(parts, MACHINE, began=0.0, seconds=3.0)


def judged(**parts):
    return {goal.name: goal for goal in judge_goals(parts)}


# --- how figures grow ----------------------------------------------------------------------------


@given(
    exponent=st.floats(-3, 3),
    factor=st.floats(1e-3, 1e3),
    sizes=st.lists(st.integers(1, 10**7), min_size=2, max_size=6, unique=True),
)
def test_the_exponent_of_a_power_law_is_found(exponent, factor, sizes):
    figures = [factor * size**exponent for size in sizes]
    assert fit_exponent(sizes, figures) == pytest.approx(exponent, abs=1e-6)


def test_a_fixed_cost_lowers_the_exponent():
    assert fit_exponent([1e4, 1e5, 1e6], [3 + 1e-5 * n for n in (1e4, 1e5, 1e6)]) < 0.5


@pytest.mark.parametrize(
    ("sizes", "figures"),
    [([], []), ([5], [1.0]), ([5, 5], [1.0, 2.0]), ([5, 6], [1.0]), ([5, 6], [1.0, 0.0])],
)
def test_no_exponent_without_figures_of_two_sizes(sizes, figures):
    with pytest.raises(BenchmarkError):
        fit_exponent(sizes, figures)


def test_growth_is_shown_only_where_two_sizes_were_run():
    assert "Growth" not in session_tables(sessions(run("match", 100_000, 9.0)))
    both = session_tables(sessions(run("match", MILLION, 90.0), run("match", 100_000, 9.0)))
    assert ["seconds", "9.0", "90.0", "10.00", "1.00"] in map(str.split, both.splitlines())


# --- ratios --------------------------------------------------------------------------------------


def test_a_peer_is_compared_with_our_match_of_the_same_size_alone():
    ours = sessions(run("match", 100_000, 2.0), run("crosstab", 100_000, 3.0))
    assert rival_ratio(ours, rival("a", 100_000, 5.0), "seconds") == 2.5
    assert rival_ratio(ours, rival("a", MILLION, 5.0), "seconds") is None
    assert find_run(ours, "crosstab", 100_000, MILLION) is None


def test_no_ratio_without_both_figures():
    ours = sessions(run("match", 100_000, 2.0, wire_mb=None))
    assert rival_ratio(ours, rival("a", 100_000, 5.0), "wire_mb") is None
    assert rival_ratio(ours, rival("a", 100_000, None), "seconds") is None


def test_a_peer_that_failed_has_no_figures_and_says_why():
    failed = rival("SecretFlow RR22", MILLION, None, error="it was killed")
    text = session_tables(sessions(run("match", MILLION, 15.0), others=[failed]))
    assert "failed" in text
    assert "SecretFlow RR22, 1M x 1M: it was killed" in text


def test_a_disturbed_run_is_marked():
    assert MARK_LEGEND not in session_tables(sessions(run("match", 100_000, 2.0)))
    text = session_tables(sessions(run("match", 100_000, 2.0, disturbed=True)))
    assert "2.0~" in text
    assert MARK_LEGEND in text


def test_bytes_without_a_loopback_of_their_own_are_called_by_their_name():
    text = session_tables(sessions(run("match", 100_000, 2.0, wire_mb=None)))
    assert "95.0" in text
    assert "MB wire is the sets alone" in text


@pytest.mark.parametrize(
    ("line", "microseconds"),
    [("+F5:22:253:17480.7:0.0000572", 1e6 / 17480.7), ("+F5:4:253:0.0000572:17480.7", 57.206)],
)
def test_openssl_is_read_in_both_orders(line, microseconds):
    text = f"+DTP:253:ecdh:X25519:1\n{line}\n"
    assert parse_speed(text) == pytest.approx(microseconds, rel=1e-4)


@pytest.mark.parametrize("text", ["", "speed: unknown algorithm", "+F4:22:253:17480.7"])
def test_openssl_that_says_nothing_gives_no_figure(text):
    with pytest.raises(BenchmarkError):
        parse_speed(text)


# --- goals ---------------------------------------------------------------------------------------


def test_a_goal_is_judged_only_by_what_was_measured():
    assert all(goal.met is None for goal in judged().values())
    found = judged(session=sessions(run("match", MILLION, 15.0)))
    assert {name for name, goal in found.items() if goal.met is not None} == {
        "match 1M x 1M, seconds",
        "engine / wall, match 1M x 1M",
        "peak MB a party, match 1M x 1M",
        "MB on the wire, match 1M x 1M",
    }


@pytest.mark.parametrize(("seconds", "met"), [(15.0, True), (15.01, False)])
def test_a_bound_itself_is_met_and_beyond_it_is_not(seconds, met):
    found = judged(session=sessions(run("match", MILLION, seconds)))
    assert found["match 1M x 1M, seconds"].met is met


def test_goals_compare_runs_of_the_right_size_and_protocol():
    found = judged(
        session=sessions(
            run("match", MILLION, 10.0),
            run("crosstab", MILLION, 12.0),
            run("match", 10 * MILLION, 109.0),
            run("match", 10_000, 8.0, sender=MILLION),
            others=[rival("SecretFlow ECDH-25519", MILLION, 20.0), rival("OpenMined PSI", 9, 5.0)],
        )
    )
    assert found["crosstab / match, 1M x 1M"].figure == 1.2
    assert found["match 10M x 10M / 1M x 1M, time"].met is False
    assert found["match 10k x 1M, seconds"].met is True
    assert found["SecretFlow ECDH-25519 / match 1M x 1M"].figure == 2.0
    assert found["OpenMined PSI / match 1M x 1M"].met is None


def test_goals_have_names_of_their_own():
    assert len({goal.name for goal in GOALS}) == len(GOALS)


# --- the summary ---------------------------------------------------------------------------------


def test_a_summary_has_machine_parts_and_goals_and_can_be_read():
    made = summary(session=sessions(run("match", MILLION, 15.0)))
    assert made["session"]["engine"] == "ifma"
    assert made["machine"]["processor"] == "a processor"
    assert made["began"] == "1970-01-01T00:00:00Z"
    assert made["disturbed"] is False
    assert len(made["goals"]) == len(GOALS)
    text = render(json.loads(json.dumps(made)))
    assert "match 1M x 1M, seconds" in text
    assert "met" in text


def test_one_disturbed_run_makes_a_disturbed_summary():
    runs = run("match", MILLION, 15.0), run("match", 100_000, 2.0, disturbed=True)
    assert summary(session=sessions(*runs))["disturbed"] is True


def test_a_failed_part_leaves_no_summary():
    with pytest.raises(BenchmarkError, match="curve"):
        summary(session=sessions(run("match", MILLION, 15.0)), curve=None)


def test_no_part_leaves_no_summary():
    with pytest.raises(BenchmarkError):
        summary()


def test_a_part_that_fails_leaves_no_older_figures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(output.__file__).parents[1]))
    output.write_figures(output.part_file("curve"), {"old": 1})
    assert orchestra.run_part(orchestra.Part("curve", ("--no-such-option",))) is None
    with pytest.raises(BenchmarkError, match="no figures"):
        output.read_figures(output.part_file("curve"))


def test_a_failed_run_ends_without_a_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(orchestra, "run_part", lambda part: None)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    old = output.FOLDER / "summary.json"
    output.write_figures(old, {"old": 1})
    with pytest.raises(SystemExit) as ended:
        orchestra.main()
    assert ended.value.code not in (0, None)
    assert not old.exists()


def test_nothing_is_run_after_a_part_that_failed(monkeypatch):
    begun = []
    monkeypatch.setattr(orchestra, "run_part", lambda part: begun.append(part.name))
    assert orchestra.run_parts(orchestra.parts_of((), large=False)) == {"curve": None}
    assert begun == ["curve"]


def test_chosen_sizes_reach_the_sessions():
    parts = {part.name: part for part in orchestra.parts_of(("5000", "2000x9000"), large=False)}
    assert parts["session"].options == ("--sizes", "5000", "2000x9000")
    (large,) = orchestra.parts_of((), large=True)
    assert [Size.parse(text).square for text in large.options[1:]] == [True, True]


def test_figures_that_are_no_numbers_are_refused_and_replace_nothing(tmp_path):
    file = tmp_path / "figures.json"
    output.write_figures(file, {"us": 1.5})
    with pytest.raises(ValueError, match="JSON"):
        output.write_figures(file, {"us": float("nan")})
    assert output.read_figures(file) == {"us": 1.5}


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_file_without_figures_is_refused(tmp_path, text):
    file = tmp_path / "figures.json"
    file.write_text(text)
    with pytest.raises(BenchmarkError):
        output.read_figures(file)


@pytest.mark.parametrize(
    "part", [orchestra, curve, columns, moments, session, identity, attribution]
)
def test_every_part_explains_itself(part, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--help"])
    with pytest.raises(SystemExit) as ended:
        part.main()
    assert ended.value.code == 0
    assert "python -m benchmarks" in capsys.readouterr().out


# --- touches and conversions ---------------------------------------------------------------------


def test_attributed_conversions_are_those_of_a_plain_scan(tmp_path):
    world = attribution.World(4_000, 1_767_225_600)
    attribution._write(
        tmp_path / "touches.parquet", "campaign", attribution._touch_rows(world), world.start
    )
    attribution._write(
        tmp_path / "buys.parquet", "basket", attribution._purchase_rows(world), world.start
    )
    touches = pq.read_table(tmp_path / "touches.parquet").to_pandas()
    buys = pq.read_table(tmp_path / "buys.parquet").to_pandas()
    assert (len(touches), len(buys), buys["basket"].nunique()) == (12_000, 400, 8)
    met = buys.merge(touches, on="email", suffixes=("", "_seen"))
    hours = met["at"].dt.floor("h") - met["at_seen"].dt.floor("h")
    met = met[(hours >= pd.Timedelta(0)) & (hours <= pd.Timedelta(days=7))]
    assert world.attributed() == met["email"].nunique() > 50
    assert world.room * len(attribution.BASKETS) >= len(buys)


def test_a_total_beyond_its_noise_has_no_figures():
    rows = [{"metric": "conversions", "segment": None, "value": 90.0, "standard_error": 2.0}]
    attribution._require_total(rows, 100)
    with pytest.raises(BenchmarkError, match="were attributed of 103"):
        attribution._require_total(rows, 103)


# --- the people ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2000x5000", "5000x2000", "3000"])
def test_both_sides_and_the_peers_have_the_same_people_and_share_half(text, tmp_path):
    size = Size.parse(text)
    receiver, sender = receiver_numbers(size), sender_numbers(size.sender)
    write_people(tmp_path / "r.parquet", receiver, label="segment")
    write_people(tmp_path / "s.parquet", sender, label="frequency")
    write_list(tmp_path / "r.csv", receiver)
    ours = pq.read_table(tmp_path / "r.parquet").to_pydict()
    theirs = pq.read_table(tmp_path / "s.parquet").to_pydict()
    assert (len(set(ours["email"])), len(set(theirs["email"]))) == (size.receiver, size.sender)
    shared = {
        int(reference)
        for reference, digest in zip(ours["ref"], ours["email"], strict=True)
        if digest in set(theirs["email"])
    }
    assert shared == set(size.shared_numbers)
    assert len(shared) == min(size.receiver, size.sender) // 2
    assert (tmp_path / "r.csv").read_text().split() == ["id", *ours["email"]]
    assert ours["ref"] != sorted(ours["ref"], key=int)


def test_every_cell_has_as_many_people_as_another():
    numbers = np.arange(4000)
    cells = segment_of(numbers) * len(FREQUENCIES) + frequency_of(numbers)
    assert set(np.bincount(cells)) == {10}
    assert len(set(cells)) == len(SEGMENTS) * len(FREQUENCIES) == 400


@pytest.mark.parametrize("text", ["", "x", "1000", "5000x", "5000xmany", "5000x10", "-5000", "1e6"])
def test_a_size_that_does_not_serve_is_refused(text):
    with pytest.raises(BenchmarkError):
        Size.parse(text)


# --- peers ---------------------------------------------------------------------------------------

FAKE = """
import sys
sys.path.insert(0, {peers!r})
from meeting import RECEIVER, meet, read_digests, write_digests

def play(side):
    own = read_digests(side.file)
    side.wait()
    {work}

meet(play, version="fake 1")
"""


def said_by(tmp_path, work):
    """What a peer says whose result is written by `work`."""
    script = tmp_path / "fake.py"
    script.write_text(FAKE.format(peers=str(rivals.SCRIPTS), work=work))
    files = {}
    for role, names in (("receiver", "abc"), ("sender", "bcd")):
        files[role] = tmp_path / f"{role}.txt"
        files[role].write_text("\n".join(["id", *names, ""]))
    fake = rivals.Rival("fake", "DH", "", str(script), (), 9)
    size = Size(2000, 2000)
    return rivals.run_rival(fake, Path(sys.executable), size, files["receiver"], files["sender"])


def test_a_peer_that_is_right_has_figures(tmp_path):
    figures = said_by(tmp_path, 'write_digests(side.result, ["c", "b"])')
    assert figures.error is None
    assert figures.version == "fake 1"
    assert figures.seconds > 0
    assert min(figures.peak_mb.values()) > 1


@pytest.mark.parametrize("found", [["b"], ["b", "c", "d"], ["b", "c", "c"], []])
def test_a_peer_that_is_wrong_has_none(tmp_path, found):
    figures = said_by(tmp_path, f"write_digests(side.result, {found})")
    assert figures.error == "its result was wrong"
    assert figures.seconds is None


def test_a_peer_whose_side_fails_has_none_and_nothing_hangs(tmp_path):
    figures = said_by(tmp_path, "raise SystemExit(3) if side.role == RECEIVER else side.wait()")
    assert "a side ended with 3" in figures.error
    assert figures.seconds is None


def test_a_peer_that_takes_too_long_is_ended_with_its_sides(tmp_path, monkeypatch):
    monkeypatch.setattr(rivals, "TIME_LIMIT_SECONDS", 1)
    figures = said_by(tmp_path, "__import__('time').sleep(60)")
    assert "not done after 1 seconds" in figures.error
    left = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [words for words in left if str(tmp_path / "fake.py") in words]


def test_without_a_folder_there_are_no_peers():
    assert rivals.installed(None) == {}


def test_a_folder_without_peers_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match="holds no peer"):
        rivals.installed(tmp_path)


@pytest.mark.parametrize(
    ("kind", "parties"),
    [
        ("reach", (ADVERTISER, CHANNEL)),
        ("attribution", (ADVERTISER, CHANNEL)),
        ("insights", (ADVERTISER, CHANNEL, VENDOR)),
    ],
)
def test_what_a_benchmark_signs_is_a_contract(kind, parties):
    cards = {name: card_of(name) for name in parties}
    drafted = draft_contract(
        cards, contract_id="bench", title="Bench", starts=BEFORE, ends=BEFORE + 864_000
    )
    datasets = {name: {"people": terms_of("label", ["one", "two"])} for name in parties}
    signed = parse_contract(filled_in(drafted, datasets, kind).encode())
    assert [output.kind for output in signed.outputs][-1] == kind
