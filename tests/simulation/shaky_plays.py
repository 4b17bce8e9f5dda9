"""Requests carried through a shaky network to their end, and what must hold then.

Whatever the seed does: both sides end, with a result each or with the same reason; nobody is
charged twice; whoever has no result has released none; both logs verify; a table is right in every
cell. One thing no protocol can do: if a party's data change, or the contract ends, after it has
said its last word and before it has stored its result, it fails where the other one has finished.
"""

import csv
import itertools
import math
import shutil
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa
from organisations import Wire, copy_pair, make_contract, make_pair, run_both
from shaky_network import DIALS, LISTENS, Killed, Network, lay_wires

from client.carrying import Carrier
from client.results import estimates_of
from party.contract_terms import OutputKind
from party.datasets import inspect, load_definition
from party.decision import FAILED, FINISHED
from party.desk import Desk
from party.errors import PartyError, RefusalStatus
from party.evidence import StoredLog, compare_logs, verify_log
from party.filing import REFUSED
from party.ledger import rows
from party.request import Request
from party.retention import prune
from party.schema import RELEASES, REQUESTS, SALTS, SESSIONS

HOUR = 3600
STARTS = 60  # of the dialling side, before a seed has failed to come to an end
FIRST_CALLS = 30  # within which data change or the contract ends
TAIL = 2.0**-60  # of the noise of a cell: what never happens
MINIMUM, SHORT, ENDS = "below-minimum", "budget-short", "contract-ends"
DATA, CONSENT = "data-change", "consent-withdrawn"
TROUBLES = {"none": 50, MINIMUM: 10, SHORT: 10, ENDS: 10, DATA: 10, CONSENT: 10}
SPLIT = "failed at one side after the last word"
MIDWAY = (ENDS, DATA, CONSENT)
ENDINGS = ("session.failed", "session.finished", "request.refused")
REASONS = {
    "none": set(),
    MINIMUM: {RefusalStatus.BELOW_MINIMUM},
    SHORT: {RefusalStatus.BUDGET_EXHAUSTED},
    ENDS: {RefusalStatus.EXPIRED},
    DATA: {RefusalStatus.BAD_REQUEST},
    CONSENT: {RefusalStatus.CONSENT_STALE, RefusalStatus.BAD_REQUEST},
}


@dataclass
class Play:
    """What happened under one seed."""

    seed: int
    trouble: str
    kind: str = ""
    ended: str = ""
    starts: int = 0
    faults: list = field(default_factory=list)


def make_ready(folder):
    """Make the pair that seeds copy, with a contract for each kind of trouble; it ends in hours."""
    addresses = {LISTENS: "channel.test:7443"}
    soon = {"ends": int(time.time()) + 6 * HOUR, "addresses": addresses}
    parties, _ = make_pair(folder, **soon)
    labels = {DIALS: ["gold", "silver"], LISTENS: ["1", "2", "3"]}
    make_contract(folder, parties, labels, contract_id=MINIMUM, min_match=500, **soon)
    make_contract(folder, parties, labels, contract_id=SHORT, epsilon="2.5", **soon)
    for party in parties.values():
        party.close()
    return folder


def play(seed, ready, folder, monkeypatch, *, trouble=None):
    """Carry one request through a misbehaving network to its end, and hold it to its promises."""
    parties, _ = copy_pair(ready, folder)
    network = Network(seed, parties)
    drawn = network.random.choices(list(TROUBLES), list(TROUBLES.values()))[0]
    result = Play(seed, trouble or drawn, faults=network.faults)
    lay_wires(network, monkeypatch)
    try:
        request = _prepare(network, parties, ready, folder, result)
        while not result.ended:
            result.starts += 1
            assert result.starts <= STARTS, f"seed {seed} comes to no end: {network.faults}"
            network.calm = result.starts > STARTS // 2  # a network that works in the end
            finished = _dial(parties, request)
            network.wait_for_listener() if finished else network.restart_listener()
            prune(parties[LISTENS])  # as whoever listens does from time to time
            _require_kept(parties, request, result)
            result.ended = _ended(parties, request, finished or result.trouble == ENDS)
        _require_end(parties, request, result)
    finally:
        network.stop_listener()
        for party in parties.values():
            party.close()
    return result


def _dial(parties, request):
    """Type the command once at the dialling side, and say whether it went through."""
    party = parties[DIALS]
    try:
        prune(party)  # as every command does
        Carrier(party, Quiet()).go_on(Desk(party).find(request.id))
    except (Killed, PartyError):
        return False
    return True


class Quiet:
    """Nobody who watches."""

    def begun(self, request_id):
        pass

    def say(self, sentence):
        pass

    def watching(self, peer):
        return nullcontext(lambda progress: None)


