"""`commonground.Party`: the verbs of `client.sdk`, and listening, which takes a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from client.listening import listening
from client.sdk import party
from commonground.listening import listen, listen_http


@dataclass(frozen=True)
class Serving:
    """A party that listens: on which address (host:port), over mutual TLS 1.3.

    `http` is the URL at which its log is offered to its own officers, None for nowhere.
    """

    address: str
    port: int
    http: str | None = None


class Party(party.Party):
    """One organisation's folder, opened; `close` it, or use it as a context manager.

    It may be used from several threads. Closing suspends what is under way.
    """

    @contextmanager
    def serve(self, address: str | None = None, http: str | None = None) -> Iterator[Serving]:
        """Listen in this process, in threads, for as long as the block runs.

        `address` is host:port; without it, where party.toml says. Port 0 takes a free one. At the
        end, or when the party is closed, sessions are suspended; they go on when it listens again.
        `http` is host:port as well: there the log is offered over HTTP, to whoever has the token in
        keys/http.token.

        Raises:
            PartyError: the address cannot be listened on, or the certificate is not valid now.
        """
        where = address or self._party.settings.listen
        begun = listening(self._party, listen, where, listen_http, http)
        with self._calls.listening(begun) as now:
            host = where.rpartition(":")[0]
            yield Serving(f"{host}:{now.port}", now.port, now.url)
