"""Carrying a request through: put it to the counterpart, wait for its word, run the session.

Who dials follows from the contract: whoever asks, if the counterpart has an address; otherwise the
counterpart, which fetches the request. Whoever waits says for whom and what they have to type.
Every step may be repeated, so a request goes on where it was, whatever stopped it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from audit.roles import Role
from client.cancelling import Cancelled, CancelToken
from client.dial import Dialler
from client.endings import tell_ends, untold
from client.errors import DialError, PeerFailed, Unreachable
from client.key_exchange import exchange_statements
from client.line import Halt
from client.link import DialledLink
from client.relay import Relay
from party.contract import Contract
from party.decision import FINISHED, Decision
from party.desk import Desk
from party.dialling import DialledBy, dialled_by, dials
from party.driver import Progress, ProgressHook
from party.errors import (
    ContractError,
    IdentityError,
    PartyError,
    Refusal,
    RefusalStatus,
    SessionSuspended,
)
from party.filing import APPROVED, PENDING, Filed
from party.list_names import Naming
from party.organisation import Organisation
from party.renewals import Renewals
from party.request import Request
from party.revocation import refuse_revoked

POLL_SECONDS: Final = 2.0
FIRST_PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 30.0


class Waiting(SessionSuspended):
    """A request waits for somebody; nothing is wrong, and it goes on by the same name."""


class Observer(Protocol):
    """Who is told meanwhile: a command's output, or a caller's callback."""

    def begun(self, request_id: str) -> None:
        """Take note of the request that is under way: what an interruption leaves behind."""

    def say(self, sentence: str) -> None:
        """Tell what happens."""

    def watching(self, peer: str) -> AbstractContextManager[ProgressHook]:
        """Return the hook that a session's progress is told to while it runs."""


