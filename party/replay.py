"""A replay: a finished session of this party repeated from its seed, and held against the log.

docs/audit.md, Replay. The driver of a session walks its table of legs again: what others sent is
read from the kept artefacts; what this party sent is computed anew, and compared with the digests
that the transcript in both logs is of. So a party that raised some people under another scalar,
left dummies out, or released another table than it counted is found by whoever runs this at its
premises, with a program that they trust. Nothing is said to anybody, and nothing is spent.

What cannot be repeated is called unchecked and never passes for checked: a dataset that has changed
since, artefacts that are gone, and the draw of the release's noise, which is the operating
system's: of that, only the commitment is held against what was released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import sqlalchemy as sa

from audit.bodies import ListDisclosed, ReportReleased, SessionFinished, SessionStarted
from audit.entry import Entry
from party.contract import Contract
from party.decision import FINISHED
from party.desk import Desk
from party.driver import Driver, ProgressHook
from party.errors import DatasetError, PartyError
from party.evidence import StoredLog, verify_log
from party.inputs import SessionInput, prepare_input
from party.occupied import replaying
from party.own_side import Own
from party.replay_rounds import (
    Check,
    Gone,
    KeptLink,
    Logged,
    Opened,
    RepeatedRecorder,
    Rounds,
    Verdict,
)
from party.request import Request
from party.schema import SALTS, SESSIONS
from party.session_record import Opening, SessionRecord
from party.terms import Terms
from party.transcript import Transcript
from psi.answers import commit_seed
from psi.errors import PsiError
from psi.identifiers import Profile
from psi.keys import Keys

if TYPE_CHECKING:
    from party.organisation import Organisation

__all__ = ["Check", "Replay", "Verdict", "replay"]

_REST: Final = "the steps that follow"
_CHANGED: Final = (
    "the dataset, consent in it, or how this program reads identifiers is not what it was when the "
    "session began, so the set that was sent cannot be made again"
)
_ANOTHER: Final = (
    "the same dataset and the same consent give another input than the one that was committed to"
)


@dataclass(frozen=True)
class Replay:
    """A session held against its log, at one party.

    Attributes:
        request: the request's id.
        session: the session's id, in hexadecimal digits.
        role: this party's.
        transcript: the hash that the logs of all parties have, in hexadecimal digits.
        checks: in the order of the session.
    """

    request: str
    session: str
    role: str
    transcript: str
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks: something differs, something is unchecked, or all agrees."""
        found = {check.verdict for check in self.checks}
        worst = (one for one in (Verdict.DIFFERS, Verdict.UNCHECKED) if one in found)
        return next(worst, Verdict.AGREES)

    def of(self, verdict: Verdict) -> list[Check]:
        """Return the checks that have come to this."""
        return [check for check in self.checks if check.verdict is verdict]


def replay(party: Organisation, wanted: str, progress: ProgressHook | None = None) -> Replay:
    """Repeat the finished session of the request whose id starts with `wanted`.

    Raises:
        AuditError: the log does not verify, so there is nothing to hold a session against.
        ResultError: the stored result is not what this party stored.
        InUse: another process replays it now.
        PartyError: there is no such request, its session has not finished, or its seed is deleted.
    """
    desk = Desk(party)
    request = desk.find(wanted).request
    _require_kept(party, request)
    log = StoredLog(party.store, party.identity)
    verify_log(log)
    contract = party.contract(request.contract)
    me = contract.me(party.identity)
    record = SessionRecord(party.store, party.journal, party.identity, contract, request, me=me)
    opening, result = record.finished_opening(), desk.result(request.id)
    if opening is None or result is None or "transcript" not in result:
        raise PartyError(
            f"the session of request {request.id[:8]} was carried out by a version of the program "
            "that did not keep what its transcript is of, so it cannot be replayed"
        )
    transcript = Transcript.from_json(result["transcript"], request.digest)
    session = _Session(party, request, contract, me, opening, transcript)
    entries = log.about(request.id)
    session.hold_against(entries)
    with replaying(party.folder, request.id):
        session.walk(session.take_in(result), _logged(party, entries), progress)
    return Replay(
        request.id,
        transcript.conversation.session_id.hex(),
        session.role,
        transcript.digest.hex(),
        tuple(session.checks),
    )


