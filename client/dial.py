"""The connection to one counterpart, and the calls that belong to no session.

The certificate that the contract pins is the only root, so nothing else is ever spoken to. What a
first connection fails on is found out and said; later breaks are for the caller to wait out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, TypeVar

from grpc_health.v1 import health_pb2, health_pb2_grpc

from client.addresses import require_address
from client.calls import CALL_SECONDS, calling
from client.channel import open_channel
from client.errors import (
    Deferred,
    Interrupted,
    NotAccepted,
    Unreachable,
    WrongCertificate,
)
from client.interrupt import require_uninterrupted
from client.probe import Finding, probe
from client.proxy import proxy_to
from commonground.v1 import collaboration_pb2 as pb
from commonground.v1 import (
    collaboration_pb2_grpc,
    keys_pb2_grpc,
    parcels_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
    suppression_pb2,
    suppression_pb2_grpc,
)
from party.contract import Contract
from party.decision import Decision
from party.errors import Refusal
from party.identity import Identity
from party.own_keys import OwnKeys
from party.renewals import Statements
from party.request import Request
from party.suppression.run import Acknowledgement, SuppressionRun
from party.wire import fields, keys
from party.wire.collaboration import (
    decode_decision,
    decode_listing,
    encode_decision,
    encode_request,
)
from party.wire.names import SessionName, encode_name
from party.wire.refusals import encode_refusal
from party.wire.suppression import (
    decode_acknowledgement,
    decode_run,
    encode_acknowledgement,
    encode_run,
)

Value = TypeVar("Value")

CONNECT_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.25
MOST_HANG_UPS: Final = 3  # then a counterpart is taken at its word


class Dialler:
    """A party's connection to the counterpart `peer` of a contract, at `address` (host:port)."""

    def __init__(
        self,
        identity: Identity,
        contract: Contract,
        peer: str,
        address: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        shown: OwnKeys | None = None,
    ) -> None:
        """Make the connection's channel; nothing is dialled yet.

        `shown` are the keys by which this party shows itself, without them those in use.

        Raises:
            ContractError: the contract is not for this party.
            IdentityError: this party's certificate is not valid now.
            DialError: the address is no host:port, or the proxy's variable does not serve.
        """
        require_address(address)
        own = shown or identity.keys
        own.certificate.require_valid(int(identity.clock()))
        self.own, self.peer, self.address = contract.me(identity), peer, address
        self.contract_hash = bytes.fromhex(contract.digest)
        self._pinned = contract.parties[peer].certificates(identity.clock())
        self._patience = connect_seconds
        self._channel = open_channel(
            address, proxy_to(address), self._pinned, own.tls_key_pem(), own.certificate
        )
        self._reached, self._hang_ups, self._closed = False, 0, False
        self.sessions: Any = session_pb2_grpc.SessionServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self.parcels: Any = parcels_pb2_grpc.ParcelServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._requests: Any = collaboration_pb2_grpc.CollaborationServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._suppressions: Any = suppression_pb2_grpc.SuppressionServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._keys: Any = keys_pb2_grpc.KeyServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._health = health_pb2_grpc.HealthStub(self._channel)

    def __enter__(self) -> Dialler:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, from any thread; a call that is under way breaks off."""
        self._closed = True
        self._channel.close()

    def check_health(self) -> None:
        """Raise unless the counterpart is reached and serves.

        Raises:
            DialError: it is not reached, has another certificate, or is shutting down.
        """
        response = self._patiently(
            lambda: self._health.Check(
                health_pb2.HealthCheckRequest(service=""), timeout=CALL_SECONDS
            )
        )
        if response.status != health_pb2.HealthCheckResponse.SERVING:
            raise Unreachable(f"'{self.peer}' at {self.address} is shutting down; try again later")

    def exchange_statements(self, said: Statements) -> Statements:
        """Tell the counterpart of keys that were replaced, and hear of its own.

        Raises:
            Refusal: what this party says does not follow from what they know, or their answer is
                malformed.
            DialError: the counterpart is not reached.
        """
        message = keys.encode_request(said)
        response = self._patiently(
            lambda: self._keys.ExchangeStatements(message, timeout=CALL_SECONDS)
        )
        return keys.decode_statements(response)

    def submit(self, request: Request) -> Decision:
        """Put a request to the counterpart, or ask how it stands there.

        Raises:
            Refusal: it is not granted, or malformed.
            DialError: the counterpart is not reached.
        """
        message = pb.SubmitRequestRequest(request=encode_request(request))
        response = self._patiently(
            lambda: self._requests.SubmitRequest(message, timeout=CALL_SECONDS)
        )
        fields.require_present(response, "decision")
        return decode_decision(response.decision)

    def fetch_requests(self) -> list[Request]:
        """Return the counterpart's requests that wait for this party, oldest first."""
        message = pb.ListRequestsRequest(contract_hash=self.contract_hash)
        response = self._patiently(
            lambda: self._requests.ListRequests(message, timeout=CALL_SECONDS)
        )
        return decode_listing(response)

    def decide(self, request_id: str, decision: Decision) -> None:
        """Tell the counterpart how this party decided on one of its requests."""
        message = pb.DecideRequestRequest(
            contract_hash=self.contract_hash,
            request_id=request_id,
            decision=encode_decision(decision),
        )
        self._patiently(lambda: self._requests.DecideRequest(message, timeout=CALL_SECONDS))

    def refuse(self, request_id: str, refusal: Refusal) -> None:
        """Tell the counterpart that the session of a request has ended without a result."""
        message = session_pb2.RefuseRequest(
            session=self._name(request_id), refusal=encode_refusal(refusal)
        )
        self._patiently(lambda: self.sessions.Refuse(message, timeout=CALL_SECONDS))

    def suppress(self, request_id: str, run: SuppressionRun) -> Acknowledgement:
        """Put a suppression run to the receiver of a list, and return its word."""
        message = suppression_pb2.SuppressRequest(
            session=self._name(request_id), run=encode_run(run)
        )
        response = self._patiently(
            lambda: self._suppressions.Suppress(message, timeout=CALL_SECONDS)
        )
        fields.require_present(response, "acknowledgement")
        return decode_acknowledgement(response.acknowledgement)

    def fetch_run(self, request_id: str) -> SuppressionRun | None:
        """Return the suppression run that waits at the sender of a list, or None."""
        message = suppression_pb2.FetchRunRequest(session=self._name(request_id))
        response = self._patiently(
            lambda: self._suppressions.FetchRun(message, timeout=CALL_SECONDS)
        )
        return decode_run(response.run) if response.HasField("run") else None

    def acknowledge_run(self, request_id: str, word: Acknowledgement) -> None:
        """Tell the sender of a list that a run is applied."""
        message = suppression_pb2.AcknowledgeRunRequest(
            session=self._name(request_id), acknowledgement=encode_acknowledgement(word)
        )
        self._patiently(lambda: self._suppressions.AcknowledgeRun(message, timeout=CALL_SECONDS))

    def _name(self, request_id: str) -> session_pb2.SessionName:
        return encode_name(SessionName(request_id, self.contract_hash))

    def attempt(self, call: Callable[[], Value]) -> Value:
        """Make one call, and find out what a first connection failed on.

        Raises:
            WrongCertificate, NotAccepted, ProxyRefused: repeating would not help.
            Refusal, Deferred, Interrupted, PeerFailed: see `client.calls.calling`.
            KeyboardInterrupt: somebody has pressed Ctrl-C, and something swallowed it.
        """
        require_uninterrupted()
        try:
            with calling():
                answer = call()
        except Interrupted:
            if not self._reached and not self._closed:
                self._find_out()
            raise
        except ValueError as error:  # what gRPC says of a channel that was closed
            if not self._closed:
                raise
            raise Interrupted("the connection was closed here") from error
        except (Refusal, Deferred):
            self._reached = True
            raise
        self._reached = True
        return answer

    def _patiently(self, call: Callable[[], Value]) -> Value:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self.attempt(call)
            except Interrupted as error:
                if self._closed or time.monotonic() > deadline:
                    raise Unreachable(
                        f"'{self.peer}' does not answer at {self.address} ({error}); check the "
                        "address, and that they serve"
                    ) from None
                time.sleep(RETRY_SECONDS)

    def _find_out(self) -> None:
        """Raise what the first connection failed on, unless waiting may help."""
        found = probe(self.address, self._pinned)
        if found is Finding.ANOTHER:
            raise WrongCertificate(
                f"what answers at {self.address} has another certificate than is pinned for "
                f"'{self.peer}' ({self._pinned[-1].fingerprint}); nothing was said to it. If they "
                "have replaced theirs, ask for their keys.json: `commonground peers renew FILE`"
            )
        if found is Finding.EXPIRED:
            raise WrongCertificate(
                f"the certificate of '{self.peer}' at {self.address} is not valid now; they "
                "replace it with `commonground keys rotate tls`, and send you their keys.json"
            )
        if found is Finding.PINNED:
            self._hang_ups += 1
        if self._hang_ups >= MOST_HANG_UPS:
            raise NotAccepted(
                f"'{self.peer}' at {self.address} hangs up: no contract in force there pins this "
                "party's certificate. Both sides import the same signed contract"
            )
