"""The data map of a dataset: what is in it, where it came from, who was given what of it, how long.

Everything is read from what the party holds already: description, quality report, contracts,
requests and the log. No figure in it is a count of people, so it may be shown to an auditor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import ConsentSnapshot, ExportMade
from audit.entry import Entry, parse_time
from languages import message
from party import registrations
from party.contract import Contract
from party.contract_terms import OutputKind, write_time
from party.datasets import Definition
from party.decision import FINISHED
from party.filing import Filed, Filing, Wanted
from party.kept import kept_of
from party.log_index import KIND
from party.log_pages import count_of, entries_at, entries_of
from party.registrations import Registered
from party.schema import LOG_INDEX, LOG_WORDS, REQUESTS, RESULTS, SESSIONS
from psi.legs import RECEIVER, SENDER

if TYPE_CHECKING:
    from party.organisation import Organisation

MOST: Final = 100
"""How many requests a data map names, and how much of what is kept."""
_Contracts: TypeAlias = Mapping[str, Contract]
_CLASSES: Final[dict[str, str]] = {
    "event_time": message("event time"),
    "attribute": message("attribute"),
    "value": message("value"),
}
_LIST: Final = message("a list of whom both have")
_TABLE: Final = message("a table of noisy counts")


@dataclass(frozen=True)
class MappedColumn:
    """A column of the source: what it is, how it is declared, and what it is read for.

    `classification` is identifier, sensitive, attribute, value, event time, consent, personal and
    dropped, or not declared; the last two are never read.
    """

    name: str
    classification: str
    declared: str | None
    used_for: tuple[str, ...]


@dataclass(frozen=True)
class Granted:
    """A contract that names the dataset: how it stands, and what it grants of it."""

    contract: str
    hash: str
    standing: str
    counterparts: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Use:
    """A request that the dataset served, or is to serve; times as contracts write them.

    `result` says what came of it: none yet, none, kept, or deleted.
    """

    request: str
    kind: str
    purpose: str
    role: str
    contract: str
    peers: tuple[str, ...]
    asked_at: str
    state: str
    result: str


@dataclass(frozen=True)
class Recipient:
    """Somebody who has received something that was made of the dataset; how often, and when last.

    `until` is when the last of it ends, where it has an end.
    """

    who: str
    what: str
    times: int
    last: str
    until: str | None


@dataclass(frozen=True)
class DataMap:
    """What the party knows of one dataset. Times are as contracts write them.

    `uses` are the newest requests, `uses_before` how many there were before them; `retention` is
    what ends first.
    """

    name: str
    population: str
    source: Mapping[str, Any]
    columns: tuple[MappedColumn, ...]
    consent: Mapping[str, Any]
    contracts: tuple[Granted, ...]
    uses: tuple[Use, ...]
    uses_before: int
    recipients: tuple[Recipient, ...]
    retention: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON values."""
        return {
            **{key: getattr(self, key) for key in ("name", "population", "uses_before")},
            "source": dict(self.source),
            "consent": dict(self.consent),
            **{
                key: [asdict(one) for one in getattr(self, key)]
                for key in ("columns", "contracts", "uses", "recipients")
            },
            "retention": [dict(one) for one in self.retention],
        }


def data_map(party: Organisation, name: str) -> DataMap:
    """Return the data map of a dataset, also of one that has come to its end.

    Raises:
        DatasetError: there is none of this name.
        AuditError: an entry of the log is not what was written.
    """
    registered = registrations.find(party, name)
    definition = Definition.from_dict(registered.definition) if registered.definition else None
    contracts = {one.digest: one for one in party.contracts()}
    wanted = Wanted(dataset=name)
    newest, count = Filing(party).page(wanted, most=MOST).requests, Filing(party).count(wanted)
    told = party.store.read(lambda connection: _told(connection, name))
    return DataMap(
        name=name,
        population=registered.population,
        source=_source(registered, told),
        columns=() if definition is None else tuple(_columns(definition, registered)),
        consent=_consent(party, contracts, registered, told),
        contracts=tuple(_granted(party, contracts, name)),
        uses=tuple(_uses(party, contracts, newest[::-1])),
        uses_before=count - len(newest),
        recipients=tuple(_recipients(party, contracts, name, told)),
        retention=tuple(one.to_dict() for one in kept_of(party, name, most=MOST)),
    )


@dataclass(frozen=True)
class _Told:
    """What the log says of a dataset: how often, the first or last time, and every export."""

    registered: int
    first: Entry | None
    snapshots: int
    last: Entry | None
    scored: int
    last_scored: Entry | None
    exports: tuple[Entry, ...]


