"""Whether the party works: what serves, engine, store, certificates, contracts, versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from client.console.visit import Reader
from client.diagnosis import diagnose_at_once
from party.certificate_ends import WARNED_DAYS, certificates
from party.occupied import listens_at
from party.schema import REVISION

router = APIRouter()
_PACKAGES: Final = ("commonground", "commonground-kernel", "grpcio", "cryptography", "opendp")


@router.get("/health", name="health")
def health(visit: Reader) -> Response:
    """Show each check, and what is installed."""
    party = visit.party
    return visit.page(
        "health/health.html.jinja",
        checks=list(diagnose_at_once(party)),
        listens_at=listens_at(party.folder),
        certificates=certificates(party),
        warned_before=party.now + WARNED_DAYS * 86_400,
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Return what is installed, and of which version the store is."""
    found = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "–"
    return found | {"store": REVISION}
