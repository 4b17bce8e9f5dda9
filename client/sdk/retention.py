"""What a party keeps and until when, and deleting what has come to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from client.output import as_text
from client.render_retention import deleted_document, deleted_shown, kept_document, kept_shown
from party.kept import Kept, kept
from party.organisation import Organisation
from party.retention import due
from party.retention import run as delete

if TYPE_CHECKING:
    import pandas as pd


class KeptThings:
    """What was kept when it was asked for."""

    def __init__(self, found: Sequence[Kept], now: int) -> None:
        self.kept, self._now = tuple(found), now

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values, as `commonground retention show --json` does."""
        return kept_document(self.kept, self._now)

    def to_pandas(self) -> pd.DataFrame:
        """Return a line for each thing: what, name, ends_at, why, contract, source."""
        return _frame(self.to_dict()["kept"])

    def __str__(self) -> str:
        return as_text(kept_shown(self.kept, self._now))

    def __repr__(self) -> str:
        return f"<KeptThings, {len(self.kept)}>"


class Deleted:
    """What has come to its end: deleted, or in a dry run only found."""

    def __init__(self, ended: Sequence[Kept], *, dry_run: bool) -> None:
        self.ended, self.dry_run = tuple(ended), dry_run

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values, as `commonground retention run --json` does."""
        return deleted_document(self.ended, dry_run=self.dry_run)

    def to_pandas(self) -> pd.DataFrame:
        """Return a line for each thing: what, name, ends_at, why, contract, source."""
        return _frame(self.to_dict()["ended"])

    def __str__(self) -> str:
        return as_text(*deleted_shown(self.ended, dry_run=self.dry_run))

    def __repr__(self) -> str:
        return f"<Deleted, {len(self.ended)}, dry_run={self.dry_run}>"


class Retention:
    """`commonground retention`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def show(self) -> KeptThings:
        """Return everything that is kept, with its end and the term that states it."""
        return KeptThings(kept(self._party), self._party.now)

    def run(self, *, dry_run: bool = False) -> Deleted:
        """Delete what has come to its end, and log each; `dry_run` says what would be deleted.

        Files that a dataset was read from are yours, and stay.

        Raises:
            NotEntitled: the account only reads.
        """
        ended = due(self._party) if dry_run else delete(self._party)
        return Deleted(ended, dry_run=dry_run)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=["what", "name", "ends_at", "why", "contract", "source"])
