"""Arithmetic modulo p = 2²⁵⁵ − 19 on many elements at once, in NumPy.

An element is a column of an int64 array of shape (9, n): nine limbs of 29 bits, least significant
first. The one exponentiation that a hash to the curve cannot avoid costs 200 µs as Python's
`pow`; in a batch of a few thousand columns each costs a seventh of that. 2²⁶¹ = 64·p + 1216, so
what overflows the ninth limb comes back into the first, times 1216.

Every element that a function here returns is *reduced*: each limb lies within −2¹⁵ … 2²⁹ + 2¹⁵.
The value is then right modulo p, but not unique; `to_bytes` and `is_zero` are about the value.

Nothing here is constant-time in the sense of a hardened library (NumPy does not promise it), and
nothing here may touch a secret scalar: raising is done by `cryptography`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Elements = npt.NDArray[np.int64]  # (9, n)
Mask = npt.NDArray[np.bool_]  # (n,)
ByteRows = npt.NDArray[np.uint8]  # (n, bytes)

P = 2**255 - 19
LIMBS = 9
LIMB_BITS = 29
_MASK = np.int64((1 << LIMB_BITS) - 1)
_WRAP = np.int64(64 * 19)  # 2²⁶¹ mod p
_TOP_BITS = 255 - LIMB_BITS * (LIMBS - 1)  # bits of the ninth limb that lie below 2²⁵⁵
_TOP_MASK = np.int64((1 << _TOP_BITS) - 1)


def constant(value: int) -> Elements:
    """Return the integer `value` mod p as one column, shape (9, 1), which broadcasts."""
    value %= P
    limbs = [(value >> (LIMB_BITS * i)) & int(_MASK) for i in range(LIMBS)]
    return np.array(limbs, dtype=np.int64).reshape(LIMBS, 1)


def from_bytes(rows: ByteRows) -> Elements:
    """Read little-endian integers of any width, shape (n, bytes), reduced modulo p."""
    count, width = rows.shape
    words = np.zeros((count, width // 8 + 2), dtype="<u8")
    words.view(np.uint8)[:, :width] = rows
    size = max(LIMBS, -(-8 * width // LIMB_BITS))
    limbs = np.empty((size, count), dtype=np.int64)
    for i in range(size):
        word, shift = divmod(LIMB_BITS * i, 64)
        bits = words[:, word] >> np.uint64(shift)
        if shift > 64 - LIMB_BITS:
            bits |= words[:, word + 1] << np.uint64(64 - shift)
        limbs[i] = bits & np.uint64(_MASK)
    return _fold(limbs)


def _fold(limbs: Elements) -> Elements:
    """Bring limbs above the ninth back: up to 18 of them, each of 29 bits."""
    low, high = limbs[:LIMBS], limbs[LIMBS:]
    low[: len(high)] += high * _WRAP
    return carry(low)


def to_bytes(a: Elements) -> ByteRows:
    """Write the canonical values, below p, as 32 bytes little endian: shape (n, 32)."""
    limbs = canonical(a).astype(np.uint64)
    words = np.zeros((a.shape[1], 4), dtype="<u8")
    for i in range(LIMBS):
        word, shift = divmod(LIMB_BITS * i, 64)
        words[:, word] |= limbs[i] << np.uint64(shift)
        if shift > 64 - LIMB_BITS and word < 3:
            words[:, word + 1] |= limbs[i] >> np.uint64(64 - shift)
    return words.view(np.uint8)


def carry(a: Elements) -> Elements:
    """Reduce limbs below 2⁶² in magnitude, in place; return `a`.

    The first round leaves limbs of 2³⁴ and a first limb of 2⁴⁵, the second none above 2²⁹ + 2¹⁵.
    """
    spill = np.empty_like(a)
    for _ in range(2):
        _carry_once(a, spill)
    return a


def _carry_once(a: Elements, spill: Elements) -> None:
    np.right_shift(a, LIMB_BITS, out=spill)
    np.bitwise_and(a, _MASK, out=a)
    np.add(a[1:], spill[:-1], out=a[1:])
    np.multiply(spill[-1], _WRAP, out=spill[-1])
    np.add(a[0], spill[-1], out=a[0])


def add(a: Elements, b: Elements) -> Elements:
    """Return a + b."""
    return carry(a + b)


def subtract(a: Elements, b: Elements) -> Elements:
    """Return a − b."""
    return carry(a - b)


def scale(a: Elements, factor: int) -> Elements:
    """Return a times a small integer, below 2³¹ in magnitude."""
    return carry(a * np.int64(factor))


def canonical(a: Elements) -> Elements:
    """Return the limbs of the one representative in 0 … p − 1."""
    limbs = a.copy()
    for _ in range(2):  # the second pass takes up what the first one wrapped, below zero too
        limbs[0] += 19 * _ripple(limbs)
    trial = limbs.copy()
    trial[0] += 19
    limbs[0] += 19 * _ripple(trial)  # value ≥ p exactly if value + 19 reaches 2²⁵⁵
    _ripple(limbs)
    return limbs


def _ripple(limbs: Elements) -> npt.NDArray[np.int64]:
    """Carry from the first limb to the last in place; cut at 2²⁵⁵ and return what stood above."""
    for i in range(LIMBS - 1):
        limbs[i + 1] += limbs[i] >> LIMB_BITS
        limbs[i] &= _MASK
    above: npt.NDArray[np.int64] = limbs[-1] >> _TOP_BITS
    limbs[-1] &= _TOP_MASK
    return above


def is_zero(a: Elements) -> Mask:
    """Say for each column whether its value is 0 modulo p."""
    zero: Mask = np.all(canonical(a) == 0, axis=0)
    return zero


def is_odd(a: Elements) -> Mask:
    """Say for each column whether its canonical value is odd: `sgn0` of RFC 9380 §4.1."""
    return np.asarray(canonical(a)[0] & 1, dtype=np.bool_)


class Multiplier:
    """Products of batches of one width, with the scratch memory that they need.

    Two batches of 9 limbs give 17 columns of products, below 9·(2²⁹ + 2¹⁵)² < 2⁶² each. The
    upper eight are carried once before they are folded, since 1216 times them would not fit.
    """

    def __init__(self, width: int) -> None:
        self._wide = np.empty((2 * LIMBS, width), dtype=np.int64)
        self._part = np.empty((LIMBS, width), dtype=np.int64)
        self._twice = np.empty((LIMBS, width), dtype=np.int64)

    def multiply(self, a: Elements, b: Elements, out: Elements | None = None) -> Elements:
        """Return a·b; either may be a `constant`; `out` may be an operand."""
        wide, part = self._wide, self._part
        wide[LIMBS:] = 0
        np.multiply(a[0], b, out=wide[:LIMBS])
        for i in range(1, LIMBS):
            np.multiply(a[i], b, out=part)
            np.add(wide[i : i + LIMBS], part, out=wide[i : i + LIMBS])
        return self._reduce(out)

    def square(self, a: Elements, out: Elements | None = None) -> Elements:
        """Return a², `out` may be `a`: each product of two different limbs is made once."""
        wide, twice = self._wide, self._twice
        np.multiply(a, a, out=wide[0 : 2 * LIMBS - 1 : 2])
        np.left_shift(a, 1, out=twice)
        np.multiply(twice[1:], a[:-1], out=wide[1 : 2 * LIMBS - 2 : 2])
        for gap in range(2, LIMBS):  # limbs i and i + gap meet in column 2i + gap
            part, columns = self._part[gap:], wide[gap : 2 * LIMBS - 1 - gap : 2]
            np.multiply(twice[gap:], a[:-gap], out=part)
            np.add(columns, part, out=columns)
        return self._reduce(out)

    def _reduce(self, out: Elements | None) -> Elements:
        wide, spill = self._wide, self._part
        high = wide[LIMBS:-1]
        np.right_shift(high, LIMB_BITS, out=spill[:-1])
        np.bitwise_and(high, _MASK, out=high)
        np.add(high[1:], spill[:-2], out=high[1:])
        wide[-1] = spill[-2]
        np.multiply(wide[LIMBS:], _WRAP, out=spill)
        out = np.add(wide[:LIMBS], spill, out=out)
        for _ in range(2):
            _carry_once(out, spill)
        return out

    def square_often(self, a: Elements, times: int) -> Elements:
        """Return a raised to 2^times, times ≥ 1."""
        out = self.square(a)
        for _ in range(times - 1):
            self.square(out, out=out)
        return out

    def power_p58(self, a: Elements) -> Elements:
        """Return a^((p − 5)/8) = a^(2²⁵² − 3), by the usual chain of 251 squarings."""
        a2 = self.square(a)
        a9 = self.multiply(self.square_often(a2, 2), a)
        a11 = self.multiply(a9, a2)
        ones = self.multiply(self.square(a11), a9)  # exponent 2⁵ − 1
        ones10 = self._append(ones, ones, 5)
        ones20 = self._append(ones10, ones10, 10)
        ones40 = self._append(ones20, ones20, 20)
        ones50 = self._append(ones40, ones10, 10)
        ones100 = self._append(ones50, ones50, 50)
        ones200 = self._append(ones100, ones100, 100)
        ones250 = self._append(ones200, ones50, 50)
        return self._append(ones250, a, 2)

    def _append(self, head: Elements, tail: Elements, bits: int) -> Elements:
        """Write the exponent of `tail`, of that many bits, behind the exponent of `head`."""
        return self.multiply(self.square_often(head, bits), tail)


def invert(a: Elements) -> Elements:
    """Return 1/a for each column and 0 for 0 (`inv0` of RFC 9380), at three products a column.

    Montgomery's trick as a tree: the halves are multiplied, the products inverted, and each half
    is the other one times its product's inverse. One modular inversion is left at the root.
    """
    zero = is_zero(a)
    return np.where(zero, 0, _invert_nonzero(np.where(zero, constant(1), a)))


def _invert_nonzero(a: Elements) -> Elements:
    width = a.shape[1]
    if width == 0:
        return a
    if width == 1:
        value = int.from_bytes(to_bytes(a).tobytes(), "little")
        return constant(pow(value, -1, P))
    half = width // 2
    left, right, odd = a[:, :half], a[:, half : 2 * half], a[:, 2 * half :]
    multiplier = Multiplier(half)
    inverse = _invert_nonzero(np.hstack((multiplier.multiply(left, right), odd)))
    products = inverse[:, :half]
    return np.hstack(
        (
            multiplier.multiply(products, right),
            multiplier.multiply(products, left),
            inverse[:, half:],
        )
    )
