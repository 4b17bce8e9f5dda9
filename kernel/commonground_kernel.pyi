"""The native engine: buffers in, buffers out. `psi/kernel.py` is its one caller.

Every function releases the GIL and works on as many threads as asked, or one a processor when
asked for 0. A buffer is contiguous memory behind the buffer protocol. Until a call returns, its
inputs must not be written and its output not touched. An output overlaps no input.

Raises:
    ValueError: buffers of other sizes than described, and what each function says. Messages hold
        numbers of rows and nothing from a buffer.
    MemoryError: not enough for the work.
    RuntimeError: a defect here.
"""

from typing import Any

from numpy.typing import NDArray
from typing_extensions import Buffer as _Buffer

Buffer = _Buffer | NDArray[Any]  # which is a buffer too, and says so from Python 3.12 on

INTERFACE: int
__version__: str

def tiers() -> list[str]:
    """Return the names of the tiers that this processor runs, the fastest first."""

def sort_order(rows: Buffer, width: int, order: Buffer, *, threads: int = 0) -> None:
    """Write into n int64 the place of each row in bytewise order; equal rows keep their order.

    `width` is the bytes of a row, 16 or 32.
    """

def find(wanted: Buffer, rows: Buffer, width: int, places: Buffer, *, threads: int = 0) -> None:
    """Write into n int64 where each of n wanted rows stands in `rows`, or -1.

    Of equal rows, the first. `width` is the bytes of a row, 16 or 32.
    """

def digest(
    form: str,
    width: int,
    data: Buffer,
    offsets: Buffer,
    digests: Buffer,
    taken: Buffer,
    *,
    threads: int = 0,
) -> None:
    """Write the digests of plain values, and 1 to `taken` for each that was one.

    `form` says what the column holds: `text` is hashed as it is, `email` in lower case, `maid` in
    lower case with hyphens; `digest` is decoded from hex or base64. A value that is not in plain
    writing has zeros in both outputs: whoever knows all rules reads it. Values are
    data[offsets[i]:offsets[i + 1]]; `width` is 32 for SHA-256 and 16 for MD5.
    """

def hash_behind(
    prefix: Buffer, data: Buffer, offsets: Buffer, hashes: Buffer, *, threads: int = 0
) -> None:
    """Write SHA-256 of `prefix` ‖ data[offsets[i]:offsets[i + 1]], 32 bytes, for each i."""

class Engine:
    """One tier: what raises points and hashes to the curve. All give the same bytes."""

    def __new__(cls, tier: str | None = None) -> Engine:
        """Take the fastest tier, or the named one.

        Raises:
            ValueError: no such tier, or not on this processor; the message names those there are.
        """

    @property
    def tier(self) -> str:
        """The tier's name."""

    def raise_points(self, points: Buffer, scalar: Buffer, out: Buffer, *, threads: int = 0) -> int:
        """Write X25519(scalar, point) of n rows of 32 bytes; return how many images are zero.

        `scalar` has 32 bytes and is clamped. `out` has n rows of 32 bytes, or of 16 for tags.

        Raises:
            ValueError: points that are not canonical; then nothing is written.
        """

    def hash(
        self,
        data: Buffer,
        offsets: Buffer,
        prefix: Buffer,
        dst: Buffer,
        out: Buffer,
        *,
        threads: int = 0,
    ) -> None:
        """Hash each prefix ‖ data[offsets[i]:offsets[i + 1]] by RFC 9380 into n rows of 32 bytes.

        `offsets` are n + 1 int64 that never fall and stay within `data`. `dst` has 1 to 255 bytes.
        """

    def hash_and_raise(
        self,
        data: Buffer,
        offsets: Buffer,
        prefix: Buffer,
        dst: Buffer,
        scalar: Buffer,
        out: Buffer,
        *,
        threads: int = 0,
    ) -> int:
        """Hash as `hash` and raise as `raise_points`, in one pass; return the number of zeros."""

    def public_points(self, scalars: Buffer, out: Buffer, *, threads: int = 0) -> None:
        """Write X25519(scalar, 9) of n scalars, 32 bytes each and clamped, into n rows of 32."""

    def raise_to_each(
        self, point: Buffer, scalars: Buffer, out: Buffer, *, threads: int = 0
    ) -> int:
        """Write X25519(scalar, point) of one point and n scalars; return how many images are zero.

        Raises:
            ValueError: the point is not canonical; then nothing is written.
        """
