"""The lines of `serve`: one JSON object each, fixed fields, nothing that an error quotes."""

import ast
import io
import json
import logging
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.log_lines import JsonLines, TextLines, events_on_stderr
from party.events import Event, note

REPOSITORY = Path(__file__).parents[2]
SECRET = "person7@example.com"


def written(formatter, event, sentence, **more):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    log = logging.Logger("test")
    log.addHandler(handler)
    note(log, event, sentence, **more)
    return stream.getvalue()


def faulty():
    raise ValueError(SECRET)


def fault():
    try:
        faulty()
    except ValueError as error:
        return error


@given(st.text(), st.text())
def test_an_event_is_one_line_of_json_whatever_it_says(peer, sentence):
    text = written(JsonLines(debug=False), Event("request.taken", "ab", peer), sentence)
    assert text.count("\n") == 1
    line = json.loads(text)
    assert (line["peer"], line["message"], line["event"]) == (peer, sentence, "request.taken")


def test_a_line_has_time_level_event_and_only_the_fields_that_the_event_has():
    line = json.loads(written(JsonLines(debug=False), Event("stopping"), "Stopping."))
    assert list(line) == ["time", "level", "event", "message"]
    assert line["time"].endswith("+00:00")
    assert line["level"] == "info"


def test_an_event_has_no_field_for_an_identifier_or_a_count():
    assert {field.name for field in fields(Event)} == {
        *("name", "request", "peer", "kind", "state", "status"),
        *("phase", "seconds", "address", "reason"),
    }
    with pytest.raises(TypeError):
        Event("session.finished", people=7)


@pytest.mark.parametrize("formatter", [JsonLines, TextLines])
def test_a_fault_is_shown_by_kind_and_place_and_not_by_what_it_quotes(formatter):
    said = {"level": logging.ERROR, "fault": fault()}
    text = written(formatter(debug=False), Event("session.failed", "ab"), "stopped", **said)
    assert "ValueError" in text
    assert "test_log_lines.py" in text
    assert "faulty" in text
    assert SECRET not in text
    assert SECRET in written(formatter(debug=True), Event("session.failed"), "stopped", **said)


def test_every_line_of_the_listener_is_an_event():
    """Nothing under `server` or in the serving desk logs by itself, so JSON lines are complete."""
    for path in [*(REPOSITORY / "server").glob("*.py"), *(REPOSITORY / "client").rglob("*.py")]:
        calls = [
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("_log", "logging", "warnings")
        ]
        warns = (
            {"warn"} if path.parent.name == "sdk" else set()
        )  # who calls a verb, not who listens
        assert set(calls) <= {"getLogger", "StreamHandler"} | warns, path


@pytest.mark.parametrize(
    ("level", "written"),
    [("info", ["a", "b", "c"]), ("warning", ["b", "c"]), ("error", ["c"])],
)
def test_a_level_leaves_out_what_is_below_it_on_stderr_and_nowhere_else(capsys, level, written):
    """What counts events, as the metrics do, hears all of them."""
    heard, log = [], logging.getLogger("commonground.serve")
    counter = logging.Handler()
    counter.emit = lambda record: heard.append(record.getMessage())
    logging.getLogger("commonground").addHandler(counter)
    try:
        with events_on_stderr("text", level=level, debug=False):
            for word, severity in (("a", "INFO"), ("b", "WARNING"), ("c", "ERROR")):
                note(log, Event("listening"), word, level=getattr(logging, severity))
    finally:
        logging.getLogger("commonground").removeHandler(counter)
    assert [line[-1] for line in capsys.readouterr().err.splitlines()] == written
    assert heard == ["a", "b", "c"]
