from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RefusalStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSAL_STATUS_UNSPECIFIED: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_CONTRACT_UNKNOWN: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_NOT_GRANTED: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_PROFILE_MISMATCH: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_CONSENT_STALE: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_BUDGET_EXHAUSTED: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_BELOW_MINIMUM: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_DECLINED: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_INVALID_POINT: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_WRONG_ANSWER: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_LIMIT_EXCEEDED: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_EXPIRED: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_BAD_REQUEST: _ClassVar[RefusalStatus]
    REFUSAL_STATUS_TRANSCRIPT_MISMATCH: _ClassVar[RefusalStatus]

class DecisionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_STATE_UNSPECIFIED: _ClassVar[DecisionState]
    DECISION_STATE_PENDING: _ClassVar[DecisionState]
    DECISION_STATE_APPROVED: _ClassVar[DecisionState]
    DECISION_STATE_REFUSED: _ClassVar[DecisionState]
    DECISION_STATE_FINISHED: _ClassVar[DecisionState]
REFUSAL_STATUS_UNSPECIFIED: RefusalStatus
REFUSAL_STATUS_CONTRACT_UNKNOWN: RefusalStatus
REFUSAL_STATUS_NOT_GRANTED: RefusalStatus
REFUSAL_STATUS_PROFILE_MISMATCH: RefusalStatus
REFUSAL_STATUS_CONSENT_STALE: RefusalStatus
REFUSAL_STATUS_BUDGET_EXHAUSTED: RefusalStatus
REFUSAL_STATUS_BELOW_MINIMUM: RefusalStatus
REFUSAL_STATUS_DECLINED: RefusalStatus
REFUSAL_STATUS_INVALID_POINT: RefusalStatus
REFUSAL_STATUS_WRONG_ANSWER: RefusalStatus
REFUSAL_STATUS_LIMIT_EXCEEDED: RefusalStatus
REFUSAL_STATUS_EXPIRED: RefusalStatus
REFUSAL_STATUS_BAD_REQUEST: RefusalStatus
REFUSAL_STATUS_TRANSCRIPT_MISMATCH: RefusalStatus
DECISION_STATE_UNSPECIFIED: DecisionState
DECISION_STATE_PENDING: DecisionState
DECISION_STATE_APPROVED: DecisionState
DECISION_STATE_REFUSED: DecisionState
DECISION_STATE_FINISHED: DecisionState

class Refusal(_message.Message):
    __slots__ = ("status", "reason")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    status: RefusalStatus
    reason: str
    def __init__(self, status: _Optional[_Union[RefusalStatus, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("state", "refusal")
    STATE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    state: DecisionState
    refusal: Refusal
    def __init__(self, state: _Optional[_Union[DecisionState, str]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class SignedRequest(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: bytes
    def __init__(self, document: _Optional[bytes] = ...) -> None: ...

class SubmitRequestRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: SignedRequest
    def __init__(self, request: _Optional[_Union[SignedRequest, _Mapping]] = ...) -> None: ...

class SubmitRequestResponse(_message.Message):
    __slots__ = ("decision",)
    DECISION_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    def __init__(self, decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class ListRequestsRequest(_message.Message):
    __slots__ = ("contract_hash",)
    CONTRACT_HASH_FIELD_NUMBER: _ClassVar[int]
    contract_hash: bytes
    def __init__(self, contract_hash: _Optional[bytes] = ...) -> None: ...

class ListRequestsResponse(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[SignedRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[SignedRequest, _Mapping]]] = ...) -> None: ...

class DecideRequestRequest(_message.Message):
    __slots__ = ("contract_hash", "request_id", "decision")
    CONTRACT_HASH_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    contract_hash: bytes
    request_id: str
    decision: Decision
    def __init__(self, contract_hash: _Optional[bytes] = ..., request_id: _Optional[str] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class DecideRequestResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
