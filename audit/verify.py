"""Offline verification of one log, and of several against each other (docs/audit).

`verify` trusts the keys that its source names and nothing else. It checks the signatures, then
every entry in the order of the log, then the tree, then that every checkpoint which a counterpart
cosigned lies on it; it stops at the first thing that fails and names it. What it cannot see: an
owner who rewrites, and signs again, what no counterpart has cosigned yet; `compare` narrows that
to what they have not shown each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, zip_longest
from typing import Final

from audit.checkpoint import Checkpoint
from audit.collector import paused
from audit.deadlines import Overdue
from audit.entry import Entry
from audit.errors import AuditError, RuleError, VerificationError
from audit.history import History, SessionHistory
from audit.merkle import CompactRange, LeafHash, RootHash, leaf_hash
from audit.source import LogSource
from audit.statements import Statements

Watch = Callable[[str, Entry], None]
_LEAVES_AT_ONCE: Final = 4096


@dataclass(frozen=True)
class Verification:
    """What was checked in one log, all of it found right.

    Args:
        origin: the log.
        entries: how many.
        sessions: how many requests had a session, whatever became of it.
        spends: how many charges.
        cosignatures: how many cosignatures of known counterparts lie on this tree; with 0, nobody
            but the owner vouches for this history.
        cosigners: the counterparts whose cosignatures these are, in order.
        witnessed: how many checkpoints of counterparts the owner keeps.
        checks: what was checked, in words, in the order of checking.
        overdue: the lists that had no run in the time that their contract gives a withdrawal, by
            the time of the last entry: a breach of the contract, and no tampering.
    """

    origin: str
    entries: int
    sessions: int
    spends: int
    cosignatures: int
    cosigners: tuple[str, ...]
    witnessed: int
    checks: tuple[str, ...]
    overdue: tuple[Overdue, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """What was checked between two logs, each verified on its own before.

    Args:
        ours: the first log.
        theirs: the second.
        shared: the requests whose sessions both logs have; they agree.
        only_ours: the requests whose sessions only the first log has.
        only_theirs: the requests whose sessions only the second log has.
        checkpoints: how many checkpoints that one side keeps of the other lie on its tree.
    """

    ours: Verification
    theirs: Verification
    shared: tuple[str, ...]
    only_ours: tuple[str, ...]
    only_theirs: tuple[str, ...]
    checkpoints: int


def verify(source: LogSource, watch: Watch | None = None) -> Verification:
    """Verify a log by itself.

    `watch` is shown every entry that the rules admitted, with the log's origin, so that whoever
    holds it against something else does not read the log twice.

    Raises:
        VerificationError: the first thing that fails; `.entry` is its index if it is an entry.
    """
    return _examine(Statements.of(source), (), watch).verification


def compare(ours: LogSource, theirs: LogSource) -> Comparison:
    """Verify two logs, and that they tell the same about each other.

    Raises:
        VerificationError: one of them fails by itself, a session is told differently, or a
            checkpoint that one side keeps is not on the other's tree; `.entry` is then an index
            in the first log, or in the one that the message names.
    """
    (comparison,) = compare_all([ours, theirs])
    return comparison


def compare_all(sources: Sequence[LogSource], watch: Watch | None = None) -> tuple[Comparison, ...]:
    """Verify each log once, and that every two of them tell the same about each other.

    `watch` is shown every entry, as by `verify`.

    Returns:
        A comparison for every two, in the order of the logs.

    Raises:
        VerificationError: as `compare`; also for a log that is given twice.
    """
    logs = [Statements.of(source) for source in sources]
    for one, other in combinations(logs, 2):
        if one.origin == other.origin:
            raise VerificationError(f"{one.origin} is given twice: name each log once")
        _require_known(one, other)
        _require_known(other, one)
    examined: dict[str, _Examined] = {}
    for log in logs:
        seen = [mark for other in logs for mark in other.seen_of(log.origin)]
        examined[log.origin] = _examine(log, seen, watch)
    return tuple(_compare(one, other, examined) for one, other in combinations(logs, 2))


def _compare(here: Statements, there: Statements, examined: Mapping[str, _Examined]) -> Comparison:
    one, other = examined[here.origin], examined[there.origin]
    seen_here, seen_there = here.seen_of(there.origin), there.seen_of(here.origin)
    for log, keeper, seen in ((one, there, seen_there), (other, here, seen_here)):
        kept = [(mark, f"that {keeper.origin} keeps") for mark in seen]
        _require_on_tree(log, [*log.marks, *kept])
    shared = [request for request in one.sessions if request in other.sessions]
    for request in shared:
        _require_same_session(here.origin, one.sessions[request], other.sessions[request])
    return Comparison(
        ours=one.verification,
        theirs=other.verification,
        shared=tuple(shared),
        only_ours=tuple(r for r in one.sessions if r not in other.sessions),
        only_theirs=tuple(r for r in other.sessions if r not in one.sessions),
        checkpoints=len(seen_here) + len(seen_there),
    )


@dataclass(frozen=True)
class _Examined:
    """A log that holds together by itself."""

    origin: str
    size: int
    roots: dict[int, RootHash]
    marks: Sequence[tuple[Checkpoint, str]]
    sessions: dict[str, SessionHistory]
    verification: Verification


def _examine(statements: Statements, more: Sequence[Checkpoint], watch: Watch | None) -> _Examined:
    """Replay the entries and hold the tree against every checkpoint; note roots at `more` too."""
    own, origin = statements.checkpoint, statements.origin
    marks = [
        (mark, f"that {by.cosigner} cosigned at {by.time}") for mark, by in statements.cosigned
    ]
    marks.append((own, "that the log signed last"))
    history = History(statements.log.vkey)
    wanted = {mark.size for mark, _ in marks} | {mark.size for mark in more}
    with paused():
        tree, roots = _replay(statements, history, wanted, watch)
    summary = _summary(statements, tree.size, history)
    examined = _Examined(origin, tree.size, roots, marks, history.sessions, summary)
    _require_on_tree(examined, marks)
    if tree.size > own.size:
        raise VerificationError(
            f"{origin}: entry {own.size} and what follows is not covered by the checkpoint, "
            f"which ends at {own.size} entries",
            entry=own.size,
        )
    return examined


def _replay(
    statements: Statements, history: History, wanted: set[int], watch: Watch | None
) -> tuple[CompactRange, dict[int, RootHash]]:
    """Check every entry in order; return the tree, and its root at each wanted size reached."""
    tree, roots, last_time = CompactRange(), {}, ""
    leaves: list[LeafHash] = []
    if 0 in wanted:
        roots[0] = tree.root()
    pairs = zip_longest(statements.source.entries(), statements.source.leaf_hashes())
    for index, (data, stored) in enumerate(pairs):
        try:
            leaves.append(_check_leaf(data, stored))
            entry = Entry.parse(data or b"")
            _check_order(entry, index, last_time)
            history.admit(entry)
        except AuditError as error:
            raise VerificationError(
                f"{statements.origin}: entry {index}: {error}", entry=index
            ) from error
        last_time = entry.time
        if watch is not None:
            watch(statements.origin, entry)
        if index + 1 in wanted or len(leaves) == _LEAVES_AT_ONCE:
            tree = tree.extend(leaves)
            leaves.clear()
        if index + 1 in wanted:
            roots[index + 1] = tree.root()
    return tree.extend(leaves), roots


def _check_leaf(data: bytes | None, stored: LeafHash | None) -> LeafHash:
    if data is None:
        raise RuleError("a leaf hash is stored and the entry is missing")
    if stored is None:
        raise RuleError("the entry has no stored leaf hash")
    leaf = leaf_hash(data)
    if leaf != stored:
        raise RuleError("the entry does not hash to its stored leaf hash: one of them was changed")
    return leaf


def _check_order(entry: Entry, index: int, last_time: str) -> None:
    if entry.seq != index:
        raise RuleError(
            f"it says that it is entry {entry.seq}: "
            "entries were dropped, put in, repeated or moved here"
        )
    if entry.time < last_time:  # one format, so that the order of text is that of time
        raise RuleError("its time is before that of the entry before it")


def _require_on_tree(log: _Examined, marks: Sequence[tuple[Checkpoint, str]]) -> None:
    """Hold checkpoints of this log against its tree, from the smallest up.

    The first one that does not fit tells between which entries the history departs.
    """
    agreed = [0]
    for mark, whose in sorted(marks, key=lambda item: item[0].size):
        if mark.size > log.size:
            raise VerificationError(
                f"{log.origin}: entry {log.size} is missing: the checkpoint {whose} has "
                f"{mark.size} entries and the log ends at {log.size}; it was cut or rolled back",
                entry=log.size,
            )
        if log.roots[mark.size] != mark.root:
            first = max(size for size in agreed if size < mark.size)
            raise VerificationError(
                f"{log.origin}: the entries from {first} to {mark.size - 1} are not those of the "
                f"checkpoint {whose}: the history was rewritten or forked there",
                entry=first,
            )
        agreed.append(mark.size)


def _require_known(log: Statements, other: Statements) -> None:
    if other.log not in log.counterparts:
        raise VerificationError(
            f"{log.origin} knows no counterpart with the key of {other.origin}: "
            "compare logs of parties that have a contract, with the keys named there"
        )


def _require_same_session(origin: str, ours: SessionHistory, theirs: SessionHistory) -> None:
    for run, (mine_run, other_run) in enumerate(zip(ours.runs, theirs.runs, strict=False), 1):
        if mine_run != other_run:
            raise VerificationError(
                f"{origin}: suppression run {run} of a list has other points in the counterpart's "
                "log"
            )
    begin, end = (ours.begins_at, theirs.begins_at), (ours.ends_at, theirs.ends_at)
    for what, mine, other, (entry, counterpart) in (
        ("contract hash", ours.contract, theirs.contract, begin),
        ("session id", ours.session, theirs.session, begin),
        ("set of parties", ours.parties, theirs.parties, begin),
        ("transcript hash", ours.transcript, theirs.transcript, end),
        ("end of the list", ours.list_ends, theirs.list_ends, end),
    ):
        if mine is not None and other is not None and mine != other:
            raise VerificationError(
                f"{origin}: entry {entry}: the {what} of this session is another one in the "
                f"counterpart's log (entry {counterpart} there)",
                entry=entry,
            )


def _summary(statements: Statements, size: int, history: History) -> Verification:
    cosignatures, witnessed = len(statements.cosigned), len(statements.witnessed)
    return Verification(
        origin=statements.origin,
        entries=size,
        sessions=len(history.sessions),
        spends=history.spends,
        cosignatures=cosignatures,
        cosigners=tuple(sorted({by.cosigner for _, by in statements.cosigned})),
        witnessed=witnessed,
        checks=(
            "the checkpoint is signed by the log's key",
            f"{cosignatures} cosignatures are of known counterparts",
            f"{witnessed} checkpoints of counterparts are signed by them and cosigned here",
            "every entry is canonical, hashes to its stored leaf and stands in its place",
            "times do not go back",
            "every session rests on a logged consent snapshot that was fresh enough",
            "that snapshot was for every other party of the session",
            "every charge is towards all the other parties of its contract",
            "no session starts or ends twice, and its entries agree",
            "lineage events tell of sessions as they went, once each",
            "every release and disclosure was charged before",
            "runs that take people off a list follow it, in order and before its end",
            "the charges in each window are within the contract's budget, by its filter",
            "the tree has the root that the checkpoint states",
            "every cosigned checkpoint lies on the tree",
        ),
        overdue=history.deadlines.overdue(),
    )
