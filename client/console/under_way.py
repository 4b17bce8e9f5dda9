"""What a request is at, for whoever looks: what it waits for or does, and what can be done.

It may be carried here, by `commonground serve` or by a command: what another process does is read
from the lock that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from client.console.running import Run, Runner
from client.page.glossary import Glossary
from client.request_words import state_in_words, who_begins
from client.units import shown_seconds
from languages import Language, message
from party.desk import Desk
from party.dialling import DialledBy, dialled_by
from party.doing import Doing
from party.filing import APPROVED, PENDING, Filed
from party.occupied import said_of
from party.organisation import Organisation

PHASES = Glossary(
    (
        message("reading and preparing the data"),
        message("reading its own data"),
        message("blinding own set"),
        message("raising the {party}'s set"),
        message("greeting"),
        message("commitment"),
        message("nonce"),
        message("account of the steps"),
        message("transcript"),
        message("checkpoint"),
        message("cosignature"),
        message("receipt of step {number}"),
        message("step {number}"),
    )
)


@dataclass(frozen=True)
class Now:
    """How a request stands at this moment.

    `moving` is whether it may be different in a second; `done` of `total` points is how far a phase
    is, where it is counted. `here` is whether this console carries it. `begins` is what has to
    happen first, and who does it, where nothing happens.
    """

    said: str
    moving: bool
    here: bool
    done: int = 0
    total: int = 0
    left: str = ""
    begins: str = ""


def looked_at(party: Organisation, runner: Runner, filed: Filed, _: Language) -> tuple[Filed, Now]:
    """Return a request as it is now, and what it is at.

    One that was approved and that nobody carries may have ended since it was read: it is read
    again, so that no end is shown as a rest.
    """
    run = runner.run_of(filed.id)
    if filed.state != PENDING and run is not None:
        return filed, _carried(party, run, filed, _)
    if filed.state == APPROVED:
        text = said_of(party.folder, filed.id)
        if text is not None:
            return filed, Now(_doing(Doing.read(text), _), moving=True, here=False)
        filed = Desk(party).find(filed.id)
    if filed.state == APPROVED:
        return filed, _resting(party, runner, filed, _)
    return filed, Now(state_in_words(filed, _), moving=False, here=False)


def _resting(party: Organisation, runner: Runner, filed: Filed, _: Language) -> Now:
    """Return what a request is at that was approved and that nobody carries."""
    state = state_in_words(filed, _)
    why = runner.said_of(filed.id)
    if why:
        state = _("suspended: {why}", why=why)
    elif filed.mine and not filed.awaited:
        state = _("suspended; nobody carries it on now")
    contract = party.contract(filed.request.contract)
    by = dialled_by(party, contract, filed)
    begins = "" if filed.awaited else who_begins(by, filed, contract, _)
    comes = not filed.mine and by is DialledBy.THERE
    return Now(state, moving=comes, here=False, begins=begins)


def _carried(party: Organisation, run: Run, filed: Filed, _: Language) -> Now:
    phase = run.phase
    if phase is not None and phase.total and phase.done < phase.total:
        left = phase.left
        return Now(
            PHASES.said(phase.name, _),
            moving=True,
            here=True,
            done=phase.done,
            total=phase.total,
            left="" if left is None else _("{time} left", time=shown_seconds(left)),
        )
    text = said_of(party.folder, filed.id)
    if text is not None:
        return Now(_doing(Doing.read(text), _), moving=True, here=True)
    if filed.awaited:
        return Now(state_in_words(filed, _), moving=True, here=True)
    return Now(run.said or _("begins"), moving=True, here=True)


def _doing(doing: Doing | None, _: Language) -> str:
    if doing is None:
        return _("is carried out")
    what = PHASES.said(doing.what, _)
    if doing.waits_for is None:
        return what
    return _("waits for {party}: {what}", party=doing.waits_for, what=what)
