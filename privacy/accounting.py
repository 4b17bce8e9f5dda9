"""What a party has spent on its own people, and the filter that admits a further spend.

Rows are integers, each rounded up, so sums are exact and never understate. A filter is fixed
by the contract and never switches by outcome. It decides; storing a row before anything is
sent is the ledger's business.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from typing import Self

from privacy.errors import BudgetExhausted, InvalidParameter
from privacy.units import E15, NANO, format_delta, format_epsilon, round_up


@dataclass(frozen=True)
class Spend:
    """A loss of privacy: ε and ρ in 1e-9, δ in 1e-15, each rounded up."""

    epsilon_nano: int = 0
    rho_nano: int = 0
    delta_e15: int = 0

    def __post_init__(self) -> None:
        if min(self.epsilon_nano, self.rho_nano, self.delta_e15) < 0:
            raise InvalidParameter("a spend is never negative: nothing is refunded")

    @classmethod
    def pure(cls, epsilon_nano: int) -> Self:
        """Return the row of a pure mechanism: (ε, ε²/2, 0)."""
        return cls.truncated(epsilon_nano, 0)

    @classmethod
    def truncated(cls, epsilon_nano: int, delta_e15: int) -> Self:
        """Return the row of a truncated mechanism: (ε, ε²/2, δ)."""
        rho = Fraction(epsilon_nano**2, 2 * NANO)
        return cls(epsilon_nano, round_up(rho), delta_e15)

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            self.epsilon_nano + other.epsilon_nano,
            self.rho_nano + other.rho_nano,
            self.delta_e15 + other.delta_e15,
        )


@dataclass(frozen=True)
class BudgetFilter(ABC):
    """What a contract allows in one window: ε_B in 1e-9 and δ_B in 1e-15."""

    epsilon_nano: int
    delta_e15: int

    def admit(self, spent: Spend, new: Spend) -> Spend:
        """Return the sum, or raise BudgetExhausted with what is left."""
        total = spent + new
        if not self.holds(total):
            raise self._exhausted(spent, new)
        return total

    @abstractmethod
    def holds(self, total: Spend) -> bool:
        """Return whether a sum of spends is within the budget."""

    def left(self, spent: Spend) -> tuple[int, int]:
        """Return the largest pure release that still fits (1e-9), and the δ left (1e-15)."""
        return self._epsilon_left(spent), max(0, self.delta_e15 - spent.delta_e15)

    def _exhausted(self, spent: Spend, new: Spend) -> BudgetExhausted:
        epsilon_left, delta_left = self.left(spent)
        return BudgetExhausted(
            f"this needs epsilon {format_epsilon(new.epsilon_nano)} and delta "
            f"{format_delta(new.delta_e15)}; of epsilon {format_epsilon(self.epsilon_nano)} and "
            f"delta {format_delta(self.delta_e15)} there is left epsilon "
            f"{format_epsilon(epsilon_left)} and delta {format_delta(delta_left)}. "
            "Ask for less, or wait for the window to renew",
            epsilon_left,
            delta_left,
        )

    def _epsilon_left(self, spent: Spend) -> int:
        """Search by bisection; what was spent only grows with a release."""
        low, high = 0, self.epsilon_nano + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.holds(spent + Spend.pure(middle)):
                low = middle
            else:
                high = middle
        return low


class BasicFilter(BudgetFilter):
    """Σε ≤ ε_B and Σδ ≤ δ_B."""

    def holds(self, total: Spend) -> bool:
        """Return whether a sum of spends is within the budget."""
        return total.epsilon_nano <= self.epsilon_nano and total.delta_e15 <= self.delta_e15


class ZcdpFilter(BudgetFilter):
    """ε of Σρ at δ′ = δ_B − Σδ is at most ε_B; δ′ is reserved in advance and must remain."""

    def holds(self, total: Spend) -> bool:
        """Return whether a sum of spends is within the budget."""
        reserved = self.delta_e15 - total.delta_e15
        return reserved > 0 and zcdp_epsilon(total.rho_nano, reserved) <= self.epsilon_nano


def zcdp_epsilon(rho_nano: int, delta_e15: int) -> int:
    """Return an ε, in 1e-9, at which ρ-zCDP is (ε, δ)-DP: never below the true infimum.

    inf over α > 1 of αρ + ln(1/(αδ))/(α−1) + ln(1−1/α) (Canonne, Kamath, Steinke 2020).
    Every α gives a valid ε, so a float may choose α; its value is then decimal, rounded up.
    """
    if not 0 < delta_e15 < E15 or rho_nano < 0:
        raise InvalidParameter("zCDP needs 0 ≤ rho and 0 < delta < 1")
    if rho_nano == 0:
        return 0
    rho, delta = rho_nano / NANO, delta_e15 / E15

    def loss(log_excess: float) -> float:
        excess = math.exp(log_excess)
        alpha = 1 + excess
        return alpha * rho - math.log(alpha * delta) / excess - math.log1p(1 / excess)

    excess = Decimal(math.exp(_minimise(loss, -10.0, 30.0)))
    return max(0, _loss_rounded_up(excess, rho_nano, delta_e15))


def _loss_rounded_up(excess: Decimal, rho_nano: int, delta_e15: int) -> int:
    context = Context(prec=60)
    alpha = context.add(1, excess)
    linear = context.multiply(alpha, Decimal(rho_nano).scaleb(-9))
    logarithm = context.ln(context.multiply(alpha, Decimal(delta_e15).scaleb(-15)))
    shift = context.ln(context.divide(alpha, excess))
    loss = context.subtract(linear, context.divide(logarithm, excess))
    loss = context.add(context.subtract(loss, shift), Decimal("1e-30"))  # above all rounding
    return int(loss.scaleb(9).to_integral_value(rounding=ROUND_CEILING))


def _minimise(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function of one valley is about least, by golden section."""
    golden = (math.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(80):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = function(right)
    return (low + high) / 2
