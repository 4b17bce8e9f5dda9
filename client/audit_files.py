"""Taking the log out of a party: its entries as a file, and the evidence for one request.

Files appear whole, for their owner's eyes, and never over another one.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.entry import Entry
from client.page.entries import entries_page
from client.page.evidence import evidence_page, page_name
from client.results import result_of
from client.verifying import stored_log
from languages import LANGUAGES, Language, LanguageError
from languages import language as language_called
from party.activation.private_file import drafted, publish, require_new
from party.bundle import REPORT, Evidence, collect, sealed
from party.errors import PartyError, Refusal
from party.filing import Filed
from party.lists import Lists
from party.log_pages import LogPage, entry_at, page_of
from party.organisation import Organisation
from party.selection import Selection, read_moment
from reports.rendering import ShareableRendering

ZIP_SUFFIX: Final = ".zip"
COLUMNS: Final = ("seq", "time", "kind", "party", "actor", "session", "contract", "body")
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip: equal evidence has equal bytes."""


@dataclass(frozen=True)
class Wanted:
    """Which entries somebody asks for, in their words; None and () for no matter.

    `contract` is its id or its hash's first digits, `since` and `until` days or moments; for the
    rest see `party.selection.Selection`.
    """

    kinds: tuple[str, ...] = ()
    session: str | None = None
    contract: str | None = None
    since: str | None = None
    until: str | None = None
    actor: str | None = None
    peer: str | None = None

    def of(self, party: Organisation) -> Selection:
        """Return what is asked for in a party's own log.

        Raises:
            PartyError: there is no such kind or contract, or a time is none.
        """
        return Selection(
            kinds=self.kinds,
            session=self.session,
            contract=None if self.contract is None else party.contract(self.contract).digest,
            since=None if self.since is None else read_moment(self.since, "--since"),
            until=None if self.until is None else read_moment(self.until, "--until"),
            actor=self.actor,
            peer=self.peer,
            contracts_with=() if self.peer is None else _contracts_with(party, self.peer),
        )


EVERYTHING: Final = Wanted()


@dataclass(frozen=True)
class Shown:
    """An evidence that was written.

    Attributes:
        evidence: what stands in it.
        path: the zip.
        report: whether the report's numbers stand in it.
    """

    evidence: Evidence
    path: Path
    report: bool


def selected(party: Organisation, wanted: Wanted) -> list[Entry]:
    """Return the log's entries that are wanted, oldest first.

    Raises:
        PartyError: they cannot be in any log.
    """
    return list(wanted.of(party).of(stored_log(party).entries()))


def find_entry(party: Organisation, number: int) -> Entry:
    """Return one entry of the log by its number.

    Raises:
        PartyError: the log has none.
    """
    found = entry_at(party.store, number)
    if found is None:
        raise PartyError(f"the log has no entry {number}: see `commonground audit show --last 1`")
    return found


def newest(party: Organisation, most: int) -> list[Entry]:
    """Return the last entries of the log, at most `most`, oldest first."""
    return list(reversed(page_of(party.store, Selection(), most=most).entries))


def page(
    party: Organisation, wanted: Wanted, *, before: int | None = None, after: int | None = None
) -> LogPage:
    """Return a page of the entries that are wanted, newest first, next to a place in the log.

    Raises:
        PartyError: they cannot be in any log, or too many requests begin as is wanted.
    """
    return page_of(party.store, wanted.of(party), before=before, after=after)


def export_entries(
    party: Organisation, wanted: Wanted, path: Path, *, language: str = "en"
) -> list[Entry]:
    """Write the entries that are wanted to a file, by its ending, and return them.

    `language` is that of a page: `en` or `zh`.

    Raises:
        PartyError: another ending or language, or it cannot be written.
    """
    form = _form_of(path)
    try:
        spoken = language_called(language)
    except LanguageError as error:
        raise PartyError(str(error)) from None
    require_new(path)
    entries = selected(party, wanted)
    _write(path, form(party, entries, spoken))
    return entries


def write_evidence(party: Organisation, wanted: str, path: Path | None) -> Shown:
    """Write the evidence for a request, by its id's first digits or its list's name, as a zip.

    Raises:
        PartyError: there is no such request, or the file cannot be written.
        AuditError, ResultError, StoredContractError: what is stored is not what was signed.
    """
    filed = Lists(party).match_of(wanted)
    target = path or Path(f"evidence-{filed.id[:8]}{ZIP_SUFFIX}")
    if target.suffix != ZIP_SUFFIX:
        raise PartyError(f"{target}: write to a file that ends in {ZIP_SUFFIX}")
    require_new(target)
    evidence, files = bundle_of(party, filed)
    _write(target, zipped(files))
    return Shown(evidence, target, REPORT in files)


def bundle_of(party: Organisation, filed: Filed) -> tuple[Evidence, dict[str, bytes]]:
    """Return the evidence for a request, and all files of its bundle by their names.

    Raises:
        PartyError, AuditError, ResultError, StoredContractError: as `write_evidence`.
    """
    evidence = collect(party, filed)
    report = _report_of(party, filed)
    more = {} if report is None else {REPORT: report.to_json().encode()}
    for code in LANGUAGES:
        page = evidence_page(evidence, report, language_called(code))
        more[page_name(code)] = page.encode()
    return evidence, sealed(party, evidence, more)


def zipped(bundle: Mapping[str, bytes]) -> bytes:
    """Return files as a zip, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(bundle):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), bundle[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _contracts_with(party: Organisation, peer: str) -> tuple[str, ...]:
    return tuple(one.digest for one in party.contracts() if peer in one.parties)


def _report_of(party: Organisation, filed: Filed) -> ShareableRendering | None:
    """Return the report that may be passed on, where the request has made one here."""
    try:
        result = result_of(party, filed, private=False)
    except (PartyError, Refusal):  # not finished, or a list that has come to its end
        return None
    return result if isinstance(result, ShareableRendering) else None


def _lines(party: Organisation, entries: Sequence[Entry], spoken: Language) -> bytes:
    return b"".join(entry.encode() + b"\n" for entry in entries)


def _table(party: Organisation, entries: Sequence[Entry], spoken: Language) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for entry in entries:
        fields = json.loads(entry.encode())
        body = json.dumps(fields.pop("body"), ensure_ascii=False, sort_keys=True)
        rows.writerow([*(fields.get(name, "") for name in COLUMNS[:-1]), body])
    return text.getvalue().encode()


def _page(party: Organisation, entries: Sequence[Entry], spoken: Language) -> bytes:
    return entries_page(party.identity.vkey, entries, spoken).encode()


_Form = Callable[[Organisation, Sequence[Entry], Language], bytes]
FORMS: Final[Mapping[str, _Form]] = {
    ".jsonl": _lines,
    ".csv": _table,
    ".html": _page,
}


def _form_of(path: Path) -> _Form:
    if path.suffix not in FORMS:
        raise PartyError(f"{path}: write to a file that ends in {', '.join(FORMS)}")
    return FORMS[path.suffix]


def _write(path: Path, data: bytes) -> None:
    with drafted(path) as draft:
        try:
            draft.write_bytes(data)
        except OSError as error:
            raise PartyError(f"{path} cannot be written: {error.strerror}") from None
        publish(draft, path)
