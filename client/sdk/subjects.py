"""Answering people: what is held of them, their consent, erasing them."""

from __future__ import annotations

from pathlib import Path

from client.sdk.calls import Calls
from client.subjects import Answer, Erased, SubjectDesk
from languages import language as spoken_in
from party.organisation import Organisation
from party.subjects.person import Wanted


class Subjects:
    """`commonground subject`.

    `person` is your own reference, or with `identifier` an identifier of that type.
    """

    def __init__(self, party: Organisation, calls: Calls) -> None:
        self._desk, self._calls = SubjectDesk(party), calls

    def access(
        self,
        person: str,
        out: str | Path,
        *,
        identifier: str | None = None,
        dataset: str | None = None,
        language: str = "en",
    ) -> Answer:
        """Write the new folder `out` of files for a person; return what they say.

        `language` is that of the page, `en` or `zh`. What is returned names the datasets that
        could not be read (`unread`).

        Raises:
            PartyError: who it is cannot be told, or the folder cannot be written.
            DatasetError: no dataset can be read.
            LanguageError: nothing is written in this language.
        """
        wanted = Wanted(person, identifier, dataset)
        return self._desk.access(wanted, Path(out), spoken_in(language))

    def consent(
        self, person: str, *, identifier: str | None = None, dataset: str | None = None
    ) -> Answer:
        """Return what a person has consented to, by dataset.

        Raises:
            PartyError: who it is cannot be told.
            DatasetError: no dataset can be read.
        """
        return self._desk.consent(Wanted(person, identifier, dataset))

    def erase(
        self,
        person: str,
        out: str | Path,
        *,
        identifier: str | None = None,
        dataset: str | None = None,
    ) -> Erased:
        """Erase a person and write the receipt for them to the new file `out`.

        Raises:
            PartyError: who it is cannot be told, or the file cannot be written; nothing is erased.
            DatasetError: a dataset cannot be read, or a table that is kept here was registered
                anew meanwhile; nothing is erased.
            ResultError: a list is not what was stored.
        """
        with self._calls.carrying(None, None):
            found = self._desk.look(Wanted(person, identifier, dataset))
            return self._desk.erase(found, Path(out))
