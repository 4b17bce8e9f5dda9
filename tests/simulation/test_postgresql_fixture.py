"""The PostgreSQL of the tests is a real server that asks for a password."""

import pytest
import sqlalchemy as sa


def _version(url):
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql("SHOW server_version").scalar_one()
    finally:
        engine.dispose()


def test_each_database_of_the_test_server_is_new(postgresql):
    first, second = postgresql.new_database(), postgresql.new_database()
    assert first != second
    assert _version(first) == _version(second)


def test_the_test_server_asks_for_the_password(postgresql):
    with pytest.raises(sa.exc.OperationalError, match="authentication failed"):
        _version(postgresql.url(password="wrong"))
