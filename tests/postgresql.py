"""A PostgreSQL server of one's own, for the tests that need a real one.

It lives in a temporary folder, listens on a Unix socket in it and nowhere else, asks for a
password, and is stopped and removed with the test session. The server never runs as root: started
by root it runs as `postgres` or `nobody`. Without `pg_ctl` the tests that ask for it are skipped,
unless COMMONGROUND_REQUIRE_POSTGRESQL=1: then they fail.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

REQUIRE = "COMMONGROUND_REQUIRE_POSTGRESQL"
USER = "commonground"
PASSWORD = "let-the-tests-in"
_OPTIONS = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "listen_addresses=")


@dataclass(frozen=True)
class PostgreSQL:
    """A running server; `folder` holds its data, its log and its socket."""

    folder: Path
    _numbers: count = field(default_factory=count)

    def url(self, database="postgres", *, user=USER, password=PASSWORD):
        """Return the URL of a database, with the password in it, as SQLAlchemy takes it."""
        url = sa.URL.create(
            "postgresql+psycopg",
            username=user,
            password=password,
            database=database,
            query={"host": str(self.folder)},
        )
        return url.render_as_string(hide_password=False)

    def new_database(self):
        """Make an empty database and return its URL."""
        name = f"test_{next(self._numbers)}"
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        engine.dispose()
        return self.url(name)


@pytest.fixture(scope="session")
def postgresql():
    """Yield a running `PostgreSQL`, or skip."""
    programs = _programs()
    if programs is None:
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("POSTGRESQL IS NOT TESTED: there is no pg_ctl; apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="cg-pg-"))  # short: a socket's path has 107 bytes
    server = _Server(programs, folder)
    try:
        server.start()
        yield PostgreSQL(folder)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Server:
    programs: Path
    folder: Path

    def start(self):
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        for path in (self.folder, password):
            if _owner() is not None:
                shutil.chown(path, _owner(), -1)
        self._run(
            "initdb", "--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256",
            f"--username={USER}", f"--pwfile={password}",
        )  # fmt: skip
        options = [*_OPTIONS, "-c", f"unix_socket_directories={self.folder}"]
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", " ".join(options))

    def stop(self):
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def _run(self, program, *arguments):
        owner = _owner()
        # To a file: pg_ctl's server would keep a pipe open.
        with (self.folder / "output").open("wb") as output:
            ended = subprocess.run(
                [self.programs / program, "-D", self.folder / "data", *arguments],
                check=False,
                user=owner,
                group=None if owner is None else pwd.getpwnam(owner).pw_gid,
                extra_groups=None if owner is None else [],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
        if ended.returncode:
            pytest.fail(f"{program} failed: {(self.folder / 'output').read_text(errors='replace')}")


def _programs():
    """Return the folder of `pg_ctl`: the first on the path, else the newest that Debian has."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: float(p.parts[-3])
    )
    return installed[-1].parent if installed else None


def _owner():
    """Return the user that a server started by root runs as; None when we are not root."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)
