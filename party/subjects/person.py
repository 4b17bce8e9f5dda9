"""Finding one person in a party's datasets, by the party's own reference or by an identifier.

Where a reference could be two people's, or an identifier is several people's, nobody is guessed: an
answer to the wrong person would disclose another's data. Errors never repeat what was looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from languages import message
from party.datasets import Definition
from party.datasets.assignment import Flags
from party.datasets.coded import NOTHING
from party.datasets.combination import CombinedLabel
from party.datasets.consent import GIVEN, REFUSED
from party.datasets.consent_events import ConsentEvents, Said
from party.datasets.consent_records import RecordStatements
from party.datasets.erased import identifier_tokens, reference_tokens
from party.datasets.identifier_columns import IdentifierColumns, read_whole
from party.datasets.labels import PlainLabel
from party.datasets.people import People
from party.datasets.rows import Rows, open_source, read_rows
from party.datasets.source import Source
from party.datasets.touch_labels import AgeLabel, JourneyLabel
from party.errors import DatasetError, PartyError
from psi.arrow import integers, positions, texts
from psi.columns import ColumnSpec, read_column
from psi.errors import EmptyColumn, IdentifierError
from psi.keys import Keys
from psi.sets import Buffer, contains

if TYPE_CHECKING:
    from party.organisation import Organisation
    from party.registrations import Registered

REFERENCE: Final = "reference"
_EMAIL: Final = "email"
_MOST: Final = 1024


@dataclass(frozen=True, repr=False)
class Wanted:
    """Who is asked about: `text` is an identifier of a type, or else the party's own reference.

    `dataset` is the only one that is looked at, where it is named.
    """

    text: str
    type: str | None = None
    dataset: str | None = None

    @property
    def words(self) -> bytes:
        """What a log entry about them commits to."""
        return f"{self.type or REFERENCE}\n{self.text}".encode()

    def digests(self) -> list[Buffer]:
        """Return the identifier's digests (1, width), under each choice of the `gmail` option.

        Raises:
            PartyError: it is no usable identifier of its type.
        """
        import pyarrow as pa

        if self.type is None:
            return []
        specs = [ColumnSpec.parse(self.type, gmail=gmail) for gmail in (False, True)]
        column = pa.array([self.text], pa.large_string())
        try:
            read = [read_column(spec, column) for spec in dict.fromkeys(specs)]
        except (EmptyColumn, IdentifierError):
            read = []
        if not read or not all(one.valid[0] for one in read):
            raise PartyError(
                message(
                    "that is no usable identifier of the type {type}: write it as "
                    "the person does, a telephone number with its country code",
                    type=self.type,
                )
            )
        return [one.digests for one in read]

    @property
    def plain_type(self) -> str | None:
        """The identifier's type, whether it is given raw or as a digest."""
        return None if self.type is None else ColumnSpec.parse(self.type).type


@dataclass(frozen=True)
class Standing:
    """What somebody's rows say now of one purpose and recipient: given, refused or nothing."""

    purpose: str
    recipient: str
    state: str