# -- what is asked, and what goes wrong ------------------------------------------------------------


def _prepare(network, parties, ready, folder, result):
    """Make the request, and lay out the trouble of this seed."""
    whose = network.random.choice([DIALS, LISTENS])
    if result.trouble == SHORT:
        request = _ask(network, parties, result, "match")
        Desk(parties[LISTENS]).submit(DIALS, request)
        _use_up(parties, tabulator=whose)
        return request
    request = _ask(network, parties, result, "match" if result.trouble == MINIMUM else None)
    at = network.random.randint(1, FIRST_CALLS)
    if result.trouble == ENDS:
        network.events[at] = lambda: _end_contract(network)
    elif result.trouble in (DATA, CONSENT):
        path = _give_own_data(parties, ready, folder, whose)
        network.events[at] = lambda: _change(network, path, whose, result.trouble)
    return request


def _ask(network, parties, result, kind):
    contract_id = result.trouble if result.trouble in (MINIMUM, SHORT) else "test"
    contract = parties[DIALS].contract(contract_id)
    result.kind = network.random.choice(["match there", "match here", "reach"][: 2 if kind else 3])
    now = parties[DIALS].now
    if result.kind == "reach":
        request = _crosstab(contract, tabulator=LISTENS, now=now)
    else:
        receiver, sender = (LISTENS, DIALS) if result.kind == "match there" else (DIALS, LISTENS)
        request = Request.match(
            contract, requester=DIALS, receiver=receiver, sender=sender, now=now
        )
    return Desk(parties[DIALS]).make(request, contract, actor="test")


def _crosstab(contract, *, tabulator, now):
    there = tabulator == LISTENS
    return Request.crosstab(
        contract,
        OutputKind.REACH if there else OutputKind.OVERLAP,
        requester=DIALS,
        tabulator=tabulator,
        recipient=DIALS if there else LISTENS,
        labels={LISTENS: "frequency"} | ({DIALS: "segment"} if there else {}),
        now=now,
    )


def _use_up(parties, *, tabulator):
    """Let another session charge, so that the tabulator of it has no room left; the other has."""
    contract = parties[DIALS].contract(SHORT)
    request = _crosstab(contract, tabulator=tabulator, now=parties[DIALS].now)
    signed = Desk(parties[DIALS]).make(request, contract, actor="test")
    Desk(parties[LISTENS]).submit(DIALS, signed)
    run_both(parties, signed, Wire(), **{name: {"dies_at": "Commitment"} for name in parties})


def _end_contract(network):
    network.skew = {name: skew + 7 * HOUR for name, skew in network.skew.items()}
    network.restart_listener()
    raise Killed


def _give_own_data(parties, ready, folder, whose):
    """Let a party read a copy of its dataset, which the seed may change."""
    shutil.copytree(ready / "data" / whose, folder / "data" / whose)
    name = "customers" if whose == DIALS else "receipts"
    definition = load_definition(folder / "data" / whose / f"{name}.yaml")
    parties[whose].keep_dataset(definition, inspect(definition), None)
    return folder / "data" / whose / f"{name}.csv"


def _change(network, path, whose, trouble):
    """Change somebody whom only one side has, or their consent, and end whoever has read it."""
    with path.open(encoding="utf-8") as file:
        table = list(csv.reader(file))
    row = table[1 if whose == DIALS else -1]
    row[1 if trouble == DATA else 4] = "somebody.else@example.com" if trouble == DATA else "no"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)
    if whose == DIALS:
        raise Killed
    network.restart_listener()


# -- what must hold ------------------------------------------------------------------------------


def _states(parties, request):
    """Return how the request stands at each party, and why: (state, status), None if unknown."""
    query = sa.select(REQUESTS.c.state, REQUESTS.c.status).where(REQUESTS.c.id == request.id)
    found = {name: party.store.row(query) for name, party in parties.items()}
    return {name: None if row is None else (row.state, row.status) for name, row in found.items()}


def _require_kept(parties, request, result):
    """Whatever happened: at most one charge, no result beside a failure, a log that verifies."""
    states = {state[0] for state in _states(parties, request).values() if state}
    if result.trouble not in MIDWAY:
        assert not states >= {FINISHED, FAILED}, "one side has a result, and the other a failure"
    for party in parties.values():
        charged = [(row.request, row.what) for row in party.store.write(rows)]
        assert len(charged) == len(set(charged)), "charged twice"
        verify_log(StoredLog(party.store, party.identity))


