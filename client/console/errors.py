"""What ends a request without a page of its own; `app` turns each into an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
