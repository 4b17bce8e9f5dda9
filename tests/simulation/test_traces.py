"""Sessions as traces: one for all parties of a request, and nothing in it of people.

Real parties with stores; links in memory; spans kept in memory, or sent to nobody.
"""

import os
import re
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from organisations import Wire, file_match, make_pair, run_both

from party import tracing


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter.get_finished_spans
    tracing.use(None)


@pytest.fixture
def pair(tmp_path):
    parties, contract = make_pair(tmp_path)
    yield parties, contract
    for party in parties.values():
        party.close()


def test_the_spans_of_both_parties_are_one_trace_named_by_the_request(pair, spans):
    request = file_match(*pair)
    assert set(run_both(pair[0], request, Wire()).values()) == {None}
    found = spans()
    assert {f"{span.context.trace_id:032x}" for span in found} == {request.id}
    whole = {
        span.attributes["commonground.party"]: span
        for span in found
        if span.name == "session match"
    }
    assert set(whole) == {"advertiser", "channel"}
    assert len({span.parent.span_id for span in whole.values()}) == 1  # shared, and sent by nobody
    names = {span.name for span in found}
    assert {"reading its own data", "wait for greeting", "wait for step 3"} <= names
    ids = {span.context.span_id for span in whole.values()}
    assert {span.parent.span_id for span in found if span.name != "session match"} <= ids
    assert all(span.end_time >= span.start_time for span in found)


def test_no_span_has_an_identifier_a_number_or_a_sentence(pair, spans):
    request = file_match(*pair)
    run_both(pair[0], request, Wire())
    known = {"advertiser", "channel", "match", "suspended"}
    for span in spans():
        assert set(span.attributes) <= {
            f"commonground.{name}" for name in ("party", "kind", "peers", "peer", "state")
        }
        for value in span.attributes.values():
            assert {value} <= known or set(value) <= known, span.attributes
        assert re.fullmatch(r"[a-z' ]+(step \d{1,2})?", span.name), span.name
        assert not span.events  # an exception's sentence would stand there


@pytest.mark.parametrize(
    ("link", "attribute", "status"),
    [
        ({"tamper": lambda kind, data: b"" if kind == "Nonce" else data}, None, True),
        ({"dies_at": "Nonce"}, "suspended", False),
    ],
)
def test_how_a_session_stopped_is_a_word(pair, spans, link, attribute, status):
    request = file_match(*pair)
    run_both(pair[0], request, Wire(), channel=link)
    (session,) = [
        span
        for span in spans()
        if span.name == "session match" and span.attributes["commonground.party"] == "advertiser"
    ]
    assert session.attributes.get("commonground.state") == attribute
    assert (session.status.description is not None) is status
    assert re.fullmatch(r"[A-Za-z_]+", session.status.description or "none")


def traced_in(environment):
    code = (
        "import sys; from types import SimpleNamespace; from party.tracing import tracing\n"
        "request = SimpleNamespace(id='ab' * 16, kind='match')\n"
        "with tracing(request, 'a', ['b']) as trace: trace.turn_to('raising', '')\n"
        "print(type(trace).__name__, 'opentelemetry' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment,
        timeout=60,
    )  # fmt: skip
    return done.stdout.split(), done.stderr


def test_nothing_is_traced_and_nothing_loaded_unless_somebody_says_where_to(monkeypatch):
    here = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    assert traced_in(here)[0] == ["_NoTrace", "False"]
    wanted = here | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    assert traced_in(wanted)[0] == ["_Spans", "True"]
