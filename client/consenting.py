"""Writing down what people have said, taking it back, and what they are told about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from audit.collector import paused
from audit.roles import Role
from languages import message
from party.activation.private_file import drafted, publish, require_new
from party.consent.events import MICROSECONDS, Act, By, Event, State
from party.consent.notice import SCHEMA, Notice, load_notice
from party.consent.receipt import MOST_BYTES, Checked, check_receipt, make_receipt
from party.consent.records import Person
from party.consent.standing import GIVEN, REFUSED, Question
from party.consent.table import Columns, read_acts
from party.datasets.times import UNREADABLE, microseconds_of
from party.errors import ConsentError
from party.filing import Filed
from party.organisation import Organisation
from party.subjects.person import Wanted
from party.suppression.desk import SuppressionDesk
from psi.legs import SENDER

_Word = TypeVar("_Word", State, By)
IMPORTED: Final = "import"
_NOTICES: Final = (".yaml", ".yml")
_SAYS: Final = {GIVEN: "given", REFUSED: "refused"}


@dataclass(frozen=True)
class Said:
    """What was recorded of one person just now: their receipt, and the lists it concerns."""

    receipt: dict[str, Any]
    lists: tuple[Filed, ...] = ()

    @property
    def statements(self) -> list[dict[str, Any]]:
        """What stands in the log of it."""
        return [one["statement"] for one in self.receipt["statements"]]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        lists = [{"request": one.request.id, "peer": one.peer} for one in self.lists]
        return {"statements": self.statements, "lists": lists, "receipt": self.receipt}


def find_notice(party: Organisation, which: str | Path | Notice) -> Notice:
    """Return a notice, that in a file (.yaml), or the latest one of a name that is known here.

    Raises:
        ConsentError: there is none, or it does not serve.
    """
    if isinstance(which, Notice):
        return which
    if Path(which).suffix in _NOTICES:
        return load_notice(which)
    return party.consent.notice(str(which))


def notice_names(party: Organisation) -> list[str]:
    """Return the names of the notices that are known here, in their order."""
    return sorted({one.name for one in party.consent.notices().values()})


def record(
    party: Organisation,
    subject: str,
    notice: str | Path | Notice,
    *,
    state: str,
    at: str | datetime | None,
    purpose: str | None,
    recipient: str | None,
    by: str,
    how: str,
    actor: str,
) -> Said:
    """Record what one person says to a notice.

    Raises:
        ConsentError: something of it does not serve; nothing is recorded.
    """
    party.access.require(Role.OPERATOR, "consent.record")
    shown = find_notice(party, notice)
    when = party.consent.now if at is None else _time(at)
    act = Act(subject, _word(State, state), when, purpose, recipient, _word(By, by), how)
    if act.state is State.WITHDRAWN:
        raise ConsentError(
            message("what was given is taken back with `commonground consent withdraw`")
        )
    party.consent.record(shown, [act], actor=actor)
    return Said(receipt_of(party, subject))


def withdraw(
    party: Organisation,
    subject: str,
    *,
    purpose: str | None,
    recipient: str | None,
    by: str,
    how: str,
    actor: str,
) -> Said:
    """Take back what a person has consented to; it counts from the next session on.

    Raises:
        ConsentError: nothing of that is given.
    """
    party.access.require(Role.OPERATOR, "consent.withdraw")
    party.consent.withdraw(
        subject, purpose=purpose, recipient=recipient, by=_word(By, by), how=how, actor=actor
    )
    return Said(receipt_of(party, subject), tuple(_lists(party, purpose, recipient)))


def import_table(
    party: Organisation,
    file: str | Path,
    notice: str | Path,
    columns: Columns,
    *,
    how: str,
    actor: str,
) -> tuple[int, int]:
    """Record what the rows of a file say; return the statements, and how many of them were new.

    Raises:
        ConsentError, DatasetError: a row does not serve; nothing is recorded.
    """
    party.access.require(Role.OPERATOR, "consent.import")
    shown = find_notice(party, notice)
    with paused():
        acts = read_acts(Path(file), columns, shown, how, party.consent.now)
        return len(acts), party.consent.record(shown, acts, actor=actor)


def history(party: Organisation, subject: str) -> dict[str, Any]:
    """Return a person's records and what stands of them now, as JSON values.

    Each record has the fields of ISO/IEC TS 27560; `standing` is what sessions go by.

    Raises:
        ConsentError: there are none.
    """
    person = _person(party, subject)
    notices = party.consent.notices()
    records: dict[str, list[Event]] = {}
    for event in person.events:
        records.setdefault(event.record, []).append(event)
    grants = sorted({grant for event in person.events for grant in notices[event.notice].grants})
    return {
        "subject": person.subject.commitment.hex(),
        "records": [_record_document(events, notices) for events in records.values()],
        "standing": [
            {
                "purpose": purpose,
                "recipient": recipient,
                "says": _SAYS.get(
                    party.consent.standing(person, Question(purpose, recipient)), "nothing"
                ),
            }
            for purpose, recipient in grants
        ],
    }


def history_of(party: Organisation, wanted: Wanted) -> dict[str, Any] | None:
    """Return what `history` does, or None where there are no records of the party's own reference.

    Records call people as the party does, so an identifier of a type finds none.
    """
    if wanted.type is not None:
        return None
    try:
        return history(party, wanted.text)
    except ConsentError:
        return None


def receipt_of(party: Organisation, subject: str) -> dict[str, Any]:
    """Return the receipt of what was recorded of a person last.

    Raises:
        ConsentError: nothing is.
    """
    person = _person(party, subject)
    return make_receipt(party.store, party.journal, party.identity.vkey, person)


def write_receipt(receipt: Mapping[str, Any], out: Path) -> None:
    """Write a receipt to a new file for the person; for its owner's eyes.

    Raises:
        PartyError: there is something of that name, or it cannot be written.
    """
    with drafted(out) as draft:
        draft.write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
        publish(draft, out)


def require_room(out: Path | None) -> None:
    """Refuse a receipt's file that exists before anything is recorded."""
    if out is not None:
        require_new(out)


