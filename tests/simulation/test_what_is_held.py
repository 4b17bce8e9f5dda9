"""What each party has in hand after a session is what docs/protocol.md says in its tables.

A party's session folder has all that it made and received. Here every set in it is named by the
scalars that it was raised with, which is computed from the bytes and not from the table of legs.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from memory_links import SESSION_ID, make_terms, run_session
from three_organisations import ROLES
from three_over_grpc import three_over_grpc

from party.artefacts import SessionFolder
from party.desk import Desk
from party.messages import KeyArtefact, NumberingArtefact, ReleaseArtefact, SizesArtefact
from party.parcels.store import ParcelFile
from party.schema import SESSIONS
from party.session_record import seal_context
from party.shelf import Shelf
from psi.curve import public_point, raise_points
from psi.legs import CROSSTAB_OF_THREE, CROSSTAB_OF_TWO
from psi.seed import Seed
from psi.sets import LabelledSet

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
LETTERS = {"tabulator": "T", "recipient": "R", "third": "V"}
LABELS = (("a", "b"), ("x", "y", "z"), ("u", "v"))
PEOPLE = [[(f"p{i}", i % 2) for i in range(start, start + 30)] for start in (0, 5, 10)]


class Session:
    """A session that has run, and the names of everything that can be made of its sets.

    `folders` and `scalars` are by role.
    """

    def __init__(self, table, folders, scalars):
        self.roles, self._steps = table.roles, table.steps
        self._scalars = scalars
        self.shelves = {role: Shelf(table, folder) for role, folder in folders.items()}
        self._points = self._raised_in_every_way()

    def held(self, role):
        """Return what a role has: (row of the table, what stands in its cell)."""
        found = {}
        for step in range(len(self._steps)):
            artefact = self.shelves[role].folder.load(step)
            if artefact is not None:
                row, entry = self._name(artefact, role, step)
                found.setdefault(row, set()).add(entry)
        return found

    def _raised_in_every_way(self):
        """Return each set and the base point under all scalars, by (row, scalars), unordered."""
        found = {}
        for owner in self.roles:
            base = np.frombuffer(public_point(self._scalars[owner]), np.uint8).reshape(1, 32)
            begun = {"base point": base}
            begun[f"{LETTERS[owner]}'s set"] = self.shelves[owner].hop(owner, 0).elements
            others = [role for role in self.roles if role != owner]
            for size in range(len(others) + 1):
                for raisers in combinations(others, size):
                    on_it = frozenset(LETTERS[role].lower() for role in (owner, *raisers))
                    found |= {(row, on_it): self._raise(p, raisers) for row, p in begun.items()}
        return found

    def _raise(self, points, raisers):
        for role in raisers:
            points = raise_points(np.ascontiguousarray(points), self._scalars[role])
        return {point.tobytes() for point in points}

    def _name(self, artefact, role, step):
        match artefact:
            case LabelledSet():
                return self._name_points({bytes(row) for row in artefact.elements})
            case KeyArtefact():
                return self._name_points({artefact.point})
            case ReleaseArtefact():
                return "the release", "yes"
            case SizesArtefact() | NumberingArtefact():
                sender = LETTERS[self._steps[step].sender]
                words = {SizesArtefact: "sizes, stated", NumberingArtefact: "label names by number"}
                return f"{sender}'s {words[type(artefact)]}", "yes"

    def _name_points(self, seen):
        width = len(next(iter(seen)))
        for (row, on_it), points in self._points.items():
            known = {point[:width] for point in points}
            if seen <= known:
                part = row if seen == known else row.replace("set", "known answers")
                return part, (on_it, "tags" if width < 32 else "points")
        raise AssertionError("a set that is nobody's")


def documented(first_heading):
    """Read one table of the page: {letter: {row: entries}}."""
    text = PROTOCOL.read_text(encoding="utf-8")
    block = text[text.index(f"| {first_heading} |") :].partition("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block]
    letters = rows[0][1:]
    found = {letter: {} for letter in letters}
    for row, *cells in rows[2:]:
        for letter, cell in zip(letters, cells, strict=True):
            if cell != "–":
                found[letter][row] = {read_entry(entry) for entry in cell.split(", ")}
    return found


def read_entry(text):
    """Read `rv`, tags of `trv`, or yes."""
    if text == "yes":
        return text
    return frozenset(text.split("`")[1]), "tags" if text.startswith("tags of") else "points"


def in_memory(table, folder):
    """Run a session in one process."""
    seeds = {role: Seed(bytes([place + 1] * 32)) for place, role in enumerate(table.roles)}
    parties = len(table.roles)
    terms = make_terms(table, LABELS[:parties])
    outcomes, _ = run_session(terms, PEOPLE[:parties], folder, seeds=seeds)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes.values())
    return Session(
        table,
        {role: SessionFolder(folder / role) for role in table.roles},
        {role: seed.scalar(SESSION_ID) for role, seed in seeds.items()},
    )


@pytest.mark.parametrize(
    ("table", "heading"),
    [(CROSSTAB_OF_TWO, "two parties"), (CROSSTAB_OF_THREE, "three parties")],
)
def test_each_party_holds_what_the_protocol_page_says(tmp_path, table, heading):
    session = in_memory(table, tmp_path)
    held = {LETTERS[role]: session.held(role) for role in table.roles}
    assert held == documented(heading)


def scalar_of(party, request):
    """Return a party's scalar of a session, from its sealed seed."""
    row = party.store.row(sa.select(SESSIONS).where(SESSIONS.c.request == request.id))
    seed = Seed(party.identity.unseal(row.sealed_seed, seal_context(request.id)))
    return seed.scalar(row.session_id)


def test_over_the_network_each_holds_the_same_and_the_hub_can_read_nothing_that_it_carries(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ParcelFile, "drop_data", lambda file: None)
    with three_over_grpc(tmp_path) as three:
        request = three.ask()
        three.carry(request)
        folders = {role: Desk(three.parties[n]).folder(request.id) for role, n in ROLES.items()}
        scalars = {role: scalar_of(three.parties[n], request) for role, n in ROLES.items()}
        session = Session(CROSSTAB_OF_THREE, folders, scalars)
        assert {LETTERS[role]: session.held(role) for role in ROLES} == documented("three parties")
        carried = [file.read_bytes() for file in folders["recipient"].path.glob("parcel-*.data")]
        kept = {data[at : at + 16] for data in carried for at in range(len(data) - 15)}
        for step in (3, 6):  # the sets that go from V to T
            elements = session.shelves["third"].set_at(step).elements
            assert sum(map(len, carried)) > elements.size
            assert not kept & {bytes(element[:16]) for element in elements}
