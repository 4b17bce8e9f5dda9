"""New stores get their tables by what the migrations said to the first store of their kind.

To load Alembic's steps and walk through them takes longer than most tests, and there are hundreds
of parties. A store that has a version, and every store of a test about migrations, is migrated as
anywhere: such a test takes the fixture `really_migrated`. So is what a process of its own makes.
"""

import pytest
import sqlalchemy as sa

from party.store import Store

_MIGRATE = Store._migrate
_SAID = {}  # by kind of store: statements with their parameters


def _migrate(store):
    kind = store._engine.dialect.name
    if store._version() is not None:
        _MIGRATE(store)
    elif kind not in _SAID:
        _SAID[kind] = _heard(store)
    else:
        with store._engine.begin() as connection:
            for statement, parameters in _SAID[kind]:
                connection.exec_driver_sql(statement, parameters)


def _heard(store):
    """Migrate an empty store, and return what changed it."""
    said = []

    def note(connection, cursor, statement, parameters, context, executemany):
        if statement.split(None, 1)[0].upper() not in ("SELECT", "PRAGMA", "BEGIN"):
            said.append((statement, parameters))

    sa.event.listen(store._engine, "after_cursor_execute", note)
    try:
        _MIGRATE(store)
    finally:
        sa.event.remove(store._engine, "after_cursor_execute", note)
    return said


Store._migrate = _migrate


@pytest.fixture
def really_migrated():
    """Walk through the migrations for each store of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "_migrate", _MIGRATE)
        yield
