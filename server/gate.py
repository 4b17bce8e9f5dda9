"""Every call passes here first: who calls and how much, then how large, then what it says.

A gRPC server reads a unary request on one of its threads before it lets anybody see the call, and
waits for it for ever. So the gate serves every call as a stream: it knows the caller before the
first byte of the message, and a watchdog knows how long that takes. What a call raises becomes its
status here, and what is a breach of the protocol is told to `blame`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from party.errors import Breach, RefusalStatus
from party.wire import fields
from server.answering import answering
from server.errors import Unauthenticated
from server.turnstile import Turnstile
from server.watchdog import Watchdog

Context = grpc.ServicerContext
Handler = Any  # grpc.RpcMethodHandler, whose stubs lack its fields
_AT_A_TIME: Final = 1.0  # seconds that a call is kept waiting before it looks for its caller


@dataclass(frozen=True)
class Gate(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Lets calls through to the services, by their largest sizes (bytes) by method.

    `blame` is told what the caller of a context has done.
    """

    sizes: Mapping[str, int]
    turnstile: Turnstile
    watchdog: Watchdog
    blame: Callable[[Context, Breach], None]
    _guarded: dict[str, Handler] = field(default_factory=dict)

    def intercept_service(
        self,
        continuation: Callable[[Any], Handler],
        handler_call_details: Any,  # noqa: ANN401 - gRPC's, without a type of its own
    ) -> Handler:
        """Return a handler that guards the one behind it; None for a call that is not served."""
        method: str = handler_call_details.method
        if method not in self.sizes:
            return None
        if method not in self._guarded:
            handler = continuation(handler_call_details)
            if handler is None:
                return None
            self._guarded[method] = self._guard(handler, self.sizes[method])
        return self._guarded[method]

    def _guard(self, handler: Handler, most_bytes: int) -> Handler:
        read = _reader(handler.request_deserializer, most_bytes)
        streams = handler.request_streaming

        def asked(requests: Iterator[bytes], call: _Call) -> Any:  # noqa: ANN401
            messages = call.messages(requests, read)
            return messages if streams else _only(messages)

        if handler.response_streaming:
            answers = handler.stream_stream if streams else handler.unary_stream

            def respond_at_length(requests: Iterator[bytes], context: Context) -> Iterator[Any]:
                with self._let_in(context) as call:
                    yield from call.answers(answers(asked(requests, call), context))

            return grpc.stream_stream_rpc_method_handler(
                respond_at_length, response_serializer=handler.response_serializer
            )
        answer = handler.stream_unary if streams else handler.unary_unary

        def respond(requests: Iterator[bytes], context: Context) -> Any:  # noqa: ANN401
            with self._let_in(context) as call:
                return answer(asked(requests, call), context)

        return grpc.stream_unary_rpc_method_handler(
            respond, response_serializer=handler.response_serializer
        )

    @contextmanager
    def _let_in(self, context: Context) -> Iterator[_Call]:
        with (
            answering(context, lambda breach: self.blame(context, breach)),
            self.turnstile.passing(_certificate(context)) as count,
        ):
            yield _Call(context, self.watchdog, count)


@dataclass(frozen=True)
class _Call:
    """One call that was let in; `count` takes a message of it and returns the seconds to wait."""

    context: Context
    watchdog: Watchdog
    count: Callable[[], float]

    def messages(self, requests: Iterator[bytes], read: Callable[[bytes], Any]) -> Iterator[Any]:
        """Yield what the caller sends, each message within its time."""
        while True:
            with self.watchdog.over(self.context.cancel):
                data = next(requests, None)
            if data is None:
                return
            self._keep_pace()
            yield read(data)

    def answers(self, responses: Iterator[Any]) -> Iterator[Any]:
        """Yield what goes to the caller, who has to take each message within its time."""
        for response in responses:
            self._keep_pace()
            with self.watchdog.over(self.context.cancel):
                yield response

    def _keep_pace(self) -> None:
        left = self.count()
        while left > 0 and self.context.is_active():
            time.sleep(min(left, _AT_A_TIME))
            left -= _AT_A_TIME


def _reader(parse: Callable[[bytes], Any], most_bytes: int) -> Callable[[bytes], Any]:
    """Return what reads a message of a bounded size."""

    def read(data: bytes) -> Any:  # noqa: ANN401 - the method's request
        if len(data) > most_bytes:
            raise Breach(
                RefusalStatus.LIMIT_EXCEEDED,
                f"the message has {len(data)} bytes, and of this call at most {most_bytes}",
            )
        try:
            return parse(data)
        except DecodeError:
            raise fields.malformed("request", "is no message of its type") from None

    return read


def _only(messages: Iterator[Any]) -> Any:  # noqa: ANN401 - the method's request
    for message in messages:
        return message
    raise fields.malformed("request", "is missing")


def _certificate(context: Context) -> bytes:
    """Return the certificate (PEM) that TLS has verified, by which callers are told apart."""
    shown = list(context.auth_context().get("x509_pem_cert", ()))
    if not shown:
        raise Unauthenticated("the caller presented no certificate of a party")
    return bytes(shown[0])
