"""How a dataset says that rows of several identifiers become persons: `person: {connect: …}`.

The bounds are part of the description, since nobody can guess them: what a family shares differs
from what a call centre shares. They are no privacy parameters; they say what one person can have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from languages import message
from party.datasets.rules import COLUMN
from party.document import Section, TextRule

MOST_SHARING: Final = 1_000
MOST_OF_A_PERSON: Final = 10_000
_MOST_TYPES: Final = 64
_TYPE: Final = TextRule(message("an identifier type, such as email or cookie:web"), most=100)
_KEYS: Final = ("connect", "most_sharing", "most_identifiers")


@dataclass(frozen=True)
class Connection:
    """Rows that share an identifier are one person, within bounds.

    `connect` are identifier types, the one that says most about who somebody is first. An
    identifier that stands beside more than `most_sharing` identifiers of one earlier type is
    over-shared. A person has at most `most_identifiers`. `reference` is a column with the party's
    own name for people; without it they are called by the number of their first row.
    """

    connect: tuple[str, ...]
    most_sharing: int
    most_identifiers: int
    reference: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the section as it was read."""
        document: dict[str, object] = {
            "connect": list(self.connect),
            "most_sharing": self.most_sharing,
            "most_identifiers": self.most_identifiers,
        }
        return document if self.reference is None else document | {"reference": self.reference}


def read_person(root: Section) -> str | Connection | None:
    """Read the key `person`: a column, a section of identifiers to connect, or nothing."""
    if not root.has_section("person"):
        return root.optional_text("person", COLUMN)
    section = root.section("person", required=(), optional=(*_KEYS, "reference", "column"))
    if "column" in section:
        raise section.fault(
            "column", "people are told apart by a column or by connected identifiers, not by both; "
            "write 'person: COLUMN' alone, or call people by it with 'reference: COLUMN'"
        )  # fmt: skip
    section = root.section("person", required=_KEYS, optional=("reference",))
    return Connection(
        connect=section.texts("connect", _TYPE, most=_MOST_TYPES),
        most_sharing=section.integer("most_sharing", 1, MOST_SHARING),
        most_identifiers=section.integer("most_identifiers", 2, MOST_OF_A_PERSON),
        reference=section.optional_text("reference", COLUMN),
    )


def require_connectable(root: Section, connection: Connection, types: Sequence[str]) -> None:
    """Raise the document's fault unless the dataset's columns can be connected like this.

    `types` are the types of its identifier columns, one a column.
    """
    unknown = [type_ for type_ in connection.connect if type_ not in types]
    if unknown:
        raise root.fault(
            "person.connect", f"no column holds '{unknown[0]}'; the dataset's types are "
            f"{', '.join(dict.fromkeys(types))}"
        )  # fmt: skip
    of_a_row = sum(type_ in connection.connect for type_ in types)
    if connection.most_identifiers < of_a_row:
        raise root.fault(
            "person.most_identifiers", f"one row alone has up to {of_a_row} of these identifiers; "
            f"write {of_a_row} or more"
        )  # fmt: skip
