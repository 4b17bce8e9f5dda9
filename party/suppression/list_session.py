"""The match behind a list, as its suppression runs need it: scalar, sets, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from party.artefacts import SessionFolder
from party.contract import Contract
from party.contract_terms import OutputKind
from party.decision import FINISHED
from party.driver import SOURCE_FILE
from party.errors import Refusal, RefusalStatus
from party.request import Request
from party.schema import SESSIONS
from party.session_record import seal_context
from party.shelf import Shelf
from party.terms import Terms
from psi.curve import Scalar
from psi.legs import RECEIVER, SENDER
from psi.own import OwnSet
from psi.seed import Seed
from psi.sets import LabelledSet

if TYPE_CHECKING:
    from party.filing import Filed
    from party.organisation import Organisation


@dataclass(frozen=True, repr=False)
class ListSession:
    """A match whose list may be out, at the party `me`."""

    contract: Contract
    request: Request
    me: str
    peer: str
    session_id: bytes
    seed: Seed
    folder: SessionFolder

    @classmethod
    def open(cls, party: Organisation, filed: Filed) -> ListSession:
        """Return the match of a request while its list may be suppressed.

        Raises:
            Refusal: it is no match with suppression runs, has made no list, or the list has come
                to its end. A contract that has ended meanwhile is no obstacle.
        """
        request, contract = filed.request, party.contract(filed.request.contract)
        if request.kind is not OutputKind.MATCH or not request.parameters.suppression_runs:
            raise Refusal(
                RefusalStatus.NOT_GRANTED,
                f"request {request.id[:8]} has no suppression runs: only a match has, whose "
                "request asked for them. Make the list again with --suppression-runs",
            )
        if party.now >= contract.list_expires_at(request.created):
            raise _over(request)
        query = sa.select(SESSIONS).where(SESSIONS.c.request == request.id)
        row = party.store.row(query)
        if row is None or row.session_id is None:
            raise _no_list(request)
        if not row.sealed_seed:
            raise _over(request)
        seed = Seed(party.identity.unseal(row.sealed_seed, seal_context(request.id)))
        session = cls(
            contract,
            request,
            contract.me(party.identity),
            filed.peer,
            row.session_id,
            seed,
            party.session_folder(request.id),
        )
        if not (session.has_disclosed if session.sends else row.state == FINISHED):
            raise _no_list(request)
        return session

    @property
    def sends(self) -> bool:
        """Say whether this party is the sender of the list."""
        return self.request.roles[SENDER] == self.me

    @property
    def has_disclosed(self) -> bool:
        """Say whether the sender has let out what makes the list, whether or not it finished."""
        return self.folder.digest(self._shelf.leg(RECEIVER, 1)) is not None

    @property
    def scalar(self) -> Scalar:
        """This party's scalar of the match."""
        return self.seed.scalar(self.session_id)

    @property
    def runs(self) -> int:
        """How many runs the list may have."""
        return self.request.parameters.suppression_runs

    @property
    def reserve(self) -> int:
        """How many reserve points the sender's set has."""
        return Terms.of(self.request).reserve_of(self.request.roles[SENDER])

    def committed(self) -> LabelledSet:
        """Return the sender's set as it stood in the match."""
        return self._shelf.hop(SENDER, 0)

    def own_set(self) -> OwnSet:
        """Return the sender's set with what only the sender knows of it."""
        return OwnSet(self.committed(), self.folder.read_array(SOURCE_FILE, np.int32))

    @property
    def _shelf(self) -> Shelf:
        return Shelf(Terms.of(self.request).table, self.folder)


def _over(request: Request) -> Refusal:
    return Refusal(
        RefusalStatus.EXPIRED,
        f"the list of request {request.id[:8]} has come to its end, and so have its runs",
    )


def _no_list(request: Request) -> Refusal:
    return Refusal(RefusalStatus.BAD_REQUEST, f"request {request.id[:8]} has made no list here yet")
