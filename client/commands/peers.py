"""`commonground peers`: list, forget, renew, revoke and restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened
from client.completion import offer_peers

app = typer.Typer(
    no_args_is_help=True,
    help="The counterparts whose keys are pinned here: look, forget or revoke one.",
    epilog=example(
        "commonground peers list --party channel/",
        "commonground peers forget advertiser --party channel/",
        'commonground peers revoke advertiser --reason "its laptop was stolen"',
    ),
)

PeerName = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The peer's name in `peers list`.", autocompletion=offer_peers
    ),
]
Reason = Annotated[str, typer.Option(help="Why, in words; it goes into the log.")]


@app.command("list", epilog=example("commonground peers list --party channel/"))
def list_(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List whom you let in, by an invitation or by a contract, with fingerprints to compare."""
    from client.render_peers import peer_document, peers_shown
    from party.known_peers import KnownPeers

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = KnownPeers(here).peers()
    output.result({"peers": [peer_document(one) for one in found]}, *peers_shown(found))


@app.command(epilog=example("commonground peers forget advertiser --party channel/"))
def forget(
    ctx: typer.Context,
    name: PeerName,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take the pin away that an invitation made: its keys are let in no longer.

    It holds at once, also for a `serve` that runs, and its open invitations are withdrawn. Lists,
    results, requests and the log stay as they are. Refused while a contract with it has not ended,
    since the contract pins its keys too.
    """
    from party.known_peers import KnownPeers

    output = begin(ctx, as_json)
    with opened(party) as here:
        withdrawn = KnownPeers(here).forget(name)
    also = f" {withdrawn} open invitation(s) for it are withdrawn." if withdrawn else ""
    output.result(
        {"peer": name, "withdrawn_invitations": withdrawn},
        f"{name} is forgotten: its keys are let in no longer.{also}",
        "What was done with it stays, with the log. To meet it again: commonground invite "
        f"--for {name}",
    )


@app.command(epilog=example("commonground peers renew channel-keys.json --party advertiser/"))
def renew(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The counterpart's keys.json.")],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take a counterpart's word that it replaced its keys, where it could not tell it itself.

    Its signatures are checked by the keys that are known here; no new contract is needed. Mostly
    this happens by itself, at the next contact.
    """
    from client.key_exchange import learn_file

    output = begin(ctx, as_json)
    with opened(party) as here:
        new = learn_file(here, file)
    output.result(
        {"new": [{"peer": one.peer, "number": one.statement.number} for one in new]},
        *(
            f"{one.peer} has replaced its "
            + ("signing key." if one.statement.replaces_signing_key else "certificate.")
            + f" Fingerprint {one.statement.after.fingerprint}"
            for one in new
        ),
        *([] if new else ["Nothing is new: these statements were known here."]),
    )


@app.command(
    epilog=example('commonground peers revoke advertiser --reason "its laptop was stolen"')
)
def revoke(
    ctx: typer.Context,
    name: PeerName,
    reason: Reason,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Do nothing with a counterpart any more, at once, also where a contract is in force.

    Its keys are let in no longer, also by a `serve` that runs; its requests and those to it end,
    and sessions that run end at their next step. What was spent stays spent, and what it has got it
    keeps. Withdrawals reach its lists no longer either, nor this party's. It is not told why.
    """
    from party.revocation import Revocations

    output = begin(ctx, as_json)
    with opened(party) as here:
        ended = Revocations(here).revoke(name, reason)
    output.result(
        {"peer": name, "ended": ended},
        f"{name} is revoked: nothing is done with it any more. {ended} request(s) ended.",
        f"To take it back: commonground peers restore {name} --reason ...",
    )


@app.command(epilog=example('commonground peers restore advertiser --reason "it was found"'))
def restore(
    ctx: typer.Context,
    name: PeerName,
    reason: Reason,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take a revocation back: contracts and invitations hold again; what has ended stays ended."""
    from party.revocation import Revocations

    output = begin(ctx, as_json)
    with opened(party) as here:
        Revocations(here).restore(name, reason)
    output.result({"peer": name}, f"{name} may do again what contracts and invitations say.")
