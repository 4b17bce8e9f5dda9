"""The driver: one party's walk through a table of legs.

It knows no number of parties and not who dialled. Each artefact is on disk before it is
sent, and a restarted driver walks the table again: what is stored is sent again byte for
byte, what is missing is computed from the seed, which gives the same bytes. It does not talk
to the store; what must be recorded in a transaction goes through `Recorder`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np

from party.ahead import Ahead, ArrivingSet
from party.artefacts import SessionFolder
from party.errors import PartyError, Refusal, RefusalStatus
from party.link import Link
from party.messages import (
    Artefact,
    KeyArtefact,
    NumberingArtefact,
    ReleaseArtefact,
    SizesArtefact,
)
from party.outcome import ListOutcome, NoOutcome, Outcome, TableOutcome, TabulatorOutcome
from party.own_side import Own, OwnSide
from party.shelf import Shelf
from party.terms import Terms
from psi import answers
from psi.crosstab import Counts, released_cells, tabulate, totals_over_tabulator
from psi.curve import public_point, raise_points, require_distinct
from psi.legs import (
    RECEIVER,
    SENDER,
    TABULATOR,
    THIRD,
    Answers,
    Form,
    Leg,
    Numbering,
    Order,
    Release,
    RouteKey,
    Sizes,
    Step,
)
from psi.match import count_common, is_below_minimum, matched_positions, require_dummies
from psi.own import OwnSet
from psi.sets import Buffer, LabelledSet, raise_set, require_answerable

SOURCE_FILE: Final = "own.source"
FINAL: Final = Form.TAGS, Order.KEPT  # how a tabulator raises others' sets: it only counts them


class Recorder(Protocol):
    """What the driver has recorded in the party's store."""

    def step(self, index: int, digest: bytes) -> None:
        """Record that a step's artefact is on disk."""

    def disclose(self, tags: LabelledSet) -> None:
        """Record that a list is about to exist, which these tags make."""

    def release(self, cells: Counts, totals: Counts, numbering: tuple[int, ...]) -> ReleaseArtefact:
        """Return the noisy table, drawing and storing the noise on the first call only."""


@dataclass(frozen=True)
class Progress:
    """How far a phase is: `done` of `total` points."""

    phase: str
    done: int
    total: int


ProgressHook = Callable[[Progress], None]


