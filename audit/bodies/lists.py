"""Lists of people, and what is made of lists and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from audit.shapes import Digest, Iri, Label, Natural, Record, Token, UnixTime, Whole

MOST_RUNS: Final = 31
OWN_REFERENCES: Final = ("csv", "parquet")
"""Files that name people as their party does; a contract need not grant them."""


@dataclass(frozen=True)
class ListDisclosed(Record):
    """`list.disclosed`, by the one who discloses and by the one who receives.

    Args:
        request: the id of the request.
        recipient: the party that has the list.
        list_commitment: the salted commitment to the tags that were sent.
        expires_at: when the list is to be deleted, POSIX seconds.
    """

    request: Token
    recipient: Label
    list_commitment: Digest
    expires_at: UnixTime


@dataclass(frozen=True)
class ListSuppressed(Record):
    """`list.suppressed`, by both sides of a list: a run took people who withdrew off it.

    Args:
        request: the id of the request.
        recipient: the party that has the list.
        run: the run's number, from 1.
        digest: names session, number and the 1,024 points; how many were people's stays unsaid.
    """

    request: Token
    recipient: Label
    run: Annotated[int, Whole(1, MOST_RUNS)]
    digest: Digest


@dataclass(frozen=True)
class ExportMade(Record):
    """`export.made`, by the party that takes its list out of the folder.

    Args:
        request: the id of the request that made the list.
        to: a platform, or a file of the party's own references (`OWN_REFERENCES`).
        file_commitment: the salted commitment to the file's SHA-256.
        expires_at: when the list and what was made of it are to be deleted, POSIX seconds.
    """

    request: Token
    to: Token
    file_commitment: Digest
    expires_at: UnixTime


@dataclass(frozen=True)
class LookalikeMade(Record):
    """`lookalike.made`: a party scored its own people by a table that it has released.

    Args:
        request: the id of the request whose table it was.
        dataset: whose people were scored.
        snapshot: the digest of what was read of it.
        purpose: an IRI; whoever does not consent to it for `recipient` was left out.
        recipient: the counterpart of the request.
        steps: how many steps led from the rows to the people who were scored.
        file_commitment: the salted commitment to the file's SHA-256.
    """

    request: Token
    dataset: Label
    snapshot: Token
    purpose: Iri
    recipient: Label
    steps: Natural
    file_commitment: Digest
