"""One session at one party, from an approved request to its result (docs/protocol.md).

The order is fixed: prepare the input and its consent snapshot, greet, charge the whole
session, commit, agree on the session id, walk the leg table, compare transcripts, record the
result, cosign each other's logs. A session may be run again after any interruption: what it
has said and stored is said again byte for byte, and if the input or the consent snapshot has
changed meanwhile it ends before a byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from audit.errors import AuditError, ConsistencyError, ForkError, RollbackError, StaleError
from audit.note import Verifier
from party.artefacts import SessionFolder
from party.contract import Contract
from party.driver import Driver, ProgressHook
from party.errors import (
    Breach,
    ContractError,
    Forked,
    InputChanged,
    NotExtended,
    Refusal,
    RefusalStatus,
    RefusedThere,
)
from party.inputs import SessionInput
from party.journal import Journal
from party.link import Link
from party.messages import (
    CheckpointOffer,
    Closing,
    Commitment,
    Cosignature,
    Exchange,
    Finish,
    Hello,
    Nonce,
)
from party.outcome import Outcome
from party.own_side import Own
from party.request import Request
from party.session_record import Opening, SessionRecord
from party.shelf import Shelf
from party.terms import Terms
from party.transcript import Conversation, Said, Transcript
from privacy.errors import PrivacyError
from psi.answers import commit_seed
from psi.errors import InvalidPoint, LimitExceeded, ProfileMismatch, PsiError, WrongAnswer
from psi.identifiers import Profile
from psi.seed import Seed

Message = TypeVar("Message", bound=Exchange)

FUTURE_SECONDS: Final = 300
REFUSED_AS: Final = {
    InvalidPoint: RefusalStatus.INVALID_POINT,
    WrongAnswer: RefusalStatus.WRONG_ANSWER,
    LimitExceeded: RefusalStatus.LIMIT_EXCEEDED,
    ProfileMismatch: RefusalStatus.PROFILE_MISMATCH,
    ContractError: RefusalStatus.EXPIRED,
    PrivacyError: RefusalStatus.LIMIT_EXCEEDED,
}


@dataclass(frozen=True)
class Bench:
    """What a session works with: all of it injected.

    `prepare(salt, began)` reads the dataset by the request, by the consent of now and by the events
    of the time when the session began (Unix seconds); `remember(seed, input)` keeps of the input
    what is needed after the session, before anything leaves; `keep(outcome, input)` turns an
    outcome into what is stored as the result; `keep_fork(note)` keeps evidence against a log.
    """

    record: SessionRecord
    journal: Journal
    folder: SessionFolder
    prepare: Callable[[bytes, int], SessionInput]
    remember: Callable[[Seed, SessionInput], None]
    keep: Callable[[Outcome, SessionInput], dict[str, Any]]
    keep_fork: Callable[[str], object]
    clock: Callable[[], float]
    executor: Executor | None = None
    progress: ProgressHook | None = None


@dataclass(frozen=True)
class Greeting:
    """What the two sides said when they met first, whatever has changed since."""

    own: Hello
    theirs: Hello


class Session:
    """A request being carried out with its counterparts, links given by party name."""

    def __init__(
        self,
        contract: Contract,
        request: Request,
        me: str,
        links: Mapping[str, Link],
        bench: Bench,
    ) -> None:
        self._contract, self._request, self._me = contract, request, me
        self._links, self._bench = links, bench
        self._terms = Terms.of(request)

    def run(self) -> None:
        """Carry the session to its end.

        Raises:
            Refusal: it ended without a result; both logs say why.
            SessionSuspended: the counterpart is gone; running again goes on.
            PartyError: this party's own files do not serve. Nothing has ended, no peer is told
                what they lack, and running again goes on.
        """
        try:
            self._run()
        except (PsiError, PrivacyError, AuditError, ContractError, Refusal) as error:
            refusal = as_refusal(error)
            noticed = not isinstance(error, RefusedThere | InputChanged)
            self._bench.record.fail(refusal, self._now(), peer_at_fault=noticed)
            for link in self._links.values():
                link.refuse(refusal.status.value, refusal.message)
            raise refusal from error

    def _run(self) -> None:
        opening = self._bench.record.finished_opening()
        # A session that has its result already lacks the cosignatures only.
        greetings = self._carry_out() if opening is None else self._greet(opening)
        self._cosign(greetings)

    def _carry_out(self) -> dict[str, Greeting]:
        bench, terms = self._bench, self._terms
        opening, session_input = self._open()
        greetings = self._greet(opening)
        for peer, greeting in greetings.items():
            self._require_fresh(peer, greeting.theirs)
        bench.record.charge(opening, self._now())
        conversation = self._agree(opening, greetings)
        session_id = conversation.session_id
        bench.record.agree(session_id)
        bench.remember(opening.seed, session_input)
        own = Own(
            self._me,
            opening.seed,
            session_input.keys,
            session_input.labels,
            session_input.people,
        )
        by_role = {terms.role_of(peer): link for peer, link in self._links.items()}
        driver = Driver(
            terms,
            own,
            session_id,
            bench.folder,
            by_role,
            bench.record,
            executor=bench.executor,
            progress=bench.progress,
        )
        outcome = driver.run()
        transcript = self._close(conversation)
        result = {
            **bench.keep(outcome, session_input),
            "profile": Profile.current(gmail=self._contract.profile.gmail).to_json(),
            "transcript": transcript.to_json(),
        }
        bench.record.finish(transcript.digest, result, self._now())
        return greetings

    # -- before the first byte about people -----------------------------------------------

    def _open(self) -> tuple[Opening, SessionInput]:
        self._contract.require_in_force(self._now())
        self._request.check(self._contract, self._now())
        opening = self._bench.record.opening()
        seed = opening.seed if opening else Seed.generate()
        began = opening.consent.taken_at if opening else self._now()
        session_input = self._bench.prepare(seed.derive(b"", "input-salt"), began)
        if opening is None:
            opening = self._bench.record.open(
                seed,
                session_input.root,
                session_input.consent_root,
                session_input.consent_count,
                began,
                protected=session_input.protected,
            )
        if session_input.root != opening.input_root:
            raise InputChanged.dataset()
        if session_input.consent_root != opening.consent.root:
            raise Refusal(
                RefusalStatus.CONSENT_STALE,
                "consent has changed since this session began, so it cannot go on: "
                "make a new request",
            )
        return opening, session_input

    def _greet(self, opening: Opening) -> dict[str, Greeting]:
        """Exchange hellos, which say nothing about people, and refuse what cannot go together."""
        journal = self._bench.journal
        greetings = {}
        for peer, link in self._links.items():
            own = link.said(Hello) or Hello(
                party=self._me,
                request=self._request,
                contract_hash=bytes.fromhex(self._contract.digest),
                profile=Profile.current(gmail=self._contract.profile.gmail),
                consent=opening.consent,
                checkpoint=journal.checkpoint(),
                seen_size=journal.seen_size(self._contract.parties[peer].verifier.name),
            )
            theirs = link.exchange(own)
            self._require_sender(peer, theirs)
            own.profile.require_equal(theirs.profile)
            self._require_same_request(theirs)
            self._require_not_restored(peer, theirs)
            greetings[peer] = Greeting(own, theirs)
        return greetings

    def _require_same_request(self, theirs: Hello) -> None:
        if theirs.contract_hash.hex() != self._contract.digest:
            raise Breach(
                RefusalStatus.CONTRACT_UNKNOWN, "the counterpart speaks of another contract"
            )
        if theirs.request.digest != self._request.digest:
            raise Refusal(RefusalStatus.BAD_REQUEST, "the counterpart speaks of another request")

    def _require_fresh(self, peer: str, theirs: Hello) -> None:
        age = self._now() - theirs.consent.taken_at
        most = self._contract.consent_max_age_hours * 3600
        if age > most or age < -FUTURE_SECONDS:
            raise Breach(
                RefusalStatus.CONSENT_STALE,
                f"the consent snapshot of {peer} is not from the last "
                f"{self._contract.consent_max_age_hours} hours, which the contract asks for: "
                "compare the clocks, or make a new request",
            )

    def _require_not_restored(self, peer: str, theirs: Hello) -> None:
        """Stop before the charge where this party's log lacks what a counterpart has seen of it.

        After a restore from an old backup the ledger may lack charges too.
        """
        if theirs.seen_size > self._bench.journal.size:
            raise InputChanged(
                RefusalStatus.BAD_REQUEST,
                f"{peer} has seen {theirs.seen_size} entries of this party's log, which has fewer: "
                "its store was restored from an old backup, or they are wrong. `doctor --peer` "
                "asks them for what they have seen",
            )

    # -- the session id -------------------------------------------------------------------

    def _agree(self, opening: Opening, greetings: Mapping[str, Greeting]) -> Conversation:
        """Exchange commitments, then nonces; return what was said, which gives the session id.

        What every party stated about consent is part of it, so the session id and with it
        every point of the session is bound to the snapshots that were shown.
        """
        nonce = opening.seed.derive(b"", "nonce")
        own = Commitment(
            self._me, commit_seed(opening.seed, opening.input_root), _commit_nonce(self._me, nonce)
        )
        commitments = self._exchange(own)
        nonces = self._exchange(Nonce(self._me, nonce))
        for party, theirs in nonces.items():
            if _commit_nonce(party, theirs.nonce) != commitments[party].nonce:
                raise Refusal(
                    RefusalStatus.BAD_REQUEST, f"{party} opened another nonce than it committed to"
                )
        consents = {self._me: opening.consent}
        consents |= {peer: greeting.theirs.consent for peer, greeting in greetings.items()}
        said = tuple(
            Said(
                party,
                consents[party],
                commitments[party].seed,
                commitments[party].nonce,
                nonces[party].nonce,
            )
            for party in self._terms.parties
        )
        return Conversation(bytes.fromhex(self._request.digest), said)

    # -- the end --------------------------------------------------------------------------

    def _close(self, conversation: Conversation) -> Transcript:
        """Compare what everyone saw and return the transcript that all have reached."""
        own = Closing(self._me, Shelf(self._terms.table, self._bench.folder).digests())
        seen: dict[int, bytes] = {}
        for party, theirs in self._exchange(own).items():
            self._require_own_steps(party, theirs)
            for index, digest in theirs.digests.items():
                if seen.setdefault(index, digest) != digest:
                    raise Refusal(
                        RefusalStatus.TRANSCRIPT_MISMATCH,
                        f"{party} saw another artefact in step {index}",
                    )
        transcript = Transcript(conversation, tuple(seen[index] for index in sorted(seen)))
        for party, finish in self._exchange(Finish(self._me, transcript.digest)).items():
            if finish.transcript != transcript.digest:
                raise Refusal(
                    RefusalStatus.TRANSCRIPT_MISMATCH, f"{party} ended with another transcript"
                )
        return transcript

    def _require_own_steps(self, party: str, closing: Closing) -> None:
        """Require of a party the digests of the steps that it took part in, and of no other."""
        role = self._terms.role_of(party)
        steps = enumerate(self._terms.table.steps)
        own = {index for index, step in steps if role in (step.sender, step.receiver)}
        if set(closing.digests) != own:
            raise Refusal(
                RefusalStatus.TRANSCRIPT_MISMATCH,
                f"{party} states what it saw in other steps than those it took part in",
            )

    def _cosign(self, greetings: Mapping[str, Greeting]) -> None:
        """Witness each counterpart's log and have ours witnessed; the result stands by now."""
        journal = self._bench.journal
        for peer, link in self._links.items():
            card, greeting = self._contract.parties[peer], greetings[peer]
            offer = link.said(CheckpointOffer) or CheckpointOffer(
                self._me, *journal.offer(greeting.theirs.seen_size)
            )
            theirs = link.exchange(offer)
            said = link.said(Cosignature)
            line = (
                self._witness(card.verifier, theirs, greeting.own.seen_size)
                if said is None
                else said.line
            )
            cosignature = link.exchange(Cosignature(self._me, line))
            journal.keep_cosignature(offer.checkpoint, cosignature.line, card.cosignature_verifier)
            link.conclude()

    def _witness(self, log: Verifier, offer: CheckpointOffer, base: int) -> str:
        """Return our cosignature; "" where another session has witnessed more meanwhile.

        One that was given before this process ended is given again.
        """
        journal = self._bench.journal
        try:
            return journal.witness(offer.checkpoint, log, offer.proof, base)
        except StaleError:
            return journal.attested(offer.checkpoint, log.name)
        except ForkError as error:
            self._bench.keep_fork(offer.checkpoint)
            raise Forked(str(error), log.name) from None
        except (RollbackError, ConsistencyError) as error:
            raise NotExtended(str(error), log.name) from None

    # -- saying ---------------------------------------------------------------------------

    def _exchange(self, own: Message) -> dict[str, Message]:
        """Say `own` to every counterpart and return what everyone said, this party included."""
        heard = {self._me: own}
        for peer, link in self._links.items():
            heard[peer] = link.exchange(own)
            self._require_sender(peer, heard[peer])
        return heard

    def _require_sender(self, peer: str, message: Exchange) -> None:
        if message.party != peer:
            raise Refusal(RefusalStatus.BAD_REQUEST, f"{peer} speaks in another party's name")

    def _now(self) -> int:
        return int(self._bench.clock())


def as_refusal(error: Exception) -> Refusal:
    """Return the refusal that an error of the lower layers amounts to."""
    if isinstance(error, Refusal):
        return error
    for kind, status in REFUSED_AS.items():
        if isinstance(error, kind):
            return Refusal(status, str(error))
    return Refusal(RefusalStatus.BAD_REQUEST, str(error))


def _commit_nonce(party: str, nonce: bytes) -> bytes:
    return hashlib.sha256(b"commonground/nonce/v1" + party.encode() + b"\x00" + nonce).digest()
