"""Where a log lies that is to be verified: a party's folder, an export's folder, or a URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.errors import TileError, VerificationError
from client.errors import DialError
from client.http_calls import HttpPlace
from party.errors import SettingsError
from party.evidence import HeldLog, StoredLog
from party.http_token import read_token
from party.log_files import INDEX
from party.organisation import Organisation
from party.settings import FILE
from party.tiled_log import FolderReader, TiledLog


@dataclass(frozen=True)
class LogAccess:
    """What a reader of logs brings along, for those that are behind a URL.

    Args:
        token_file: the file with the bearer token.
        fingerprint: SHA-256 of the certificate that is accepted.
    """

    token_file: Path | None = None
    fingerprint: str | None = None


class UrlReader:
    """Files of a log behind a URL (`party.tiled_log.Reader`)."""

    def __init__(self, place: HttpPlace) -> None:
        self._place = place

    @property
    def where(self) -> str:
        """The URL."""
        return self._place.url

    def read(self, path: str, most: int) -> bytes:
        """Return a file of at most `most` bytes.

        Raises:
            TileError: it is not there.
            DialError: nobody answers, or the token is not the right one.
        """
        answer = self._place.get(path, most)
        if answer.status == 200:
            return answer.body
        if answer.status == 401:
            raise DialError(
                f"{self.where} asks for another token: it lies in keys/http.token of the party's "
                "folder; name the file with --token-file"
            )
        raise TileError(f"{self.where} has no {path} (HTTP {answer.status})")


@contextmanager
def held_log(
    where: str | Path,
    access: LogAccess = LogAccess(),
    vkey: str | None = None,
) -> Iterator[HeldLog]:
    """Open the log at a folder or a URL, and close it afterwards.

    `vkey` is the log's key, where the reader has it from somewhere else.

    Raises:
        PartyError: there is nothing such, or it cannot be reached.
        VerificationError: it is a log of another key.
    """
    if str(where).startswith(("http://", "https://")):
        token = None if access.token_file is None else read_token(access.token_file)
        place = HttpPlace(str(where), token=token, fingerprint=access.fingerprint)
        try:
            yield TiledLog(UrlReader(place), vkey)
        finally:
            place.close()
        return
    folder = Path(where).absolute()
    if (folder / INDEX).is_file():
        yield TiledLog(FolderReader(folder), vkey)
        return
    if not (folder / FILE).is_file():
        raise SettingsError(
            f"{where} is neither a party's folder (no {FILE}) nor an export of a log (no {INDEX})"
        )
    party = Organisation.open(folder)
    try:
        log = StoredLog(party.store, party.identity)
        if vkey not in (None, log.vkey):
            raise VerificationError(f"{where} is a log of another key than the one that was given")
        yield log
    finally:
        party.close()
