"""A party's registered datasets: kept under their names, until the end that their owner declares.

A dataset that has come to its end serves nothing any more, also before it is erased. Erasing takes
description, report and copies; the name keeps its population, so that a budget that was spent on
these people stays spent, and the digest of its content, so that the same content does not begin a
second time.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import DatasetErased, DatasetRegistered
from audit.roles import BY_HAND
from languages import Message, message
from party.contract_terms import OutputKind, write_time
from party.datasets.retention import Retention
from party.errors import DatasetError, Refusal, RefusalStatus
from party.schema import DATASETS, REQUESTS, SESSIONS

if TYPE_CHECKING:
    from party.contract import Contract
    from party.datasets import Definition, QualityReport
    from party.organisation import Organisation
    from party.request import Request

FRAMES: Final = "frames"
"""Where a party's folder holds tables that came from memory."""


@dataclass(frozen=True)
class Registered:
    """A dataset as it was registered: description, quality report and content digest.

    `since` is when this content was registered first. Once it is erased (`erased_at`), description
    and report are empty. Times are in Unix seconds.
    """

    name: str
    definition: dict[str, Any]
    quality: dict[str, Any]
    population: str
    snapshot: str
    registered_at: int
    since: int = 0
    erased_at: int | None = None

    @property
    def retention(self) -> Retention | None:
        """What its description says of its end."""
        section = self.definition.get("retention")
        return None if section is None else Retention.from_json(section)

    @property
    def ends_at(self) -> int | None:
        """When it comes to its end, None where no end is declared."""
        return None if self.retention is None else self.retention.ends_at(self.since)

    def source_outside(self, folder: Path) -> str | None:
        """Say what it is read from, unless that is a copy of the party's in its `folder`."""
        source = self.definition.get("source")
        if isinstance(source, dict):
            (place,) = (source[key] for key in source if key != "query")
            return f"a query to {place}"
        if source is None or Path(source).is_relative_to(folder / FRAMES):
            return None
        return str(source)

    def in_use(self, now: int) -> bool:
        """Say whether a session may read it."""
        return self.erased_at is None and (self.ends_at is None or now < self.ends_at)

    def require_in_use(self, now: int) -> None:
        """Raise `DatasetError` unless a session may read it."""
        if not self.in_use(now):
            when = self.erased_at or self.ends_at or now
            raise DatasetError(
                message(
                    "the retention of dataset {name} ended on {when}: it serves "
                    "nothing any more. Register data that you may keep, with "
                    "`commonground dataset add FILE`",
                    name=self.name,
                    when=write_time(when),
                )
            )


def keep(
    party: Organisation,
    definition: Definition,
    quality: QualityReport,
    population: str | None,
    *,
    former: Registered | None = None,
) -> None:
    """Store a dataset's description, and the report and snapshot of what was read, by name.

    Registering a name again replaces the description and inherits population and ledger. The same
    content keeps the beginning of its retention. So does content that only an erased person has
    left: `former` is the registration that it takes the place of, and of no other.

    Raises:
        DatasetError: an identifier column cannot be used as it is declared, there is only
            one person, its retention is over or ends before a list that was made of it, the
            population is another one, or `former` stands no more; nothing is registered.
    """
    found = [(one.name, one.problem) for one in quality.columns if one.problem]
    found += [(one.column, one.problem) for one in quality.personal]
    problems = [message("{what}: {details}", what=what, details=said) for what, said in found]
    if quality.people < 2:
        problems.append(message("it has a single person, who cannot hide among others"))
    if problems:
        raise DatasetError(
            message(
                "dataset {name} is not registered. {problems}",
                name=definition.name,
                problems=reduce(_and, problems),
            )
        )
    snapshot, out_until = quality.snapshot.hex(), _last_list_end(party, definition.name)

    def work(connection: Connection) -> None:
        key = DATASETS.c.name == definition.name
        old = connection.execute(sa.select(DATASETS).where(key)).first()
        if old is not None and population not in (None, old.population):
            raise DatasetError(
                message(
                    "the people of dataset {name} are the population {population}, "
                    "whose ledger stays theirs: leave it out, or choose another name "
                    "for other people",
                    name=definition.name,
                    population=old.population,
                )
            )
        if former is not None and (old is None or _read(old) != former):
            raise DatasetError(
                message(
                    "dataset {name} was registered anew meanwhile; run again",
                    name=definition.name,
                )
            )
        same = old is not None and (former is not None or old.snapshot == snapshot)
        begun = old.since if same and old is not None else party.now
        registered = Registered(
            definition.name,
            definition.to_dict(),
            quality.to_dict(),
            old.population if old else (population or definition.name),
            snapshot,
            party.now,
            begun,
        )
        registered.require_in_use(party.now)
        if registered.ends_at is not None and max(registered.ends_at, party.now) < out_until:
            raise DatasetError(
                message(
                    "dataset {name} would end on {ends_at}, and a list that was made "
                    "of it is out until {out_until}: whoever withdraws has to be "
                    "found in it until then. State a later end",
                    name=definition.name,
                    ends_at=write_time(registered.ends_at),
                    out_until=write_time(out_until),
                )
            )
        values = {
            "definition": json.dumps(registered.definition),
            "quality": json.dumps(registered.quality),
            "population": registered.population,
            "snapshot": snapshot,
            "registered_at": registered.registered_at,
            "since": begun,
            "erased_at": None,
        }
        if old is None:
            connection.execute(sa.insert(DATASETS).values(name=definition.name, **values))
        else:
            connection.execute(sa.update(DATASETS).where(key).values(**values))
        body = DatasetRegistered(
            name=definition.name,
            snapshot=snapshot,
            columns=tuple(column.name for column in definition.columns),
            minors_under=definition.minors.under if definition.minors else None,
            sensitive=tuple(definition.sensitive) or None,
            ends_at=registered.ends_at,
            dropped=definition.scan.dropped or None,
            not_personal=definition.scan.not_personal or None,
        )
        party.journal.append(connection, "dataset.registered", body, actor=BY_HAND)

    party.store.write(work)


