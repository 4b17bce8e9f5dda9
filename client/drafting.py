"""A contract to begin with, from this party, its registered datasets and a counterpart's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from party.card import IdentityCard
from party.contract import Contract
from party.contract_draft import draft_contract
from party.contract_file import parse_contract
from party.contract_terms import DatasetTerms
from party.errors import ContractError
from party.identity import PARTY_NAME
from party.known_peers import KnownPeers
from party.offered import offered_by
from party.organisation import Organisation

DAY_SECONDS: Final = 86_400
UNNAMED: Final = "contract"
"""A contract's id where its author gives none."""


@dataclass(frozen=True)
class Draft:
    """What the proposer decides; `they_measure` gives tables to the counterpart."""

    contract_id: str
    title: str | None
    days: int
    they_measure: bool


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
        raise ContractError(f"the card {path} cannot be read: {error.strerror}") from None


def draft_path(contract_id: str) -> Path:
    """Return where the draft of a contract is written, unless its author says otherwise."""
    return Path("contract.yaml" if contract_id == UNNAMED else f"contract-{contract_id}.yaml")


def require_new(path: Path) -> None:
    """Raise ContractError when there is a file already where a draft is to be written."""
    if path.exists():
        raise ContractError(f"{path} exists already, and is left as it is; choose another --out")


def write_draft(
    party: Organisation,
    theirs: IdentityCard,
    draft: Draft,
    path: Path,
    their_datasets: Mapping[str, DatasetTerms] = MappingProxyType({}),
) -> Contract:
    """Write a draft with a counterpart to a new file and return it as read back.

    `their_datasets` are those that the counterpart has stated.

    Raises:
        ContractError: the card is this party's own, or the file exists.
    """
    require_new(path)
    mine = party.own_card()
    my_name, their_name = party.identity.name, theirs.parsed_certificate.party_name
    if theirs.identity == party.identity.vkey:
        raise ContractError("this is the party's own card; give the counterpart's")
    if their_name == my_name:
        their_name = f"{their_name}-2"  # its authors rename it as they like
    pair = {my_name: mine, their_name: theirs}
    order = [their_name, my_name] if draft.they_measure else [my_name, their_name]
    starts = party.now // DAY_SECONDS * DAY_SECONDS
    text = draft_contract(
        {name: pair[name] for name in order},
        contract_id=draft.contract_id,
        title=draft.title or f"Between {mine.organisation} and {theirs.organisation}",
        starts=starts,
        ends=starts + draft.days * DAY_SECONDS,
        datasets={my_name: offered_by(party), their_name: their_datasets},
    )
    path.write_text(text, encoding="utf-8")
    return parse_contract(text.encode(), source=str(path))
