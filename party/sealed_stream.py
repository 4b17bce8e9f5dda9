"""Sealing what is too large to be in memory twice: AES-256-GCM over a stream of blocks.

This is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár 2015) with nonces as age has them: a key for
each stream, made of the node key and a random salt, and in each block's nonce its number and
whether it is the last. So a block that was altered, moved, left out or taken from another stream
does not open, and neither does the last one where the end was cut off or something was appended.

A sealed stream is the byte 2, 32 bytes of salt, and each block as its size (4 bytes, big endian)
and its box.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK_BYTES: Final = 1 << 20
_VERSION: Final = b"\x02"  # a box in one piece begins with 1
_PREFIX: Final = b"commonground/sealed-stream/v1\n"
_SALT_BYTES: Final = 32
_SIZE_BYTES: Final = 4
_TAG_BYTES: Final = 16
_COUNTER_BYTES: Final = 11


def seal_parts(node_key: bytes, parts: Iterable[memoryview], context: str) -> Iterator[bytes]:
    """Yield the bytes of the sealed stream of `parts`, each begun in a block of its own.

    `parts` are of bytes, and `context` says what they are together.
    """
    salt = os.urandom(_SALT_BYTES)
    cipher = _cipher(node_key, salt, context)
    yield _VERSION + salt
    blocks = chain.from_iterable(map(_blocks, parts))
    block = next(blocks, memoryview(b""))
    for number in count():
        following = next(blocks, None)
        box = cipher.encrypt(_nonce(number, is_last=following is None), block, None)
        yield len(box).to_bytes(_SIZE_BYTES, "big")
        yield box
        if following is None:
            return
        block = following


def unseal_blocks(node_key: bytes, sealed: BinaryIO, context: str) -> Iterator[bytes]:
    """Yield the blocks of a sealed stream, as they were cut.

    Whoever stops before the end has not seen that it is the end.

    Raises:
        InvalidTag: it is not what was sealed under this key and `context`.
    """
    if sealed.read(len(_VERSION)) != _VERSION:
        raise InvalidTag
    cipher = _cipher(node_key, sealed.read(_SALT_BYTES), context)
    size = sealed.read(_SIZE_BYTES)
    for number in count():
        stated = int.from_bytes(size, "big")
        box = sealed.read(min(stated, BLOCK_BYTES + _TAG_BYTES))
        if not _TAG_BYTES <= len(box) == stated:
            raise InvalidTag
        size = sealed.read(_SIZE_BYTES)
        yield cipher.decrypt(_nonce(number, is_last=not size), box, None)
        if not size:
            return


def _blocks(part: memoryview) -> Iterator[memoryview]:
    return (part[start : start + BLOCK_BYTES] for start in range(0, len(part), BLOCK_BYTES))


def _cipher(node_key: bytes, salt: bytes, context: str) -> AESGCM:
    return AESGCM(hmac.digest(node_key, _PREFIX + salt + context.encode(), "sha256"))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + bytes([is_last])
