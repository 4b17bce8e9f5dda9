"""What a party keeps of a session: its list as a file, or its table with its private noise.

A stored table is the recipient's own: it holds what the shareable rendering must not depend
on. `report show` computes from it again, at no cost in privacy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from party.artefacts import encode_small
from party.contract import Contract
from party.contract_terms import OutputKind
from party.inputs import SessionInput
from party.list_files import sha256_of
from party.matched import matched_people, matched_tags
from party.messages import ReleaseArtefact
from party.outcome import ListOutcome, Outcome, TableOutcome, TabulatorOutcome
from party.request import Request
from party.session_record import SessionRecord
from party.suppression.list_file import ListFile
from party.terms import Terms
from psi.dummies import Cell
from psi.legs import RECIPIENT, SENDER, TABULATOR, THIRD
from reports.table import MomentsTable, ReleasedTable, ReleaseParameters, ThirdPart

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Keeper:
    """Turns an outcome into what the store keeps as the session's result.

    `changes` writes who came to a list that takes another one's place, and who went, and returns
    what the result says of them.
    """

    contract: Contract
    request: Request
    record: SessionRecord
    lists: ListFile
    changes: Callable[[pa.Table], dict[str, Any]] = lambda table: {}

    def keep(self, outcome: Outcome, session_input: SessionInput) -> dict[str, Any]:
        """Return the result as JSON values; a list is written to its file first."""
        read = {
            "steps": [step.to_dict() for step in session_input.prepared.steps],
            "snapshot": session_input.prepared.snapshot.hex(),
        }
        if isinstance(outcome, ListOutcome):
            return {"role": "receiver", **read, **self._keep_list(outcome, session_input)}
        if isinstance(outcome, TableOutcome):
            return {"role": RECIPIENT, **read, **self._recipient(outcome, session_input)}
        if isinstance(outcome, TabulatorOutcome):
            return {"role": TABULATOR, **read, "table": self._unnamed(outcome).to_dict()}
        return {"role": SENDER if self.request.kind is OutputKind.MATCH else THIRD, **read}

    def _keep_list(self, outcome: ListOutcome, session_input: SessionInput) -> dict[str, Any]:
        prepared, types = session_input.prepared, self.request.identifiers
        table = matched_people(prepared, outcome.matched_keys, types)
        tags = None
        if self.request.parameters.suppression_runs:
            tags = matched_tags(prepared, outcome.matched_keys, outcome.tags, types)
        path = self.lists.write(table, tags)
        return {
            "list_file": str(path),
            "list_sha256": sha256_of(path).hex(),
            "people": len(table),
            **self.changes(table),
            "source_snapshot": prepared.source_snapshot.hex(),
            "expires_at": self.record.list_expires_at(),
        }

    def _recipient(self, outcome: TableOutcome, session_input: SessionInput) -> dict[str, Any]:
        terms = Terms.of(self.request)
        recipient = Axis(terms.labels_of(RECIPIENT), outcome.numbering)
        third = None
        if outcome.third_names:
            labels = terms.labels_of(THIRD)
            third = Axis(labels, tuple(outcome.third_names.index(label) for label in labels))
        audience = np.bincount(session_input.labels, minlength=len(recipient.labels))
        if terms.timing is not None:
            audience //= terms.timing.keys_a_moment
        table = self._table(outcome.release, outcome.sizes, recipient, third)
        return {
            "table": table.to_dict(),
            "release": encode_small(outcome.release).decode(),
            "drawn": _drawn(outcome.drawn, table.shape),
            "audience": dict(zip(recipient.labels, audience.tolist(), strict=True)),
            **_own_values(session_input, recipient.labels),
        }

    def _unnamed(self, outcome: TabulatorOutcome) -> ReleasedTable:
        """Return the tabulator's table: it never learns the names of the others' labels."""
        axes = {role: Axis.unnamed(len(sizes)) for role, sizes in outcome.sizes.items()}
        return self._table(outcome.release, outcome.sizes, axes[RECIPIENT], axes.get(THIRD))

    def _table(
        self,
        release: ReleaseArtefact,
        sizes: Mapping[str, tuple[int, ...]],
        recipient: Axis,
        third: Axis | None,
    ) -> ReleasedTable:
        terms = Terms.of(self.request)
        tabulator = Axis(terms.labels_of(TABULATOR), release.numbering)
        cells = np.array(release.cells).reshape(release.shape)
        if third is None:
            cells = cells[:, list(recipient.numbering)]
        else:
            cells = cells[:, recipient.none_last][:, :, third.none_last]
        party = terms.party_of(TABULATOR)
        most = self.request.parameters.most_identifiers[party] if terms.offers_all(party) else 1
        return ReleasedTable(
            tabulator_labels=tabulator.labels,
            recipient_labels=recipient.labels,
            counts=tuple(tuple(row) for row in cells.reshape(len(cells), -1).tolist()),
            tabulator_sizes=tabulator.ordered(sizes[TABULATOR]),
            recipient_sizes=recipient.ordered(sizes[RECIPIENT]),
            parameters=ReleaseParameters(
                epsilon_release_nano=terms.noise.epsilon_release_nano,
                epsilon_dummy_nano=terms.noise.epsilon_dummies_nano,
                delta_dummy_e15=terms.noise.delta_dummies_e15,
                records_per_person=self.request.parameters.records_per_person,
                keys_per_person=most,
                known_answers=terms.known_answers,
                min_cell=self.contract.min_cell,
            ),
            moments=_moments(terms, release.totals),
            third=None if third is None else _third(terms, release, sizes[THIRD], recipient, third),
        )


@dataclass(frozen=True)
class Axis:
    """One party's labels in a release: the session's number of each name."""

    labels: tuple[str, ...]
    numbering: tuple[int, ...]

    @classmethod
    def unnamed(cls, labels: int) -> Self:
        """Return labels whose names are not known here, in the order of their numbers."""
        names = tuple(f"label {number}" for number in range(1, labels + 1))
        return cls(names, tuple(range(labels)))

    @property
    def none_last(self) -> list[int]:
        """The places of a release of three: `∅` is the first there, and the last in a table."""
        return [*(number + 1 for number in self.numbering), 0]

    def ordered(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Return sizes in the order of the names."""
        return tuple(sizes[number] for number in self.numbering)


