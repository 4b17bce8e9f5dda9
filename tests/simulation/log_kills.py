"""Kill -9 between any two writes of the log, many times: what is left verifies, whole groups only.

    python tests/simulation/log_kills.py [KILLS]

First a writer is killed before and after every statement of a transaction that appends a group, and
of one that appends a single entry beside what it records. Then one that writes all the time is
killed at random moments. After each kill another process verifies the log, and no group may stand
there in part. Covers the death of the process, not of the machine: that the disk keeps what it says
it has is SQLite's and the machine's.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from organisations import make_party  # noqa: E402

from audit.bodies import DatasetRegistered  # noqa: E402
from party.evidence import StoredLog, verify_log  # noqa: E402
from party.organisation import Organisation  # noqa: E402

GROUP = 300  # more than a tile, so that nodes are written too
LONGEST_SECONDS = 0.2
SEED = 20_260_101
DONE = 0


def body(number):
    return DatasetRegistered(f"dataset {number}", "a" * 64, ("email",))


def append_group(party):
    def work(connection):
        with party.journal.group(connection) as group:
            for number in range(GROUP):
                group.append("dataset.registered", body(number), actor="operator")

    party.store.write(work)


def append_one(party):
    def work(connection):
        party.journal.commit_to(connection, "test", b"value")
        party.journal.append(connection, "dataset.registered", body(0), actor="operator")

    party.store.write(work)


def in_a_child(folder, work):
    """Run `work` on the party in a process of its own; return it and do not wait."""
    child = os.fork()
    if child:
        return child
    try:
        work(Organisation.open(folder))
        os._exit(DONE)
    except BaseException:  # noqa: BLE001 - whatever it was, the child ends here
        os._exit(1)


def ended_by(child):
    _, status = os.waitpid(child, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def dying_at(moment, work):
    """Return `work` that kills its process at the so many-th thing that its store is told."""

    def dying(party):
        told = 0

        def tell(*_):
            nonlocal told
            told += 1
            if told == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        for event in ("before_cursor_execute", "after_cursor_execute", "commit", "rollback"):
            sa.event.listen(party.store._engine, event, tell)
        work(party)

    return dying


def entries_of(folder):
    """Verify the log and return how many entries it has."""
    party = Organisation.open(folder)
    try:
        return verify_log(StoredLog(party.store, party.identity)).entries
    finally:
        party.close()


def kill_at_every_statement(folder, work, count):
    """Kill at each statement until the work comes to its end; return how many kills that were."""
    size, moment = entries_of(folder), 0
    while True:
        moment += 1
        ended = ended_by(in_a_child(folder, dying_at(moment, work)))
        found = entries_of(folder)
        if ended == DONE:
            assert found == size + count
            return moment - 1
        assert ended == -signal.SIGKILL
        assert found in (size, size + count), "a group stands there in part"
        size = found


def write_for_ever(party):
    while True:
        append_group(party)


def kill_at_random(folder, kills, moments):
    """Kill a writer at random moments; return how many groups it had written in the end."""
    first = size = entries_of(folder)
    for _ in range(kills):
        child = in_a_child(folder, write_for_ever)
        time.sleep(moments.uniform(0, LONGEST_SECONDS))
        os.kill(child, signal.SIGKILL)
        assert ended_by(child) == -signal.SIGKILL
        found = entries_of(folder)
        assert found >= size
        assert not (found - first) % GROUP, "a group stands there in part"
        size = found
    return (size - first) // GROUP


def main(kills):
    with tempfile.TemporaryDirectory() as place:
        party = make_party(Path(place), "advertiser")
        folder = party.folder
        party.close()
        for name, work, count in (("group", append_group, GROUP), ("entry", append_one, 1)):
            print(
                f"{name}: killed at each of {kill_at_every_statement(folder, work, count)} moments"
            )
        groups = kill_at_random(folder, kills, random.Random(SEED))
        print(f"killed {kills} times at random; {groups} groups were written, the log verifies")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
