"""A contract to begin with, from this party, its registered datasets and a counterpart's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from audit.roles import Role
from languages import message
from party.card import IdentityCard
from party.contract import Contract
from party.contract_draft import USUAL, Wishes, draft_contract, require_address
from party.contract_file import parse_contract
from party.contract_terms import DatasetTerms
from party.errors import ContractError
from party.identity import PARTY_NAME
from party.known_peers import KnownPeers
from party.offered import offered_by
from party.organisation import Organisation
from party.transfers import Transfer

DAY_SECONDS: Final = 86_400
UNNAMED: Final = "contract"
"""A contract's id where its author gives none."""


@dataclass(frozen=True)
class Draft:
    """What the proposer decides; `they_measure` gives tables to the counterpart.

    `third` is the card of a party whose labels are added to tables. `transfers` are those across
    borders. `wishes` is what is granted, and within which limits.
    """

    contract_id: str
    title: str | None
    days: int
    they_measure: bool
    third: IdentityCard | None = None
    transfers: tuple[Transfer, ...] = ()
    wishes: Wishes = USUAL

    def __post_init__(self) -> None:
        """Require that the third can be dialled, before an invitation is used up for a draft."""
        if self.third is not None:
            require_address(self.third)


def find_card(party: Organisation, wanted: str) -> IdentityCard:
    """Return a counterpart's card: a file, or the name of a peer that is pinned.

    Raises:
        ContractError: it is neither, or the file is no card.
    """
    path = Path(wanted)
    if not path.exists() and PARTY_NAME.fullmatch(wanted) is not None:
        return KnownPeers(party).card(wanted)
    try:
        return IdentityCard.parse(path.read_bytes(), source=wanted)
    except OSError as error:
        raise ContractError(
            message(
                "the card {path} cannot be read: {strerror}",
                path=path,
                strerror=error.strerror,
            )
        ) from None


def draft_path(contract_id: str) -> Path:
    """Return where the draft of a contract is written, unless its author says otherwise."""
    return Path("contract.yaml" if contract_id == UNNAMED else f"contract-{contract_id}.yaml")


def require_new(path: Path) -> None:
    """Raise ContractError when there is a file already where a draft is to be written."""
    if path.exists():
        raise ContractError(
            message(
                "{path} exists already, and is left as it is; choose another --out",
                path=path,
            )
        )


def draft_text(
    party: Organisation,
    theirs: IdentityCard,
    draft: Draft,
    their_datasets: Mapping[str, DatasetTerms] = MappingProxyType({}),
) -> str:
    """Return the text of a draft with a counterpart, and a third; nothing is written.

    `their_datasets` are those that the counterpart has stated.

    Raises:
        ContractError: a card is this party's own or given twice, a third takes part and one of
            those who are dialled then has no address, only some declare where data lies, or a
            transfer across a border is not stated.
    """
    party.access.require(Role.ANALYST, "contract.draft")
    mine = party.own_card()
    others = [theirs] if draft.third is None else [theirs, draft.third]
    for card in others:
        if card.identity == party.identity.vkey:
            raise ContractError(message("this is the party's own card; give the counterpart's"))
    if len({card.identity for card in others}) != len(others):
        raise ContractError(message("counterpart and third are one party; a third is another"))
    my_name, their_name, *third = names = _names([mine, *others])
    order = [their_name, my_name] if draft.they_measure else [my_name, their_name]
    cards = dict(zip(names, [mine, *others], strict=True))
    starts = party.now // DAY_SECONDS * DAY_SECONDS
    return draft_contract(
        {name: cards[name] for name in [*order, *third]},
        contract_id=draft.contract_id,
        title=draft.title or f"Between {_listed([mine, *others])}",
        starts=starts,
        ends=starts + draft.days * DAY_SECONDS,
        datasets={my_name: offered_by(party), their_name: their_datasets},
        transfers=draft.transfers,
        wishes=draft.wishes,
    )


def write_draft(
    party: Organisation,
    theirs: IdentityCard,
    draft: Draft,
    path: Path,
    their_datasets: Mapping[str, DatasetTerms] = MappingProxyType({}),
) -> Contract:
    """Write a draft with a counterpart, and a third, to a new file; return it as read back.

    Raises:
        ContractError: as `draft_text`, or the file exists.
    """
    party.access.require(Role.ANALYST, "contract.draft")
    require_new(path)
    text = draft_text(party, theirs, draft, their_datasets)
    path.write_text(text, encoding="utf-8")
    return parse_contract(text.encode(), source=str(path))


def _names(cards: Sequence[IdentityCard]) -> list[str]:
    """Return the name of each in the contract, which its authors change as they like."""
    names: list[str] = []
    for card in cards:
        name = card.parsed_certificate.party_name
        alike = sum(one == name or one.startswith(f"{name}-") for one in names)
        names.append(f"{name}-{alike + 1}" if name in names else name)
    return names


def _listed(cards: Sequence[IdentityCard]) -> str:
    *all_but_last, last = (card.organisation for card in cards)
    return f"{', '.join(all_but_last)} and {last}"
