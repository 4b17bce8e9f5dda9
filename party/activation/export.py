"""Taking a list out: as a platform's file, or as this party's own references.

A platform's file needs the contract's grant. Everything is checked and written before the log
says so, and appears under its name after: an export without an entry cannot happen. The entry has
no count, and of the file a salted commitment.
"""

from __future__ import annotations

import csv
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.bodies import OWN_REFERENCES, ExportMade
from audit.roles import Role
from languages import message
from party.activation.forms import FORMS, Form
from party.activation.lines import Lines
from party.activation.people import ListedPeople
from party.activation.private_file import drafted, publish, require_new
from party.contract import Contract
from party.contract_terms import OutputKind, Platform, write_time
from party.datasets.rows import open_source
from party.durable import flush
from party.errors import ContractError, PartyError, Refusal, RefusalStatus
from party.evidence import StoredLog
from party.list_files import Part, sha256_of
from party.list_names import naming_of, was_replaced
from party.lists import Lists, MatchedList
from party.organisation import Organisation
from party.schema import RESULTS

if TYPE_CHECKING:
    import pyarrow as pa

CSV, PARQUET = OWN_REFERENCES
_REMOVE: Final = "Take these people off the audience, never add them, and delete this file at once."
TARGETS: Final = (*(platform.value for platform in Platform), *OWN_REFERENCES)
"""Where a list can be taken; the last two are files of this party's own references."""


@dataclass(frozen=True)
class Order:
    """What is to be exported: where to (one of `TARGETS`), which part, which identifier types."""

    to: str
    out: Path
    part: Part = Part.WHOLE
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exported:
    """What was written, and who was left out.

    `left_out` people of the part do not consent now, or are not in the dataset any more; of those
    who were removed, only the latter. `apart` are identifier types that the platform takes in a
    file of their own, and that are not in this one.
    """

    file: Path
    manifest: Path
    to: str
    part: Part
    lines: int
    left_out: int
    apart: tuple[str, ...]
    expires_at: int

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            **vars(self),
            "file": str(self.file),
            "manifest": str(self.manifest),
            "part": self.part.value,
            "apart": list(self.apart),
        }


@dataclass(frozen=True)
class _Written:
    """Lines that a draft has, people who were left out, types that have a file of their own."""

    lines: int
    left_out: int = 0
    apart: tuple[str, ...] = ()


def manifest_of(out: Path) -> Path:
    """Return where the manifest of an export lies: beside it."""
    return out.with_name(f"{out.name}.manifest.json")


def export_list(
    party: Organisation, contract: Contract, found: MatchedList, order: Order, *, actor: str
) -> Exported:
    """Write a list, and a manifest that says what it is and when it ends; log it.

    `contract` is the one under which the list was made.

    Raises:
        Refusal: the contract does not grant it (NOT_GRANTED), or the list has expired (EXPIRED).
        PartyError: the list, the dataset or the file does not serve, or the list has changed
            meanwhile; nothing is written.
        ResultError: the list was changed after it was made.
    """
    party.access.require(Role.ANALYST, "list.export")
    with Lists(party).kept_still(found.request.id) as found:
        found.require_live(party.now)
        form = _granted_form(party, contract, found, order)
        require_new(order.out)
        table = found.table(order.part, party.now)
    with ExitStack() as drafts:
        draft = drafts.enter_context(drafted(order.out))
        note = drafts.enter_context(drafted(manifest_of(order.out)))
        if form is None and order.part is Part.REMOVED:
            written = _Written(_write_references(table, order.to, draft))
        else:
            written = _write_people(party, contract, found, order, form, table, draft)
        if written.lines == 0:
            raise PartyError(_nobody(found, order, len(table)))
        digest = sha256_of(draft)
        note.write_text(_manifest(contract, found, order, digest, party.now), encoding="utf-8")
        flush(draft)
        flush(note)
        _log(party, found, order, digest, actor)
        publish(draft, order.out)
        publish(note, manifest_of(order.out))
    return Exported(
        file=order.out,
        manifest=manifest_of(order.out),
        to=order.to,
        part=order.part,
        lines=written.lines,
        left_out=written.left_out,
        apart=written.apart,
        expires_at=found.expires_at,
    )


def _nobody(found: MatchedList, order: Order, people: int) -> str:
    if people == 0:
        return message(
            "nobody was {part} at the last refresh of the list {title}",
            part=order.part,
            title=found.title,
        )
    if order.part is Part.REMOVED:
        return message(
            "nobody who was removed from the list {title} can be named: "
            "nobody of them is in the dataset any more, or has an identifier "
            "that the file takes. Replace the audience by the whole list",
            title=found.title,
        )
    return message(
        "nobody of the list {title} is left to export: nobody of this "
        "part consents now, or has an identifier that the file takes",
        title=found.title,
    )


