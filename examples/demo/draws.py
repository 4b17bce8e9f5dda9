"""Draws that depend on a number, a purpose and the fixed seed, and on nothing else.

Every decision about a household is a hash of its number. So a household has the same identity and
the same gaps in a world of any size, and no library's random stream can change the data. This is
for made-up data only: none of it is cryptographic.
"""

import hashlib

import numpy as np

SEED = "commonground demo 2017"
_ROUNDS = 3


def chance(numbers: np.ndarray, purpose: str) -> np.ndarray:
    """Draw a float64 in [0, 1) for each number (non-negative integers), shape (n,)."""
    return (mix(numbers, purpose) >> np.uint64(11)) / float(1 << 53)


def pick(numbers: np.ndarray, purpose: str, choices: int) -> np.ndarray:
    """Draw one of `choices` indices for each number: int64, shape (n,)."""
    return (chance(numbers, purpose) * choices).astype(np.int64)


def weighted(numbers: np.ndarray, purpose: str, shares: tuple[float, ...]) -> np.ndarray:
    """Draw an index for each number with the given shares (they sum to 1): int64, shape (n,)."""
    return np.searchsorted(np.cumsum(shares)[:-1], chance(numbers, purpose), side="right")


def mix(numbers: np.ndarray, purpose: str) -> np.ndarray:
    """Hash each number to 64 bits (the finaliser of splitmix64 under a key a purpose)."""
    x = numbers.astype(np.uint64) ^ np.uint64(_key(purpose))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def scramble(numbers: np.ndarray, purpose: str, bits: int) -> np.ndarray:
    """Permute [0, 2^bits): distinct numbers stay distinct, and neighbours part.

    Raises ValueError when a number lies outside the range.
    """
    if len(numbers) and (numbers.min() < 0 or numbers.max() >> bits):
        raise ValueError(f"a number to scramble lies outside [0, 2^{bits}): ask for fewer people")
    mask, key = np.uint64((1 << bits) - 1), _key(purpose)
    x = numbers.astype(np.uint64)
    for turn in range(_ROUNDS):
        x = (x ^ np.uint64(key >> turn)) & mask
        x = (x * np.uint64(key | 1)) & mask
        x ^= x >> np.uint64(bits // 2)
    return x.astype(np.int64)


def _key(purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{SEED}/{purpose}".encode()).digest()[:8])
