"""What verification reads of one log, injected: a state folder, an export, a URL, a test.

Nothing of it is trusted but the keys. Whoever builds a source takes the log's key and the
counterparts' keys from where the log's owner cannot change them alone: the signed contract.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from audit.merkle import LeafHash


@dataclass(frozen=True)
class Cosigned:
    """A checkpoint, and one cosignature on it.

    Args:
        checkpoint: the signed note of the log.
        line: the signature line of the witness.
    """

    checkpoint: str
    line: str


class LogSource(Protocol):
    """One log as it is stored, with what its owner keeps about the counterparts' logs."""

    @property
    def vkey(self) -> str:
        """The log's key in text form; its name is the log's origin."""
        ...

    def entries(self) -> Iterable[bytes]:
        """Yield the entries' bytes in the order of the log."""
        ...

    def leaf_hashes(self) -> Iterable[LeafHash]:
        """Yield the leaf hashes as they were stored beside the entries."""
        ...

    def checkpoint(self) -> str:
        """Return the log's latest checkpoint, a signed note."""
        ...

    def counterparts(self) -> Iterable[str]:
        """Yield the counterparts' keys in text form.

        A key of algorithm 01 is that of a log and, in algorithm 04, of its owner as a witness;
        a key of algorithm 04 is that of a witness without a log.
        """
        ...

    def cosigned(self) -> Iterable[Cosigned]:
        """Yield this log's checkpoints that others cosigned."""
        ...

    def witnessed(self) -> Iterable[Cosigned]:
        """Yield the counterparts' checkpoints that this log's owner cosigned."""
        ...
