"""The style sheets and the script, which browsers may keep."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from client.console.visit import Anybody

router = APIRouter()


@router.get("/static/{digest}/{name}", name="static")
def static(visit: Anybody, digest: str, name: str) -> Response:
    """Answer a file of this version."""
    found = visit.console.files.read(digest, name)
    if found is None:
        raise HTTPException(404)
    data, kind = found
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(data, media_type=kind, headers=headers)
