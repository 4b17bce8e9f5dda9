"""The check digit of an IMEI (3GPP TS 23.003, annex B: the Luhn formula)."""

from __future__ import annotations


def with_check_digit(body: str) -> str:
    """Return the fourteen digits of an IMEI followed by their check digit."""
    total = 0
    for position, character in enumerate(body):
        value = int(character)
        if position % 2:
            value = value * 2 - 9 * (value > 4)
        total += value
    return body + str(-total % 10)
