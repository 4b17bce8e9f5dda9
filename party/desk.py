"""The desk: requests to and of this party, decisions on them, and their sessions.

A request from a counterpart is checked against the contract before anybody sees it; what the
contract leaves to a person waits. A request of this party's own waits here for a counterpart
that only dials.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from audit.errors import SignatureError
from audit.roles import BY_HAND, Role
from languages import message
from party.artefacts import SessionFolder
from party.breaches import Breaches
from party.contract import Contract
from party.contract_terms import Approval
from party.datasets import BoundStep, Definition
from party.decision import FINISHED, OPEN_STATES, Decision
from party.declared import refuse_moved
from party.driver import ProgressHook
from party.errors import (
    Breach,
    ContractError,
    InputChanged,
    PartyError,
    Refusal,
    RefusalStatus,
    ResultError,
    SessionSuspended,
    StoreError,
)
from party.filing import APPROVED, EVERY, PENDING, REFUSED, Filed, Filing, Wanted
from party.forks import keep_fork
from party.inputs import SessionInput, prepare_input
from party.key_statement import Signers
from party.known_peers import KnownPeers
from party.ledger import DAY_SECONDS, Balance
from party.lineage.delivery import file_events
from party.link import Link
from party.list_files import write_changes
from party.list_names import Naming, naming_of
from party.occupied import carrying_out, changing_list
from party.organisation import Organisation
from party.parcels.seal import Seal
from party.registrations import require_kept
from party.renewals import Renewals
from party.request import Request
from party.results import Keeper
from party.revocation import refuse_revoked, revoked
from party.schema import RESULTS
from party.session import Bench, Session
from party.session_charge import SessionCharge
from party.session_record import SessionRecord, result_message
from party.subjects.participants import PARTICIPANTS_FILE, Participants
from party.suppression.list_file import ListFile
from party.suppression.withdrawals import Holders, keep_holders, tells_by_column
from party.tracing import tracing
from party.watch import Watch
from psi.legs import SENDER
from psi.seed import Seed

if TYPE_CHECKING:
    import pyarrow as pa

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


class Desk:
    """One party's requests and sessions."""

    def __init__(self, party: Organisation) -> None:
        self._party, self._filing = party, Filing(party)
        self._breaches = Breaches(party)

    @property
    def renewals(self) -> Renewals:
        """What counterparts have said of keys that they replaced."""
        return Renewals(self._party)

    # -- asking ---------------------------------------------------------------------------

    def make(
        self, request: Request, contract: Contract, *, actor: str, naming: Naming | None = None
    ) -> Request:
        """Sign and file a request of this party's own, approved here; `naming` is for its list.

        Raises:
            PartyError: the name is another list's.
            Refusal: the contract does not grant it or says no longer where this party's data lies,
                this side's budget does not suffice, or its dataset is not kept long enough.
        """
        me = contract.me(self._party.identity)
        refuse_moved(self._party, contract)
        signed = request.sign(self._party.identity)
        signed.check(contract, self._party.now)
        self.require_budget(signed, contract)
        require_kept(self._party, signed, contract)
        peers = tuple(name for name in signed.participants if name != me)
        self._filing.file(
            signed, contract, mine=True, peers=peers, state=APPROVED, actor=actor, naming=naming
        )
        return signed

    # -- being asked ----------------------------------------------------------------------

    def submit(self, peer: str, request: Request) -> Decision:
        """Take a counterpart's request and say how it stands; the same request twice is one.

        A counterpart that only dials brings back a request of this party's own, which it fetched.

        Raises:
            Refusal: it is not that party's, or the contract does not grant it.
        """
        filed = self._filing.get(request.id)
        if filed is None:
            contract = self._contract_of(request)
            if request.requester != peer:
                raise Breach(
                    RefusalStatus.BAD_REQUEST,
                    message(
                        "{peer} brings another party's request",
                        peer=peer,
                    ),
                )
            _require_signed(request, contract, peer, self._party.now)
            request.check(contract, self._party.now)
            refuse_moved(self._party, contract)
            if contract.me(self._party.identity) not in request.participants:
                raise Breach(
                    RefusalStatus.BAD_REQUEST,
                    message(
                        "{peer} brings a request without a role for us",
                        peer=peer,
                    ),
                )
            self.require_budget(request, contract)
            require_kept(self._party, request, contract)
            self._require_day_has_room(peer)
            by_rule = contract.output(request.kind, request.roles).approval is Approval.RULE
            state = APPROVED if by_rule else PENDING
            self._filing.file(
                request, contract, mine=False, peers=(peer,), state=state, actor="contract"
            )
            filed = self.find(request.id)
        if filed.request.digest != request.digest or peer not in filed.peers:
            raise Breach(
                RefusalStatus.BAD_REQUEST, message("another request was made under this id before")
            )
        return filed.decision

    def note_breach(self, peer: str, contract_hash: str | None, breach: Breach) -> bool:
        """Log what a counterpart did outside of any session; say whether the log took it."""
        return self._breaches.note(peer, contract_hash, breach)

    def require_ready(self) -> None:
        """Raise StoreError unless the store answers."""
        self._party.store.require_answer()

    def offered(self, contract_hash: bytes, peer: str) -> list[Request]:
        """Return this party's own unfinished requests to a counterpart that dials.

        Of three parties the asker dials the others.
        """
        return [
            filed.request
            for filed in self._filing.open()
            if filed.mine
            and filed.peers == (peer,)
            and filed.request.contract == contract_hash.hex()
            and filed.state == APPROVED
        ]

    def decide(self, peer: str, request_id: str, decision: Decision) -> None:
        """Record what a counterpart decided on a request of this party's own.

        One refusal is enough to end it; without, it goes on when all have approved. A refusal of
        one whose session has begun here is how that session ended there.
        """
        filed = self._filing.get(request_id)
        if filed is None or not filed.mine or peer not in filed.peers:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                message(
                    "there is no request {request_id} to {peer}",
                    request_id=request_id,
                    peer=peer,
                ),
            )
        if decision.state in ("approved", "finished") and peer in filed.awaited:
            self._filing.note_word(request_id, peer, APPROVED)
        if decision.state == "refused" and filed.state == APPROVED:
            status = decision.status or RefusalStatus.DECLINED
            self._end(filed, Refusal(status, decision.reason), peer)

    # -- deciding -------------------------------------------------------------------------

    def approve(self, request_id: str, *, actor: str) -> Filed:
        """Approve a counterpart's request by hand, as an operator."""
        self._party.access.require(Role.OPERATOR, "request.approve")
        filed = self.find(request_id)
        contract = self._contract_of(filed.request)
        self._party.store.read(lambda connection: refuse_revoked(connection, contract))
        decided = filed.state == PENDING and self._filing.settle(
            filed, APPROVED, None, None, actor=actor
        )
        filed = self.find(request_id)
        if not decided and filed.state != APPROVED:
            raise PartyError(
                message(
                    "request {id} is {state} and stays so",
                    id=filed.request.id,
                    state=filed.state,
                )
            )
        return filed

    def refuse(self, request_id: str, reason: str, *, actor: str) -> Filed:
        """Refuse a counterpart's request by hand, as an operator."""
        self._party.access.require(Role.OPERATOR, "request.refuse")
        filed = self.find(request_id)
        decided = filed.state == PENDING and self._filing.settle(
            filed, REFUSED, RefusalStatus.DECLINED, reason, actor=actor
        )
        filed = self.find(request_id)
        if not decided:
            raise PartyError(
                message(
                    "request {id} is {state}: only a pending one can be refused",
                    id=filed.request.id,
                    state=filed.state,
                )
            )
        return filed

    # -- sessions -------------------------------------------------------------------------

    def contracts(self) -> list[Contract]:
        """Return the contracts in force that name nobody who is revoked."""
        alive = []
        shut_out = self._party.store.read(revoked)
        for contract in self._party.contracts():
            try:
                contract.require_in_force(self._party.now)
            except ContractError:
                continue
            if shut_out.keys().isdisjoint(card.identity for card in contract.parties.values()):
                alive.append(contract)
        return alive

    def seen_checkpoint(self, fingerprint: str) -> str:
        """Return the checkpoint that was witnessed last of the log of a certificate's party.

        It is "" where none was, or where no contract in force and no invitation pins it.
        """
        cards = [card for contract in self.contracts() for card in contract.parties.values()]
        cards += KnownPeers(self._party).cards().values()
        origin = next((one.verifier.name for one in cards if one.has_had(fingerprint)), "")
        return self._party.journal.seen_checkpoint(origin)

    def folder(self, request_id: str) -> SessionFolder:
        """Return where a session's artefacts lie."""
        return self._party.session_folder(request_id)

    def seal(self, request: Request, own: str, peer: str) -> Seal:
        """Return this party's end of what it exchanges with a party that it does not meet.

        Its session key follows from the session's seed, which exists once the session is open. Keys
        that either has replaced meanwhile are asked for at every use.
        """
        contract = self._contract_of(request)
        record = self._record(request, contract, own)

        def seed() -> Seed:
            opening = record.opening()
            if opening is None:
                raise PartyError(
                    message(
                        "the session of request {id} is not open here",
                        id=request.id,
                    )
                )
            return opening.seed

        def sign(message: bytes) -> bytes:
            return self.renewals.keys_towards(contract, peer).sign(message)

        def signers() -> Signers:
            return self._contract_of(request).parties[peer].signers(request.created)

        return Seal(request, own, peer, sign, signers, seed)

    def run(
        self,
        request: Request,
        links: Mapping[str, Link],
        progress: ProgressHook | None = None,
        *,
        beside: AbstractContextManager[object] | None = None,
    ) -> None:
        """Carry an approved request's session to its end; a link to each counterpart by its name.

        `beside` is entered and left while no other process of this party can carry it out.

        Raises:
            Refusal: it ended without a result.
            SessionSuspended: the counterpart is gone, or another process of this party carries
                it out; running again goes on.
            StoreError: the disk or the database took no more; running again goes on.
        """
        party, contract = self._party, self._contract_of(request)
        me = contract.me(party.identity)
        self._filing.note_all_approve(request.id)
        record = self._record(request, contract, me)
        lists = ListFile(party.folder / "lists", request.id, party.identity)
        keeper = Keeper(contract, request, record, lists, partial(self._write_changes, request.id))
        bench = Bench(
            record=record,
            journal=party.journal,
            folder=self.folder(request.id),
            prepare=self._preparer(request, contract, me),
            remember=lambda seed, taken: self._remember(request, contract, me, seed, taken),
            keep=keeper.keep,
            keep_fork=lambda note: keep_fork(party.folder, note),
            clock=party.clock,
            executor=party.curve_executor,
        )
        try:
            with (
                carrying_out(party.folder, request.id) as tell,
                beside or nullcontext(),
                tracing(request, me, tuple(links)) as trace,
            ):
                watch = Watch(tell, party.clock, trace)
                bench = replace(bench, progress=watch.progress(progress))
                Session(contract, request, me, watch.links(links), bench).run()
        except BrokenExecutor:
            raise SessionSuspended(
                message(
                    "a worker process of this party ended in the middle of its work, "
                    "perhaps for want of memory; the session is kept and can be "
                    "resumed"
                )
            ) from None
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise StoreError(
                message(
                    "no room is left on the disk of {folder}; the session is kept. "
                    "Make room, then go on",
                    folder=party.folder,
                )
            ) from error
        finally:
            file_events(party)

    def end(self, peer: str, request_id: str, contract_hash: bytes, refusal: Refusal) -> None:
        """Record the counterpart's word that a session has ended without a result.

        What has finished here, or ended before, stays as it is.

        Raises:
            Refusal: there is no such request under this contract between the two parties.
        """
        filed = self._filing.get(request_id)
        known = filed is not None and peer in filed.peers
        if filed is None or not known or filed.request.contract != contract_hash.hex():
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                message("there is no request with this id and contract between the two parties"),
            )
        self._fail(filed, refusal)

    def end_here(self, filed: Filed, refusal: Refusal) -> None:
        """End a request that is open, as this party's own decision; what was spent stays spent."""
        self._end(filed, refusal, BY_HAND)

    def _end(self, filed: Filed, refusal: Refusal, actor: str) -> None:
        """End a request that is open: its session, if that has begun, or else the request alone."""
        if self._record_of(filed).opening() is not None:
            if actor in filed.peers:
                self._filing.note_word(filed.id, actor, REFUSED)
            self._fail(filed, refusal)
            return
        settled = self._filing.settle(filed, REFUSED, refusal.status, refusal.message, actor=actor)
        now = self.find(filed.id)
        if not settled and now.state in OPEN_STATES:  # it was approved meanwhile, or has begun
            self._end(now, refusal, actor)

    def _fail(self, filed: Filed, refusal: Refusal) -> None:
        self._record_of(filed).fail(refusal, self._party.now, peer_at_fault=False)

    def _require_day_has_room(self, peer: str) -> None:
        most = self._party.settings.max_requests_a_day
        if self._filing.count_of(peer, since=self._party.now - DAY_SECONDS) >= most:
            raise Refusal(
                RefusalStatus.LIMIT_EXCEEDED,
                message(
                    "{peer} has made {most} requests in 24 hours, the most that this "
                    "party takes (max_requests_a_day in its party.toml): ask again "
                    "later",
                    peer=peer,
                    most=most,
                ),
            )

    def require_budget(self, request: Request, contract: Contract) -> None:
        """Refuse a request whose charge would not fit now; nothing is spent.

        Raises:
            Refusal: BUDGET_EXHAUSTED, or no such dataset here.
        """
        charge = SessionCharge(contract, request, contract.me(self._party.identity))
        self._party.store.read(lambda c: charge.require_room(c, self._party.now))

    # -- reading --------------------------------------------------------------------------

    def balance(self, request: Request, contract: Contract) -> Balance:
        """Return how the account stands that a request would charge here.

        Raises:
            Refusal: no such dataset here.
        """
        charge = SessionCharge(contract, request, contract.me(self._party.identity))
        return self._party.store.read(lambda c: charge.balance(c, self._party.now))

    def filed(self, wanted: Wanted = EVERY) -> list[Filed]:
        """Return every request that is wanted, newest first."""
        return self._filing.all(wanted)

    def find(self, wanted: str) -> Filed:
        """Return the request whose id starts with `wanted`.

        Raises:
            PartyError: there is none, or more than one.
        """
        return self._filing.find(wanted)

    def known(self, request_id: str) -> Filed | None:
        """Return the request of exactly this id, or None."""
        return self._filing.get(request_id)

    def result(self, request_id: str) -> dict[str, Any] | None:
        """Return a finished session's result; None before it, and after its retention.

        Raises:
            ResultError: it is not what this party stored.
        """
        row = self._party.store.row(sa.select(RESULTS).where(RESULTS.c.request == request_id))
        return None if row is None or not row.body else self.read_result(row)

    def read_result(self, row: sa.Row[Any]) -> dict[str, Any]:
        """Return the values of a row of results that has any.

        Raises:
            ResultError: it is not what this party stored.
        """
        try:
            self._party.identity.verifier.verify(
                result_message(row.request, row.body), row.signature
            )
        except SignatureError:
            raise ResultError(
                message(
                    "the stored result of request {request_id} was changed after it "
                    "was made: restore the store from a backup, or make the request "
                    "again",
                    request_id=row.request,
                )
            ) from None
        return json.loads(row.body)  # type: ignore[no-any-return]

    def require_result(self, filed: Filed) -> dict[str, Any]:
        """Return a finished session's result.

        Raises:
            PartyError: there is none, or none any more.
            ResultError: it is not what this party stored.
        """
        stored = self.result(filed.request.id)
        if stored is not None:
            return stored
        if filed.state != FINISHED:
            raise PartyError(
                message(
                    "request {id} is {state} and has no result; see `commonground requests list`",
                    id=filed.request.id[:8],
                    state=filed.state,
                )
            )
        raise PartyError(
            message(
                "the result of request {id} was deleted at the end that its "
                "contract states (result_days); the log says when. Ask again for "
                "a new one",
                id=filed.request.id[:8],
            )
        )

    def steps(self, request_id: str) -> tuple[BoundStep, ...]:
        """Return what each bound and rule left of this party's rows in a finished session: exact.

        Raises:
            ResultError: the result is not what this party stored.
        """
        stored = self.result(request_id) or {}
        return tuple(BoundStep(**step) for step in stored.get("steps", ()))

    # -- rows -----------------------------------------------------------------------------

    def _contract_of(self, request: Request) -> Contract:
        for contract in self._party.contracts():
            if contract.digest == request.contract:
                return contract
        raise Refusal(
            RefusalStatus.CONTRACT_UNKNOWN,
            message(
                "no contract with hash {contract}… is signed and stored here: "
                "import it with `commonground contract import FILE`",
                contract=request.contract[:12],
            ),
        )

    def _record(self, request: Request, contract: Contract, me: str) -> SessionRecord:
        party = self._party
        return SessionRecord(party.store, party.journal, party.identity, contract, request, me=me)

    def _record_of(self, filed: Filed) -> SessionRecord:
        contract = self._contract_of(filed.request)
        return self._record(filed.request, contract, contract.me(self._party.identity))

    def _preparer(
        self, request: Request, contract: Contract, me: str
    ) -> Callable[[bytes, int], SessionInput]:
        party = self._party

        def prepare(salt: bytes, began: int) -> SessionInput:
            refuse_moved(party, contract)
            party.store.read(lambda connection: refuse_revoked(connection, contract))
            now = party.clock()  # before the dataset's end is looked at, which the log tells
            return prepare_input(
                self._definition(request, contract, me),
                request,
                me,
                gmail=contract.profile.gmail,
                salt=salt,
                now=now,
                events_until=began,
                executor=party.executor,
                rounding=party.identity.rounding_key,
            )

        return prepare

    def _remember(
        self, request: Request, contract: Contract, me: str, seed: Seed, taken: SessionInput
    ) -> None:
        """Keep who takes part, and whose the keys of a list's sender are until the list's end."""
        definition, folder = self._definition(request, contract, me), self.folder(request.id)
        if not folder.has(PARTICIPANTS_FILE):
            by_reference = definition.person_column is not None
            people = Participants.of(taken.prepared, seed, by_reference=by_reference)
            people.keep(folder, self._party.identity, request.id)
            if len(self._definition(request, contract, me).erased.tokens) != taken.erased:
                raise InputChanged.dataset()  # an erasure looks for who took part since then
        if not request.parameters.suppression_runs or request.roles[SENDER] != me:
            return
        by_person = tells_by_column(definition)
        holders = Holders.of(taken.prepared, seed, by_person=by_person)
        keep_holders(folder, self._party.identity, request, holders)

    def _write_changes(self, request_id: str, table: pa.Table) -> dict[str, Any]:
        """Write who came and who went against the list that this one replaces, as that is now."""
        party = self._party
        naming = naming_of(party.store, request_id)
        if naming is None or naming.replaces is None:
            return {}
        with changing_list(party.folder, naming.replaces):
            former = self.result(naming.replaces)
            return write_changes(party.folder / "lists", request_id, table, former)

    def _definition(self, request: Request, contract: Contract, me: str) -> Definition:
        require_kept(self._party, request, contract)
        return self._party.definition(request.datasets[me])


def _require_signed(request: Request, contract: Contract, peer: str, now: int) -> None:
    try:
        request.verify_signature(contract.parties[peer].signers(now))
    except Refusal as refusal:
        raise Breach(refusal.status, refusal.message) from None
