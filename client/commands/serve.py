"""`commonground serve`: listen for counterparts until told to stop.

What listens is handed in from outside: this module knows no server.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened, until_told

if TYPE_CHECKING:
    from client.listening import Listen, ListenHttp
    from client.output import Output
    from party.organisation import Organisation

LogFormat = Literal["text", "json"]
LogLevel = Literal["error", "warning", "info"]
_log: Final = logging.getLogger("commonground.serve")


def add_to(app: typer.Typer, listen: Listen, listen_http: ListenHttp) -> None:
    """Add the command; `listen` and `listen_http` start what listens on an address."""

    @app.command(
        epilog=example(
            "commonground serve --party channel/",
            "commonground serve --listen 0.0.0.0:7443 --party channel/",
            "commonground serve --http 127.0.0.1:7480 --party channel/",
        )
    )
    def serve(
        ctx: typer.Context,
        address: Annotated[
            str | None,
            typer.Option(
                "--listen",
                metavar="HOST:PORT",
                help="Where to listen; without it, where party.toml says. Port 0 takes a free one.",
            ),
        ] = None,
        http: Annotated[
            str | None,
            typer.Option(
                "--http",
                metavar="HOST:PORT",
                help="Where to offer the log to this party's own officers over HTTP, and to cosign "
                "the logs of counterparts; without it, where party.toml says, or nowhere.",
            ),
        ] = None,
        log_format: Annotated[
            LogFormat | None,
            typer.Option(
                "--log-format",
                help="How events are written to stderr: sentences, or a JSON object a line; "
                "without it, as party.toml says.",
            ),
        ] = None,
        log_level: Annotated[
            LogLevel | None,
            typer.Option(
                "--log-level",
                help="Which events are written: error, warning and worse, or info, which is all; "
                "without it, as party.toml says.",
            ),
        ] = None,
        party: PartyFolder = None,
        as_json: AsJson = False,
    ) -> None:
        """Listen for counterparts and carry out what contracts grant, until Ctrl-C or SIGTERM.

        Requests are approved by the contract's rule, or by hand with `requests approve` in another
        terminal. A stop suspends the sessions; they go on at the next start. Sessions that this
        party began and that broke off go on by themselves. One line an event goes to stderr,
        without identifiers or counts of people.
        """
        from client.listening import listening
        from client.log_lines import events_on_stderr
        from party.events import Event, note

        output = begin(ctx, as_json)
        debug = ctx.find_root().params["debug"]
        with opened(party) as here:
            at = address or here.settings.listen
            with (
                events_on_stderr(
                    log_format or here.settings.log_format,
                    level=log_level or here.settings.log_level,
                    debug=debug,
                ),
                listening(here, listen, at, listen_http, http) as now,
            ):
                wait = until_told()
                where = f"{at.rpartition(':')[0]}:{now.port}"
                _announce(output, here, where, now.port, now.url)
                note(_log, Event("listening", address=where), f"Listening on {where}.")
                wait()
                sentence = "Stopping; sessions are suspended and go on at the next start."
                note(_log, Event("stopping"), sentence)


def _announce(output: Output, here: Organisation, where: str, port: int, http: str | None) -> None:
    contracts = [
        {
            "contract": contract.id,
            "with": list(contract.counterparts(contract.me(here.identity))),
            "state": contract.standing(here.now),
        }
        for contract in here.contracts()
    ]
    in_force = [one for one in contracts if one["state"] == "in force"]
    lines = [f"  contract {one['contract']} with {', '.join(one['with'])}" for one in in_force]
    output.result(
        {
            "address": where,
            "port": port,
            "fingerprint": here.identity.fingerprint,
            "http": http,
            "contracts": contracts,
        },
        f"{here.identity.name} listens on {where}, over mutual TLS 1.3.",
        f"Fingerprint {here.identity.fingerprint}",
        *([f"The log is at {http}, with the token in keys/http.token."] if http else []),
        *(lines or ["No contract is in force yet; one that is imported is served at once."]),
    )
    sys.stdout.flush()
