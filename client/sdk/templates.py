"""Reports that are saved under a name, and those that are run again and again."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from client.actors import OPERATOR
from client.asking import Choice, TableChoice, table_request
from client.cancelling import CancelToken
from client.guess import MATCH_RATE, Guess, People
from client.output import as_text
from client.quoting import quote_for
from client.scheduling import SeriesQuote, Went, quote_series, run_due
from client.sdk.asking import in_force
from client.sdk.calls import Calls
from client.sdk.conversions import Time, time_text
from client.sdk.results import Quote, Report
from client.templating import Files, asked_before, read_schedule, remove, request_of, savable, save
from client.timing import LOOKBACK_DAYS, SLOT_MINUTES, TimeOptions
from party.driver import Progress
from party.errors import PartyError
from party.organisation import Organisation
from party.series import Series, SeriesBook
from party.templates import Outputs, Template, template_called, templates

if TYPE_CHECKING:
    import pandas as pd


class Templates:
    """`commonground report save`, `run` and `templates`."""

    def __init__(self, party: Organisation, calls: Calls) -> None:
        self._party, self._calls = party, calls

    def save(
        self,
        name: str,
        kind: str | None = None,
        segment: str | None = None,
        by: str | None = None,
        *,
        from_: str | None = None,
        identifier: str | None = None,
        recipient: str | None = None,
        tabulator: str | None = None,
        third: str | None = None,
        attribute: str | None = None,
        third_dataset: str | None = None,
        contract: str | None = None,
        dataset: str | None = None,
        their_dataset: str | None = None,
        epsilon: str | None = None,
        epsilon_dummies: str | None = None,
        delta: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
        room: int | None = None,
        slot_minutes: int = SLOT_MINUTES,
        lookback_days: int = LOOKBACK_DAYS,
        most_conversions: int = 1,
        most_keys: int | None = None,
        epsilon_people: str | None = None,
        model: str | None = None,
        private: bool = False,
        cost: str | None = None,
        out: str | None = None,
        html: str | None = None,
        png: str | None = None,
        language: str | None = None,
    ) -> Template:
        """Save a report under a name: of a `kind`, or what the request `from_` asked for.

        In the names of files {date} and {time} stand for the run's, UTC; `cost` is a number or a
        CSV file, `language` the page's (en or zh). What says when conversions were is for
        attribution and delay, as in `Party.attribution`; the window goes along with the day of the
        run. Nothing is asked.

        Raises:
            PartyError: the name is taken, or a part of it does not serve.
            Refusal, ContractError, PrivacyError: what it asks for would be refused.
        """
        chosen = (
            segment, by, identifier, recipient, tabulator, contract, dataset, their_dataset, third,
            attribute, third_dataset,
        )  # fmt: skip
        choice = Choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
        of_time = TimeOptions(
            time_text(start), time_text(end), room, slot_minutes, lookback_days, most_conversions,
            most_keys, epsilon_people,
        )  # fmt: skip
        if (kind is None) == (from_ is None):
            raise PartyError("say what to save: a kind of report, or from_, a request")
        if kind is None or from_ is not None:
            given = any(one is not None for one in chosen)
            if given or choice != Choice() or of_time != TimeOptions():
                raise PartyError("from_ takes every choice from the request; leave them out")
            request = asked_before(self._party, from_ or "")
        else:
            of = savable(kind)
            table = TableChoice(
                of,
                recipient,
                tabulator,
                segment,
                by,
                identifier,
                of_time.chosen(of),
                third=third,
                attribute=attribute,
                third_dataset=third_dataset,
            )
            request = table_request(self._party, in_force(self._party, contract), table, choice)
        outputs = Outputs(out, html, png, private, cost, model, language)
        return save(self._party, name, request, outputs)

    def list(self) -> builtins.list[Template]:
        """Return the templates by name."""
        return templates(self._party)

    def remove(self, name: str) -> None:
        """Remove a template; what it has made stays.

        Raises:
            PartyError: there is none of this name, or its schedule goes on.
        """
        remove(self._party, name)

    def quote(
        self, name: str, *, their_people: People | None = None, match_rate: float = MATCH_RATE
    ) -> Quote:
        """Quote a run of a template; nothing is asked.

        Raises:
            PartyError: there is no such template, or its contract has ended.
        """
        request, contract = request_of(self._party, template_called(self._party, name))
        guess = Guess(their_people, match_rate)
        return Quote(quote_for(self._party, contract, request, guess))

    def run(
        self,
        name: str,
        *,
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Report:
        """Ask for a template's report now, and write its files.

        Raises:
            PartyError: there is no such template, its contract has ended, or a file cannot be
                written; then nothing was asked.
            Refusal, SessionSuspended: as `Party.reach`.
        """
        template = template_called(self._party, name)
        request, contract = request_of(self._party, template)
        files = Files.of(template.outputs, self._party.now)
        files.require_writable(request)
        with self._calls.carrying(progress, cancel, wait=wait) as carrier:
            filed = carrier.ask(request, contract, actor=OPERATOR)
        files.write(self._party, filed)
        return Report(self._party, filed, files.costs, files.model)

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a template."""
        import pandas as pd

        from client.render_series import template_document

        return pd.json_normalize([template_document(one) for one in self.list()], sep="_")


