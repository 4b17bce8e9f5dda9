"""What a log says of keys that are replaced, and of counterparts that are revoked.

Statements of keys count from 1 without a gap, its own and each counterpart's, and what was
replaced is accepted for some time after the new one comes into use, never before. While a
counterpart is revoked nothing begins under a contract that names its log, nothing is charged,
released or disclosed, no contract with it is signed, and its keys are not pinned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from audit.bodies import (
    BudgetSpent,
    ContractSigned,
    KeyRotated,
    ListDisclosed,
    PeerPinned,
    PeerRenewed,
    PeerRestored,
    PeerRevoked,
    ReportReleased,
    SessionStarted,
)
from audit.errors import RuleError
from audit.shapes import Record


class Succession:
    """The statements of keys so far, and who is revoked."""

    def __init__(self, vkey: str) -> None:
        self._vkey = vkey
        self._numbers: Counter[str] = Counter()
        self._revoked: set[str] = set()

    def admit(self, body: Record, terms: ContractSigned | None) -> None:
        """Hold the next entry against the rules; `terms` are those of the contract it names.

        Raises:
            RuleError: it contradicts what stands before it.
        """
        match body:
            case KeyRotated(number=number, starts=starts, ends=ends):
                self._count(self._vkey, number)
                if starts > ends:
                    raise RuleError("what was replaced ends before the new key is in use")
            case PeerRenewed(vkey=vkey, number=number):
                self._count(vkey, number)
            case PeerRevoked(vkey=vkey):
                if vkey in self._revoked or vkey == self._vkey:
                    raise RuleError("it revokes a counterpart that was revoked before, or itself")
                self._revoked.add(vkey)
            case PeerRestored(vkey=vkey):
                if vkey not in self._revoked:
                    raise RuleError("it restores a counterpart that was not revoked")
                self._revoked.remove(vkey)
            case PeerPinned(vkey=vkey) if vkey in self._revoked:
                raise RuleError("it pins the keys of a counterpart that is revoked")
            case ContractSigned(origins=origins):
                self._require_none(origins)
            case SessionStarted() | BudgetSpent() | ReportReleased() | ListDisclosed() if terms:
                self._require_none(terms.origins)

    def _count(self, vkey: str, number: int) -> None:
        if number != self._numbers[vkey] + 1:
            raise RuleError("statements of keys count from 1 without a gap")
        self._numbers[vkey] = number

    def _require_none(self, origins: Mapping[str, str]) -> None:
        """Raise `RuleError` where a log of a contract is that of a revoked counterpart."""
        if not self._revoked:
            return
        revoked = {vkey.partition("+")[0] for vkey in self._revoked}
        if not revoked.isdisjoint(origins.values()):
            raise RuleError("a counterpart of its contract is revoked")
