"""What a page says in sentences: what to know, how the numbers were made, where to look it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from client.page.glossary import STEPS
from client.page.source import Source
from client.page.wording import Said, Standing
from languages import ENGLISH, Language, messages
from party.contract_terms import OutputKind
from party.datasets.traffic import STEP
from party.request import LabelList, Request
from party.request_parameters import Parameters
from privacy.units import format_delta, format_epsilon
from psi.legs import RECIPIENT, TABULATOR, THIRD
from reports.estimate import grown
from reports.rendering import PRIVATE, Rendering

_HOUR, _MINUTE = 3_600, 60


def findings_of(rendering: Rendering, said: Sequence[Said], _: Language = ENGLISH) -> list[str]:
    """Return what a reader has to know: notes, what is hidden, and where noise dominates."""
    hidden = [one for one in said if one.standing is Standing.SUPPRESSED]
    open_ = [one for one in said if one.standing is Standing.NOISY]
    unclear = [one for one in open_ if one.row.estimate.signed]
    noisy = [one for one in open_ if not one.row.estimate.signed]
    odd = [one for one in said if one.row.inconsistent and one not in hidden]
    found = [_(note) for note in rendering.notes()]
    if hidden:
        sentence = messages(
            "{number} number is suppressed: too few people, or too much noise, to be shown, or a "
            "number that rests on one that is. It does not mean 0. Totals include what is "
            "suppressed.",
            "{number} numbers are suppressed: too few people, or too much noise, to be shown, or a "
            "number that rests on one that is. It does not mean 0. Totals include what is "
            "suppressed.",
            len(hidden),
        )
        found.append(_(sentence) + _remedy(hidden, _))
    if noisy:
        sentence = messages(
            "Noise dominates {number} number: the error is above the number.",
            "Noise dominates {number} numbers: the error is above the number.",
            len(noisy),
        )
        found.append(_(sentence) + _remedy(noisy, _))
    if unclear:
        sentence = messages(
            "{number} difference is not clear: the interval includes 0.",
            "{number} differences are not clear: the interval includes 0.",
            len(unclear),
        )
        found.append(_(sentence))
    if odd:
        sentence = messages(
            "{number} number does not fit the others within the noise: look into it.",
            "{number} numbers do not fit the others within the noise: look into it.",
            len(odd),
        )
        found.append(_(sentence))
    return found


def method_of(
    rendering: Rendering, sources: Sequence[Source], owner: str, _: Language = ENGLISH
) -> list[str]:
    """Return how the numbers came about, for readers who have never heard of the protocol.

    What stands here of `owner`'s own rows is exact on a private page, and names alone on another.
    """
    request = sources[0].request
    parameters = request.parameters
    identifiers = dict.fromkeys(kind for one in sources for kind in one.request.identifiers)
    smallest = {table["parameters"]["min_cell"] for table in _tables(rendering)}
    return [
        *_compared(request, _),
        *_of_moments(parameters, _),
        *_left_out(rendering, sources, owner, _),
        _("Identifiers: {identifiers}.", identifiers=", ".join(identifiers))
        + _.space
        + _counted(request, _),
        _(
            "Random noise of a known law was added to every cell, so that the numbers tell little "
            "about whether a certain person is in them; ε and δ bound how much. ε of a table is "
            "{release}, of dummies and sizes {dummies}, δ {delta}. Smaller values protect more and "
            "blur more.",
            release=format_epsilon(parameters.epsilon_release_nano),
            dummies=format_epsilon(parameters.epsilon_dummies_nano),
            delta=format_delta(parameters.delta_dummies_e15),
        ),
        _(
            "Counts are unbiased. Standard error and 95% interval come from the law of the noise; "
            "those of ratios are approximations. They cover the noise, and not what the data lack: "
            "people without consent, without an identifier, or with one that does not match. "
            "Intervals are cut off at 0; a number that noise has pushed below 0 is shown as “0 "
            "(noise)”."
        )
        + _of_differences(request, _),
        _(
            "A cell is suppressed below {smallest} people, the contract's minimum, or below three "
            "standard errors, whichever is more. Totals are sums of the raw table, suppressed "
            "cells included.",
            smallest=_(" or ").join(str(one) for one in sorted(smallest)),
        ),
        _of_kind(rendering, _),
    ]


def _of_kind(rendering: Rendering, _: Language) -> str:
    if rendering.kind == PRIVATE:
        return _(
            "This is the recipient's own reading: its dummies are subtracted, so it is more exact "
            "than what may be passed on, and the two differ a little in value and in error."
        )
    return _(
        "This is the reading that may be passed on: a function of the released table and of public "
        "parameters alone. The recipient's own reading is more exact and stays with it, so the two "
        "differ a little in value and in error."
    )


def _compared(request: Request, _: Language) -> list[str]:
    third = request.roles.get(THIRD)
    names = {"tabulator": request.roles[TABULATOR], "recipient": request.roles[RECIPIENT]}
    if third is None:
        met = _(
            "{recipient} and {tabulator} compared their people without showing each other a row. "
            "{tabulator} counted, {recipient} received the table.",
            **names,
        )
    else:
        met = _(
            "{recipient}, {tabulator} and {third} compared their people without showing each other "
            "a row. {third} lent its labels and received nothing. {tabulator} counted, {recipient} "
            "received the table.",
            third=third,
            **names,
        )
    consent = _(
        "People without consent for {purpose} were left out by each side before anything was "
        "derived from them.",
        purpose=request.purpose,
    )
    most = messages(
        "A person counts at most once.",
        "A person counts at most {number} times.",
        request.parameters.records_per_person,
    )
    return [_.space.join((met, consent, _(most)))]


def _counted(request: Request, _: Language) -> str:
    if THIRD in request.roles:
        return _("Each party sends one identifier a person, so people are those who have one.")
    if request.kind is OutputKind.LIFT:
        return _(
            "Each side sends one identifier a person, so an arm's people are those who have one."
        )
    return _("A number counts people as the recipient's data have them.")


def _of_differences(request: Request, _: Language) -> str:
    if request.kind is not OutputKind.LIFT:
        return ""
    return _.space + _(
        "Rates, differences and what is computed from them have intervals that cover the chance "
        "in who converts as well (Wilson's, with the noise in it, put together by Newcombe's "
        "method), and a difference may be below 0. The p-value belongs to the same intervals."
    )


def _of_moments(parameters: Parameters, _: Language) -> list[str]:
    """Return how conversions met touches, where records are moments."""
    timing = parameters.timing
    if timing is None:
        return []
    window = timing.window
    start, stop = (datetime.fromtimestamp(one, UTC) for one in (window.start, window.stop))
    return [
        _(
            "Conversions are those from {start} up to {stop}, the first {most} of a person. Each "
            "met what touches of the last {hours} hours had produced by its slot of {minutes} "
            "minutes; neither side saw the other's times.",
            start=_.moment(start),
            stop=_.moment(stop),
            most=parameters.records_per_person,
            hours=f"{timing.lookback * window.slot_seconds / _HOUR:g}",
            minutes=window.slot_seconds // _MINUTE,
        )
    ]


def reference_of(source: Source, _: Language = ENGLISH) -> list[tuple[str, str]]:
    """Return where the logs tell of a request, as (name, value)."""
    request = source.request
    labels = {party: _label(one, _) for party, one in request.labels.items()}
    asked = _(
        "{id} ({kind}, asked by {party})",
        id=request.id,
        kind=request.kind.value,
        party=request.requester,
    )
    datasets = (
        _("{dataset} of {party}", dataset=name, party=one) for one, name in request.datasets.items()
    )
    entry = _(
        "{entry} of {log} (session.finished, {moment})",
        entry=source.entry,
        log=source.log,
        moment=source.finished,
    )
    return [
        (_("Request"), asked),
        (_("Identifiers"), ", ".join(request.identifiers)),
        (_("Datasets"), "; ".join(datasets)),
        (_("Labels"), "; ".join(f"{party}: {label}" for party, label in labels.items())),
        (_("Request digest"), f"sha256:{request.digest}"),
        (_("Contract"), source.contract),
        (_("Contract digest"), f"sha256:{request.contract}"),
        (_("Session"), source.session),
        (_("Transcript"), f"sha256:{source.transcript}"),
        (_("Log entry"), entry),
    ]


def _left_out(
    rendering: Rendering, sources: Sequence[Source], owner: str, _: Language
) -> list[str]:
    """Return what left before anything was counted; on a private page with rows before and after.

    The rules stand in the description of the dataset, so their names tell nothing of its rows.
    """
    if rendering.kind == PRIVATE:
        return [
            _(
                "What {owner} brought ({identifiers}), step by step, exact: {steps}.",
                owner=owner,
                identifiers=", ".join(source.request.identifiers),
                steps=_("; ").join(
                    f"{STEPS.said(one.name, _)} {_.number(one.before)} → {_.number(one.after)}"
                    for one in source.steps
                ),
            )
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
        _(
            "Events of {owner} that are invalid traffic by its rules left before anything was "
            "counted: {rules}.",
            owner=owner,
            rules=", ".join(STEPS.said(name, _) for name in names),
        )
    ]


def _tables(rendering: Rendering) -> list[Mapping[str, Any]]:
    evidence = rendering.evidence()
    if "tables" in evidence:
        return list(evidence["tables"].values())
    return [evidence["table"]]


def _label(label: LabelList, _: Language) -> str:
    if label.name is None:
        return _("none")
    return _("{label} ({count} values)", label=label.name, count=len(label.values))


def _remedy(numbers: Sequence[Said], _: Language) -> str:
    factors = [one.row.estimate.epsilon_factor for one in numbers]
    known = [factor for factor in factors if factor is not None]
    if not known:
        return ""
    return _.space + _(
        "ε, or the number of people, would have to be at least {factor} times as large.",
        factor=grown(min(known)),
    )
