from commonground.v1 import session_pb2 as _session_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SuppressionRun(_message.Message):
    __slots__ = ("number", "points")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    points: bytes
    def __init__(self, number: _Optional[int] = ..., points: _Optional[bytes] = ...) -> None: ...

class SuppressionAcknowledgement(_message.Message):
    __slots__ = ("number", "digest", "signature")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    number: int
    digest: bytes
    signature: bytes
    def __init__(self, number: _Optional[int] = ..., digest: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SuppressRequest(_message.Message):
    __slots__ = ("session", "run")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    session: _session_pb2.SessionName
    run: SuppressionRun
    def __init__(self, session: _Optional[_Union[_session_pb2.SessionName, _Mapping]] = ..., run: _Optional[_Union[SuppressionRun, _Mapping]] = ...) -> None: ...

class SuppressResponse(_message.Message):
    __slots__ = ("acknowledgement",)
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    acknowledgement: SuppressionAcknowledgement
    def __init__(self, acknowledgement: _Optional[_Union[SuppressionAcknowledgement, _Mapping]] = ...) -> None: ...

class FetchRunRequest(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: _session_pb2.SessionName
    def __init__(self, session: _Optional[_Union[_session_pb2.SessionName, _Mapping]] = ...) -> None: ...

class FetchRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: SuppressionRun
    def __init__(self, run: _Optional[_Union[SuppressionRun, _Mapping]] = ...) -> None: ...

class AcknowledgeRunRequest(_message.Message):
    __slots__ = ("session", "acknowledgement")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    session: _session_pb2.SessionName
    acknowledgement: SuppressionAcknowledgement
    def __init__(self, session: _Optional[_Union[_session_pb2.SessionName, _Mapping]] = ..., acknowledgement: _Optional[_Union[SuppressionAcknowledgement, _Mapping]] = ...) -> None: ...

class AcknowledgeRunResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
