"""What can go wrong in `psi`: one tree, rooted in `PsiError`.

A message says what was wrong, where and what to do. It never carries an identifier, a point,
a secret or an exact count of people.
"""

# ruff: noqa: N818 - a name says what happened, as the specification says it

from __future__ import annotations


class PsiError(Exception):
    """The root: every error that `psi` raises on purpose is one of these."""


class IdentifierError(PsiError):
    """An identifier, a column of identifiers or its declaration cannot be used."""


class Rejected(IdentifierError):
    """One value was refused; `reason` is one of `psi.reasons.Reason`, and never the value."""

    def __init__(self, reason: str) -> None:
        super().__init__(str(reason))
        self.reason = str(reason)


class EmptyColumn(IdentifierError):
    """A column has no value at all: nothing but null and blank text."""


class BucketError(PsiError):
    """A list of value buckets, or what one is made from, cannot be used."""


class ProfileMismatch(PsiError):
    """Two parties normalise identifiers by different profiles, so their keys would not meet."""


class EngineError(PsiError):
    """The native kernel was asked for or is installed, and cannot be used."""


class InvalidPoint(PsiError):
    """A point of the other party was refused (docs/protocol.md, The group)."""


class WrongAnswer(PsiError):
    """A known answer did not come back: the other party did not follow the rounds."""


class LimitExceeded(PsiError):
    """A request or a message is larger than the protocol allows."""


class JourneyError(PsiError):
    """A text is no journey, or a list of them cannot serve as labels."""
