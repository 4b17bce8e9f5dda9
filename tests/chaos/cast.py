"""The parties of one play: copies of made ones, each on its own disk, behind its own cable.

Made once: two organisations for a match and a table of two, three for a table of three. What runs
is what a partner's engineer runs: `commonground serve`, and `requests resume --wait`.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from phases import phase_of
from places import Cable, Disk, run
from postgresql import server_of_ones_own
from slow_road import Road
from three_processes import ROLES, make_three
from two_processes import Party, make_pair

from client.asking import Choice, TableChoice, match_request, table_request
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import PartyError
from party.organisation import Organisation

ASKER = "advertiser"
LISTENERS = {"match": ("channel",), "crosstab": ("channel",), "three": ("channel", "vendor")}
NUMBERS = {"advertiser": 1, "channel": 2, "vendor": 3}
ENTRANCES = {"channel": "10.77.1.1:7402", "vendor": "10.77.1.1:7403"}
PATIENCE_SECONDS = 5
CLOCK = Path(__file__).with_name("clock.c")


@dataclass(frozen=True)
class Address:
    """Where a road will begin, for contracts that are signed before there is one."""

    address: str


def make_templates(folder: Path, new_store=lambda: "", kinds=tuple(LISTENERS)):
    """Make the parties that plays copy, with their contracts; nothing of it needs a network."""
    roads, parties = {name: Address(address) for name, address in ENTRANCES.items()}, []
    if set(kinds) - {"three"}:
        pair = folder / "pair"
        parties += make_pair(pair, roads["channel"], sizes=("many",), new_store=new_store)
    if "three" in kinds:
        parties += make_three(folder / "three", roads, new_store).parties.values()
    for party in parties:
        party.set(patience_seconds=PATIENCE_SECONDS)


class Stage:
    """What one worker keeps from play to play: cables, roads, and a database when one is asked for.

    The worker has entered a network of its own before.
    """

    def __init__(self, folder: Path, templates: Path):
        self.folder, self._templates = folder, {"sqlite": templates}
        self.cables = {name: Cable(number) for name, number in NUMBERS.items()}
        self.roads = {
            name: Road(address, self.cables[name].host) for name, address in ENTRANCES.items()
        }
        self.database, self.cast, self.clock = None, None, folder / "clock.so"
        run("cc", "-O2", "-shared", "-fPIC", "-o", self.clock, CLOCK)

    def templates(self, store):
        """Return where the made parties lie whose store is of a kind."""
        if store not in self._templates:
            self.database = server_of_ones_own()
            made = self.folder / store
            made.mkdir()
            make_templates(made, self.database.new_database)
            self._templates[store] = made
        return self._templates[store]

    def close(self):
        """End all that was started, a play that is under way too."""
        if self.cast is not None:
            self.cast.end()
        for road in self.roads.values():
            road.close()
        for cable in self.cables.values():
            cable.remove()
        if self.database is not None:
            self.database.remove()


@dataclass
class Cast:
    """The parties of one play and what runs of them."""

    kind: str
    stage: Stage
    folder: Path
    parties: dict[str, Party] = field(default_factory=dict)
    disks: dict[str, Disk] = field(default_factory=dict)
    request: str = ""
    asking: object = None
    serves: bool = False
    runs: int = 0

    @classmethod
    def of(cls, kind, stage, folder, *, store="sqlite", clocked=False):
        """Copy the parties that a kind of session needs, and let the listeners serve."""
        cast = stage.cast = cls(kind, stage, folder)
        made = stage.templates(store) / ("three" if kind == "three" else "pair")
        for name in (ASKER, *LISTENERS[kind]):
            cast.disks[name] = Disk.mount(folder / "disks" / name)
            path = cast.disks[name].path / name
            shutil.copytree(made / name, path)
            if store == "postgresql":
                _move_store(path, stage.database)
            environment = cast._clock(name) if clocked else {}
            before = stage.cables[name].before
            cast.parties[name] = Party(path, folder / "said", before, environment)
        return cast

    # -- what runs ------------------------------------------------------------------------

    def begin(self, slow):
        """File the request, let the listeners serve along slow roads, and let the asker dial."""
        self.request = self._file()
        for name in LISTENERS[self.kind]:
            self.stage.roads[name].slow(**slow)
            self.serve(name)
        self.ask()

    def serve(self, name):
        """Let a party listen; the asker does so to go on with what it has begun."""
        party, host = self.parties[name], self.stage.cables[name].host
        if name != ASKER:
            party.serve(self.stage.roads[name], host=host)
            return
        self.serves, self.asking = True, party.start("serve", "--listen", f"{host}:0", "--json")

    def ask(self):
        """Let the asker go on with the request, as a person or a script does."""
        self.serves, self.runs = False, self.runs + 1
        words = ("requests", "resume", self.request, "--wait", "--json")
        self.asking = self.parties[ASKER].start(*words)

    def process(self, name):
        return self.asking if name == ASKER else self.parties[name].listener

    def phase(self):
        """Return the number of the phase that the session is in."""
        folders = {
            name: party.folder / "sessions" / self.request for name, party in self.parties.items()
        }
        return phase_of(self.kind, ASKER, LISTENERS[self.kind], folders)

    def cut(self, name):
        """Break off what a party's process leaves on the road."""
        for listener in LISTENERS[self.kind]:
            if name in (listener, ASKER):
                self.stage.roads[listener].cut()

    def state(self, name):
        """Return the request's state at a party; None while its store does not answer."""
        with suppress(PartyError, OSError):
            here = Organisation.open(self.parties[name].folder)
            try:
                filed = Desk(here).known(self.request)
                return filed.state if filed else "unknown"
            finally:
                here.close()
        return None

    def set_clock(self, name, seconds):
        """Let a party's clock go so many seconds after the machine's."""
        path = self.folder / f"{name}.clock"
        with path.open("r+b" if path.exists() else "wb") as file:
            file.write(f"{seconds:<+12d}".encode())  # in place: it is read at any moment

    def end(self):
        """Leave nothing behind, not even mounts."""
        self.stage.cast = None
        for party in self.parties.values():
            party.end()
        for name in LISTENERS[self.kind]:
            self.stage.roads[name].clear()
        for disk in self.disks.values():
            disk.unmount()

    # -- inside ---------------------------------------------------------------------------

    def _file(self):
        party = Organisation.open(self.parties[ASKER].folder)
        try:
            contract = party.contract(None)
            return Desk(party).make(self._wanted(party, contract), contract, actor="test").id
        finally:
            party.close()

    def _wanted(self, party, contract):
        many = Choice(dataset="many", their_dataset="many", epsilon="20")
        if self.kind == "match":
            return match_request(party, contract, None, many)
        if self.kind == "crosstab":
            by = {"segment": "segment", "by": "frequency"}
            return table_request(party, contract, TableChoice(OutputKind.REACH, **by), many)
        labels = {"third": ROLES["third"], "by": "group", "attribute": "group"}
        table = TableChoice(OutputKind.INSIGHTS, segment="group", **labels)
        return table_request(party, contract, table, Choice(epsilon="20"))

    def _clock(self, name):
        self.set_clock(name, 0)
        clock = self.folder / f"{name}.clock"
        return {"LD_PRELOAD": str(self.stage.clock), "CHAOS_CLOCK": str(clock)}


def _move_store(folder, database):
    """Give a copied party a copy of its database."""
    path = folder / "party.toml"
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    (line,) = (one for one in lines if one.startswith("store = "))
    url = line.partition('"')[2].rpartition('"')[0]
    copy = database.copy(sa.make_url(url).database)
    path.write_text(text.replace(url, copy), encoding="utf-8")
