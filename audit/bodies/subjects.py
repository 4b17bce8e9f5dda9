"""What people asked about themselves. Who they were is a salted commitment, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from audit.shapes import Digest, OneOf, Record


@dataclass(frozen=True)
class SubjectAccess(Record):
    """`subject.access`: a person's record was opened, to answer them.

    Args:
        subject: the salted commitment to who it was; the salt goes when they are erased.
        what: `all` of it, or their `consent`.
    """

    subject: Digest
    what: Annotated[Literal["all", "consent"], OneOf(("all", "consent"))]


@dataclass(frozen=True)
class SubjectErasure(Record):
    """`subject.erasure`: a person was erased, and takes part in nothing from here on.

    Args:
        subject: the salted commitment to who it was; only they have the salt.
    """

    subject: Digest
