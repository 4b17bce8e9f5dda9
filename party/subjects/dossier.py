"""What a party can tell a person: in which sessions and lists their record took part, and for whom.

Read from what is kept. Sessions whose artefacts were deleted at the end of their retention are
counted and no more: nobody can say any longer who took part in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audit.bodies import ExportMade
from party import registrations
from party.contract import Contract
from party.contract_terms import OutputKind, write_time
from party.datasets.consent_events import Said
from party.datasets.times import MICROSECONDS
from party.evidence import StoredLog
from party.lists import Lists, MatchedList
from party.request import Request
from party.schema import REQUESTS, SESSIONS, SUPPRESSION_RUNS
from party.session_record import seal_context
from party.subjects.participants import Participants
from party.subjects.person import Found, Person
from party.suppression.book import DONE
from psi.legs import RECEIVER, SENDER
from psi.seed import Seed

if TYPE_CHECKING:
    from party.organisation import Organisation


@dataclass(frozen=True)
class TookPart:
    """A session in which a person's record took part; times are in Unix seconds.

    `recipients` are the other parties by name and organisation. `list_ends` says until when the
    receiver of a list may keep it, where there was one; `taken_off` when it last acknowledged that
    who had withdrawn by then is off it; `kept_until` until when the session's artefacts stay here,
    None while it is open.
    """

    request: str
    kind: str
    purpose: str
    contract: str
    dataset: str
    state: str
    began: int
    recipients: dict[str, str]
    list_for: str | None
    list_ends: int | None
    taken_off: int | None
    kept_until: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        times: dict[str, str | None] = {"began": write_time(self.began)}
        for name in ("list_ends", "taken_off", "kept_until"):
            moment = getattr(self, name)
            times[name] = None if moment is None else write_time(moment)
        return asdict(self) | times


@dataclass(frozen=True)
class Listed:
    """A list of this party's on which the person stands, and where it was taken."""

    request: str
    title: str
    use: str
    learnt_from: str
    made: int
    ends: int
    exported_to: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        times = {"made": write_time(self.made), "ends": write_time(self.ends)}
        return asdict(self) | times | {"exported_to": list(self.exported_to)}


