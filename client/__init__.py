"""What a partner runs: the dialling transport and the commands."""

from party import tls as _tls

_ = _tls  # the TLS version must be settled before a module of this package loads gRPC
