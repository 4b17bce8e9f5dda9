"""A party's configuration: `party.toml` in its folder. An unknown key is an error."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from party.errors import SettingsError

FILE: Final = "party.toml"
LOG_FORMATS: Final = ("text", "json")
LOG_LEVELS: Final = ("error", "warning", "info")


@dataclass(frozen=True)
class Settings:
    """What may be set; every value has a default that works on one machine.

    `store` is a SQLAlchemy URL, empty for the SQLite file in the folder; `workers` is the
    number of processes for curve work, 0 for one a processor. `witnesses` are outside witnesses of
    the log, each `VKEY URL` (`party.outside_witnesses`). `data_folders` are those below which the
    console may register files.
    """

    organisation: str
    listen: str = "127.0.0.1:7443"
    store: str = ""
    workers: int = 0
    patience_seconds: int = 120
    max_sessions: int = 4
    max_sessions_a_peer: int = 3
    max_requests_a_day: int = 500
    max_points: int = 25_000_000
    log_format: str = "text"
    log_level: str = "info"
    cover_runs: bool = False
    http: str = ""
    witnesses: tuple[str, ...] = ()
    lineage_url: str = ""
    data_folders: tuple[str, ...] = ()

    @property
    def worker_count(self) -> int:
        """How many processes work on curves."""
        return self.workers or os.cpu_count() or 1


def load_settings(folder: Path) -> Settings:
    """Read the configuration of a party's folder.

    Raises:
        SettingsError: the file is missing, is not TOML, or has an unknown key or a wrong type.
    """
    path = folder / FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{folder} is not a party's folder (no {FILE}): run `commonground init {folder}`"
        ) from None
    except ValueError as error:  # no TOML, no UTF-8, or a number without end
        raise SettingsError(f"{path}: {error}") from None
    except RecursionError:
        raise SettingsError(f"{path}: is nested deeper than any setting is") from None
    known = {field.name: field for field in fields(Settings)}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"{path}: unknown key {name[:60]!r}; known are {', '.join(known)}")
        _require_type(path, name, value, str(known[name].type))
        if name == "log_format" and value not in LOG_FORMATS:
            raise SettingsError(f"{path}: log_format must be {' or '.join(LOG_FORMATS)}")
        if name == "log_level" and value not in LOG_LEVELS:
            raise SettingsError(f"{path}: log_level must be {', '.join(LOG_LEVELS)}")
    for name in ("witnesses", "data_folders"):
        if name in values:
            values[name] = tuple(values[name])
    _require_folders(path, values.get("data_folders", ()))
    _require_address(path, values.get("lineage_url", ""))
    if "organisation" not in values:
        raise SettingsError(f"{path}: organisation is missing")
    return Settings(**values)


def render_settings(settings: Settings) -> str:
    """Return the text of a new configuration file, each key explained."""
    return f"""# Configuration of this party. Unknown keys are refused.
organisation = {_quote(settings.organisation)}

# Where `commonground serve` listens. Counterparts reach it under the address in the contract.
listen = {_quote(settings.listen)}

# A SQLAlchemy URL; empty means SQLite in this folder.
store = {_quote(settings.store)}

# Processes for the curve work; 0 is one a processor.
workers = {settings.workers}

# How long a session waits for a silent counterpart before it is put aside to be resumed.
patience_seconds = {settings.patience_seconds}

# Sessions that `serve` carries at once.
max_sessions = {settings.max_sessions}

# How many of them one counterpart may have at once.
max_sessions_a_peer = {settings.max_sessions_a_peer}

# Requests that are taken from one counterpart in 24 hours.
max_requests_a_day = {settings.max_requests_a_day}

# Points that one set of a counterpart may have: a session needs disk and memory for each.
max_points = {settings.max_points}

# How `serve` writes events to stderr: "text", or "json" for one object a line.
log_format = {_quote(settings.log_format)}

# From which level on: "error", "warning", or "info", which is all.
log_level = {_quote(settings.log_level)}

# Whether `serve` makes a suppression run a day for each list that counterparts have of this party's
# people, also when nobody has withdrawn, so that a run does not tell that somebody has.
cover_runs = {str(settings.cover_runs).lower()}

# Where `commonground serve` offers the log to this party's own officers over HTTP, host:port; empty
# for nowhere. They need the token in keys/http.token; off this machine it is HTTPS.
http = {_quote(settings.http)}

# Outside witnesses that are to cosign the log: ["VKEY URL", ...].
witnesses = [{", ".join(map(_quote, settings.witnesses))}]

# Where OpenLineage events are sent besides the folder lineage/; empty is nowhere. A token for it
# stands in the environment, as COMMONGROUND_LINEAGE_TOKEN.
lineage_url = {_quote(settings.lineage_url)}

# Folders below which operators may register files in the console: ["/srv/data", ...]; whole paths.
data_folders = [{", ".join(map(_quote, settings.data_folders))}]
"""


def _require_type(path: Path, name: str, value: Any, wanted: str) -> None:  # noqa: ANN401
    if wanted == "tuple[str, ...]":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SettingsError(f"{path}: {name} must be a list of texts")
        return
    if type(value).__name__ != wanted:
        raise SettingsError(f"{path}: {name} must be of type {wanted}")
    if wanted == "int" and value < (0 if name == "workers" else 1):
        raise SettingsError(f"{path}: {name} must be positive")


def _require_folders(path: Path, folders: tuple[str, ...]) -> None:
    for folder in folders:
        if not Path(folder).is_absolute() or Path(folder) == Path("/"):
            raise SettingsError(
                f"{path}: data_folders names whole paths of folders, such as /srv/data, and not "
                f"{folder[:60]!r}"
            )


def _require_address(path: Path, url: str) -> None:
    """Refuse an address for lineage that is not http or https, or that has a secret in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if url and (host is None or parts.scheme not in ("http", "https")):
        raise SettingsError(
            f"{path}: lineage_url must be a whole address, such as https://host/api/v1/lineage"
        )
    if parts.username or parts.password or parts.query:
        raise SettingsError(
            f"{path}: lineage_url holds no user, password or parameters; a token stands in the "
            "environment, as COMMONGROUND_LINEAGE_TOKEN"
        )


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
