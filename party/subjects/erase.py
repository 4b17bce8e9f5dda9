"""Erasing a person: out of the lists here, of what sessions keep of them, and of all to come.

First nobody reads the person any more, so that a session that has read them is there to be found.
Then files are deleted, each step good to be repeated; the last is one transaction with the log
entry, so that `subject.erasure` in the log says that it is done. The log itself keeps standing:
entries about a person carry salted commitments, and the salts go.

What stays, and why: the points of a list that is out, under whose tokens a suppression run finds
the person (until the list's end); noisy tables, in which nobody can be found; keyed tokens by which
the person is kept out (GDPR 17(3)(b): or the next file would bring them back).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sqlalchemy.engine import Connection

from audit.bodies import SubjectAccess, SubjectErasure
from audit.commitment import commit, new_salt
from audit.roles import Role
from party.decision import OPEN_STATES
from party.desk import Desk
from party.errors import InputChanged
from party.list_files import delete_changes, sha256_of
from party.lists import Lists, MatchedList
from party.occupied import deleting
from party.subjects.dossier import TookPart, is_on, names_in, population_of, sessions_with
from party.subjects.erasures import (
    SUBJECT,
    commit_to,
    enter_erased,
    erasure_key,
    forget_salts,
    subject_key,
)
from party.subjects.person import Person
from party.suppression.list_file import ListFile
from party.suppression.receiver import change_result
from psi.arrow import texts
from psi.legs import RECEIVER

if TYPE_CHECKING:
    import pyarrow as pa

    from party.organisation import Organisation


What: TypeAlias = Literal["all", "consent"]


@dataclass(frozen=True, repr=False)
class Erasure:
    """What erasing somebody did.

    `salt` opens `commitment` in the log's entry `seq`; it is the person's, and is not kept here.
    `lists` are the titles of lists here that named them. `disclosed` are the sessions that gave
    others a list with them on it, which has not come to its end.
    """

    seq: int
    commitment: str
    salt: bytes
    words: bytes
    lists: tuple[str, ...]
    disclosed: tuple[TookPart, ...]

    def receipt(self, party: str, origin: str) -> dict[str, Any]:
        """Return what the person is given: with it, and with nothing else, the entry is theirs."""
        return {
            "party": party,
            "log": origin,
            "entry": self.seq,
            "kind": "subject.erasure",
            "commitment": self.commitment,
            "context": SUBJECT,
            "salt": self.salt.hex(),
            "committed_to": self.words.decode(),
        }


def note_access(party: Organisation, person: Person, what: What, *, actor: str) -> None:
    """Log that somebody's record was opened to answer them: the fact, not the person."""

    def work(connection: Connection) -> None:
        tokens = (token for _, token in person.tokens(subject_key(party)))
        commitment = commit_to(party, connection, tokens, person.wanted.words)
        body = SubjectAccess(subject=commitment, what=what)
        party.journal.append(connection, "subject.access", body, actor=actor)

    party.store.record(work)


def erase(party: Organisation, person: Person, *, actor: str) -> Erasure:
    """Erase somebody here; suppression runs, which are due then, reach who has a list.

    Raises:
        NotEntitled: only an operator may; nothing was begun.
        InUse: another process erases somebody, or changes a list, for long; repeat it then.
        ResultError, IdentityError: something stored is not what was stored; repeat it then.
    """
    party.access.require(Role.OPERATOR, "subject.erase")
    with deleting(party.folder, patiently=True):
        return _erase(party, person, actor)


def _erase(party: Organisation, person: Person, actor: str) -> Erasure:
    party.store.write(lambda connection: _keep_out(connection, party, person))
    disclosed = []
    keys = person.keys()
    for part, participants, seed in list(sessions_with(party, person)):
        _end_match(party, part)  # first: it is found by those who took part
        names = person.references(population_of(party, part.dataset))
        others = participants.without(names, keys, seed)
        others.keep(party.session_folder(part.request), party.identity, part.request)
        if part.list_ends is not None and part.list_ends > party.now:
            disclosed.append(part)
    lists = _take_off_all(party, person)
    found = (party.consent.find(name) for name in person.recorded)
    recorded = [records for records in found if records is not None]
    salt, words = new_salt(), person.wanted.words
    commitment = commit(SUBJECT, words, salt).hex()

    def work(connection: Connection) -> int:
        for records in recorded:
            party.consent.forget(connection, records.subject)
        forget_salts(connection, [token for _, token in person.tokens(subject_key(party))])
        body = SubjectErasure(subject=commitment)
        return party.journal.append(connection, "subject.erasure", body, actor=actor)

    seq = party.store.write(work)
    titles = tuple(held.title for held in lists)
    return Erasure(seq, commitment, salt, words, titles, tuple(disclosed))


def _keep_out(connection: Connection, party: Organisation, person: Person) -> None:
    """Let nobody read the person from now on, so that what has read them is there to be found."""
    for population, token in person.tokens(erasure_key(party)):
        enter_erased(connection, [token], population, now=party.now)


def _end_match(party: Organisation, part: TookPart) -> None:
    """End a match under way that would bring this party a list with the person on it."""
    desk = Desk(party)
    filed = desk.find(part.request)
    me = party.contract(filed.request.contract).me(party.identity)
    if filed.request.roles.get(RECEIVER) == me and filed.state in OPEN_STATES:
        desk.end_here(filed, InputChanged.dataset())


def _take_off_all(party: Organisation, person: Person) -> list[MatchedList]:
    """Take somebody off this party's lists, and forget who came and went; return those lists."""
    lists, named = Lists(party), []
    for one in lists.held():
        with lists.kept_still(one.request.id) as held:
            on_it = is_on(party, person, held)
            if on_it:
                _take_off(party, person, held)
                named.append(held)
            if on_it or len(held.parts) == 1:  # or an erasure was killed here
                delete_changes(party.folder / "lists", held.request.id)
    return named


def _take_off(party: Organisation, person: Person, held: MatchedList) -> None:
    """Write a list that is kept still anew without somebody."""
    stored = Desk(party).result(held.request.id)
    assert stored is not None  # it is this list's
    file = ListFile(party.folder / "lists", held.request.id, party.identity)
    called = texts(names_in(party, person, held))
    tags = None
    if file.has_tags(stored):
        entries, all_tags = file.read(stored)
        tags = _without(all_tags, called)
    else:
        entries = file.read_entries(stored)
    kept = _without(entries, called)
    path = file.write(kept, tags, version=file.next_version(stored))
    changed = {name: value for name, value in stored.items() if name != "changes"}
    changed |= {
        "list_file": str(path),
        "list_sha256": sha256_of(path).hex(),
        "people": len(kept),
    }
    party.store.write(lambda c: change_result(c, party, held.request.id, changed))
    file.delete_older(path.name)


def _without(table: pa.Table, names: pa.Array) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    called = table["reference"].cast(pa.large_string()).combine_chunks()
    return table.filter(pc.invert(pc.is_in(called, names)))
