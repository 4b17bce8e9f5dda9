"""What one party brings to a session, and what follows from its seed alone.

Scalar, numbering, dummy draws and fillers are never stored: they are derived again, the same
each time, from the sealed seed and the session id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from party.terms import Terms
from psi.answers import Fillers, derive_fillers, known_points
from psi.crosstab import Counts
from psi.curve import Scalar
from psi.dummies import Cell, dummies_by_label
from psi.errors import LimitExceeded
from psi.keys import Keys
from psi.own import OwnSet, blind_points, draw_numbering, shuffle_own_set
from psi.seed import Seed
from psi.sets import Buffer


@dataclass(frozen=True)
class Own:
    """A party's input and seed.

    `labels` is (n,): the index of each key's label name in the request. `people` is (coalitions,):
    the tabulator's people in each, where the terms have coalitions.
    """

    party: str
    seed: Seed
    keys: Keys
    labels: npt.NDArray[np.int16]
    people: Counts = field(default_factory=lambda: np.empty(0, dtype=np.int64), repr=False)


class OwnSide:
    """A party's secrets in one session, derived on demand."""

    def __init__(self, terms: Terms, own: Own, session_id: bytes) -> None:
        self._terms, self._own, self._session_id = terms, own, session_id
        self.role = terms.role_of(own.party)
        self.scalar: Scalar = own.seed.scalar(session_id)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The party's label names in the request's order."""
        return self._terms.labels_of(self.role)

    @cached_property
    def numbering(self) -> tuple[int, ...]:
        """The session's number of each label name."""
        return draw_numbering(self._own.seed, self._session_id, len(self.label_names))

    @cached_property
    def drawn_dummies(self) -> dict[Cell, int]:
        """How many dummies the party puts into each of its cells: its secret noise."""
        terms, own = self._terms, self._own
        if own.party not in terms.choosers:
            return {}
        law = terms.own_noise(own.party)
        cells = list(terms.dealing.cells_of(own.party))
        uniforms = own.seed.derive_many(self._session_id, "dummies", len(cells))
        return {cell: law.draw(u) for cell, u in zip(cells, uniforms, strict=True)}

    @property
    def people(self) -> Counts:
        """The own people by coalition, exact; none as a rule."""
        return self._own.people

    def fillers(self) -> Iterator[Fillers]:
        """Derive each number's fillers: known answers, then what hides the label's size."""
        for number, count in enumerate(self._filler_counts):
            yield self._fillers_of(number, count)

    @cached_property
    def _filler_counts(self) -> list[int]:
        """How many fillers each number has."""
        return [self._terms.known_answers + count for count in self._hiding_counts()]

    def _hiding_counts(self) -> list[int]:
        """Return for each number the noise on its size and the reserve, or what pads it (§5.8)."""
        terms, own = self._terms, self._own
        padded = terms.padded(own.party)
        if padded is None:
            law, reserve = terms.own_noise(own.party), terms.reserve_of(own.party)
            uniforms = own.seed.derive_many(self._session_id, "sizes", len(self.label_names))
            return [law.draw(uniform) + reserve for uniform in uniforms]
        keys = np.bincount(own.labels, minlength=len(self.label_names))
        counts = [0] * len(self.label_names)
        for name, (number, dummies) in enumerate(zip(self.numbering, self.dummies(), strict=True)):
            counts[number] = padded - terms.known_answers - len(dummies) - int(keys[name])
        if min(counts) < 0:
            raise LimitExceeded("a label has more moments than the request has room for")
        return counts

    def expected_answers(self, route_key: bytes) -> list[Buffer]:
        """Return the points that the known answers of each number must have become."""
        known = self._terms.known_answers
        return [
            known_points(self._fillers_of(number, known).secrets, self.scalar, route_key)
            for number in range(len(self.label_names))
        ]

    def _fillers_of(self, number: int, count: int) -> Fillers:
        """Derive the first `count` fillers of one number, which begin with the known answers."""
        return derive_fillers(self._own.seed, self._session_id, number, count)

    def dummies(self) -> list[Keys]:
        """Return the dummy keys that go under each label name."""
        terms = self._terms
        return dummies_by_label(
            terms.dealing,
            self._own.party,
            choosers=terms.choosers,
            agreed={chooser: terms.agreed_dummies(chooser) for chooser in terms.choosers},
            drawn=self.drawn_dummies,
        )

    def blind(
        self, executor: Executor | None, meter: Callable[[str, int], Callable[[int], None]]
    ) -> OwnSet:
        """Build the own set; `meter(phase, total)` makes the progress callback.

        The keys are forgotten as soon as they are points.
        """
        own, by_name, counts = self._own, self.dummies(), self._filler_counts
        dummies = [by_name[name] for name in np.argsort(np.asarray(self.numbering))]
        hidden = Keys.concat(dummies)
        numbers = np.asarray(self.numbering, dtype=np.int16)[own.labels]
        points = blind_points(
            own.keys,
            hidden,
            self.fillers(),
            sum(counts),
            scalar=self.scalar,
            session_id=self._session_id,
            executor=executor,
            progress=meter("blinding own set", len(own.keys) + len(hidden)),
        )
        self.forget_keys()
        return shuffle_own_set(points, numbers, list(map(len, dummies)), counts)

    def forget_keys(self) -> None:
        """Let go of the keys, which nothing needs once the own set is blinded."""
        self._own.keys.forget()