@dataclass(frozen=True, eq=False, repr=False)
class Found:
    """A person in one dataset: what it calls them, which rows and identifiers are theirs.

    All of it is from one reading. `rows` are the numbers of their rows, good for the source that
    has the digest `snapshot` (hex) and for no other; `data` is what stands in these, by column that
    the description names. `own` are the identifiers that nobody else there has, (n, width) digests
    by type, and `identifiers` all of theirs; each under both choices of the `gmail` option. Where
    rows are people there are no `references`, but the `places` of the rows, good for `snapshot`
    too. `recorded` is what the party's records of consent call them.
    """

    dataset: str
    population: str
    references: tuple[str, ...]
    snapshot: str
    rows: npt.NDArray[np.int64]
    data: Mapping[str, Sequence[str | None]]
    identifiers: Mapping[str, Buffer]
    own: Mapping[str, Buffer]
    consents: tuple[Standing, ...]
    said: tuple[Said, ...]
    labels: Mapping[str, str]
    places: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Person:
    """Somebody as far as this party knows them: in which datasets, and by what.

    `unread` are the datasets that could not be read, each with why: they may be in these too.
    """

    wanted: Wanted
    found: tuple[Found, ...]
    digests: tuple[Buffer, ...]
    population: str | None = None
    unread: Mapping[str, str] = field(default_factory=dict)

    def require_read(self) -> None:
        """Raise DatasetError when a dataset could not be read, in which they may be."""
        for name, why in self.unread.items():
            raise DatasetError(
                message(
                    "dataset {name} cannot be read, so nobody can say what of them "
                    "is in it: {why}. Make it readable, let its retention end, or "
                    "name another with --dataset",
                    name=name,
                    why=why,
                )
            )

    def references(self, population: str) -> tuple[str, ...]:
        """What they are called in a population."""
        names = [name for one in self.found if one.population == population
                 for name in one.references]  # fmt: skip
        if self.wanted.type is None and population == self.population:
            names.append(self.wanted.text)
        return tuple(dict.fromkeys(names))

    @property
    def recorded(self) -> tuple[str, ...]:
        """What records of consent may call them."""
        names = [name for one in self.found for name in (*one.recorded, *one.references)]
        names += [self.wanted.text] if self.wanted.type is None else []
        return tuple(dict.fromkeys(names))

    @property
    def populations(self) -> tuple[str, ...]:
        """The populations in which they are called something."""
        named = [one.population for one in self.found if one.references]
        return tuple(dict.fromkeys([*named, *([self.population] if self.population else [])]))

    def own_digests(self) -> Iterator[tuple[str, Buffer]]:
        """Yield the identifiers that are theirs alone, by type, (n, width) each."""
        shared: dict[str, list[Buffer]] = {}
        for one in self.found:
            for type_, digests in one.identifiers.items():
                others = digests[~contains(one.own[type_], digests)]
                shared.setdefault(type_, []).append(others)
        mine = [item for one in self.found for item in one.own.items()]
        if self.wanted.plain_type is not None:
            mine += [(self.wanted.plain_type, digest) for digest in self.digests]
        for type_, digests in mine:
            others = np.concatenate([digests[:0], *shared.get(type_, [])])
            yield type_, digests[~contains(others, digests)] if len(others) else digests

    def keys(self) -> Keys:
        """Return the keys of all identifiers of theirs."""
        parts = [item for one in self.found for item in one.identifiers.items()]
        if self.wanted.plain_type is not None:
            parts += [(self.wanted.plain_type, digest) for digest in self.digests]
        return Keys.concat([Keys.from_digests(type_, digests) for type_, digests in parts])

    def tokens(self, key: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield (population, token) of all by which they are known, under a secret of the party.

        The population is empty for identifiers.
        """
        for population in self.populations:
            names = texts(self.references(population))
            for token in reference_tokens(key, population, names):
                yield population, token.tobytes()
        for type_, digests in self.own_digests():
            for token in identifier_tokens(key, type_, digests):
                yield "", token.tobytes()


def find(party: Organisation, wanted: Wanted) -> Person:
    """Look for somebody in the registered datasets.

    A person who is in none of them is known by what was asked alone. Datasets that cannot be read
    are named in what is returned.

    Raises:
        PartyError: it is no identifier of its type, several people have it, or a reference may be
            several people's.
        DatasetError: none of them can be read, or there is none of the name.
    """
    if not wanted.text or len(wanted.text) > _MOST or not wanted.text.isprintable():
        raise PartyError(
            message(
                "say who it is in one line of 1 to {most} characters",
                most=_MOST,
            )
        )
    digests = tuple(wanted.digests())
    named = [party.dataset(wanted.dataset)] if wanted.dataset else party.datasets()
    found: list[Found] = []
    unread: dict[str, str] = {}
    failure: DatasetError | None = None
    for one in named:
        try:
            here = _look(party, one, wanted, digests)
        except DatasetError as error:
            unread[one.name], failure = str(error), error
        else:
            found += [here] if here else []
    if failure is not None and len(unread) == len(named):
        raise failure
    population = None
    if wanted.type is None:
        among = {one.population for one in found}
        # In what cannot be read, somebody else may be called so.
        among |= {one.population for one in named if one.name in unread}
        among = among or {one.population for one in named}
        if len(among) != 1:
            raise PartyError(
                message(
                    "several populations may call somebody so, and these may be "
                    "different people: name one dataset with --dataset ({named})",
                    named=", ".join(one.name for one in named),
                )
            )
        (population,) = among
    return Person(wanted, tuple(found), digests, population, unread)


def _look(
    party: Organisation, registered: Registered, wanted: Wanted, digests: Sequence[Buffer]
) -> Found | None:
    definition = party.definition(registered.name)
    type_ = wanted.plain_type
    if type_ is None and definition.person_column is None:
        return None  # its people have no reference that stays theirs
    if type_ is not None and type_ not in definition.types:
        return None
    with open_source(definition) as source:
        states = source.states()
        read = partial(read_whole, definition, source, executor=party.executor)
        derived = _of_people(definition)
        needed = [column for label in derived.values() for column in label.columns]
        rows = read_rows(definition, source, list(dict.fromkeys(needed)), read)
        seen = _Identifiers(party, definition, source, rows.people)
        chosen = _chosen(rows.people, wanted, digests, seen)
        if not chosen.any():
            return None
        if np.count_nonzero(chosen) > 1 and definition.person is not None:
            raise PartyError(
                message(
                    "several people of dataset {name} have this identifier: name the "
                    "one who asks by your own reference, so that nobody is told of "
                    "another",
                    name=definition.name,
                )
            )
        identifiers, own = seen.of(chosen)
        mine = np.flatnonzero(np.append(chosen, False)[rows.people.of_row])
        data = source.texts_at(mine, definition.source_columns)
        snapshot = source.snapshot().hex()
        source.require_unchanged(states)
    stable = definition.person_column is not None
    references = rows.people.references.take(integers(np.flatnonzero(chosen))).to_pylist()
    said, recorded = _said(party, rows, mine)
    return Found(
        dataset=definition.name,
        population=registered.population,
        references=tuple(references) if stable else (),
        snapshot=snapshot,
        rows=mine,
        data=data,
        identifiers=identifiers,
        own=own,
        consents=_consents(rows, mine),
        said=said,
        labels=_labels(derived, rows, chosen),
        places=() if stable else tuple(references),
        recorded=recorded,
    )


@dataclass(frozen=True, eq=False, repr=False)
class _Identifiers:
    """Reads the identifiers of all people of a dataset, under both choices of `gmail`."""

    party: Organisation
    definition: Definition
    source: Source
    people: People
    _offers: dict[str, tuple[npt.NDArray[np.int32], Buffer]] = field(default_factory=dict)

    def all_of(self, type: str) -> tuple[npt.NDArray[np.int32], Buffer]:  # noqa: A002
        """Return (person, digest) of every identifier of a type."""
        if type not in self._offers:
            choices = (False, True) if type == _EMAIL else (False,)
            parts = [
                IdentifierColumns(
                    self.definition, self.source, self.people, gmail, self.party.executor
                ).offers_of(type)
                for gmail in choices
            ]
            person = np.concatenate([part.person for part in parts])
            self._offers[type] = person, np.concatenate([part.digests for part in parts])
        return self._offers[type]

    def of(self, chosen: Flags) -> tuple[dict[str, Buffer], dict[str, Buffer]]:
        """Return the identifiers of the chosen people by type, and those that are theirs alone."""
        every, own = {}, {}
        for type_ in self.definition.types:
            person, digests = self.all_of(type_)
            mine = np.unique(digests[chosen[person]], axis=0)
            every[type_] = mine
            own[type_] = mine[~contains(digests[~chosen[person]], mine)]
        return every, own


def _chosen(people: People, wanted: Wanted, digests: Sequence[Buffer], seen: _Identifiers) -> Flags:
    """Say of each person whether they are the one who is looked for."""
    import pyarrow.compute as pc

    if wanted.plain_type is None:
        called = pc.is_in(people.references, texts([wanted.text]))
        return positions(called.cast("int64"), missing=0).astype(np.bool_)
    chosen = np.zeros(len(people), dtype=np.bool_)
    person, held = seen.all_of(wanted.plain_type)
    chosen[person[contains(np.concatenate(digests), held)]] = True
    return chosen


def _said(
    party: Organisation, rows: Rows, mine: npt.NDArray[np.int64]
) -> tuple[tuple[Said, ...], tuple[str, ...]]:
    """Return all that a person's rows have said of consent, and what the records call them."""
    if isinstance(rows.consent, ConsentEvents):
        return rows.consent.said_by(mine), ()
    if not isinstance(rows.consent, RecordStatements):
        return (), ()
    keys = rows.consent.keys
    codes = np.unique(keys.codes[mine])
    names = keys.texts.take(integers(codes[codes != NOTHING])).to_pylist()
    said = [
        Said(event.at, event.purpose or "", event.recipient or "", str(event.state), str(event.by))
        for name in names
        if (kept := party.consent.find(name)) is not None
        for event in kept.events
    ]
    return tuple(sorted(said, key=lambda one: one.at)), tuple(names)


def _consents(rows: Rows, mine: npt.NDArray[np.int64]) -> tuple[Standing, ...]:
    """Return what the rows of a person say to each purpose and recipient that is spoken of."""
    found = []
    for purpose, recipient in rows.consent.grants():
        says = rows.consent.of_rows(purpose, recipient, None)[mine]
        state = "refused" if np.any(says == REFUSED) else "given" if np.any(says == GIVEN) else ""
        found.append(Standing(purpose, recipient, state or "nothing said"))
    return tuple(found)


def _of_people(definition: Definition) -> dict[str, PlainLabel | CombinedLabel]:
    """Return the labels that people have; one that is made of touches holds from slot to slot."""
    labels = definition.labels.items()
    return {name: one for name, one in labels if not isinstance(one, JourneyLabel | AgeLabel)}


def _labels(
    derived: Mapping[str, PlainLabel | CombinedLabel], rows: Rows, chosen: Flags
) -> dict[str, str]:
    """Return the value that each label gives to a person, before any rounding."""
    people = rows.people.only(chosen)
    values = {}
    for name, label in derived.items():
        found = label.assign(rows.columns, people.of_row, len(people))
        given = [label.values[place] for place in found.positions.tolist() if place != NOTHING]
        if given:
            values[name] = ", ".join(dict.fromkeys(given))
    return values
