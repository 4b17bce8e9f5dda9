"""What ends a request without a page of its own; `app` turns each into an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from languages import Message, message
from party.errors import NotEntitled, Refusal

if TYPE_CHECKING:
    from audit.roles import Role
    from client.console.visit import Visit


class SignInFirst(Exception):  # noqa: N818 - what is to be done
    """Nobody is signed in, or no longer."""


class Forged(Exception):  # noqa: N818 - what the form is
    """A form came that no page of this session has made, or only one that has ended."""

    def __init__(self, visit: Visit) -> None:
        super().__init__()
        self.visit = visit


class Forbidden(Exception):  # noqa: N818 - what the page is
    """The account's role does not reach this page."""

    def __init__(self, visit: Visit, role: Role) -> None:
        super().__init__()
        self.visit, self.role = visit, role


def said_in(error: Exception) -> str:
    """Return what an error says: a message where it was made of one, so that pages translate it."""
    match error:
        case Refusal():
            return message("{status}: {said}", status=error.status.value, said=error.message)
        case NotEntitled():
            return message("{status}: {said}", status=error.status, said=error.message)
    said = error.args[0] if len(error.args) == 1 else None
    return said if isinstance(said, Message) else str(error)
