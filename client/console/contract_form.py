"""The form of a contract to propose: with whom, what is granted, within which limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from client.console.typed import Fields
from client.contract_words import APPROVALS
from client.documents.parts import KINDS
from client.drafting import Draft, draft_text
from languages import Language, message
from party.contract_draft import USUAL, Wishes
from party.contract_terms import Approval, OutputKind
from party.errors import ContractError
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.transfers import Transfer

_NUMBERS: Final = {
    "days": (365, 1, 3660),
    "window_days": (USUAL.window_days, 1, 3660),
    "min_match": (USUAL.min_match, 1, 10**9),
    "min_cell": (USUAL.min_cell, 1, 10**9),
    "list_expiry_days": (USUAL.list_expiry_days, 1, 3660),
}
"""Whole numbers of the form: what is usual, the least and the most."""
NOT: Final = "no"


@dataclass(frozen=True)
class ContractForm:
    """What was typed; `kinds` says how each kind is approved, `no` where it is not granted."""

    peer: str = ""
    third: str = ""
    contract_id: str = ""
    title: str = ""
    they_measure: bool = False
    kinds: dict[str, str] = field(default_factory=dict)
    epsilon: str = USUAL.epsilon
    delta: str = USUAL.delta
    numbers: dict[str, str] = field(
        default_factory=lambda: {name: str(one[0]) for name, one in _NUMBERS.items()}
    )
    transfers: str = ""

    @classmethod
    def read(cls, form: Fields) -> ContractForm:
        """Read the fields of the form as they were typed."""
        return cls(
            form.text("peer"),
            form.text("third"),
            form.text("contract_id"),
            form.text("title"),
            form.text("they_measure") == "yes",
            {kind.value: form.text(f"kind-{kind.value}", NOT) for kind in OutputKind},
            form.text("epsilon", USUAL.epsilon),
            form.text("delta", USUAL.delta),
            {name: form.text(name) for name in _NUMBERS},
            form.text("transfers"),
        )

    def kinds_offered(self, _: Language) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
        """Return every kind: its name, what it makes, what is chosen, and what may be."""
        choices = [
            (NOT, _("not granted")),
            *((one.value, _(APPROVALS[one])) for one in Approval),
        ]
        usual = {
            kind.value: (Approval.MANUAL if kind in USUAL.by_hand else Approval.RULE).value
            for kind in OutputKind
        }
        return [
            (kind.value, _(KINDS[kind]), self.kinds.get(kind.value, usual[kind.value]), choices)
            for kind in OutputKind
        ]

    def text(self, party: Organisation) -> str:
        """Return the text of the draft; nothing is written.

        Raises:
            ContractError: a field does not serve, or see `client.drafting.draft_text`.
        """
        chosen = {kind: self.kinds.get(kind.value, NOT) for kind in OutputKind}
        granted = frozenset(kind for kind, how in chosen.items() if how != NOT)
        if not granted:
            raise ContractError(
                message("a contract that grants nothing serves nobody: grant something")
            )
        numbers = {name: self._number(name) for name in _NUMBERS}
        days = numbers.pop("days")
        wishes = Wishes(
            kinds=granted,
            by_hand=frozenset(kind for kind in granted if chosen[kind] == Approval.MANUAL.value),
            epsilon=self.epsilon,
            delta=self.delta,
            **numbers,
        )
        cards = {one.name: one.card for one in KnownPeers(party).peers()}
        for name in filter(None, (self.peer, self.third)):
            if name not in cards:
                raise ContractError(
                    message(
                        "nobody is known here under the name '{name}'",
                        name=name[:64],
                    )
                )
        if not self.peer:
            raise ContractError(message("say with whom the contract is to be"))
        third = cards[self.third] if self.third else None
        lines = [line.strip() for line in self.transfers.splitlines()]
        transfers = tuple(Transfer.parse(line) for line in lines if line)
        draft = Draft(
            self.contract_id or "contract",
            self.title or None,
            days,
            self.they_measure,
            third,
            transfers,
            wishes,
        )
        return draft_text(party, cards[self.peer], draft)

    def _number(self, name: str) -> int:
        _, least, most = _NUMBERS[name]
        text = self.numbers.get(name, "")
        if not (text.isascii() and text.isdigit()) or not least <= int(text[:12]) <= most:
            raise ContractError(
                message(
                    "{name} is '{text}': write a number from {least} to {most}",
                    name=name,
                    text=text[:20],
                    least=least,
                    most=f"{most:,}",
                )
            )
        return int(text)
