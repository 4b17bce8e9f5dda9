"""What a result or a dataset rests on and where it went, read out of the party's own log.

Sources, datasets as registered, consent snapshots, sessions, charges, releases, results, and what
was made of results: each is a node with the log entry that says so, and an edge leads from what was
there before to what was made of it. What lies at counterparts is named, and stands in their logs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import (
    BudgetSpent,
    ConsentSnapshot,
    DatasetRegistered,
    ExportMade,
    LineageEmitted,
    ListSuppressed,
    LookalikeMade,
    ReportReleased,
    RetentionPruned,
    SessionFailed,
    SessionFinished,
    SessionStarted,
)
from audit.entry import Entry
from languages import message
from party.errors import LineageError, PartyError
from party.filing import Filed, Filing, Wanted
from party.list_names import newest
from party.log_pages import entries_of, snapshot_before
from party.schema import CONTRACTS, DATASETS
from party.terms import Terms
from psi.legs import RECEIVER, RECIPIENT

if TYPE_CHECKING:
    from party.organisation import Organisation

Value = str | int
LAYERS: Final = (
    "source", "dataset", "consent", "session", "spend", "release", "result", "use",
)  # fmt: skip
"""The kinds of nodes, from what came first to what was made last."""
MOST: Final = 25
"""How many requests, registrations and other uses the lineage of a dataset has."""
_REGISTERED: Final = "dataset.registered"
_ABOUT_ONE: Final = (
    "session.started", "budget.spent", "report.released", "session.finished", "session.failed",
    "list.suppressed", "export.made", "lookalike.made", "retention.pruned", "lineage.emitted",
)  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One thing on the way, as the log has it.

    `kind` is one of `LAYERS`; `entry` the place of the log entry that says so, None for what the
    log names and does not enter (a source, a counterpart's part); `details` are its values.
    """

    id: str
    kind: str
    name: str
    entry: int | None = None
    time: str | None = None
    details: Mapping[str, Value] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the node as JSON values."""
        known = {"entry": self.entry, "time": self.time}
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            **{key: value for key, value in known.items() if value is not None},
            "details": dict(self.details),
        }


@dataclass(frozen=True)
class Lineage:
    """A part of the graph: what `about` names, all that it rests on, and all that came of it.

    `about` are the ids of the nodes that were asked for; `edges` are pairs of ids, from what was
    there before. `left_out` is how many older requests of a dataset are not in its lineage.
    """

    about: tuple[str, ...]
    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]
    left_out: int = 0

    @cached_property
    def before(self) -> Mapping[str, tuple[str, ...]]:
        """What each node was made of, by id."""
        return _by(self.nodes, ((after, before) for before, after in self.edges))

    @cached_property
    def after(self) -> Mapping[str, tuple[str, ...]]:
        """What was made of each node, by id."""
        return _by(self.nodes, self.edges)

    def to_dict(self) -> dict[str, Any]:
        """Return nodes and edges as JSON values."""
        return {
            "about": list(self.about),
            "nodes": [node.to_dict() for node in self.nodes.values()],
            "edges": [{"from": before, "to": after} for before, after in self.edges],
            "left_out": self.left_out,
        }


def lineage_of(party: Organisation, wanted: str) -> Lineage:
    """Return the lineage of a dataset by its name, or of a result by its request or list's name.

    That of a dataset has its newest registrations and requests.

    Raises:
        LineageError: there is no such dataset or result, or no session has begun for it.
        AuditError: an entry of the log is not one.
    """
    graph = _Graph(party)
    if any(one.name == wanted for one in party.datasets()):
        filing, of_it = Filing(party), Wanted(dataset=wanted)
        latest = [filed.id for filed in filing.page(of_it, most=MOST).requests]
        graph.admit(party.store.read(lambda c: _of_dataset(c, wanted, latest)))
        about = [one for one in graph.nodes if one.startswith(f"dataset:{wanted}:")]
        return replace(graph.part(about), left_out=filing.count(of_it) - len(latest))
    filed = _found(party, wanted)
    graph.admit(party.store.read(lambda c: _of_requests(c, [filed.id])))
    if f"session:{filed.id}" not in graph.nodes:
        raise LineageError(
            message(
                "no session of request {id} has begun here yet",
                id=filed.id[:8],
            )
        )
    end = f"result:{filed.id}"
    return graph.part([end if end in graph.nodes else f"session:{filed.id}"])


def _found(party: Organisation, wanted: str) -> Filed:
    try:
        return Filing(party).find(newest(party.store, wanted) or wanted)
    except PartyError:
        raise LineageError(
            message(
                "'{wanted}' is no dataset, list or request here: see "
                "`commonground dataset list`, `lists list` and `requests list`",
                wanted=wanted[:64],
            )
        ) from None


# -- what is read of the log ----------------------------------------------------------------------


def _of_dataset(connection: Connection, name: str, requests: Iterable[str]) -> list[Entry]:
    """Return the newest registrations of a dataset, and what these requests made of it."""
    registered = entries_of(connection, kinds=[_REGISTERED], newest=MOST, dataset=name)
    scored = entries_of(connection, kinds=["lookalike.made"], newest=MOST, dataset=name)
    beneath = [one for entry in scored for one in _beneath(connection, entry)]
    return _in_order(registered, scored, beneath, _of_requests(connection, requests))


def _of_requests(connection: Connection, requests: Iterable[str]) -> list[Entry]:
    """Return what the log says of some requests, and what they rest on."""
    own = [
        entry
        for request in requests
        for entry in entries_of(connection, request=request)
        if entry.kind in _ABOUT_ONE
    ]
    return _in_order(own, (one for entry in own for one in _beneath(connection, entry)))


def _in_order(*several: Iterable[Entry]) -> list[Entry]:
    by_place = {entry.seq: entry for entries in several for entry in entries}
    return [by_place[seq] for seq in sorted(by_place)]


def _beneath(connection: Connection, entry: Entry) -> Iterator[Entry]:
    """Yield what an entry rests on: its snapshot of consent, and its dataset as it was then."""
    dataset = None
    if isinstance(entry.body, SessionStarted):
        taken = snapshot_before(connection, entry.body.consent.sequence, entry.seq)
        if taken is not None and isinstance(taken.body, ConsentSnapshot):
            dataset = taken.body.dataset
            yield taken
    elif isinstance(entry.body, LookalikeMade):
        dataset = entry.body.dataset
    if dataset is not None:
        yield from entries_of(
            connection, kinds=[_REGISTERED], before=entry.seq, newest=1, dataset=dataset
        )


class _Graph:
    """The nodes and edges that entries admitted so far have made."""

    def __init__(self, party: Organisation) -> None:
        self._party = party
        self.nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str], None] = {}
        self._latest: dict[str, str] = {}  # the node of a dataset's last registration, by name
        self._snapshots: dict[int, Entry] = {}
        self._requests: dict[str, Filed | None] = {}
        self._contracts = {
            row.hash: str(row.name)
            for row in party.store.rows(sa.select(CONTRACTS.c.hash, CONTRACTS.c.name))
        }
        self._sources = {
            row.snapshot: json.loads(row.definition).get("source")
            for row in party.store.rows(sa.select(DATASETS))
        }

    def admit(self, entries: Iterable[Entry]) -> None:
        """Take in entries, in the log's order."""
        for entry in entries:
            self._admit(entry)

    def part(self, about: Iterable[str]) -> Lineage:
        """Return the part of the graph that leads to some nodes, and that leads on from them."""
        asked = tuple(about)
        whole = Lineage(asked, self.nodes, tuple(self._edges))
        kept = _reached(asked, whole.before) | _reached(asked, whole.after)
        nodes = {node: self.nodes[node] for node in self.nodes if node in kept}
        edges = tuple(edge for edge in self._edges if kept.issuperset(edge))
        return Lineage(asked, nodes, edges)

    def _admit(self, entry: Entry) -> None:
        match entry.body:
            case DatasetRegistered() as body:
                self._register(entry, body)
            case ConsentSnapshot(sequence=sequence):
                self._snapshots[sequence] = entry
            case SessionStarted() as body:
                self._start(entry, body)
            case BudgetSpent() as body:
                self._spend(entry, body)
            case ReportReleased(request=request, table_digest=digest):
                node = self._add("release", request, entry, message("release"), table=digest)
                for spend in self._of("spend", request):
                    self._join(spend, node)
            case SessionFinished(request=request, transcript=transcript):
                self._finish(entry, request, transcript)
            case SessionFailed(request=request, reason=reason):
                self._tell(f"session:{request}", failed=reason)
            case ExportMade() | LookalikeMade() | ListSuppressed() as use:
                self._use(entry, use)
            case RetentionPruned(request=request, what=what):
                self._tell(f"result:{request}", **{f"{what}_deleted": entry.time})
            case LineageEmitted(request=request, event=event, digest=digest):
                self._tell(f"session:{request}", **{f"event_{event.lower()}": digest})
            case _:
                pass

    def _register(self, entry: Entry, body: DatasetRegistered) -> None:
        source = f"source:{body.snapshot}"
        place = self._sources.get(body.snapshot)
        if source not in self.nodes:
            name = message("an earlier content") if place is None else _place(place)
            self.nodes[source] = Node(source, "source", name, details={"snapshot": body.snapshot})
        node = self._add("dataset", f"{body.name}:{entry.seq}", entry, body.name)
        self._tell(node, columns=len(body.columns))
        self._latest[body.name] = node
        self._join(source, node)

    def _start(self, entry: Entry, body: SessionStarted) -> None:
        filed = self._filed(body.request)
        kind = "session" if filed is None else str(filed.request.kind)
        node = self._add("session", body.request, entry, kind, input=body.input_root)
        self._tell(node, request=body.request, contract=self._contracts.get(entry.contract or ""))
        for spend in self._of("spend", body.request):
            self._join(node, spend)
        taken = self._snapshots.get(body.consent.sequence)
        if taken is not None and isinstance(taken.body, ConsentSnapshot):
            self._join(self._consent(taken, taken.body), node)
        if filed is not None:
            own = self._party.contract(filed.request.contract).me(self._party.identity)
            for name, dataset in filed.request.datasets.items():
                if name != own:
                    theirs = f"theirs:{name}:{dataset}"
                    self.nodes.setdefault(
                        theirs,
                        Node(
                            theirs,
                            "dataset",
                            message("{party}'s {dataset}", party=name, dataset=dataset),
                        ),
                    )
                    self._join(theirs, node)

    def _filed(self, request: str) -> Filed | None:
        if request not in self._requests:
            self._requests[request] = Filing(self._party).get(request)
        return self._requests[request]

    def _consent(self, entry: Entry, body: ConsentSnapshot) -> str:
        node = f"consent:{body.sequence}"
        if node not in self.nodes:
            self._add(
                "consent",
                str(body.sequence),
                entry,
                message(
                    "snapshot {sequence}",
                    sequence=body.sequence,
                ),
            )
            self._tell(node, purpose=body.purpose, recipient=body.recipient, root=body.root)
            if body.dataset in self._latest:
                self._join(self._latest[body.dataset], node)
        return node

    def _spend(self, entry: Entry, body: BudgetSpent) -> None:
        node = self._add("spend", f"{body.request}:{entry.seq}", entry, body.what)
        self._tell(
            node,
            population=body.population,
            coalition=body.coalition,
            epsilon_nano=body.epsilon_nano,
            delta_e15=body.delta_e15,
        )

    def _finish(self, entry: Entry, request: str, transcript: str) -> None:
        filed = self._filed(request)
        name = "result" if filed is None else str(filed.request.kind)
        node = self._add("result", request, entry, name, request=request, transcript=transcript)
        for before in self._of("release", request) or self._of("spend", request):
            self._join(before, node)
        if filed is not None:
            terms = Terms.of(filed.request)
            receiver = terms.party_of(RECEIVER if terms.is_match else RECIPIENT)
            recipient = f"recipient:{request}"
            self.nodes[recipient] = Node(
                recipient,
                "use",
                message(
                    "received by {receiver}",
                    receiver=receiver,
                ),
            )
            self._join(node, recipient)

    def _use(self, entry: Entry, use: ExportMade | LookalikeMade | ListSuppressed) -> None:
        if isinstance(use, ExportMade):
            node = self._add(
                "use",
                str(entry.seq),
                entry,
                message(
                    "export to {to}",
                    to=use.to,
                ),
            )
            self._tell(node, ends_at=use.expires_at)
        elif isinstance(use, LookalikeMade):
            node = self._add(
                "use",
                str(entry.seq),
                entry,
                message(
                    "people of {dataset} scored",
                    dataset=use.dataset,
                ),
            )
            self._tell(node, purpose=use.purpose, recipient=use.recipient)
            if use.dataset in self._latest:
                self._join(self._latest[use.dataset], node)
        else:
            node = self._add(
                "use",
                str(entry.seq),
                entry,
                message(
                    "suppression run {run}",
                    run=use.run,
                ),
            )
        self._join(f"result:{use.request}", node)

    def _of(self, kind: str, request: str) -> list[str]:
        return [node for node in self.nodes if node.startswith(f"{kind}:{request}")]

    def _add(self, kind: str, name: str, entry: Entry, title: str, **details: Value) -> str:
        node = f"{kind}:{name}"
        self.nodes[node] = Node(node, kind, title, entry.seq, entry.time, details)
        return node

    def _tell(self, node: str, **details: Value | None) -> None:
        """Add what another entry says of a node, where there is one."""
        if node in self.nodes:
            old = self.nodes[node]
            known = {key: value for key, value in details.items() if value is not None}
            self.nodes[node] = Node(
                old.id, old.kind, old.name, old.entry, old.time, {**old.details, **known}
            )

    def _join(self, before: str, after: str) -> None:
        if before in self.nodes and after in self.nodes:
            self._edges[before, after] = None


def _by(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {node: [] for node in nodes}
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}


def _reached(start: Iterable[str], ways: Mapping[str, tuple[str, ...]]) -> set[str]:
    reached, waiting = set(start), list(start)
    while waiting:
        fresh = set(ways[waiting.pop()]) - reached
        reached |= fresh
        waiting += fresh
    return reached


def _place(source: object) -> str:
    """Return where a source lies, without the folders that lead to it; a query as such."""
    if isinstance(source, str):
        return source.rstrip("/").rpartition("/")[2] or source
    return message("a query")
