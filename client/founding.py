"""Making a party's folder from what a person says about it.

An address that nobody could dial is refused before anything is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from party.card import IdentityCard
from party.errors import SettingsError
from party.organisation import Organisation
from party.places import Places
from party.settings import Settings

_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True)
class Founding:
    """Who the party is, and where it is reached; without `listen` it only dials.

    `places` is where it is established and keeps data. `address` is where counterparts reach it,
    if that is not what `listen` says (both host:port);
    `workers` is the number of its worker processes, 0 for one a processor; `store` the URL of
    a PostgreSQL database, empty for SQLite in the folder.
    """

    name: str
    organisation: str
    origin: str
    places: Places
    listen: str | None = None
    address: str | None = None
    workers: int = 0
    store: str = ""

    @property
    def reached_at(self) -> str | None:
        """Where counterparts dial, None for a party that only dials."""
        return self.address or self.listen


def found(folder: Path, founding: Founding) -> tuple[Organisation, IdentityCard]:
    """Make a party and return it, open, with its public card.

    Raises:
        SettingsError: there is a party already, or a value does not serve.
        StoreError: the store cannot be reached, or holds another party.
        IdentityError: a name does not serve.
    """
    listen, address = founding.listen, founding.reached_at
    if founding.address is not None and listen is None:
        raise SettingsError("an address is where a listening party is reached; give listen too")
    if address is not None and _host(address) is None:
        raise SettingsError(
            f"{address} is where to listen, and nobody can dial it: say with --address under which "
            "host and port counterparts reach this party"
        )
    settings = Settings(founding.organisation, workers=founding.workers, store=founding.store)
    if listen is not None:
        settings = replace(settings, listen=listen)
    hosts = [host for host in map(_host, (listen, address)) if host is not None]
    party = Organisation.create(
        folder,
        settings,
        name=founding.name,
        log_origin=founding.origin,
        hosts=list(dict.fromkeys(hosts)),
        places=founding.places,
        address=address,
    )
    return party, party.own_card()


def _host(address: str | None) -> str | None:
    if address is None:
        return None
    host = address.rpartition(":")[0].strip("[]")
    return None if host in ("", *_EVERYWHERE) else host
