"""Errors of many ratios: the law of a ratio's noise hangs on its shape, and shapes repeat.

A table of thousands of cells has as many shares, each with its own coefficients. How wide a 95%
interval is, measured in standard errors, hangs only on how the terms share the variance. So each
term's part of the standard error is rounded to 1/128, the convolution is done once for every
rounded shape, and the half-width is widened by as much as the rounding may take away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from reports.laws import NoiseLaw, Spread, Term, spread

_PARTS: Final = 128
_WIDENED: Final = 1 / 64
"""In standard errors: more than what six terms lose by rounding, as a rule."""

Shape = tuple[tuple[NoiseLaw, int, int], ...]


def ratio_spread(terms: Sequence[Term]) -> Spread:
    """Return the error of a sum of independent terms; the standard error is exact.

    The half-width is that of the rounded shape, widened: as a rule between that of `spread` and
    1/32 of a standard error more, and at its narrowest 1/64 less.
    """
    sizes = [abs(term.coefficient) * math.sqrt(term.draws * _variance(term.law)) for term in terms]
    error = math.hypot(*sizes)
    if not error:
        return Spread(0.0, 0.0)
    shape = tuple(
        (term.law, term.draws, part)
        for term, size in zip(terms, sizes, strict=True)
        if (part := round(_PARTS * size / error))
    )
    return Spread(error, (_relative_half_width(shape) + _WIDENED) * error)


@lru_cache(maxsize=1 << 8)
def _variance(law: NoiseLaw) -> float:
    """Return the law's variance, which takes long beside what is done with it here."""
    return law.variance


@lru_cache(maxsize=1 << 14)
def _relative_half_width(shape: Shape) -> float:
    """Return half a 95% interval in standard errors; laws are symmetric, so signs do not matter."""
    terms = [Term(part / math.sqrt(law.variance * draws), law, draws) for law, draws, part in shape]
    error, half_width = spread(terms)
    return half_width / error
