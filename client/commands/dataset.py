"""`commonground dataset`: add, list and show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import AsJson, PartyFolder, begin, example, opened

app = typer.Typer(
    no_args_is_help=True,
    help="Register this party's own data: described in a short YAML file, read where it lies.",
    epilog=example(
        "commonground dataset add customers.yaml", "commonground dataset show customers"
    ),
)


@app.command(epilog=example("commonground dataset add customers.yaml --party advertiser/"))
def add(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="The description: source files, columns, consent and labels. Paths in it are "
            "relative to it."
        ),
    ],
    population: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose privacy budget it charges. Datasets of the same people share a name; "
            "without it, the dataset's own. It cannot be changed later.",
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Read a dataset, report on its quality, and register it.

    Nothing is copied, and the files stay where they are. When an identifier column cannot be used
    as it is declared, the report says why and nothing is registered. Registering a name again
    replaces its description and keeps its privacy budget.
    """
    from client.render_dataset import dataset_document, quality_shown
    from party.datasets import inspect, load_definition

    output = begin(ctx, as_json)
    with opened(party) as here:
        definition = load_definition(file)
        report = inspect(definition)
        if any(column.problem for column in report.columns):
            output.say(*quality_shown(report.to_dict()))
        here.keep_dataset(definition, report, population)
        registered = here.dataset(definition.name)
    output.result(
        dataset_document(registered),
        *quality_shown(registered.quality),
        "",
        f"Registered as {registered.name}; its people are the population "
        f"{registered.population}. Content {registered.snapshot[:16]}…",
        "Next: commonground contract propose THEIR-public.yaml",
    )


@app.command("list", epilog=example("commonground dataset list --json"))
def list_(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """List the registered datasets."""
    from client.render_dataset import dataset_document, datasets_shown

    output = begin(ctx, as_json)
    with opened(party) as here:
        registered = here.datasets()
    output.result(
        {"datasets": [dataset_document(one) for one in registered]}, datasets_shown(registered)
    )


@app.command(epilog=example("commonground dataset show customers"))
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show a dataset's quality report as of its registration: exact, and for your eyes only."""
    from client.render_dataset import dataset_document, quality_shown

    output = begin(ctx, as_json)
    with opened(party) as here:
        registered = here.dataset(name)
    output.result(dataset_document(registered), *quality_shown(registered.quality))