def verify_receipt(
    file: str | Path,
    subject: str,
    *,
    key: str | Path | None = None,
    witness: tuple[str, ...] = (),
) -> Checked:
    """Check a receipt offline, without any party's folder.

    Raises:
        ConsentError: it cannot be read, or a witness's key is malformed.
        AuditError: it is malformed, of somebody else, not what stands in the log, or one of the
            witnesses has not cosigned it.
    """
    data = _read(Path(file))
    if isinstance(key, Path) or (key is not None and Path(key).is_file()):
        key = _read(Path(key)).decode("utf-8", "replace").strip()
    return check_receipt(data, subject, key=key, witnesses=witness)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConsentError(
            message(
                "{file}: cannot be read: {strerror}",
                file=file,
                strerror=error.strerror,
            )
        ) from None


def _lists(party: Organisation, purpose: str | None, recipient: str | None) -> list[Filed]:
    """Return the lists out of this party's people that rest on what was withdrawn."""
    desk = SuppressionDesk(party)
    found = []
    for filed in desk.with_runs():
        request = filed.request
        contract = party.contract(request.contract)
        me = contract.me(party.identity)
        if request.roles.get(SENDER) != me:
            continue
        asked = purpose in (None, request.purpose) and recipient in (None, *request.participants)
        if asked and desk.has_sent(filed):
            found.append(filed)
    return found


def _record_document(events: list[Event], notices: Mapping[str, Notice]) -> dict[str, Any]:
    first = events[0]
    said = [
        {key: one for key, one in event.to_json().items() if key not in ("subject", "record")}
        for event in events
    ]
    return {
        "schema_version": SCHEMA,
        "record": first.record,
        "notice": notices[first.notice].to_json() | {"sha256": first.notice},
        "supersedes": first.supersedes,
        "events": said,
    }


def _person(party: Organisation, subject: str) -> Person:
    person = party.consent.find(subject)
    if person is None:
        raise ConsentError(
            message(
                "nothing is recorded of this id here: look at how the id is "
                "written, which is as in your datasets"
            )
        )
    return person


def _time(at: str | datetime) -> int:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ConsentError(message("the time needs a time zone"))
        return int(at.timestamp() * MICROSECONDS)
    found = microseconds_of(at)
    if found == UNREADABLE:
        raise ConsentError(message("the time is ISO 8601 in UTC, such as 2026-01-31T00:00:00Z"))
    return found


def _word(words: type[_Word], text: str) -> _Word:
    try:
        return words(text)
    except ValueError:
        raise ConsentError(
            message(
                "'{text}' is not one of {words}",
                text=text[:40],
                words=", ".join(words),
            )
        ) from None
