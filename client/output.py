"""Where a command speaks: its one result on stdout, everything else on stderr.

With `--json` the result is exactly one JSON document; without, it is what a person reads. A
result is printed once, so that a script never has to guess which of several it was meant to take.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TextIO

from languages import ENGLISH

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from party.driver import ProgressHook

_PLAIN_WIDTH: Final = 140
"""Characters a line where no terminal says how wide it is."""


class Output:
    """The voice of one command.

    `session` is the request that the command has under way: what an interruption leaves behind.
    `language` is that of what people read, where the command may be asked for another; what
    programs read stays English.
    """

    def __init__(self) -> None:
        self.as_json = False
        self.language = ENGLISH
        self.session: str | None = None

    def result(self, document: Mapping[str, Any], *shown: RenderableType) -> None:
        """Print the command's result: `document` with `--json`, or what is `shown`."""
        if self.as_json:
            text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
            return
        _write(sys.stdout, shown)

    def begun(self, request_id: str) -> None:
        """Take note of the request that is under way."""
        self.session = request_id

    def watching(self, peer: str) -> AbstractContextManager[ProgressHook]:
        """Show how far a session is while it runs."""
        from client.progress import watching

        return watching(peer)

    def say(self, *parts: RenderableType) -> None:
        """Tell what happens meanwhile."""
        _write(sys.stderr, parts)

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Show that something is under way, where somebody watches."""
        console = open_console(sys.stderr)
        return console.status(what) if console.is_terminal else nullcontext()


def open_console(stream: TextIO) -> Console:
    """Return a console that takes text as it is: names and labels are never read as markup."""
    from rich.console import Console

    width = None if stream.isatty() or "COLUMNS" in os.environ else _PLAIN_WIDTH
    return Console(
        file=stream,
        width=width,
        markup=False,
        highlight=False,
        emoji=False,
        force_jupyter=False,  # a notebook is given text, as a file is
    )


def as_text(*parts: RenderableType) -> str:
    """Return what `Output.result` prints where nobody watches."""
    from io import StringIO

    stream = StringIO()
    _write(stream, parts)
    return stream.getvalue()


def _write(stream: TextIO, parts: Sequence[RenderableType]) -> None:
    """Print each part; sentences where nobody watches, such as a listener's, do without Rich."""
    if not stream.isatty() and all(isinstance(part, str) for part in parts):
        stream.writelines(f"{part}\n" for part in parts)
        return
    console = open_console(stream)
    for part in parts:
        _print(console, part)


def _print(console: Console, part: RenderableType) -> None:
    # Where nobody watches, a sentence is one line: scripts and logs search for it. A single word is
    # one line everywhere: it is there to be copied.
    unbroken = isinstance(part, str) and (not console.is_terminal or " " not in part)
    console.print(part, soft_wrap=unbroken)