def _third(
    terms: Terms,
    release: ReleaseArtefact,
    sizes: tuple[int, ...],
    recipient: Axis,
    third: Axis,
) -> ThirdPart:
    """Return what a table of three has besides."""
    totals = np.array(release.totals).reshape(len(recipient.labels), len(third.labels))
    named = totals[np.ix_(recipient.numbering, third.numbering)]
    tabulator, asker, other = terms.parties
    return ThirdPart(
        (tabulator, asker, other),
        third.labels,
        third.ordered(sizes),
        tuple(tuple(row) for row in named.tolist()),
    )


def _drawn(drawn: Mapping[Cell, int], shape: tuple[int, int, int]) -> list[Any]:
    """Return the recipient's dummies by cell, with `∅` last where there is a third."""
    rows, columns, layers = shape
    placed = np.zeros((rows + 1, columns, layers + 1), dtype=np.int64)
    for cell, number in drawn.items():
        padded = (*cell, None)[:3]  # of two parties, the third's place is ∅
        placed[tuple(-1 if label is None else label for label in padded)] = number
    found: list[Any] = (placed if layers else placed[:-1, :, 0]).tolist()
    return found


def _own_values(session_input: SessionInput, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what the recipient knows of the values behind its buckets, if it has them."""
    known = session_input.prepared.own_values
    return {} if known is None else {"values": known.to_dict(labels)}


def _moments(terms: Terms, people: tuple[int, ...]) -> MomentsTable | None:
    """Return what a table of moments needs beside its counts."""
    timing = terms.timing
    if timing is None:
        return None
    return MomentsTable(
        start=timing.window.start,
        slot_seconds=timing.window.slot_seconds,
        slots=timing.window.slots,
        lookback=timing.lookback,
        most_keys=timing.most_keys,
        epsilon_people_nano=timing.epsilon_people_nano,
        people=people,
    )
