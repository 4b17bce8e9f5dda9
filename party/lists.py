"""The lists that a party holds: by name, with what each is for, how large it is, until when.

Only the receiver of a match has its list. A list that has expired, was deleted, replaced or
changed is refused with what to do; nothing is read from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from languages import message
from party import list_names
from party.contract_terms import ListUse, write_time
from party.datasets import Definition
from party.decision import OPEN_STATES
from party.desk import Desk
from party.errors import PartyError, Refusal, RefusalStatus
from party.filing import Filed, Filing
from party.list_files import Part, change_file, read_list, require_unchanged
from party.occupied import changing_list
from party.organisation import Organisation
from party.request import Request
from party.schema import LEDGER, LIST_GENERATIONS, REQUESTS, RESULTS
from psi.legs import RECEIVER, SENDER

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ListPart:
    """A file of a list: its SHA-256 (hex) and how many people are in it."""

    file: Path
    sha256: str
    people: int


@dataclass(frozen=True)
class MatchedList:
    """A list as this party holds it; `made_at` and `expires_at` are Unix seconds.

    `parts` has the whole list and, after a refresh, who was added and who was removed.
    `suppressed` says which suppression run was applied last, and when; None before the first.
    `snapshot` is the digest (hex) of the source that the list was made from. `replaced` says that
    a refresh has taken its place, and `kept` that it has not been deleted.
    """

    request: Request
    name: str | None
    peer: str
    made_at: int
    expires_at: int
    snapshot: str
    parts: Mapping[Part, ListPart]
    suppressed: Mapping[str, int] | None
    replaced: bool
    kept: bool

    @property
    def title(self) -> str:
        """The list's name, or the first digits of its request's id."""
        return self.name or self.request.id[:8]

    @property
    def file(self) -> Path:
        """Where the whole list lies, as Parquet."""
        return self.parts[Part.WHOLE].file

    @property
    def people(self) -> int:
        """How many people it names: exact, and for its owner's eyes."""
        return self.parts[Part.WHOLE].people

    @property
    def use(self) -> ListUse:
        """What the list is for."""
        return self.request.use or ListUse.INCLUDE

    @property
    def dataset(self) -> str:
        """This party's dataset, whose people the list names."""
        return self.request.datasets[self.request.roles[RECEIVER]]

    def state(self, now: int) -> str:
        """Say how the list stands: `live`, `expired`, `replaced` or `deleted`."""
        if now >= self.expires_at:
            return "expired"
        if self.replaced:
            return "replaced"
        return "live" if self.kept else "deleted"

    def require_live(self, now: int) -> None:
        """Raise Refusal (EXPIRED) or PartyError unless the list may be used."""
        match self.state(now):
            case "expired":
                raise Refusal(
                    RefusalStatus.EXPIRED,
                    message(
                        "the list {title} expired on {expires_at} and was deleted. "
                        "Delete what you exported, and make a new list with "
                        "`commonground match`",
                        title=self.title,
                        expires_at=write_time(self.expires_at),
                    ),
                )
            case "replaced":
                raise PartyError(
                    message(
                        "the list of request {id} was deleted when a refresh took its "
                        "place: see `commonground lists show {title}`",
                        id=self.request.id[:8],
                        title=self.title,
                    )
                )
        if not self.kept or not self.file.is_file():
            raise PartyError(
                message(
                    "the list {file} is not there: it was deleted or moved. A new "
                    "match makes a new one",
                    file=self.file,
                )
            )

    def part(self, part: Part) -> ListPart:
        """Return a part of the list; PartyError when a list has no such part."""
        if part not in self.parts:
            raise PartyError(
                message(
                    "the list {title} has no part '{part}': only a list that was "
                    "refreshed, while the one before it was whole, knows who came "
                    "and who went",
                    title=self.title,
                    part=part,
                )
            )
        return self.parts[part]

    def require_whole(self, now: int) -> None:
        """Raise what `require_live` does, and ResultError when a file was changed."""
        self.require_live(now)
        for part in self.parts.values():
            require_unchanged(part.file, part.sha256)

    def table(self, part: Part, now: int) -> pa.Table:
        """Return `reference` and `matched_by` of a part; see `require_whole` for what is raised."""
        self.require_live(now)
        table = self.read_part(part)
        if part is Part.ADDED:  # whom a suppression run took off the list since is not new on it
            import pyarrow.compute as pc

            whole = self.read_part(Part.WHOLE)["reference"].combine_chunks()
            table = table.filter(pc.is_in(table["reference"], value_set=whole))
        return table

    def read_part(self, part: Part) -> pa.Table:
        """Return `reference` and `matched_by` of a part as it was written; ResultError as above."""
        wanted = self.part(part)
        return read_list(wanted.file, wanted.sha256).select(["reference", "matched_by"])


