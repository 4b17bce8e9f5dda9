"""Answering a person: files about them, their consent, and erasing them with all that follows.

Files are written beside their names and appear whole, after the log has said so. What an erasure
cannot reach is told: files of this party's own, and counterparts that are not there just now.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from client.actors import OPERATOR
from client.registering import drop_rows, kept_table
from client.subject_page import page_of
from client.suppressing import Suppressor
from languages import ENGLISH, Language, message
from party.activation.private_file import drafted, publish, require_new
from party.contract_terms import write_time
from party.desk import Desk
from party.durable import flush, sync_folder
from party.errors import PartyError
from party.organisation import Organisation
from party.subjects.dossier import Dossier, open_dossier
from party.subjects.erase import erase, note_access
from party.subjects.person import Found, Person, Wanted, find

_KEPT_HERE = message("deleted here: the table of it that this party kept")
_IN_FILES = message("takes part no more; delete the rows in your own files too")


@dataclass(frozen=True, repr=False)
class Answer:
    """What a person was told, and in which files, where any were written.

    `unread` are the datasets that could not be read, each with why, which is not for the person.
    """

    document: Mapping[str, Any]
    files: tuple[Path, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        files = [str(file) for file in self.files]
        return {**self.document, "files": files, "why_not_read": dict(self.unread)}


@dataclass(frozen=True, repr=False)
class Erased:
    """What an erasure has done: `datasets`, own `lists`, and what became of lists that are out.

    `receipt` is the file for the person. `waiting` are requests whose suppression run is still to
    be acknowledged: `commonground suppress`, or `serve`, goes on.
    """

    entry: int
    receipt: Path
    datasets: Mapping[str, str]
    lists: tuple[str, ...]
    suppressed: Mapping[str, str]
    waiting: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "entry": self.entry,
            "receipt": str(self.receipt),
            "datasets": dict(self.datasets),
            "lists": list(self.lists),
            "suppressed": dict(self.suppressed),
            "waiting": list(self.waiting),
        }


@dataclass(frozen=True)
class SubjectDesk:
    """Answers people for one party."""

    party: Organisation

    def access(self, wanted: Wanted, out: Path, spoken: Language = ENGLISH) -> Answer:
        """Write a new folder of files for a person: all that is held of them; log that it was read.

        The page is in the language `spoken`. Datasets that cannot be read are named in it.

        Raises:
            PartyError: who it is cannot be told, or the folder cannot be written.
            DatasetError: no dataset can be read.
        """
        require_new(out)
        dossier = open_dossier(self.party, find(self.party, wanted))
        document = self._document(dossier)
        with _folder(out) as draft:
            for found in dossier.person.found:
                _write_rows(draft / f"data-{found.dataset}.csv", found.data)
            _write(draft / "access.json", _json(document))
            _write(draft / "access.html", page_of(document, spoken))
            note_access(self.party, dossier.person, "all", actor=OPERATOR)
        return Answer(document, tuple(sorted(out.iterdir())), dossier.person.unread)

    def consent(self, wanted: Wanted) -> Answer:
        """Return what a person has consented to, now and before; log that it was read.

        Raises:
            PartyError: who it is cannot be told.
            DatasetError: no dataset can be read.
        """
        person = find(self.party, wanted)
        whole = self._document(Dossier(person, (), (), 0))
        note_access(self.party, person, "consent", actor=OPERATOR)
        keys = ("dataset", "consent_now", "consent_history")
        datasets = [{key: one[key] for key in keys} for one in whole["datasets"]]
        unread = whole["datasets_not_read"]
        document = {**self._head(), "datasets": datasets, "datasets_not_read": unread}
        return Answer(document, unread=person.unread)

    def look(self, wanted: Wanted) -> Person:
        """Return who is meant, to be erased, and write nothing.

        Raises:
            DatasetError: a dataset cannot be read, and what is theirs alone in it.
        """
        person = find(self.party, wanted)
        person.require_read()
        return person

    def erase(self, person: Person, out: Path) -> Erased:
        """Erase a person, carry it to those who hold lists, and write the receipt for the person.

        Raises:
            PartyError: the receipt cannot be written; nothing is erased.
            DatasetError: a table kept here has changed since they were found; nothing is erased.
            ResultError: a list is not what was stored; repeat it when that is settled.
        """
        for found in person.found:
            kept_table(self.party, found)
        with drafted(out) as draft:
            done = erase(self.party, person, actor=OPERATOR)
            receipt = done.receipt(self.party.identity.name, self.party.identity.log_origin)
            proof = self.party.journal.receipt(done.seq).text()
            draft.write_text(_json({**receipt, "proof": proof}), encoding="utf-8")
            flush(draft)
            publish(draft, out)
        datasets = {found.dataset: self._clear(found) for found in person.found}
        told = {part.request: self._suppress(part.request) for part in done.disclosed}
        return Erased(
            entry=done.seq,
            receipt=out,
            datasets=datasets,
            lists=done.lists,
            suppressed={request: said for request, (said, _) in told.items()},
            waiting=tuple(request for request, (_, over) in told.items() if not over),
        )

    def _clear(self, found: Found) -> str:
        """Delete a person's rows where this party keeps a table itself; say what is left to do."""
        try:
            dropped = drop_rows(self.party, found)
        except PartyError as error:
            return message(
                "takes part no more; the table kept here could not be written anew: {error}",
                error=str(error),
            )
        return _KEPT_HERE if dropped else _IN_FILES

    def _suppress(self, request: str) -> tuple[str, bool]:
        """Take the person off a list that is out; return what was done, and whether that is all."""
        try:
            done = Suppressor(self.party).suppress(Desk(self.party).find(request))
        except (PartyError, OSError) as error:
            return str(error), False
        said = message("{runs} runs, all acknowledged", runs=done.runs)
        return said, True

    def _head(self) -> dict[str, Any]:
        return {
            "party": self.party.identity.name,
            "organisation": self.party.settings.organisation,
            "log": self.party.identity.log_origin,
            "made": write_time(self.party.now),
        }

    def _document(self, dossier: Dossier) -> dict[str, Any]:
        return {**self._head(), **dossier.to_dict()}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Make a folder of mode 0700 that appears under its name when the block has ended well."""
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.absolute().parent))
    try:
        yield draft
        require_new(path)
        draft.rename(path)
        sync_folder(path.absolute().parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(text.encode())
    flush(path)


def _write_rows(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write a person's rows as CSV, under the names of the columns."""
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    _write(path, text.getvalue())