def _ended(parties, request, cosigned):
    """Return how it ended at both sides, "" while one of them has not, or has not `cosigned`."""
    states = _states(parties, request)
    ours, theirs = states[DIALS], states[LISTENS]
    if theirs is None:  # it was refused before it was taken
        return ours[1] if ours[0] in (REFUSED, FAILED) else ""
    if not {ours[0], theirs[0]} <= {FINISHED, FAILED, REFUSED}:
        return ""
    if ours[0] == theirs[0] == FINISHED:
        return FINISHED if cosigned else ""
    if FINISHED in (ours[0], theirs[0]):
        return SPLIT
    assert ours[1] == theirs[1], f"two reasons: {ours[1]} and {theirs[1]}"
    return ours[1]


def _require_end(parties, request, result):
    charged = {
        name: [row.what for row in party.store.write(rows) if row.request == request.id]
        for name, party in parties.items()
    }
    if result.ended != FINISHED:
        _require_nothing(parties, request, result, charged)
        return
    assert result.trouble not in (MINIMUM, SHORT)
    assert {what.count("session") for what in charged.values()} == {1}
    of_request = sa.select(SESSIONS.c.transcript).where(SESSIONS.c.request == request.id)
    transcripts = {bytes(party.store.row(of_request).transcript) for party in parties.values()}
    assert len(transcripts) == 1
    compared = compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values()))
    assert len(compared.shared) == 1
    if result.trouble != ENDS:
        assert compared.ours.cosignatures == compared.theirs.cosignatures == 1
    _require_exact(parties, request, result.kind)


def _require_nothing(parties, request, result, charged):
    """No result, at most one charge, the same end in both logs, for a reason of this trouble."""
    states = _states(parties, request)
    for name, party in parties.items():
        assert charged[name].count("session") <= 1
        failed = states[name] is None or states[name][0] != FINISHED
        assert not failed or Desk(party).result(request.id) is None
        ends = [entry.body for entry in _entries(party, request) if entry.kind in ENDINGS]
        assert len(ends) == (0 if states[name] is None else 1), "it ends once in a log"
        if failed and ends:
            assert ends[0].reason == states[name][1]
    if result.ended == SPLIT:
        assert result.trouble in MIDWAY
        return
    assert RefusalStatus(result.ended) in REASONS[result.trouble]
    if result.trouble in (MINIMUM, SHORT):
        kinds = {entry.kind for party in parties.values() for entry in _entries(party, request)}
        assert not kinds & {"list.disclosed", "report.released", "session.finished"}


def _entries(party, request):
    log = StoredLog(party.store, party.identity)
    return [one for one in log.parsed() if getattr(one.body, "request", None) == request.id]


def _require_exact(parties, request, kind):
    """People 20 to 59 are at both: that many on a list, and in each cell as many as there are."""
    results = {name: Desk(party).result(request.id) for name, party in parties.items()}
    if kind != "reach":
        receiver = LISTENS if kind == "match there" else DIALS
        assert results[receiver]["people"] == 40
        return
    people = np.zeros((3, 2), dtype=int)
    for person in range(20, 60):
        people[person % 3, person % 2] += 1
    _require_cells(parties[LISTENS], results, people)
    _require_stated_errors(results[DIALS], people)


def _require_cells(tabulator, results, people):
    """The table without its noise and dummies is the table of people, cell by cell."""
    commitment = bytes.fromhex(tabulator.store.row(sa.select(RELEASES.c.noise)).noise)
    salt = sa.select(SALTS.c.value).where(SALTS.c.commitment == commitment)
    noise = np.frombuffer(tabulator.store.row(salt).value, dtype=">i8").reshape(people.shape)
    sent = np.array(results[LISTENS]["table"]["counts"])
    received = np.array(results[DIALS]["table"]["counts"])
    drawn = np.array(results[DIALS]["drawn"])
    # The tabulator never learns which of its columns is which label.
    assert any(
        np.array_equal(sent[:, order], received)
        and np.array_equal((sent - noise)[:, order] - drawn, people)
        for order in map(list, itertools.permutations(range(people.shape[1])))
    )


def _require_stated_errors(stored, people):
    """Each kind of estimate is as near as its laws say: a tail of 2^-60, and bounded dummies."""
    for private in (True, False):
        estimates = estimates_of(stored, private=private)
        stated = estimates.table.parameters
        scale = stated.keys_per_person * stated.records_per_person * 10**9
        release = math.ceil(-math.log(TAIL) * scale / stated.epsilon_release_nano)
        bound = release + (0 if private else estimates.laws.dummies.mean)
        assert np.abs(estimates.values - people).max() <= bound


__all__ = ["ENDINGS", "HOUR", "MINIMUM", "Play", "Quiet", "make_ready", "play"]