def _told(connection: Connection, name: str) -> _Told:
    """Read of the log what speaks of a dataset, and of what was made of it."""

    def count(kind: str) -> int:
        return count_of(connection, kinds=[kind], dataset=name)

    def newest(kind: str) -> Entry | None:
        found = entries_of(connection, kinds=[kind], newest=1, dataset=name)
        return found[0] if found else None

    first = entries_of(connection, kinds=["dataset.registered"], oldest=1, dataset=name)
    return _Told(
        count("dataset.registered"),
        first[0] if first else None,
        count("consent.snapshot"),
        newest("consent.snapshot"),
        count("lookalike.made"),
        newest("lookalike.made"),
        tuple(entries_at(connection, _exports(connection, name))),
    )


def _exports(connection: Connection, name: str) -> list[int]:
    """Return the places of the exports of lists that were made of a dataset."""
    kind, request = LOG_WORDS.alias(), LOG_WORDS.alias()
    query = (
        sa.select(LOG_INDEX.c.seq)
        .join(kind, kind.c.id == LOG_INDEX.c.kind)
        .join(request, request.c.id == LOG_INDEX.c.request)
        .join(REQUESTS, REQUESTS.c.id == request.c.word)
        .where(kind.c.field == KIND, kind.c.word == "export.made", REQUESTS.c.dataset == name)
        .order_by(LOG_INDEX.c.seq)
    )
    return list(connection.execute(query).scalars())


def _source(registered: Registered, told: _Told) -> dict[str, Any]:
    first = told.first
    ends, erased = registered.ends_at, registered.erased_at
    return {
        "read_from": registered.definition.get("source"),
        "tables": list(registered.quality.get("files", ())),
        "snapshot": registered.snapshot,
        "first_registered": (
            write_time(registered.registered_at) if first is None else _moment(first.time)
        ),
        "registered": write_time(registered.registered_at),
        "times_registered": told.registered,
        "content_since": write_time(registered.since),
        "ends": None if ends is None else write_time(ends),
        "erased": None if erased is None else write_time(erased),
    }


def _columns(definition: Definition, registered: Registered) -> Iterator[MappedColumn]:
    declared = {column.name: column.kind for column in definition.columns}
    identifiers = {column.name for column in definition.identifiers}
    purposes = _purposes_of(definition)
    for name in dict.fromkeys((*declared, *definition.source_columns)):
        kind = declared.get(name)
        what: str
        if name in definition.sensitive:
            what = message(
                "sensitive ({category})",
                category=definition.sensitive[name].category,
            )
        elif name in identifiers:
            what = message("identifier")
        else:
            what = _CLASSES.get(kind or "attribute", kind or "attribute")
        yield MappedColumn(name, what, kind, tuple(purposes.get(name, ())))
    for name in registered.quality.get("undeclared", ()):
        dropped = name in definition.scan.dropped
        what = message("personal, dropped") if dropped else message("not declared")
        yield MappedColumn(name, what, None, ())


def _purposes_of(definition: Definition) -> dict[str, list[str]]:
    """Return by column what the description reads it for."""
    found: dict[str, list[str]] = {}

    def add(columns: tuple[str, ...], what: str) -> None:
        for column in columns:
            found.setdefault(column, []).append(what)

    add(tuple(one.name for one in definition.identifiers), message("matching"))
    if definition.person_column:
        add((definition.person_column,), message("telling people apart"))
    add((definition.consent.source_column,), message("consent"))
    if definition.minors is not None:
        add(definition.minors.columns, message("leaving out minors"))
    for name, one in definition.sensitive.items():
        if one.consent is not None:
            add(one.consent.columns, message("separate consent for {name}", name=name))
    if definition.invalid_traffic is not None:
        add(definition.invalid_traffic.columns, message("rules on invalid traffic"))
    if definition.conversion_time:
        add((definition.conversion_time,), message("the time of conversions"))
    for name, label in definition.labels.items():
        add(tuple(dict.fromkeys(label.columns)), message("label {name}", name=name))
    add(definition.scan.not_personal, message("said not to be personal data"))
    return found


def _consent(
    party: Organisation, contracts: _Contracts, registered: Registered, told: _Told
) -> dict[str, Any]:
    """Return what consent rests on, for whom it was asked, and the snapshots that were taken."""
    coverage = registered.quality.get("consent", ())
    last = None if told.last is None else told.last.body
    return {
        "rests_on": registered.definition.get("consent"),
        "grants": [{key: one[key] for key in ("purpose", "recipient")} for one in coverage],
        "snapshots": told.snapshots,
        "last_snapshot": write_time(last.taken_at) if isinstance(last, ConsentSnapshot) else None,
        "purposes_used": sorted(_purposes_used(party, contracts, registered.name)),
    }


