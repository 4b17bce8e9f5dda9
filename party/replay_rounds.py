"""The rounds of a replay: what stands in for counterparts and for the store, and what is compared.

A link hands the driver what came then, and compares what goes out now with what went out then. A
step that differs is noted, and the walk goes on with the step as it was sent: so a fault is named
where it is, and not again in all that follows from it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn, TypeVar

import numpy as np

from audit.bodies import ListDisclosed, ReportReleased
from audit.commitment import verify_opening
from audit.errors import CommitmentError
from party.artefacts import SessionFolder, artefact_digest, encode_small
from party.driver import SOURCE_FILE
from party.errors import PartyError
from party.messages import Artefact, Exchange, ReleaseArtefact
from party.terms import Terms
from psi.crosstab import Counts
from psi.legs import Answers, Leg, Numbering, Release, RouteKey, Sizes, Step
from psi.sets import LabelledSet

Message = TypeVar("Message", bound=Exchange)
_UNREADABLE: Final = (PartyError, ValueError, KeyError, TypeError, struct.error, OSError)
_CARRIES: Final[dict[type[Step], str]] = {
    Leg: "the {step.owner}'s set, raised by the {step.sender}",
    RouteKey: "the key of the {step.owner}'s route",
    Answers: "the known answers of the {step.sender}",
    Sizes: "the sizes of the {step.sender}'s set",
    Numbering: "the {step.sender}'s label names",
    Release: "the released table",
}


class Verdict(StrEnum):
    """What a check has come to."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNCHECKED = "not checked"


@dataclass(frozen=True)
class Check:
    """One thing that was held against the log; `why` is empty where it agrees."""

    what: str
    verdict: Verdict
    why: str = ""


class Gone(Exception):  # noqa: N818 - it ends a walk; nobody outside sees it
    """What the rounds go on with is not kept any more."""


@dataclass(frozen=True)
class Opened:
    """What a commitment in the log is to, as the store kept it: value and salt."""

    value: bytes
    salt: bytes


@dataclass(frozen=True)
class Logged:
    """What this party logged in the rounds; `opened` is None where value and salt are deleted."""

    entry: ReportReleased | ListDisclosed | None = None
    opened: Opened | None = None


class Rounds:
    """The steps of a session, those kept and those made again."""

    def __init__(
        self,
        terms: Terms,
        role: str,
        kept: SessionFolder,
        scratch: SessionFolder,
        digests: Sequence[bytes],
    ) -> None:
        self.terms, self._role = terms, role
        self._kept, self._scratch, self._digests = kept, scratch, digests
        self._given: set[int] = set()
        self.checks: list[Check] = []

    def note(self, what: str, verdict: Verdict, why: str = "") -> None:
        """Add a check."""
        self.checks.append(Check(what, verdict, why))

    def give_own_set(self) -> None:
        """Go on with the own set as it was sent, since it cannot be made again."""
        steps = self.terms.table.steps
        index = next(
            at
            for at, step in enumerate(steps)
            if isinstance(step, Leg) and step.owner == self._role and step.hop == 0
        )
        if self._as_sent(index) is not None:
            self._given.add(index)

    def sent(self, index: int, artefact: Artefact) -> None:
        """Compare what this party sends now with what it sent then."""
        what = self._named(index)
        if index in self._given:
            self.note(
                what,
                Verdict.UNCHECKED,
                "it is taken as it was sent, since it cannot be made again: see above",
            )
            return
        if artefact_digest(index, artefact) == self._digests[index]:
            self.note(what, Verdict.AGREES)
            return
        self.note(what, Verdict.DIFFERS, "seed, input and what came in give another one")
        if self._as_sent(index) is None:
            raise Gone(f"step {index} is not kept as it was sent")

    def received(self, index: int) -> Artefact:
        """Return what came in then.

        Raises:
            Gone: it is not kept.
        """
        artefact = self._load(index)
        if artefact is None:
            raise Gone(f"step {index}, which came in, is not kept any more")
        agrees = artefact_digest(index, artefact) == self._digests[index]
        why = "" if agrees else "it was changed after it had come in"
        self.note(self._named(index), Verdict.AGREES if agrees else Verdict.DIFFERS, why)
        return artefact

    def release_as_sent(self) -> ReleaseArtefact:
        """Return the table as it was released.

        Raises:
            Gone: it is not kept.
        """
        steps = self.terms.table.steps
        index = next(at for at, step in enumerate(steps) if isinstance(step, Release))
        artefact = self._load(index)
        if not isinstance(artefact, ReleaseArtefact):
            raise Gone("the released table is not kept any more")
        self._given.add(index)
        return artefact

    def _as_sent(self, index: int) -> Artefact | None:
        """Put a step into the folder of the replay as it was sent; None where it is not kept."""
        artefact = self._load(index)
        if artefact is None or artefact_digest(index, artefact) != self._digests[index]:
            return None
        self._scratch.store(index, artefact)
        step = self.terms.table.steps[index]
        if isinstance(step, Leg) and step.hop == 0 and self._kept.has(SOURCE_FILE):
            self._scratch.write_array(SOURCE_FILE, self._kept.read_array(SOURCE_FILE, np.int32))
        return artefact

    def _load(self, index: int) -> Artefact | None:
        try:
            return self._kept.load(index)
        except _UNREADABLE as error:
            raise Gone(f"step {index} cannot be read as it was kept: {error}") from None

    def _named(self, index: int) -> str:
        """Say which step it is, in words."""
        step = self.terms.table.steps[index]
        way = f"to the {step.receiver}" if step.sender == self._role else f"from the {step.sender}"
        return f"step {index}, {way}: {_carries(step)}"