def _granted_form(
    party: Organisation, contract: Contract, found: MatchedList, order: Order
) -> Form | None:
    """Return the platform's form, or None for own references, which need no grant."""
    if order.to not in TARGETS:
        raise PartyError(
            message(
                "a list is taken to {targets}, and not to '{to}'",
                targets=", ".join(TARGETS),
                to=order.to,
            )
        )
    if order.to in OWN_REFERENCES:
        if order.identifiers:
            raise PartyError(
                message("own references have no identifiers to choose from: leave them out")
            )
        return None
    platform = Platform(order.to)
    granted = contract.output(OutputKind.MATCH, found.request.roles).export_to
    if platform not in granted:
        raise Refusal(
            RefusalStatus.NOT_GRANTED,
            message(
                "contract {id} does not grant that this list is taken to "
                "{platform}; it grants {value}. Agree on one that does "
                "(export_to of the match), or export your own references, which "
                "need no grant: csv or parquet",
                id=contract.id,
                platform=platform,
                value=", ".join(granted) or "no platform",
            ),
        )
    try:
        contract.require_in_force(party.now)
    except ContractError as error:
        raise Refusal(RefusalStatus.EXPIRED, str(error)) from None
    if order.part is Part.REMOVED:
        _require_taken_before(party, found, platform)
    return FORMS[platform]


def _require_taken_before(party: Organisation, found: MatchedList, platform: Platform) -> None:
    """Refuse to name those who were removed to a platform that did not get the list before.

    They may have withdrawn, and are named only to whom they are to be taken off.
    """
    found.part(Part.REMOVED)
    naming = naming_of(party.store, found.request.id)
    before = None if naming is None else naming.replaces
    about = [] if before is None else StoredLog(party.store, party.identity).about(before)
    exports = (one.body for one in about if isinstance(one.body, ExportMade))
    if all(body.to != platform.value for body in exports):
        raise PartyError(
            message(
                "the list before this one was not taken to {platform}, as the "
                "log has it, so nobody is to be removed there, and who was "
                "removed is not named to it: export the whole list",
                platform=platform,
            )
        )


def _write_people(
    party: Organisation,
    contract: Contract,
    found: MatchedList,
    order: Order,
    form: Form | None,
    table: pa.Table,
    draft: Path,
) -> _Written:
    """Write those of a part who consent now, or who are to be removed and are known here."""
    import pyarrow as pa
    import pyarrow.compute as pc

    references = table["reference"].cast(pa.large_string()).combine_chunks()
    definition = party.definition(found.dataset)
    with open_source(definition) as source:
        states = source.states()
        if order.part is Part.REMOVED:
            listed = ListedPeople.who_are_known(
                definition, source, references, executor=party.executor
            )
        else:
            listed = ListedPeople.who_consent(
                definition,
                source,
                references,
                purpose=found.request.purpose,
                recipient=found.peer,
                snapshot=found.snapshot,
                now=party.now,
                executor=party.executor,
            )
        left_out = len(table) - len(listed.people)
        if form is None:
            kept = table.filter(pc.is_in(references, listed.people.references))
            written = _Written(_write_references(kept, order.to, draft), left_out)
        else:
            lines = Lines.of(listed, form, order.identifiers, gmail=contract.profile.gmail)
            written = _Written(_write_lines(lines, draft), left_out, lines.apart)
        source.require_unchanged(states)
    return written


def _write_lines(lines: Lines, draft: Path) -> int:
    count = 0
    with draft.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(lines.header)
        for count, line in enumerate(lines, start=1):  # noqa: B007 - the last number is the count
            writer.writerow(line)
    return count


def _write_references(table: pa.Table, to: str, draft: Path) -> int:
    import pyarrow.parquet as pq
    from pyarrow import csv as arrow_csv

    if to == PARQUET:
        pq.write_table(table, draft)
    else:
        arrow_csv.write_csv(table, draft)
    return len(table)


def _manifest(contract: Contract, found: MatchedList, order: Order, digest: bytes, now: int) -> str:
    expires = write_time(found.expires_at)
    document = {
        "list": found.title,
        "use": found.use.value,
        "part": order.part.value,
        "to": order.to,
        "request": found.request.id,
        "contract": contract.digest,
        "purpose": found.request.purpose,
        "file": order.out.name,
        "sha256": digest.hex(),
        "exported": write_time(now),
        "expires": expires,
        "reminder": _REMOVE
        if order.part is Part.REMOVED
        else f"Delete this file, and the audience made of it, by {expires}.",
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _log(party: Organisation, found: MatchedList, order: Order, digest: bytes, actor: str) -> None:
    request = found.request.id

    def work(connection: Connection) -> None:
        _require_unchanged(connection, found)
        moment = party.journal.moment(connection, party.clock())
        found.require_live(int(moment.timestamp()))
        body = ExportMade(
            request=request,
            to=order.to,
            file_commitment=party.journal.commit_to(connection, "export", digest, request=request),
            expires_at=found.expires_at,
        )
        party.journal.append(
            connection,
            "export.made",
            body,
            actor=actor,
            contract=found.request.contract,
            moment=moment,
        )

    party.store.write(work)


def _require_unchanged(connection: Connection, found: MatchedList) -> None:
    """Refuse to take out a list that is not the one any more that was read."""
    row = RESULTS.c.request == found.request.id
    query = sa.select(RESULTS.c.list_file).where(row, ~was_replaced(RESULTS.c.request))
    now = connection.execute(query).scalar()
    if now is None or Path(now).name != found.file.name:
        raise PartyError(
            message(
                "the list {title} has changed meanwhile: somebody came off it, a refresh took its "
                "place, or it was deleted. Nothing was written; export it again",
                title=found.title,
            )
        )
