"""What a party has registered of its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from audit.shapes import LABEL, Label, ListOf, Record, Token


@dataclass(frozen=True)
class DatasetRegistered(Record):
    """`dataset.registered`.

    Args:
        name: as the party calls it.
        snapshot: the digest or version of its content.
        columns: the declared columns.
    """

    name: Label
    snapshot: Token
    columns: Annotated[tuple[str, ...], ListOf(LABEL, 1_000)]
