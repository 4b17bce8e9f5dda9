"""`commonground console users` and `tokens`: who may sign in, and what programs call with."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from audit.roles import Role
from client.commands.options import AsJson, PartyFolder, begin, example, looked_at
from party.errors import AccessError

users = typer.Typer(
    no_args_is_help=True,
    help="Who may sign in to the console, each in one role.",
    epilog=example(
        "commonground console users add olga --role operator",
        "commonground console users list",
    ),
)
tokens = typer.Typer(
    no_args_is_help=True,
    help="What programs call the console's API with: each token in one role, with an end.",
    epilog=example(
        "commonground console tokens add nightly --role analyst --days 30",
        "commonground console tokens list",
    ),
)

Name = Annotated[str, typer.Argument(help="What the account is called.")]
RoleOption = Annotated[
    Role,
    typer.Option(
        help="operator: everything. analyst: asks for lists and reports, and reads. "
        "compliance: reads, and runs and changes nothing."
    ),
]


@users.command("add", epilog=example("commonground console users add ana --role analyst"))
def add_user(
    ctx: typer.Context,
    name: Name,
    role: RoleOption,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody sign in to the console with a password, in a role.

    The password is asked for, twice; where stdin is no terminal, it is its first line.
    """
    from client.render_staff import staff_document
    from party.staff.accounts import Staff

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        added = Staff(here).add(name, role, _password())
    output.result(staff_document(added), f"{added.name} may sign in as {added.role.value}.")


@users.command("list", epilog=example("commonground console users list"))
def list_users(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List who may sign in to the console, in which role and since when."""
    from client.render_staff import staff_document, users_shown
    from party.staff.accounts import Staff

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        found = Staff(here).people()
    output.result({"users": [staff_document(one) for one in found]}, *users_shown(found))


@users.command("remove", epilog=example("commonground console users remove ana"))
def remove_user(
    ctx: typer.Context, name: Name, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Let somebody sign in no longer; what they are signed in to ends at once."""
    from client.render_staff import staff_document
    from party.staff.accounts import Staff, account_of

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        removed = Staff(here).remove(account_of(name))
    output.result(staff_document(removed), f"{removed.name} may sign in no longer.")


@users.command("password", epilog=example("commonground console users password ana"))
def set_password(
    ctx: typer.Context, name: Name, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Give somebody another password; they are signed out everywhere.

    It is asked for, twice; where stdin is no terminal, it is its first line.
    """
    from party.staff.accounts import Staff, account_of

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        Staff(here).set_password(account_of(name), _password())
    output.result({"name": name}, f"{name} has another password, and signs in anew.")


@users.command("role", epilog=example("commonground console users role ana --role operator"))
def set_role(
    ctx: typer.Context,
    name: Name,
    role: RoleOption,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Change the role of somebody, who is signed out everywhere."""
    from client.render_staff import staff_document
    from party.staff.accounts import Staff, account_of

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        changed = Staff(here).set_role(account_of(name), role)
    output.result(staff_document(changed), f"{changed.name} signs in as {changed.role.value}.")


@tokens.command("add", epilog=example("commonground console tokens add nightly --role analyst"))
def add_token(
    ctx: typer.Context,
    name: Name,
    role: RoleOption,
    days: Annotated[int, typer.Option(help="After how many days it ends, 366 at most.")] = 90,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program that calls the console's API, and print it this once."""
    from client.render_staff import staff_document
    from client.units import shown_time
    from party.staff.accounts import Staff

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        added, token = Staff(here).add_token(name, role, days)
    output.result(
        staff_document(added) | {"token": token},
        token,
        f"It is shown this once, and ends {shown_time(added.ends_at or 0)}. A program gives it as "
        "`Authorization: Bearer TOKEN`.",
    )


@tokens.command("list", epilog=example("commonground console tokens list"))
def list_tokens(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List the tokens, their roles and their ends; none is shown itself."""
    from client.render_staff import staff_document, tokens_shown
    from party.staff.accounts import Staff

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        found, now = Staff(here).tokens(), here.now
    output.result({"tokens": [staff_document(one) for one in found]}, *tokens_shown(found, now))


@tokens.command("revoke", epilog=example("commonground console tokens revoke nightly"))
def revoke_token(
    ctx: typer.Context, name: Name, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Let a token serve no longer, from the next call on."""
    from client.render_staff import staff_document
    from party.staff.accounts import TOKEN, Staff, account_of

    output = begin(ctx, as_json)
    with looked_at(party) as here:
        removed = Staff(here).remove(account_of(name, TOKEN))
    output.result(staff_document(removed), f"The token {removed.name} serves no longer.")


def _password() -> str:
    """Return a password that was typed twice, or the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise AccessError("the two passwords differ: nothing was changed")
    return first
