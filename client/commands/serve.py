"""`commonground serve`: listen for counterparts until told to stop.

What listens is handed in from outside: this module knows no server.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened

if TYPE_CHECKING:
    from client.listening import Listen
    from client.output import Output
    from party.organisation import Organisation


def add_to(app: typer.Typer, listen: Listen) -> None:
    """Add the command; `listen` starts what listens on an address."""

    @app.command(
        epilog=example(
            "commonground serve --party channel/",
            "commonground serve --listen 0.0.0.0:7443 --party channel/",
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
        party: PartyFolder = None,
        as_json: AsJson = False,
    ) -> None:
        """Listen for counterparts and carry out what contracts grant, until Ctrl-C or SIGTERM.

        Requests are approved by the contract's rule, or by hand with `requests approve` in another
        terminal. A stop suspends the sessions; they go on at the next start. One line an event
        goes to stderr, without identifiers or counts of people.
        """
        from client.listening import listening

        output = begin(ctx, as_json)
        _log_to_stderr()
        with opened(party) as here:
            stopped, where = _until_told(), address or here.settings.listen
            with listening(here, listen, where) as listener:
                _announce(output, here, where, listener.port)
                stopped.wait()
                output.say("Stopping; sessions are suspended and go on at the next start.")


def _announce(output: Output, here: Organisation, address: str, port: int) -> None:
    from client.render_contract import standing

    host = address.rpartition(":")[0]
    contracts = [
        {
            "contract": contract.id,
            "with": list(contract.counterparts(contract.me(here.identity))),
            "state": standing(contract, here.now),
        }
        for contract in here.contracts()
    ]
    in_force = [one for one in contracts if one["state"] == "in force"]
    lines = [f"  contract {one['contract']} with {', '.join(one['with'])}" for one in in_force]
    output.result(
        {
            "address": f"{host}:{port}",
            "port": port,
            "fingerprint": here.identity.fingerprint,
            "contracts": contracts,
        },
        f"{here.identity.name} listens on {host}:{port}, over mutual TLS 1.3.",
        f"Fingerprint {here.identity.fingerprint}",
        *(lines or ["No contract is in force yet; one that is imported is served at once."]),
    )
    sys.stdout.flush()


def _until_told() -> threading.Event:
    """Return an event that SIGTERM and Ctrl-C set."""
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        del number, frame
        told.set()

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    return told


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    logger = logging.getLogger("commonground")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
