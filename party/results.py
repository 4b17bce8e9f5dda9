"""What a party keeps of a session: its list as a file, or its table with its private noise.

A stored table is the recipient's own: it holds what the shareable rendering must not depend
on. `report show` computes from it again, at no cost in privacy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from party.contract import Contract
from party.inputs import SessionInput
from party.list_files import sha256_of, write_changes
from party.matched import matched_people, matched_tags
from party.outcome import ListOutcome, Outcome, TableOutcome, TabulatorOutcome
from party.request import Request
from party.session_record import SessionRecord
from party.suppression.list_file import ListFile
from party.terms import Terms
from psi.legs import RECIPIENT, TABULATOR
from reports.table import MomentsTable, ReleasedTable, ReleaseParameters


@dataclass(frozen=True)
class Keeper:
    """Turns an outcome into what the store keeps as the session's result.

    `former` is the result whose list this session's takes the place of.
    """

    contract: Contract
    request: Request
    record: SessionRecord
    lists: ListFile
    former: Mapping[str, Any] | None = None

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
            table = self._table(
                outcome.release.cells,
                outcome.release.numbering,
                outcome.own_sizes,
                outcome.recipient_sizes,
                _unnamed(len(outcome.recipient_sizes)),
                outcome.release.totals,
            )
            return {"role": TABULATOR, **read, "table": table.to_dict()}
        return {"role": "sender", **read}

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
            **write_changes(self.lists.folder, self.request.id, table, self.former),
            "source_snapshot": prepared.source_snapshot.hex(),
            "expires_at": self.record.list_expires_at(),
        }

    def _recipient(self, outcome: TableOutcome, session_input: SessionInput) -> dict[str, Any]:
        numbers = outcome.numbering
        terms = Terms.of(self.request)
        rows, columns = outcome.release.shape
        cells = np.array(outcome.release.cells).reshape(rows, columns)[:, list(numbers)]
        drawn = [[outcome.drawn[g, b] for b in range(columns)] for g in range(rows)]
        sizes = tuple(outcome.own_sizes[number] for number in numbers)
        audience = np.bincount(session_input.labels, minlength=columns)
        if terms.timing is not None:
            audience //= terms.timing.keys_a_moment
        table = self._table(
            tuple(int(cell) for cell in cells.flat),
            outcome.release.numbering,
            outcome.tabulator_sizes,
            sizes,
            terms.labels_of(RECIPIENT),
            outcome.release.totals,
        )
        return {
            "table": table.to_dict(),
            "drawn": drawn,
            "audience": dict(zip(terms.labels_of(RECIPIENT), audience.tolist(), strict=True)),
            **_own_values(session_input, terms.labels_of(RECIPIENT)),
        }

    def _table(
        self,
        cells: tuple[int, ...],
        numbering: tuple[int, ...],
        tabulator_sizes: tuple[int, ...],
        recipient_sizes: tuple[int, ...],
        recipient_labels: tuple[str, ...],
        people: tuple[int, ...],
    ) -> ReleasedTable:
        terms = Terms.of(self.request)
        columns = len(recipient_sizes)
        return ReleasedTable(
            tabulator_labels=terms.labels_of(TABULATOR),
            recipient_labels=recipient_labels,
            counts=tuple(cells[start : start + columns] for start in range(0, len(cells), columns)),
            tabulator_sizes=tuple(tabulator_sizes[number] for number in numbering),
            recipient_sizes=recipient_sizes,
            parameters=ReleaseParameters(
                epsilon_release_nano=terms.noise.epsilon_release_nano,
                epsilon_dummy_nano=terms.noise.epsilon_dummies_nano,
                delta_dummy_e15=terms.noise.delta_dummies_e15,
                records_per_person=self.request.parameters.records_per_person,
                keys_per_person=self.request.parameters.most_identifiers[terms.party_of(TABULATOR)],
                known_answers=terms.known_answers,
                min_cell=self.contract.min_cell,
            ),
            moments=_moments(terms, people),
        )


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


def _unnamed(labels: int) -> tuple[str, ...]:
    """Return names for the recipient's labels at the tabulator, which never learns theirs."""
    return tuple(f"label {number}" for number in range(1, labels + 1))
