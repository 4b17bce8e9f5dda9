"""What keeps a listener from answering: one tree, rooted in `ServerError`.

A `Refusal` (party.errors) is not among them: it ends a session, these do not, but for `Told`.
"""

from party.errors import PartyError, Refusal
from party.wire.refusals import Condition


class ServerError(PartyError):
    """The root of what goes wrong in the listening part."""


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


class Crowded(ServerError):  # noqa: N818 - a state
    """The caller takes more of this listener than one counterpart may; it asks again later."""


class Told(ServerError):  # noqa: N818 - a state
    """The session has ended with a refusal that its driver has to record, or has recorded."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal
