"""Tables that tests measure, as Markdown where `make console-looks` wants them."""

import os
from pathlib import Path

FOLDER = os.environ.get("COMMONGROUND_CONSOLE_PICTURES")
"""Where pictures and tables are kept; None in a run of the suite, which keeps none."""


def keep(name, title, said, columns, rows):
    """Write a table with a sentence above it as `name`.md; nothing where none is wanted."""
    if FOLDER is None:
        return
    lines = [columns, ["---"] * len(columns), *rows]
    text = "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
    Path(FOLDER, f"{name}.md").write_text(f"# {title}\n\n{said}\n\n{text}\n", encoding="utf-8")
