"""What a bound, a choice or a rule did: the record that noise and reports rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class BoundStep:
    """One bound or choice as it was applied: how many stood before it and after it.

    `most` is the most of one person that was counted then, where the step counts that.
    """

    name: str
    before: int
    after: int
    most: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the step as a JSON object."""
        counted = {} if self.most is None else {"most": self.most}
        return {"name": self.name, "before": self.before, "after": self.after, **counted}
