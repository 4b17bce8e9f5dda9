"""Who is let in: pinned peers, and the invitations by which others could come."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from party.organisation import Organisation

if TYPE_CHECKING:
    from client.key_exchange import Told
    from party.key_statement import KeyStatement
    from party.known_peers import Peer
    from party.reception import Issued
    from party.renewals import Learnt


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

    def renew(self, file: str | Path) -> builtins.list[Learnt]:
        """Take a counterpart's word that it replaced its keys, from its keys.json.

        Raises:
            IdentityError: the file is no statements, or of a party that is not known here.
            Refusal: they do not follow from what is known.
        """
        from client.key_exchange import learn_file

        return learn_file(self._party, Path(file))

    def revoke(self, name: str, reason: str) -> int:
        """Do nothing with a counterpart any more, at once; return how many requests that ended.

        Raises:
            InvitationError: nobody of this name is known here, or the reason cannot be logged.
        """
        from party.revocation import Revocations

        return Revocations(self._party).revoke(name, reason)

    def restore(self, name: str, reason: str) -> None:
        """Take a revocation back; what has ended stays ended.

        Raises:
            InvitationError: nobody of this name is revoked, or the reason cannot be logged.
        """
        from party.revocation import Revocations

        Revocations(self._party).restore(name, reason)


class Keys:
    """`commonground keys`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def show(self) -> dict[str, Any]:
        """Return the keys in use, the statements about those that come or go, and who knows."""
        from client.render_keys import keys_document

        return keys_document(self._party)

    def rotate(
        self, which: Literal["tls", "identity"], *, use_after: int = 24, overlap: int = 14
    ) -> KeyStatement:
        """Replace a key: it is used after so many hours, the one before is accepted so many days.

        Raises:
            IdentityError: the last replacement is not in use yet, or the times do not serve.
            InUse: another process replaces a key of this party.
        """
        from party.rotation import rotate

        return rotate(self._party, which, use_after_hours=use_after, overlap_days=overlap)

    def move_node_key(self, place: Literal["keyring", "file"]) -> str:
        """Move the node key into the operating system's keyring, or back; return where it is.

        Raises:
            IdentityError: it is not where it is moved from, or there is no keyring that keeps it.
            InUse: another process works on the keys.
        """
        from party.node_key import move_node_key

        return move_node_key(self._party, place)

    def tell(self) -> builtins.list[Told]:
        """Tell the counterparts that can be dialled of keys that were replaced here."""
        from client.key_exchange import tell_all

        return list(tell_all(self._party))


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
