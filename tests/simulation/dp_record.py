"""The outside audit of the release as the tabulator's record makes it, and of the order of charges.

Each sample is one release of a tall table through `SessionRecord`, so store, log and commitment are
the product's. The order of charge and draw is that of whole sessions between two parties.
"""

import time
from contextlib import contextmanager

import numpy as np
import pytest
import sqlalchemy as sa
from dp_audit import Finding, audit
from organisations import Wire, make_pair, run_both

from party import session_record
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import RefusalStatus
from party.ledger import rows
from party.request import Request
from party.schema import RELEASES
from party.session_record import SessionRecord
from party.terms import Terms
from privacy.units import NANO
from psi.seed import Seed

ROOT = bytes(32)
NOTHING = np.empty((0,), dtype=np.int64)
COUNT = 100


def ask(parties, contract):
    """File a request of reach at both parties."""
    request = Request.crosstab(
        contract,
        OutputKind.REACH,
        requester="advertiser",
        tabulator="channel",
        recipient="advertiser",
        labels={"channel": "frequency", "advertiser": "segment"},
        now=int(time.time()),
    )
    signed = Desk(parties["advertiser"]).make(request, contract, actor="test")
    assert Desk(parties["channel"]).submit("advertiser", signed).state == "approved"
    return signed


def ready_to_release(party, contract, request):
    """Return the channel's record of a session that has begun and is paid for."""
    record = SessionRecord(
        party.store, party.journal, party.identity, contract, request, me="channel"
    )
    opening = record.open(Seed.generate(), ROOT, ROOT, ROOT, party.now)
    record.charge(opening, party.now)
    record.agree(Seed.generate().secret_bytes())
    return record


def forget_releases(party):
    """Forget what was drawn: the fault that a resumed session draws again."""
    party.store.write(lambda connection: connection.execute(sa.delete(RELEASES)))


class Tabulator:
    """The channel, and what a recipient sees of tall tables that it releases."""

    def __init__(self, folder):
        self.parties, self.contract = make_pair(folder, epsilon="1000")
        request = ask(self.parties, self.contract)
        self.terms = Terms.of(request)
        self.epsilon = request.parameters.epsilon_release_nano / NANO

    def close(self):
        """End both parties."""
        for party in self.parties.values():
            party.close()

    def sample(self, count, runs, *, forgets=False):
        """Release `count` so often; a session that is resumed shows what is released then, too."""
        party, request = self.parties["channel"], ask(self.parties, self.contract)
        record = ready_to_release(party, self.contract, request)
        cells = np.full((runs, 1), count)
        first = record.release(cells, NOTHING, (0,))
        if forgets:
            forget_releases(party)
        again = record.release(cells, NOTHING, (0,))
        return [min(pair) for pair in zip(first.cells, again.cells, strict=True)]

    def examine(self, runs, mutant=None) -> Finding:
        """Audit it, with a fault of the product or without."""
        forgets = mutant == "noise redrawn on resume"
        with releasing_with(mutant):
            return audit(
                lambda count, many: self.sample(count, many, forgets=forgets),
                COUNT, COUNT + self.terms.tabulator_bound,
                epsilon=self.epsilon, delta=0, runs=runs,
            )  # fmt: skip


@contextmanager
def releasing_with(mutant):
    """Let the record release with a fault of noise or bound; with any other word as it does."""
    with pytest.MonkeyPatch.context() as patch:
        if mutant in RELEASES_OF:
            release, change = session_record.release_table, RELEASES_OF[mutant]
            patch.setattr(
                session_record,
                "release_table",
                lambda exact, epsilon, bound: release(exact, *change(epsilon, bound)),
            )
        yield


RELEASES_OF = {
    "noise halved": lambda epsilon, bound: (2 * epsilon, bound),
    "noise for one of a person's identifiers": lambda epsilon, bound: (epsilon, 1),
}
MUTANTS = (*RELEASES_OF, "noise redrawn on resume")


@contextmanager
def charged_afterwards():
    """Let sessions charge when they finish: the fault "spend after draw"."""
    charge, finish = SessionRecord.charge, SessionRecord.finish
    kept = {}

    def later(record, opening, now):
        kept[record] = (opening, now)

    def finish_and_charge(record, transcript, result, now):
        charge(record, *kept.pop(record))
        finish(record, transcript, result, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SessionRecord, "charge", later)
        patch.setattr(SessionRecord, "finish", finish_and_charge)
        yield


def examine_order(folder, tabulator, runs, *, late) -> tuple[bool, float, Finding]:
    """Run a session for which nothing is left of the budget; audit it by what its ledger says.

    Return whether its table was drawn, the ε that was paid for it, and the finding: what is not
    paid for is promised to lose nothing.
    """
    cost = tabulator.terms.spend_of("channel").epsilon_nano
    parties, contract = make_pair(folder, epsilon=f"{cost / NANO:.9f}")
    first, second = ask(parties, contract), ask(parties, contract)
    assert set(run_both(parties, first, Wire()).values()) == {None}
    if late:
        with charged_afterwards():
            ended = run_both(parties, second, Wire())
    else:
        ended = run_both(parties, second, Wire())
    assert {one.status for one in ended.values()} == {RefusalStatus.BUDGET_EXHAUSTED}
    store = parties["channel"].store
    row = store.row(sa.select(RELEASES).where(RELEASES.c.request == second.id))
    paid = sum(one.epsilon_nano for one in store.write(rows) if one.request == second.id) / NANO
    for party in parties.values():
        party.close()

    def sample(count, many):
        return [None] * many if row is None else tabulator.sample(count, many)

    return row is not None, paid, audit(sample, COUNT, COUNT + 1, epsilon=paid, delta=0, runs=runs)
