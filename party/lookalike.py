"""Scoring a party's own people by a table that it has released: the file of a lookalike.

Nothing crosses and nothing is spent: weights are computed from the released table, and people are
read where they lie. Only people who consent to the stated purpose for the counterpart are scored,
and only for a purpose that the contract grants. The file holds the party's own references; it is
for the owner's eyes, as is the manifest beside it, which says what it was made from. Both appear
whole, after the log has said so.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy.engine import Connection

from audit.bodies import LookalikeMade
from audit.roles import Role
from party.activation.export import manifest_of
from party.activation.private_file import drafted, publish, require_new
from party.contract import Contract
from party.contract_terms import OutputKind, write_time
from party.datasets import BoundStep
from party.datasets.prepare import read_selection
from party.datasets.rows import open_source
from party.datasets.source import snapshot_of
from party.durable import flush
from party.errors import ContractError, DatasetError, PartyError, Refusal, RefusalStatus
from party.filing import Filed
from party.list_files import sha256_of
from party.organisation import Organisation
from psi.arrow import integers
from psi.legs import TABULATOR, THIRD
from reports.lookalike import Lookalike
from reports.lookalike_lift import DECILES, Lift, lifts

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES: Final = (".parquet", ".csv")


@dataclass(frozen=True)
class Order:
    """What is to be scored: whose people, for which purpose, and which share of them is written.

    `dataset` is None for that of the request.
    """

    dataset: str | None
    purpose: str
    top: float
    out: Path

    def __post_init__(self) -> None:
        if not 0 < self.top <= 1:
            raise PartyError(
                "the share of people to write (top) is above 0 and at most 1: 0.1 is a tenth"
            )
        if self.out.suffix not in SUFFIXES:
            raise PartyError(f"{self.out}: write to a file that ends in {', '.join(SUFFIXES)}")


@dataclass(frozen=True)
class Scored:
    """What was written.

    Attributes:
        file: the people, the best first: `reference`, `score`, `decile` (1 is the best tenth).
        manifest: what it was made from, beside it.
        people: who were scored; exact, for the owner's eyes.
        written: who are in the file.
        steps: from the rows to the people who were scored.
        lookalike: weights and scores.
        top: the lift of the people in the file.
        deciles: the lift of each tenth of the people who were scored.
    """

    file: Path
    manifest: Path
    request: str
    dataset: str
    snapshot: str
    purpose: str
    recipient: str
    people: int
    written: int
    steps: tuple[BoundStep, ...]
    lookalike: Lookalike
    top: Lift
    deciles: tuple[Lift, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        plain = ("request", "dataset", "snapshot", "purpose", "recipient", "people", "written")
        return {
            "file": str(self.file),
            "manifest": str(self.manifest),
            **{name: getattr(self, name) for name in plain},
            "steps": [step.to_dict() for step in self.steps],
            "tells": self.lookalike.tells,
            "growth_needed": self.lookalike.growth_needed,
            "weights": [one.to_dict() for one in self.lookalike.weights],
            "top": self.top.to_dict(),
            "deciles": [one.to_dict() for one in self.deciles],
        }


@dataclass(frozen=True, eq=False, repr=False)
class _Base:
    """People with a label of the request: references, the label of each, and how they were read."""

    dataset: str
    references: pa.Array
    label_of: npt.NDArray[np.int16]
    steps: tuple[BoundStep, ...]
    snapshot: str


def score(
    party: Organisation, filed: Filed, lookalike: Lookalike, order: Order, *, actor: str
) -> Scored:
    """Score the people of a dataset, write the best of them, and log it.

    `lookalike` is that of the request's table.

    Raises:
        Refusal: the contract does not grant the purpose (NOT_GRANTED), or has ended (EXPIRED).
        DatasetError: the dataset has not the request's label, or nobody who consents.
        PartyError: this party did not tabulate insights, or the file does not serve; nothing is
            written.
    """
    party.access.require(Role.ANALYST, "lookalike.score")
    _require_use(filed, party.contract(filed.request.contract), order.purpose, party)
    require_new(order.out)
    require_new(manifest_of(order.out))
    base = _read(party, filed, order)
    ranking = _rank(lookalike, base, filed.request.id)
    written = max(1, round(order.top * len(ranking)))
    by_label = np.bincount(base.label_of, minlength=len(lookalike.scores))
    top, *deciles = lifts(lookalike, by_label, [(0.0, order.top), *DECILES])
    scored = Scored(
        file=order.out,
        manifest=manifest_of(order.out),
        request=filed.request.id,
        dataset=base.dataset,
        snapshot=base.snapshot,
        purpose=order.purpose,
        recipient=filed.peer,
        people=len(ranking),
        written=written,
        steps=base.steps,
        lookalike=lookalike,
        top=top,
        deciles=tuple(deciles),
    )
    _write(party, filed, scored, _table(lookalike, base, ranking, written), actor)
    return scored


def _require_use(filed: Filed, contract: Contract, purpose: str, party: Organisation) -> None:
    """Refuse a table that has no attributes of this party's, and a purpose nobody granted."""
    request = filed.request
    if request.kind is not OutputKind.INSIGHTS:
        raise PartyError(
            f"request {request.id[:8]} is {request.kind}, which says nothing about attributes: a "
            "lookalike is made from insights"
        )
    owner = request.roles.get(THIRD, request.roles[TABULATOR])
    if owner != contract.me(party.identity) or owner != request.roles[TABULATOR]:
        raise PartyError(
            f"the attributes of request {request.id[:8]} are {owner}'s, and so are the people who "
            "can be scored by them: only the tabulator makes the lookalike, and of insights of two"
        )
    granted = tuple(dict.fromkeys(one.purpose for one in contract.outputs))
    if purpose not in granted:
        raise Refusal(
            RefusalStatus.NOT_GRANTED,
            f"contract {contract.id} grants nothing for {purpose[:100]}; it grants "
            f"{', '.join(granted)}",
        )
    try:
        contract.require_in_force(party.now)
    except ContractError as error:
        raise Refusal(RefusalStatus.EXPIRED, str(error)) from None


