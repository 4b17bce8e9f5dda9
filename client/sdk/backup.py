"""Backing a party up and restoring it, for a Python program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from party.organisation import Organisation
from party.workers import require_no_worker

if TYPE_CHECKING:
    from party.backup.making import Backup
    from party.backup.restoring import Restored


class BackupVerbs:
    """`commonground backup` and `restore`; a part of `Party`."""

    _party: Organisation

    def backup(self, file: str | Path, *, passphrase: str | None = None) -> Backup:
        """Write the party as it is now into one new file, while it serves.

        Under a passphrase (16 bytes or more) all of it is sealed, the keys too; without, the keys
        are left out.

        Raises:
            BackupError: the file is there already or cannot be written.
            NotEntitled: the account is no operator.
        """
        from party.backup.making import make_backup

        key = None if passphrase is None else passphrase.encode()
        return make_backup(self._party, Path(file).absolute(), key)

    @classmethod
    def restore(
        cls,
        file: str | Path,
        folder: str | Path,
        *,
        passphrase: str | None = None,
        keys: str | Path | None = None,
        store: str | None = None,
        nothing_spent: str | None = None,
        offline: bool = False,
    ) -> Restored:
        """Make the party of a backup in a folder that holds nothing, once it is verified.

        `keys` is a copy of the party's folder `keys`, for a backup without them; `store` the URL of
        an empty PostgreSQL database, or "sqlite" for the folder; `nothing_spent` your reason to
        answer for it that nothing was spent since, without which budgets stay closed until their
        windows renew. `offline` asks no counterpart or witness what it has seen of the log.

        Raises:
            BackupError: the backup does not serve, the folder is not empty, or somebody has seen
                more of the log.
            AuditError: the log does not hold together.
            StoreError, IdentityError: the database or the keys do not serve.
        """
        from client.restoring import restore_party

        require_no_worker()
        return restore_party(
            Path(file),
            Path(folder).absolute(),
            passphrase=None if passphrase is None else passphrase.encode(),
            keys=None if keys is None else Path(keys),
            store=store,
            nothing_spent=nothing_spent,
            offline=offline,
        )