class KeptLink:
    """A counterpart of a replay: what it said then."""

    def __init__(self, peer: str, rounds: Rounds) -> None:
        self._peer, self._rounds = peer, rounds

    @property
    def peer(self) -> str:
        """The counterpart's role."""
        return self._peer

    def send(self, step: int, artefact: Artefact) -> None:
        """Compare, and send nothing."""
        self._rounds.sent(step, artefact)

    def receive(self, step: int) -> Artefact:
        """Return what came then."""
        return self._rounds.received(step)

    def exchange(self, message: Message) -> Message:
        """Refuse: a replay says nothing."""
        self._say_nothing()

    def said(self, kind: type[Message]) -> Message | None:
        """Refuse: a replay says nothing."""
        self._say_nothing()

    def conclude(self) -> None:
        """Refuse: a replay says nothing."""
        self._say_nothing()

    def refuse(self, status: str, reason: str) -> None:
        """Refuse: a replay says nothing."""
        self._say_nothing()

    def _say_nothing(self) -> NoReturn:
        raise PartyError("a replay exchanges nothing with anybody")


class RepeatedRecorder:
    """What a driver has recorded, held against what was logged then; nothing is written."""

    def __init__(self, rounds: Rounds, logged: Logged) -> None:
        self._rounds, self._logged = rounds, logged

    def step(self, index: int, digest: bytes) -> None:
        """Do nothing: the digests of then stand in the transcript."""

    def disclose(self, tags: LabelledSet) -> None:
        """Hold the list that is about to exist against the commitment to it."""
        digest = hashlib.sha256(np.ascontiguousarray(tags.elements).data).digest()
        entry = self._logged.entry
        if isinstance(entry, ListDisclosed):
            self._hold("the list is the one that list.disclosed commits to", "list", digest)

    def release(self, cells: Counts, totals: Counts, numbering: tuple[int, ...]) -> ReleaseArtefact:
        """Return the counts of now with the noise of then."""
        entry, opened = self._logged.entry, self._logged.opened
        what = "the released table is what was counted, with the noise that was committed to"
        if not isinstance(entry, ReportReleased) or opened is None:
            self._rounds.note(what, Verdict.UNCHECKED, "the noise is deleted")
            return self._rounds.release_as_sent()
        self._hold("the noise is what report.released commits to", "noise", opened.value)
        noise = np.frombuffer(opened.value, dtype=">i8")
        coalitions = len(self._rounds.terms.coalitions)
        if coalitions and len(totals) != coalitions:
            why = "the touched people by coalition cannot be counted without the input"
            self._rounds.note(what, Verdict.UNCHECKED, why)
            return self._rounds.release_as_sent()
        if len(noise) != cells.size + totals.size:
            why = "the noise that was committed to has not the shape of the table"
            self._rounds.note(what, Verdict.DIFFERS, why)
            return self._rounds.release_as_sent()
        table = ReleaseArtefact(
            tuple(cells.shape),
            tuple((cells.ravel() + noise[: cells.size]).tolist()),
            numbering,
            tuple((totals.ravel() + noise[cells.size :]).tolist()),
        )
        agrees = hashlib.sha256(encode_small(table)).hexdigest() == entry.table_digest
        why = "" if agrees else "counting again, with the same noise, gives another table"
        self._rounds.note(what, Verdict.AGREES if agrees else Verdict.DIFFERS, why)
        return table

    def _hold(self, what: str, context: str, value: bytes) -> None:
        """Hold a value against the commitment of the entry."""
        entry, opened = self._logged.entry, self._logged.opened
        if opened is None or entry is None:
            self._rounds.note(what, Verdict.UNCHECKED, "the salt of the commitment is deleted")
            return
        committed = (
            entry.noise_commitment if isinstance(entry, ReportReleased) else (entry.list_commitment)
        )
        try:
            verify_opening(bytes.fromhex(committed), context, value, opened.salt)
        except CommitmentError as error:
            self._rounds.note(what, Verdict.DIFFERS, str(error))
            return
        self._rounds.note(what, Verdict.AGREES)


def _carries(step: Step) -> str:
    if isinstance(step, Leg) and step.hop == 0:
        return f"the {step.owner}'s own set"
    return _CARRIES[type(step)].format(step=step)
