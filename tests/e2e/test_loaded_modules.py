"""What is loaded: by a listener what its sessions use, by a command that only reads far less."""

import re

import pytest
from two_processes import wait_until

FEW = ("--dataset", "few", "--their-dataset", "few")
LISTED = (
    "-c",
    "import atexit, sys\n"
    "atexit.register(lambda: print('loaded', *sys.modules, file=sys.stderr))\n"
    "from commonground.__main__ import run\n"
    "run()\n",
)
NEEDLESS = {
    "pandas",  # 45 MB
    "rich",  # 2.2 MB, and tables are not what a listener prints
    "scipy",
    "duckdb",
    "fsspec",
    "alembic",
    "opendp",  # a match draws no noise
    "client.render_contract",
    "client.sandbox_people",
}
FOR_SESSIONS = {
    *NEEDLESS - {"rich"},
    "numpy",
    "pyarrow",
    "grpc",
    "phonenumbers",
    "party.datasets.definition",
    "party.desk",
    "party.session_record",
}


def modules_of(running):
    return set(re.search(r"(?m)^loaded (.*)$", running.err)[1].split())


@pytest.fixture
def loaded(fresh):
    """The modules of a listener that has printed in words, made a match, and stopped."""
    listener = fresh.channel.start("serve", "--listen", "127.0.0.1:0", program=LISTED)
    said = wait_until(lambda: re.search(r"Listening on 127\.0\.0\.1:(\d+)\.", listener.err))
    fresh.road.lead_to(int(said[1]))
    fresh.advertiser.type("match", "--receiver", "channel", *FEW)
    listener.stop()
    return modules_of(listener)


def test_a_listener_loads_nothing_that_its_sessions_do_without(loaded):
    assert {"pyarrow", "psi.match", "server.serve"} <= loaded
    assert not NEEDLESS & loaded


@pytest.mark.parametrize("words", [("ledger", "show"), ("requests", "list")])
def test_a_command_that_reads_the_store_loads_nothing_that_sessions_need(fresh, words):
    loaded = modules_of(fresh.advertiser.start(*words, "--json", program=LISTED).wait())
    assert {"sqlalchemy", "party.retention"} <= loaded
    assert not FOR_SESSIONS & loaded
    commands = {name for name in loaded if name.startswith("client.commands.")}
    assert commands == {"client.commands.options", f"client.commands.{words[0]}"}
