"""Whether a contract still says where this party's data lies.

A contract states the places as the card had them when it was drafted, and the transfers follow from
them. A party that moves its data changes its card; contracts of before then state transfers that
are no longer those that take place, and nothing runs under them.
"""

from __future__ import annotations

from typing import Final

from languages import message
from party.contract import Contract
from party.errors import ContractError, Refusal, RefusalStatus
from party.organisation import CARD_FILE, Organisation
from party.places import Places

UNDECLARED: Final = "not declared"


def require_declared(party: Organisation, contract: Contract) -> None:
    """Refuse a contract that says otherwise than the party's card where its data lies.

    Raises:
        ContractError: the card was changed since, or the contract is of before it declared.
        SettingsError: the card is missing, or another party's.
    """
    agreed = contract.parties[contract.me(party.identity)].places
    declared = party.own_card().places
    if agreed != declared:
        raise ContractError(
            message(
                "Contract {id} says where this party's data lies: {agreed}. Its "
                "card, {card_file}, says: {declared}. Correct the card, or agree "
                "on a new contract with it.",
                id=contract.id,
                agreed=in_words(agreed),
                card_file=CARD_FILE,
                declared=in_words(declared),
            )
        )


def refuse_moved(party: Organisation, contract: Contract) -> None:
    """Refuse what is asked under a contract that says no longer where the data lies.

    Raises:
        Refusal: EXPIRED, as `require_declared`.
        SettingsError: the card is missing, or another party's.
    """
    try:
        require_declared(party, contract)
    except ContractError as error:
        raise Refusal(RefusalStatus.EXPIRED, str(error)) from None


def in_words(places: Places | None) -> str:
    """Return a declaration as a person reads it."""
    return UNDECLARED if places is None else f"under the law of {places}"
