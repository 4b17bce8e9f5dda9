"""Scalars: what points are raised to, clamped as in RFC 7748 §5 (docs/protocol.md, The group)."""

from __future__ import annotations

from psi.secret import Secret


class Scalar(Secret):
    """32 clamped bytes, little endian: a multiple of 8 from 2²⁵⁴ to 2²⁵⁵ − 8."""

    __slots__ = ()

    def __init__(self, secret: bytes) -> None:
        super().__init__(secret)
        clamped = bytearray(self._secret)
        clamped[0] &= 0xF8
        clamped[31] = clamped[31] & 0x7F | 0x40
        self._secret = bytes(clamped)

    @classmethod
    def from_bytes(cls, secret: bytes) -> Scalar:
        """Return the scalar of 32 uniform bytes, clamped.

        Raises:
            PsiError: another length.
        """
        return cls(secret)
