"""Whether charges stay within a budget, by the filter that the contract fixes.

docs/protocol.md, Charges. This is the auditor's own arithmetic, written apart from the ledger's,
so that a mistake in one shows against the other. Sums are of integers. The ε of zCDP is rounded
up by the ledger and down here: the auditor overlooks less than 1e-9, and never refuses what the
ledger admitted.
"""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Final, NamedTuple

from audit.bodies import BASIC, Budget
from audit.errors import RuleError

_WHOLE: Final = 10**15
_HALVINGS: Final = 120
_DIGITS: Final = 60


class Spent(NamedTuple):
    """A sum of charges: ε and ρ in 1e-9, δ in 1e-15."""

    epsilon_nano: int = 0
    rho_nano: int = 0
    delta_e15: int = 0

    def plus(self, other: Spent) -> Spent:
        """Return both together."""
        return Spent(
            self.epsilon_nano + other.epsilon_nano,
            self.rho_nano + other.rho_nano,
            self.delta_e15 + other.delta_e15,
        )

    def since(self, earlier: Spent) -> Spent:
        """Return what came on top of an earlier sum."""
        return Spent(
            self.epsilon_nano - earlier.epsilon_nano,
            self.rho_nano - earlier.rho_nano,
            self.delta_e15 - earlier.delta_e15,
        )


def require_within(budget: Budget, rule: str, spent: Spent) -> None:
    """Hold what was spent since a window began against a budget, by the contract's filter.

    Raises:
        RuleError: it is more than the budget.
    """
    if rule == BASIC:
        _require_basic(budget, spent)
    else:
        _require_zcdp(budget, spent)


def _require_basic(budget: Budget, spent: Spent) -> None:
    for name, sum_of, allowed in (
        ("epsilon_nano", spent.epsilon_nano, budget.epsilon_nano),
        ("delta_e15", spent.delta_e15, budget.delta_e15),
    ):
        if sum_of > allowed:
            raise RuleError(
                f"with it {name} {sum_of} is spent since its window began; "
                f"the contract allows {allowed}"
            )


def _require_zcdp(budget: Budget, spent: Spent) -> None:
    reserved = budget.delta_e15 - spent.delta_e15
    if 0 < reserved < _WHOLE and _surely_within(budget.epsilon_nano, spent.rho_nano, reserved):
        return
    if 0 < reserved < _WHOLE and zcdp_epsilon(spent.rho_nano, reserved) <= budget.epsilon_nano:
        return
    raise RuleError(
        f"with it rho_nano {spent.rho_nano} and delta_e15 {spent.delta_e15} are spent since its "
        f"window began; by zcdp that is more than the contract's epsilon_nano "
        f"{budget.epsilon_nano} and delta_e15 {budget.delta_e15} allow"
    )


def _surely_within(epsilon_nano: int, rho_nano: int, delta_e15: int) -> bool:
    """Say whether ρ-zCDP is well within ε, by the plain bound ρ + 2√(ρ ln(1/δ)).

    It is never below `zcdp_epsilon`, which drops two terms that are not positive, and takes no
    decimals: a long log has a charge in every few entries, and most are far from the limit. The
    margin is a thousand times what a float may err here.
    """
    rho = rho_nano / 10**9
    plain = rho + 2 * math.sqrt(rho * math.log(_WHOLE / delta_e15))
    return plain * (1 + 1e-12) <= epsilon_nano / 10**9


def zcdp_epsilon(rho_nano: int, delta_e15: int) -> int:
    """Return the least ε, in 1e-9 rounded down, at which ρ-zCDP is (ε, δ)-DP, for 0 < δ < 1.

    With x = α − 1 it is the least (1+x)ρ + ln(1/((1+x)δ))/x + ln(x/(1+x)), whose slope is
    ρ − ln(1/((1+x)δ))/x². Every x gives a valid ε, so a float may choose it; near the least an
    error in x hardly shows. The value itself is decimal.
    """
    excess = Decimal(_lowest_point(rho_nano / 10**9, delta_e15 / _WHOLE))
    with localcontext(prec=_DIGITS):
        rho, delta = Decimal(rho_nano).scaleb(-9), Decimal(delta_e15).scaleb(-15)
        order = 1 + excess
        loss = order * rho - (order * delta).ln() / excess + (excess / order).ln()
        return max(0, int(loss.scaleb(9).to_integral_value(rounding=ROUND_FLOOR)))


def _lowest_point(rho: float, delta: float) -> float:
    """Return the x where ρx² = ln(1/((1+x)δ)): one side rises and the other falls."""
    low, high = 0.0, 1 / delta
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if rho * middle**2 < -math.log(delta) - math.log1p(middle):
            low = middle
        else:
            high = middle
    return high
