"""The witnesses outside contracts that a party's settings name: whose key, and where they answer.

`witnesses = ["witness.example/w1+6d2c0a1f+BF… https://witness.example/w1"]`: a key of algorithm 04
(c2sp.org/tlog-cosignature) and the submission prefix (c2sp.org/tlog-witness).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from audit.checkpoint import CosignatureVerifier
from audit.errors import NoteError
from party.errors import SettingsError


@dataclass(frozen=True)
class OutsideWitness:
    """A witness: its key, and the URL below which it takes checkpoints."""

    key: CosignatureVerifier
    url: str

    @property
    def name(self) -> str:
        """The name of its key."""
        return self.key.name


def read_witnesses(lines: Sequence[str]) -> tuple[OutsideWitness, ...]:
    """Read the witnesses of the settings.

    Raises:
        SettingsError: a line is not `VKEY URL`, or two have one name.
    """
    witnesses = tuple(map(_read, lines))
    names = {witness.name for witness in witnesses}
    if len(names) != len(witnesses):
        raise SettingsError("two witnesses in party.toml have one name: name each once")
    return witnesses


def _read(line: str) -> OutsideWitness:
    vkey, _, url = line.partition(" ")
    try:
        key = CosignatureVerifier.from_vkey(vkey)
    except NoteError as error:
        raise SettingsError(
            f"a witness in party.toml is `VKEY URL`, with a key of algorithm 04: {error}"
        ) from None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"the witness {key.name} in party.toml needs a URL with http or https")
    return OutsideWitness(key, url.rstrip("/"))
