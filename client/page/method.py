"""What a page says in sentences: what to know, how the numbers were made, where to look it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from client.page.source import Source
from client.page.wording import Said, Standing
from client.units import shown_time
from party.contract_terms import OutputKind
from party.datasets.traffic import STEP
from party.request import LabelList, Request
from party.request_parameters import Parameters
from privacy.units import format_delta, format_epsilon
from psi.legs import RECIPIENT, TABULATOR, THIRD
from reports.estimate import grown
from reports.rendering import PRIVATE, Rendering

_HOUR, _MINUTE = 3_600, 60
_SHAREABLE = (
    "This is the reading that may be passed on: a function of the released table and of public "
    "parameters alone. The recipient's own reading is more exact and stays with it, so the two "
    "differ a little in value and in error."
)
_PRIVATE = (
    "This is the recipient's own reading: its dummies are subtracted, so it is more exact than "
    "what may be passed on, and the two differ a little in value and in error."
)


def findings_of(rendering: Rendering, said: Sequence[Said]) -> list[str]:
    """Return what a reader has to know: notes, what is hidden, and where noise dominates."""
    hidden = [one for one in said if one.standing is Standing.SUPPRESSED]
    open_ = [one for one in said if one.standing is Standing.NOISY]
    unclear = [one for one in open_ if one.row.estimate.signed]
    noisy = [one for one in open_ if not one.row.estimate.signed]
    odd = [one for one in said if one.row.inconsistent and one not in hidden]
    found = list(rendering.notes())
    if hidden:
        found.append(
            f"{_count(hidden, 'number is', 'numbers are')} suppressed: too few people, or too much "
            "noise, to be shown, or a number that rests on one that is. It does not mean 0. Totals "
            f"include what is suppressed.{_remedy(hidden)}"
        )
    if noisy:
        found.append(
            f"Noise dominates {_count(noisy, 'number', 'numbers')}: the error is above the number."
            f"{_remedy(noisy)}"
        )
    if unclear:
        found.append(
            f"{_count(unclear, 'difference is', 'differences are')} not clear: the interval "
            "includes 0."
        )
    if odd:
        found.append(
            f"{_count(odd, 'number does', 'numbers do')} not fit the others within the noise: "
            "look into it."
        )
    return found


def method_of(rendering: Rendering, sources: Sequence[Source], owner: str) -> list[str]:
    """Return how the numbers came about, for readers who have never heard of the protocol.

    What stands here of `owner`'s own rows is exact on a private page, and names alone on another.
    """
    request = sources[0].request
    tabulator, recipient = request.roles[TABULATOR], request.roles[RECIPIENT]
    parameters = request.parameters
    identifiers = dict.fromkeys(kind for one in sources for kind in one.request.identifiers)
    smallest = {table["parameters"]["min_cell"] for table in _tables(rendering)}
    return [
        f"{_compared(request)} {tabulator} counted, {recipient} received the table. "
        f"People without consent for {request.purpose} were left out by each side before anything "
        f"was derived from them. A person counts at most {_times(parameters.records_per_person)}.",
        *_of_moments(parameters),
        *_left_out(rendering, sources, owner),
        f"Identifiers: {', '.join(identifiers)}. {_counted(request)}",
        "Random noise of a known law was added to every cell, so that the numbers tell little "
        "about whether a certain person is in them; ε and δ bound how much. ε of a table is "
        f"{format_epsilon(parameters.epsilon_release_nano)}, of dummies and sizes "
        f"{format_epsilon(parameters.epsilon_dummies_nano)}, δ "
        f"{format_delta(parameters.delta_dummies_e15)}. Smaller values protect more and blur more.",
        "Counts are unbiased. Standard error and 95% interval come from the law of the noise; "
        "those of ratios are approximations. They cover the noise, and not what the data lack: "
        "people without consent, without "
        "an identifier, or with one that does not match. Intervals are cut off at 0; a number that "
        f"noise has pushed below 0 is shown as “0 (noise)”.{_of_differences(request)}",
        "A cell is suppressed below "
        f"{' or '.join(str(one) for one in sorted(smallest))} people, the contract's minimum, or "
        "below three standard errors, whichever is more. Totals are sums of the raw table, "
        "suppressed cells included.",
        _PRIVATE if rendering.kind == PRIVATE else _SHAREABLE,
    ]


def _compared(request: Request) -> str:
    tabulator, recipient = request.roles[TABULATOR], request.roles[RECIPIENT]
    third = request.roles.get(THIRD)
    if third is None:
        return (
            f"{recipient} and {tabulator} compared their people without showing each other a row."
        )
    return (
        f"{recipient}, {tabulator} and {third} compared their people without showing each other a "
        f"row. {third} lent its labels and received nothing."
    )


def _counted(request: Request) -> str:
    if THIRD in request.roles:
        return "Each party sends one identifier a person, so people are those who have one."
    if request.kind is OutputKind.LIFT:
        return "Each side sends one identifier a person, so an arm's people are those who have one."
    return "A number counts people as the recipient's data have them."


def _of_differences(request: Request) -> str:
    if request.kind is not OutputKind.LIFT:
        return ""
    return (
        " Rates, differences and what is computed from them have intervals that cover the chance "
        "in who converts as well (Wilson's, with the noise in it, put together by Newcombe's "
        "method), and a difference may be below 0. The p-value belongs to the same intervals."
    )


def _of_moments(parameters: Parameters) -> list[str]:
    """Return how conversions met touches, where records are moments."""
    timing = parameters.timing
    if timing is None:
        return []
    window = timing.window
    hours = timing.lookback * window.slot_seconds / _HOUR
    return [
        f"Conversions are those from {shown_time(window.start)} up to {shown_time(window.stop)}, "
        f"the first {parameters.records_per_person} of a person. Each met what touches of the "
        f"last {hours:g} hours had produced by its slot of {window.slot_seconds // _MINUTE} "
        "minutes; neither side saw the other's times."
    ]


def reference_of(source: Source) -> list[tuple[str, str]]:
    """Return where the logs tell of a request, as (name, value)."""
    request = source.request
    labels = {party: _label(one) for party, one in request.labels.items()}
    return [
        ("Request", f"{request.id} ({request.kind}, asked by {request.requester})"),
        ("Identifiers", ", ".join(request.identifiers)),
        ("Datasets", "; ".join(f"{name} of {one}" for one, name in request.datasets.items())),
        ("Labels", "; ".join(f"{party}: {label}" for party, label in labels.items())),
        ("Request digest", f"sha256:{request.digest}"),
        ("Contract", source.contract),
        ("Contract digest", f"sha256:{request.contract}"),
        ("Session", source.session),
        ("Transcript", f"sha256:{source.transcript}"),
        ("Log entry", f"{source.entry} of {source.log} (session.finished, {source.finished})"),
    ]


def _left_out(rendering: Rendering, sources: Sequence[Source], owner: str) -> list[str]:
    """Return what left before anything was counted; on a private page with rows before and after.

    The rules stand in the description of the dataset, so their names tell nothing of its rows.
    """
    if rendering.kind == PRIVATE:
        return [
            f"What {owner} brought ({', '.join(source.request.identifiers)}), step by step, exact: "
            + "; ".join(f"{one.name} {one.before:,} → {one.after:,}" for one in source.steps)
            + "."
            for source in sources
            if source.steps
        ]
    names = dict.fromkeys(
        step.name.removeprefix(STEP)
        for source in sources
        for step in source.steps
        if step.name.startswith(STEP)
    )
    if not names:
        return []
    return [
        f"Events of {owner} that are invalid traffic by its rules left before anything was "
        f"counted: {', '.join(names)}."
    ]


def _tables(rendering: Rendering) -> list[Mapping[str, Any]]:
    evidence = rendering.evidence()
    if "tables" in evidence:
        return list(evidence["tables"].values())
    return [evidence["table"]]


def _label(label: LabelList) -> str:
    return "none" if label.name is None else f"{label.name} ({len(label.values)} values)"


def _times(bound: int) -> str:
    return "once" if bound == 1 else f"{bound} times"


def _count(numbers: Sequence[Said], one: str, many: str) -> str:
    return f"{len(numbers)} {one if len(numbers) == 1 else many}"


def _remedy(numbers: Sequence[Said]) -> str:
    factors = [one.row.estimate.epsilon_factor for one in numbers]
    known = [factor for factor in factors if factor is not None]
    if not known:
        return ""
    enough = grown(min(known))
    return f" ε, or the number of people, would have to be at least {enough} times as large."
