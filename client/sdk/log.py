"""The ledger and the log: what was spent, what happened, and whether both are as they were."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

from audit.entry import Entry
from audit.verify import Comparison, Verification
from client import verifying
from client.output import as_text
from client.render_ledger import ledger_document, ledger_shown
from party import ledger
from party.balances import balances
from party.organisation import Organisation

if TYPE_CHECKING:
    import pandas as pd


class Ledger:
    """What was spent on a party's own people, read when it is made."""

    def __init__(self, party: Organisation) -> None:
        self.rows = party.store.read(ledger.rows)
        self.balances = balances(party)

    def to_dict(self) -> dict[str, Any]:
        """Return balances and rows as JSON values; ε and δ as exact decimal text."""
        return ledger_document(self.balances, self.rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a charge."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["rows"])

    def balances_to_pandas(self) -> pd.DataFrame:
        """Return a line for each population and counterpart: budget, spent and left."""
        import pandas as pd

        return pd.json_normalize(self.to_dict()["balances"], sep="_")

    def __str__(self) -> str:
        return as_text(*ledger_shown(self.balances, self.rows))

    def __repr__(self) -> str:
        return f"<Ledger of {len(self.rows)} charges>"


class HasFolder(Protocol):
    """A party, as far as its log is read: where its folder is."""

    @property
    def folder(self) -> Path:
        """The party's folder."""


Folder = HasFolder | str | Path


def note_reading(party: Organisation, what: str, subject: str | None = None) -> None:
    """Log that what is kept for audit is read; warn where it cannot be (a read-only folder)."""
    missing = party.access.note_reading(what, subject)
    if missing is not None:
        warnings.warn(f"not in the log: that {what} was read here ({missing})", stacklevel=3)


class Audit:
    """`commonground audit`; what is read is itself logged, before it is returned."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    @overload
    def verify(self, with_: None = None) -> Verification: ...

    @overload
    def verify(self, with_: Folder) -> Comparison: ...

    @overload
    def verify(self, with_: list[Folder] | tuple[Folder, ...]) -> tuple[Comparison, ...]: ...

    def verify(
        self, with_: Folder | list[Folder] | tuple[Folder, ...] | None = None
    ) -> Verification | Comparison | tuple[Comparison, ...]:
        """Verify the log, alone or against those of counterparts in their folders.

        Against several, every two logs are compared, and there is a comparison for every two.

        Raises:
            AuditError: the first thing that is not as it was signed, or that the logs disagree on.
        """
        if with_ is None:
            verification = verifying.verify(self._party)
            note_reading(self._party, "audit.verify")
            return verification
        several = isinstance(with_, list | tuple)
        comparisons = self._compare(with_ if isinstance(with_, list | tuple) else [with_])
        note_reading(self._party, "audit.verify")
        return comparisons if several else comparisons[0]

    def _compare(self, others: Sequence[Folder]) -> tuple[Comparison, ...]:
        with ExitStack() as opened:
            there = [
                opened.enter_context(closing(Organisation.open(_folder_of(other).absolute())))
                for other in others
            ]
            return verifying.compare(self._party, *there)

    def entries(self) -> list[Entry]:
        """Return the log's entries, oldest first; they hold no identifier and no exact count."""
        found = [Entry.parse(data) for data in verifying.stored_log(self._party).entries()]
        note_reading(self._party, "audit.show")
        return found

    def to_pandas(self) -> pd.DataFrame:
        """Return a line an entry."""
        import pandas as pd

        names = ("seq", "time", "kind", "actor", "session", "contract")
        lines = [[getattr(entry, name) for name in names] for entry in self.entries()]
        return pd.DataFrame(lines, columns=list(names))


def _folder_of(party: Folder) -> Path:
    return Path(party) if isinstance(party, str | Path) else party.folder
