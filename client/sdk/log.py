"""The ledger and the log: what was spent, what happened, and whether both are as they were."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

from audit.entry import Entry
from audit.tlog_proof import LogProof, Proven
from audit.verify import Comparison, Verification
from client import receipts, verifying
from client.audit_files import Wanted, export_entries, find_entry, selected, write_evidence
from client.log_places import LogAccess
from client.output import as_text
from client.receipts import write_receipt
from client.render_ledger import ledger_document, ledger_shown
from client.witnessing import Asked, ask_witnesses
from party import ledger
from party.balances import balances
from party.log_files import LogFiles, write_files
from party.organisation import Organisation
from party.replay import Replay, replay

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


Log = HasFolder | str | Path
"""A party, its folder, the folder of an export, or a URL."""


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
    def verify(self, with_: Log, access: LogAccess = ...) -> Comparison: ...

    @overload
    def verify(
        self, with_: list[Log] | tuple[Log, ...], access: LogAccess = ...
    ) -> tuple[Comparison, ...]: ...

    def verify(
        self,
        with_: Log | list[Log] | tuple[Log, ...] | None = None,
        access: LogAccess = LogAccess(),  # noqa: B008 - frozen
    ) -> Verification | Comparison | tuple[Comparison, ...]:
        """Verify the log, alone or against those of counterparts: folders, exports or URLs.

        Against several, every two logs are compared, and there is a comparison for every two.
        `access` is what logs behind a URL ask for.

        Raises:
            AuditError: the first thing that is not as it was signed, or that the logs disagree on.
        """
        mine = verifying.stored_log(self._party)
        if with_ is None:
            verification = verifying.verify(mine)
            note_reading(self._party, "audit.verify")
            return verification
        others = with_ if isinstance(with_, list | tuple) else [with_]
        _, comparisons = verifying.verify_at(mine, list(map(_place_of, others)), access)
        note_reading(self._party, "audit.verify")
        return comparisons if isinstance(with_, list | tuple) else comparisons[0]

    def export_tiles(self, folder: str | Path) -> int:
        """Write the log as files into a new folder, and return how many there are.

        They are what `verify_log` reads: checkpoint, tiles, entries, cosignatures and contracts.

        Raises:
            ExportError: the folder exists, or the disk refuses.
        """
        log = verifying.stored_log(self._party).at_one_moment()
        written = write_files(LogFiles(log), Path(folder))
        note_reading(self._party, "audit.export")
        return written

    def receipt(self, entry: int, out: str | Path | None = None) -> LogProof:
        """Return the offline receipt of an entry, by its number; write it to `out` as well.

        Raises:
            TreeError: the log has no such entry.
            ExportError: the file exists, or cannot be written.
        """
        if out is None:
            receipt = self._party.journal.receipt(entry)
        else:
            receipt = write_receipt(self._party, entry, Path(out))
        note_reading(self._party, "audit.receipt", str(entry))
        return receipt

    def witness(self) -> list[Asked]:
        """Ask the outside witnesses of party.toml to cosign the log as it is now."""
        return ask_witnesses(self._party)

    def replay(self, request: str) -> Replay:
        """Repeat the finished session of a request from its seed, and hold it against the log.

        For an auditor at this party's premises; nothing is sent or spent. `verdict` says whether
        everything agrees, something differs, or something could not be checked; `checks` has all.

        Raises:
            AuditError: the log does not verify, so there is nothing to hold a session against.
            PartyError: no such request, its session has not finished, or its seed is deleted.
        """
        done = replay(self._party, request)
        note_reading(self._party, "audit.replay", done.request)
        return done

    def entries(self) -> list[Entry]:
        """Return the log's entries, oldest first; they hold no identifier and no exact count."""
        found = [Entry.parse(data) for data in verifying.stored_log(self._party).entries()]
        note_reading(self._party, "audit.show")
        return found

    def show(self, number: int) -> Entry:
        """Return one entry by its number.

        Raises:
            PartyError: the log has none.
        """
        found = find_entry(self._party, number)
        note_reading(self._party, "audit.show")
        return found

    def filter(
        self,
        *,
        kind: str | Collection[str] = (),
        session: str | None = None,
        contract: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        actor: str | None = None,
        peer: str | None = None,
    ) -> list[Entry]:
        """Return the entries for which everything holds that is given, oldest first.

        `kind` is one or several, such as `budget.spent`, or families such as `consent`; `session`
        the first digits of a request's id or a session's; `contract` an id or a hash's first
        digits; from `since` on and before `until`, in UTC where they name no zone; `peer` a
        counterpart that an entry names or has a contract with.

        Raises:
            PartyError: there is no such kind or contract, or a time is none.
        """
        found = selected(self._party, _wanted(kind, session, contract, since, until, actor, peer))
        note_reading(self._party, "audit.filter")
        return found

    def export(
        self,
        out: str | Path,
        *,
        kind: str | Collection[str] = (),
        session: str | None = None,
        contract: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        actor: str | None = None,
        peer: str | None = None,
        language: str = "en",
    ) -> int:
        """Write the entries that `filter` returns to a new file, and return how many they are.

        Its ending says how: `.jsonl` (as they were logged), `.csv`, or `.html` in a `language`.

        Raises:
            PartyError: as `filter`; another ending, or the file exists or cannot be written.
        """
        wanted = _wanted(kind, session, contract, since, until, actor, peer)
        written = export_entries(self._party, wanted, Path(out), language=language)
        note_reading(self._party, "audit.export")
        return len(written)

    def evidence(self, request: str, out: str | Path | None = None) -> Path:
        """Write the evidence for a request as a zip that can be checked without this program.

        `request` is its id's first digits, or the name of its list; without `out` the file is
        `evidence-ID.zip` in the current folder. Returns the file.

        Raises:
            PartyError: there is no such request, or the file exists or cannot be written.
            AuditError, ResultError, StoredContractError: what is stored is not what was signed.
        """
        path = None if out is None else Path(out)
        shown = write_evidence(self._party, request, path)
        note_reading(self._party, "audit.evidence", shown.evidence.request.id)
        return shown.path

    def to_pandas(self) -> pd.DataFrame:
        """Return a line an entry."""
        import pandas as pd

        names = ("seq", "time", "kind", "actor", "session", "contract")
        lines = [[getattr(entry, name) for name in names] for entry in self.entries()]
        return pd.DataFrame(lines, columns=list(names))