@dataclass(frozen=True, repr=False)
class Dossier:
    """What is known of a person; `untold` counts the sessions of which nothing is kept."""

    person: Person
    sessions: tuple[TookPart, ...]
    lists: tuple[Listed, ...]
    untold: int

    @property
    def recipients(self) -> dict[str, str]:
        """Every party that a session with the person's record was held with."""
        return {name: who for one in self.sessions for name, who in one.recipients.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, without the person's own rows."""
        return {
            "datasets": [_found(one) for one in self.person.found],
            "datasets_not_read": list(self.person.unread),
            "sessions": [one.to_dict() for one in self.sessions],
            "lists_here": [one.to_dict() for one in self.lists],
            "recipients": self.recipients,
            "sessions_of_which_nothing_is_kept": self.untold,
        }


def open_dossier(party: Organisation, person: Person) -> Dossier:
    """Gather what is kept about somebody.

    Raises:
        ResultError, IdentityError: something stored is not what was stored.
    """
    sessions = tuple(part for part, _, _ in sessions_with(party, person))
    lists = tuple(_listed(party, one) for one in lists_with(party, person))
    gone = sa.select(sa.func.count()).select_from(SESSIONS).where(SESSIONS.c.sealed_seed == b"")
    row = party.store.row(gone)
    return Dossier(person, sessions, lists, 0 if row is None else int(row[0]))


def sessions_with(
    party: Organisation, person: Person
) -> Iterator[tuple[TookPart, Participants, Seed]]:
    """Yield the kept sessions in which somebody took part, each with all who did and its seed."""
    contracts = {contract.digest: contract for contract in party.contracts()}
    rows = party.store.rows(
        sa.select(SESSIONS, REQUESTS.c.body)
        .join(REQUESTS, REQUESTS.c.id == SESSIONS.c.request)
        .where(SESSIONS.c.sealed_seed != b"")
        .order_by(SESSIONS.c.started_at)
    )
    keys = person.keys()
    for row in rows:
        folder = party.session_folder(row.request)
        try:
            participants = Participants.read(folder, party.identity, row.request)
        except FileNotFoundError:  # it has none, or has come to its end meanwhile
            continue
        request = Request.decode(row.body.encode())
        contract = contracts[request.contract]
        dataset = request.datasets[contract.me(party.identity)]
        references = person.references(population_of(party, dataset))
        seed = Seed(party.identity.unseal(row.sealed_seed, seal_context(row.request)))
        if participants.include(references, keys, seed):
            yield _took_part(party, row, request, contract), participants, seed


def lists_with(party: Organisation, person: Person) -> list[MatchedList]:
    """Return the lists of this party's that name somebody, or named them at a refresh."""
    lists, found = Lists(party), []
    for one in lists.held():
        with lists.kept_still(one.request.id) as held:
            if is_on(party, person, held):
                found.append(held)
    return found


def is_on(party: Organisation, person: Person, held: MatchedList) -> bool:
    """Say whether a list that is kept still names somebody, or named them at its refresh."""
    if held.state(party.now) != "live" or not held.file.is_file():
        return False
    references = set(names_in(party, person, held))
    named = (held.read_part(part)["reference"].to_pylist() for part in held.parts)
    return any(not references.isdisjoint(names) for names in named)


def names_in(party: Organisation, person: Person, held: MatchedList) -> tuple[str, ...]:
    """Return what a list of this party's calls somebody.

    Where rows are people these are their places, as long as the source is that of the list.
    """
    places = [
        place
        for one in person.found
        if (one.dataset, one.snapshot) == (held.dataset, held.snapshot)
        for place in one.places
    ]
    return (*person.references(population_of(party, held.dataset)), *places)


def population_of(party: Organisation, dataset: str) -> str:
    """Return whose people a dataset is of, which stays when it has come to its end."""
    return registrations.find(party, dataset).population


def _took_part(
    party: Organisation, row: sa.Row[Any], request: Request, contract: Contract
) -> TookPart:
    me = contract.me(party.identity)
    others = [name for name in request.participants if name != me]
    is_sender = request.kind is OutputKind.MATCH and request.roles.get(SENDER) == me
    return TookPart(
        request=request.id,
        kind=str(request.kind),
        purpose=request.purpose,
        contract=contract.id,
        dataset=request.datasets[me],
        state=row.state,
        began=row.started_at,
        recipients={name: contract.parties[name].organisation for name in others},
        list_for=request.roles[RECEIVER] if is_sender else None,
        list_ends=contract.list_expires_at(request.created) if is_sender else None,
        taken_off=_last_run(party, request) if is_sender else None,
        kept_until=row.ends_at,
    )


def _last_run(party: Organisation, request: Request) -> int | None:
    """Return when the receiver of a list last acknowledged a suppression run."""
    runs = SUPPRESSION_RUNS.c
    done = sa.select(sa.func.max(runs.changed_at).label("at")).where(
        runs.request == request.id, runs.state == DONE
    )
    row = party.store.row(done)
    return None if row is None or row.at is None else int(row.at)


def _listed(party: Organisation, held: MatchedList) -> Listed:
    entries = StoredLog(party.store, party.identity).about(held.request.id)
    taken = [entry.body.to for entry in entries if isinstance(entry.body, ExportMade)]
    return Listed(
        request=held.request.id,
        title=held.title,
        use=held.use.value,
        learnt_from=held.peer,
        made=held.made_at,
        ends=held.expires_at,
        exported_to=tuple(dict.fromkeys(taken)),
    )


def _found(one: Found) -> dict[str, Any]:
    return {
        "dataset": one.dataset,
        "called": list(one.references),
        "rows": len(one.rows),
        "identifier_types": [type_ for type_, held in one.identifiers.items() if len(held)],
        "labels": dict(one.labels),
        "consent_now": [asdict(standing) for standing in one.consents],
        "consent_history": [_event(said) for said in one.said],
    }


def _event(said: Said) -> dict[str, Any]:
    return {
        "at": write_time(said.at // MICROSECONDS),
        "purpose": said.purpose,
        "recipient": said.recipient,
        "state": said.state,
        "by": said.by,
    }
