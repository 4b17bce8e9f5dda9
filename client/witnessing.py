"""Asking outside witnesses to cosign the log: the client of c2sp.org/tlog-witness.

A witness that says which size it has seen is given the proof from there. Its cosignature is
verified and kept with its key; what else it sends is set aside. A witness that does not answer
stops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, RollbackError, SubmissionError, TreeError
from audit.note import MAX_NOTE_BYTES, Signature, parse_note
from audit.submission import PATH, SIZE_TYPE, Submission, read_size
from client.errors import DialError
from client.http_calls import Answered, HttpPlace
from party.organisation import Organisation
from party.outside_witnesses import OutsideWitness, read_witnesses

_ATTEMPTS: Final = 3
_CONFLICT: Final = 409


@dataclass(frozen=True)
class Asked:
    """What became of asking a witness.

    Args:
        witness: the name of its key.
        size: how many entries of the log it has seen, as far as is known here.
        problem: why it has not cosigned the log as it is, None when it has.
    """

    witness: str
    size: int
    problem: str | None = None


def ask_witnesses(party: Organisation) -> list[Asked]:
    """Ask every witness of the settings that has not cosigned the log as it is.

    Raises:
        SettingsError: a witness in party.toml is malformed.
    """
    return [_ask(party, witness) for witness in read_witnesses(party.settings.witnesses)]


def _ask(party: Organisation, witness: OutsideWitness) -> Asked:
    seen, size = party.journal.cosigned_size(witness.name), _size_of(party)
    if seen == size:
        return Asked(witness.name, size)
    place = HttpPlace(witness.url)
    try:
        return Asked(witness.name, _submit(party, witness, place, seen))
    except RollbackError as error:
        return Asked(witness.name, error.seen_size, str(error))
    except (DialError, AuditError) as error:
        return Asked(witness.name, seen, str(error))
    finally:
        place.close()


def _submit(party: Organisation, witness: OutsideWitness, place: HttpPlace, seen: int) -> int:
    """Submit the log's checkpoint, from another size when the witness says so; return its size."""
    for _ in range(_ATTEMPTS):
        try:
            checkpoint, proof = party.journal.offer(seen)
        except TreeError:
            raise RollbackError(
                f"it has seen {seen} entries of this log, which has fewer: was the store restored "
                "from an old backup?",
                seen_size=seen,
            ) from None
        body = Submission(seen, proof, checkpoint).text().encode()
        answer = place.post(PATH, body, MAX_NOTE_BYTES)
        if answer.status == _CONFLICT and answer.content_type.split(";")[0] == SIZE_TYPE:
            again = read_size(answer.body)
            if again == seen:
                break
            seen = again
            continue
        _keep(party, witness, checkpoint, answer)
        return Checkpoint.parse(parse_note(checkpoint).text).size
    raise SubmissionError("it has seen another log under this key: keep what it says, as evidence")


def _keep(party: Organisation, witness: OutsideWitness, checkpoint: str, answer: Answered) -> None:
    """Keep the witness's cosignature out of an answer."""
    if answer.status != 200:
        raise SubmissionError(f"it answers {answer.status} and no cosignature")
    try:
        lines = answer.body.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        raise SubmissionError("what it answers is not text") from None
    for line in lines:
        signature = Signature.parse(line)
        if (signature.name, signature.key_id) == (witness.name, witness.key.key_id):
            party.journal.keep_cosignature(checkpoint, line, witness.key, outside=True)
            return
    raise SubmissionError("its answer has no cosignature of its key")


def _size_of(party: Organisation) -> int:
    return Checkpoint.parse(parse_note(party.journal.checkpoint()).text).size
