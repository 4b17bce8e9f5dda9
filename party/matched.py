"""From matched keys back to the party's own people: the list that a match makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from party.datasets import Prepared
from psi.arrow import integers, texts
from psi.points import Tags

if TYPE_CHECKING:
    import pyarrow as pa


def matched_people(
    prepared: Prepared, matched_keys: npt.NDArray[np.int64], identifiers: Sequence[str]
) -> pa.Table:
    """Return a table of the people who have a matched key: `reference`, `matched_by`.

    `matched_by` joins the identifier types that matched, in the contract's order, by "+".
    """
    import pyarrow as pa

    is_matched = np.zeros(sum(prepared.keys_by_type), dtype=np.bool_)
    is_matched[matched_keys] = True
    key, person = prepared.owners[:, 0], prepared.owners[:, 1]
    hits = is_matched[key]
    type_of = _types_of(prepared)
    by_type = np.zeros((len(prepared.person_refs), len(identifiers)), dtype=np.bool_)
    by_type[person[hits], type_of[key[hits]]] = True
    people = np.flatnonzero(by_type.any(axis=1))
    codes = by_type[people] @ (1 << np.arange(len(identifiers), dtype=np.int64))
    found = np.flatnonzero(np.bincount(codes))
    index = np.searchsorted(found, codes)
    names = [
        "+".join(name for bit, name in enumerate(identifiers) if code >> bit & 1)
        for code in found.tolist()
    ]
    matched_by = pa.DictionaryArray.from_arrays(integers(index), texts(names))
    return pa.table(
        {
            "reference": prepared.person_refs.take(integers(people)),
            "matched_by": matched_by.cast(pa.string()),
        }
    )


def matched_tags(
    prepared: Prepared,
    matched_keys: npt.NDArray[np.int64],
    tags: Tags,
    identifiers: Sequence[str],
) -> pa.Table:
    """Return each person's matched keys by their tags: `reference`, `type`, `tag` (16 bytes)."""
    import pyarrow as pa

    place = np.full(sum(prepared.keys_by_type), -1, dtype=np.int64)
    place[matched_keys] = np.arange(len(matched_keys))
    key, person = prepared.owners[:, 0], prepared.owners[:, 1]
    hits = place[key] >= 0
    type_of = _types_of(prepared)[key[hits]]
    rows = np.ascontiguousarray(tags[place[key[hits]]])
    width = pa.binary(rows.shape[1])
    return pa.table(
        {
            "reference": prepared.person_refs.take(integers(person[hits].astype(np.int64))),
            "type": texts(identifiers).take(integers(type_of)),
            "tag": pa.Array.from_buffers(width, len(rows), [None, pa.py_buffer(rows.tobytes())]),
        }
    )


def _types_of(prepared: Prepared) -> npt.NDArray[np.int64]:
    """Return the index of each key's type among those that were requested."""
    return np.repeat(np.arange(len(prepared.keys_by_type)), prepared.keys_by_type)
