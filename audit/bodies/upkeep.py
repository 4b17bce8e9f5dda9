"""What was deleted at its end, backed up and restored, and what went against the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, get_args

from audit.shapes import Label, Natural, OneOf, ReasonCode, Record, Sentence, Token, UnixTime

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


BackedUpKeys: TypeAlias = Literal["sealed", "left out"]
RestoredBudgets: TypeAlias = Literal["closed", "kept"]


@dataclass(frozen=True)
class BackupMade(Record):
    """`backup.made`: a copy of the party left its folder; it is the copy's last entry.

    Args:
        keys: whether the keys are in it, under a passphrase, or not.
    """

    keys: Annotated[BackedUpKeys, OneOf(get_args(BackedUpKeys))]


@dataclass(frozen=True)
class PartyRestored(Record):
    """`party.restored`: from here on the log goes on from a backup.

    What the party did between the two times is in no log of its own.

    Args:
        backed_up_at: when the backup was made (POSIX seconds).
        entries: how many entries of the log came out of it.
        budgets: `closed`, so that nothing is spent in a window that had begun when the party was
            restored; `kept` where its operator answers for it that nothing was spent since.
        why: the operator's reason to keep them, None where they are closed.
    """

    backed_up_at: UnixTime
    entries: Natural
    budgets: Annotated[RestoredBudgets, OneOf(get_args(RestoredBudgets))]
    why: Sentence | None = None


@dataclass(frozen=True)
class Incident(Record):
    """`incident.*`: what went against the protocol; `what` is a fixed sentence, not a value.

    Args:
        reason: the status that the counterpart was answered with.
        what: the sentence.
        peer: the counterpart, or the log, where no session of two says who it was.
    """

    reason: ReasonCode
    what: Sentence
    peer: Label | None = None
