"""The lists that matches have brought a party: look, name, refresh, take them to a platform."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from client.actors import OPERATOR
from client.asking import refresh_request
from client.cancelling import CancelToken
from client.render_lists import list_document
from client.sdk.asking import Asked
from client.sdk.calls import Calls
from client.sdk.results import Audience, audience_of
from party.activation import Exported, Order, export_list
from party.desk import Desk
from party.driver import Progress
from party.errors import PartyError
from party.list_files import Part
from party.list_names import Naming
from party.lists import Lists as HeldLists
from party.lists import MatchedList
from party.organisation import Organisation
from party.retention import prune

if TYPE_CHECKING:
    import pandas as pd


class Lists:
    """`commonground lists`. A list is found by its name, or by its request's id or first digits."""

    def __init__(self, party: Organisation, calls: Calls) -> None:
        self._party, self._calls = party, calls

    def list(self) -> builtins.list[Audience]:
        """Return every list that no refresh has taken the place of, newest first.

        Each says its `state`; one that is not live any more has no people to return.

        Raises:
            ResultError: one is not what this party stored.
        """
        return [self._audience(one) for one in HeldLists(self._party).held()]

    def show(self, name: str) -> Audience:
        """Return a list that may be used.

        Raises:
            PartyError: there is none of this name, or it was deleted.
            Refusal: it has expired (EXPIRED).
            ResultError: it was changed after it was made.
        """
        return audience_of(self._party, Desk(self._party).find(self._find(name).request.id))

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a list, newest first; `people` is exact, and for your eyes."""
        import pandas as pd

        names = ("name", "use", "peer", "dataset", "people", "made_at", "expires_at", "request")
        held, now = HeldLists(self._party).held(), self._party.now
        documents = [(list_document(one), one.state(now)) for one in held]
        lines = [(*(document[name] for name in names), state) for document, state in documents]
        return pd.DataFrame(lines, columns=[*names, "state"])

    def name(self, request: str, name: str) -> Audience:
        """Name a list that has no name, such as one that the counterpart asked for.

        Raises:
            PartyError: it has a name, or the name does not serve or is another list's.
            Refusal: it has expired (EXPIRED).
        """
        return self._audience(HeldLists(self._party).give_name(request, name))

    def refresh(
        self,
        name: str,
        *,
        contract: str | None = None,
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Audience:
        """Make a list anew under its contract, charged in full, and return it with its changes.

        Raises:
            Refusal: another contract (NOT_GRANTED), an expired list (EXPIRED), or as `Party.match`.
            SessionSuspended: as `Party.match`; until it ends well, the old list is the list.
            PartyError: the list has no name, was deleted, or its dataset has other people now.
            ResultError: it was changed after it was made.
        """
        found = self._find(name)
        agreed = self._party.contract(contract or found.request.contract)
        request = refresh_request(self._party, found, agreed)
        asked = Asked(request, agreed, Naming(found.title, replaces=found.request.id))
        filed = self._calls.ask(asked, progress, cancel, wait=wait)
        prune(self._party)
        return audience_of(self._party, filed)

    def export(
        self,
        name: str,
        to: str,
        out: str | Path,
        *,
        part: str = "whole",
        identifiers: str | Iterable[str] = (),
    ) -> Exported:
        """Write a list to a new file in a platform's form, or as your own references; log it.

        `to` is google-customer-match, meta, tiktok, uid2, csv or parquet; `part` whole, added or
        removed; `identifiers` is a type such as email, or several. Without it the file has all
        that the platform takes in one file.

        Raises:
            Refusal: the contract does not grant it (NOT_GRANTED), or the list has expired.
            PartyError: the list, the dataset, an argument or the file does not serve; nothing is
                written.
            ResultError: the list was changed after it was made.
        """
        found = self._find(name)
        agreed = self._party.contract(found.request.contract)
        types = (identifiers,) if isinstance(identifiers, str) else tuple(identifiers)
        order = Order(to, Path(out), _part(part), types)
        return export_list(self._party, agreed, found, order, actor=OPERATOR)

    def _find(self, name: str) -> MatchedList:
        return HeldLists(self._party).find(name)

    def _audience(self, found: MatchedList) -> Audience:
        return Audience(self._party, Desk(self._party).find(found.request.id))


def _part(name: str) -> Part:
    try:
        return Part(name)
    except ValueError:
        raise PartyError(
            f"a list has no part '{name}': it is {', '.join(part.value for part in Part)}"
        ) from None
