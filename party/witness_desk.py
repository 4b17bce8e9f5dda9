"""This party as a witness of logs that it knows: what it answers to `POST /add-checkpoint`.

c2sp.org/tlog-witness. It cosigns the logs of its counterparts: those in contracts, and those that
an invitation has pinned. Whoever asks need not say who he is; the log's signature on the
checkpoint is what counts. A log that shows two trees of one size is kept as evidence: the note as
a file in `forks/`, and an entry in this party's own log.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import (
    AuditError,
    CheckpointError,
    ConsistencyError,
    ForkError,
    NoteError,
    RollbackError,
    SignatureError,
    StaleError,
    SubmissionError,
)
from audit.note import Verifier, parse_note
from audit.submission import SIZE_TYPE, Submission, size_text
from party.events import Event, note
from party.forks import keep_fork
from party.incidents import forked
from party.known_peers import KnownPeers
from party.organisation import Organisation

_TEXT_TYPE: Final = "text/plain; charset=utf-8"
_log: Final = logging.getLogger("commonground.serve")


@dataclass(frozen=True)
class Answer:
    """What a witness answers: a status of HTTP, a text, and the text's type."""

    status: int
    text: str
    content_type: str = _TEXT_TYPE


class WitnessDesk:
    """Cosigns checkpoints of logs that one party knows."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def add_checkpoint(self, data: bytes) -> Answer:
        """Answer a submission; a checkpoint that is cosigned is stored before it is answered."""
        try:
            submission = Submission.parse(data)
            origin = parse_note(submission.note).text.partition("\n")[0]
            keys = self._keys_of(origin)
            if not keys:
                return Answer(404, "this witness knows no such log\n")
            log, checkpoint = _opened(submission.note, keys)
        except SignatureError:
            return Answer(403, "the log's key did not sign this checkpoint\n")
        except (SubmissionError, NoteError, CheckpointError) as error:
            return Answer(400, f"{error}\n")
        if submission.old_size > checkpoint.size:
            return Answer(400, "the old size is above that of the checkpoint\n")
        return self._cosign(submission, log, checkpoint)

    def _cosign(self, submission: Submission, log: Verifier, checkpoint: Checkpoint) -> Answer:
        journal = self._party.journal
        try:
            line = journal.witness(submission.note, log, submission.proof, submission.old_size)
        except (StaleError, RollbackError) as error:
            return Answer(409, size_text(error.seen_size), SIZE_TYPE)
        except ForkError:
            self._keep_fork(submission.note, checkpoint)
            return Answer(409, size_text(checkpoint.size), SIZE_TYPE)
        except ConsistencyError as error:
            return Answer(422, f"{error}\n")
        event = Event("checkpoint.cosigned", peer=checkpoint.origin)
        note(_log, event, f"cosigned {checkpoint.size} entries of {checkpoint.origin}")
        return Answer(200, line)

    def _keys_of(self, origin: str) -> list[Verifier]:
        """Return the keys under which this party knows a log, its own left out."""
        contracts = self._party.contracts()
        cards = [card for contract in contracts for card in contract.parties.values()]
        cards += KnownPeers(self._party).cards().values()
        keys = dict.fromkeys(card.verifier for card in cards if card.verifier.name == origin)
        return [key for key in keys if key != self._party.identity.verifier]

    def _keep_fork(self, text: str, checkpoint: Checkpoint) -> None:
        """Keep a second tree of one size, once: the note itself, and an entry that says so."""

        def enter() -> None:
            self._party.store.write(
                lambda connection: self._party.journal.append(
                    connection, *forked(checkpoint.origin), actor="witness"
                )
            )

        name = keep_fork(self._party.folder, text, enter=enter)
        if name is None:
            return
        event = Event("checkpoint.forked", peer=checkpoint.origin)
        sentence = f"{checkpoint.origin} has signed two logs of {checkpoint.size} entries: {name}"
        note(_log, event, sentence, level=logging.ERROR)


def _opened(text: str, keys: list[Verifier]) -> tuple[Verifier, Checkpoint]:
    """Return the key that signed a checkpoint, and what it says; raise for the last key's fault."""
    failed: AuditError | None = None
    for key in keys:
        try:
            return key, open_checkpoint(text, key)
        except AuditError as error:
            failed = error
    raise failed or SignatureError("the checkpoint is signed by no known key")