def _purposes_used(party: Organisation, contracts: _Contracts, name: str) -> set[str]:
    """Return what for snapshots of a dataset were taken: the purposes of what was granted."""
    begun = sa.exists().where(SESSIONS.c.request == REQUESTS.c.id)
    terms = (REQUESTS.c.contract, REQUESTS.c.kind, REQUESTS.c.roles)
    query = sa.select(*terms).distinct()
    rows = party.store.rows(query.where(REQUESTS.c.dataset == name, begun))
    return {
        contracts[row.contract].output(OutputKind(row.kind), json.loads(row.roles)).purpose
        for row in rows
    }


def _granted(party: Organisation, contracts: _Contracts, name: str) -> Iterator[Granted]:
    for digest, contract in contracts.items():
        me = registrations.name_in(party, contract)
        if name not in contract.datasets[me]:
            continue
        outputs = tuple(
            message(
                "{kind} as {role}, {purpose}",
                kind=str(grant.kind),
                role=_role(grant.roles, me),
                purpose=grant.purpose,
            )
            for grant in contract.outputs
            if me in grant.roles.values()
        )
        yield Granted(
            contract.id, digest, contract.standing(party.now), contract.counterparts(me), outputs
        )


def _uses(party: Organisation, contracts: _Contracts, requests: Sequence[Filed]) -> Iterator[Use]:
    of_these = RESULTS.c.request.in_([filed.id for filed in requests])
    kept = RESULTS.c.ends_at.is_not(None).label("kept")
    rows = party.store.rows(sa.select(RESULTS.c.request, kept).where(of_these))
    results = {row.request: "kept" if row.kept else "deleted" for row in rows}
    for filed in requests:
        request, contract = filed.request, contracts[filed.request.contract]
        yield Use(
            request=filed.id,
            kind=str(request.kind),
            purpose=request.purpose,
            role=_role(request.roles, registrations.name_in(party, contract)),
            contract=contract.id,
            peers=filed.peers,
            asked_at=write_time(request.created),
            state=filed.state,
            result=results.get(filed.id, "none"),
        )


def _recipients(
    party: Organisation, contracts: _Contracts, name: str, told: _Told
) -> Iterator[Recipient]:
    """Yield who has received what, each pair once."""
    found: dict[tuple[str, str], list[_Given]] = {}

    def note(who: str, what: str, given: _Given) -> None:
        found.setdefault((who, what), []).append(given)

    for row in _finished(party, name):
        contract, roles = contracts[row.contract], json.loads(row.roles)
        me, last = registrations.name_in(party, contract), write_time(row.last)
        if row.kind == OutputKind.MATCH:
            if roles[SENDER] == me:
                until = write_time(contract.list_expires_at(row.last_asked))
                note(roles[RECEIVER], _LIST, _Given(row.times, last, until))
            continue
        for peer in set(roles.values()) - {me}:
            note(peer, _TABLE, _Given(row.times, last, None))
    for entry in told.exports:
        if isinstance(entry.body, ExportMade):
            until = write_time(entry.body.expires_at)
            note(entry.body.to, message("an exported list"), _Given(1, _moment(entry.time), until))
    if told.last_scored is not None:
        scored = _Given(told.scored, _moment(told.last_scored.time), None)
        note(message("this party itself"), message("scores of its own people"), scored)
    for (who, what), given in sorted(found.items()):
        ends = [one.until for one in given if one.until is not None]
        times, last = sum(one.times for one in given), max(one.last for one in given)
        yield Recipient(who, what, times, last, max(ends, default=None))


@dataclass(frozen=True)
class _Given:
    """What somebody has received: how often, when last, and until when the last of it is."""

    times: int
    last: str
    until: str | None


def _finished(party: Organisation, name: str) -> Sequence[sa.Row[Any]]:
    """Return how often each grant of a contract was used of a dataset, and when last."""
    terms = (REQUESTS.c.contract, REQUESTS.c.kind, REQUESTS.c.roles)
    query = (
        sa.select(
            *terms,
            sa.func.count().label("times"),
            sa.func.max(REQUESTS.c.updated_at).label("last"),
            sa.func.max(REQUESTS.c.asked_at).label("last_asked"),
        )
        .where(REQUESTS.c.dataset == name, REQUESTS.c.state == FINISHED)
        .group_by(*terms)
    )
    return party.store.rows(query)


def _role(roles: Mapping[str, str], party: str) -> str:
    return ", ".join(role for role, name in roles.items() if name == party)


def _moment(time: str) -> str:
    return write_time(int(parse_time(time).timestamp()))
