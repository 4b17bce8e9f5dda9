"""The members of a party, and who asks, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from party.access import Member, Standing


def member_document(member: Member) -> dict[str, Any]:
    """Return a member as JSON values."""
    return {"account": member.account, "role": member.role.value, "since": member.since}


def access_document(members: Sequence[Member], own: Standing) -> dict[str, Any]:
    """Return the members, and the account that asks, as JSON values."""
    return {
        "account": own.account,
        "role": None if own.role is None else own.role.value,
        "members": [member_document(member) for member in members],
    }


def access_shown(members: Sequence[Member], own: Standing) -> list[RenderableType]:
    """Return a line a member, and who asks."""
    if not members:
        return [
            "No members: whoever can open this folder may do everything, and the log does not say "
            "who it was.",
            f"You are {own.account}. To begin: commonground access add {own.account} "
            "--role operator",
        ]
    table = Table("account", "role", "since")
    for member in members:
        since = datetime.fromtimestamp(member.since, UTC).strftime("%Y-%m-%d %H:%M UTC")
        table.add_row(member.account, member.role.value, since)
    return [table, f"You are {own.account}."]
