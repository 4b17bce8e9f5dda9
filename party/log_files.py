"""A party's log as the files that are served and exported (`audit.tiles`), and who vouches for it.

Besides checkpoint, tiles and bundles there are `log.json`, with the log's key, the keys of
outside witnesses and every cosigned checkpoint on either side, and `contracts/HASH.yaml`, each
contract as it was signed, from which a reader takes the counterparts' keys. `party.tiled_log`
reads them again. They are for the party's own officers and auditors, and hold no identifier and no
exact count of people.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from audit.checkpoint import Checkpoint, with_cosignatures
from audit.errors import TileError
from audit.note import parse_note
from audit.source import Cosigned
from audit.tiles import CHECKPOINT, Tile, bundle, bundles_of, tiles_of
from party.contract_file import render_contract
from party.durable import flush, sync_folder
from party.errors import ExportError
from party.evidence import StoredLog

INDEX: Final = "log.json"
FORMAT: Final = "commonground-log"
VERSION: Final = 1
CONTRACTS_FOLDER: Final = "contracts"
_YAML: Final = ".yaml"


class LogFiles:
    """The files of one log, made from the store when they are asked for."""

    def __init__(self, log: StoredLog) -> None:
        self._log = log

    def paths(self) -> Iterator[str]:
        """Yield the path of every file, of the log as its checkpoint has it."""
        size = Checkpoint.parse(parse_note(self._log.checkpoint()).text).size
        yield from (INDEX, CHECKPOINT)
        yield from (contract_path(contract.digest) for contract in self._log.contracts())
        for tile in (*bundles_of(size), *tiles_of(size)):
            yield tile.path

    def read(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            TileError: there is no such file, or the log does not reach so far.
        """
        if path == CHECKPOINT:
            return self._checkpoint().encode()
        if path == INDEX:
            return (json.dumps(self._index(), indent=1, ensure_ascii=False) + "\n").encode()
        if path.startswith(f"{CONTRACTS_FOLDER}/"):
            return self._contract(path)
        return self._tile(Tile.parse(path))

    def _checkpoint(self) -> str:
        """Return the latest checkpoint, with its cosignatures where it has any."""
        note = self._log.checkpoint()
        lines = [one.line for one in self._log.cosigned() if one.checkpoint == note]
        return with_cosignatures(note, lines) if lines else note

    def _index(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "v": VERSION,
            "vkey": self._log.vkey,
            "witnesses": self._log.witnesses(),
            "contracts": [contract.digest for contract in self._log.contracts()],
            "cosigned": [_joined(one) for one in self._log.cosigned()],
            "witnessed": [_joined(one) for one in self._log.witnessed()],
        }

    def _contract(self, path: str) -> bytes:
        for contract in self._log.contracts():
            if contract_path(contract.digest) == path:
                return render_contract(contract).encode()
        raise TileError("there is no such contract")

    def _tile(self, tile: Tile) -> bytes:
        rows = self._log.read_bundle(tile) if tile.level is None else self._log.read_tile(tile)
        if len(rows) != tile.width:
            raise TileError(f"the log does not reach as far as {tile.path}")
        return bundle(rows) if tile.level is None else b"".join(rows)


def contract_path(digest: str) -> str:
    """Return where the contract with a hash lies."""
    return f"{CONTRACTS_FOLDER}/{digest}{_YAML}"


def write_files(files: LogFiles, folder: Path) -> int:
    """Write every file into a folder that does not exist yet; return how many there are.

    The folder appears whole: it is built beside its place and renamed at the end.

    Raises:
        ExportError: there is something at the place already, or the disk refuses.
    """
    if folder.exists():
        raise ExportError(f"{folder} exists already: name a folder that does not")
    building = folder.with_name(f".{folder.name}.part")
    try:
        if building.exists():
            shutil.rmtree(building)
        building.mkdir(parents=True, mode=0o700)
        written = 0
        for path in files.paths():
            place = building / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(files.read(path))
            written += 1
        for name in (INDEX, CHECKPOINT):
            flush(building / name)
        building.rename(folder)
        sync_folder(folder.absolute().parent)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from None
    return written


def _joined(one: Cosigned) -> str:
    return with_cosignatures(one.checkpoint, [one.line])
