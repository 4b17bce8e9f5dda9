"""Causes that show in how a column of digests is written, without any raw value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from languages import message
from party.diagnosis.causes import FORM_CAUSES, Cause, Finding, Level
from party.diagnosis.column import Positions, SurveyedColumn
from psi.digest_forms import (
    HASHES,
    DigestForm,
    FormFault,
    encoded_twice,
    in_one_case,
    read_form,
)
from psi.identifiers import ALGORITHMS, kind_of
from psi.reasons import Reason

_PLACEHOLDERS = frozenset({Reason.PLACEHOLDER, Reason.DIGEST_OF_PLACEHOLDER})


@dataclass(frozen=True, eq=False, repr=False)
class HeldDigests:
    """The digests of a column that can be read, well written or not, by their length in bytes.

    `digests[width]` is (n, width) uint8, `positions[width]` (n,) where each stands in the survey.
    """

    digests: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict)
    positions: dict[int, Positions] = field(default_factory=dict)


def read_forms(column: SurveyedColumn) -> tuple[list[Finding], HeldDigests]:
    """Return what is wrong with how digests are written, and the digests themselves."""
    wanted = _algorithm(column)
    lost = _case_lost(column)
    forms = {at: read_form(column.text(at), wanted) for at in column.survey.contradictions}
    forms |= dict.fromkeys(lost.tolist(), DigestForm(FormFault.BASE64_CASE))
    forms |= _texts_as_digests(column)
    found = [*_placeholders(column), *_form_findings(column, forms, wanted)]
    right = np.setdiff1d(column.accepted, np.array(list(forms), dtype=np.int64))
    return found, _held(column, right, forms)


def _algorithm(column: SurveyedColumn) -> str:
    return ALGORITHMS[kind_of(column.spec.type)]


def _case_lost(column: SurveyedColumn) -> Positions:
    """Return the accepted values in base64 whose letters are all of one case."""
    import pyarrow.compute as pc

    is_hex = pc.match_substring_regex(column.survey.texts, r"^\s*[0-9A-Fa-f]+\s*$")
    encoded = ~is_hex.to_numpy(zero_copy_only=False).astype(np.bool_) & column.survey.accepted
    chosen = [at for at in np.flatnonzero(encoded).tolist() if in_one_case(column.text(at))]
    return np.array(chosen, dtype=np.int64)


def _texts_as_digests(column: SurveyedColumn) -> dict[int, DigestForm]:
    """Return the accepted values whose bytes are hex digits: a shorter digest, encoded twice."""
    found = column.accepted[encoded_twice(column.survey.digests[column.accepted])]
    return {
        at: DigestForm(
            FormFault.ENCODED_TWICE, bytes.fromhex(column.survey.digests[at].tobytes().decode())
        )
        for at in found.tolist()
    }


def _placeholders(column: SurveyedColumn) -> Iterator[Finding]:
    for reason in sorted(_PLACEHOLDERS):
        found = column.survey.refused.get(reason)
        if found is not None:
            yield column.finding(Cause.PLACEHOLDER, found, reason, level=Level.CONSIDER)


def _form_findings(
    column: SurveyedColumn, forms: Mapping[int, DigestForm], wanted: str
) -> Iterator[Finding]:
    groups: dict[tuple[FormFault, str | None], list[int]] = {}
    for at, form in forms.items():
        if form.fault is not None:
            named = form.algorithm if form.fault is FormFault.ALGORITHM else None
            groups.setdefault((form.fault, named), []).append(at)
    for (fault, algorithm), found in groups.items():
        positions = np.array(sorted(found), dtype=np.int64)
        if fault is FormFault.ALGORITHM:
            yield column.finding(
                Cause.ALGORITHM,
                positions,
                message(
                    "digests as long as {algorithm}, where {wanted} is exchanged",
                    algorithm=algorithm,
                    wanted=wanted,
                ),
                remedy=message(
                    "hash the raw values with {wanted}, or deliver them raw; a "
                    "digest cannot be turned into another",
                    wanted=wanted,
                ),
            )
        else:
            yield column.finding(FORM_CAUSES[fault], positions, str(fault))


def _held(
    column: SurveyedColumn, accepted: Positions, forms: Mapping[int, DigestForm]
) -> HeldDigests:
    width = column.survey.digests.shape[1]
    held = HeldDigests({width: column.survey.digests[accepted]}, {width: accepted})
    for size in HASHES:
        read = {at: f.digest for at, f in forms.items() if f.digest and len(f.digest) == size}
        if not read:
            continue
        more = np.frombuffer(b"".join(read.values()), dtype=np.uint8).reshape(-1, size)
        known = held.digests.get(size, np.zeros((0, size), dtype=np.uint8))
        places = held.positions.get(size, np.zeros(0, dtype=np.int64))
        held.digests[size] = np.concatenate([known, more])
        held.positions[size] = np.append(places, np.array(list(read), dtype=np.int64))
    return held
