"""What can go wrong in the audit log: one tree, rooted in `AuditError`.

A message says what was wrong, where, and what to do. It names entries, sizes, fields and keys,
and never a value out of an entry: a value may be what should not have been written.
"""


class AuditError(Exception):
    """The root: whatever leaves `audit` because of its input is one."""


class TreeError(AuditError):
    """A size, an index or a stored hash cannot belong to the tree."""


class TileError(AuditError):
    """A tile or a bundle of entries is malformed, missing, or does not follow from the leaves."""


class InclusionError(AuditError):
    """A proof does not show that the leaf is in the tree."""


class ConsistencyError(AuditError):
    """A proof does not show that the newer tree extends the older one."""


class ReceiptError(AuditError):
    """The receipt of an entry is malformed, or is not of the entry that it is held against."""


class NoteError(AuditError):
    """A signed note, a key or a signature line is malformed."""


class SignatureError(NoteError):
    """A well-formed note is not signed by a known key, or a known key's signature is wrong."""


class CheckpointError(AuditError):
    """A checkpoint's body is malformed, or speaks for another log than its signer's."""


class EntryError(AuditError):
    """An entry is malformed, too large, not canonical, or says more or less than its kind does."""


class RuleError(AuditError):
    """An entry is well formed and contradicts what the entries before it established."""


class CommitmentError(AuditError):
    """A value or a salt does not open the commitment."""


class WitnessError(AuditError):
    """A counterpart's checkpoint cannot be cosigned after the one that was seen before."""


class SubmissionError(WitnessError):
    """What is sent to a witness, or what it answers, is malformed."""


class StaleError(WitnessError):
    """The proof begins at another size than the one that was seen last.

    Args:
        message: what happened.
        seen_size: the size that was seen, which has to be proven from.
    """

    def __init__(self, message: str, *, seen_size: int) -> None:
        super().__init__(message)
        self.seen_size = seen_size


class RollbackError(WitnessError):
    """The checkpoint is smaller than the one that was seen.

    Args:
        message: what happened.
        seen_size: the size that was seen, which the counterpart has to prove from.
    """

    def __init__(self, message: str, *, seen_size: int) -> None:
        super().__init__(message)
        self.seen_size = seen_size


class ForkError(WitnessError):
    """Two checkpoints of one size have different roots: keep both notes, they are evidence."""


class VerificationError(AuditError):
    """A log does not hold together.

    Args:
        message: which log, which entry, and why.
        entry: the index of the first entry that fails, counted from 0; None when what fails
            is not an entry.
    """

    def __init__(self, message: str, *, entry: int | None = None) -> None:
        super().__init__(message)
        self.entry = entry
