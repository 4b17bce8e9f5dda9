"""One session at one party as an OpenLineage run event (spec 2-0-2, facets as named in `_FACETS`).

What runs is the request: its run id is derived from it and from the party, so that START and
COMPLETE or FAIL are of one run, and two parties that send to one server have a run each. Inputs are
the datasets of all parties, output is what the request brings. Columns of the output are MASKED:
nobody's row can be read off them. No count in an event is exact: the rows of a table are its cells,
which the request fixes, and what they count together is told with its noise. Own facets are
described in docs/lineage-facets.json.

Nothing here reads or writes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from uuid import NAMESPACE_URL, UUID, uuid5

import rfc8785

from audit.bodies import BudgetSpent, ConsentReference

if TYPE_CHECKING:
    from reports.estimate import Estimate

EventType: TypeAlias = Literal["START", "COMPLETE", "FAIL"]
Json: TypeAlias = dict[str, Any]

SCHEMA: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
OWN_FACETS: Final = "urn:commonground:lineage-facets:1"
_PRODUCER: Final = "urn:commonground"
_FACETS: Final = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "ownership": "1-0-1/OwnershipDatasetFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
}
_MASKED: Final = {
    "label": "the label of a person, counted under noise",
    "join": "identifiers are hashed to a curve and blinded; who is in both sets is never a column",
}


@dataclass(frozen=True)
class Field:
    """A column of a dataset: `kind` as it was declared, or `label` for one that a contract states.

    `sources` are the columns that it is made from, where they have other names.
    """

    name: str
    kind: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Input:
    """A dataset that takes part: whose it is, and its columns as far as this party knows them.

    `namespace` is the origin of its party's log; `version` the salted root of what was read, which
    each party knows of its own input alone. `labels` are those of `columns` that are reported on.
    """

    namespace: str
    name: str
    owner: str
    columns: tuple[Field, ...]
    labels: tuple[Field, ...] = ()
    version: str | None = None

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The columns by which people are found."""
        return tuple(column.name for column in self.columns if column.kind.startswith("id."))


@dataclass(frozen=True)
class Proof:
    """Where the log says the same: the entry and its receipt, as in c2sp.org/tlog-proof@v1."""

    origin: str
    kind: str
    index: int
    receipt: str


@dataclass(frozen=True)
class Facts:
    """What is told of a session.

    `time` is that of the log's entry; `job` what the contract calls it; `output` has the fields of
    the result beside those that labels give it, with `cells` rows, and `matched` what they count
    together, where the party has the table; `owners` are who has the result.
    """

    type: EventType
    time: str
    namespace: str
    job: str
    request: str
    contract: str
    session: str | None
    role: str
    inputs: Sequence[Input]
    owners: Sequence[str]
    is_list: bool
    cells: int | None
    dataset: str
    purpose: str
    recipient: str
    consent: ConsentReference
    spends: Sequence[BudgetSpent]
    proof: Proof
    failure: str | None = None
    matched: Estimate | None = None


def run_id(namespace: str, request: str) -> UUID:
    """Return the id of a request's run at the party of a namespace."""
    return uuid5(NAMESPACE_URL, f"{namespace}/requests/{request}")


def encode(facts: Facts) -> bytes:
    """Return the event's canonical bytes (RFC 8785), which are hashed, filed and sent."""
    data: bytes = rfc8785.dumps(_event(facts))
    return data


def _event(facts: Facts) -> Json:
    return {
        "eventType": facts.type,
        "eventTime": facts.time,
        "producer": _PRODUCER,
        "schemaURL": SCHEMA,
        "run": {
            "runId": str(run_id(facts.namespace, facts.request)),
            "facets": _run_facets(facts),
        },
        "job": {
            "namespace": facts.namespace,
            "name": facts.job,
            "facets": {
                "jobType": _facet(
                    "jobType", processingType="BATCH", integration="COMMONGROUND", jobType="SESSION"
                )
            },
        },
        "inputs": [_input(one) for one in facts.inputs],
        "outputs": [_output(facts)] if facts.type == "COMPLETE" else [],
    }


