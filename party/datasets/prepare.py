"""From a dataset to what one session takes: keys, their labels, and a record of every bound.

The order is the point. Consent comes first, and with it who was erased and who is a minor: nothing
is derived from the rows of people who have not given it for this purpose and each recipient. Only
who the rows are is known before, which takes the identifiers of all rows where these make the
people (`connecting.py` says why). Separate consent follows, where a label is made of a sensitive
column. Then invalid traffic leaves, then come labels, then identifiers, then the bound on
identifiers a person, which is enforced here, counted again on the outcome and recorded in a step,
against which noise is held before anything is spent (docs/protocol.md, Identifiers; `bounds.py`).
The same files give the same bytes in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from party.contract_terms import MOST_IDENTIFIERS
from party.datasets.bounds import measure
from party.datasets.combination import buckets_of
from party.datasets.consent import ConsentSnapshot, take_snapshot
from party.datasets.definition import Definition
from party.datasets.erased import Erased, leave_holders
from party.datasets.identifier_columns import IdentifierColumns, read_whole
from party.datasets.labels import Label
from party.datasets.offers import (
    LabelledKeys,
    Offers,
    Owners,
    at_most,
    first_owners,
    to_keys,
)
from party.datasets.rows import open_source, read_rows
from party.datasets.selection import Selection, select
from party.datasets.sensitive import require_consented
from party.datasets.source import Source, snapshot_of
from party.datasets.steps import BoundStep
from party.datasets.timed import Timed, moments_of, time_columns
from party.errors import DatasetError
from psi.buckets import RoundingKey
from psi.errors import IdentifierError
from psi.identifiers import kind_of
from psi.keys import Keys
from reports.own_values import OwnValues

if TYPE_CHECKING:
    import pyarrow as pa

Offer: TypeAlias = Literal["all", "one"]
_ONE: Final = 1


@dataclass(frozen=True, eq=False, repr=False)
class Prepared:
    """What a party brings to one session. All of it stays with the party.

    n keys, type by type, `keys_by_type` of each requested one; `labels` (n,) int16 indexes the
    requested values (0 where no label was asked for). A key may stand for several people of one
    label: `owners` (m, 2) int32 pairs each key with each of its people, sorted. `person_refs` is an
    Arrow array of the party's own references, by person. `coverage` counts the people with an
    identifier of each requested type. `snapshot` names all that was read, `source_snapshot` the
    source without a table of consent, which grows between two runs while rows keep their places.
    `own_values` are those behind buckets, by requested label, one a key.

    Where records are moments, nobody is called by a key: `owners` is empty. `people`
    then counts the tabulator's touched people by coalition, if the request asks for them.
    """

    keys: Keys
    keys_by_type: tuple[int, ...]
    labels: npt.NDArray[np.int16]
    owners: Owners
    person_refs: pa.Array
    steps: tuple[BoundStep, ...]
    coverage: Mapping[str, int]
    snapshot: bytes
    source_snapshot: bytes
    consent: ConsentSnapshot
    own_values: OwnValues | None = None
    people: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def persons(self) -> npt.NDArray[np.int64]:
        """Each key's first person, shape (n,)."""
        return first_owners(self.owners)


def prepare(
    definition: Definition,
    *,
    label: str | None,
    values: Sequence[str],
    identifiers: Sequence[str],
    offer: Offer,
    most_identifiers: int,
    purpose: str,
    recipients: Sequence[str],
    salt: bytes,
    now: float,
    gmail: bool = False,
    executor: Executor | None = None,
    rounding: RoundingKey | None = None,
    timed: Timed | None = None,
    events_until: float | None = None,
) -> Prepared:
    """Return the keys, labels and record of one dataset for one request.

    `values` are the requested label's values, `identifiers` the contract's types in its order.
    `offer` "all" sends up to `most_identifiers` of each person, "one" the first that the person
    has. `salt` (32 bytes) and `now` (Unix seconds) make the consent snapshot. With an `executor`,
    identifiers are normalised on it. `rounding` places values in buckets. With `timed`, records are
    moments. Events after `events_until`, which is `now` unless given, are invalid traffic. Raises
    `DatasetError`.
    """
    asked = None if label is None else definition.label(label)
    _require_askable(definition, asked, values, identifiers)
    most = _most_of_a_person(offer, most_identifiers)
    with open_source(definition) as source:
        states, lines = source.states(), source.lines()
        selection, beside = read_selection(
            definition,
            source,
            label=asked,
            values=values,
            purpose=purpose,
            recipients=recipients,
            now=now,
            executor=executor,
            rounding=rounding,
            timed=timed,
            events_until=events_until,
        )
        snapshot = snapshot_of(lines, beside)
        consent = take_snapshot(selection.consenting, salt, now, selection.protected)
        columns = IdentifierColumns(definition, source, selection.people, gmail, executor)
        offers = [columns.offers_of(type_) for type_ in identifiers]
        source.require_unchanged(states)
    erased = _leave_erased(definition.erased, offers, len(selection.people))
    coverage = MappingProxyType({part.type: part.people for part in offers})
    if selection.moments is not None:
        keyed = selection.moments.keyed(offers, most)
        return Prepared(
            keys=keyed.keys,
            keys_by_type=(),
            labels=keyed.labels,
            owners=np.empty((0, 2), dtype=np.int32),
            person_refs=selection.people.references,
            steps=(*selection.steps, *erased, *keyed.steps),
            coverage=coverage,
            snapshot=snapshot,
            source_snapshot=snapshot_of(lines),
            consent=consent,
            own_values=keyed.own_values,
            people=keyed.people,
        )
    references, chosen = selection.people.references, (*selection.steps, *erased)
    label_of, amounts = selection.label_of, selection.amounts
    del selection, columns  # whose each row is, is not needed any more
    bound, steps = _bind(offers, label_of, most)
    bucket = buckets_of(asked)
    own_values = None
    if bucket is not None and amounts is not None:
        own_values = OwnValues.of(bucket.buckets, amounts[bound.persons], bound.labels, len(values))
    return Prepared(
        keys=bound.keys,
        keys_by_type=bound.by_type,
        labels=bound.labels,
        owners=bound.owners,
        person_refs=references,
        steps=(*chosen, *steps),
        coverage=coverage,
        snapshot=snapshot,
        source_snapshot=snapshot_of(lines),
        consent=consent,
        own_values=own_values,
    )


