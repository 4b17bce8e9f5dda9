"""Templates of reports: saving one, asking it again, and writing the files that it is to make."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from audit.roles import Role
from client.costs import read_costs
from client.page.files import PageFiles
from client.results import (
    TABLE_SUFFIXES,
    Result,
    export,
    models_of,
    require_readable,
    result_of,
)
from languages import message
from party.contract import Contract
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import PartyError
from party.filing import Filed
from party.organisation import Organisation
from party.request import Request
from party.schedule import Schedule
from party.series import SeriesBook
from party.templates import Outputs, Template, remove_template, save_template, template_called
from psi.legs import TABULATOR, THIRD
from reports.costs import Costs
from reports.kinds import require_priced
from reports.rendering import Rendering


@dataclass(frozen=True)
class Files:
    """The files of one run, and whether they are for the recipient's own eyes."""

    out: Path | None
    pages: PageFiles
    private: bool
    cost: str | None
    model: str | None

    @classmethod
    def of(cls, outputs: Outputs, moment: int) -> Files:
        """Return the files of the run at `moment` (Unix seconds)."""
        named = outputs.at(moment)

        def path(text: str | None) -> Path | None:
            return None if text is None else Path(text)

        pages = PageFiles(path(named.html), path(named.png), named.language)
        return cls(path(named.out), pages, named.private, named.cost, named.model)

    @property
    def costs(self) -> Costs | None:
        """What the campaigns have cost by now; UnsuitableCosts when it cannot be read."""
        return None if self.cost is None else read_costs(self.cost)

    def require_writable(self, request: Request) -> None:
        """Refuse what a request's report could not be written to, before anything is spent.

        Raises:
            PartyError: another ending, no such folder or model, or the extra is not installed.
            UnsuitableCosts: the costs cannot be read, or name what the report will not have.
        """
        labels = request.labels[request.roles[TABULATOR]].values
        with_third = THIRD in request.roles
        require_priced(str(request.kind), labels, self.costs, with_third=with_third)
        models_of(request.kind, self.model)
        if self.out is not None:
            if self.out.suffix not in TABLE_SUFFIXES:
                raise PartyError(
                    message(
                        "{out}: write to a file that ends in {table_suffixes}",
                        out=self.out,
                        table_suffixes=", ".join(TABLE_SUFFIXES),
                    )
                )
            if not self.out.parent.is_dir():
                raise PartyError(
                    message(
                        "{out} cannot be written: there is no folder {parent}",
                        out=self.out,
                        parent=self.out.parent,
                    )
                )
        self.pages.require_writable()

    def write(self, party: Organisation, filed: Filed) -> list[Path]:
        """Write a finished request's report, over what is there.

        Raises:
            PartyError: it has no result, no private one, or a file cannot be written.
        """
        from client.page.source import source_of

        report: Result = result_of(
            party, filed, private=self.private, costs=self.costs, model=self.model
        )
        if not isinstance(report, Rendering):
            raise PartyError(
                message(
                    "request {id} has brought no report",
                    id=filed.id[:8],
                )
            )
        written = []
        if self.out is not None:
            export(report, self.out)
            written.append(self.out)
        name = party.identity.name
        return written + self.pages.write(report, lambda: [source_of(party, filed)], name)


def save(party: Organisation, name: str, request: Request, outputs: Outputs) -> Template:
    """Store a request under a name, with the files that it is to make.

    Paths become absolute, since `serve` may run it from another folder.

    Raises:
        PartyError: the name, the request or a file does not serve.
        Refusal: the contract does not grant the request.
    """
    party.access.require(Role.ANALYST, "template.save")
    outputs = replace(
        outputs, out=_whole(outputs.out), html=_whole(outputs.html), png=_whole(outputs.png)
    )
    if (outputs.cost or "").lower().endswith(".csv"):
        outputs = replace(outputs, cost=_whole(outputs.cost))
    if request.kind is not OutputKind.MATCH:  # which is refused as such
        Files.of(outputs, party.now).require_writable(request)
        require_readable(party, request, private=outputs.private)
    return save_template(party, name, request, outputs)


def savable(text: str) -> OutputKind:
    """Return the kind of a report that can be saved; PartyError where there is no such report."""
    kinds = [kind.value for kind in OutputKind if kind is not OutputKind.MATCH]
    if text not in kinds:
        raise PartyError(
            message(
                "'{text}' is no report: {kinds}",
                text=text[:40],
                kinds=", ".join(kinds),
            )
        )
    return OutputKind(text)


def asked_before(party: Organisation, wanted: str) -> Request:
    """Return the request whose id starts with `wanted`, to be saved.

    Raises:
        PartyError: there is none, or more than one.
    """
    return Desk(party).find(wanted).request


def request_of(party: Organisation, template: Template) -> tuple[Request, Contract]:
    """Return a new request of a template, and its contract.

    Raises:
        ContractError: the contract has ended.
    """
    contract = party.contract(template.request.contract)
    contract.require_in_force(party.now)
    return template.ask(secrets.token_hex(16), party.now), contract


def remove(party: Organisation, name: str) -> None:
    """Remove a template that no schedule goes on with.

    Raises:
        PartyError: there is none of this name, or its schedule goes on.
    """
    if any(one.name == name and one.state == "active" for one in SeriesBook(party).all()):
        raise PartyError(
            message(
                "{name} has a schedule that goes on: cancel it first with "
                "`commonground report schedules cancel {name}`",
                name=name,
            )
        )
    remove_template(party, name)


def read_schedule(
    party: Organisation, name: str, every: str, at: str, until: str, begins: str | None
) -> tuple[Template, Schedule]:
    """Return a template and when it is to be run.

    Raises:
        PartyError: there is no such template, or the schedule does not serve.
    """
    template = template_called(party, name)
    return template, Schedule.read(every, at, until, begins, party.now)


def _whole(path: str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())
