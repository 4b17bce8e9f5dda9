"""What was deleted at its end, and what went against the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, get_args

from audit.shapes import OneOf, ReasonCode, Record, Sentence, Token

Pruned: TypeAlias = Literal["list", "session", "holders", "result"]
"""What of a request comes to an end of its own."""


@dataclass(frozen=True)
class RetentionPruned(Record):
    """`retention.pruned`: what came to its end and was deleted.

    Args:
        request: the id of the request whose session it was.
        what: `list`, a match's list at its expiry, or `session`, artefacts and seed after the
            contract's retention; `holders`, whose the points of a list's sender are, at its expiry;
            `result`, numbers and released table after the contract's `result_days`.
    """

    request: Token
    what: Annotated[Pruned, OneOf(get_args(Pruned))]


@dataclass(frozen=True)
class Incident(Record):
    """`incident.*`: what went against the protocol; `what` is a fixed sentence, not a value."""

    reason: ReasonCode
    what: Sentence
