"""`commonground dataset`: add, check, list, show; bounds for values."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from client.actors import OPERATOR
from client.commands.options import (
    AsJson,
    ContractName,
    PartyFolder,
    begin,
    example,
    looked_at,
    opened,
)
from client.completion import offer_datasets
from client.exits import ExitCode

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
            help="The description: source, columns, consent and labels. Paths in it are relative "
            "to it."
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

    The source is files (CSV, Parquet, Arrow) by name, folder or pattern; objects by URL, such as
    s3://bucket/*.parquet; a query to PostgreSQL or SQLite, such as {url_env: CRM_URL, query:
    "SELECT …"}; or one to a DuckDB file, such as {duckdb: FILE, query: "SELECT …"}. It is only
    read, and files stay where they are. When an identifier column cannot be used as it is declared,
    the report says why and nothing is registered. Where the description connects identifiers to
    people, the report says how many rows they have, what was shared by too many, and what was
    broken. Rules on invalid traffic (invalid_traffic:) are applied, and it says what each of them
    took out. Registering a name again replaces its description and keeps its privacy budget.
    """
    from client.progress import watching_steps
    from client.registering import register
    from client.render_dataset import dataset_document, quality_shown
    from party.datasets import QualityReport, load_definition

    output = begin(ctx, as_json)
    watching = ExitStack()

    def show_problems(report: QualityReport) -> None:
        watching.close()
        if report.personal or any(column.problem for column in report.columns):
            output.say(*quality_shown(report.to_dict()))
            output.say(f"What to do about each: commonground dataset check {file}")

    with opened(party) as here, watching:
        hook = watching.enter_context(watching_steps())
        definition = load_definition(file)
        registered = register(here, definition, population, reported=show_problems, hook=hook)
    output.result(
        dataset_document(registered),
        *quality_shown(registered.quality),
        "",
        f"Registered as {registered.name}; its people are the population "
        f"{registered.population}. Content {registered.snapshot[:16]}…",
        "Next: commonground invite, or commonground join LINE, to agree on a contract",
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
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The dataset's name.", autocompletion=offer_datasets),
    ],
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show a dataset's data map, then its quality report as of its registration.

    The map says what each column is and is read for, where the data come from and since when, what
    consent rests on, which contracts and requests use it, who has received what, and when each part
    ends; it holds no count of people. A dataset that has ended keeps its map. The quality report is
    exact, and for your eyes only.
    """
    from client.render_catalogue import map_shown
    from client.render_dataset import dataset_document, quality_shown
    from party.catalogue import data_map
    from party.registrations import find

    output = begin(ctx, as_json)
    with opened(party) as here:
        registered, found = find(here, name), data_map(here, name)
    document = {**dataset_document(registered), "map": found.to_dict()}
    quality = ["", *quality_shown(registered.quality)] if registered.quality else []
    output.result(document, *map_shown(found), *quality)


@app.command(
    epilog=example(
        "commonground dataset check customers.yaml",
        "commonground dataset check customers --sample raw.csv --contract summer",
    )
)
def check(
    ctx: typer.Context,
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="FILE.yaml|NAME", help="A description, registered or not, or a dataset's name."
        ),
    ],
    sample: Annotated[
        Path | None,
        typer.Option(
            metavar="RAW.csv",
            help="Raw values of your own people, in columns named for their type (email, phone), "
            "to tell how your digests were made. The digests may stand beside them.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="XX", help="The region of national phone numbers in the sample."),
    ] = None,
    contract: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Compare the dataset's identifier types with this contract's, by its id or the "
            "first digits of its hash.",
        ),
    ] = None,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Find out why few of a dataset's people are found: formats, wrong digests, missing types.

    Nothing is changed and nothing is sent; files are read where they lie, and a sample is not
    kept. Counts are exact and for your eyes only. A description is checked without a party, unless
    it is compared with a contract. The exit code is 6 when something has to be corrected.
    """
    from client.checking import check as diagnose
    from client.checking import is_description
    from client.progress import watching_steps
    from client.render_diagnosis import diagnosis_shown
    from party.datasets import load_definition
    from party.diagnosis import check_dataset

    output = begin(ctx, as_json)
    if is_description(wanted) and contract is None:
        definition = load_definition(wanted)
        with watching_steps() as hook:
            found = check_dataset(
                definition, sample=sample, region=region, now=time.time(), hook=hook
            )
    else:
        with looked_at(party) as here, watching_steps() as hook:
            found = diagnose(
                here, wanted, sample=sample, region=region, contract=contract, hook=hook
            )
    output.result(found.to_dict(), *diagnosis_shown(found))
    if found.must_correct:
        raise typer.Exit(ExitCode.BAD_INPUT)


