"""The console on an address: over TLS with the party's certificate, to its end.

It runs beside `serve`, or without it, on the same folder. Over plain HTTP only on loopback, and
only where that is asked for: passwords and sessions travel here, and another account of this
machine may listen where this console did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from audit.roles import Role
from party.errors import PartyError
from party.organisation import Organisation
from party.web_listener import bind, is_loopback, start_web, url_of

if TYPE_CHECKING:
    from client.console.app import Place

DEFAULT: Final = "127.0.0.1:7490"
MOST_CONNECTIONS: Final = 256
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_EXTRA: Final = (
    *("altair", "argon2", "authlib", "fastapi", "multipart", "requests", "uvicorn", "vl_convert"),
)


@contextmanager
def hosting(
    party: Organisation, address: str, *, names: Sequence[str] = (), plain: bool = False
) -> Iterator[str]:
    """Answer browsers on an address (host:port; port 0 takes a free one) meanwhile; yield the URL.

    `names` are those by which browsers may reach it, beside the host of the address, and those of
    this machine where it is on loopback. What is being answered at the end is answered.

    Raises:
        CannotListen: the address is taken, malformed or not this machine's.
        PartyError: plain HTTP would leave this machine, or the extra `console` is not installed.
        NotEntitled: the account that runs this program is no operator of the party.
    """
    party.access.require(Role.OPERATOR, "console.serve")
    require_installed()
    from client.console.app import make_app

    host, listening = bind(address, MOST_CONNECTIONS)
    with listening:
        place = _place(host, listening.getsockname()[1], names, plain)
        web = start_web(
            make_app(party, place),
            listening,
            name="console",
            identity=party.identity if place.secure else None,
            timeout_graceful_shutdown=20,
        )
        try:
            yield url_of(host, place.port, over_tls=place.secure)
        finally:
            web.stop()


def require_installed() -> None:
    """Raise unless what the console is made of is installed.

    Raises:
        PartyError: it is not.
    """
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in _EXTRA):
        raise PartyError(
            "the console is made of packages that are not installed: install commonground with the "
            "extra `console`"
        )


def _place(host: str, port: int, names: Sequence[str], plain: bool) -> Place:
    from client.console.app import Place

    if plain and not is_loopback(host):
        raise PartyError(
            f"without TLS the console answers on this machine alone, and {host} is reached from "
            "others: leave --plain out"
        )
    own = {host, *(LOOPBACK_NAMES if is_loopback(host) else ()), *names}
    return Place(frozenset(name.lower() for name in own), port, secure=not plain)
