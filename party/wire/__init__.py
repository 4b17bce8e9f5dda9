"""The one place that turns the wire's messages into our own types and back.

Nothing outside this package reads a field of a protobuf message. What is out of shape is refused
here, with a status and the field's name, before anything else sees it (docs/protocol.md,
Transport): lengths, counts, bounds, enum values, text that is not printable.
"""

from party import tls as _tls

_ = _tls  # gRPC is loaded by the modules below, and the TLS version must be settled before
