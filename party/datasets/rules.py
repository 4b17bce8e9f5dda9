"""What the texts in a dataset's description must look like."""

from __future__ import annotations

from typing import Final

from party.document import TextRule

COLUMN: Final = TextRule("a column name: one line of printable text", most=128)
PATH: Final = TextRule("a file, a folder or a pattern such as receipts/*.parquet", most=1024)
CELL: Final = TextRule("a text as it stands in the column", most=128)