def read_selection(
    definition: Definition,
    source: Source,
    *,
    label: Label | None,
    values: Sequence[str],
    purpose: str,
    recipients: Sequence[str],
    now: float,
    executor: Executor | None,
    rounding: RoundingKey | None,
    timed: Timed | None = None,
    events_until: float | None = None,
) -> tuple[Selection, bytes]:
    """Return who takes part, from an open source, and what its snapshot names beside the source.

    The rows' texts are let go: only the people are kept, and with `timed` their moments.
    """
    columns = [*(label.columns if label else []), *time_columns(definition, label, timed)]
    require_consented(definition.sensitive, columns)
    rows = read_rows(
        definition,
        source,
        columns,
        partial(read_whole, definition, source, executor=executor),
    )
    selection = select(
        rows,
        label=label if timed is None else None,
        values=values,
        purpose=purpose,
        recipients=recipients,
        now=now,
        rounding=rounding,
        events_until=events_until,
    )
    if timed is not None:
        moments = moments_of(definition, label, values, rows, selection.people, timed, rounding)
        selection = replace(selection, moments=moments)
    return selection, rows.lines


def _leave_erased(erased: Erased, offers: list[Offers], people: int) -> list[BoundStep]:
    """Empty out the offers of whoever holds an identifier of an erased person; say it in a step."""
    if not erased:
        return []
    return [leave_holders(erased, offers, people)]


def _bind(
    offers: list[Offers], label_of: npt.NDArray[np.int16], most: int
) -> tuple[LabelledKeys, list[BoundStep]]:
    """Apply the bounds: so many identifiers a person, one label a key, each key once.

    The list is emptied: offers leave memory as they become keys.
    """
    with_any = _count_with_any(offers, len(label_of))
    limited = at_most(offers, most)
    every, kept = sum(map(len, offers)), sum(map(len, limited))
    offers.clear()
    keyed = []
    while limited:
        keyed.append(to_keys(limited.pop(0), label_of))
    bound = LabelledKeys.concat(keyed)
    del keyed
    return bound, [
        BoundStep("people with an identifier", len(label_of), with_any),
        BoundStep(f"identifiers, at most {most} of a person", every, kept),
        BoundStep("keys, each once", kept, bound.distinct),
        BoundStep("keys under one label", bound.distinct, len(bound.keys)),
        measure(bound, most),
    ]


def _count_with_any(offers: Sequence[Offers], people: int) -> int:
    """Return how many of `people` have an identifier of any type."""
    has_any = np.zeros(people, dtype=np.bool_)
    for part in offers:
        has_any[part.person] = True
    return int(np.count_nonzero(has_any))


def _require_askable(
    definition: Definition, label: Label | None, values: Sequence[str], identifiers: Sequence[str]
) -> None:
    """Raise `DatasetError` when the request asks for what the dataset cannot have."""
    if label is not None:
        known = set(label.values)
        unknown = next((value for value in values if value not in known), None)
        if unknown is not None:
            raise DatasetError(
                f"dataset {definition.name}: the requested label has no value '{unknown[:64]}'; "
                f"it has {', '.join(label.values[:20])}"
            )
    if buckets_of(label) is not None and label is not None and tuple(values) != label.values:
        raise DatasetError(
            f"dataset {definition.name}: value buckets are asked for with all their bounds, in "
            f"their order, which are {', '.join(label.values[:20])}: agree on the contract anew"
        )
    if len(set(values)) != len(values) or len(set(identifiers)) != len(identifiers):
        raise DatasetError("a value or an identifier type of the request stands twice; keep one")
    for type_ in identifiers:
        try:
            kind_of(type_)
        except IdentifierError as error:
            raise DatasetError(f"the request's identifiers: {error}") from None
    if not set(identifiers) & set(definition.types):
        raise DatasetError(
            f"dataset {definition.name} has no identifier of the requested types; it has "
            f"{', '.join(definition.types)}"
        )


def _most_of_a_person(offer: Offer, most_identifiers: int) -> int:
    if offer not in ("all", "one"):
        raise DatasetError("a party offers 'all' identifiers of a person or 'one'")
    if not 1 <= most_identifiers <= MOST_IDENTIFIERS:
        raise DatasetError(f"a person offers 1 to {MOST_IDENTIFIERS} identifiers")
    return most_identifiers if offer == "all" else _ONE