def verify_log(
    log: Log,
    with_: Sequence[Log] = (),
    *,
    key: str | None = None,
    access: LogAccess = LogAccess(),  # noqa: B008 - frozen
) -> tuple[Verification, tuple[Comparison, ...]]:
    """Verify a log that somebody hands over, an export's folder or a URL, without a party.

    `key` is the log's key, where it is known from elsewhere; `with_` are logs to compare it with.

    Returns:
        What was checked in the log, and a comparison for every two.

    Raises:
        AuditError: the first thing that does not hold.
        PartyError: there is no log, or it cannot be reached.
    """
    return verifying.verify_at(_place_of(log), list(map(_place_of, with_)), access, key)


def check_receipt(path: str | Path, key: str, witnesses: Sequence[str] = ()) -> Proven:
    """Check a receipt by the log's key, and by the keys of those who must have cosigned.

    Raises:
        AuditError: it does not hold.
        SettingsError: a key is malformed, or the file cannot be read.
    """
    return receipts.check_receipt(Path(path), key, witnesses)


def _place_of(log: Log) -> str | Path:
    return log if isinstance(log, str | Path) else log.folder


def _wanted(
    kind: str | Collection[str],
    session: str | None,
    contract: str | None,
    since: str | datetime | None,
    until: str | datetime | None,
    actor: str | None,
    peer: str | None,
) -> Wanted:
    kinds = (kind,) if isinstance(kind, str) else tuple(kind)
    return Wanted(kinds, session, contract, _time(since), _time(until), actor, peer)


def _time(moment: str | datetime | None) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else moment