class QuoteOfSeries:
    """What all runs of a series would cost, by window of this party's budget; for your eyes."""

    def __init__(self, quote: SeriesQuote) -> None:
        self._quote = quote

    @property
    def runs(self) -> int:
        """How many runs there would be."""
        return self._quote.runs

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, as `report schedule` shows it."""
        from client.render_series import series_quote_document

        return series_quote_document(self._quote)

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a window: runs, what they cost, and what is left before."""
        import pandas as pd

        return pd.json_normalize(self.to_dict()["windows"], sep="_")

    def __str__(self) -> str:
        from client.render_series import series_quote_shown

        return as_text(*series_quote_shown(self._quote))

    def __repr__(self) -> str:
        return f"<QuoteOfSeries of {self.runs} runs>"


class Schedules:
    """`commonground report schedule`, `schedules` and `due`."""

    def __init__(self, party: Organisation, calls: Calls) -> None:
        self._party, self._calls = party, calls

    def make(
        self,
        name: str,
        *,
        every: str,
        until: str,
        at: str = "00:00",
        from_: str | None = None,
    ) -> Series:
        """Run a template every hour, day or week at HH:MM UTC, until a day (YYYY-MM-DD), included.

        The budget of all runs is held. `serve` runs what is due, or `due`.

        Raises:
            Refusal: BUDGET_EXHAUSTED: the runs do not fit a window that they fall in.
            PartyError: there is no such template, it has a schedule, or this one does not serve.
            ContractError: the contract ends before the last run.
        """
        template, schedule = read_schedule(self._party, name, every, at, until, from_)
        return SeriesBook(self._party).make(template, schedule)

    def quote(
        self,
        name: str,
        *,
        every: str,
        until: str,
        at: str = "00:00",
        from_: str | None = None,
        their_people: People | None = None,
        match_rate: float = MATCH_RATE,
    ) -> QuoteOfSeries:
        """Quote all runs of a series; nothing is held. Raises what `make` does, but no refusal."""
        template, schedule = read_schedule(self._party, name, every, at, until, from_)
        guess = Guess(their_people, match_rate)
        return QuoteOfSeries(quote_series(self._party, template, schedule, guess))

    def list(self) -> builtins.list[Series]:
        """Return every schedule, newest first, with its runs and what is held for them."""
        return SeriesBook(self._party).all()

    def cancel(self, name: str) -> Series:
        """Plan no more runs of a template; what was spent stays spent.

        Raises:
            PartyError: it has no schedule that goes on.
        """
        return SeriesBook(self._party).cancel(name)

    def due(
        self,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> builtins.list[Went]:
        """Run what is due, as `serve` does by itself; return how each run went.

        Raises:
            InUse: another process runs it now.
            Cancelled: as `Party.match`.
        """
        with self._calls.carrying(progress, cancel) as carrier:
            return run_due(carrier)

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a run of every schedule."""
        import pandas as pd

        names = ("slot", "request", "state", "reason", "changed_at")
        lines = [
            (series.name, *(getattr(run, name) for name in names))
            for series in self.list()
            for run in series.runs
        ]
        return pd.DataFrame(lines, columns=["template", *names])
