"""Notes by which a log has signed two trees of one size: evidence against it, kept in `forks/`.

The other note is the one that this party has cosigned, which is in its store. A file is written
once for each tree, whoever showed it and how often.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from audit.checkpoint import Checkpoint
from audit.note import parse_note
from party.durable import settle

FORKS_FOLDER: Final = "forks"
MOST_FORKS: Final = 100
"""Anybody who holds a log's key can sign any number of trees."""


def keep_fork(party: Path, text: str, *, enter: Callable[[], object] = lambda: None) -> str | None:
    """Keep a signed checkpoint in a party's folder, and return the name of its file.

    `enter` does what belongs to it, before the file has its name.

    Returns:
        None where it is kept already, or there is no more room for such.
    """
    checkpoint = Checkpoint.parse(parse_note(text).text)
    folder = party / FORKS_FOLDER
    name = f"{checkpoint.size}-{sha256(checkpoint.body().encode()).hexdigest()[:16]}.note"
    if (folder / name).exists() or len(list(folder.glob("*.note"))) >= MOST_FORKS:
        return None
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = folder / f".{name}"
    temporary.write_text(text, encoding="utf-8")
    enter()
    settle(temporary, folder / name)
    return name
