"""A PostgreSQL server of one's own, for the tests that need a real one.

It lives in a temporary folder, listens on a Unix socket in it and nowhere else, asks for a
password, and is stopped and removed with the test session. The server never runs as root: started
by root it runs as `postgres` or `nobody`. Without `pg_ctl` the tests that ask for it are skipped,
unless COMMONGROUND_REQUIRE_POSTGRESQL=1: then they fail.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil
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
    server: "_Server"
    _numbers: count = field(default_factory=count)

    def fall(self, mode="immediate"):
        """End the server as a power cut does, or as `pg_ctl` names another way.

        What was committed is there when it comes up.
        """
        self.server.stop(mode)

    def come_up(self):
        """Start it again."""
        self.server.come_up()

    def standby(self):
        """Return a second server that follows this one, which waits for it at every COMMIT."""
        folder = Path(tempfile.mkdtemp(prefix="cg-pg-"))
        made = PostgreSQL(folder, _Server(programs(), folder))
        try:
            made.server.follow(self.folder)
            self._do("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self._do("SELECT pg_reload_conf()")
        except BaseException:
            made.remove()
            raise
        return made

    def kill(self):
        """End every process of the server at once, as a machine does that goes off."""
        self.server.kill()

    def promote(self):
        """Let a standby take over."""
        self.server.promote()

    def url_with(self, standby, database):
        """Return the URL of a database on whichever of the two servers leads."""
        url = sa.make_url(self.url(database))
        hosts = f"{self.folder},{standby.folder}"
        both = url.set(query={"host": hosts, "target_session_attrs": "read-write"})
        return both.render_as_string(hide_password=False)

    def _do(self, statement):
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

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
        return self.copy("template0")

    def copy(self, database):
        """Make a copy of a database that nobody is connected to, and return its URL."""
        name = f"test_{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {database}")
        return self.url(name)

    def remove(self):
        """Stop it, and leave nothing behind."""
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql():
    """Yield a running `PostgreSQL`, or skip."""
    if programs() is None:
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("POSTGRESQL IS NOT TESTED: there is no pg_ctl; apt-get install postgresql")
    made = server_of_ones_own()
    try:
        yield made
    finally:
        made.remove()


def server_of_ones_own():
    """Return a `PostgreSQL` that was started here; whoever asks removes it."""
    folder = Path(tempfile.mkdtemp(prefix="cg-pg-"))  # short: a socket's path has 107 bytes
    made = PostgreSQL(folder, _Server(programs(), folder))
    try:
        made.server.start()
    except BaseException:
        made.remove()
        raise
    return made


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
        self.come_up()

    def come_up(self):
        options = [*_OPTIONS, "-c", f"unix_socket_directories={self.folder}"]
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", " ".join(options))

    def follow(self, primary):
        """Begin with a copy of the server in the folder `primary`, and stream what it commits."""
        if _owner() is not None:
            shutil.chown(self.folder, _owner(), -1)
        self._run(
            "pg_basebackup", "--no-sync", "--checkpoint=fast", "--wal-method=stream",
            "--write-recovery-conf", f"--host={primary}", f"--username={USER}",
        )  # fmt: skip
        self.come_up()

    def promote(self):
        self._run("pg_ctl", "promote", "-w")

    def kill(self):
        pid = (self.folder / "data" / "postmaster.pid").read_text().splitlines()[0]
        server = psutil.Process(int(pid))
        everything = [server, *server.children(recursive=True)]
        for one in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(everything, timeout=60)
        (self.folder / "data" / "postmaster.pid").unlink()

    def stop(self, mode="immediate"):
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", mode)

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
                env={**os.environ, "PGPASSWORD": PASSWORD},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
        if ended.returncode:
            pytest.fail(f"{program} failed: {(self.folder / 'output').read_text(errors='replace')}")


def programs():
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
