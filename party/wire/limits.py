"""Sizes and times that both ends of a connection keep to."""

from __future__ import annotations

from typing import Final

from party.introduction import MOST_BYTES as MOST_INTRODUCTION
from party.request import MOST_BYTES
from psi.sets import MAX_CELLS, MAX_KEYS, MAX_LABELS

MOST_LABELS: Final = MAX_LABELS
MOST_CELLS: Final = MAX_CELLS
MOST_KEYS: Final = MAX_KEYS
MOST_STEPS: Final = 64
MOST_CHUNKS: Final = 65_536
MOST_CHUNK_BYTES: Final = 1_048_576
MOST_PARCELS: Final = MOST_STEPS + 8
"""An introduction and seven exchanges beside the steps."""
MOST_PARCEL_CHUNKS: Final = MOST_CHUNKS + 1
MOST_PARCEL_BYTES: Final = 1 << 37
SEAL_BYTES: Final = 48
"""What sealing adds to a chunk (RFC 9180): an encapsulated key of 32 bytes and a tag of 16."""
MOST_REQUEST_BYTES: Final = MOST_BYTES
MOST_INTRODUCTION_BYTES: Final = MOST_INTRODUCTION
MOST_LISTED_REQUESTS: Final = 64
MOST_LISTED_BYTES: Final = 2_097_152
MOST_MESSAGE_BYTES: Final = 4_194_304
MOST_LABEL_NAME_BYTES: Final = 512
MOST_PARTY_NAME: Final = 64
MOST_VERSION: Final = 32
MOST_SIGNATURE_LINE: Final = 1_024
MOST_REASON: Final = 500
MOST_PROBE_BYTES: Final = 1_048_576
MOST_KNOWN_CONTRACTS: Final = 64
MOST_WHOLE: Final = 2**53 - 1
"""The largest integer that JSON carries exactly, and so the largest that a log may state."""

HOLD_SECONDS: Final = 15.0
"""How long a listener keeps a call that waits for its driver before it says NOT_READY."""
ATTEND_SECONDS: Final = 15.0
"""How often a dialler shows that it is there."""
PATIENCE_SECONDS: Final = 120.0
"""How long a side goes without any sign of the other before it suspends the session."""

CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MOST_MESSAGE_BYTES),
    ("grpc.compression_enabled_algorithms_bitset", 1),  # none: points do not shrink, bombs grow
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
"""gRPC arguments of both ends: a dead connection is noticed within half a minute."""
