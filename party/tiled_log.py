"""A log that somebody hands over as files, in a folder or behind a URL, as `audit` verifies it.

What is read is hostile until it is verified: sizes are bounded, text is strict, and nothing of the
index is believed but where a signature says the same. The log's key must be that of a party in each
contract, and the counterparts' keys come from there; whoever has the log's key from elsewhere says
so, and it is compared. `party.log_files` writes the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

from audit.checkpoint import CosignatureVerifier, open_checkpoint
from audit.errors import AuditError, TileError, VerificationError
from audit.merkle import LeafHash, NodeHash
from audit.note import MAX_NOTE_BYTES, Signature, Verifier, parse_note
from audit.source import Cosigned
from audit.tiles import (
    CHECKPOINT,
    MAX_BUNDLE_BYTES,
    Tile,
    TileChecker,
    bundles_of,
    split_bundle,
    split_hashes,
    tiles_of,
)
from party.contract import Contract
from party.contract_file import parse_contract
from party.errors import ContractError
from party.log_files import FORMAT, INDEX, VERSION, contract_path
from party.signed_terms import Told
from party.yaml_text import MOST_BYTES as MOST_CONTRACT_BYTES

MOST_INDEX_BYTES: Final = 256 * 1024 * 1024
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Reader(Protocol):
    """Where the files are."""

    @property
    def where(self) -> str:
        """The folder or the URL, for messages."""
        ...

    def read(self, path: str, most: int) -> bytes:
        """Return a file of at most `most` bytes; raise TileError when it is missing or larger."""
        ...


class FolderReader:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._folder)

    def read(self, path: str, most: int) -> bytes:
        """Return a file of at most `most` bytes."""
        try:
            with (self._folder / path).open("rb") as file:
                data = file.read(most + 1)
        except FileNotFoundError:
            raise TileError(f"{self._folder} has no {path}: the export is not whole") from None
        except OSError as error:
            raise TileError(f"{self._folder}: {path} cannot be read: {error.strerror}") from None
        if len(data) > most:
            raise TileError(f"{self._folder}: {path} has more than {most} bytes")
        return data


class TiledLog:
    """A log as files (`audit.source.LogSource`).

    Args:
        reader: where they are.
        vkey: the log's key, where the reader has it from elsewhere.

    Raises:
        VerificationError: what is there is no log, or another one than `vkey` says.
    """

    def __init__(self, reader: Reader, vkey: str | None = None) -> None:
        self._reader = reader
        self._index = _read_index(reader)  # first: what it names is then within the checkpoint
        self._note, own = self._read_text(CHECKPOINT, MAX_NOTE_BYTES), self._index["vkey"]
        if vkey not in (None, own):
            raise VerificationError(
                f"{reader.where} is a log of another key than the one that was given"
            )
        self._checker = TileChecker()

    @property
    def vkey(self) -> str:
        """The log's key."""
        return str(self._index["vkey"])

    def at_one_moment(self) -> TiledLog:
        """Return the log itself: it is read up to the checkpoint that was read first."""
        return self

    def entries(self) -> Iterator[bytes]:
        """Yield the entries' bytes in order."""
        for tile in bundles_of(self._size):
            yield from self._split(tile)

    def leaf_hashes(self) -> Iterator[LeafHash]:
        """Yield the leaf hashes in order, as the tiles have them."""
        self._checker = TileChecker()
        for tile in tiles_of(self._size):
            if tile.level:
                return
            leaves = self._hashes(tile)
            self._checker.take(tile, leaves)
            yield from leaves

    def checkpoint(self) -> str:
        """Return the checkpoint."""
        return self._note

    def counterparts(self) -> list[str]:
        """Return the keys of the other parties of the contracts, then those of outside witnesses.

        Raises:
            VerificationError: a contract is not what was signed, or not one of the log's owner.
        """
        keys: dict[str, None] = {}
        for contract in self.contracts():
            cards = [card.identity for card in contract.parties.values()]
            if self.vkey not in cards:
                raise VerificationError(
                    f"{self._reader.where}: contract {contract.id} knows the log's owner by no "
                    "such key: the log is another party's, or its key was exchanged"
                )
            keys |= dict.fromkeys(cards)
        keys.pop(self.vkey, None)
        return [*keys, *self._index["witnesses"]]

    def contracts(self) -> list[Contract]:
        """Return the contracts, each as it was signed.

        Raises:
            VerificationError: one is missing, or not what was signed.
        """
        return self._contracts

    def cosigned(self) -> list[Cosigned]:
        """Return this log's checkpoints that others cosigned."""
        return [_taken_apart(note, self._reader.where) for note in self._index["cosigned"]]

    def witnessed(self) -> list[Cosigned]:
        """Return the counterparts' checkpoints that this log's owner cosigned."""
        return [_taken_apart(note, self._reader.where) for note in self._index["witnessed"]]

    def require_told(self, told: Told) -> None:
        """Require what the log tells of contracts, and that the upper tiles follow from the leaves.

        Raises:
            VerificationError: the first thing that does not fit.
        """
        told.require_contracts(self.contracts())
        try:
            self._checker.require(self._size, self._hashes)
        except TileError as error:
            raise VerificationError(f"{self._reader.where}: {error}") from error

    @cached_property
    def _contracts(self) -> list[Contract]:
        contracts = []
        for digest in self._index["contracts"]:
            path = contract_path(digest)
            data = self._reader.read(path, MOST_CONTRACT_BYTES)
            try:
                contract = parse_contract(data, source=path)
                contract.verify_signatures()
            except ContractError as error:
                raise VerificationError(f"{self._reader.where}: {error}") from error
            if contract.digest != digest:
                raise VerificationError(
                    f"{self._reader.where}: {path} is another contract than its name says"
                )
            contracts.append(contract)
        return contracts

    @cached_property
    def _size(self) -> int:
        """The leaves of the checkpoint, whose signature is checked before anything is read."""
        try:
            return open_checkpoint(self._note, Verifier.from_vkey(self.vkey)).size
        except AuditError as error:
            raise VerificationError(f"{self._reader.where}: the checkpoint: {error}") from error

    def _split(self, tile: Tile) -> list[bytes]:
        return split_bundle(self._reader.read(tile.path, MAX_BUNDLE_BYTES), tile)

    def _hashes(self, tile: Tile) -> list[NodeHash]:
        return split_hashes(self._reader.read(tile.path, tile.width * 32), tile)

    def _read_text(self, path: str, most: int) -> str:
        try:
            return self._reader.read(path, most).decode()
        except UnicodeDecodeError:
            raise VerificationError(f"{self._reader.where}: {path} is not UTF-8") from None


