"""The root of the command line: every error becomes a message and an exit code, here alone.

Expected errors are one sentence. An unexpected one is a short sentence and the name of a file with
the traceback, readable by its owner only, since a traceback may quote data.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import tempfile
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import typer
from typer.core import TyperGroup

from client.exits import ExitCode, exit_code, said_in
from client.output import Output
from party.errors import NotEntitled, Refusal, SessionSuspended, StoreError

_ORDER = (
    "sandbox", "init", "invite", "join", "invitations", "peers", "keys", "serve", "status",
    "dataset", "consent", "contract", "quote", "match", "lists", "suppress", "report", "lookalike",
    "requests", "ledger", "subject", "audit", "lineage", "console", "access", "retention", "backup",
    "restore", "doctor",
)  # fmt: skip
"""The commands as a newcomer meets them."""


class Commands(TyperGroup, ABC):
    """The root group; its `--debug` shows tracebacks. `load` is what a subclass adds."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - Typer's own
        super().__init__(**attributes)
        _unfold(self)
        self.commands = cast(Any, _Waiting(self.load))  # nothing is ever put into it

    @abstractmethod
    def load(self, name: str) -> Any:  # noqa: ANN401 - a command of Click's private module
        """Import and build the command of a name."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Click's context, of a private module
        """Run the command that was typed; end with its exit code."""
        output = ctx.obj = Output()
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except typer.TyperException as error:
            _print_document(output, ExitCode.USAGE, error.message)
            raise
        except KeyboardInterrupt:
            raise _interrupted(output) from None
        except Exception as error:  # noqa: BLE001 - the last resort, which says so
            if ctx.params.get("debug"):
                traceback.print_exc()
            raise _ended(output, error) from None


class _Waiting(Mapping[str, Any]):
    """The commands by name; to build them all takes longer than most of them do."""

    def __init__(self, load: Callable[[str], Any]) -> None:
        self._load, self._loaded = load, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as `load`
        if name not in _ORDER:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
            _unfold(self._loaded[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_ORDER)

    def __len__(self) -> int:
        return len(_ORDER)


def _unfold(command: Any) -> None:  # noqa: ANN401 - a command of Click's private module
    """Join the lines of each paragraph of a docstring, so that help wraps where the screen ends."""
    if command.help:
        paragraphs = inspect.cleandoc(command.help).split("\n\n")
        command.help = "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
    for inner in getattr(command, "commands", {}).values():
        _unfold(inner)


def _ended(output: Output, error: Exception) -> typer.Exit:
    code = exit_code(error)
    if code is None:
        return _unexpected(output, error)
    status = _status_of(error)
    said = said_in(error) or type(error).__name__
    if isinstance(error, SessionSuspended | StoreError) and output.session:
        said = f"{said}. {resume_hint(output.session)}"
    return _fail(output, code, said, status)


def _status_of(error: Exception) -> str | None:
    """Return the word that a script reads, where the error has one."""
    if isinstance(error, NotEntitled):
        return error.status
    return error.status.value if isinstance(error, Refusal) else None


def _interrupted(output: Output) -> typer.Exit:
    message = "Interrupted."
    if output.session:
        message = f"Interrupted. The session is kept. {resume_hint(output.session)}"
    return _fail(output, ExitCode.INTERRUPTED, message)


def resume_hint(request_id: str) -> str:
    """Say how a session goes on."""
    return f"Go on with `commonground requests resume {request_id[:8]}`"


def _unexpected(output: Output, error: Exception) -> typer.Exit:
    handle, path = tempfile.mkstemp(prefix="commonground-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    message = (
        f"an unexpected {type(error).__name__} stopped the command; the details are in {path}. "
        "Nothing that was charged or logged is lost; --debug, before the command, shows them here"
    )
    return _fail(output, ExitCode.UNEXPECTED, message)


def _fail(output: Output, code: ExitCode, said: str, status: str | None = None) -> typer.Exit:
    _print_document(output, code, said, status)
    _ = output.language
    if code is ExitCode.INTERRUPTED:
        output.say(said)
    elif code is ExitCode.WAITING:
        output.say(_("Not finished: {said}", said=said))
    else:
        output.say(_("Error: {said}", said=said))
    return typer.Exit(code)


def _print_document(
    output: Output, code: ExitCode, message: str, status: str | None = None
) -> None:
    """Print an error as the command's one document, when it was asked for one."""
    if not output.as_json:
        return
    error: dict[str, Any] = {"exit_code": int(code), "status": status, "message": message}
    if output.session is not None:
        error["request"] = output.session
    sys.stdout.write(json.dumps({"error": error}, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()
