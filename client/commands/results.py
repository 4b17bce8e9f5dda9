"""Printing and exporting what a request has brought; several commands end with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from client.actors import OPERATOR
from client.page.files import NO_PAGES, PageFiles

if TYPE_CHECKING:
    from client.output import Output
    from client.results import Result
    from party.filing import Filed
    from party.organisation import Organisation
    from reports.costs import Costs
    from reports.rendering import Rendering


def print_result(
    party: Organisation,
    output: Output,
    filed: Filed,
    *,
    private: bool,
    out: Path | None,
    pages: PageFiles = NO_PAGES,
    costs: Costs | None = None,
    model: str | None = None,
) -> None:
    """Print a finished request's result, and write it to a file where one is named."""
    from client.render_report import result_shown
    from client.render_request import request_document
    from client.results import export_result, result_of
    from reports.rendering import Rendering

    result = result_of(party, filed, private=private, costs=costs, model=model)
    written = []
    if out is not None:
        export_result(party, result, out, actor=OPERATOR)
        written = [f"Written to {out}."]
        if private:
            output.say(f"{out} is for your own eyes: its column `kind` says so in every row.")
    if isinstance(result, Rendering):
        written += write_pages(party, output, result, [filed], pages)
    document = {**request_document(filed), "result": result_document(result)}
    output.result(document, *result_shown(result), *written)


def write_pages(
    party: Organisation,
    output: Output,
    report: Rendering,
    finished: Sequence[Filed],
    pages: PageFiles,
) -> list[str]:
    """Write a report's page and charts where they are wanted, and say where they are."""
    if not pages.wanted:
        return []
    from client.page.source import source_of

    with output.busy("Drawing the charts"):
        paths = pages.write(
            report, lambda: [source_of(party, one) for one in finished], party.identity.name
        )
    return [f"Written to {path}." for path in paths]


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


def require_writable(kind: str, out: Path | None, pages: PageFiles = NO_PAGES) -> None:
    """Refuse a file that the result could not be written to, before anything is spent."""
    from client.results import LIST_SUFFIXES, TABLE_SUFFIXES

    if kind == "match" and pages.wanted:
        raise typer.BadParameter("a match makes a list, which has no page and no charts")
    for path, endings, option in pages.paths:
        _require_place(path, endings, option)
    pages.require_writable()
    if out is None:
        return
    _require_place(out, LIST_SUFFIXES if kind == "match" else TABLE_SUFFIXES, "--out")
    if kind == "match" and out.exists():
        raise typer.BadParameter(f"{out} exists already", param_hint="--out")


def _require_place(path: Path, suffixes: tuple[str, ...], option: str) -> None:
    if path.suffix not in suffixes:
        raise typer.BadParameter(
            f"write to a file that ends in {', '.join(suffixes)}", param_hint=option
        )
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}", param_hint=option)
