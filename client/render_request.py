"""Requests as people read them: what is asked, by whom, how it stands, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from client.units import shown_time
from party.contract_terms import ListUse, OutputKind
from party.datasets import BoundStep
from party.decision import FINISHED
from party.filing import APPROVED, PENDING, Filed
from party.request import LabelList, Request
from party.request_parameters import Parameters
from privacy.units import format_delta, format_epsilon

MOST_VALUES = 8
_HOUR, _MINUTE = 3_600, 60


def request_document(filed: Filed) -> dict[str, Any]:
    """Return a request as JSON values."""
    return {
        "id": filed.request.id,
        "kind": str(filed.request.kind),
        "mine": filed.mine,
        "peers": [
            {"party": peer, "word": word}
            for peer, word in zip(filed.peers, filed.words, strict=True)
        ],
        "state": filed.state,
        "status": filed.status,
        "reason": filed.reason,
        "created_at": filed.created_at,
        "updated_at": filed.updated_at,
        "request": filed.request.to_json(),
    }


def requests_shown(filed: Sequence[Filed], left_out: int) -> list[RenderableType]:
    """Return a line for each request, and how many others are left out."""
    if not filed:
        return ["There are no requests."]
    table = Table("id", "what", "asked by", "roles", "state", "since", "next")
    for one in filed:
        roles = ", ".join(f"{party}: {role}" for role, party in one.request.roles.items())
        asker = "you" if one.mine else one.request.requester
        table.add_row(
            one.request.id[:8],
            str(one.request.kind),
            asker,
            roles,
            _state(one),
            shown_time(one.updated_at),
            next_step(one),
        )
    more = [f"Ended requests before these: {left_out:,}; --last shows more."] if left_out else []
    return [table, *more]


def request_shown(filed: Filed) -> list[RenderableType]:
    """Return all that a person needs to decide on a request."""
    request = filed.request
    table = Table.grid(padding=(0, 2))
    for role, party in request.roles.items():
        label = _label(request.labels[party])
        table.add_row(f"  {role}", party, f"dataset {request.datasets[party]}", label)
    parameters = request.parameters
    lines: list[RenderableType] = [
        f"Request {request.id}: {request.kind}, asked by {request.requester}, {_state(filed)}",
        table,
        f"  under contract {request.contract[:12]}…, for {request.purpose}{_use(request)}",
        f"  identifiers: {', '.join(request.identifiers)}",
        f"  ε of the table {format_epsilon(parameters.epsilon_release_nano)}, of dummies "
        f"{format_epsilon(parameters.epsilon_dummies_nano)}, δ "
        f"{format_delta(parameters.delta_dummies_e15)}, {parameters.known_answers} known answers "
        "a label",
        *_moments(parameters),
        f"  made {shown_time(request.created)}, lapses {shown_time(request.expires)}",
    ]
    if filed.reason:
        lines.append(f"  {filed.status}: {filed.reason}")
    step = next_step(filed)
    return [*lines, f"Next: {step}"] if step else lines


def steps_shown(steps: Sequence[BoundStep]) -> list[RenderableType]:
    """Return what each bound and rule left of this party's rows, or nothing without any."""
    if not steps:
        return []
    table = Table("step", title="What this party brought", title_justify="left")
    for heading in ("before", "after"):
        table.add_column(heading, justify="right")
    for step in steps:
        table.add_row(step.name, f"{step.before:,}", f"{step.after:,}")
    return [table, "For your eyes only: the counts are exact."]


def next_step(filed: Filed) -> str:
    """Say what can be typed next, or nothing."""
    name = filed.request.id[:8]
    if filed.state == PENDING:
        return f"requests approve {name}, or refuse"
    if filed.state == APPROVED:
        return f"requests resume {name}"
    return f"report show {name}" if filed.state == FINISHED else ""


def _state(filed: Filed) -> str:
    state = f"{filed.state} ({filed.status})" if filed.status else filed.state
    return f"{state}, not yet by {' and '.join(filed.awaited)}" if filed.awaited else state


def _moments(parameters: Parameters) -> list[str]:
    """Say which conversions are counted and what bounds them, where records are moments."""
    timing = parameters.timing
    if timing is None:
        return []
    window = timing.window
    hours = timing.lookback * window.slot_seconds / _HOUR
    people = timing.epsilon_people_nano
    stated = f"; ε of people by coalition {format_epsilon(people)}" if people else ""
    return [
        f"  conversions from {shown_time(window.start)} to {shown_time(window.stop)}, in slots of "
        f"{window.slot_seconds // _MINUTE} minutes, with touches of {hours:g} hours before",
        f"  at most {parameters.records_per_person} conversions and {timing.most_keys:,} keys a "
        f"person, room for {timing.room:,} conversions a label{stated}",
    ]


def _use(request: Request) -> str:
    """Say what the list of a match is for."""
    if request.kind is not OutputKind.MATCH:
        return ""
    return f"; the list is to {request.use or ListUse.INCLUDE}"


def _label(label: LabelList) -> str:
    if label.name is None:
        return "no label"
    more = len(label.values) - MOST_VALUES
    values = ", ".join(label.values[:MOST_VALUES]) + (f" and {more} more" if more > 0 else "")
    return f"by {label.name}: {values}"
