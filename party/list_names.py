"""The names of lists in a party's store: which request made which generation of which list.

A refresh is a new generation under the old name. Which generation counts follows from the
results: one that has a result takes the place of the one that it names, from the transaction on
that stored the result. There is no pointer that could be left behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from languages import message
from party.contract_terms import NAME
from party.decision import OPEN_STATES
from party.errors import PartyError
from party.schema import LIST_GENERATIONS, REQUESTS, RESULTS
from party.store import Store


@dataclass(frozen=True)
class Naming:
    """What a request's list is called, and the request whose list it takes the place of."""

    name: str
    replaces: str | None = None

    def __post_init__(self) -> None:
        problem = NAME.broken_by(self.name)
        if problem is not None:
            raise PartyError(
                message(
                    "the name of a list: {problem}",
                    problem=problem,
                )
            )


def require_free(store: Store, naming: Naming) -> None:
    """Refuse a name before anything is asked; see `register` for what is raised."""
    _require_free(store.rows(_called(naming.name)), naming)


def register(connection: Connection, request: str, naming: Naming) -> None:
    """Give a request's list its name.

    Raises:
        PartyError: another list that has not ended has the name, or the same list is being
            refreshed already.
    """
    rows = connection.execute(_called(naming.name)).all()
    _require_free(rows, naming)
    connection.execute(
        sa.insert(LIST_GENERATIONS).values(
            request=request,
            name=naming.name,
            number=max((row.number for row in rows), default=0) + 1,
            replaces=naming.replaces,
        )
    )


def _require_free(rows: Sequence[sa.Row[Any]], naming: Naming) -> None:
    under_way = [row.request for row in rows if row.made_at is None and row.state in OPEN_STATES]
    if under_way:
        raise PartyError(
            message(
                "the list {name} is being made: go on with `commonground "
                "requests resume {under_way}`",
                name=naming.name,
                under_way=under_way[0][:8],
            )
        )
    if naming.replaces is None and any(row.list_file is not None for row in rows):
        raise PartyError(
            message(
                "there is a list called {name} already: choose another name, or "
                "refresh it with `commonground lists refresh {name}`",
                name=naming.name,
            )
        )


def naming_of(store: Store, request: str) -> Naming | None:
    """Return what a request's list is called, if it has a name."""
    row = store.row(_generations().where(LIST_GENERATIONS.c.request == request))
    return None if row is None else Naming(row.name, row.replaces)


def newest(store: Store, name: str) -> str | None:
    """Return the request of the generation of a name that counts: the last one made."""
    made = _generations().where(LIST_GENERATIONS.c.name == name, RESULTS.c.made_at.is_not(None))
    row = store.row(made.order_by(LIST_GENERATIONS.c.number.desc()))
    return None if row is None else str(row.request)


def was_replaced(request: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return whether a newer generation has taken the place of a request's list, in a query."""
    newer, made = LIST_GENERATIONS.alias(), RESULTS.alias()
    return sa.exists().where(newer.c.replaces == request, made.c.request == newer.c.request)


def _called(name: str) -> sa.Select[tuple[str, str, int, str, str, str, int]]:
    return _generations().where(LIST_GENERATIONS.c.name == name)


def _generations() -> sa.Select[tuple[str, str, int, str, str, str, int]]:
    """Return every generation, with how its request stands and what has come of it."""
    columns = LIST_GENERATIONS.c
    return (
        sa.select(
            columns.request,
            columns.name,
            columns.number,
            columns.replaces,
            REQUESTS.c.state,
            RESULTS.c.list_file,
            RESULTS.c.made_at,
        )
        .join(REQUESTS, REQUESTS.c.id == columns.request)
        .outerjoin(RESULTS, RESULTS.c.request == columns.request)
    )
