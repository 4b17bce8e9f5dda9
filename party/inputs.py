"""From a registered dataset to what a session takes in: keys, labels and commitments to both."""

from __future__ import annotations

import hashlib
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from party.datasets import Definition, Prepared, Timed
from party.datasets.bounds import require_covered
from party.datasets.consent import Protected
from party.datasets.prepare import prepare
from party.errors import DatasetError
from party.request import Request
from party.terms import Terms
from psi.buckets import RoundingKey
from psi.keys import Keys
from psi.legs import TABULATOR


@dataclass(frozen=True)
class SessionInput:
    """A party's input: what the protocol sees, and what explains it to its owner.

    `erased` is how many tokens of erased people were known when the dataset was read.
    """

    keys: Keys
    labels: npt.NDArray[np.int16]
    root: bytes
    consent_root: bytes
    consent_count: bytes
    prepared: Prepared
    erased: int = 0

    @property
    def protected(self) -> Protected:
        """The rules beside consent by which people were left out."""
        return self.prepared.consent.protected

    @property
    def people(self) -> npt.NDArray[np.int64]:
        """The tabulator's touched people by coalition, where the request asks for them."""
        return self.prepared.people


def prepare_input(
    definition: Definition,
    request: Request,
    me: str,
    *,
    gmail: bool,
    salt: bytes,
    now: float,
    events_until: float,
    executor: Executor | None = None,
    rounding: RoundingKey | None = None,
) -> SessionInput:
    """Read, filter by consent, label and hash a dataset as a request asks.

    `events_until` is when the session began (Unix seconds): a resumed one has the same input though
    events that were to come then have come.

    Raises:
        DatasetError: the files cannot be read as described, nobody is left to take part (in a
            window of this party's own, where there is one), or the record does not say that the
            request's noise covers what one person changes.
    """
    import pyarrow as pa

    terms = Terms.of(request)
    labels = request.labels[me]
    prepared = prepare(
        definition,
        label=labels.name,
        values=labels.values,
        identifiers=request.identifiers,
        offer="all" if terms.offers_all(me) else "one",
        most_identifiers=request.parameters.most_identifiers[me],
        purpose=request.purpose,
        recipients=[party for party in terms.parties if party != me],
        salt=salt,
        now=now,
        events_until=events_until,
        gmail=gmail,
        executor=executor,
        rounding=rounding,
        timed=_timed(request, terms, me, salt),
    )
    pa.default_memory_pool().release_unused()  # the files' columns are not needed any more
    if len(prepared.keys) == 0 and not _goes_on_without(request, me):
        raise DatasetError(
            f"dataset {definition.name} has nobody left for this request: look at consent, "
            f"labels and identifiers with `commonground dataset show`{_beside(request)}",
        )
    require_covered(prepared.steps, terms.keys_a_person(me))
    return SessionInput(
        prepared.keys,
        prepared.labels,
        _input_root(prepared, salt),
        prepared.consent.root,
        prepared.consent.count,
        prepared,
        len(definition.erased.tokens),
    )


def _goes_on_without(request: Request, me: str) -> bool:
    """Say whether a session without anybody is carried out like any other.

    It is where a counterpart has chosen the window: to stop would tell it, exactly and free of
    charge, that nobody was touched in it.
    """
    return request.parameters.timing is not None and request.requester != me


def _beside(request: Request) -> str:
    if request.parameters.timing is None:
        return ""
    return ", and whether the window is one that the data have"


def _timed(request: Request, terms: Terms, me: str, salt: bytes) -> Timed | None:
    parameters = request.parameters
    if parameters.timing is None:
        return None
    touches = terms.role_of(me) == TABULATOR
    return Timed(parameters.timing, parameters.records_per_person, touches, salt)


def _input_root(prepared: Prepared, salt: bytes) -> bytes:
    digest = hashlib.sha256(b"commonground/input/v1" + salt)
    parts = [prepared.keys.data, prepared.keys.offsets, prepared.labels]
    if len(prepared.people):
        parts.append(prepared.people)
    for part in parts:
        digest.update(np.ascontiguousarray(part).view(np.uint8).data)
    return digest.digest()
