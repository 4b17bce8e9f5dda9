from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ExchangeStatementsRequest(_message.Message):
    __slots__ = ("statements", "known")
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    statements: _containers.RepeatedScalarFieldContainer[bytes]
    known: int
    def __init__(self, statements: _Optional[_Iterable[bytes]] = ..., known: _Optional[int] = ...) -> None: ...

class ExchangeStatementsResponse(_message.Message):
    __slots__ = ("statements", "known")
    STATEMENTS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    statements: _containers.RepeatedScalarFieldContainer[bytes]
    known: int
    def __init__(self, statements: _Optional[_Iterable[bytes]] = ..., known: _Optional[int] = ...) -> None: ...
