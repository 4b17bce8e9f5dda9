"""One play: a session begins, what is planned happens to it, and it is carried to its end.

Whatever stops is started again, as it would be in life: the asker's command by whoever reads its
exit code, a listener by systemd. Nobody does anything else.
"""

import contextlib
import shutil
import time
import traceback
from dataclasses import asdict, dataclass, field
from random import Random

from cast import ASKER, Cast
from faults import ENDS, FAULTS
from phases import DONE, PHASES
from verdict import judge, logs_problem, look

PLAY_SECONDS = 240
OVER = ("finished", "failed", "refused", "expired")
DONE_CODES, AGAIN_CODES = (0, 3), (4, 6)


@dataclass
class Told:
    """How a play went: the faults that met it, its end, and the promises that it broke."""

    number: int
    seed: str
    kind: str
    store: str
    faults: list[dict] = field(default_factory=list)
    missed: list[dict] = field(default_factory=list)
    end: str = "diverged"
    broken: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    seconds: float = 0.0
    fell: list[str] = field(default_factory=list)
    """Processes that ended in a way that nobody had asked for."""

    def to_dict(self):
        return asdict(self)


def act(play, stage):
    """Play a play, and return how it went."""
    told = Told(play.number, play.seed, play.kind, play.store)
    folder = stage.folder / f"play-{play.number}"
    folder.mkdir()
    stage.templates(play.store)  # the first play with a database makes it
    began, cast = time.monotonic(), None
    try:
        cast = Cast.of(play.kind, stage, folder, store=play.store, clocked=play.clocked)
        _Acting(play, cast, told, began + PLAY_SECONDS).run()
    except Exception:  # noqa: BLE001 - told, and the next play goes on
        told.broken["diverged"] = traceback.format_exc()
    finally:
        if cast is not None:
            if told.broken:
                told.broken["said"] = said_by(cast)
            cast.end()
        shutil.rmtree(folder, ignore_errors=True)
    told.seconds = round(time.monotonic() - began, 1)
    return told


def said_by(cast):
    """Return the last words of every process."""
    words = []
    for name, party in cast.parties.items():
        for path in sorted(party.said.glob("*.err")):
            text = path.read_text(encoding="utf-8", errors="replace")
            words.append(f"--- {name} {path.name}\n{text[-1500:]}")
    for path in (cast.folder / "said").glob("commonground-*.log"):  # of an unexpected error
        words.append(f"--- {path.name}\n{path.read_text(encoding='utf-8')[-3000:]}")
    return "\n".join(words)


class _Acting:
    def __init__(self, play, cast, told, deadline):
        self._play, self._cast, self._told, self._deadline = play, cast, told, deadline
        self._random = Random(play.seed)

    def run(self):
        slow = {
            "latency_seconds": self._random.uniform(0.005, 0.03),
            "bytes_per_second": self._random.choice((60_000, 120_000, 240_000)),
        }
        self._cast.begin(slow)
        for blow in self._play.blows:
            self._strike(blow)
        self._await(self._over)
        self._settle()
        self._judge()

    def _strike(self, blow):
        """Do a fault when its phase has come; one that comes too late is told as missed."""
        cast = self._cast
        self._await(lambda: cast.phase() >= blow.phase or self._over())
        time.sleep(blow.delay)
        phase = cast.phase()
        about = {"fault": blow.fault, "victim": blow.victim, "planned": PHASES[blow.phase]}
        if phase >= DONE or self._over():
            self._told.missed.append(about)
            return
        self._tend()
        with contextlib.suppress(ProcessLookupError):
            said = FAULTS[blow.fault](cast, blow.victim, self._random)
            self._told.faults.append({**about, "phase": PHASES[phase], "said": said})

    def _await(self, ready):
        while not ready():
            if time.monotonic() > self._deadline:
                raise TimeoutError(f"no end after {PLAY_SECONDS} s: {self._states()}")
            self._tend()
            time.sleep(0.05)

    def _tend(self):
        """Start again what has ended, as whoever runs a party would."""
        cast = self._cast
        for name, party in cast.parties.items():
            if name != ASKER and party.listener.ended:
                self._told.fell.append(f"{name}: serve ended with {party.listener.process.poll()}")
                cast.serve(name)
        if not cast.asking.ended:
            return
        code = cast.asking.process.poll()
        if code in DONE_CODES:
            return
        if cast.serves or code not in AGAIN_CODES:
            self._told.fell.append(f"{ASKER}: {cast.asking.words[0]} ended with {code}")
        time.sleep(0.5)
        if cast.serves:
            cast.serve(ASKER)
        else:
            cast.ask()

    def _over(self):
        """Say whether the asker has an end: by its command, or in its store where it serves."""
        cast = self._cast
        if not cast.serves:
            return cast.asking.ended and cast.asking.process.poll() in DONE_CODES
        return cast.phase() >= DONE or cast.state(ASKER) in OVER

    def _settle(self):
        """Wait until everybody has an end, then let everybody stop in good order."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not self._all_over():
            time.sleep(0.2)
        for name, party in self._cast.parties.items():
            running = self._cast.process(name)
            if not running.ended:
                running.process.terminate()
                code = running.process.wait(60)
                if code:
                    self._told.fell.append(f"{party.name}: stopped with {code}")

    def _all_over(self):
        return all(state in OVER for state in self._states().values())

    def _states(self):
        return {name: self._cast.state(name) for name in self._cast.parties}

    def _judge(self):
        cast, told = self._cast, self._told
        met = {one["fault"] for one in told.faults}
        fatal = [status for fault in met for status in ENDS.get(fault, ())]
        looks = {name: look(party, cast.request) for name, party in cast.parties.items()}
        told.end, told.broken = judge(cast.kind, looks, fatal)
        problem = logs_problem(cast.parties, cast.request, finished=told.end == "resumed")
        if problem:
            told.broken["logs_unverified"] = problem
        if told.fell:
            told.broken["fell"] = "; ".join(told.fell)
        told.runs = cast.runs
