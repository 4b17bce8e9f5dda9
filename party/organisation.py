"""A party as a folder: keys, configuration, store, log, session artefacts and lists."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import PartyCreated
from audit.roles import BY_HAND, Role
from languages import message
from party import identity as identities
from party import registrations
from party.access import Access
from party.card import ADDRESS, ORGANISATION, IdentityCard
from party.contract import Contract
from party.contract_file import parse_contract, render_contract
from party.document import Section, TextRule
from party.errors import (
    ContractError,
    SettingsError,
    StoredContractError,
    StoreError,
)
from party.identity import Identity
from party.journal import Journal
from party.key_files import replace_file
from party.places import PLACE_KEYS, Places
from party.registrations import Registered
from party.renewals import by_party, known_statements
from party.revocation import require_none_revoked
from party.schema import CONTRACTS, LOG_HEAD
from party.settings import FILE, Settings, load_settings, render_settings
from party.signed_terms import signed_terms
from party.store import Store, sqlite_url
from party.workers import start_threads, start_workers

if TYPE_CHECKING:
    from party.artefacts import SessionFolder
    from party.consent.records import ConsentRecords
    from party.datasets import Definition, QualityReport

STORE_FILE: Final = "party.db"
CARD_FILE: Final = "public.yaml"


class Organisation:
    """One party, opened. `create` and `open` make it; `close` ends its workers."""

    def __init__(self, folder: Path, settings: Settings, identity: Identity, store: Store) -> None:
        self.folder, self.settings, self.identity, self.store = folder, settings, identity, store
        self.clock: Callable[[], float] = time.time
        identity.clock = lambda: self.clock()
        self.journal = Journal(store, identity, lambda: self.clock())
        self.access = Access(self)
        store.guard = self.access.changing
        self._processes: Executor | None = None
        self._threads: Executor | None = None
        self._starting_workers = threading.Lock()

    @classmethod
    def create(
        cls,
        folder: Path,
        settings: Settings,
        *,
        name: str,
        log_origin: str,
        hosts: Sequence[str],
        places: Places,
        address: str | None = None,
    ) -> Organisation:
        """Make a party's folder: keys, certificate, configuration, store and first log entry.

        `places` is what it declares of where data lies; `address` is where counterparts reach it,
        None for a party that only dials.

        Raises:
            SettingsError: there is a party in the folder already, or a value does not serve.
            StoreError: the store cannot be reached, or holds another party.
            IdentityError: a name does not serve.
        """
        if (folder / FILE).exists():
            raise SettingsError(
                message(
                    "{folder} holds a party already; choose another folder",
                    folder=folder,
                )
            )
        _require("organisation", settings.organisation, ORGANISATION)
        Places.read(Section(places.to_json(), "", SettingsError, required=PLACE_KEYS))
        if address is not None:
            _require("address", address, ADDRESS)
        if settings.store:
            require_unused(settings.store)
        identity = identities.create(folder, name=name, log_origin=log_origin, hosts=hosts)
        folder.chmod(0o700)  # results and lists will lie in it
        store = Store.create(settings.store or sqlite_url(folder / STORE_FILE))
        party = cls(folder, settings, identity, store)
        body = PartyCreated(
            vkey=identity.vkey, certificate=identity.fingerprint.removeprefix("sha256:")
        )
        store.write(lambda c: party.journal.append(c, "party.created", body, actor=BY_HAND))
        card = IdentityCard.of(
            identity, organisation=settings.organisation, address=address, places=places
        )
        (folder / CARD_FILE).write_text(card.to_yaml(), encoding="utf-8")
        (folder / FILE).write_text(render_settings(settings), encoding="utf-8")
        return party

    @classmethod
    def open(cls, folder: Path, *, expired: bool = False) -> Organisation:
        """Open a party's folder, also with an `expired` certificate where it is to be replaced.

        Raises:
            SettingsError, IdentityError, StoreError: a part of it is missing or damaged.
            NotEntitled: the party has members, and the account that runs this program is none.
        """
        settings = load_settings(folder)
        identity = identities.open(folder, expired=expired)
        store = Store.open(settings.store or sqlite_url(folder / STORE_FILE))
        party = cls(folder, settings, identity, store)
        try:
            party.access.require(Role.COMPLIANCE, "party.open")
        except BaseException:
            party.close()
            raise
        return party

    @classmethod
    def upgrade(cls, folder: Path) -> None:
        """Bring the store of a party's folder up to this version of the program.

        Raises:
            SettingsError: it is not a party's folder.
        """
        settings = load_settings(folder)
        Store.create(settings.store or sqlite_url(folder / STORE_FILE)).close()

    def close(self) -> None:
        """End the workers and the store's connections."""
        with self._starting_workers:
            for workers in filter(None, (self._processes, self._threads)):
                workers.shutdown(cancel_futures=True)
            self._processes = self._threads = None
        self.store.close()

    @property
    def now(self) -> int:
        """The time in Unix seconds."""
        return int(self.clock())

    @property
    def executor(self) -> Executor:
        """Worker processes, for what Python computes."""
        with self._starting_workers:  # sessions begin in threads of their own
            if self._processes is None:
                self._processes = start_workers(self.settings.worker_count)
            return self._processes

    @property
    def curve_executor(self) -> Executor:
        """Workers for the curve: threads where its engine releases the GIL, else the processes."""
        from psi.engines import engine

        if not engine().releases_gil:
            return self.executor
        with self._starting_workers:
            if self._threads is None:
                self._threads = start_threads(self.settings.worker_count)
            return self._threads

    @property
    def consent(self) -> ConsentRecords:
        """The records of consent."""
        from party.consent.records import ConsentRecords

        key = hmac.digest(self.identity.people_key, b"consent records", "sha256")
        return ConsentRecords(self.store, self.journal, key, lambda: self.clock())

    def own_card(self) -> IdentityCard:
        """Return the card as it is passed on: that of public.yaml, which its owner may edit.

        Raises:
            SettingsError: the file is missing, or another party's.
            ContractError: it is no card.
        """
        path = self.folder / CARD_FILE
        try:
            card = IdentityCard.parse(path.read_bytes(), source=str(path))
        except OSError as error:
            raise SettingsError(
                message(
                    "the card {path} cannot be read: {strerror}",
                    path=path,
                    strerror=error.strerror,
                )
            ) from None
        if card.identity != self.identity.vkey or self.identity.place_of(card.keys) is None:
            raise SettingsError(
                message(
                    "{path} is another party's card; restore this party's own",
                    path=path,
                )
            )
        present = card.with_keys(self.identity.keys.public)
        if present != card:  # a key was replaced, and the new one has come into use
            replace_file(path, present.to_yaml().encode())
        return present

    def session_folder(self, request_id: str) -> SessionFolder:
        """Return the folder of a session's artefacts."""
        from party.artefacts import SessionFolder

        most = self.settings.max_points
        return SessionFolder(self.folder / "sessions" / request_id, most_points=most)

    def replay_folder(self, request_id: str) -> SessionFolder:
        """Return the folder in which a session is repeated, which is deleted at the end."""
        from party.artefacts import SessionFolder

        return SessionFolder(self.folder / "sessions" / f"replay-{request_id}")

    # -- contracts ------------------------------------------------------------------------

    def keep_contract(self, contract: Contract) -> None:
        """Store a contract that all parties have signed and that names this party.

        Raises:
            ContractError: a signature is missing or does not fit, or it is for others.
        """
        contract.me(self.identity)
        contract.verify_signatures()
        body = signed_terms(contract)

        def work(connection: Connection) -> None:
            require_none_revoked(connection, contract)
            known = sa.select(CONTRACTS.c.hash).where(CONTRACTS.c.hash == contract.digest)
            if connection.execute(known).first() is not None:
                return
            connection.execute(
                sa.insert(CONTRACTS).values(
                    hash=contract.digest,
                    name=contract.id,
                    text=render_contract(contract),
                    stored_at=self.now,
                )
            )
            self.journal.append(
                connection, "contract.signed", body, actor=BY_HAND, contract=contract.digest
            )

        self.store.write(work)

    def contracts(self) -> list[Contract]:
        """Return the stored contracts, newest first.

        Raises:
            StoredContractError: one is not what was signed.
        """
        rows = self.store.rows(sa.select(CONTRACTS).order_by(CONTRACTS.c.stored_at.desc()))
        known = known_statements(self)
        return [_read_contract(row.name, row.text, row.hash, known) for row in rows]

    def contract(self, wanted: str | None) -> Contract:
        """Return the contract with an id, or a hash's first digits; the only one for None.

        Raises:
            ContractError: there is none such, or more than one.
        """
        found = [
            contract
            for contract in self.contracts()
            if wanted is None or contract.id == wanted or contract.digest.startswith(wanted)
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            raise ContractError(
                message(
                    "there is no contract {value} here: import one with "
                    "`commonground contract import FILE`",
                    value=wanted or "",
                )
            )
        names = ", ".join(f"{contract.id} ({contract.digest[:12]})" for contract in found)
        raise ContractError(
            message(
                "say which contract with --contract: {names}",
                names=names,
            )
        )

    # -- datasets -------------------------------------------------------------------------

    def keep_dataset(
        self,
        definition: Definition,
        quality: QualityReport,
        population: str | None,
        *,
        former: Registered | None = None,
    ) -> None:
        """Store a dataset under its name; see `registrations.keep` for what is raised."""
        registrations.keep(self, definition, quality, population, former=former)

    def datasets(self) -> list[Registered]:
        """Return the registered datasets that sessions may read, by name."""
        return [one for one in registrations.every(self) if one.in_use(self.now)]

    def definition(self, name: str) -> Definition:
        """Return the description of a registered dataset, with what the store knows of its people.

        Raises:
            DatasetError: there is none of this name, or its description is not readable.
        """
        from party.datasets import Definition
        from party.subjects.erasures import erased_of

        registered = self.dataset(name)
        definition = Definition.from_dict(registered.definition)
        return self.with_records(replace(definition, erased=erased_of(self, registered.population)))

    def dataset(self, name: str) -> Registered:
        """Return one registered dataset that sessions may read.

        Raises:
            DatasetError: there is none of this name, or it has come to its end.
        """
        registered = registrations.find(self, name)
        registered.require_in_use(self.now)
        return registered

    def with_records(self, definition: Definition) -> Definition:
        """Return a description that finds this party's records of consent."""
        return replace(definition, records=self.consent)


@lru_cache(maxsize=64)  # every call of a counterpart is held against the contracts
def _read_contract(name: str, text: str, digest: str, known: tuple[str, ...]) -> Contract:
    """Return a contract from its row in the store, unless it was changed there.

    `known` are statements of keys, by which its parties' cards lead to the present keys.
    """
    with suppress(ContractError):
        contract = parse_contract(text.encode(), source=f"contract {name}")
        contract.verify_signatures()
        if contract.digest == digest:
            return contract.knowing(by_party(known))
    raise StoredContractError(
        message(
            "the stored contract {name} was changed after it was signed: "
            "restore the store from a backup",
            name=name,
        )
    )


def require_unused(url: str) -> None:
    """Refuse a store that a party has: two would write one log with two keys."""
    store = Store.create(url)
    try:
        if store.row(sa.select(LOG_HEAD.c.size)) is not None:
            raise StoreError(
                message(
                    "the store holds another party's log: give each party a database of its own"
                )
            )
    finally:
        store.close()


def _require(what: str, text: str, rule: TextRule) -> None:
    problem = rule.broken_by(text)
    if problem is not None:
        raise SettingsError(f"{what}: {problem}")