def _read(party: Organisation, filed: Filed, order: Order) -> _Base:
    """Read who consents to the purpose and has a label of the request."""
    request = filed.request
    asked = request.labels[request.roles[TABULATOR]]
    name = order.dataset or request.datasets[request.roles[TABULATOR]]
    definition = party.definition(name)
    label = definition.label(str(asked.name))
    if set(label.values) != set(asked.values):
        raise DatasetError(
            f"the label '{asked.name}' of dataset {name} has other values than that of "
            f"request {request.id[:8]}: score by a dataset that is labelled alike, or ask anew"
        )
    with open_source(definition) as source:
        states, lines = source.states(), source.lines()
        selection, beside = read_selection(
            definition,
            source,
            label=label,
            values=asked.values,
            purpose=order.purpose,
            recipients=filed.peers,
            now=party.now,
            executor=party.executor,
            rounding=party.identity.rounding_key,
        )
        source.require_unchanged(states)
    if not len(selection.people):
        raise DatasetError(
            f"dataset {name} has nobody to score: nobody who consents to {order.purpose} "
            f"for {filed.peer} has a value of '{asked.name}'"
        )
    people = selection.people.references
    return _Base(
        name, people, selection.label_of, selection.steps, snapshot_of(lines, beside).hex()
    )


def _rank(lookalike: Lookalike, base: _Base, request: str) -> npt.NDArray[np.int64]:
    """Return the people from the best to the worst.

    Equal scores are in the order of a lottery, the same for the same request and data: the order
    of a file may follow an attribute.
    """
    seed = hashlib.sha256(f"lookalike/{request}/{base.snapshot}".encode()).digest()
    lottery = np.random.default_rng(np.frombuffer(seed, np.uint32)).permutation(len(base.label_of))
    scores = lookalike.scores[base.label_of[lottery]]
    order: npt.NDArray[np.int64] = lottery[np.argsort(-scores, kind="stable")]
    return order


def _table(
    lookalike: Lookalike, base: _Base, ranking: npt.NDArray[np.int64], written: int
) -> pa.Table:
    import pyarrow as pa

    best = ranking[:written]
    decile = 1 + np.arange(written) * len(DECILES) // len(ranking)
    return pa.table(
        {
            "reference": base.references.take(integers(best)),
            "score": lookalike.scores[base.label_of[best]],
            "decile": decile.astype(np.int8),
        }
    )


def _write(party: Organisation, filed: Filed, scored: Scored, table: pa.Table, actor: str) -> None:
    import pyarrow.parquet as pq
    from pyarrow import csv

    with ExitStack() as drafts:
        draft = drafts.enter_context(drafted(scored.file))
        note = drafts.enter_context(drafted(scored.manifest))
        if scored.file.suffix == ".parquet":
            pq.write_table(table, draft)
        else:
            csv.write_csv(table, draft)
        digest = sha256_of(draft)
        note.write_text(_manifest(party, filed, scored, digest), encoding="utf-8")
        flush(draft)
        flush(note)
        _log(party, filed, scored, digest, actor)
        publish(draft, scored.file)
        publish(note, scored.manifest)


def _manifest(party: Organisation, filed: Filed, scored: Scored, digest: bytes) -> str:
    document = {
        **scored.to_dict(),
        "file": scored.file.name,
        "manifest": scored.manifest.name,
        "contract": filed.request.contract,
        "sha256": digest.hex(),
        "made": write_time(party.now),
        "reminder": "Own people only. Whoever withdraws consent has to be taken off by hand.",
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _log(party: Organisation, filed: Filed, scored: Scored, digest: bytes, actor: str) -> None:
    def work(connection: Connection) -> None:
        commitment = party.journal.commit_to(
            connection, "lookalike", digest, request=scored.request
        )
        body = LookalikeMade(
            request=scored.request,
            dataset=scored.dataset,
            snapshot=scored.snapshot,
            purpose=scored.purpose,
            recipient=scored.recipient,
            steps=len(scored.steps),
            file_commitment=commitment,
        )
        party.journal.append(
            connection, "lookalike.made", body, actor=actor, contract=filed.request.contract
        )

    party.store.write(work)
