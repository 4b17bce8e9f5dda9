"""What a party has registered of its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from audit.shapes import LABEL, Label, ListOf, Record, Token, UnixTime, Whole


@dataclass(frozen=True)
class DatasetRegistered(Record):
    """`dataset.registered`.

    Args:
        name: as the party calls it.
        snapshot: the digest or version of its content.
        columns: the declared columns.
        minors_under: the age below which people take part by a guardian's consent only; absent
            where the description states none.
        sensitive: the columns that are declared as sensitive; absent where there is none.
        ends_at: until when it may be used, POSIX seconds; absent where no end is declared.
        dropped: columns of the source that hold personal data and are never read.
        not_personal: columns whose contents look like personal data and are none, as the party
            says who looked at them.
    """

    name: Label
    snapshot: Token
    columns: Annotated[tuple[str, ...], ListOf(LABEL, 1_000)]
    minors_under: Annotated[int, Whole(1, 99)] | None = None
    sensitive: Annotated[tuple[str, ...], ListOf(LABEL, 64)] | None = None
    ends_at: UnixTime | None = None
    dropped: Annotated[tuple[str, ...], ListOf(LABEL, 1_000)] | None = None
    not_personal: Annotated[tuple[str, ...], ListOf(LABEL, 1_000)] | None = None


@dataclass(frozen=True)
class DatasetErased(Record):
    """`dataset.erased`: description, report and copies are gone, and no session may read it.

    Args:
        name: as the party called it.
        snapshot: the digest or version of the content that was registered last.
    """

    name: Label
    snapshot: Token