@dataclass(frozen=True)
class Carrier:
    """Carries one party's requests; with `wait` it stays until others have done their part.

    It then also goes on by itself with a session that is suspended, until it has an end. One that
    has its result and lacks a cosignature is not waited for beyond the longest pause.
    Whoever cancels suspends what is under way: it stays on disk, and goes on like any other.
    """

    party: Organisation
    observer: Observer
    wait: bool = False
    cancel: CancelToken = field(default_factory=CancelToken)

    @property
    def desk(self) -> Desk:
        """The party's desk."""
        return Desk(self.party)

    def ask(
        self, request: Request, contract: Contract, *, actor: str, naming: Naming | None = None
    ) -> Filed:
        """File a request of this party's own and carry it through; `naming` is for its list.

        Raises:
            Refusal: it is not granted, here or by the counterpart.
            SessionSuspended: it waits for the counterpart, or broke off.
        """
        signed = self.desk.make(request, contract, actor=actor, naming=naming)
        return self.go_on(self.desk.find(signed.id))

    def go_on(self, filed: Filed) -> Filed:
        """Carry a filed request on from where it stands; see `ask` for what is raised."""
        self.party.access.require(Role.ANALYST, "request.carry")
        self.observer.begun(filed.request.id)
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._go_on(self.desk.find(filed.id))
            except SessionSuspended as stop:
                suspended = stop
                if self.cancel.cancelled and not isinstance(stop, Cancelled):
                    suspended = Cancelled()
                suspended.request = filed.request.id
                if not self.wait or isinstance(suspended, Cancelled):
                    raise suspended from stop.__cause__
            stands = self.desk.find(filed.id)
            if stands.state == FINISHED and pause >= LONGEST_PAUSE_SECONDS:
                self.observer.say(f"The result is here, and the logs are not cosigned: {suspended}")
                return stands
            self.observer.say(f"Suspended: {suspended}. It goes on in {pause:g} seconds")
            self._rest(pause, filed)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _rest(self, seconds: float, filed: Filed) -> None:
        try:
            self.cancel.sleep(seconds)
        except Cancelled as stop:
            stop.request = filed.request.id
            raise

    def _go_on(self, filed: Filed) -> Filed:
        request = filed.request
        if filed.decision.refusal is not None:
            self._tell_end(filed)
            raise filed.decision.refusal
        if filed.state == PENDING:
            raise PartyError(
                f"request {request.id[:8]} waits for you: `commonground requests approve "
                f"{request.id[:8]}`, or `refuse`"
            )
        contract = self.party.contract(request.contract)
        if not dials(self.party, contract, filed):
            return self._wait_for_dialler(filed)
        self.cancel.require_going()
        with ExitStack() as stack:
            diallers = []
            for peer in filed.peers:
                dialler = stack.enter_context(reaching(self.party, contract, peer))
                stack.enter_context(self.cancel.closing(dialler.close))
                diallers.append(dialler)
            for dialler in diallers:
                tell_ends(self.desk, dialler, contract, self.party.now)
            if filed.mine and filed.state == APPROVED:
                self._require_approvals(diallers, filed)
            self._run(diallers, request)
        return self.desk.find(request.id)

    def _run(self, diallers: Sequence[Dialler], request: Request) -> None:
        """Run the session, and carry what its counterparts have for each other."""
        patience = self.party.settings.patience_seconds
        folder, halt = self.desk.folder(request.id), Halt()
        with ExitStack() as stack:
            names = " and ".join(dialler.peer for dialler in diallers)
            tell = stack.enter_context(self.observer.watching(names))
            links: dict[str, DialledLink] = {}
            for dialler in diallers:
                link = DialledLink(dialler, request, folder, patience_seconds=patience, halt=halt)
                stack.enter_context(link)
                stack.enter_context(self.cancel.closing(link.give_up))
                links[dialler.peer] = link
            relay = Relay(links.values(), request, folder, halt)
            stack.enter_context(self.cancel.closing(relay.give_up))
            self.desk.run(request, links, self._unless_cancelled(tell), beside=relay)

    def _unless_cancelled(self, tell: ProgressHook) -> ProgressHook:
        """Let the work stop at the next thing that it would tell."""

        def hook(progress: Progress) -> None:
            self.cancel.require_going()
            tell(progress)
            self.cancel.require_going()  # whoever was told may have closed the party

        return hook

    def _require_approvals(self, diallers: Sequence[Dialler], filed: Filed) -> None:
        """Put an own request to each counterpart, until all have approved it or one refuses."""
        request, said = filed.request, ""
        waiting = list(diallers)
        while waiting := [one for one in waiting if not self._is_approved(one, diallers, filed)]:
            names = " and ".join(dialler.peer for dialler in waiting)
            word = (
                f"request {request.id[:8]} waits for somebody at {names} to approve it: "
                f"they type `commonground requests approve {request.id[:8]}`"
            )
            if not self.wait:
                raise Waiting(word)
            if word != said:
                self.observer.say(f"Waiting: {word}")
                said = word
            self.cancel.sleep(POLL_SECONDS)

    def _is_approved(self, dialler: Dialler, diallers: Sequence[Dialler], filed: Filed) -> bool:
        """Ask one counterpart how the request stands there; all others hear of its refusal."""
        decision = self._submit(dialler, filed.request)
        if decision.state == "pending":
            return False
        self.desk.decide(dialler.peer, filed.id, decision)
        if decision.refusal is not None:
            contract = self.party.contract(filed.request.contract)
            for other in diallers:
                with suppress(DialError):  # it is told at the next contact
                    tell_ends(self.desk, other, contract, self.party.now)
            raise decision.refusal
        return True

    def _submit(self, dialler: Dialler, request: Request) -> Decision:
        try:
            return dialler.submit(request)
        except Refusal as refusal:
            return Decision("refused", refusal.status, refusal.message)

    def _wait_for_dialler(self, filed: Filed) -> Filed:
        """Wait until `serve` has carried out what the counterpart dials for."""
        request, told = filed.request, False
        while filed.state != FINISHED:
            word = _dialler_word(filed)
            if not self.wait:
                raise Waiting(word)
            if not told:
                self.observer.say(f"Waiting: {word}")
                told = True
            self.cancel.sleep(POLL_SECONDS)
            filed = self.desk.find(request.id)
            if filed.decision.refusal is not None:
                raise filed.decision.refusal
        return filed

    # -- deciding ----------------------------------------------------------------------------

    def approve(self, request_id: str, *, actor: str) -> Filed:
        """Approve a counterpart's request, and carry it out if this party is to dial, or waits.

        Raises:
            PartyError: it is this party's own, or was decided before.
            ContractError: it is approved, and neither side can be dialled for it.
            Refusal, SessionSuspended: see `ask`.
        """
        if self.desk.find(request_id).mine:
            raise PartyError(
                "this request is your own, and the counterpart approves it; `commonground requests "
                f"resume {request_id}` asks how it stands"
            )
        filed = self.desk.approve(request_id, actor=actor)
        contract = self.party.contract(filed.request.contract)
        if dialled_by(self.party, contract, filed) is DialledBy.NOBODY:
            raise ContractError(
                f"request {filed.id[:8]} is approved, and cannot begin: contract {contract.id} "
                "gives neither side an address. One of them makes its party with --listen, both "
                "sign a contract with its new card, and it is asked for again under that one"
            )
        if dials(self.party, contract, filed) or self.wait:
            return self.go_on(filed)
        return filed

    def refuse(self, request_id: str, reason: str, *, actor: str) -> Filed:
        """Refuse a counterpart's request, and tell it; nothing is spent.

        Raises:
            PartyError: it does not wait for a decision.
        """
        filed = self.desk.refuse(request_id, reason, actor=actor)
        self._tell_refusal(filed)
        return filed

    # -- requests of a counterpart that listens ----------------------------------------------

    def fetch(self, peer: str) -> None:
        """Fetch what a listening counterpart has filed for this party, and file it here.

        What the contract does not grant is refused, and the counterpart is told.
        """
        self.party.access.require(Role.ANALYST, "request.fetch")
        for contract in self._contracts_with(peer):
            with reaching(self.party, contract, peer) as dialler:
                tell_ends(self.desk, dialler, contract, self.party.now)
                for request in dialler.fetch_requests():
                    decision = self._take(peer, request)
                    if decision.refusal is not None:
                        dialler.decide(request.id, decision)

    def _take(self, peer: str, request: Request) -> Decision:
        """File a fetched request; one that was refused here before may not be known as refused."""
        try:
            return self.desk.submit(peer, request)
        except Refusal as refusal:
            self.observer.say(f"Refused {request.id[:8]}: {refusal}")
            return Decision("refused", refusal.status, refusal.message)

    def _tell_end(self, filed: Filed) -> None:
        """Tell the counterparts that this party dials how a session ended, if they may not know."""
        contract = self.party.contract(filed.request.contract)
        now = self.party.now
        for peer in filed.peers:
            told = all(one.id != filed.id for one in untold(self.desk, contract, peer, now))
            if told or not dials(self.party, contract, filed):
                continue
            try:
                with reaching(self.party, contract, peer) as dialler:
                    tell_ends(self.desk, dialler, contract, now)
            except (DialError, SessionSuspended, ContractError, IdentityError) as error:
                self.observer.say(f"{peer} could not be told that it has ended: {error}")

    def _tell_refusal(self, filed: Filed) -> None:
        """Tell a counterpart that this party dials of a refusal; one that dials will ask."""
        contract = self.party.contract(filed.request.contract)
        if not dials(self.party, contract, filed):
            return
        decision = Decision("refused", RefusalStatus.DECLINED, filed.reason or "")
        try:
            with reaching(self.party, contract, filed.peer) as dialler:
                dialler.decide(filed.request.id, decision)
        except (DialError, SessionSuspended, Refusal) as error:
            self.observer.say(f"Refused here; {filed.peer} could not be told: {error}")

    def _contracts_with(self, peer: str) -> list[Contract]:
        found = [
            contract
            for contract in self.desk.contracts()
            if peer in contract.counterparts(contract.me(self.party.identity))
        ]
        if not found:
            raise ContractError(f"no contract in force here is with '{peer}'")
        return found


