"""The transport that a session is given: one counterpart, and no word about who dialled.

An implementation delivers each call exactly once in effect: what it repeats after a broken
stream or a restart is the same bytes, and the other side answers them as it did before. All
calls block until the counterpart has the message safely on disk (`send`) or until it is
safely here (`receive`).

Errors an implementation raises:
    party.errors.Refusal: the counterpart refused, or sent what may not be accepted.
    party.errors.SessionSuspended: the counterpart is silent or gone for longer than the
        patience that was configured; the session stays on disk and can be resumed.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from party.messages import Artefact, Exchange

Message = TypeVar("Message", bound=Exchange)


class Link(Protocol):
    """One counterpart in one session."""

    @property
    def peer(self) -> str:
        """The counterpart's name in the contract."""

    def exchange(self, message: Message) -> Message:
        """Say `message` and return the counterpart's message of the same type."""

    def said(self, kind: type[Message]) -> Message | None:
        """Return what this side has said of a type in this session, also before a restart."""

    def send(self, step: int, artefact: Artefact) -> None:
        """Deliver the artefact of a step of the leg table."""

    def receive(self, step: int) -> Artefact:
        """Wait for the artefact of a step; a set arrives in file-backed memory."""

    def conclude(self) -> None:
        """Note that what the counterpart said last is stored here, so that it may rely on it.

        A counterpart that dials has no answer to its last words before.
        """

    def refuse(self, status: str, reason: str) -> None:
        """Tell the counterpart, as far as it can be reached, that the session ends and why."""
