"""What verbs return: reports, lists and quotes, each as a DataFrame and as a command prints it.

A report's frame is the one that may be passed on. The more exact numbers are asked for by name
(`private`), and every row of them says what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client.actors import OPERATOR
from client.costs import read_costs
from client.output import as_text
from client.page.files import PageFiles
from client.results import NothingLearnt, export, export_result, models_of, result_of
from party.contract_terms import ListUse, OutputKind
from party.errors import PartyError, ResultError
from party.filing import Filed
from party.list_files import Part
from party.lists import Lists, MatchedList
from party.organisation import Organisation
from privacy.units import format_epsilon
from reports.costs import Costs
from reports.rendering import Rendering

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from client.quoting import Quoted


class Reading:
    """One reading of a report: the shareable one, or the private one."""

    def __init__(
        self, rendering: Rendering, party: Organisation, finished: Sequence[Filed]
    ) -> None:
        self._rendering, self._party, self._finished = rendering, party, tuple(finished)

    @property
    def kind(self) -> str:
        """Whether it may be passed on, in the words of its rows."""
        return self._rendering.kind

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a number: metric, label, segment, value, standard error, interval, …."""
        return self._rendering.frame()

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report, its released table included, as JSON values."""
        return self._rendering.to_dict()

    def export(self, path: str | Path) -> Path:
        """Write it to a file (.csv, .parquet or .json) and return the path.

        Raises:
            PartyError: the file has another ending, or cannot be written.
        """
        path = Path(path)
        export(self._rendering, path)
        return path

    def to_html(self, path: str | Path, language: str | None = None) -> Path:
        """Write one page with charts, tables, method and audit reference; return the path.

        It needs no network. What is there under this name is replaced. `language` is `en`, which
        it is without one, or `zh` (简体中文).

        Raises:
            PartyError: the extra `html` is not installed, the file does not end in .html, there
                is no such language, or it cannot be written.
        """
        return self._write(PageFiles(html=Path(path), language=language))

    def to_png(self, path: str | Path, language: str | None = None) -> Path:
        """Write a picture of the charts and return the path.

        Raises:
            PartyError: as `to_html`, or no font of this machine has the language's letters.
        """
        return self._write(PageFiles(png=Path(path), language=language))

    def _write(self, pages: PageFiles) -> Path:
        from client.page.source import source_of

        (written,) = pages.write(
            self._rendering,
            lambda: [source_of(self._party, filed) for filed in self._finished],
            self._party.identity.name,
        )
        return written

    def __str__(self) -> str:
        from client.render_report import result_shown

        return as_text(*result_shown(self._rendering))

    def _repr_html_(self) -> str:
        """Show a notebook the numbers as the command prints them: a column a segment."""
        frame = self.to_pandas()
        frame["label"] = frame["label"].fillna("")
        frame["segment"] = frame["segment"].fillna("all")
        table = frame.pivot_table(
            index=["metric", "label"],
            columns="segment",
            values="shown",
            aggfunc="first",
            sort=False,
            fill_value="",
        )
        return str(table.to_html())


class Report(Reading):
    """A finished table's report, as it may be passed on; `private` is for your eyes only."""

    def __init__(
        self,
        party: Organisation,
        filed: Filed,
        costs: Costs | None = None,
        model: str | None = None,
    ) -> None:
        rendering = result_of(party, filed, private=False, costs=costs, model=model)
        if not isinstance(rendering, Rendering):
            raise PartyError(f"request {filed.id[:8]} is a match: it has a list and no report")
        super().__init__(rendering, party, [filed])
        self._filed, self._costs, self._model = filed, costs, model

    @property
    def id(self) -> str:
        """The request's id."""
        return self._filed.id

    @property
    def epsilon(self) -> str:
        """What the tabulator's people paid for the table, as exact decimal text."""
        return format_epsilon(self._filed.request.parameters.epsilon_release_nano)

    @property
    def private(self) -> Reading:
        """The more exact numbers, for the recipient's own eyes.

        Raises:
            PartyError: this party is not the table's recipient.
            ResultError: the result was changed after it was made.
        """
        rendering = result_of(
            self._party, self._filed, private=True, costs=self._costs, model=self._model
        )
        if not isinstance(rendering, Rendering):
            raise PartyError(f"request {self.id[:8]} has no report")
        return Reading(rendering, self._party, self._finished)

    def with_cost(
        self, cost: str | Path | Decimal | float | Mapping[str, str | Decimal | float]
    ) -> Report:
        """Return the report with cost a person, and of value buckets cost per acquisition and ROAS.

        `cost` is one number for everything, costs by the names that the report has (`all` may be
        one), or a CSV file with the columns campaign and cost. It costs no privacy.

        Raises:
            UnsuitableCosts: it cannot be read, or names what the report does not have.
        """
        if isinstance(cost, Mapping):
            costs = Costs.of_campaigns({name: str(one) for name, one in cost.items()})
        else:
            costs = read_costs(str(cost))
        return Report(self._party, self._filed, costs, self._model)

    def __repr__(self) -> str:
        return f"<Report {self._rendering.title()} {self.id[:8]}, ε {self.epsilon}>"


