"""The data map of a dataset: what is in it, where it came from, who was given what of it, how long.

Everything is read from what the party holds already: description, quality report, contracts,
requests and the log. No figure in it is a count of people, so it may be shown to an auditor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from audit.bodies import ConsentSnapshot, DatasetRegistered, ExportMade, LookalikeMade
from audit.entry import Entry, parse_time
from languages import message
from party import registrations
from party.contract import Contract
from party.contract_terms import OutputKind, write_time
from party.datasets import Definition
from party.decision import FINISHED
from party.desk import Desk
from party.evidence import StoredLog
from party.filing import Filed
from party.kept import kept
from party.registrations import Registered
from party.schema import RESULTS
from psi.legs import RECEIVER, SENDER

if TYPE_CHECKING:
    from party.organisation import Organisation

_TOLD_OF: Final = (
    b'"dataset.registered"',
    b'"consent.snapshot"',
    b'"export.made"',
    b'"lookalike.made"',
)
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
    """All that the party knows of one dataset. Times are as contracts write them."""

    name: str
    population: str
    source: Mapping[str, Any]
    columns: tuple[MappedColumn, ...]
    consent: Mapping[str, Any]
    contracts: tuple[Granted, ...]
    uses: tuple[Use, ...]
    recipients: tuple[Recipient, ...]
    retention: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON values."""
        return {
            **{key: getattr(self, key) for key in ("name", "population")},
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
    served = list(_served(party, contracts, name))
    requests = {filed.id for filed, _ in served}
    told = list(_told(party, name, requests))
    return DataMap(
        name=name,
        population=registered.population,
        source=_source(registered, told),
        columns=() if definition is None else tuple(_columns(definition, registered)),
        consent=_consent(registered, told),
        contracts=tuple(_granted(party, contracts, name)),
        uses=tuple(_uses(party, served)),
        recipients=tuple(_recipients(party, served, told)),
        retention=tuple(
            one.to_dict()
            for one in kept(party)
            if one.name in requests or (one.what == "dataset" and one.name == name)
        ),
    )


def _told(party: Organisation, name: str, requests: set[str]) -> Iterator[Entry]:
    """Yield the entries that speak of the dataset; only what may do so is parsed."""
    for data in StoredLog(party.store, party.identity).entries():
        if not any(kind in data for kind in _TOLD_OF):
            continue
        entry = Entry.parse(data)
        match entry.body:
            case DatasetRegistered(name=told) | ConsentSnapshot(dataset=told):
                if told == name:
                    yield entry
            case ExportMade(request=request):
                if request in requests:
                    yield entry
            case LookalikeMade(dataset=told):
                if told == name:
                    yield entry


def _source(registered: Registered, told: list[Entry]) -> dict[str, Any]:
    times = [entry.time for entry in told if isinstance(entry.body, DatasetRegistered)]
    ends, erased = registered.ends_at, registered.erased_at
    return {
        "read_from": registered.definition.get("source"),
        "tables": list(registered.quality.get("files", ())),
        "snapshot": registered.snapshot,
        "first_registered": _moment(times[0]) if times else write_time(registered.registered_at),
        "registered": write_time(registered.registered_at),
        "times_registered": len(times),
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


def _consent(registered: Registered, told: list[Entry]) -> dict[str, Any]:
    """Return what consent rests on, for whom it was asked, and the snapshots that were taken."""
    snapshots = [entry.body for entry in told if isinstance(entry.body, ConsentSnapshot)]
    coverage = registered.quality.get("consent", ())
    return {
        "rests_on": registered.definition.get("consent"),
        "grants": [{key: one[key] for key in ("purpose", "recipient")} for one in coverage],
        "snapshots": len(snapshots),
        "last_snapshot": write_time(snapshots[-1].taken_at) if snapshots else None,
        "purposes_used": sorted({one.purpose for one in snapshots}),
    }


def _granted(
    party: Organisation, contracts: Mapping[str, Contract], name: str
) -> Iterator[Granted]:
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


def _served(
    party: Organisation, contracts: Mapping[str, Contract], name: str
) -> Iterator[tuple[Filed, Contract]]:
    """Yield the requests that ask of this dataset, oldest first, each with its contract."""
    for filed in reversed(Desk(party).filed()):
        contract = contracts[filed.request.contract]
        if filed.request.datasets.get(registrations.name_in(party, contract)) == name:
            yield filed, contract


def _uses(party: Organisation, served: list[tuple[Filed, Contract]]) -> Iterator[Use]:
    rows = party.store.rows(sa.select(RESULTS.c.request, RESULTS.c.body != ""))
    results = dict(tuple(row) for row in rows)
    for filed, contract in served:
        request = filed.request
        yield Use(
            request=filed.id,
            kind=str(request.kind),
            purpose=request.purpose,
            role=_role(request.roles, registrations.name_in(party, contract)),
            contract=contract.id,
            peers=filed.peers,
            asked_at=write_time(request.created),
            state=filed.state,
            result={True: "kept", False: "deleted", None: "none"}[results.get(filed.id)],
        )


def _recipients(
    party: Organisation, served: list[tuple[Filed, Contract]], told: list[Entry]
) -> Iterator[Recipient]:
    """Yield who has received what, each pair once."""
    found: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
    for filed, contract in served:
        if filed.state != FINISHED:
            continue
        request, when = filed.request, write_time(filed.updated_at)
        me = registrations.name_in(party, contract)
        if request.kind is OutputKind.MATCH:
            if request.roles[SENDER] == me:
                until = write_time(contract.list_expires_at(request.created))
                receiver = request.roles[RECEIVER]
                found.setdefault((receiver, _LIST), []).append((when, until))
            continue
        for peer in set(request.roles.values()) - {me}:
            found.setdefault((peer, _TABLE), []).append((when, None))
    for entry in told:
        if isinstance(entry.body, ExportMade):
            until = write_time(entry.body.expires_at)
            key = (entry.body.to, message("an exported list"))
            found.setdefault(key, []).append((_moment(entry.time), until))
        elif isinstance(entry.body, LookalikeMade):
            key = (message("this party itself"), message("scores of its own people"))
            found.setdefault(key, []).append((_moment(entry.time), None))
    for (who, what), times in sorted(found.items()):
        ends = [until for _, until in times if until is not None]
        yield Recipient(
            who, what, len(times), max(when for when, _ in times), max(ends, default=None)
        )


def _role(roles: Mapping[str, str], party: str) -> str:
    return ", ".join(role for role, name in roles.items() if name == party)


def _moment(time: str) -> str:
    return write_time(int(parse_time(time).timestamp()))
