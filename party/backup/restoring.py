"""Restoring a party from a backup: verified in a folder of its own, and only then where it belongs.

The log, the ledger and all that the log tells of are verified, and the log is held against what
others say they have seen of it. Requests and sessions that were open end: they may have gone on
after the backup, and noise is not drawn twice. Open invitations are withdrawn: they may be used.
Budgets whose windows had begun are closed, unless the operator answers for it that nothing was
spent since; both stand in the log.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import PartyRestored
from audit.errors import AuditError, RollbackError
from audit.roles import BY_HAND, Role
from audit.verify import Verification
from party import identity as identities
from party.backup.archive import KEYS, STORE, Manifest, read_archive, require_signature
from party.backup.copying import copy_into_store
from party.contract_terms import write_time
from party.decision import OPEN_STATES
from party.durable import flush, sync_folder
from party.errors import BackupError, Refusal, RefusalStatus
from party.evidence import StoredLog, verify_log
from party.filing import Filing
from party.organisation import Organisation, require_unused
from party.registrations import FRAMES
from party.schema import DATASETS, INVITATIONS, RESTORES
from party.session_record import SessionRecord
from party.settings import FILE, Settings, load_settings, render_settings
from party.store import Store, sqlite_url

IN_FOLDER: Final = "sqlite"
_STORE_LINE: Final = re.compile(r"^store *=.*$", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """What somebody says to have seen of this party's log.

    A counterpart shows the log's own `checkpoint`, "" for none; an outside witness says how many
    `entries`. `problem` is why there is no answer.
    """

    by: str
    checkpoint: str = ""
    entries: int = 0
    problem: str | None = None


Ask = Callable[[Organisation], Sequence[Seen]]
"""Asks those who may have seen the log of a party that is about to be restored."""


@dataclass(frozen=True)
class Restored:
    """A party that was restored: of when (Unix seconds), what was verified, who was asked.

    `ended` is how many requests and sessions ended by it, `withdrawn` how many invitations;
    `kept` says whether budgets were kept.
    """

    folder: Path
    made_at: int
    verified: Verification
    seen: Sequence[Seen]
    ended: int
    withdrawn: int
    kept: bool


def restore(
    file: Path,
    folder: Path,
    *,
    passphrase: bytes | None = None,
    keys: Path | None = None,
    store: str | None = None,
    why: str | None = None,
    ask: Ask,
) -> Restored:
    """Restore a party into a folder that holds nothing.

    `keys` is a copy of the party's folder `keys`, for a backup without them; `store` the URL of
    an empty PostgreSQL database, "sqlite" for the folder, and without it as it was; `why` the
    operator's word that nothing was spent since the backup, which keeps its budgets open.

    Raises:
        BackupError: the file does not serve, the folder is not empty, or somebody has seen more of
            the log than the backup has of it.
        VerificationError: the log does not hold together, or not with what lies beside it.
        StoreError: the database is not empty, or does not answer.
        IdentityError: keys are missing or damaged.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(
            f"{folder} is not empty, and no party is overwritten: move it away, or name another"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # mode 0700
    try:
        manifest = read_archive(file, place, passphrase)
        _put_keys(place, manifest, keys)
        settings = load_settings(place)
        url = settings.store if store is None else "" if store == IN_FOLDER else store
        if url:
            require_unused(url)
        with _opened(place, settings) as party:
            restored = _verify_and_go_on(party, folder, manifest, why, ask)
        if url:
            _move_store(place / STORE, url)
        if url != settings.store:
            _name_store(place / FILE, replace(settings, store=url))
        _settle(place, folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return restored


def _put_keys(place: Path, manifest: Manifest, keys: Path | None) -> None:
    if (place / KEYS).is_dir():
        if keys is not None:
            raise BackupError("the keys are in this backup: leave out --keys")
        return
    if keys is None:
        raise BackupError(
            f"the keys of {manifest.party} are not in this backup: give the copy that was kept of "
            "its folder `keys` with --keys DIR"
        )
    try:
        shutil.copytree(keys, place / KEYS)
        (place / KEYS).chmod(0o700)
    except (OSError, shutil.Error) as error:
        raise BackupError(f"the keys in {keys} cannot be copied: {error}") from None


@contextmanager
def _opened(place: Path, settings: Settings) -> Iterator[Organisation]:
    """Open the party in a folder with its store there, whatever its settings say of the store."""
    identity = identities.open(place)
    require_signature(place, identity.verifier)
    url = sqlite_url(place / STORE)
    Store.create(url).close()  # brought up to this version
    party = Organisation(place, replace(settings, store=""), identity, Store.open(url))
    try:
        party.access.require(Role.OPERATOR, "backup.restore")
        yield party
    finally:
        party.close()


def _verify_and_go_on(
    party: Organisation, folder: Path, manifest: Manifest, why: str | None, ask: Ask
) -> Restored:
    verified = verify_log(StoredLog(party.store, party.identity))
    if party.journal.checkpoint() != manifest.checkpoint:
        raise BackupError("the store in the backup is not the one that its backup.json describes")
    seen = ask(party)
    for one in seen:
        _require_not_behind(party, one)
    party.store.write(lambda connection: _log(party, connection, manifest, why))
    ended = _end_what_was_open(party, manifest)
    withdrawn = party.store.write(lambda connection: _withdraw(connection, party.now))
    party.store.write(lambda connection: _find_frames(connection, party.folder, folder))
    return Restored(
        folder, manifest.made_at, verified, seen, ended, withdrawn, kept=why is not None
    )


def _require_not_behind(party: Organisation, seen: Seen) -> None:
    """Refuse a backup without what somebody has cosigned since: the log would fork."""
    size, entries = party.journal.size, seen.entries
    try:
        if seen.checkpoint:
            party.journal.require_extends(seen.checkpoint)
    except RollbackError as error:
        entries = error.seen_size
    except AuditError as error:
        raise BackupError(f"what {seen.by} has seen of this log does not fit it: {error}") from None
    if entries > size:
        raise BackupError(
            f"{seen.by} has seen {entries} entries of this log, and the backup has {size}: with it "
            "the log would fork, and be refused. Restore a newer backup. If there is none, make a "
            "party anew, with an origin of its own, and sign new contracts"
        )


def _log(party: Organisation, connection: Connection, manifest: Manifest, why: str | None) -> None:
    moment = party.journal.moment(connection, party.now)
    body = PartyRestored(
        manifest.made_at, manifest.entries, "closed" if why is None else "kept", why
    )
    entry = party.journal.append(connection, "party.restored", body, actor=BY_HAND, moment=moment)
    row = {"entry": entry, "at": int(moment.timestamp()), "closes": int(why is None)}
    connection.execute(sa.insert(RESTORES).values(row))


def _end_what_was_open(party: Organisation, manifest: Manifest) -> int:
    """End requests and sessions that may have gone on after the backup was made."""
    refusal = Refusal(
        RefusalStatus.EXPIRED,
        f"this party was restored from a backup of {write_time(manifest.made_at)}, and what was "
        "open then does not go on. Make a new request",
    )
    contracts = {contract.digest: contract for contract in party.contracts()}
    ended = 0
    for filed in Filing(party).all():
        if filed.state in OPEN_STATES:
            contract = contracts[filed.request.contract]
            me = contract.me(party.identity)
            SessionRecord(
                party.store, party.journal, party.identity, contract, filed.request, me=me
            ).fail(refusal, party.now, peer_at_fault=False)
            ended += 1
    return ended


def _withdraw(connection: Connection, now: int) -> int:
    """Withdraw the invitations that are open: somebody may have used them after the backup."""
    unused = (INVITATIONS.c.used_at.is_(None), INVITATIONS.c.withdrawn_at.is_(None))
    alive = INVITATIONS.c.ends_at > now
    query = sa.update(INVITATIONS).where(*unused, alive).values(withdrawn_at=now)
    return connection.execute(query).rowcount


def _find_frames(connection: Connection, place: Path, folder: Path) -> None:
    """Let datasets that were kept in the old folder (`frames/`) be read from the new one."""
    for row in connection.execute(sa.select(DATASETS.c.name, DATASETS.c.definition)).all():
        definition = json.loads(row.definition) if row.definition else {}
        source = definition.get("source")
        if not isinstance(source, str):
            continue
        kept = Path(FRAMES, row.name, Path(source).name)
        if Path(source).match(f"*/{kept}") and (place / kept).is_file():
            text = json.dumps({**definition, "source": str(folder / kept)})
            query = sa.update(DATASETS).where(DATASETS.c.name == row.name).values(definition=text)
            connection.execute(query)


def _move_store(path: Path, url: str) -> None:
    """Copy the restored store into an empty database, in one transaction, and drop the file."""
    store = Store.create(url)
    try:
        copy_into_store(path, store)
    finally:
        store.close()
    for beside in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{beside}").unlink(missing_ok=True)


def _name_store(path: Path, settings: Settings) -> None:
    """Let the settings name the store where it is now, and leave their other lines alone."""
    (line,) = _STORE_LINE.findall(render_settings(settings))
    text = path.read_text(encoding="utf-8")
    if _STORE_LINE.search(text):
        text = _STORE_LINE.sub(lambda _: line, text, count=1)
    else:
        text = f"{line}\n{text}"
    path.write_text(text, encoding="utf-8")
    flush(path)


def _settle(place: Path, folder: Path) -> None:
    """Give the party its folder, whole."""
    try:
        if folder.exists():
            folder.rmdir()
        place.rename(folder)
    except OSError as error:
        raise BackupError(f"{folder} cannot be made: {error.strerror}") from None
    sync_folder(folder.absolute().parent)