_OF_REQUEST: Final = REQUESTS.c.id == RESULTS.c.request
_WITH_NAMES: Final = sa.select(
    RESULTS, LIST_GENERATIONS.c.name, list_names.was_replaced(RESULTS.c.request).label("replaced")
).outerjoin(LIST_GENERATIONS, LIST_GENERATIONS.c.request == RESULTS.c.request)
"""Results, with what their lists are called, and whether another has taken a list's place."""


class Lists:
    """One party's lists."""

    def __init__(self, party: Organisation) -> None:
        self._party, self._desk = party, Desk(party)

    def held(self, *, before: str | None = None, most: int | None = None) -> list[MatchedList]:
        """Return the lists that no refresh has taken the place of, newest first.

        Where `before` names the request of one, those that are older; so many, where `most` is
        given.

        Raises:
            ResultError: one is not what this party stored.
        """
        place = (RESULTS.c.made_at, REQUESTS.c.number)
        query = (
            _WITH_NAMES.join(REQUESTS, _OF_REQUEST)
            .where(RESULTS.c.expires_at.is_not(None), RESULTS.c.ends_at.is_not(None))
            .where(~list_names.was_replaced(RESULTS.c.request))
            .order_by(RESULTS.c.made_at.desc(), REQUESTS.c.number.desc())
            .limit(most)
        )
        if before is not None:
            named = sa.select(*place).join_from(RESULTS, REQUESTS, _OF_REQUEST)
            row = self._party.store.row(named.where(RESULTS.c.request == before))
            query = query.where(sa.tuple_(*place) < sa.tuple_(*(row or (0, 0))))
        rows = self._party.store.rows(query)
        filed = Filing(self._party).some([row.request for row in rows])
        return [self._matched(filed[row.request], self._desk.read_result(row), row) for row in rows]

    def under_way(self) -> list[tuple[str, Filed]]:
        """Return the names whose lists are being made, each with its request."""
        query = (
            sa.select(LIST_GENERATIONS.c.name, LIST_GENERATIONS.c.request)
            .join(REQUESTS, REQUESTS.c.id == LIST_GENERATIONS.c.request)
            .where(REQUESTS.c.state.in_(OPEN_STATES))
            .order_by(LIST_GENERATIONS.c.name)
        )
        rows = self._party.store.rows(query)
        return [(row.name, self._desk.find(row.request)) for row in rows]

    def find(self, wanted: str) -> MatchedList:
        """Return the list of this name, or of the request whose id starts so.

        Raises:
            PartyError: there is none, or this party is not the one that has it.
            ResultError: it is not what this party stored.
        """
        return self.of_request(self.match_of(wanted).request.id)

    def match_of(self, wanted: str) -> Filed:
        """Return the request behind a list of this party's by name, or any whose id starts so.

        Raises:
            PartyError: there is none, or the list is not made yet.
        """
        request = list_names.newest(self._party.store, wanted)
        if request is None:
            for name, filed in self.under_way():
                if name == wanted:
                    raise PartyError(
                        message(
                            "the list {wanted} is not made yet: go on with `commonground "
                            "requests resume {id}`",
                            wanted=wanted,
                            id=filed.request.id[:8],
                        )
                    )
            request = wanted
        try:
            return self._desk.find(request)
        except PartyError as error:
            raise PartyError(
                message(
                    "there is no list called {wanted}, and {error}",
                    wanted=wanted,
                    error=error,
                )
            ) from None

    def of_request(self, request_id: str) -> MatchedList:
        """Return the list that a finished match has brought this party.

        Raises:
            PartyError: it has brought none.
            ResultError: it is not what this party stored.
        """
        filed = self._desk.find(request_id)
        stored = self._desk.require_result(filed)
        if stored["role"] != RECEIVER:
            what = "its receiver has" if stored["role"] == SENDER else "a match has"
            raise PartyError(
                message(
                    "request {request_id} has brought you no list: only {what} one",
                    request_id=request_id[:8],
                    what=what,
                )
            )
        row = self._party.store.row(_WITH_NAMES.where(RESULTS.c.request == filed.id))
        assert row is not None  # it was read just now
        return self._matched(filed, stored, row)

    @contextmanager
    def kept_still(self, request_id: str) -> Iterator[MatchedList]:
        """Return a list as it is now; nobody is taken off it, and it is not deleted, meanwhile.

        Raises:
            InUse: another process has been at it for long.
            PartyError, ResultError: as `of_request`.
        """
        with changing_list(self._party.folder, request_id):
            yield self.of_request(request_id)

    def give_name(self, wanted: str, name: str) -> MatchedList:
        """Name a list that has no name yet, such as one that the counterpart asked for.

        Raises:
            PartyError: it has a name, or the name is another list's.
            Refusal: it has expired.
        """
        found = self.find(wanted)
        found.require_live(self._party.now)
        if found.name is not None:
            raise PartyError(
                message(
                    "the list is called {name} and stays so",
                    name=found.name,
                )
            )
        naming = list_names.Naming(name)
        self._party.store.write(lambda c: list_names.register(c, found.request.id, naming))
        return replace(found, name=name)

    def require_same_people(self, found: MatchedList) -> None:
        """Refuse a refresh of a list whose dataset has other people now than when it was made.

        Raises:
            PartyError: the dataset is another population's, or does not tell people by a column.
        """
        registered = self._party.dataset(found.dataset)
        if Definition.from_dict(registered.definition).person_column is None:
            raise PartyError(
                message(
                    "dataset {dataset} tells people by the number of their row, "
                    "which says nothing from one file to the next: describe it with "
                    "a 'person' column first",
                    dataset=found.dataset,
                )
            )
        charged = sa.select(LEDGER.c.population).where(LEDGER.c.request == found.request.id)
        row = self._party.store.row(charged)
        if row is None or row.population != registered.population:
            raise PartyError(
                message(
                    "dataset {dataset} is of the population {population}, and the "
                    "list {title} was made of other people: make a new list with "
                    "`commonground match`",
                    dataset=found.dataset,
                    population=registered.population,
                    title=found.title,
                )
            )

    def _matched(self, filed: Filed, stored: Mapping[str, Any], row: sa.Row[Any]) -> MatchedList:
        request = filed.request
        folder = self._party.folder / "lists"
        parts = {
            Part.WHOLE: ListPart(
                folder / Path(stored["list_file"]).name,  # a party's folder may have moved
                stored["list_sha256"],
                stored["people"],
            )
        }
        for name, change in stored.get("changes", {}).items():
            file = change_file(folder, request.id, Part(name))
            parts[Part(name)] = ListPart(file, change["sha256"], change["people"])
        return MatchedList(
            request=request,
            name=row.name,
            peer=filed.peer,
            made_at=row.made_at,
            expires_at=stored["expires_at"],
            snapshot=stored.get("source_snapshot", ""),
            parts=MappingProxyType(parts),
            suppressed=stored.get("suppressed"),
            replaced=bool(row.replaced),
            kept=row.list_file is not None,
        )
