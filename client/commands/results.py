"""Printing and exporting what a request has brought; several commands end with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from client.actors import OPERATOR

if TYPE_CHECKING:
    from client.output import Output
    from client.results import Result
    from party.filing import Filed
    from party.organisation import Organisation


def print_result(
    party: Organisation, output: Output, filed: Filed, *, private: bool, out: Path | None
) -> None:
    """Print a finished request's result, and write it to a file where one is named."""
    from client.render_report import result_shown
    from client.render_request import request_document
    from client.results import export_result, result_of

    result = result_of(party, filed, private=private)
    written = []
    if out is not None:
        export_result(party, result, out, actor=OPERATOR)
        written = [f"Written to {out}."]
        if private:
            output.say(f"{out} is for your own eyes: its column `kind` says so in every row.")
    document = {**request_document(filed), "result": result_document(result)}
    output.result(document, *result_shown(result), *written)


def result_document(result: Result) -> dict[str, object]:
    """Return a result as JSON values."""
    from client.render_lists import list_document
    from client.results import NothingLearnt
    from party.lists import MatchedList

    if isinstance(result, MatchedList):
        return list_document(result)
    if isinstance(result, NothingLearnt):
        return {"role": result.role}
    return result.to_dict()


def require_writable(kind: str, out: Path | None) -> None:
    """Refuse a file that the result could not be written to, before anything is spent."""
    from client.results import LIST_SUFFIXES, TABLE_SUFFIXES

    if out is None:
        return
    suffixes = LIST_SUFFIXES if kind == "match" else TABLE_SUFFIXES
    if out.suffix not in suffixes:
        raise typer.BadParameter(
            f"write to a file that ends in {', '.join(suffixes)}", param_hint="--out"
        )
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    if kind == "match" and out.exists():
        raise typer.BadParameter(f"{out} exists already", param_hint="--out")
