"""Consent as TC strings in a column of the source say it (`party.consent.tcf`)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from party.consent.tcf import PURPOSES, TCString, read_tc_string
from party.datasets.coded import CodedColumn
from party.datasets.consent import GIVEN, REFUSED, SILENT, ConsentStrings, Statements
from party.datasets.source import Source
from party.errors import ConsentError, DatasetError

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, eq=False)
class StringStatements:
    """`strings` are the column's distinct texts, read; None says nothing of this framework."""

    consent: ConsentStrings
    column: CodedColumn
    strings: tuple[TCString | None, ...]

    @classmethod
    def read(cls, consent: ConsentStrings, source: Source, column: CodedColumn) -> StringStatements:
        """Read each distinct string; raise `DatasetError` at a row that has none of them."""
        strings = []
        for code, text in enumerate(column.texts.to_pylist()):
            try:
                strings.append(read_tc_string(text))
            except ConsentError as error:
                row = int(np.argmax(column.codes == code))
                place = source.place(row)
                raise DatasetError(f"{place}, column '{consent.column}': {error}") from None
        return cls(consent, column, tuple(strings))

    @property
    def lines(self) -> bytes:
        """Nothing: a column is in the source."""
        return b""

    def grants(self) -> list[tuple[str, str]]:
        """Return every purpose that the framework's stand for, with every recipient."""
        return sorted(product(PURPOSES, self.consent.vendors))

    def of_rows(self, purpose: str, recipient: str, until: float | None) -> Statements:
        """Return what each row says; a string that was updated after `until` gives nothing.

        Raises `DatasetError` unless the framework has purposes for this one, and the recipient a
        number.
        """
        if purpose not in PURPOSES:
            raise DatasetError(
                f"the framework of the TC strings in column '{self.consent.column}' has no "
                f"purposes that stand for '{purpose[:100]}'; they stand for {', '.join(PURPOSES)}"
            )
        if recipient not in self.consent.vendors:
            raise DatasetError(
                f"the vendors of column '{self.consent.column}' do not have '{recipient[:100]}': "
                "add its number in the Global Vendor List to the description"
            )
        vendor = self.consent.vendors[recipient]
        latest = None if until is None else int(until * _MICROSECONDS)
        says = [
            GIVEN
            if string is not None
            and string.allows(purpose, vendor)
            and (latest is None or string.updated_at <= latest)
            else REFUSED
            for string in self.strings
        ]
        of_text = np.array([*says, SILENT], dtype=np.int8)  # -1, no string, takes the last
        return of_text[self.column.codes]
