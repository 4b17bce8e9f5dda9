"""What keeps a listener from answering: one tree, rooted in `ServerError`.

A `Refusal` (party.errors) is not among them: it ends a session, these do not.
"""

from party.errors import PartyError
from party.wire.refusals import Condition


class ServerError(PartyError):
    """The root of what goes wrong in the listening part."""


class CannotListen(ServerError):  # noqa: N818 - a state of the machine
    """The address is taken, malformed, or not this machine's."""


class Unauthenticated(ServerError):  # noqa: N818 - gRPC's word
    """The caller's certificate is pinned by no contract in force, or its TLS is too old."""


class NotNow(ServerError):  # noqa: N818 - a condition that passes
    """The call has no answer now; `condition` says what the caller does about it."""

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        self.condition = condition


class Superseded(ServerError):  # noqa: N818 - a state
    """A newer stream of the same set has taken this one's place."""


class DriverFailed(ServerError):  # noqa: N818 - a state
    """The session's driver stopped on an error of this side; its log says which."""
