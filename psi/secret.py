"""Secrets of 32 bytes that do not show themselves: the root of `Seed` and `Scalar`.

A secret has no `repr` worth reading, no pickle and no copy, so that it reaches a log, a queue or
a disk only where code says `secret_bytes()`. Python cannot promise that it is wiped from memory.
"""

from __future__ import annotations

from typing import NoReturn, Self

from psi.errors import PsiError

SECRET_BYTES = 32


class Secret:
    """32 secret bytes; two secrets are equal only when they are the same object."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise PsiError(f"a {type(self).__name__.lower()} has {SECRET_BYTES} bytes")
        self._secret = bytes(secret)

    def secret_bytes(self) -> bytes:
        """Return the bytes themselves: to seal them, or to hand them to the curve's workers."""
        return self._secret

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__.lower()} does not pickle and is not copied")

    def __copy__(self) -> Self:
        self.__reduce_ex__(0)

    def __deepcopy__(self, memo: object) -> Self:
        self.__reduce_ex__(0)
