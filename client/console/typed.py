"""A form whose fields are known when it is read, as a route takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from languages import message
from party.errors import PartyError


@dataclass(frozen=True)
class Fields:
    """What came in a form."""

    data: FormData

    @property
    def values(self) -> Mapping[str, object]:
        """The fields by name; of several of one name the last."""
        return dict(self.data)

    def text(self, name: str, usual: str = "") -> str:
        """Return one field as text."""
        found = self.data.get(name)
        return found.strip() if isinstance(found, str) else usual

    def every(self, name: str) -> list[str]:
        """Return all fields of one name."""
        return [one for one in self.data.getlist(name) if isinstance(one, str)]

    def file(self, name: str) -> bytes:
        """Return the bytes of a file that was sent along.

        Raises:
            PartyError: none was chosen.
        """
        found = self.data.get(name)
        if not isinstance(found, UploadFile) or not found.filename:
            raise PartyError(message("no file was chosen"))
        return found.file.read()


async def _fields(request: Request) -> Fields:
    return Fields(await request.form())


Form = Annotated[Fields, Depends(_fields)]
