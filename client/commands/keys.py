"""`commonground keys`: look at this party's keys, replace one, tell counterparts."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, find_party, looked_at
from client.units import shown_time

app = typer.Typer(
    no_args_is_help=True,
    help="This party's keys: look, replace one without stopping, tell counterparts.",
    epilog=example(
        "commonground keys show",
        "commonground keys rotate tls",
        "commonground keys rotate identity --use-after 48 --overlap 30",
        "commonground keys tell",
        "commonground keys move-node-key keyring",
    ),
)


class Which(Enum):
    """A key that may be replaced."""

    TLS = "tls"
    IDENTITY = "identity"


@app.command(epilog=example("commonground keys show --party channel/"))
def show(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Show the keys in use, those that come or go, and which counterparts know of them."""
    from client.render_keys import keys_document, keys_shown

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        output.result(keys_document(here), keys_shown(here))


@app.command(epilog=example("commonground keys rotate tls --party channel/"))
def rotate(
    ctx: typer.Context,
    which: Annotated[
        Which,
        typer.Argument(
            help="tls: the key and certificate of connections. identity: the key that signs "
            "contracts, requests and what goes by way of a third party; the log keeps its own."
        ),
    ],
    use_after: Annotated[
        int,
        typer.Option(
            min=0, metavar="HOURS", help="When the new key comes into use; until then it is told."
        ),
    ] = 24,
    overlap: Annotated[
        int,
        typer.Option(min=0, metavar="DAYS", help="How long the one before is accepted after that."),
    ] = 14,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Replace a key of this party; a `serve` that runs goes on, and takes it up by itself.

    Counterparts are told at the next contact, `serve` seeks them out, and `keys tell` does so at
    once. They need no new contract. Who only dials and does not come in time gets keys.json, which
    is public. An expired certificate is replaced in the same way; give keys.json to everybody then.
    Open invitations end when another certificate than theirs is used, and are named here.
    """
    from client.render_keys import key_made, keys_document
    from client.render_peers import ended_by, made_again
    from party.organisation import Organisation
    from party.reception import Reception
    from party.rotation import FILE, rotate

    output = begin(ctx, as_json)
    here = Organisation.open(find_party(party).absolute(), expired=True)
    try:
        made = rotate(here, which.value, use_after_hours=use_after, overlap_days=overlap)
        ended = ended_by(made, Reception(here).issued())
        output.result(
            {**keys_document(here), "invitations_ended": [one.id for one in ended]},
            f"A new {key_made(made)} is made. It is used from {shown_time(made.starts)} on; the "
            f"one before is accepted until {shown_time(made.ends)}.",
            f"Counterparts hear of it at the next contact, and from `serve`; `commonground keys "
            f"tell` does it now. Who cannot be reached takes {here.folder / FILE}",
            *map(made_again, ended),
        )
    finally:
        here.close()


class Place(Enum):
    """Where the node key may be moved to."""

    KEYRING = "keyring"
    FILE = "file"


@app.command(epilog=example("commonground keys move-node-key keyring --party advertiser/"))
def move_node_key(
    ctx: typer.Context,
    place: Annotated[
        Place,
        typer.Argument(help="keyring: the operating system's. file: keys/node.key in the folder."),
    ],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Move the key that opens what is sealed in the folder into the system's keyring, or back.

    A copy of the folder opens nothing without it, and a backup does not hold it: keep a copy of the
    key. On a machine that nobody logs in to there is no keyring; the service's credential serves.
    """
    from party.node_key import move_node_key, place_of_node_key

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        where = move_node_key(here, place.value)
        output.result(
            {"node_key": place_of_node_key(here.folder / "keys")}, f"The node key is in {where}."
        )


@app.command(epilog=example("commonground keys tell --party channel/"))
def tell(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Tell the counterparts that can be dialled of keys that were replaced here.

    Nothing is lost where one is away: it is told at the next contact.
    """
    from client.key_exchange import tell_all

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        told = list(tell_all(here))
    output.result(
        {"told": [{"peer": one.peer, "knows": one.knows, "problem": one.problem} for one in told]},
        *(
            f"{one.peer}: {'knows' if one.knows else one.problem or 'does not know yet'}"
            for one in told
        ),
    )
