"""Until when a log's datasets may be used, as their registrations say."""

from __future__ import annotations

from dataclasses import dataclass, field

from audit.bodies import ConsentSnapshot, DatasetErased, DatasetRegistered
from audit.errors import RuleError
from audit.shapes import Record


@dataclass
class DatasetEnds:
    """The end of each registered dataset (POSIX seconds), None where none is declared."""

    _ends: dict[str, int | None] = field(default_factory=dict)

    def admit(self, body: Record) -> None:
        """Take in what an entry says of a dataset; leave others alone.

        Raises:
            RuleError: consent was read of a dataset that had come to its end, or one is erased that
                was never registered.
        """
        match body:
            case DatasetRegistered(name=name, ends_at=ends_at):
                self._ends[name] = ends_at
            case DatasetErased(name=name):
                if name not in self._ends:
                    raise RuleError("it erases a dataset that no dataset.registered before it has")
            case ConsentSnapshot(dataset=name, taken_at=taken_at):
                end = self._ends.get(name)
                if end is not None and taken_at >= end:
                    raise RuleError("its dataset had come to the end of its retention before")
