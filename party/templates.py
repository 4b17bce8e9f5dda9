"""Templates: a request that is asked again under a name, with the files that it is to make.

A template holds the whole request as this party has signed it, so nothing of it depends on what is
the default tomorrow. Only id and times are new each time. A template that was changed in the store
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from audit.errors import SignatureError
from languages import message
from party.contract_terms import NAME, OutputKind
from party.errors import PartyError
from party.request import DAY_SECONDS, Request
from party.schema import TEMPLATES

if TYPE_CHECKING:
    from party.organisation import Organisation

PLACEHOLDERS: Final = {"date": "%Y-%m-%d", "time": "%H%M"}
"""What may stand in braces in a file's name: the run's day and time, UTC."""


@dataclass(frozen=True)
class Outputs:
    """The files that a run makes: paths in which {date} and {time} stand for the run's.

    `private` makes them the more exact ones, for the recipient's own eyes. `cost` is a number, or
    the path of a CSV file, which is read at each run. `model` is that of an attribution, and
    `language` the page's.
    """

    out: str | None = None
    html: str | None = None
    png: str | None = None
    private: bool = False
    cost: str | None = None
    model: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        for path in filter(None, (self.out, self.html, self.png)):
            _require_placeholders(path)

    def at(self, moment: int) -> Outputs:
        """Return the paths of the run at `moment` (Unix seconds)."""
        time = datetime.fromtimestamp(moment, UTC)
        words = {name: time.strftime(form) for name, form in PLACEHOLDERS.items()}

        def path(text: str | None) -> str | None:
            return None if text is None else text.format_map(words)

        return replace(self, out=path(self.out), html=path(self.html), png=path(self.png))


@dataclass(frozen=True)
class Template:
    """A request under a name; its own id and times are those of the day when it was saved."""

    name: str
    request: Request
    outputs: Outputs
    made_at: int

    def ask(self, request_id: str, now: int) -> Request:
        """Return the unsigned request of a run that is asked at `now` (Unix seconds).

        A window of conversions goes along: it ends as long before the run as it did before the
        saving, to a slot.
        """
        return replace(
            self.request,
            id=request_id,
            parameters=self.request.parameters.later(now - self.request.created),
            created=now,
            expires=now + DAY_SECONDS,
            signature="",
        )

    def to_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return {"request": self.request.to_json(), "outputs": asdict(self.outputs)}

    @classmethod
    def from_json(cls, name: str, document: Mapping[str, Any], made_at: int) -> Template:
        """Read what `to_json` returned."""
        outputs = Outputs(**document["outputs"])
        return cls(name, Request.from_json(document["request"]), outputs, made_at)


def save_template(party: Organisation, name: str, request: Request, outputs: Outputs) -> Template:
    """Store a request of this party's under a name.

    Raises:
        PartyError: the name does not serve or is taken, or the request makes no report.
        Refusal: its contract does not grant it.
    """
    if NAME.broken_by(name):
        raise PartyError(
            message(
                "'{name}' is no name for a template: use {expects}",
                name=name[:80],
                expects=NAME.expects,
            )
        )
    if request.kind is OutputKind.MATCH:
        raise PartyError(
            message(
                "a template is of a report; a list is made again with `commonground lists refresh`"
            )
        )
    me = party.contract(request.contract).me(party.identity)
    asked = Template(name, replace(request, requester=me), outputs, party.now)
    signed = asked.ask(request.id, party.now).sign(party.identity)  # it may be an old one's
    signed.check(party.contract(request.contract), party.now)
    template = replace(asked, request=signed)
    body = json.dumps(template.to_json())

    def work(connection: Connection) -> None:
        if connection.execute(_called(name)).first() is not None:
            raise PartyError(
                message(
                    "there is a template called {name} already: choose another name, "
                    "or remove it with `commonground report templates remove {name}`",
                    name=name,
                )
            )
        connection.execute(
            sa.insert(TEMPLATES).values(
                name=name,
                body=body,
                signature=party.identity.sign_own(template_message(name, body)),
                made_at=template.made_at,
            )
        )

    party.store.write(work)
    return template


def templates(party: Organisation) -> list[Template]:
    """Return the templates by name.

    Raises:
        PartyError: one was changed after it was saved.
    """
    rows = party.store.rows(sa.select(TEMPLATES).order_by(TEMPLATES.c.name))
    return [_read(party, row) for row in rows]


def template_called(party: Organisation, name: str) -> Template:
    """Return one template.

    Raises:
        PartyError: there is none of this name, or it was changed after it was saved.
    """
    row = party.store.row(_called(name))
    if row is None:
        raise PartyError(_unknown(name))
    return _read(party, row)


def remove_template(party: Organisation, name: str) -> None:
    """Remove a template; what was made by it stays.

    Raises:
        PartyError: there is none of this name.
    """

    def work(connection: Connection) -> int:
        return connection.execute(sa.delete(TEMPLATES).where(TEMPLATES.c.name == name)).rowcount

    if party.store.write(work) == 0:
        raise PartyError(_unknown(name))


def template_message(name: str, body: str) -> bytes:
    """Return what a party signs of a stored template, so that it notices a change."""
    return b"commonground/template/v1\n" + name.encode() + b"\n" + body.encode()


def _called(name: str) -> sa.Select[Any]:
    return sa.select(TEMPLATES).where(TEMPLATES.c.name == name)


def _read(party: Organisation, row: sa.Row[Any]) -> Template:
    try:
        party.identity.verifier.verify(template_message(row.name, row.body), row.signature)
    except SignatureError:
        raise PartyError(
            message(
                "the template {name} was changed after it was saved: remove it, and save it again",
                name=row.name,
            )
        ) from None
    return Template.from_json(row.name, json.loads(row.body), row.made_at)


def _unknown(name: str) -> str:
    return message(
        "there is no template called {name}: see `commonground report templates list`",
        name=name,
    )


def _require_placeholders(path: str) -> None:
    try:
        parts = list(Formatter().parse(path))
    except ValueError:
        parts = [("", "?", "", None)]
    for _, field, form, conversion in parts:
        if field is not None and (field not in PLACEHOLDERS or form or conversion):
            raise PartyError(
                message(
                    "{path}: in a file's name only {{date}} and {{time}} may stand in braces",
                    path=path,
                )
            )