def _read_index(reader: Reader) -> dict[str, Any]:
    """Read `log.json`: who the log is, and what others have signed."""
    try:
        index = json.loads(reader.read(INDEX, MOST_INDEX_BYTES))
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"{reader.where}: {INDEX} is not JSON") from error
    if not isinstance(index, dict) or index.get("format") != FORMAT or index.get("v") != VERSION:
        raise VerificationError(
            f"{reader.where}: {INDEX} is not that of a log's files in version {VERSION}"
        )
    lists = ("witnesses", "contracts", "cosigned", "witnessed")
    if not all(_is_list_of_text(index.get(name)) for name in lists):
        raise VerificationError(f"{reader.where}: {INDEX} lacks one of {', '.join(lists)}")
    if not all(_DIGEST.fullmatch(digest) for digest in index["contracts"]):
        raise VerificationError(f"{reader.where}: {INDEX} names a contract by something else")
    if not isinstance(index.get("vkey"), str):
        raise VerificationError(f"{reader.where}: {INDEX} lacks the log's key")
    for witness in index["witnesses"]:
        try:
            CosignatureVerifier.from_vkey(witness)
        except AuditError as error:
            raise VerificationError(f"{reader.where}: {INDEX}: a witness: {error}") from error
    return index


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _taken_apart(note: str, where: str) -> Cosigned:
    """Return a checkpoint and the cosignature on it, which stand in one note."""
    try:
        parsed = parse_note(note)
    except AuditError as error:
        raise VerificationError(f"{where}: a cosigned checkpoint: {error}") from error
    origin = parsed.text.partition("\n")[0]
    own: list[Signature] = [one for one in parsed.signatures if one.name == origin]
    others = [one for one in parsed.signatures if one.name != origin]
    if len(own) != 1 or len(others) != 1:
        raise VerificationError(
            f"{where}: a cosigned checkpoint has its log's signature and one cosignature"
        )
    return Cosigned(f"{parsed.text}\n{own[0].line()}", others[0].line())
