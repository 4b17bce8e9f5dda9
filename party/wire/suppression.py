"""Suppression runs and acknowledgements as the wire has them.

How many points a run may name is not judged here: a wrong number is the counterpart's doing, and
is refused where incidents are logged.
"""

from __future__ import annotations

from typing import Final

from commonground.v1 import suppression_pb2 as pb
from party.suppression.run import RUN_BYTES, Acknowledgement, SuppressionRun
from party.wire import fields
from psi.suppression import MOST_RUNS

_MOST_POINTS_BYTES: Final = 4 * RUN_BYTES
_SIGNATURE_BYTES: Final = 64


def encode_run(run: SuppressionRun) -> pb.SuppressionRun:
    """Return a run as a message."""
    return pb.SuppressionRun(number=run.number, points=run.points)


def decode_run(message: pb.SuppressionRun) -> SuppressionRun:
    """Return the run in a message."""
    return SuppressionRun(
        _number(message.number, "run.number"),
        fields.bounded_bytes(message.points, _MOST_POINTS_BYTES, "run.points"),
    )


def encode_acknowledgement(word: Acknowledgement) -> pb.SuppressionAcknowledgement:
    """Return an acknowledgement as a message."""
    return pb.SuppressionAcknowledgement(
        number=word.number, digest=word.digest, signature=word.signature
    )


def decode_acknowledgement(message: pb.SuppressionAcknowledgement) -> Acknowledgement:
    """Return the acknowledgement in a message; its signature is not checked here."""
    return Acknowledgement(
        _number(message.number, "acknowledgement.number"),
        fields.digest(message.digest, "acknowledgement.digest"),
        fields.exact_bytes(message.signature, _SIGNATURE_BYTES, "acknowledgement.signature"),
    )


def _number(number: int, field: str) -> int:
    if not 1 <= number <= MOST_RUNS:
        raise fields.malformed(field, f"must be from 1 to {MOST_RUNS}")
    return number