@contextmanager
def reaching(party: Organisation, contract: Contract, peer: str) -> Iterator[Dialler]:
    """Yield a connection to a counterpart at the address in the contract.

    Each side has told the other of keys that it replaced.

    Raises:
        ContractError: the contract gives it no address.
        Refusal: a counterpart of the contract is revoked, or its statements of keys do not serve.
        SessionSuspended: it is not there now.
        DialError: repeating would not help.
    """
    address = contract.parties[peer].address
    if address is None:
        raise ContractError(
            f"contract {contract.id} gives '{peer}' no address: it dials, and what it asks comes "
            "to `commonground serve`"
        )
    party.store.read(lambda connection: refuse_revoked(connection, contract))
    shown = Renewals(party).keys_towards(contract, peer)
    try:
        with Dialler(party.identity, contract, peer, address, shown=shown) as dialler:
            exchange_statements(party, contract.parties[peer], dialler)
            yield dialler
    except (Unreachable, PeerFailed) as error:
        raise SessionSuspended(str(error)) from None


def _dialler_word(filed: Filed) -> str:
    name, peer = filed.request.id[:8], filed.peer
    if filed.mine:
        return (
            f"request {name} is filed, and {peer} only dials: they fetch it with `commonground "
            f"requests list --from NAME` and begin with `commonground requests approve {name}`, "
            "while `commonground serve` runs here"
        )
    return (
        f"request {name} is approved, and {peer} dials: it begins when they come back, while "
        "`commonground serve` runs here"
    )
