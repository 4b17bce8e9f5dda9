"""What is fuzzed: a parser, what it may refuse with, and inputs to begin with.

The claim for each of them: whatever the bytes, the parser returns, or raises one of its own errors
with a message of bounded length. Anything else (another exception, a hang, memory without bound) is
a finding. Where an accepted input has one spelling, writing what was read gives it back.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_MESSAGE = 2_000
"""Characters of an error: what an attacker says stands in nobody's log at length."""
_NUMBERS = (b"0", b"-1", b"1e400", b"18446744073709551616", b"9" * 5_000, "٣".encode(), b"NaN")
_MARKS = (
    b"\0", b"\xff", b"\n", b"\r\n", b"\t", b'"', b"'", b",", b"{", b"}", b"[", b"]", b":", b"|",
    b"*a", b"&a ", b"!!python/name:os.system ", b"<<: ", b"---\n", "\ufeff".encode(),
    "\u202e".encode(), "\ud800".encode("utf-8", "surrogatepass"), "é".encode(), b"e\xcc\x81",
    b"[" * 2_000, b'{"a":' * 500, b"\x80" * 12, b"\x0a\xff\xff\xff\xff\x0f", b"../", b"%s", b"{0}",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One parser. `write` is given where what is accepted has one spelling."""

    name: str
    read: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...]
    seeds: Callable[[], Sequence[bytes]]
    write: Callable[[object], bytes] | None = None

    def examine(self, data: bytes) -> bool:
        """Say whether `data` is accepted; raise whatever is a finding."""
        try:
            found = self.read(data)
        except self.refuses as error:
            said = str(error)
            assert len(said) <= MOST_MESSAGE, f"a message of {len(said)} characters"
            return False
        if self.write is not None:
            assert self.write(found) == data, "an accepted input has another spelling"
        return True


def mutants(seeds: Sequence[bytes], number: int, seed: int) -> list[bytes]:
    """Return so many inputs that are nearly those of `seeds`; the same for the same `seed`."""
    draw = random.Random(seed)
    return [_mutant(seeds, draw) for _ in range(number)]


def _mutant(seeds: Sequence[bytes], draw: random.Random) -> bytes:
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randrange(len(data) + 1)
        end = min(len(data), at + draw.choice((1, 2, 8, 64)))
        match draw.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << draw.randrange(8)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * draw.choice((1, 2, 50))
            case 3:
                data[at:end] = draw.choice(_MARKS)
            case 4:
                data[at:end] = draw.choice(_NUMBERS)
            case 5:
                del data[at:]
            case _:
                other = draw.choice(seeds)
                start = draw.randrange(len(other) + 1)
                data[at:end] = other[start : start + draw.choice((1, 8, 64))]
    return bytes(data)
