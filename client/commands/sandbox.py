"""`commonground sandbox`: a running counterpart of made-up people, for one person alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.options import AsJson, begin, example, until_told

if TYPE_CHECKING:
    from client.listening import Listen
    from client.output import Output
    from client.sandbox import Sandbox


def add_to(app: typer.Typer, listen: Listen) -> None:
    """Add the command; `listen` starts what listens on an address."""

    @app.command(
        epilog=example("commonground sandbox", "commonground sandbox try/ --no-serve --json")
    )
    def sandbox(
        ctx: typer.Context,
        folder: Annotated[
            Path,
            typer.Argument(metavar="DIR", help="Where to make it, or where it is already."),
        ] = Path("sandbox"),
        serve: Annotated[
            bool,
            typer.Option(
                "--serve/--no-serve",
                help="Let the partner listen until Ctrl-C, or make both parties and return; "
                "`serve --party DIR/partner` listens later.",
            ),
        ] = True,
        remove: Annotated[
            bool,
            typer.Option(
                "--remove", help="Delete the sandbox at the end; without it, everything stays."
            ),
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Try everything alone: a running partner with made-up people, and a signed contract.

        Your party and the partner are real ones, on this machine. What to type next is printed,
        with what is true of the people. A sandbox that is there goes on as it was left.
        """
        from client.render_sandbox import sandbox_document, sandbox_shown
        from client.sandbox import open_sandbox, remove_sandbox

        output = begin(ctx, as_json)
        with output.busy("Making a sandbox …"):
            opened = open_sandbox(folder)
        try:
            if not serve:
                output.result(sandbox_document(opened), *sandbox_shown(opened))
                return
            _serve(ctx, output, opened, listen)
        finally:
            if remove:
                remove_sandbox(folder)


def _serve(ctx: typer.Context, output: Output, opened: Sandbox, listen: Listen) -> None:
    """Let the partner listen until somebody stops it."""
    from client.commands.options import looked_at
    from client.listening import listening
    from client.log_lines import events_on_stderr
    from client.render_sandbox import sandbox_document, sandbox_shown
    from client.sandbox import require_free

    require_free(opened)
    debug = ctx.find_root().params["debug"]
    with (
        looked_at(opened.partner) as partner,
        events_on_stderr(
            partner.settings.log_format, level=partner.settings.log_level, debug=debug
        ),
        listening(partner, listen, opened.address),
    ):
        wait = until_told()
        output.result(
            sandbox_document(opened),
            *sandbox_shown(opened),
            "",
            f"The partner listens on {opened.address} until Ctrl-C.",
        )
        wait()