def name_in(party: Organisation, contract: Contract) -> str:
    """Return what a contract calls this party, also one that pins an earlier certificate."""
    cards = contract.parties.items()
    return next(name for name, card in cards if card.identity == party.identity.vkey)


def _last_list_end(party: Organisation, name: str) -> int:
    """Return when the last list ends that was made of a dataset, 0 where there is none."""
    contracts = {contract.digest: contract for contract in party.contracts()}
    rows = party.store.rows(
        sa.select(REQUESTS.c.contract, sa.func.max(REQUESTS.c.asked_at).label("last"))
        .join(SESSIONS, SESSIONS.c.request == REQUESTS.c.id)
        .where(REQUESTS.c.kind == str(OutputKind.MATCH), SESSIONS.c.state == "finished")
        .where(REQUESTS.c.dataset == name)
        .group_by(REQUESTS.c.contract)
    )
    return max((contracts[row.contract].list_expires_at(row.last) for row in rows), default=0)


def every(party: Organisation) -> list[Registered]:
    """Return all datasets by name, also those that have come to their end."""
    return [_read(row) for row in party.store.rows(sa.select(DATASETS).order_by(DATASETS.c.name))]


def find(party: Organisation, name: str) -> Registered:
    """Return one dataset, also when it has come to its end.

    Raises:
        DatasetError: there is none of this name.
    """
    found = {registered.name: registered for registered in every(party)}
    if name not in found:
        known = ", ".join(found) or "none"
        raise DatasetError(
            message(
                "no dataset {name} is registered here (registered: {known}); "
                "register it with `commonground dataset add FILE`",
                name=name,
                known=known,
            )
        )
    return found[name]


def require_kept(party: Organisation, request: Request, contract: Contract) -> None:
    """Refuse a request whose dataset is not kept long enough here; nothing is spent.

    A list may not outlive the dataset that it was made from: whoever withdraws could not be found
    in it any more and would stay on the list.

    Raises:
        Refusal: EXPIRED.
        DatasetError: there is no such dataset.
    """
    registered = find(party, request.datasets[contract.me(party.identity)])
    try:
        registered.require_in_use(party.now)
    except DatasetError as error:
        raise Refusal(RefusalStatus.EXPIRED, str(error)) from None
    if request.kind is not OutputKind.MATCH or registered.ends_at is None:
        return
    end = contract.list_expires_at(request.created)
    if registered.ends_at < end:
        raise Refusal(
            RefusalStatus.EXPIRED,
            message(
                "the retention of dataset {name} ends on {ends_at}, and the list "
                "would be kept until {end}: register data that may be kept as "
                "long, or agree on a shorter list_expiry_days",
                name=registered.name,
                ends_at=write_time(registered.ends_at),
                end=write_time(end),
            ),
        )


def erase(party: Organisation, registered: Registered) -> None:
    """Delete what the party's folder and store hold of a dataset, and log it.

    Files that its description names outside the folder are the owner's, and stay.
    """
    shutil.rmtree(party.folder / FRAMES / registered.name, ignore_errors=True)

    def work(connection: Connection) -> None:
        is_it = (
            DATASETS.c.name == registered.name,
            DATASETS.c.registered_at == registered.registered_at,
            DATASETS.c.erased_at.is_(None),
        )
        gone = {"definition": "", "quality": "", "erased_at": party.now}
        if connection.execute(sa.update(DATASETS).where(*is_it).values(gone)).rowcount:
            body = DatasetErased(name=registered.name, snapshot=registered.snapshot)
            party.journal.append(connection, "dataset.erased", body, actor="retention")

    party.store.write(work)


def _read(row: sa.Row[Any]) -> Registered:
    return Registered(
        row.name,
        json.loads(row.definition or "{}"),
        json.loads(row.quality or "{}"),
        row.population,
        row.snapshot,
        row.registered_at,
        row.since,
        row.erased_at,
    )


def _and(one: Message, other: Message) -> Message:
    return message("{one}; {other}", one=one, other=other)
