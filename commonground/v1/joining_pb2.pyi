from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class JoinRequest(_message.Message):
    __slots__ = ("introduction",)
    INTRODUCTION_FIELD_NUMBER: _ClassVar[int]
    introduction: bytes
    def __init__(self, introduction: _Optional[bytes] = ...) -> None: ...

class JoinResponse(_message.Message):
    __slots__ = ("introduction",)
    INTRODUCTION_FIELD_NUMBER: _ClassVar[int]
    introduction: bytes
    def __init__(self, introduction: _Optional[bytes] = ...) -> None: ...
