"""What a session that is being carried out does just now, as `party.watch` tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Doing:
    """What a session does since a time (Unix seconds).

    `what` is a phase of its own work, or what it waits for where `waits_for` names a counterpart.
    """

    what: str
    since: int
    waits_for: str | None = None

    @classmethod
    def read(cls, text: str | None) -> Doing | None:
        """Read what `Watch` has told; None where nothing whole is there."""
        try:
            return cls(**json.loads(text or ""))
        except (ValueError, TypeError):
            return None
