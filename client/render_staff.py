"""Accounts of the console and tokens, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from client.units import shown_time
from party.staff.accounts import StaffAccount


def staff_document(one: StaffAccount) -> dict[str, Any]:
    """Return an account as JSON values; times are Unix seconds."""
    document: dict[str, Any] = {
        "name": one.name,
        "account": one.account,
        "role": one.role.value,
        "since": one.since,
    }
    if one.is_token:
        return document | {"ends_at": one.ends_at}
    return document | {"provider": one.issuer}


def users_shown(users: Sequence[StaffAccount]) -> list[str | RenderableType]:
    """Return who may sign in, a line each."""
    if not users:
        return ["Nobody may sign in: commonground console users add NAME --role operator"]
    table = Table("Name", "Role", "Since", "Signs in with")
    for one in users:
        table.add_row(one.name, one.role.value, shown_time(one.since), one.issuer or "a password")
    return [table]


def tokens_shown(tokens: Sequence[StaffAccount], now: int) -> list[str | RenderableType]:
    """Return the tokens, a line each."""
    if not tokens:
        return ["There are no tokens: commonground console tokens add NAME --role analyst"]
    table = Table("Name", "Role", "Since", "Ends")
    for one in tokens:
        ends = one.ends_at or 0
        shown = shown_time(ends) if ends > now else f"has ended, {shown_time(ends)}"
        table.add_row(one.name, one.role.value, shown_time(one.since), shown)
    return [table]
