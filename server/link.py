"""The listening end of a session, as its driver sees it."""

from __future__ import annotations

from typing import TypeVar, cast

from party.errors import Refusal, RefusalStatus
from party.messages import Artefact, Exchange
from party.wire.exchanges import kind_of, said_before
from server.mailbox import Mailbox

Message = TypeVar("Message", bound=Exchange)


class ListeningLink:
    """A `party.link.Link` whose counterpart dials: what it sends is published and pulled."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    @property
    def peer(self) -> str:
        """The counterpart's name in the contract."""
        return self._mailbox.peer

    def exchange(self, message: Message) -> Message:
        """Say `message` and return the counterpart's message of the same type."""
        return cast(Message, self._mailbox.exchange(kind_of(message), message))

    def said(self, kind: type[Message]) -> Message | None:
        """Return what this side has said of a type in this session, also before a restart."""
        return said_before(self._mailbox.letters, kind)

    def send(self, step: int, artefact: Artefact) -> None:
        """Publish a step, which the driver has stored, and wait until the counterpart has it.

        What is served is what is stored, so that a restart serves the same bytes.
        """
        if self._mailbox.folder.digest(step) is None:
            self._mailbox.folder.store(step, artefact)
        self._mailbox.publish(step)

    def receive(self, step: int) -> Artefact:
        """Wait for the artefact of a step; a set is in file-backed memory."""
        return self._mailbox.receive(step)

    def conclude(self) -> None:
        """Let the counterpart's last call be answered."""
        self._mailbox.conclude()

    def refuse(self, status: str, reason: str) -> None:
        """End the session: the counterpart's present and later calls get this refusal."""
        self._mailbox.refuse(Refusal(RefusalStatus(status), reason))
