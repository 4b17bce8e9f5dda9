"""The ledger and the log: what was spent, what happened, and whether both are as they were."""

from __future__ import annotations

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
        self.rows = party.store.write(ledger.rows)
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


class Audit:
    """`commonground audit`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    @overload
    def verify(self, with_: None = None) -> Verification: ...

    @overload
    def verify(self, with_: HasFolder | str | Path) -> Comparison: ...

    def verify(self, with_: HasFolder | str | Path | None = None) -> Verification | Comparison:
        """Verify the log, alone or against that of the counterpart in a folder.

        Raises:
            AuditError: the first thing that is not as it was signed, or that the logs disagree on.
        """
        if with_ is None:
            return verifying.verify(self._party)
        folder = Path(with_) if isinstance(with_, str | Path) else with_.folder
        there = Organisation.open(folder.absolute())
        try:
            return verifying.compare(self._party, there)
        finally:
            there.close()

    def entries(self) -> list[Entry]:
        """Return the log's entries, oldest first; they hold no identifier and no exact count."""
        return [Entry.parse(data) for data in verifying.stored_log(self._party).entries()]

    def to_pandas(self) -> pd.DataFrame:
        """Return a line an entry."""
        import pandas as pd

        names = ("seq", "time", "kind", "actor", "session", "contract")
        lines = [[getattr(entry, name) for name in names] for entry in self.entries()]
        return pd.DataFrame(lines, columns=list(names))
