"""`console.toml` in a party's folder: who vouches for its staff. An unknown key is an error."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from audit.roles import Role
from party.errors import SettingsError
from party.key_files import read_key_file

FILE: Final = "console.toml"
SECRET_FILE: Final = "provider.secret"  # noqa: S105 - a file's name
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ProviderSettings:
    """An OpenID Connect provider that vouches for staff.

    `roles` says which role a group of theirs has; of several, the one that may do most. `name` is
    what people read on the button, `ca_file` whom to trust for its TLS beside the system's.
    """

    issuer: str
    client_id: str
    roles: dict[str, Role]
    name: str = "OpenID Connect"
    groups_claim: str = "groups"
    name_claim: str = "preferred_username"
    scopes: tuple[str, ...] = ("openid", "profile")
    ca_file: str = ""
    secret: str | None = field(default=None, repr=False)


def load_provider(folder: Path) -> ProviderSettings | None:
    """Read which provider vouches for a party's staff, None for no provider.

    The client's secret is in `keys/provider.secret`; without one the client is a public one.

    Raises:
        SettingsError: the file is not TOML, or a key or value does not serve.
        IdentityError: others can read the secret.
    """
    path = folder / FILE
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: {error}") from None
    unknown = document.keys() - {"provider"}
    if unknown or not isinstance(document.get("provider"), dict):
        raise SettingsError(f"{path}: has a table [provider] and nothing else")
    secret = folder / "keys" / SECRET_FILE
    values = dict(_values(path, document["provider"]))
    if secret.exists():
        values["secret"] = read_key_file(secret).decode("ascii", errors="replace").strip()
    return ProviderSettings(**values)


def _values(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    known = {one.name for one in fields(ProviderSettings)} - {"secret"}
    for name in table:
        if name not in known:
            raise SettingsError(f"{path}: unknown key {name[:60]!r}; known are {', '.join(known)}")
    for name in ("issuer", "client_id", "roles"):
        if not table.get(name):
            raise SettingsError(f"{path}: {name} is missing")
    roles, scopes = table["roles"], table.get("scopes", ["openid", "profile"])
    if not isinstance(roles, dict) or not isinstance(scopes, list) or "openid" not in scopes:
        raise SettingsError(f"{path}: roles is a table, and scopes a list with openid")
    texts = [*(table[one] for one in table if one not in ("roles", "scopes")), *scopes]
    if not all(isinstance(one, str) for one in texts):
        raise SettingsError(f"{path}: every value but roles and scopes is a text")
    _require_safe(path, table["issuer"])
    try:
        named = {group: Role(role) for group, role in roles.items()}
    except ValueError:
        names = ", ".join(one.value for one in Role)
        raise SettingsError(f"{path}: a role is {names}") from None
    return table | {"roles": named, "scopes": tuple(scopes)}


def _require_safe(path: Path, issuer: str) -> None:
    try:
        parts = urlsplit(issuer)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not safe or host is None or parts.query or parts.fragment or parts.username:
        raise SettingsError(f"{path}: issuer is an https address, as the provider states it")
