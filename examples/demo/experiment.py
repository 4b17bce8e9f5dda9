"""A simulated experiment on real subscribers: arms, ghost exposure, and an effect that is known.

Half of the subscribers are the treatment. The ad reaches six in ten of either half; in the control
group that is ghost exposure: they would have been shown it, and were not. Who buys the promoted
product is drawn, so the effect is known and stands here. Nothing of it is real, unlike campaigns
and baskets.
"""

import numpy as np
import pandas as pd

from examples.demo.draws import chance

TREATED_SHARE = 0.5
EXPOSED_SHARE = 0.6
BUYS_ANYWAY = 0.20
EFFECT_OF_EXPOSURE = 0.15
"""Added to the chance of buying, for those of the treatment group who saw the ad."""
_CHEAPEST_CENTS, _DEAREST_CENTS = 400, 6_000


def assign(numbers: np.ndarray) -> pd.DataFrame:
    """Put households into the experiment: `treated` and `exposed` (ghost exposure included)."""
    return pd.DataFrame(
        {
            "treated": chance(numbers, "experiment arm") < TREATED_SHARE,
            "exposed": chance(numbers, "experiment exposure") < EXPOSED_SHARE,
        }
    )


def chances(arms: pd.DataFrame) -> np.ndarray:
    """Give each household's chance of buying: float64, shape (n,)."""
    saw = (arms["treated"] & arms["exposed"]).to_numpy()
    return BUYS_ANYWAY + EFFECT_OF_EXPOSURE * saw


def chance_of_buying(cells: list[str]) -> list[float]:
    """Give the chance of buying in each cell of arm × exposure, by its name."""
    return [BUYS_ANYWAY + EFFECT_OF_EXPOSURE * (cell == "treatment × exposed") for cell in cells]


def promoted_cents(numbers: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Draw what each household paid for the promoted product: cents, 0 where it did not buy."""
    buys = chance(numbers, "buys the promoted product") < probability
    spread = np.log(_DEAREST_CENTS / _CHEAPEST_CENTS) * chance(numbers, "promoted product paid")
    return np.where(buys, np.round(_CHEAPEST_CENTS * np.exp(spread)), 0).astype(np.int64)
