"""What the texts in a dataset's description must look like."""

from __future__ import annotations

import re
from typing import Final

from languages import message
from party.document import TextRule

COLUMN: Final = TextRule(message("a column name: one line of printable text"), most=128)
PATH: Final = TextRule(
    message("a file, a folder or a pattern such as receipts/*.parquet"), most=1024
)
QUERY: Final = TextRule(
    message("one SQL query that reads"), re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]+"), most=100_000
)
URL: Final = TextRule(message("a database's URL, such as sqlite:///crm.db"), most=1024)
VARIABLE: Final = TextRule(
    message("the name of an environment variable, such as CRM_URL"),
    re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    most=128,
)
CELL: Final = TextRule(message("a text as it stands in the column"), most=128)
