from commonground.v1 import session_pb2 as _session_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExamineRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExamineResponse(_message.Message):
    __slots__ = ("time_ms", "profile", "contracts", "seen_checkpoint")
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    SEEN_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    time_ms: int
    profile: _session_pb2.Profile
    contracts: _containers.RepeatedScalarFieldContainer[bytes]
    seen_checkpoint: str
    def __init__(self, time_ms: _Optional[int] = ..., profile: _Optional[_Union[_session_pb2.Profile, _Mapping]] = ..., contracts: _Optional[_Iterable[bytes]] = ..., seen_checkpoint: _Optional[str] = ...) -> None: ...

class CarryRequest(_message.Message):
    __slots__ = ("payload", "wanted")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    wanted: int
    def __init__(self, payload: _Optional[bytes] = ..., wanted: _Optional[int] = ...) -> None: ...

class CarryResponse(_message.Message):
    __slots__ = ("payload",)
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    def __init__(self, payload: _Optional[bytes] = ...) -> None: ...
