"""A session folder read through its leg table: sets and keys by what they are."""

from __future__ import annotations

from party.artefacts import SessionFolder
from party.errors import Refusal, RefusalStatus
from party.messages import KeyArtefact, NumberingArtefact, ReleaseArtefact, SizesArtefact
from psi.legs import Leg, LegTable, Numbering, Release, RouteKey, Sizes, Step
from psi.sets import LabelledSet


class Shelf:
    """What has been done of a table of legs."""

    def __init__(self, table: LegTable, folder: SessionFolder) -> None:
        self._table, self.folder = table, folder

    def leg(self, owner: str, hop: int) -> int:
        """Return the index of a set's hop."""
        return self._index(Leg, owner=owner, hop=hop)

    def hop(self, owner: str, hop: int) -> LabelledSet:
        """Return a set as one of its hops carried it."""
        return self.set_at(self.leg(owner, hop))

    def set_at(self, index: int) -> LabelledSet:
        """Return the set of a step."""
        artefact = self.folder.load(index)
        if not isinstance(artefact, LabelledSet):
            raise self._refuse(index, "a set")
        return artefact

    def route_key(self, owner: str, hop: int) -> bytes:
        """Return the route key of a set after `hop` raisers."""
        index = self._index(RouteKey, owner=owner, hop=hop)
        artefact = self.folder.load(index)
        if not isinstance(artefact, KeyArtefact):
            raise self._refuse(index, "a route key")
        return artefact.point

    def sizes_of(self, sender: str) -> tuple[int, ...]:
        """Return the sizes that an owner stated to the tabulator."""
        index = self._index(Sizes, sender=sender)
        artefact = self.folder.load(index)
        if not isinstance(artefact, SizesArtefact):
            raise self._refuse(index, "sizes")
        return artefact.sizes

    def names_of(self, sender: str) -> tuple[str, ...]:
        """Return the label names that an owner revealed to the recipient, by number."""
        index = self._index(Numbering, sender=sender)
        artefact = self.folder.load(index)
        if not isinstance(artefact, NumberingArtefact):
            raise self._refuse(index, "label names")
        return artefact.names

    @property
    def release_step(self) -> int:
        """The index of the released table."""
        return self._index(Release)

    def release(self) -> ReleaseArtefact:
        """Return the released table."""
        index = self.release_step
        artefact = self.folder.load(index)
        if not isinstance(artefact, ReleaseArtefact):
            raise self._refuse(index, "a table")
        return artefact

    def digests(self) -> dict[int, bytes]:
        """Return the digest of every step that is complete here."""
        return {
            index: digest
            for index in range(len(self._table.steps))
            if (digest := self.folder.digest(index)) is not None
        }

    def _index(self, kind: type[Step], **fields: object) -> int:
        return next(
            index
            for index, step in enumerate(self._table.steps)
            if isinstance(step, kind)
            and all(getattr(step, name) == value for name, value in fields.items())
        )

    def _refuse(self, index: int, wanted: str) -> Refusal:
        return Refusal(RefusalStatus.BAD_REQUEST, f"step {index} did not bring {wanted}")
