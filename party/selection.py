"""Which entries of a log are wanted: by kind, session, contract, counterpart, time and actor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from audit.bodies import KINDS, kind_named
from audit.entry import Entry, format_time
from audit.errors import EntryError
from languages import message
from party.errors import PartyError

INCIDENTS: Final = "incident"


@dataclass(frozen=True)
class Selection:
    """What an entry must be; None and () for no matter.

    Args:
        kinds: any of these: kinds, or families of them, such as `consent` for `consent.snapshot`.
        session: the first digits of a request's id, which its body names, or of a session's id.
        contract: the contract's hash.
        since: the first time, as entries have it.
        until: the time before which it was.
        actor: who acted: as the entry has it, or a part of it: account, role, or how.
        peer: a counterpart, which the body names or which has the entry's contract.
        contracts_with: the hashes of the contracts that this counterpart has.
    """

    kinds: tuple[str, ...] = ()
    session: str | None = None
    contract: str | None = None
    since: str | None = None
    until: str | None = None
    actor: str | None = None
    peer: str | None = None
    contracts_with: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.kinds:
            _require_kind(name)

    def admits(self, entry: Entry) -> bool:
        """Tell whether an entry is wanted."""
        return (
            (not self.kinds or any(_is_of(entry.kind, name) for name in self.kinds))
            and (self.session is None or self._is_of_session(entry, self.session))
            and self.contract in (None, entry.contract)
            and (self.since is None or self.since <= entry.time)
            and (self.until is None or entry.time < self.until)
            and (self.actor is None or self.actor in names_in(entry.actor))
            and (self.peer is None or self._is_with(entry, self.peer))
        )

    def of(self, entries: Iterable[bytes]) -> Iterator[Entry]:
        """Yield the entries that are wanted, parsed, in their order.

        Raises:
            EntryError: one is malformed.
        """
        return (entry for entry in map(Entry.parse, entries) if self.admits(entry))

    def _is_with(self, entry: Entry, peer: str) -> bool:
        named: object = getattr(entry.body, "peer", None)
        return named == peer or entry.contract in self.contracts_with

    @staticmethod
    def _is_of_session(entry: Entry, wanted: str) -> bool:
        named = getattr(entry.body, "request", ""), entry.session or ""
        return any(one.startswith(wanted) for one in named)


def names_in(actor: str) -> tuple[str, ...]:
    """Return an actor, such as `session:alice/operator`, and each of its parts."""
    return actor, *re.split("[:/]", actor)


def read_moment(text: str, what: str) -> str:
    """Read a day or a moment (ISO 8601, UTC without a zone) as entries have times.

    Raises:
        PartyError: it is none; `what` names it in the message.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PartyError(
            message(
                "{what} is no time: '{text}'; write one such as 2026-01-01 or 2026-01-01T06:00",
                what=what,
                text=text[:40],
            )
        ) from None
    return format_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _is_of(kind: str, name: str) -> bool:
    return kind == name or kind.startswith(f"{name}.")


def _require_kind(name: str) -> None:
    """Refuse a kind that no entry can have: a misspelt one would find nothing and look fine."""
    families = {kind.partition(".")[0] for kind in KINDS} | {INCIDENTS}
    if name in families:
        return
    try:
        kind_named(name)
    except EntryError:
        raise PartyError(
            message(
                "no entry is of the kind '{name}'; the kinds are {kinds} and "
                "{incidents}.<word>, and their families {families}",
                name=name[:40],
                kinds=", ".join(KINDS),
                incidents=INCIDENTS,
                families=", ".join(sorted(families)),
            )
        ) from None
