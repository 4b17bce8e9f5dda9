"""The rule that ties a consent snapshot to what its dataset was registered with.

A dataset that states an age below which nobody takes part alone is read by that rule in every
session, and separate consent is asked for columns that were declared as sensitive. A session that
began under an earlier description may rest on it, so any registration of the dataset counts.
"""

from __future__ import annotations

from audit.bodies import ConsentSnapshot, DatasetRegistered
from audit.errors import RuleError
from audit.shapes import Record


class Protection:
    """What the registrations of each dataset have said so far of minors and sensitive columns."""

    def __init__(self) -> None:
        self._ages: dict[str, set[int | None]] = {}
        self._sensitive: dict[str, set[str]] = {}

    def admit(self, body: Record) -> None:
        """Take in a registration, or hold a snapshot against those before; leave others alone.

        Raises:
            RuleError: a snapshot follows other rules than its dataset's.
        """
        match body:
            case DatasetRegistered():
                self._register(body)
            case ConsentSnapshot():
                self._require(body)

    def _register(self, body: DatasetRegistered) -> None:
        self._ages.setdefault(body.name, set()).add(body.minors_under)
        self._sensitive.setdefault(body.name, set()).update(body.sensitive or ())

    def _require(self, body: ConsentSnapshot) -> None:
        if body.dataset not in self._ages:
            return
        if body.minors_under not in self._ages[body.dataset]:
            raise RuleError(
                "its dataset was registered with another rule on minors than people were chosen by"
            )
        if not self._sensitive[body.dataset].issuperset(body.sensitive or ()):
            raise RuleError("it names a sensitive column that its dataset did not declare as one")