def _run_facets(facts: Facts) -> Json:
    consent = facts.consent
    facets = {
        "commonground_session": _own(
            "session",
            request=facts.request,
            contract=facts.contract,
            role=facts.role,
            **({} if facts.session is None else {"session": facts.session}),
        ),
        "commonground_consentSnapshot": _own(
            "consentSnapshot",
            dataset=facts.dataset,
            root=consent.root,
            sequence=consent.sequence,
            takenAt=consent.taken_at,
            purpose=facts.purpose,
            recipient=facts.recipient,
        ),
        "commonground_privacySpend": _own(
            "privacySpend", charges=[_charge(spend) for spend in facts.spends]
        ),
        "commonground_logProof": _own(
            "logProof",
            origin=facts.proof.origin,
            entry=facts.proof.index,
            kind=facts.proof.kind,
            receipt=facts.proof.receipt,
        ),
    }
    if facts.failure is not None:
        facets["errorMessage"] = _facet(
            "errorMessage", message=facts.failure, programmingLanguage="Python"
        )
    return facets


def _charge(spend: BudgetSpent) -> Json:
    return {
        "population": spend.population,
        "coalition": spend.coalition,
        "windowStart": spend.window,
        "epsilonNano": spend.epsilon_nano,
        "rhoNano": spend.rho_nano,
        "deltaE15": spend.delta_e15,
        "what": spend.what,
    }


def _input(one: Input) -> Json:
    facets = {"ownership": _ownership([one.owner])}
    if one.columns:
        facets["schema"] = _schema(one.columns)
    if one.version is not None:
        facets["version"] = _facet("version", datasetVersion=one.version)
    return {"namespace": one.namespace, "name": one.name, "facets": facets}


def _output(facts: Facts) -> Json:
    labels = [(one, label) for one in facts.inputs for label in one.labels]
    name = "matched_by" if facts.is_list else "count"
    fields = [Field(f"{one.name}.{label.name}", "label") for one, label in labels]
    lineage: Json = {
        f"{one.name}.{label.name}": _masked([(one, label.sources or (label.name,))], "label")
        for one, label in labels
    }
    lineage[name] = _masked([(one, one.identifiers) for one in facts.inputs], "join")
    statistics: Json = (
        {}
        if facts.cells is None
        else {"outputStatistics": _facet("outputStatistics", rowCount=facts.cells)}
    )
    if facts.matched is not None:
        statistics["commonground_noisyCounts"] = _own(
            "noisyCounts",
            matched=round(facts.matched.value),
            standardError=facts.matched.standard_error,
        )
    return {
        "namespace": facts.namespace,
        "name": f"results/{facts.request}",
        "facets": {
            "schema": _schema([*fields, Field(name, "result")]),
            "ownership": _ownership(facts.owners),
            "columnLineage": _facet("columnLineage", fields=lineage),
        },
        "outputFacets": statistics,
    }


def _masked(sources: Iterable[tuple[Input, Iterable[str]]], how: str) -> Json:
    """Return the lineage of one column: from which columns, with nothing of them left to read."""
    step = {
        "type": "INDIRECT" if how == "join" else "DIRECT",
        "subtype": "JOIN" if how == "join" else "AGGREGATION",
        "description": _MASKED[how],
        "masking": True,
    }
    return {
        "inputFields": [
            {
                "namespace": one.namespace,
                "name": one.name,
                "field": column,
                "transformations": [step],
            }
            for one, columns in sources
            for column in columns
        ],
        "transformationType": "MASKED",
        "transformationDescription": _MASKED[how],
    }


def _schema(columns: Iterable[Field]) -> Json:
    return _facet("schema", fields=[{"name": one.name, "type": one.kind} for one in columns])


def _ownership(names: Iterable[str]) -> Json:
    return _facet("ownership", owners=[{"name": name, "type": "CONTROLLER"} for name in names])


def _facet(name: str, **values: object) -> Json:
    """Return a facet of the specification."""
    place = _FACETS[name]
    definition = place.partition("/")[2]
    url = f"https://openlineage.io/spec/facets/{place}.json#/$defs/{definition}"
    return {"_producer": _PRODUCER, "_schemaURL": url, **values}


def _own(name: str, **values: object) -> Json:
    """Return a facet of our own."""
    return {"_producer": _PRODUCER, "_schemaURL": f"{OWN_FACETS}#/$defs/{name}", **values}


def event_type_of(kind: str) -> EventType | None:
    """Return what a log entry of a kind is told as, None for one that is not told."""
    return _TYPES.get(kind)


_TYPES: Final[Mapping[str, EventType]] = {
    "session.started": "START",
    "session.finished": "COMPLETE",
    "session.failed": "FAIL",
}
