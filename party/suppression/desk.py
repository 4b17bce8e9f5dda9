"""What a counterpart may say about suppression runs, checked against who it is.

Each call names a request and its contract. A counterpart that is not the request's, or has the
other role in it, is refused before anything is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from languages import message
from party.contract import Contract
from party.desk import Desk
from party.errors import PartyError, Refusal, RefusalStatus
from party.filing import APPROVED, Filed, Filing, Wanted
from party.revocation import revoked
from party.suppression.list_session import ListSession
from party.suppression.receiver import SuppressionReceiver
from party.suppression.run import Acknowledgement, SuppressionRun
from party.suppression.sender import SuppressionSender

if TYPE_CHECKING:
    from party.organisation import Organisation


class SuppressionDesk:
    """One party's suppression runs; may be called from several threads."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    # -- for a counterpart -------------------------------------------------------------------

    def receive(
        self, peer: str, request_id: str, contract_hash: bytes, run: SuppressionRun
    ) -> Acknowledgement:
        """Apply a run that the sender brings, and return the signed word that it is applied."""
        session = self._session_with(peer, request_id, contract_hash, sends=False)
        return SuppressionReceiver(self._party, session).apply(run)

    def waiting(self, peer: str, request_id: str, contract_hash: bytes) -> SuppressionRun | None:
        """Return the run that the receiver has not acknowledged yet, or None."""
        session = self._session_with(peer, request_id, contract_hash, sends=True)
        return SuppressionSender(self._party, session).waiting()

    def acknowledged(
        self, peer: str, request_id: str, contract_hash: bytes, word: Acknowledgement
    ) -> None:
        """Take the receiver's word that a run is applied."""
        session = self._session_with(peer, request_id, contract_hash, sends=True)
        SuppressionSender(self._party, session).take(word)

    def ended_contracts(self) -> list[Contract]:
        """Return the contracts that have ended while a list under them may still be out.

        Their parties may speak of suppression runs, and of nothing else.
        """
        now, shut_out = self._party.now, self._party.store.read(revoked)
        ended = [
            contract
            for contract in self._party.contracts()
            if contract.ends <= now < contract.list_expires_at(contract.ends)
            and shut_out.keys().isdisjoint(card.identity for card in contract.parties.values())
        ]
        if not ended:
            return []
        alive = {filed.request.contract for filed in self.with_runs()}
        return [contract for contract in ended if contract.digest in alive]

    # -- for this party ----------------------------------------------------------------------

    def with_runs(self) -> list[Filed]:
        """Return the requests whose lists have runs and have not come to their end, newest first.

        Not each of them has made its list.
        """
        now, contracts = self._party.now, {one.digest: one for one in self._party.contracts()}
        longest = max((one.list_expires_at(0) for one in contracts.values()), default=0)
        return [
            filed
            for filed in Filing(self._party).all(Wanted(lists=True, asked_after=now - longest))
            if filed.request.parameters.suppression_runs
            and now < contracts[filed.request.contract].list_expires_at(filed.request.created)
        ]

    def sender(self, filed: Filed) -> SuppressionSender:
        """Return the sender's side of a list that this party disclosed.

        Raises:
            Refusal: this party did not disclose one, or its runs are over.
        """
        return SuppressionSender(self._party, self._session(filed, sends=True))

    def has_disclosed(self, filed: Filed) -> bool:
        """Say whether this party has let out what makes a list, though its session is open."""
        try:
            return filed.state == APPROVED and ListSession.open(self._party, filed).sends
        except Refusal:
            return False

    def has_sent(self, filed: Filed) -> bool:
        """Say whether a list of this party's people is out, made or in the making."""
        try:
            return ListSession.open(self._party, filed).sends
        except Refusal:
            return False

    def receiver(self, filed: Filed) -> SuppressionReceiver:
        """Return the receiver's side of a list that this party has.

        Raises:
            Refusal: this party has none, or its runs are over.
        """
        return SuppressionReceiver(self._party, self._session(filed, sends=False))

    def _session_with(
        self, peer: str, request_id: str, contract_hash: bytes, *, sends: bool
    ) -> ListSession:
        try:
            filed = Desk(self._party).find(request_id)
        except PartyError:
            filed = None
        if filed is None or filed.peers != (peer,) or filed.request.contract != contract_hash.hex():
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                message(
                    "there is no list of a request with this id and contract between "
                    "the two parties"
                ),
            )
        return self._session(filed, sends=sends)

    def _session(self, filed: Filed, *, sends: bool) -> ListSession:
        session = ListSession.open(self._party, filed)
        if session.sends is not sends:
            raise Refusal(
                RefusalStatus.NOT_GRANTED,
                message(
                    "only the sender of a list takes people off it, and only its receiver says so"
                ),
            )
        return session