@app.command(
    epilog=example(
        "commonground dataset buckets --lowest 10 --highest 640",
        "commonground dataset buckets --lowest 5 --highest 900 --ratio 4 --refunds",
    )
)
def buckets(
    ctx: typer.Context,
    lowest: Annotated[
        str,
        typer.Option(
            metavar="NUMBER",
            help="The lowest bound above 0: not above the smallest basket, so that buyers count.",
        ),
    ],
    highest: Annotated[
        str,
        typer.Option(
            metavar="NUMBER", help="What the top bound reaches; larger values are cut to it."
        ),
    ],
    ratio: Annotated[
        str,
        typer.Option(
            metavar="NUMBER",
            help="Of each bound to the one below it. Larger: fewer labels and less noise, and more "
            "rounding.",
        ),
    ] = "2",
    refunds: Annotated[
        bool, typer.Option("--refunds", help="Give negative values a label of their own.")
    ] = False,
    people: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="How many matched people a sum will be about."),
    ] = 10_000,
    epsilon: Annotated[str, typer.Option(metavar="NUMBER", help="ε of the table.")] = "1",
    identifiers: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=64, help="The most that the tabulator sends for a person."
        ),
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Propose public bounds for value buckets, and say what they cost in accuracy.

    Nothing is read and nothing is spent: bounds stand in the contract, so they are made from public
    knowledge, and never from the data.
    """
    from client.bounds import propose_bounds
    from client.render_bounds import bounds_shown

    output = begin(ctx, as_json)
    proposed = propose_bounds(
        lowest, highest, ratio, refunds=refunds, people=people, epsilon=epsilon,
        identifiers=identifiers,
    )  # fmt: skip
    output.result({"bounds": [one.to_dict() for one in proposed]}, *bounds_shown(proposed))


@app.command(
    "top-bound",
    epilog=example(
        "commonground dataset top-bound customers --column amount --lowest 10 \\\n"
        "    --highest 100000 --share 0.99 --epsilon 0.1",
    ),
)
def top_bound(
    ctx: typer.Context,
    dataset: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The dataset.", autocompletion=offer_datasets),
    ],
    column: Annotated[
        str, typer.Option(metavar="NAME", help="The column of values, as the description has it.")
    ],
    lowest: Annotated[
        str, typer.Option(metavar="NUMBER", help="The lowest bound above 0: public.")
    ],
    highest: Annotated[
        str,
        typer.Option(
            metavar="NUMBER", help="The most that the top bound may be: public, generous."
        ),
    ],
    ratio: Annotated[
        str, typer.Option(metavar="NUMBER", help="Of each bound to the one below it.")
    ] = "2",
    share: Annotated[
        float,
        typer.Option(help="How many of the people with a value above 0 are to be within the top."),
    ] = 0.99,
    epsilon: Annotated[
        str, typer.Option(metavar="NUMBER", help="ε that your own people pay for it.")
    ] = "0.1",
    purpose: Annotated[
        str | None,
        typer.Option(
            metavar="dpv:…",
            help="Which people are counted: those who consent to it. Needed where the contract's "
            "tables have several purposes.",
        ),
    ] = None,
    contract: ContractName = None,
    refunds: Annotated[
        bool, typer.Option("--refunds", help="Give negative values a label of their own.")
    ] = False,
    party: PartyFolder = None,
    as_json: AsJson = False,
) -> None:
    """Choose the top bound by your own data, with noise, and charge it to your budget.

    For where public knowledge does not say how large values are. People are counted by public
    bounds, the counts get noise, and the smallest bound that holds the share becomes the top. The
    charge is made first; asking again is charged again.
    """
    from client.bounds import take_top_bound
    from client.render_bounds import top_bound_shown

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = take_top_bound(
            here, dataset, column, lowest, highest, ratio, share=share, epsilon=epsilon,
            purpose=purpose, contract=contract, refunds=refunds, actor=OPERATOR,
        )  # fmt: skip
    output.result(found.to_dict(), *top_bound_shown(found))


@app.command("top-bounds", epilog=example("commonground dataset top-bounds --json"))
def top_bounds(ctx: typer.Context, party: PartyFolder = None, as_json: AsJson = False) -> None:
    """Show the top bounds that were taken from your data, and what each has cost; this is free."""
    from client.render_bounds import bounds_taken
    from party.top_bound import taken

    output = begin(ctx, as_json)
    with opened(party) as here:
        found = taken(here)
    output.result({"top_bounds": [one.to_dict() for one in found]}, *bounds_taken(found))
