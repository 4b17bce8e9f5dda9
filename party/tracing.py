"""Sessions as OpenTelemetry traces: what each party did, and for whom it waited.

The trace of a session is the id of its request, which all its parties have: so their spans meet in
one picture without a word about it on the wire, and no peer can put anything into this party's
traces (docs/decisions/0048-a-trace-is-named-by-its-request.md). A span says what was done and with
whom; no attribute is an identifier, a size, or a sentence of an error.

Nothing is traced, and nothing is loaded, unless OTEL_EXPORTER_OTLP_ENDPOINT says where to; its and
the other OTEL_ variables are OpenTelemetry's own.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from party.errors import Refusal, SessionSuspended
from party.events import Event, note
from party.request import Request

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NAME: Final = "commonground"
_ROOT: Final = b"commonground/trace/v1\n"
_log: Final = logging.getLogger("commonground.serve")
_starting: Final = threading.Lock()


class Trace(Protocol):
    """The trace of one session at one party."""

    def turn_to(self, what: str, peer: str) -> None:
        """End what was done so far, and begin `what`; `peer` is who is waited for, "" for none."""


class _NoTrace:
    """Nothing is traced."""

    def turn_to(self, what: str, peer: str) -> None:
        """Do nothing."""


class _Spans:
    """Spans below that of the session."""

    def __init__(self, tracer: Tracer, session: Span) -> None:
        self._tracer, self._session = tracer, session
        self._now: Span | None = None

    def turn_to(self, what: str, peer: str) -> None:
        """End the span of what was done so far, and start the next."""
        from opentelemetry.trace import set_span_in_context

        self.end()
        self._now = self._tracer.start_span(
            f"wait for {what}" if peer else what,
            set_span_in_context(self._session),
            attributes={"commonground.peer": peer} if peer else None,
        )

    def end(self) -> None:
        """End the span of what was done so far."""
        if self._now is not None:
            self._now.end()
            self._now = None


class _Exporter:
    """Where spans go: made when the first session is traced, or given (`use`)."""

    provider: TracerProvider | None = None
    made = False


def use(provider: TracerProvider | None) -> None:
    """Send spans to a provider of OpenTelemetry's, whatever the environment says; None ends it."""
    _Exporter.provider = provider


@contextmanager
def tracing(request: Request, me: str, peers: Sequence[str]) -> Iterator[Trace]:
    """Trace a session meanwhile, where it is wanted."""
    provider = _Exporter.provider or _from_environment()
    if provider is None:
        yield _NoTrace()
        return
    tracer = provider.get_tracer(_NAME)
    session = _session_span(tracer, request, me, peers)
    spans = _Spans(tracer, session)
    try:
        yield spans
    except BaseException as error:
        _say_end(session, error)
        raise
    finally:
        spans.end()
        session.end()


def _session_span(tracer: Tracer, request: Request, me: str, peers: Sequence[str]) -> Span:
    """Start the span of a session, below one that nobody sends and all parties share."""
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        SpanKind,
        TraceFlags,
        set_span_in_context,
    )

    trace_id = int(request.id, 16)
    digest = hashlib.sha256(_ROOT + request.id.encode()).digest()
    shared = SpanContext(
        trace_id, int.from_bytes(digest[:8], "big"), True, TraceFlags(TraceFlags.SAMPLED)
    )
    return tracer.start_span(
        f"session {request.kind}",
        set_span_in_context(NonRecordingSpan(shared)),
        kind=SpanKind.INTERNAL,
        attributes={
            "commonground.party": me,
            "commonground.kind": str(request.kind),
            "commonground.peers": list(peers),
        },
    )


def _say_end(session: Span, error: BaseException) -> None:
    """Say why a session stopped, by a word and never by its sentence."""
    from opentelemetry.trace import Status, StatusCode

    if isinstance(error, SessionSuspended):
        session.set_attribute("commonground.state", "suspended")
        return
    word = error.status.value if isinstance(error, Refusal) else type(error).__name__
    session.set_status(Status(StatusCode.ERROR, word))


def _from_environment() -> TracerProvider | None:
    """Return what the environment asks for, made once; None where it asks for nothing."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    with _starting:
        if not _Exporter.made:
            _Exporter.made, _Exporter.provider = True, _make()
    return _Exporter.provider


def _make() -> TracerProvider | None:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider as SdkProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        sentence = f"nothing is traced: {error.name} is not installed, see the extra `traces`"
        note(_log, Event("traces.off", reason=sentence), sentence, level=logging.WARNING)
        return None
    named = Resource({SERVICE_NAME: _NAME}).merge(OTELResourceDetector().detect())
    provider = SdkProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
