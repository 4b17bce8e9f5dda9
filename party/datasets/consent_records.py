"""Consent as the party's own records have it, which call people as a column of the source does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from party.consent.standing import SILENT, Question
from party.datasets.coded import CodedColumn
from party.datasets.consent import Statements
from party.errors import DatasetError
from psi.row_hashes import mac_texts
from psi.sets import Buffer, find

if TYPE_CHECKING:
    from party.consent.records import ConsentRecords
    from party.datasets.definition import Definition


@dataclass(frozen=True, eq=False)
class RecordStatements:
    """What the records say of the rows of a source. `tokens` (texts, 32) are of its keys.

    `lines` names the records as they were when the reading began (`Source.lines`).
    """

    records: ConsentRecords
    keys: CodedColumn
    tokens: Buffer
    lines: bytes

    @classmethod
    def of(cls, records: ConsentRecords, keys: CodedColumn) -> RecordStatements:
        """Return the statements on rows whose people stand in a column."""
        lines = records_line(records)
        return cls(records, keys, mac_texts(records.token_key, keys.texts), lines)

    def grants(self) -> list[tuple[str, str]]:
        """Return every purpose and recipient that a notice names together, sorted."""
        notices = self.records.notices().values()
        return sorted({grant for notice in notices for grant in notice.grants})

    def of_rows(self, purpose: str, recipient: str, until: float | None) -> Statements:
        """Return what each row's person says, by what was known at `until` (Unix seconds)."""
        return self.answers(Question(purpose, recipient), until)

    def answers(self, question: Question, until: float | None) -> Statements:
        """Return what each row's person says to a question, by what was known at `until`."""
        latest = self.records.latest(question, until)
        places = find(self.tokens, latest.tokens)
        says = np.append(latest.says, np.int8(SILENT))[places]  # -1 takes the last
        return np.append(says, np.int8(SILENT))[self.keys.codes]


def records_of(definition: Definition) -> ConsentRecords:
    """Return the records that a dataset rests on; raise `DatasetError` where no party reads it."""
    if definition.records is None:
        raise DatasetError(
            f"dataset {definition.name} rests on a party's records of consent: say which party "
            "with --party DIR"
        )
    return definition.records


def records_line(records: ConsentRecords) -> bytes:
    """Return the line that names the records as they are."""
    return f"{records.digest().hex()}  records of consent\n".encode()
