"""What the asker of a quote expects of the other parties: how many people, and how many match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from languages import message
from party.errors import PartyError
from party.request import Request
from psi.sets import MAX_KEYS

MATCH_RATE: Final = 0.5

People = int | Mapping[str, int]
"""How many people each other party has, or how many each by its name in the contract."""


@dataclass(frozen=True)
class Guess:
    """What the asker expects: people of the other parties, and the share of a side found there.

    A party that nothing is said of is taken to have as many people as this one.
    """

    their_people: People | None = None
    match_rate: float = MATCH_RATE

    def __post_init__(self) -> None:
        stated = self.their_people
        numbers = {} if stated is None else {None: stated} if isinstance(stated, int) else stated
        for name, people in numbers.items():
            if not 0 <= people <= MAX_KEYS:
                of = "" if name is None else f" of '{name[:64]}'"
                raise PartyError(
                    message(
                        "--their-people{of} is {people}: take 0 to {max_keys}",
                        of=of,
                        people=people,
                        max_keys=f"{MAX_KEYS:,}",
                    )
                )

    @classmethod
    def of(cls, texts: Sequence[str] | None, match_rate: float = MATCH_RATE) -> Guess:
        """Read what was typed: one number for each other party, or `PARTY=N` for each by name.

        Raises:
            PartyError: it is neither, or a party stands twice.
        """
        if not texts:
            return cls(None, match_rate)
        if len(texts) == 1 and "=" not in texts[0]:
            return cls(_number(texts[0]), match_rate)
        found: dict[str, int] = {}
        for text in texts:
            name, equals, number = text.rpartition("=")
            if not equals or not name or name in found:
                raise PartyError(
                    message(
                        "--their-people {text}: give one number for each other party, "
                        "such as 100000, or one PARTY=N for each of them, such as "
                        "channel=100000",
                        text=text[:80],
                    )
                )
            found[name] = _number(number)
        return cls(found, match_rate)

    def people_of(self, request: Request, me: str, own: int) -> dict[str, tuple[int, bool]]:
        """Return how many people each other party of a request has, and whether that was said.

        Raises:
            PartyError: people are stated of a party that the request does not have.
        """
        others = [name for name in request.participants if name != me]
        stated = self.their_people
        if stated is None:
            return dict.fromkeys(others, (own, False))
        if isinstance(stated, int):
            return dict.fromkeys(others, (stated, True))
        unknown = next((name for name in stated if name not in others), None)
        if unknown is not None:
            raise PartyError(
                message(
                    "--their-people is said of '{unknown}', which is no other party "
                    "of this request; there is {others}",
                    unknown=unknown[:64],
                    others=" and ".join(others),
                )
            )
        return {name: (stated.get(name, own), name in stated) for name in others}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_KEYS)):
        raise PartyError(
            message(
                "--their-people {text}: take a whole number from 0 to {max_keys}",
                text=text[:80],
                max_keys=f"{MAX_KEYS:,}",
            )
        )
    return int(text)
