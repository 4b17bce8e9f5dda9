"""Limits of requests, and how one is refused that goes beyond them or beyond its contract."""

from __future__ import annotations

from typing import Final

from party.errors import Refusal, RefusalStatus
from privacy.units import NANO

LEAST_EPSILON_NANO: Final = NANO // 100
"""ε 0.01: below it the dummies, which grow with 1/ε, are a denial of service."""
MOST_EPSILON_NANO: Final = 100 * NANO
CLOCK_SKEW_SECONDS: Final = 300


def require_within(name: str, value: int, least: int, most: int) -> None:
    """Raise Refusal (LIMIT_EXCEEDED) unless a parameter lies between two limits."""
    if not least <= value <= most:
        raise too_much(f"parameters.{name}", value, least, most)


def too_much(what: str, value: int, least: int, most: int) -> Refusal:
    """Return the refusal of a number outside its limits."""
    return Refusal(
        RefusalStatus.LIMIT_EXCEEDED,
        f"In the request, {what}: {value} is outside {least} to {most}. Ask within the limits.",
    )


def not_granted(message: str) -> Refusal:
    """Return the refusal of what the contract does not grant."""
    return Refusal(RefusalStatus.NOT_GRANTED, message)
