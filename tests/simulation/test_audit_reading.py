"""The log is filtered, shown and taken out as it was logged, by commands and in Python alike."""

import csv
import json

import pytest
from organisations import copy_pair
from tampering import ask_reach
from typer.testing import CliRunner

from audit.entry import Entry
from client.sdk.log import Audit
from commonground.cli import app
from party.errors import PartyError
from party.evidence import StoredLog
from party.selection import Selection, read_moment


@pytest.fixture(scope="module")
def party(ready, tmp_path_factory):
    parties, contract = copy_pair(ready, tmp_path_factory.mktemp("reading"))
    ask_reach(parties, contract)
    yield parties["advertiser"]
    for one in parties.values():
        one.close()


def logged(party):
    return list(StoredLog(party.store, party.identity).entries())


def typed(party, *words, code=0):
    folder = party.folder
    found = CliRunner().invoke(app, ["audit", *map(str, words), "--party", str(folder)])
    assert found.exit_code == code, found.output
    return found.output


def test_each_filter_finds_exactly_what_it_names(party):
    audit, entries = Audit(party), [Entry.parse(data) for data in logged(party)]
    request = next(e.body.request for e in entries if e.kind == "request.made")
    contract = party.contract(None)
    middle = entries[3].time
    for options, holds in (
        ({"kind": "budget.spent"}, lambda e: e.kind == "budget.spent"),
        (
            {"kind": ["consent", "session"]},
            lambda e: e.kind.split(".")[0] in ("consent", "session"),
        ),
        ({"session": request[:8]}, lambda e: getattr(e.body, "request", None) == request),
        ({"contract": contract.id}, lambda e: e.contract == contract.digest),
        ({"actor": "session"}, lambda e: e.actor == "session"),
        ({"since": middle}, lambda e: e.time >= middle),
        ({"until": middle}, lambda e: e.time < middle),
        ({"kind": "session", "until": middle}, lambda e: False),
    ):
        found = [e for e in audit.filter(**options) if e.seq < len(entries)]
        assert found == [e for e in entries if holds(e)], options


@pytest.mark.parametrize(
    "options",
    [{"kind": "budget.spend"}, {"kind": "incident"}, {"since": "yesterday"}, {"contract": "none"}],
)
def test_a_filter_that_no_log_can_answer_is_refused(party, options):
    if options == {"kind": "incident"}:
        assert Audit(party).filter(**options) == []
        return
    with pytest.raises(PartyError):
        Audit(party).filter(**options)


def test_an_actor_is_found_by_account_role_and_how():
    entry = {"kind": "session.started", "actor": "session:alice/operator"}
    for wanted in ("session:alice/operator", "alice", "operator", "session"):
        assert Selection(actor=wanted).admits(_Entry(**entry))
    assert not Selection(actor="bob").admits(_Entry(**entry))


def test_times_without_a_zone_are_utc():
    assert read_moment("2026-01-01", "it") == "2026-01-01T00:00:00.000000Z"
    assert read_moment("2026-01-01T02:00:00+02:00", "it") == "2026-01-01T00:00:00.000000Z"


def test_exports_hold_every_entry_that_is_wanted(party, tmp_path):
    before = logged(party)
    lines, table, page = (tmp_path / f"log.{form}" for form in ("jsonl", "csv", "html"))
    typed(party, "export", lines, "--until", "2099-01-01")
    assert lines.read_bytes().splitlines() == before
    assert lines.stat().st_mode & 0o077 == 0
    Audit(party).export(table, kind="session")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["session.started", "session.finished"]
    assert all(json.loads(row["body"])["request"] for row in rows)
    typed(party, "export", page, "--language", "zh", "--kind", "contract")
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in text
    assert party.contract(None).digest in text
    assert "http" not in text.replace("http-equiv", "")


def test_a_file_is_never_written_over_and_another_ending_is_refused(party, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("mine")
    assert "exists already" in typed(party, "export", path, code=6) or path.read_text() == "mine"
    assert path.read_text() == "mine"
    typed(party, "export", tmp_path / "log.xml", code=6)
    with pytest.raises(PartyError, match="no language"):
        Audit(party).export(tmp_path / "log.html", language="fr")
    typed(party, "evidence", "0" * 8, code=6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl"]


def test_one_entry_is_shown_in_full(party):
    data = logged(party)[1]
    assert json.loads(typed(party, "show", 1, "--json")) == json.loads(data)
    assert Audit(party).show(1).encode() == data
    typed(party, "show", 10_000, code=6)
    typed(party, "show", 1, "--last", 2, code=2)


def test_evidence_is_written_once_and_says_what_is_in_it(party, tmp_path):
    request = next(Entry.parse(d).body.request for d in logged(party) if b"request.made" in d)
    out = tmp_path / "evidence.zip"
    said = json.loads(typed(party, "evidence", request[:8], "--out", out, "--json"))
    assert said["request"] == request
    assert (said["transcript"], said["report"]) == (True, True)
    assert said["cosigners"] == ["channel.test/log"]
    assert out.is_file()
    typed(party, "evidence", request[:8], "--out", out, code=6)
    again = Audit(party).evidence(request[:8], tmp_path / "again.zip")
    assert again.is_file()


class _Entry:
    def __init__(self, **fields):
        self.time, self.contract, self.session, self.body = "", None, None, None
        vars(self).update(fields)
