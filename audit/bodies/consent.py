"""Consent: what people have said, and whose consent a session's input rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from audit.shapes import LABEL, Digest, Iri, Label, ListOf, Natural, Record, UnixTime, Whole


@dataclass(frozen=True)
class ConsentRecorded(Record):
    """`consent.recorded`: what people have said to a notice, one or many of them together.

    Args:
        notice: SHA-256 of the notice that they were shown.
        root: the Merkle root over what each of them said (RFC 6962), which names people by salted
            commitments.
        count_commitment: the salted commitment to how many statements these are.
    """

    notice: Digest
    root: Digest
    count_commitment: Digest


@dataclass(frozen=True)
class ConsentWithdrawn(Record):
    """`consent.withdrawn`: what people have taken back, whatever notices they had been shown.

    Args:
        root: the Merkle root over what each of them took back (RFC 6962).
        count_commitment: the salted commitment to how many statements these are.
    """

    root: Digest
    count_commitment: Digest


@dataclass(frozen=True)
class ConsentSnapshot(Record):
    """`consent.snapshot`.

    Args:
        dataset: whose consent records were taken together.
        root: the Merkle root over the salted records.
        sequence: the snapshot's number.
        taken_at: POSIX seconds.
        purpose: an IRI, W3C DPV's where there is one (`dpv:MarketResearch`).
        recipient: the party for which the purpose was consented to; of a table of three both
            others, with a comma between.
        count_commitment: the salted commitment to the number of records.
        minors_under: the age below which people took part by a guardian's consent only; absent
            where the dataset states none.
        sensitive: the sensitive columns that the input was made of, of people with separate consent
            for each; absent where there is none.
    """

    dataset: Label
    root: Digest
    sequence: Natural
    taken_at: UnixTime
    purpose: Iri
    recipient: Label
    count_commitment: Digest | None = None
    minors_under: Annotated[int, Whole(1, 99)] | None = None
    sensitive: Annotated[tuple[str, ...], ListOf(LABEL, 64)] | None = None


@dataclass(frozen=True)
class ConsentReference(Record):
    """The consent snapshot that a session's input rests on."""

    root: Digest
    sequence: Natural
    taken_at: UnixTime