class Driver:
    """One party in one session, from the session id to its outcome."""

    def __init__(
        self,
        terms: Terms,
        own: Own,
        session_id: bytes,
        folder: SessionFolder,
        links: Mapping[str, Link],
        recorder: Recorder,
        *,
        executor: Executor | None = None,
        progress: ProgressHook | None = None,
    ) -> None:
        """Take the links by role."""
        self._terms, self._links, self._recorder = terms, links, recorder
        self._own = OwnSide(terms, own, session_id)
        self._role = self._own.role
        self._folder = folder
        self._shelf = Shelf(terms.table, folder)
        self._executor, self._progress = executor, progress
        self._ahead = Ahead()
        self._finals: dict[str, LabelledSet] = {}  # what the tabulator has raised last, by owner

    def run(self) -> Outcome:
        """Do every step of this party's role, in the table's order, and return what it learns.

        Raises:
            psi.errors.PsiError: a peer's set or answer may not be accepted; the session ends.
            Refusal: the match is below its minimum, or the peer refused.
            SessionSuspended: the peer is gone; running again goes on from here.
        """
        with self._ahead:
            self._blind_ahead()
            for index, step in enumerate(self._terms.table.steps):
                if step.sender == self._role:
                    self._send(index, step)
                elif step.receiver == self._role:
                    self._raise_ahead(index)
                    self._take(index, step, self._links[step.sender].receive(index))
            return self._outcome()

    # -- what is sent ---------------------------------------------------------------------

    def _send(self, index: int, step: Step) -> None:
        artefact = self._outgoing(index, step)
        self._raise_ahead(index)
        self._links[step.receiver].send(index, artefact)

    def _blind_ahead(self) -> None:
        """Blind the own set at once, while the others blind theirs."""
        index = self._shelf.leg(self._role, 0)
        self._outgoing(index, self._terms.table.steps[index])
        self._own.forget_keys()  # a set that was stored before is not blinded again

    def _raise_ahead(self, index: int) -> None:
        """Begin to raise what is here or comes in with step `index`, while that step travels.

        The answers stay in memory. A step that stands on disk has passed every check that lets it
        out, and a restart asks none of them again.
        """
        for coming, step in enumerate(self._terms.table.steps):
            if not isinstance(step, Leg) or step.receiver != self._role or coming in self._ahead:
                continue
            owed = self._owed(step)
            if owed and (coming == index or self._folder.digest(coming) is not None):
                self._ahead.begin(coming, partial(self._raise_now, step.owner, step.hop, *owed))

    def _owed(self, came: Leg) -> tuple[Form, Order] | None:
        """Return how this party has yet to raise the set that a leg brings; None if it has not."""
        owner, table = came.owner, self._terms.table
        if owner == self._role or owner in self._finals:
            return None
        if came is not table.legs_of(owner)[-1]:
            following = table.legs_of(owner)[came.hop + 1]
            done = self._folder.digest(self._shelf.leg(owner, following.hop)) is not None
            return None if done else (following.form, following.order)
        released = self._folder.digest(self._shelf.release_step) is not None
        return None if released else FINAL

    def _outgoing(self, index: int, step: Step) -> Artefact:
        """Return the artefact of a step as it is stored, now or before.

        So a set that was made leaves memory for its file, before anybody waits for the peer.
        """
        stored = self._folder.load(index)
        if stored is None:
            self._recorder.step(index, self._folder.store(index, self._produce(index, step)))
            stored = self._folder.load(index)
        if stored is None:
            raise PartyError(f"step {index} was removed from {self._folder.path} while it was used")
        return stored

    def _produce(self, index: int, step: Step) -> Artefact:
        match step:
            case Leg():
                return self._produce_set(index, step)
            case RouteKey():
                return self._route_key(step)
            case Release():
                counts = tabulate([self._final_tags(role) for role in self._terms.table.roles])
                self._finals.clear()
                numbering = self._own.numbering
                return self._recorder.release(
                    released_cells(counts)[list(numbering)],
                    self._own.people if self._terms.coalitions else totals_over_tabulator(counts),
                    numbering,
                )
            case _:
                return self._statement(step)

    def _produce_set(self, index: int, leg: Leg) -> LabelledSet:
        if leg.hop == 0:
            built = self._own.blind(self._executor, self._meter)
            self._folder.write_array(SOURCE_FILE, built.source)
            return built.labelled
        answer = self._raise(leg.owner, leg.hop - 1, leg.form, leg.order)
        if leg.order is Order.KEPT:
            self._require_minimum(answer)
            self._recorder.disclose(answer)
        return answer

    def _raise(self, owner: str, hop: int, form: Form, order: Order) -> LabelledSet:
        raised = self._ahead.take(self._shelf.leg(owner, hop))
        return self._raise_now(owner, hop, form, order) if raised is None else raised

    def _raise_now(self, owner: str, hop: int, form: Form, order: Order) -> LabelledSet:
        received = ArrivingSet(self._folder, self._shelf.leg(owner, hop), self._ahead)
        return raise_set(
            received,
            self._own.scalar,
            labels=len(self._terms.labels_of(owner)),
            form=form,
            order=order,
            executor=self._executor,
            progress=self._meter(f"raising the {owner}'s set", sum(received.sizes)),
        )

    def _require_minimum(self, answer: LabelledSet) -> None:
        """Let the receiver's set out in its order only when the match is large enough."""
        receiver = self._terms.party_of(RECEIVER)
        if is_below_minimum(
            count_common(answer, self._shelf.hop(SENDER, 1)),
            dummies=self._terms.agreed_dummies(receiver),
            most_identifiers=self._terms.keys_a_person(self._terms.party_of(SENDER)),
            minimum=self._terms.min_match,
        ):
            raise Refusal(
                RefusalStatus.BELOW_MINIMUM,
                f"the match is below the minimum of {self._terms.min_match} that the contract "
                "sets, so no list is made. Widen the datasets or agree on another minimum",
            )

    def _route_key(self, step: RouteKey) -> KeyArtefact:
        if step.hop == 1:
            return KeyArtefact(public_point(self._own.scalar))
        before = self._shelf.route_key(step.owner, step.hop - 1)
        point = np.frombuffer(before, dtype=np.uint8).reshape(1, 32)
        return KeyArtefact(raise_points(point, self._own.scalar).tobytes())

    def _statement(self, step: Step) -> Artefact:
        """Return what an owner tells about its own set."""
        if isinstance(step, Sizes):
            return SizesArtefact(self._shelf.hop(self._role, 0).sizes)
        if isinstance(step, Answers):
            expected = self._expected_answers()
            return LabelledSet(tuple(map(len, expected)), np.concatenate(expected))
        order = np.argsort(self._own.numbering)
        return NumberingArtefact(tuple(self._own.label_names[name] for name in order))

    # -- what arrives ---------------------------------------------------------------------

    def _take(self, index: int, step: Step, artefact: Artefact) -> None:
        digest = self._folder.digest(index) or self._folder.store(index, artefact)
        match step:
            case Leg(form=Form.TAGS):
                answers.require_complete(
                    self._shelf.set_at(index), self._shelf.hop(self._role, 0).sizes
                )
                require_distinct(self._shelf.set_at(index).elements)
            case Leg():
                labels = len(self._terms.labels_of(step.owner))
                require_answerable(self._shelf.set_at(index), labels=labels)
            case RouteKey() if self._ends_own_route(step):
                self._check_own_answers()
            case Answers():
                self._check_answers_of(step.sender, self._shelf.set_at(index))
            case Numbering():
                self._require_names(step.sender)
            case Release():
                self._require_shape(self._shelf.release())
            case _:
                pass
        self._recorder.step(index, digest)

    def _ends_own_route(self, step: RouteKey) -> bool:
        """Say whether this is the key of the own set, which has come back raised."""
        table = self._terms.table
        return table.holder(step.owner) == self._role == step.owner

    def _check_own_answers(self) -> None:
        last = self._terms.table.legs_of(self._role)[-1]
        tags = self._shelf.hop(self._role, last.hop)
        expected = self._expected_answers()
        if last.order is Order.KEPT:
            places = self._own_set().known_positions(self._terms.known_answers)
            answers.require_known_places(tags, places.tolist(), expected[0])
        else:
            answers.require_known_tags(tags, expected)

    def _check_answers_of(self, owner: str, claimed: LabelledSet) -> None:
        """Check another owner's set for it, which it never sees again."""
        labels = len(self._terms.labels_of(owner))
        known = self._terms.known_answers
        if claimed.sizes != (known,) * labels:
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the {owner} owes {known} known answers for each of its {labels} labels",
            )
        images = LabelledSet(claimed.sizes, raise_points(claimed.elements, self._own.scalar))
        answers.require_known_tags(
            self._final_tags(owner), [images.label(number) for number in range(labels)]
        )

    def _require_names(self, sender: str) -> None:
        if sorted(self._shelf.names_of(sender)) != sorted(self._terms.labels_of(sender)):
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                f"the {sender} does not give its numbers the label names of the request",
            )

    def _require_shape(self, release: ReleaseArtefact) -> None:
        shape, totals = release_shape(self._terms)
        if (
            release.shape != shape
            or sorted(release.numbering) != list(range(shape[0]))
            or len(release.cells) != int(np.prod(shape))
            or len(release.totals) != totals
        ):
            raise Refusal(
                RefusalStatus.BAD_REQUEST,
                "the table that was released does not have the labels of the request",
            )

    # -- what follows ---------------------------------------------------------------------

    def _final_tags(self, owner: str) -> LabelledSet:
        """Return a set's tags at the tabulator, which raises others' sets last."""
        last = self._terms.table.legs_of(owner)[-1]
        if last.form is Form.TAGS:
            return self._shelf.hop(owner, last.hop)
        if owner not in self._finals:
            tags = self._raise(owner, last.hop, *FINAL)
            if self._terms.table.raisers(owner):
                answers.require_complete(tags, self._shelf.sizes_of(owner))
            self._finals[owner] = tags
        return self._finals[owner]

    def _expected_answers(self) -> list[Buffer]:
        hops = len(self._terms.table.raisers(self._role))
        return self._own.expected_answers(self._shelf.route_key(self._role, hops))

    def _own_set(self) -> OwnSet:
        source = self._folder.read_array(SOURCE_FILE, np.int32)
        return OwnSet(self._shelf.hop(self._role, 0), source)

    def _outcome(self) -> Outcome:
        match self._role:
            case "receiver":
                return self._list()
            case "recipient":
                return TableOutcome(
                    self._shelf.release(),
                    self._own.numbering,
                    self._own.drawn_dummies,
                    self._sizes(),
                    self._shelf.names_of(THIRD) if THIRD in self._terms.table.roles else (),
                )
            case "tabulator":
                return TabulatorOutcome(self._shelf.release(), self._sizes())
            case _:
                return NoOutcome()

    def _sizes(self) -> dict[str, tuple[int, ...]]:
        """Return the points of every role's labels, as this party saw them first."""
        table, me = self._terms.table, self._role
        seen = {
            role: next(leg for leg in table.legs_of(role) if me in (leg.sender, leg.receiver))
            for role in table.roles
        }
        return {role: self._shelf.hop(role, leg.hop).sizes for role, leg in seen.items()}

    def _list(self) -> ListOutcome:
        mine, theirs = self._shelf.hop(RECEIVER, 1), self._shelf.hop(SENDER, 1)
        own = self._own_set()
        matched = matched_positions(mine, theirs)
        require_dummies(matched, own.dummy_positions())
        people = matched[own.source[matched] >= 0]
        ordered = people[np.argsort(own.source[people])]
        return ListOutcome(own.source[ordered].astype(np.int64), np.array(mine.elements[ordered]))

    def _meter(self, phase: str, total: int) -> Callable[[int], None]:
        def tell(done: int) -> None:
            self._ahead.require_going()
            if self._progress is not None:
                self._progress(Progress(phase, done, total))

        return tell


def release_shape(terms: Terms) -> tuple[tuple[int, ...], int]:
    """Return the shape of a release's cells and the number of its totals."""
    others = [len(terms.labels_of(role)) for role in terms.table.roles if role != TABULATOR]
    tabulator = len(terms.labels_of(TABULATOR))
    if len(others) == 1:
        return (tabulator, others[0]), len(terms.coalitions)
    with_none = [size + 1 for size in others]
    return (tabulator, *with_none), int(np.prod(others))
