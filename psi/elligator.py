"""Field elements to points: the map and the group of curve25519_XMD:SHA-512_ELL2_RO_ (RFC 9380).

The curve is y² = x³ + J·x² + x with J = 486662. A pair (u₀, u₁) goes by Elligator 2 (§6.7.1) to
two points, which are added and multiplied by the cofactor 8; x of the result is the hash. x stays
a fraction until the end, so that a batch pays for one inversion. Infinity has x = 0, as in X25519.

Everything works on batches, without a branch on a value. What is hashed here are a party's own
identifiers; no function of this module ever sees a scalar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psi.field import (
    ByteRows,
    Elements,
    Mask,
    Multiplier,
    P,
    add,
    constant,
    invert,
    is_odd,
    is_zero,
    scale,
    subtract,
    to_bytes,
)

_J = 486662
_ONE = constant(1)
_I = constant(pow(2, (P - 1) // 4, P))  # i² = −1
_ROOT_2I = constant(pow(2, (P + 3) // 8, P))  # its square is 2i
_ROOT_MINUS_2I = constant(pow(2, (P + 3) // 8 + (P - 1) // 4, P))


@dataclass(frozen=True)
class Fraction:
    """x = numerator / denominator in each column; a denominator of 0 is infinity, 0/0 is barred."""

    numerator: Elements
    denominator: Elements

    def columns(self, start: int, stop: int) -> Fraction:
        """Return the columns start … stop − 1, as views."""
        return Fraction(self.numerator[:, start:stop], self.denominator[:, start:stop])


def points_of_pairs(u: Elements) -> ByteRows:
    """Return x of 8·(map(u₀) + map(u₁)); u is (9, 2n), u₀ of all first; points are (n, 32)."""
    width = u.shape[1]
    count = width // 2
    x, y = map_to_curve(u)
    total = add_points(x.columns(0, count), y[:, :count], x.columns(count, width), y[:, count:])
    for _ in range(3):
        total = double(total)
    multiplier = Multiplier(count)
    return to_bytes(multiplier.multiply(invert(total.denominator), total.numerator))


def map_to_curve(u: Elements) -> tuple[Fraction, Elements]:
    """Return x as a fraction, and y, of Elligator 2 for each u.

    Let d = 1 + 2u², x₁ = −J/d and x₂ = 2u²·x₁. Then g(x₂) = 2u²·g(x₁) and one of the two is a
    square. y is odd when x₁ is taken, and even when x₂ is.
    """
    m = Multiplier(u.shape[1])
    t = scale(m.square(u), 2)
    d = add(t, _ONE)  # never 0: −1/2 is no square
    d2 = m.square(d)
    g = scale(subtract(d2, scale(scale(t, _J), _J)), -_J)  # g(x₁) = g/d³
    y, first = _root(g, m.multiply(d2, d), u, m)
    numerator = np.where(first, constant(-_J), scale(t, -_J))
    return Fraction(numerator, d), np.where(is_odd(y) == first, y, subtract(constant(0), y))


def _root(g: Elements, h: Elements, u: Elements, m: Multiplier) -> tuple[Elements, Mask]:
    """Return (a root of g/h, True) where g/h is a square, else (a root of 2u²·g/h, False).

    r = g·h³·(g·h⁷)^((p−5)/8) satisfies r²·h = ω·g for a fourth root of unity ω. ω = 1 and ω = −1
    are the squares, mended by 1 and i; ω = −i and ω = i want a root of 2u²/ω.
    """
    h2 = m.square(h)
    gh3 = m.multiply(m.multiply(h2, h), g)
    r = m.multiply(m.power_p58(m.multiply(m.square(h2), gh3)), gh3)
    residue = m.multiply(m.square(r), h)
    is_one = is_zero(subtract(residue, g))
    is_minus_one = is_zero(add(residue, g))
    is_i = is_zero(subtract(residue, m.multiply(g, _I)))
    square = is_one | is_minus_one
    unity = np.where(is_one, _ONE, _I)
    other = m.multiply(np.where(is_i, _ROOT_MINUS_2I, _ROOT_2I), u)
    return m.multiply(r, np.where(square, unity, other)), square


def add_points(x0: Fraction, y0: Elements, x1: Fraction, y1: Elements) -> Fraction:
    """Return x of (x₀, y₀) + (x₁, y₁), equal and opposite points included.

    x₂ = ((y₁ − y₀)/(x₁ − x₀))² − J − x₀ − x₁. Opposite points make the fraction n/0 by
    themselves; equal ones would make it 0/0 and are doubled instead.
    """
    m = Multiplier(y0.shape[1])
    cross0 = m.multiply(x0.numerator, x1.denominator)
    cross1 = m.multiply(x1.numerator, x0.denominator)
    run = subtract(cross1, cross0)
    rise = subtract(y1, y0)
    d = m.multiply(x0.denominator, x1.denominator)
    run2 = m.square(run)
    rise2 = m.square(m.multiply(rise, d))
    steps = m.multiply(add(scale(d, _J), add(cross0, cross1)), run2)
    numerator = subtract(m.multiply(rise2, d), steps)
    denominator = m.multiply(run2, d)
    twice = double(x0)
    equal = is_zero(run) & is_zero(rise)
    return Fraction(
        np.where(equal, twice.numerator, numerator),
        np.where(equal, twice.denominator, denominator),
    )


def double(x: Fraction) -> Fraction:
    """Return x of twice the point, by the Montgomery ladder's doubling (RFC 7748 §5)."""
    m = Multiplier(x.numerator.shape[1])
    n2 = m.square(x.numerator)
    d2 = m.square(x.denominator)
    cross = m.multiply(x.numerator, x.denominator)
    slope = add(add(n2, d2), scale(cross, _J))
    return Fraction(m.square(subtract(n2, d2)), scale(m.multiply(cross, slope), 4))
