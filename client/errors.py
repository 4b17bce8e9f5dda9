"""What keeps a dialler from its counterpart: one tree, rooted in `DialError`.

`party.errors.RefusedThere` is not among them: there the counterpart was reached and said no.
"""

from party.errors import PartyError
from party.wire.refusals import Condition


class DialError(PartyError):
    """The root of what goes wrong on the way to a counterpart."""


class Unreachable(DialError):  # noqa: N818 - a state of the network
    """Nothing answers at the address, or not for long enough."""


class ProxyRefused(DialError):  # noqa: N818 - what a proxy did
    """An HTTP proxy on the way does not let this party through."""


class WrongCertificate(DialError):  # noqa: N818 - what was found
    """Something answers, with another certificate than the contract pins, or an expired one."""


class NotAccepted(DialError):  # noqa: N818 - what the counterpart did
    """The counterpart answers and does not accept this party's certificate."""


class PeerFailed(DialError):  # noqa: N818 - a state of the counterpart
    """The counterpart stopped on an error of its own."""


class Interrupted(DialError):  # noqa: N818 - a state of the connection
    """A call broke off on the way; it may be repeated."""


class Deferred(DialError):  # noqa: N818 - a condition that passes
    """The counterpart has no answer now; `condition` says what to do about it."""

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        self.condition = condition
