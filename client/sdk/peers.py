"""Who is let in: pinned peers, and the invitations by which others could come."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from party.organisation import Organisation

if TYPE_CHECKING:
    from party.known_peers import Peer
    from party.reception import Issued


class Peers:
    """`commonground peers`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def list(self) -> builtins.list[Peer]:
        """Return whom this party lets in, by an invitation or by a contract, by name."""
        from party.known_peers import KnownPeers

        return KnownPeers(self._party).peers()

    def forget(self, name: str) -> int:
        """Take away the pin that an invitation made; return how many open invitations went too.

        Lists, results, requests and the log stay as they are.

        Raises:
            InvitationError: nobody of this name is pinned, or a contract with it has not ended.
        """
        from party.known_peers import KnownPeers

        return KnownPeers(self._party).forget(name)


class Invitations:
    """`commonground invitations`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def list(self) -> builtins.list[Issued]:
        """Return the invitations that are remembered, newest first; the lines are not kept."""
        from party.reception import Reception

        return Reception(self._party).issued()

    def withdraw(self, invitation: str) -> Issued:
        """Take an open invitation back: its id, the id's first digits, or its line.

        Raises:
            InvitationError: there is none such, or it is not open any more.
        """
        from party.reception import Reception

        return Reception(self._party).withdraw(invitation)
