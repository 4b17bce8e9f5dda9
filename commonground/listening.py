"""The one place where a party's folder meets what listens: for `serve`, the sandbox and the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from client.serving import ServedDesk
    from party.organisation import Organisation
    from server.http import Health, RunningHttp
    from server.serve import RunningServer


def listen(party: Organisation, desk: ServedDesk, address: str) -> RunningServer:
    """Listen on an address (host:port; port 0 takes a free one) as the party's settings say.

    Raises:
        CannotListen: the address is taken, malformed, or not this machine's.
        IdentityError: the party's certificate is not valid now.
    """
    from party.reception import Reception
    from server.serve import start

    return start(
        desk,
        party.identity,
        address,
        reception=Reception(party),
        max_sessions=party.settings.max_sessions,
        max_sessions_a_peer=party.settings.max_sessions_a_peer,
        patience_seconds=party.settings.patience_seconds,
    )


def listen_http(party: Organisation, address: str, health: Health) -> RunningHttp:
    """Offer a party's log over HTTP on an address (host:port; port 0 takes a free one).

    `health` says how what listens for counterparts stands.

    Raises:
        CannotListen: the address is taken, malformed, or not this machine's, or the extra `http`
            is not installed.
    """
    from server.http import start_http

    return start_http(party, address, health)
