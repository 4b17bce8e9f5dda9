"""What the shell offers after Tab: requests, contracts, datasets, templates, peers and invitations.

Tab must answer at once, so this reads the party's SQLite file with the standard library and loads
nothing else. With another store, or anything out of order, it offers nothing and says nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import typer

PARTY_VARIABLE: Final = "COMMONGROUND_PARTY"
_STORE_FILE: Final = "party.db"
_SHORT: Final = 8
_BUSY_SECONDS: Final = 0.2

Offers = Iterator[tuple[str, str]]


def offer_requests(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the first digits of requests, newest first, each with what it is."""
    found = _read(
        ctx,
        "SELECT id, kind, (SELECT group_concat(peer, ', ') FROM request_peers "
        "WHERE request = id), state FROM requests ORDER BY number DESC",
    )
    for name, kind, peers, state in found:
        if name.startswith(incomplete):
            yield name[: max(_SHORT, len(incomplete))], f"{kind} with {peers}, {state}"


def offer_contracts(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the ids of stored contracts."""
    for name, digest in _read(ctx, "SELECT name, hash FROM contracts ORDER BY name"):
        if name.startswith(incomplete):
            yield name, f"hash {digest[:_SHORT]}"


def offer_lists(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the names of lists that are kept, and the first digits of those without one."""
    found = _read(
        ctx,
        "SELECT r.request, r.peer, n.name FROM results JOIN request_peers r "
        "ON r.request = results.request "
        "LEFT JOIN list_generations n ON n.request = r.request "
        "WHERE results.list_file IS NOT NULL ORDER BY results.made_at DESC",
    )
    for request, peer, name in found:
        word = name or request
        if word.startswith(incomplete):
            yield name or request[: max(_SHORT, len(incomplete))], f"list with {peer}"


def offer_datasets(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the names of registered datasets."""
    for name, population in _read(ctx, "SELECT name, population FROM datasets ORDER BY name"):
        if name.startswith(incomplete):
            yield name, f"people of {population}"


def offer_templates(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the names of templates."""
    for (name,) in _read(ctx, "SELECT name FROM templates ORDER BY name"):
        if name.startswith(incomplete):
            yield name, "a saved report"


def offer_peers(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the names of peers that an invitation has pinned."""
    for (name,) in _read(ctx, "SELECT name FROM peers ORDER BY name"):
        if name.startswith(incomplete):
            yield name, "pinned by an invitation"


def offer_invitations(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the first digits of invitations that nobody has used or withdrawn, newest first."""
    query = (
        "SELECT substr(fingerprint, 8), coalesce(for_name, 'anybody') FROM invitations "
        "WHERE used_by IS NULL AND withdrawn_at IS NULL ORDER BY made_at DESC"
    )
    for digits, who in _read(ctx, query):
        if digits.startswith(incomplete):
            yield digits[: max(_SHORT, len(incomplete))], f"for {who}"


def _read(ctx: typer.Context, query: str) -> list[tuple[str, ...]]:
    folder = ctx.params.get("party") or os.environ.get(PARTY_VARIABLE) or "."
    path = (Path(folder) / _STORE_FILE).absolute()
    try:
        store = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        with closing(store):
            return store.execute(query).fetchall()
    except sqlite3.Error:
        return []
