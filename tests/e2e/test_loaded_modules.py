"""What a listener holds in memory: of the program, no more than its sessions use."""

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


@pytest.fixture
def loaded(fresh):
    """The modules of a listener that has printed in words, made a match, and stopped."""
    listener = fresh.channel.start("serve", "--listen", "127.0.0.1:0", program=LISTED)
    said = wait_until(lambda: re.search(r"Listening on 127\.0\.0\.1:(\d+)\.", listener.err))
    fresh.road.lead_to(int(said[1]))
    fresh.advertiser.type("match", "--receiver", "channel", *FEW)
    listener.stop()
    return set(re.search(r"(?m)^loaded (.*)$", listener.err)[1].split())


def test_a_listener_loads_nothing_that_its_sessions_do_without(loaded):
    assert {"pyarrow", "psi.match", "server.serve"} <= loaded
    assert not NEEDLESS & loaded