class Audience:
    """What a match has brought: the receiver's list, read and checked when it is asked for.

    The sender of a match learns no list; for it everything but `id` and `received` raises.
    """

    def __init__(self, party: Organisation, filed: Filed) -> None:
        self._party, self._filed = party, filed

    @property
    def id(self) -> str:
        """The request's id."""
        return self._filed.id

    @property
    def peer(self) -> str:
        """The counterpart."""
        return self._filed.peer

    @property
    def use(self) -> str:
        """What the list is for: include or exclude."""
        return (self._filed.request.use or ListUse.INCLUDE).value

    @property
    def received(self) -> bool:
        """Whether the list is this party's."""
        return isinstance(self._result(), MatchedList)

    @property
    def name(self) -> str | None:
        """What this party calls the list, if it has a name."""
        return self._held().name

    @property
    def state(self) -> str:
        """How the list stands: live, expired, replaced by a refresh, or deleted."""
        return self._held().state(self._party.now)

    @property
    def path(self) -> Path:
        """Where the list lies, as Parquet, until it expires."""
        return self._list().file

    @property
    def people(self) -> int:
        """How many people it names: exact, and for your eyes."""
        return self._list().people

    @property
    def expires_at(self) -> datetime:
        """When it is deleted here (UTC)."""
        return datetime.fromtimestamp(self._held().expires_at, UTC)

    @property
    def added(self) -> pd.DataFrame:
        """Who came at the last refresh; PartyError for a list that was not refreshed."""
        return self._frame(Part.ADDED)

    @property
    def removed(self) -> pd.DataFrame:
        """Who went at the last refresh; PartyError for a list that was not refreshed."""
        return self._frame(Part.REMOVED)

    def to_arrow(self) -> pa.Table:
        """Return your references and the identifier types that matched (`matched_by`)."""
        return self._table(Part.WHOLE)

    def to_pandas(self) -> pd.DataFrame:
        """Return your references and the identifier types that matched (`matched_by`)."""
        return self._frame(Part.WHOLE)

    def to_dict(self) -> dict[str, Any]:
        """Return what the list is as JSON values, as `commonground lists show --json` does."""
        from client.render_lists import list_document

        return list_document(self._held())

    def export(self, path: str | Path) -> Path:
        """Write the list to a new file (.csv or .parquet) and return the path; delete it in time.

        People without consent now are left out, and the log says that the list was exported.

        Raises:
            PartyError: the file has another ending, is there already, or cannot be written.
        """
        path = Path(path)
        export_result(self._party, self._list(), path, actor=OPERATOR)
        return path

    def _result(self) -> object:
        return result_of(self._party, self._filed, private=False)

    def _frame(self, part: Part) -> pd.DataFrame:
        frame: pd.DataFrame = self._table(part).to_pandas()
        return frame

    def _table(self, part: Part) -> pa.Table:
        with Lists(self._party).kept_still(self._list().request.id) as held:
            return held.table(part, self._party.now)

    def _held(self) -> MatchedList:
        """Return the list, also one that may not be used any more."""
        return Lists(self._party).of_request(self.id)

    def _list(self) -> MatchedList:
        found = self._result()
        if isinstance(found, NothingLearnt):
            raise PartyError(f"the {found.role} of a match learns no list; its receiver has it")
        if not isinstance(found, MatchedList):
            raise PartyError(f"request {self.id[:8]} is a report and has no list")
        return found

    def __repr__(self) -> str:
        return f"<Audience {self.id[:8]}>"

    def __str__(self) -> str:
        from client.render_report import result_shown

        try:
            found = result_of(self._party, self._filed, private=False)
            return as_text(*result_shown(found))
        except ResultError:
            raise
        except PartyError as ended:  # what it says is what there is to see
            return as_text(str(ended))


class Quote:
    """What a request would cost, and how exact it would be; for your eyes only."""

    def __init__(self, quoted: Quoted) -> None:
        self._quoted = quoted

    @property
    def wire_bytes(self) -> int:
        """About how many bytes would cross."""
        return self._quoted.figures.wire_bytes

    @property
    def seconds(self) -> float:
        """About how long the work would take."""
        return self._quoted.figures.seconds

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the numbers rest on."""
        return self._quoted.assumptions

    def to_dict(self) -> dict[str, Any]:
        """Return every figure as JSON values, as `commonground quote --json` does."""
        return self._quoted.to_json()

    def to_pandas(self) -> pd.DataFrame:
        """Return who pays what: party, role, ε and δ as exact decimal text."""
        import pandas as pd

        from client.render_quote import charged

        return pd.DataFrame(charged(self._quoted), columns=["party", "role", "epsilon", "delta"])

    def __str__(self) -> str:
        from client.render_quote import quote_shown

        return as_text(*quote_shown(self._quoted))

    def __repr__(self) -> str:
        return f"<Quote {self._quoted.request.kind}, about {self.seconds:.0f} s>"


def audience_of(party: Organisation, filed: Filed) -> Audience:
    """Return what a match has brought, once it is known to be there and as it was made.

    Raises:
        PartyError: it was deleted, or there is none.
        Refusal: it has expired.
        ResultError: it was changed after it was made.
    """
    result_of(party, filed, private=False)
    return Audience(party, filed)


def outcome_of(party: Organisation, filed: Filed, model: str | None = None) -> Report | Audience:
    """Return a finished request's result as its kind has it; an attribution's under a model."""
    models_of(filed.request.kind, model)
    if filed.request.kind is OutputKind.MATCH:
        return audience_of(party, filed)
    return Report(party, filed, model=model)
