"""What a form asks for, once for each key: however often it is sent, and whoever answers it.

A key is drawn with the page that shows a quote, and becomes the id of the request, or of the
series, that the form makes (decision 0056).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from client.actors import OPERATOR
from client.by_identifier import TypeRequests, file_all
from client.console.typed import Fields
from languages import message
from party.contract import Contract
from party.desk import Desk
from party.errors import PartyError
from party.filing import Filed
from party.list_names import Naming
from party.request import Request

if TYPE_CHECKING:
    from client.console.app import Console

_LETTERS: Final = 32


def new_key() -> str:
    """Draw the key of a form: 128 random bits in hexadecimal."""
    return secrets.token_hex(_LETTERS // 2)


def key_of(form: Fields) -> str:
    """Return the key that a form carries; PartyError where it has none."""
    key = form.text("key")
    if len(key) != _LETTERS or not set(key) <= set("0123456789abcdef"):
        raise PartyError(message("the form has no key: begin again with a quote"))
    return key


def ask_once(
    console: Console,
    account: str,
    key: str,
    wanted: Callable[[], tuple[Request, Contract, Naming | None]],
) -> Filed:
    """File what is `wanted` under a key, and carry it in the background, unless that was done.

    Raises:
        Refusal, ContractError, PartyError: it may not be asked, or the console has no room.
    """
    desk = Desk(console.party)
    if desk.known(key) is None:
        request, contract, naming = wanted()
        with console.runner.room():
            desk.make(replace(request, id=key), contract, actor=OPERATOR, naming=naming)
            console.runner.begin(key, account)
    return desk.find(key)


def ask_all_once(console: Console, account: str, asked: TypeRequests) -> list[Filed]:
    """File the requests of an overlap by identifier, and carry each, unless that was done.

    Their ids follow from the form's key. They are returned in the order of their types.

    Raises:
        Refusal, ContractError, PartyError: the whole may not be asked, or there is no room for it.
    """
    with console.runner.room(len(asked.to_ask)):
        file_all(console.party, asked, actor=OPERATOR)
        for request in asked.to_ask:
            console.runner.begin(request.id, account)
    return [Desk(console.party).find(one.id) for one in asked.requests.values()]