class _Session:
    """One finished session, and what was held against its log so far."""

    def __init__(
        self,
        party: Organisation,
        request: Request,
        contract: Contract,
        me: str,
        opening: Opening,
        transcript: Transcript,
    ) -> None:
        self._party, self._request, self._contract, self._me = party, request, contract, me
        self._opening, self._transcript = opening, transcript
        self._terms = Terms.of(request)
        self.role = self._terms.role_of(me)
        self.checks: list[Check] = []

    # -- what was said --------------------------------------------------------------------

    def hold_against(self, entries: list[Entry]) -> None:
        """Hold seed, input and transcript against the entries that bind this party to them."""
        opening, conversation = self._opening, self._transcript.conversation
        started = next(one.body for one in entries if isinstance(one.body, SessionStarted))
        finished = next(one for one in entries if isinstance(one.body, SessionFinished))
        assert isinstance(started, SessionStarted)
        assert isinstance(finished.body, SessionFinished)
        commitment = commit_seed(opening.seed, opening.input_root)
        self._note(
            "seed and input are those that were committed to before the first byte",
            (commitment.hex(), opening.input_root.hex())
            == (started.seed_commitment, started.input_root),
            "the sealed seed or the input's root is not what session.started commits to",
        )
        said = next(one for one in conversation.said if one.party == self._me)
        self._note(
            "what this party said follows from its seed, its input and its snapshot",
            (said.seed, said.nonce, said.consent)
            == (commitment, opening.seed.derive(b"", "nonce"), opening.consent),
            "another commitment, nonce or snapshot was said to the others",
        )
        self._note(
            "the transcript is the one in the log",
            (self._transcript.digest.hex(), conversation.session_id.hex())
            == (finished.body.transcript, finished.session),
            "what the result keeps of the session does not hash to session.finished",
        )

    # -- the rounds -----------------------------------------------------------------------

    def take_in(self, result: Mapping[str, Any]) -> SessionInput | None:
        """Read the dataset as it was read then; None where it cannot be.

        The session's `result` says what was read then, and how identifiers were.
        """
        request, opening = self._request, self._opening
        what = "the input is that of the dataset, by consent at the snapshot"
        try:
            definition = self._party.definition(request.datasets[self._me])
            taken = prepare_input(
                definition,
                request,
                self._me,
                gmail=self._contract.profile.gmail,
                salt=opening.seed.derive(b"", "input-salt"),
                now=opening.consent.taken_at,
                events_until=opening.consent.taken_at,
                executor=self._party.executor,
                rounding=self._party.identity.rounding_key,
            )
        except DatasetError as error:
            self.checks.append(Check(what, Verdict.UNCHECKED, str(error)))
            return None
        same_consent = taken.consent_root == opening.consent.root
        if same_consent and taken.root == opening.input_root:
            self.checks.append(Check(what, Verdict.AGREES))
            return taken
        now = Profile.current(gmail=self._contract.profile.gmail).to_json()
        same_source = (taken.prepared.snapshot.hex(), now) == (
            result.get("snapshot"),
            result.get("profile"),
        )
        if same_consent and same_source and not definition.erased:
            self.checks.append(Check(what, Verdict.DIFFERS, _ANOTHER))
        else:
            self.checks.append(Check(what, Verdict.UNCHECKED, _CHANGED))
        return None

    def walk(
        self, taken: SessionInput | None, logged: Logged, progress: ProgressHook | None
    ) -> None:
        """Repeat the rounds in a folder of their own, which is deleted at the end."""
        party, seed = self._party, self._opening.seed
        kept = party.session_folder(self._request.id)
        party.replay_folder(self._request.id).wipe()  # what a replay has left that was killed
        scratch = party.replay_folder(self._request.id)
        rounds = Rounds(self._terms, self.role, kept, scratch, self._transcript.steps)
        if taken is None:
            rounds.give_own_set()
            own = Own(self._me, seed, Keys.empty(), np.empty(0, dtype=np.int16))
        else:
            own = Own(self._me, seed, taken.keys, taken.labels, taken.people)
        recorder = RepeatedRecorder(rounds, logged)
        try:
            links = {
                role: KeptLink(role, rounds)
                for role in self._terms.table.roles
                if role != self.role
            }
            Driver(
                self._terms,
                own,
                self._transcript.conversation.session_id,
                scratch,
                links,
                recorder,
                executor=party.curve_executor,
                progress=progress,
            ).run()
        except Gone as gone:
            rounds.note(_REST, Verdict.UNCHECKED, str(gone))
        except (PsiError, PartyError) as error:
            rounds.note(_REST, Verdict.DIFFERS, f"they cannot be repeated: {error}")
        finally:
            scratch.wipe()
        self.checks += rounds.checks

    def _note(self, what: str, holds: bool, otherwise: str) -> None:
        verdict = Verdict.AGREES if holds else Verdict.DIFFERS
        self.checks.append(Check(what, verdict, "" if holds else otherwise))


def _require_kept(party: Organisation, request: Request) -> None:
    """Refuse what has no end in the log, or no seed any more."""
    columns = sa.select(SESSIONS.c.state, SESSIONS.c.sealed_seed)
    row = party.store.row(columns.where(SESSIONS.c.request == request.id))
    if row is None or row.state != FINISHED:
        raise PartyError(
            f"request {request.id[:8]} has no finished session here, so there is nothing to replay"
        )
    if not row.sealed_seed:
        raise PartyError(
            f"the seed of request {request.id[:8]} and what was exchanged are deleted: a contract "
            "says with replay_days how long they are kept for a replay"
        )


def _logged(party: Organisation, entries: list[Entry]) -> Logged:
    """Return what this party logged in the rounds, with what the store keeps of the commitment."""
    for entry in entries:
        match entry.body:
            case ReportReleased(noise_commitment=commitment) as body:
                return Logged(body, _opened(party, commitment))
            case ListDisclosed(list_commitment=commitment) as body:
                return Logged(body, _opened(party, commitment))
            case _:
                continue
    return Logged()


def _opened(party: Organisation, commitment: str) -> Opened | None:
    key = SALTS.c.commitment == bytes.fromhex(commitment)
    row = party.store.row(sa.select(SALTS.c.value, SALTS.c.salt).where(key))
    return None if row is None else Opened(row.value, row.salt)
