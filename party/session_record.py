"""A session's rows in the store, each written together with the log entries about it.

The order is the protocol's (docs/protocol.md, Charges): opened (seed sealed, consent snapshot
logged), charged (whole session, seed and input committed to) before the first byte about
people, agreed (session id), then steps, release or disclosure, and an end. Every function may
be called again after a crash and then changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import (
    ConsentReference,
    ConsentSnapshot,
    ListDisclosed,
    ReportReleased,
    SessionFailed,
    SessionFinished,
    SessionStarted,
)
from audit.shapes import Record
from party import holds
from party.artefacts import decode_small, encode_small
from party.contract import Contract
from party.datasets.consent import UNPROTECTED, Protected
from party.decision import CHARGED, FAILED, FINISHED, OPEN_STATES, OPENED
from party.errors import Refusal, RefusalStatus, RefusedThere
from party.filing import REFUSED
from party.identity import Identity
from party.incidents import incident_of
from party.journal import Journal
from party.lineage.book import Teller
from party.messages import ConsentStatement, ReleaseArtefact
from party.request import Request
from party.revocation import refuse_revoked
from party.schema import (
    CONSENT_SNAPSHOTS,
    ENDLESS,
    RELEASES,
    REQUESTS,
    RESULTS,
    SESSIONS,
    STEPS,
)
from party.session_charge import SessionCharge
from party.store import Store
from party.terms import Terms
from privacy.counts import ExactTable
from privacy.release import release_table
from psi.answers import commit_seed
from psi.crosstab import Counts
from psi.legs import RECEIVER, THIRD
from psi.seed import Seed
from psi.sets import LabelledSet

ACTOR: Final = "session"


@dataclass(frozen=True)
class Opening:
    """What a session rests on at this party, the same on every resume."""

    seed: Seed
    input_root: bytes
    consent: ConsentStatement


class SessionRecord:
    """One session at one party."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        identity: Identity,
        contract: Contract,
        request: Request,
        *,
        me: str,
    ) -> None:
        self._store, self._journal, self._identity = store, journal, identity
        self._contract, self._request, self._me = contract, request, me
        self._others = tuple(party for party in request.participants if party != me)
        self._terms = Terms.of(request)
        self._charge = SessionCharge(contract, request, me)
        self._teller = Teller(journal, identity, contract, request, me)
        self._session_id: bytes | None = None

    # -- opening --------------------------------------------------------------------------

    def opening(self) -> Opening | None:
        """Return what an earlier start recorded, or None."""
        row = self._store.row(
            sa.select(SESSIONS, CONSENT_SNAPSHOTS.c.root, CONSENT_SNAPSHOTS.c.taken_at)
            .join(CONSENT_SNAPSHOTS, CONSENT_SNAPSHOTS.c.sequence == SESSIONS.c.consent_sequence)
            .where(SESSIONS.c.request == self._request.id)
        )
        if row is None:
            return None
        seed = Seed(self._identity.unseal(row.sealed_seed, self._seal_context))
        consent = ConsentStatement(row.root, row.consent_sequence, row.taken_at)
        return Opening(seed, row.input_root, consent)

    def finished_opening(self) -> Opening | None:
        """Return what a session rested on that has its result already, or None."""
        query = sa.select(SESSIONS.c.state).where(SESSIONS.c.request == self._request.id)
        row = self._store.row(query)
        return self.opening() if row is not None and row.state == FINISHED else None

    def open(
        self,
        seed: Seed,
        input_root: bytes,
        consent_root: bytes,
        consent_count: bytes,
        now: int,
        *,
        protected: Protected = UNPROTECTED,
    ) -> Opening:
        """Seal the seed and log the consent snapshot; nothing is spent and nothing sent yet.

        `protected` names the rules beside consent by which people were left out.
        """

        def work(connection: Connection) -> int:
            self._require_not_ended(connection)
            last = connection.execute(
                sa.select(sa.func.max(CONSENT_SNAPSHOTS.c.sequence))
            ).scalar_one()
            sequence = (last or 0) + 1
            dataset = self._request.datasets[self._me]
            connection.execute(
                sa.insert(CONSENT_SNAPSHOTS).values(
                    sequence=sequence, dataset=dataset, root=consent_root, taken_at=now
                )
            )
            connection.execute(
                sa.insert(SESSIONS).values(
                    request=self._request.id,
                    sealed_seed=self._identity.seal(seed.secret_bytes(), self._seal_context),
                    input_root=input_root,
                    consent_sequence=sequence,
                    state=OPENED,
                    started_at=now,
                    holders_end_at=self.list_expires_at() if self._terms.is_match else None,
                )
            )
            body = ConsentSnapshot(
                dataset=dataset,
                root=consent_root.hex(),
                sequence=sequence,
                taken_at=now,
                purpose=self._request.purpose,
                recipient=", ".join(self._others),
                count_commitment=consent_count.hex(),
                minors_under=protected.minors_under,
                sensitive=protected.sensitive or None,
            )
            self._log(connection, "consent.snapshot", body, self._journal.moment(connection, now))
            return sequence

        sequence = self._store.write(work)
        return Opening(seed, input_root, ConsentStatement(consent_root, sequence, now))

    def charge(self, opening: Opening, now: int) -> None:
        """Charge the whole session and log what it is bound to, at once or not at all.

        The window and the age of consent are those at the time that the entries will have.

        Raises:
            Refusal: BUDGET_EXHAUSTED or CONSENT_STALE; then nothing is spent.
        """

        def work(connection: Connection) -> None:
            self._require_not_ended(connection)
            state = connection.execute(
                sa.select(SESSIONS.c.state).where(SESSIONS.c.request == self._request.id)
            ).scalar_one()
            if state != OPENED:
                return
            moment = self._journal.moment(connection, now)
            self._require_fresh(opening.consent, moment)
            for spent in self._charge.make(connection, _seconds(moment)):
                self._log(connection, "budget.spent", spent, moment)
            body = SessionStarted(
                request=self._request.id,
                seed_commitment=commit_seed(opening.seed, opening.input_root).hex(),
                input_root=opening.input_root.hex(),
                consent=ConsentReference(
                    opening.consent.root.hex(), opening.consent.sequence, opening.consent.taken_at
                ),
                others=self._others,
            )
            self._log(connection, "session.started", body, moment)
            self._update(connection, state=CHARGED)

        self._store.write(work)

    def _require_fresh(self, consent: ConsentStatement, moment: datetime) -> None:
        most = self._contract.consent_max_age_hours
        if moment.timestamp() - consent.taken_at > most * 3600:
            raise Refusal(
                RefusalStatus.CONSENT_STALE,
                f"this party's consent snapshot is not from the last {most} hours, which the "
                "contract asks for: make a new request, and see that the clock is right",
            )

    # -- under way ------------------------------------------------------------------------

    def agree(self, session_id: bytes) -> None:
        """Record the session id, which all later entries carry."""
        self._session_id = session_id
        self._store.write(lambda c: self._update(c, session_id=session_id))

    def step(self, index: int, digest: bytes) -> None:
        """Record that a step's artefact is on disk."""

        def work(connection: Connection) -> None:
            self._require_not_ended(connection)
            key = (STEPS.c.request == self._request.id, STEPS.c.step == index)
            if connection.execute(sa.select(STEPS.c.step).where(*key)).first() is None:
                connection.execute(
                    sa.insert(STEPS).values(request=self._request.id, step=index, digest=digest)
                )

        self._store.write(work)

    def disclose(self, tags: LabelledSet) -> None:
        """Log that a list is about to exist: before the tags that make it leave."""
        digest = hashlib.sha256(np.ascontiguousarray(tags.elements).data).digest()

        def work(connection: Connection) -> None:
            self._require_not_ended(connection)
            self._log(
                connection,
                "list.disclosed",
                ListDisclosed(
                    request=self._request.id,
                    recipient=self._terms.party_of(RECEIVER),
                    list_commitment=self._commit_to(connection, "list", digest),
                    expires_at=self.list_expires_at(),
                ),
            )

        self._store.write(work)

    def list_expires_at(self) -> int:
        """Return when the list of this session is to be deleted."""
        return self._contract.list_expires_at(self._request.created)

    def release(self, cells: Counts, totals: Counts, numbering: tuple[int, ...]) -> ReleaseArtefact:
        """Draw the release's noise once and store it with the table, before it is sent."""

        def work(connection: Connection) -> ReleaseArtefact:
            self._require_not_ended(connection)
            stored = connection.execute(
                sa.select(RELEASES.c.artefact).where(RELEASES.c.request == self._request.id)
            ).scalar_one_or_none()
            if stored is not None:
                return _read_release(stored)
            noise = self._terms.noise
            flat = ExactTable(cells.reshape(len(cells), -1))
            drawn = release_table(flat, noise.epsilon_release_nano, self._terms.tabulator_bound)
            beside, beside_noise = self._release_beside(totals)
            artefact = ReleaseArtefact(
                tuple(cells.shape),
                tuple(int(x) for x in drawn.table.counts.flat),
                numbering,
                beside,
            )
            text = encode_small(artefact).decode()
            commitment = self._commit_to(connection, "noise", drawn.noise + beside_noise)
            connection.execute(
                sa.insert(RELEASES).values(
                    request=self._request.id, artefact=text, noise=commitment
                )
            )
            body = ReportReleased(
                request=self._request.id,
                table_digest=hashlib.sha256(text.encode()).hexdigest(),
                noise_commitment=commitment,
            )
            self._log(connection, "report.released", body)
            return artefact

        return self._store.write(work)

    def _release_beside(self, exact: Counts) -> tuple[tuple[int, ...], bytes]:
        """Draw the noise of what stands beside the table: totals of three, or people by coalition.

        A key of the third's changes one total. A person is in one coalition, so one count changes
        by 1.
        """
        if not exact.size:
            return (), b""
        terms = self._terms
        if terms.timing is not None:
            epsilon_nano, bound = terms.timing.epsilon_people_nano, 1
        else:
            epsilon_nano = terms.noise.epsilon_dummies_nano
            bound = terms.keys_a_person(terms.party_of(THIRD))
        drawn = release_table(ExactTable(exact.reshape(1, -1)), epsilon_nano, bound)
        return tuple(int(count) for count in drawn.table.counts.flat), drawn.noise

    # -- the end --------------------------------------------------------------------------

    def finish(self, transcript: bytes, result: dict[str, Any], now: int) -> None:
        """Log the transcript and keep the result, at once."""

        def work(connection: Connection) -> None:
            if self.state(connection) == FINISHED:
                return
            self._require_not_ended(connection)
            text = json.dumps(result)
            connection.execute(
                sa.insert(RESULTS).values(
                    request=self._request.id,
                    kind=str(self._request.kind),
                    body=text,
                    signature=self._identity.sign_own(result_message(self._request.id, text)),
                    list_file=result.get("list_file"),
                    expires_at=result.get("expires_at"),
                    made_at=now,
                    ends_at=self._result_ends_at(now, result.get("expires_at")),
                )
            )
            self._update(connection, state=FINISHED, transcript=transcript, **self._ended(now))
            self._update_request(connection, state=FINISHED, updated_at=now)
            # Last, because the lineage event that follows tells of the result.
            body = SessionFinished(request=self._request.id, transcript=transcript.hex())
            self._log(connection, "session.finished", body)

        self._store.write(work)

    def fail(self, refusal: Refusal, now: int, *, peer_at_fault: bool) -> None:
        """Log why the session ends without a result, once; what was spent stays spent.

        An incident is logged by the party that noticed what its peer did, also when the session
        has its result by then: that stands, and the request says what came after, once.
        """
        incident = incident_of(refusal) if peer_at_fault else None

        def work(connection: Connection) -> None:
            row = self._request_row(connection)
            afterwards = row.state == FINISHED and row.status is None
            if incident is not None and (afterwards or row.state in OPEN_STATES):
                self._log(connection, *incident)
            if incident is not None and afterwards:
                status, reason = refusal.status.value, refusal.message
                self._update_request(connection, status=status, reason=reason)
            if row.state not in OPEN_STATES:
                return
            body = SessionFailed(request=self._request.id, reason=refusal.status.value)
            self._log(connection, "session.failed", body)
            holds.let_go(connection, [self._request.id])
            if refusal.status is RefusalStatus.BELOW_MINIMUM:
                moment = self._journal.moment(connection, now)
                self._charge.note_stop(connection, _seconds(moment))
            self._update(connection, state=FAILED, **self._ended(now))
            self._update_request(
                connection,
                state=FAILED,
                status=refusal.status.value,
                reason=refusal.message,
                updated_at=now,
            )

        self._store.write(work)

    def state(self, connection: Connection) -> str | None:
        """Return the session's state, None before it is opened."""
        query = sa.select(SESSIONS.c.state).where(SESSIONS.c.request == self._request.id)
        found: str | None = connection.execute(query).scalar_one_or_none()
        return found

    def _require_not_ended(self, connection: Connection) -> None:
        """Stop a driver whose request or session was ended while it worked, by either side."""
        row = self._request_row(connection)
        if row.state in (FAILED, REFUSED):
            raise RefusedThere(RefusalStatus(row.status), row.reason)
        refuse_revoked(connection, self._contract)

    def _ended(self, now: int) -> dict[str, int]:
        """Return when the session ended, and until when what it leaves is kept."""
        ends = self._contract.session_ends_at(now)
        if self._request.parameters.suppression_runs:  # which it serves until its list's end
            ends = max(ends, self.list_expires_at())
        return {"ended_at": now, "ends_at": ends}

    def _result_ends_at(self, made: int, expires: int | None) -> int:
        """Return until when a result is kept; of a match what was counted outlives its list."""
        ends = self._contract.result_ends_at(made)
        return ENDLESS if ends is None else max(ends, expires or 0)

    # -- rows and entries -----------------------------------------------------------------

    def _request_row(self, connection: Connection) -> sa.Row[Any]:
        return connection.execute(
            sa.select(REQUESTS).where(REQUESTS.c.id == self._request.id)
        ).one()

    @property
    def _seal_context(self) -> str:
        return seal_context(self._request.id)

    def _update(self, connection: Connection, **values: object) -> None:
        connection.execute(
            sa.update(SESSIONS).where(SESSIONS.c.request == self._request.id).values(**values)
        )

    def _update_request(self, connection: Connection, **values: object) -> None:
        connection.execute(
            sa.update(REQUESTS).where(REQUESTS.c.id == self._request.id).values(**values)
        )

    def _log(
        self, connection: Connection, kind: str, body: Record, moment: datetime | None = None
    ) -> None:
        seq = self._journal.append(
            connection,
            kind,
            body,
            actor=ACTOR,
            session=None if self._session_id is None else self._session_id.hex(),
            contract=self._contract.digest,
            moment=moment,
        )
        self._teller.tell(connection, seq, actor=ACTOR)

    def _commit_to(self, connection: Connection, context: str, value: bytes) -> str:
        return self._journal.commit_to(connection, context, value, request=self._request.id)


def seal_context(request_id: str) -> str:
    """Return the words under which a session's seed is sealed."""
    return f"seed/{request_id}"


def result_message(request_id: str, text: str) -> bytes:
    """Return what a party signs of a stored result, so that it notices a change."""
    return b"commonground/result/v1\n" + request_id.encode() + b"\n" + text.encode()


def _read_release(text: str) -> ReleaseArtefact:
    release = decode_small(text.encode())
    assert isinstance(release, ReleaseArtefact)
    return release


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
