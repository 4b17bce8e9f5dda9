"""What a result rests on and where it went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.roles import Role
from client.output import as_text
from client.sdk.log import note_reading
from party.lineage import graph
from party.lineage.delivery import send_events
from party.organisation import Organisation


class Shown:
    """The lineage of a result or a dataset, as the party's log has it."""

    def __init__(self, lineage: graph.Lineage) -> None:
        self.lineage = lineage

    def to_dict(self) -> dict[str, Any]:
        """Return nodes and edges as JSON values; each node names its log entry."""
        return self.lineage.to_dict()

    def to_svg(self, path: str | Path) -> Path:
        """Draw it into a file, and return its path."""
        Path(path).write_text(self._repr_svg_(), encoding="utf-8")
        return Path(path)

    def _repr_svg_(self) -> str:
        from client.render_lineage import lineage_svg

        return lineage_svg(self.lineage)

    def __str__(self) -> str:
        from client.render_lineage import lineage_shown

        return as_text(*lineage_shown(self.lineage))

    def __repr__(self) -> str:
        return f"<Lineage of {len(self.lineage.nodes)} steps>"


class Lineage:
    """`commonground lineage`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def show(self, name: str) -> Shown:
        """Return the lineage of a dataset by its name, or of a result by its request or list.

        Raises:
            LineageError: there is no such dataset or result, or no session has begun for it.
        """
        found = graph.lineage_of(self._party, name)
        note_reading(self._party, "lineage.show", name)
        return Shown(found)

    def send(self) -> int:
        """Send the events that wait to the settings' `lineage_url`, and return how many went.

        Raises:
            LineageError: the server does not answer, or takes an event for none.
        """
        self._party.access.require(Role.ANALYST, "lineage.send")
        return send_events(self._party)
