"""`commonground report save`, `run`, `templates`, `schedule`, `schedules` and `due`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.asking import (
    Attribute,
    By,
    Confirm,
    Cost,
    Dataset,
    Delta,
    Epsilon,
    EpsilonDummies,
    Identifier,
    InLanguage,
    MatchRate,
    Private,
    Recipient,
    Segment,
    Tabulator,
    TheirDataset,
    TheirPeople,
    Third,
    ThirdDataset,
    Wait,
    choice,
    run_request,
)
from client.commands.options import AsJson, ContractName, PartyFolder, begin, example, opened
from client.commands.timing import (
    EpsilonPeople,
    LookbackDays,
    Model,
    MostConversions,
    MostKeys,
    QuotedEnd,
    QuotedRoom,
    QuotedStart,
    SlotMinutes,
    timing_for,
)
from client.completion import offer_requests, offer_templates
from client.exits import ExitCode

if TYPE_CHECKING:
    from party.series import Series

templates = typer.Typer(
    no_args_is_help=True,
    help="Reports that are saved under a name, to be run again with everything as it was.",
    epilog=example("commonground report templates list"),
)
schedules = typer.Typer(
    no_args_is_help=True,
    help="Reports that are run again and again, with the budget of all runs held in advance.",
    epilog=example("commonground report schedules list"),
)


class Cadence(StrEnum):
    """How often a series may run."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The template.", autocompletion=offer_templates),
]
_IN_NAMES = "{date} and {time} in it stand for the run's, UTC."
Out = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help=f"Have each run write its result to FILE: .csv, .parquet or .json. {_IN_NAMES}",
    ),
]
Html = Annotated[
    str | None,
    typer.Option(
        "--html", metavar="FILE", help=f"Have each run write its page to FILE. {_IN_NAMES}"
    ),
]
Png = Annotated[
    str | None,
    typer.Option(
        "--png", metavar="FILE", help=f"Have each run write its charts to FILE. {_IN_NAMES}"
    ),
]


def add_to(report: typer.Typer) -> None:
    """Add the commands to `commonground report`."""
    report.command(
        epilog=example(
            "commonground report save weekly --from 1f0c22ab",
            "commonground report save nightly --kind reach --html 'reach-{date}.html'",
            "commonground report save credit --kind attribution --segment basket \\",
            "    --start 2026-01-01 --end 2026-02-01 --room 20000 --model shapley",
        )
    )(save)
    report.command(epilog=example("commonground report run nightly --ask"))(run)
    report.command(
        epilog=example(
            "commonground report schedule nightly --every day --at 02:00 \\",
            "    --until 2026-12-31 --ask",
        )
    )(schedule)
    report.command(epilog=example("commonground report due --party brand/"))(due)
    report.add_typer(templates, name="templates")
    report.add_typer(schedules, name="schedules")


def save(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="What to call it: letters, digits, hyphens."),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="The report: overlap, reach, insights, funnel, attribution, delay, lift, "
            "cross-channel or table.",
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ID",
            help="Save what this request asked for, with all its choices, instead of --kind.",
            autocompletion=offer_requests,
        ),
    ] = None,
    segment: Segment = None,
    by: By = None,
    identifier: Identifier = None,
    recipient: Recipient = None,
    tabulator: Tabulator = None,
    third: Third = None,
    attribute: Attribute = None,
    third_dataset: ThirdDataset = None,
    contract: ContractName = None,
    dataset: Dataset = None,
    their_dataset: TheirDataset = None,
    epsilon: Epsilon = None,
    epsilon_dummies: EpsilonDummies = None,
    delta: Delta = None,
    start: QuotedStart = None,
    end: QuotedEnd = None,
    room: QuotedRoom = None,
    slot_minutes: SlotMinutes = 60,
    lookback_days: LookbackDays = 30,
    most_conversions: MostConversions = 1,
    most_keys: MostKeys = None,
    epsilon_people: EpsilonPeople = None,
    model: Model = None,
    private: Private = False,
    cost: Cost = None,
    out: Out = None,
    html: Html = None,
    png: Png = None,
    language: InLanguage = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Save a report under a name: all that it asks for, and the files that it is to make.

    Nothing is asked and nothing is spent. Defaults of today are written down, so the template
    asks for the same tomorrow; a window of conversions goes along with the day of the run.
    """
    from client.asking import TableChoice, table_request
    from client.render_series import template_document
    from client.templating import asked_before, savable
    from client.templating import save as save_as
    from client.timing import TimeOptions
    from party.templates import Outputs

    output = begin(ctx, as_json)
    outputs = Outputs(out, html, png, private, cost, model, language)
    of_labels = (segment, by, identifier, recipient, tabulator, contract, dataset, their_dataset)
    of_third = (third, attribute, third_dataset)
    chosen = (*of_labels, *of_third, epsilon, epsilon_dummies, delta)
    of_time = TimeOptions(
        start, end, room, slot_minutes, lookback_days, most_conversions, most_keys, epsilon_people
    )
    if (kind is None) == (from_ is None):
        raise typer.BadParameter("say what to save: --kind KIND, or --from ID")
    if from_ is not None and (any(one is not None for one in chosen) or of_time != TimeOptions()):
        raise typer.BadParameter("--from takes every choice from the request; leave them out")
    wanted = None if kind is None else savable(kind)
    timing = None if from_ is not None else timing_for(wanted, of_time)
    with opened(party) as here:
        if wanted is None:
            request = asked_before(here, from_ or "")
        else:
            agreed = here.contract(contract)
            table = TableChoice(
                wanted,
                recipient,
                tabulator,
                segment,
                by,
                identifier,
                timing,
                third=third,
                attribute=attribute,
                third_dataset=third_dataset,
            )
            privacy = choice(dataset, their_dataset, epsilon, epsilon_dummies, delta)
            request = table_request(here, agreed, table, privacy)
        template = save_as(here, name, request, outputs)
    output.result(
        template_document(template),
        f"Saved as {name}: run it with `commonground report run {name}`.",
    )


def run(
    ctx: typer.Context,
    name: Name,
    their_people: TheirPeople = None,
    match_rate: MatchRate = 0.5,
    ask: Confirm = False,
    wait: Wait = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Run a template now: ask for its report, and write its files.

    The quote comes first, on stderr. It is charged like the report itself.
    """
    from client.guess import Guess
    from client.templating import Files, request_of
    from party.templates import template_called

    output = begin(ctx, as_json)
    with opened(party) as here:
        template = template_called(here, name)
        request, agreed = request_of(here, template)
        files = Files.of(template.outputs, here.now)
        files.require_writable(request)
        run_request(
            here, output, request, agreed, Guess.of(their_people, match_rate), ask=ask, wait=wait,
            private=files.private, out=files.out, pages=files.pages, costs=files.costs,
            model=files.model,
        )  # fmt: skip


