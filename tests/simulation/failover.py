"""A PostgreSQL primary that goes off in the middle of spends, and its standby that takes over.

Both are real servers; the standby streams, and the primary waits for it at every COMMIT, as
docs/operations.md says. Spenders race for one budget through a URL with both hosts. At a moment by
the seed every process of the primary is killed and the standby is promoted. Whoever was told that
a request is charged must find it charged, once; nobody finds more than the budget, and nothing is
there that nobody was told of. `make failover SEEDS=20` prints a line a seed.

Does not cover: a primary that comes back and believes that it leads. Nothing here could tell: it
has to be kept from starting.
"""

import random
import sys
import threading
import time

from postgresql import server_of_ones_own

from party.errors import Refusal
from party.ledger import Account, Allowance, admit, charge, rows
from party.store import Store
from privacy.accounting import Spend

ACCOUNT = Account("customers", "other.test/log", 1_000)
ONE = Spend.pure(10**9)
PAYS_FOR = 20
ALLOWANCE = Allowance(PAYS_FOR * 10**9, 10**6, "basic", 30)
SPENDERS = 3
REQUESTS = 10
SECONDS = 120


def spend(request):
    """Return a transaction that admits and charges as a session does."""

    def work(connection):
        admit(connection, ACCOUNT, ALLOWANCE, ONE)
        return charge(connection, request, "session", ACCOUNT, ONE, 2_000)

    return work


def play(seed):
    """Let a primary go off under its spenders; return what they were told, and what is there."""
    dice = random.Random(seed)
    primary = server_of_ones_own()
    try:
        standby = primary.standby()
        try:
            database = primary.new_database().partition("?")[0].rpartition("/")[2]
            url = primary.url_with(standby, database)
            return _spend_through(url, primary, standby, dice)
        finally:
            standby.remove()
    finally:
        primary.remove()


def _spend_through(url, primary, standby, dice):
    store = Store.create(url)
    told, faults = {}, []
    enough = threading.Event()
    after = dice.randrange(3, PAYS_FOR - 5)

    def spender(name):
        mine = Store.open(url)
        try:
            for number in range(REQUESTS):
                request = f"{name}{number}"
                told[request] = said = []
                for _ in range(2):
                    try:
                        said.append("charged" if mine.write(spend(request)) else "known")
                    except Refusal:
                        said.append("refused")
                if sum("charged" in one for one in told.values()) >= after:
                    enough.set()
        except Exception as fault:  # noqa: BLE001 - whoever plays looks at it
            faults.append(fault)
        finally:
            mine.close()

    threads = [threading.Thread(target=spender, args=(name,)) for name in "abcdef"[:SPENDERS]]
    for thread in threads:
        thread.start()
    enough.wait(SECONDS)
    time.sleep(dice.uniform(0, 0.02))
    primary.kill()
    standby.promote()
    for thread in threads:
        thread.join(SECONDS)
    there = sorted(row.request for row in store.read(rows))
    store.close()
    return told, there, faults


def faults_of(told, there, faults):
    """Return what is not as promised, in words."""
    found = [repr(fault) for fault in faults]
    charged = sorted(request for request, said in told.items() if "charged" in said)
    if charged != there:
        found.append(f"told {charged}, there {there}")
    if len(told) != SPENDERS * REQUESTS or any(len(said) != 2 for said in told.values()):
        found.append("a spender did not come to its end")
    if len(there) != PAYS_FOR:
        found.append(f"{len(there)} charges, and the budget pays for {PAYS_FOR}")
    # The second time a request is known, or finds the budget full before it is looked for.
    if any(said[0] == "known" or said[1] == "charged" for said in told.values()):
        found.append("a request was charged twice, or refused and charged")
    return found


def main(seeds):
    """Play so many seeds; return how many went wrong."""
    wrong = 0
    for seed in range(1, seeds + 1):
        begun = time.monotonic()
        found = faults_of(*play(seed))
        wrong += bool(found)
        print(f"seed {seed}: {'; '.join(found) or 'ok'}, {time.monotonic() - begun:.1f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
