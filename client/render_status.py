"""How a party stands, as one screen and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from audit.deadlines import Overdue
from client.render_keys import revoked_document, revoked_shown
from client.render_request import next_step
from client.units import shown_time
from party.certificate_ends import certificate_warnings
from party.contract import Contract
from party.dialling import dials
from party.errors import ContractError
from party.filing import Filed
from party.ledger import Balance
from party.organisation import Organisation
from party.series import Series
from party.standing import KeptList, OpenSession, Standing
from privacy.units import format_delta, format_epsilon
from psi import curve


def status_document(party: Organisation, standing: Standing) -> dict[str, Any]:
    """Return all of it as JSON values; times are Unix seconds, ε and δ decimal text."""
    cosigned = standing.cosigned
    return {
        "party": party.identity.name,
        "organisation": party.settings.organisation,
        "folder": str(party.folder),
        "fingerprint": party.identity.fingerprint,
        "listens_at": standing.listens_at,
        "contracts": [
            {
                "contract": one.id,
                "with": list(one.counterparts(one.me(party.identity))),
                "state": one.standing(standing.now),
                "ends": one.ends,
            }
            for one in standing.contracts
        ],
        "waiting_here": [_request(one) for one in standing.waiting_here],
        "waiting_there": [_request(one) for one in standing.waiting_there],
        "sessions": [
            {
                "request": one.request,
                "peers": list(one.peers),
                "kind": one.kind,
                "since": one.since,
                "state": _session_state(one),
                **_awaited(party, standing, one),
            }
            for one in standing.sessions
        ],
        "budgets": [
            {
                "population": one.account.population,
                "coalition": one.account.coalition,
                "left": dict(zip(("epsilon", "delta"), _left(one), strict=True)),
                "renews_at": one.renews_at,
            }
            for one in standing.budgets
        ],
        "schedules": [
            {
                "template": one.name,
                "every": one.schedule.every.value,
                "next_run": one.next_run.slot if one.next_run else None,
                "due": _is_due(one, standing.now),
                "runs_left": one.runs_left,
                "held": {
                    "epsilon": format_epsilon(one.held.epsilon_nano),
                    "delta": format_delta(one.held.delta_e15),
                },
            }
            for one in standing.schedules
        ],
        "lists": [
            {
                "request": one.request,
                "name": one.name,
                "use": one.use,
                "peer": one.peer,
                "expires_at": one.expires_at,
            }
            for one in standing.lists
        ],
        "suppressions": [
            {
                "request": one.request,
                "peer": one.recipient,
                "due_at": one.due_at,
                "overdue": one.due_at < standing.now,
            }
            for one in standing.owed_runs
        ],
        "log": {
            "size": standing.log_size,
            "cosigned": None
            if cosigned is None
            else {"size": cosigned.size, "by": cosigned.cosigner, "time": cosigned.time},
        },
        "certificate_ends": party.identity.certificate.not_after,
        "certificates": [
            {"peer": one.peer, "ends": one.ends, "warning": one.sentence}
            for one in certificate_warnings(party)
        ],
        "revoked": revoked_document(party),
        "engine": curve.engine().name,
        "workers": party.settings.worker_count,
    }


def status_shown(party: Organisation, standing: Standing) -> RenderableType:
    """Return one screen: a word for each thing, then what there is of it."""
    screen = Table.grid(padding=(0, 2))
    for word, lines in (
        ("party", [f"{party.identity.name} of {party.settings.organisation}"]),
        ("listens", [_listens(party, standing)]),
        ("contracts", _contracts(standing.contracts, party, standing.now)),
        ("waits for you", _waiting(standing.waiting_here)),
        ("waits there", _waiting(standing.waiting_there)),
        ("sessions", [_session(party, standing, one) for one in standing.sessions]),
        ("budgets left", [_budget(one) for one in standing.budgets]),
        ("schedules", [_schedule(one, standing.now) for one in standing.schedules]),
        ("lists", [_list(one) for one in standing.lists]),
        ("withdrawals", [_owed(one, standing.now) for one in standing.owed_runs]),
        ("log", [_log(standing)]),
        ("certificate", _certificates(party)),
        ("engine", [f"{curve.engine().name}, {party.settings.worker_count} workers"]),
        *(("revoked", [line]) for line in revoked_shown(party)),
    ):  # fmt: skip
        for number, line in enumerate(lines or ["none"]):
            screen.add_row("" if number else word, line)
    return screen


def _certificates(party: Organisation) -> list[str]:
    """Return until when the own one serves, and what to do about those that end soon."""
    until = f"until {shown_time(party.identity.certificate.not_after)}"
    return [until, *(one.sentence for one in certificate_warnings(party))]


def _request(filed: Filed) -> dict[str, Any]:
    return {
        "request": filed.request.id,
        "peers": list(filed.peers),
        "awaited": list(filed.awaited),
        "kind": str(filed.request.kind),
        "since": filed.updated_at,
    }


def _left(balance: Balance) -> tuple[str, str]:
    epsilon_nano, delta_e15 = balance.left
    return format_epsilon(epsilon_nano), format_delta(delta_e15)


def _listens(party: Organisation, standing: Standing) -> str:
    if standing.listens_at is not None:
        return f"at {standing.listens_at}"
    return f"no; `commonground serve` would, at {party.settings.listen}"


def _contracts(contracts: Sequence[Contract], party: Organisation, now: int) -> list[str]:
    return [
        f"{one.id} with {', '.join(one.counterparts(one.me(party.identity)))}, "
        f"{one.standing(now)}, ends {shown_time(one.ends)}"
        for one in contracts
    ]


def _waiting(filed: Sequence[Filed]) -> list[str]:
    return [
        f"{one.request.kind} with {', '.join(one.peers)} since {shown_time(one.updated_at)}"
        f"{_unheard(one)}: {next_step(one)}"
        for one in filed
    ]


def _unheard(filed: Filed) -> str:
    return f", not yet approved by {' and '.join(filed.awaited)}" if filed.awaited else ""


def _session_state(session: OpenSession) -> str:
    return "running" if session.runs else "suspended"


def _awaited(party: Organisation, standing: Standing, session: OpenSession) -> dict[str, Any]:
    """Return for whom a session waits, for what and since when; nobody where it works itself."""
    doing = session.doing
    if doing is not None:
        return {"waits_for": doing.waits_for, "what": doing.what, "what_since": doing.since}
    if session.runs:
        return {"waits_for": None, "what": "starting", "what_since": session.since}
    ours = _resumed_here(party, session) and standing.listens_at is None
    waits_for = party.identity.name if ours else session.peers[0]
    return {"waits_for": waits_for, "what": "resuming", "what_since": session.rests_since}


def _resumed_here(party: Organisation, session: OpenSession) -> bool:
    """Say whether it is this party that dials, and so goes on with a suspended session."""
    try:
        return dials(party, party.contract(session.filed.request.contract), session.filed)
    except ContractError:
        return True


def _session(party: Organisation, standing: Standing, session: OpenSession) -> str:
    name, awaited = _short(session.request), _awaited(party, standing, session)
    line = f"{name}, {session.kind} with {', '.join(session.peers)}, {_session_state(session)}"
    since = shown_time(awaited["what_since"])
    if session.runs:
        what = f"{awaited['what']}, since {since}"
        waits = awaited["waits_for"]
        return f"{line}: {what}" if waits is None else f"{line}, waits for {waits}: {what}"
    if not _resumed_here(party, session):
        return f"{line} since {since}, waits for {awaited['waits_for']} to dial again"
    if standing.listens_at is None:
        return f"{line} since {since}, waits for you: requests resume {name}"
    return f"{line} since {since}, waits for {awaited['waits_for']}: `serve` tries again"


def _is_due(series: Series, now: int) -> bool:
    return series.next_run is not None and series.next_run.slot <= now


def _schedule(series: Series, now: int) -> str:
    at = "" if series.next_run is None else shown_time(series.next_run.slot)
    when = f"due since {at}: report due" if _is_due(series, now) else f"next {at}"
    return (
        f"{series.name}, every {series.schedule.every.value}, {when}; {series.runs_left} runs "
        f"left, which hold ε {format_epsilon(series.held.epsilon_nano)}, "
        f"δ {format_delta(series.held.delta_e15)}"
    )


def _list(kept: KeptList) -> str:
    title = kept.name or _short(kept.request)
    return f"{title}, to {kept.use}, with {kept.peer}; ends {shown_time(kept.expires_at)}"


def _owed(owed: Overdue, now: int) -> str:
    """Say which list has to lose people, and whether its time is over."""
    late = "overdue since" if owed.due_at < now else "due by"
    name = _short(owed.request)
    return f"list {name} with {owed.recipient}, {late} {shown_time(owed.due_at)}: suppress {name}"


def _budget(balance: Balance) -> str:
    epsilon, delta = _left(balance)
    return (
        f"{balance.account.population} towards {balance.account.coalition}: ε {epsilon}, "
        f"δ {delta}; renews {shown_time(balance.renews_at)}"
    )


def _log(standing: Standing) -> str:
    if standing.cosigned is None:
        return f"{standing.log_size} entries, cosigned by nobody yet"
    cosigned = standing.cosigned
    return (
        f"{standing.log_size} entries; {cosigned.cosigner} cosigned the first {cosigned.size} "
        f"on {shown_time(cosigned.time)}"
    )


def _short(request_id: str) -> str:
    return request_id[:8]
