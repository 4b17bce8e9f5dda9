"""The node key, wherever it rests: in the party's folder, or outside, so that a copy opens nothing.

It is the first of `keys/node.key`; the variable COMMONGROUND_NODE_KEY; `node.key` in the folder
CREDENTIALS_DIRECTORY (systemd.exec(5)); and the keyring of the operating system, if
`keys/node.keyring` says that the key was moved there. A keyring is never asked unless it was told
to keep the key: it may want to ask a person.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from audit.roles import Role
from party.durable import sync_folder
from party.errors import IdentityError, InUse
from party.key_files import make_key_file, read_key_file
from party.lock_file import held

if TYPE_CHECKING:
    from party.organisation import Organisation

FILE: Final = "node.key"
MARK: Final = "node.keyring"
VARIABLE: Final = "COMMONGROUND_NODE_KEY"
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
BYTES: Final = 32
_SERVICE: Final = "commonground"

Place = Literal["file", "environment", "credential", "keyring"]


def place_of_node_key(keys: Path) -> Place:
    """Return where the node key of a folder of keys is read from; "file" where it is missing."""
    if (keys / FILE).exists():
        return "file"
    if os.environ.get(VARIABLE):
        return "environment"
    if _credential().exists():
        return "credential"
    return "keyring" if (keys / MARK).exists() else "file"


def load_node_key(keys: Path, vkey: str) -> bytes:
    """Return the node key (32 bytes) of the party whose log has the key `vkey`.

    Raises:
        IdentityError: it is nowhere, readable by others or damaged, or no keyring gives it.
    """
    place = place_of_node_key(keys)
    if place == "environment":
        return _parsed(os.environ[VARIABLE], VARIABLE)
    if place == "keyring":
        return _parsed(_ask_keyring(vkey), "the keyring")
    path = keys / FILE if place == "file" else _credential()
    return _parsed(read_key_file(path).decode("ascii", errors="replace"), str(path))


def new_node_key() -> bytes:
    """Return the content of a new key's file."""
    return os.urandom(BYTES).hex().encode() + b"\n"


def move_node_key(party: Organisation, place: Literal["keyring", "file"]) -> str:
    """Move the node key into the keyring of the operating system, or back; return where it is.

    Before it is deleted anywhere, it has been read back from where it went. What is open goes on.

    Raises:
        IdentityError: it is not where it is moved from, or there is no keyring that keeps it.
        InUse: another process works on the keys.
    """
    party.access.require(Role.OPERATOR, "key.move")
    keys, vkey = party.folder / "keys", party.identity.vkey
    with held(party.folder / "locks" / "keys", InUse("another process works on the keys just now")):
        now = place_of_node_key(keys)
        if now == place or now not in ("keyring", "file"):
            raise IdentityError(
                f"The node key is read from the {now}: there is nothing to move to the {place}."
            )
        key = load_node_key(keys, vkey).hex()
        if place == "file":
            make_key_file(keys / FILE, f"{key}\n".encode())
            (keys / MARK).unlink()
            _delete_from_keyring(vkey)
            return str(keys / FILE)
        backend = _give_keyring(vkey, key)
        make_key_file(keys / MARK, f"{backend}\n".encode())
        (keys / FILE).unlink()
        sync_folder(keys)
        return f"the keyring ({backend})"


def _credential() -> Path:
    return Path(os.environ.get(CREDENTIALS) or os.devnull) / FILE


def _parsed(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = None
    if key is None or len(key) != BYTES:
        raise IdentityError(
            f"The node key in {where} is damaged: it is not {BYTES} bytes in hexadecimal. Restore "
            "it from a backup."
        )
    return key


def _ask_keyring(vkey: str) -> str:
    with _keyring() as keyring:
        found: str | None = keyring.get_password(_SERVICE, vkey)
    if found is None:
        raise IdentityError(
            "The keyring does not hold the node key of this party, though it was moved there. Log "
            f"in as who moved it, or give a copy of the key: as keys/{FILE}, in {VARIABLE}, or as "
            "a credential of the service."
        )
    return found


def _give_keyring(vkey: str, key: str) -> str:
    """Store the key, and return the name of what stored it."""
    with _keyring() as keyring:
        keyring.set_password(_SERVICE, vkey, key)
        backend = keyring.get_keyring()
        kept = keyring.get_password(_SERVICE, vkey) == key
    if not kept:
        raise IdentityError(
            f"The keyring ({backend.name}) does not keep what it is given; the key stays in its "
            "file."
        )
    return str(backend.name)


def _delete_from_keyring(vkey: str) -> None:
    with _keyring() as keyring:
        keyring.delete_password(_SERVICE, vkey)


@contextmanager
def _keyring() -> Iterator[Any]:
    """Yield the package `keyring`; turn whatever it raises into one sentence."""
    try:
        import keyring
    except ModuleNotFoundError:
        raise IdentityError(
            "The keyring of the operating system is reached by a package that is not installed: "
            "install commonground with the extra `keyring`."
        ) from None
    try:
        yield keyring
    except IdentityError:
        raise
    except Exception as error:  # noqa: BLE001 - each system's keyring raises what it likes
        raise IdentityError(
            f"The keyring of the operating system does not serve here ({type(error).__name__}): "
            f"there is none, it is locked, or it was refused. A machine that nobody logs in to "
            f"keeps the node key as keys/{FILE}, in {VARIABLE}, or as a credential of the service."
        ) from None
