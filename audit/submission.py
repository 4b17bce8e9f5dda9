"""What a log sends to a witness: `POST /add-checkpoint` of c2sp.org/tlog-witness.

`old SIZE`, the consistency proof from there, an empty line, and the signed checkpoint. Reading it
verifies nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.errors import SubmissionError
from audit.merkle import HASH_BYTES, MAX_SIZE, NodeHash
from audit.note import MAX_NOTE_BYTES

PATH: Final = "add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
MAX_HASHES: Final = 63
MAX_SUBMISSION_BYTES: Final = MAX_NOTE_BYTES + 4096
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True)
class Submission:
    """A checkpoint on its way to a witness.

    Args:
        old_size: the size that the witness is thought to have seen last, 0 for none.
        proof: from there to the checkpoint; 32 bytes each.
        note: the signed checkpoint.
    """

    old_size: int
    proof: Sequence[NodeHash]
    note: str

    def text(self) -> str:
        """Return the body of the request."""
        hashes = [base64.b64encode(item).decode("ascii") for item in self.proof]
        return "".join(f"{line}\n" for line in [f"old {self.old_size}", *hashes, ""]) + self.note

    @classmethod
    def parse(cls, data: bytes) -> Submission:
        """Read the body of a request.

        Raises:
            SubmissionError: it is malformed or too large.
        """
        if len(data) > MAX_SUBMISSION_BYTES:
            raise SubmissionError(f"a submission has at most {MAX_SUBMISSION_BYTES} bytes")
        try:
            head, blank, note = data.decode().partition("\n\n")
        except UnicodeDecodeError as error:
            raise SubmissionError("a submission is UTF-8 text") from error
        first, *lines = head.split("\n")
        old = _OLD.fullmatch(first)
        if not blank or old is None or int(old[1]) > MAX_SIZE:
            raise SubmissionError("a submission is `old SIZE`, a proof, an empty line and a note")
        if len(lines) > MAX_HASHES:
            raise SubmissionError(f"a consistency proof has at most {MAX_HASHES} hashes")
        return cls(int(old[1]), tuple(map(_read_hash, lines)), note)


def size_text(size: int) -> str:
    """Return how a witness says which size it has seen."""
    return f"{size}\n"


def read_size(data: bytes) -> int:
    """Read the size that a witness says it has seen.

    Raises:
        SubmissionError: it is not one decimal number and a newline.
    """
    match = _SIZE.fullmatch(data.decode("ascii", errors="replace"))
    if match is None or int(match[1]) > MAX_SIZE:
        raise SubmissionError("a witness says the size that it has seen in decimal, with a newline")
    return int(match[1])


def _read_hash(line: str) -> NodeHash:
    try:
        data = base64.b64decode(line.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise SubmissionError("a hash of a submission is in standard base64") from error
    if len(data) != HASH_BYTES or base64.b64encode(data).decode("ascii") != line:
        raise SubmissionError(f"a hash of a submission is {HASH_BYTES} bytes in canonical base64")
    return data
