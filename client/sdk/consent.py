"""Records of consent: writing down what people have said, and what they take back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from client import consenting
from client.actors import OPERATOR
from client.consenting import Said
from client.sdk.log import note_reading
from party.consent.receipt import Checked
from party.consent.table import Columns
from party.organisation import Organisation


class Consent:
    """`commonground consent`. People are called as your datasets call them."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def record(
        self,
        person: str,
        notice: str | Path,
        *,
        state: str = "given",
        at: str | datetime | None = None,
        purpose: str | None = None,
        recipient: str | None = None,
        by: str = "subject",
        how: str = "record",
        receipt: str | Path | None = None,
    ) -> Said:
        """Record what a person says to a notice: a file, or the name of one that is known here.

        `state` is given, refused or expired; `by` subject, guardian or controller. Without
        `purpose` or `recipient` it is about all of them. `receipt` is a new file for the person.

        Raises:
            ConsentError: something of it does not serve; nothing is recorded.
            PartyError: there is a file of the receipt's name already; nothing is recorded.
        """
        out = _room(receipt)
        said = consenting.record(
            self._party, person, notice, state=state, at=at, purpose=purpose, recipient=recipient,
            by=by, how=how, actor=OPERATOR,
        )  # fmt: skip
        return _with_receipt(said, out)

    def withdraw(
        self,
        person: str,
        *,
        purpose: str | None = None,
        recipient: str | None = None,
        by: str = "subject",
        how: str = "request",
        receipt: str | Path | None = None,
    ) -> Said:
        """Take back what a person has consented to; it counts from the next session on.

        The `lists` of what is returned may hold the person: `Party.suppress` takes them off.

        Raises:
            ConsentError: nothing of that is given.
            PartyError: there is a file of the receipt's name already; nothing is recorded.
        """
        out = _room(receipt)
        said = consenting.withdraw(
            self._party, person, purpose=purpose, recipient=recipient, by=by, how=how,
            actor=OPERATOR,
        )  # fmt: skip
        return _with_receipt(said, out)

    def import_(
        self,
        file: str | Path,
        notice: str | Path,
        *,
        id: str,  # noqa: A002 - the command's word
        time: str | None = None,
        state: str | None = None,
        purpose: str | None = None,
        recipient: str | None = None,
        by: str | None = None,
        tcf: str | None = None,
        vendors: Mapping[str, int] | None = None,
        how: str = consenting.IMPORTED,
    ) -> int:
        """Record what the rows of a file say, all or nothing; return how many were new.

        The names are those of columns. `vendors` are the recipients' numbers in the Global Vendor
        List, for the TC strings in `tcf`.

        Raises:
            ConsentError, DatasetError: the file or one of its rows does not serve.
        """
        columns = Columns(id, time, state, purpose, recipient, by, tcf, dict(vendors or {}))
        _, new = consenting.import_table(
            self._party, file, notice, columns, how=how, actor=OPERATOR
        )
        return new

    def show(self, person: str) -> dict[str, Any]:
        """Return a person's records and what stands of them now, as JSON values.

        Raises:
            ConsentError: there are none.
        """
        found = consenting.history(self._party, person)
        note_reading(self._party, "consent.show")
        return found

    def receipt(self, person: str, out: str | Path) -> Path:
        """Write the receipt of what was recorded of a person last to a new file.

        Raises:
            ConsentError: nothing was.
            PartyError: there is a file of this name already.
        """
        path = Path(out)
        consenting.require_room(path)
        made = consenting.receipt_of(self._party, person)
        note_reading(self._party, "consent.receipt")
        consenting.write_receipt(made, path)
        return path

    @staticmethod
    def verify(
        file: str | Path,
        id: str,  # noqa: A002 - the command's word
        *,
        key: str | Path | None = None,
        witness: Iterable[str] = (),
    ) -> Checked:
        """Verify a receipt offline: whose it is, what it says, and that the log has it.

        `key` is the log's, or a file with it, from where the party cannot change it alone;
        `witness` are the keys of those who must have cosigned the log.

        Raises:
            AuditError: it is malformed, of somebody else, not what stands in the log, or one of
                the witnesses has not cosigned it.
        """
        return consenting.verify_receipt(file, id, key=key, witness=tuple(witness))


def _room(receipt: str | Path | None) -> Path | None:
    out = None if receipt is None else Path(receipt)
    consenting.require_room(out)
    return out


def _with_receipt(said: Said, out: Path | None) -> Said:
    if out is not None:
        consenting.write_receipt(said.receipt, out)
    return said