@templates.command("list", epilog=example("commonground report templates list --json"))
def list_templates(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List the templates, what they ask for and which files they make."""
    from client.render_series import template_document, templates_shown
    from party.templates import templates as all_templates

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = all_templates(here)
    document = {"templates": [template_document(one) for one in found]}
    output.result(document, *templates_shown(found))


@templates.command("remove", epilog=example("commonground report templates remove nightly"))
def remove_template(
    ctx: typer.Context, name: Name, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Remove a template that no schedule goes on with; what it has made stays."""
    from client.templating import remove

    output = begin(ctx, as_json)
    with opened(party) as here:
        remove(here, name)
    output.result({"removed": name}, f"Removed {name}.")


def schedule(
    ctx: typer.Context,
    name: Name,
    every: Annotated[Cadence, typer.Option(help="How far apart the runs are.")],
    until: Annotated[
        str, typer.Option(metavar="DAY", help="The last day, as YYYY-MM-DD; it is included.")
    ],
    at: Annotated[
        str, typer.Option(metavar="HH:MM", help="The time of day, UTC. Of every hour: its minute.")
    ] = "00:00",
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DAY", help="The first day, as YYYY-MM-DD. Today, without it."
        ),
    ] = None,
    their_people: TheirPeople = None,
    match_rate: MatchRate = 0.5,
    ask: Confirm = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Run a template again and again: the budget of all runs is quoted and held in advance.

    Refused as a whole if the runs do not fit every window that they fall in. `commonground serve`
    runs what is due, or `commonground report due`. Times are UTC, all year.
    """
    from client.guess import Guess
    from client.render_series import series_document, series_quote_shown
    from client.scheduling import quote_series
    from client.templating import read_schedule
    from party.series import SeriesBook

    output = begin(ctx, as_json)
    with opened(party) as here:
        template, planned = read_schedule(here, name, every.value, at, until, from_)
        quote = quote_series(here, template, planned, Guess.of(their_people, match_rate))
        output.say(*series_quote_shown(quote))
        if ask and not typer.confirm("Go on?", err=True):
            output.result({"state": "not made"}, "Nothing was planned and nothing is held.")
            return
        series = SeriesBook(here).make(template, planned)
    output.result(
        series_document(series),
        f"{name} runs every {every.value}, {len(series.runs)} times. `commonground report "
        "schedules list` shows how it goes.",
    )


@schedules.command("list", epilog=example("commonground report schedules list --json"))
def list_schedules(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List the schedules: next run, last result, and the budget that is held and left."""
    from client.render_series import series_document, series_shown
    from party.balances import balances
    from party.series import SeriesBook

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = SeriesBook(here).all()
        left = balances(here)
    document = {"schedules": [series_document(one) for one in found]}
    output.result(document, *series_shown(found, left))


@schedules.command("cancel", epilog=example("commonground report schedules cancel nightly"))
def cancel_schedule(
    ctx: typer.Context, name: Name, party: PartyFolder = None, as_json: AsJson = False
) -> None:
    """Plan no more runs of a template; what was spent stays spent.

    What was held for runs to come is free again. A run that was asked for goes on to its end.
    """
    from client.render_series import series_document
    from party.series import SeriesBook

    output = begin(ctx, as_json)
    with opened(party) as here:
        series: Series = SeriesBook(here).cancel(name)
    output.result(series_document(series), f"{name} has no more runs. What was spent stays spent.")


def due(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Run what is due of the schedules, as `serve` does by itself; for cron.

    Ends with 3 if a run was skipped or failed, with 4 if one waits for somebody.
    """
    from client.carrying import Carrier
    from client.render_series import went_shown
    from client.scheduling import run_due
    from party.series import FAILED, PLANNED, SKIPPED

    output = begin(ctx, as_json)
    with opened(party) as here:
        went = run_due(Carrier(here, output))
    output.result({"runs": [one.to_dict() for one in went]}, *went_shown(went))
    states = {one.state for one in went}
    if states & {SKIPPED, FAILED}:
        raise typer.Exit(ExitCode.REFUSED)
    if PLANNED in states:
        raise typer.Exit(ExitCode.WAITING)
