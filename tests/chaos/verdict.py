"""What the parties of a play have in the end, and which promises that keeps or breaks.

`look` reads one party's folder; `judge` holds the looks of all against each other. What a match
has to find is said by plain sets (tests/e2e/known_people), with no code of the product.
"""

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cast import ASKER
from known_people import reference
from two_processes import true_match, true_reach

from audit.entry import Entry
from audit.errors import AuditError
from party.desk import Desk
from party.errors import PartyError
from party.evidence import StoredLog, compare_all_logs
from party.list_files import read_list
from party.organisation import Organisation
from party.schema import LEDGER, LOG_ENTRIES, STEPS

BROKEN = ("diverged", "double_charged", "uncharged_release", "partial_output", "logs_unverified")
STRAY = 6
"""How far a count with ε 20 may lie from the truth: beyond it once in 10⁵ counts."""


@dataclass(frozen=True)
class Look:
    """One party's side of one request.

    `charges` are its rows in the ledger and `spent` its entries about them; `left` says whether
    anything that depends on people has left; `result` is the stored one, or None; `files` are what
    lies in its folder of lists; `problem` says what is wrong with a result that is there.
    """

    state: str
    status: str | None
    charges: tuple[str, ...]
    spent: int
    left: bool
    released: int
    result: bool
    files: tuple[str, ...]
    problem: str = ""


def look(party, request):
    """Read a party's side of a request."""
    here = Organisation.open(party.folder)
    try:
        desk = Desk(here)
        filed = desk.known(request)
        of_request = sa.select(LEDGER.c.what).where(LEDGER.c.request == request)
        kinds = [
            Entry.parse(row.data).kind for row in here.store.rows(sa.select(LOG_ENTRIES.c.data))
        ]
        steps = here.store.rows(sa.select(STEPS.c.step).where(STEPS.c.request == request))
        released = kinds.count("report.released")
        result, problem = None, ""
        try:
            result = desk.result(request)
        except PartyError as error:
            problem = str(error)
        lists = here.folder / "lists"
        return Look(
            filed.state if filed else "unknown",
            filed.status if filed else None,
            tuple(sorted(row.what for row in here.store.rows(of_request))),
            kinds.count("budget.spent"),
            bool(steps) or released > 0 or "list.disclosed" in kinds,
            released,
            result is not None,
            tuple(sorted(one.name for one in lists.iterdir())) if lists.is_dir() else (),
            problem or _wrong(here, party, request, result),
        )
    finally:
        here.close()


def judge(kind, looks, fatal=()):
    """Return how a session ended, and the promises that are broken, by name.

    `fatal` are the statuses with which what was done to it may have ended it.
    """
    broken, states = {}, {one.state for one in looks.values()}
    # Whoever refuses a request at the door keeps nothing of it.
    statuses = {one.status for one in looks.values() if one.state != "unknown"}
    if states == {"finished"}:
        end = "resumed"
    elif (
        states <= {"failed", "refused", "unknown"} and len(statuses) == 1 and statuses <= set(fatal)
    ):
        end = "ended_alike"
    else:
        end = "diverged"
        broken["diverged"] = str({name: (one.state, one.status) for name, one in looks.items()})
    for name, one in looks.items():
        wanted = ("disclosure", "session") if kind == "match" and name != ASKER else ("session",)
        if len(set(one.charges)) < len(one.charges) or one.spent > len(one.charges):
            broken["double_charged"] = f"{name}: {one.charges}, {one.spent} entries"
        if one.released > 1:
            broken["double_charged"] = f"{name}: noise was drawn {one.released} times"
        if (one.left or one.state == "finished") and one.charges != wanted:
            broken["uncharged_release"] = f"{name}: {one.charges} of {wanted}"
        if one.problem or one.result != (one.state == "finished"):
            broken["partial_output"] = f"{name}: {one.problem or one.state}"
        if one.files and (not one.result or any(file.endswith(".new") for file in one.files)):
            broken["partial_output"] = f"{name}: {one.files} with {one.state}"
    return end, broken


def logs_problem(parties, request, *, finished):
    """Return what is wrong with the logs, by themselves or together; empty for nothing."""
    opened = [Organisation.open(party.folder) for party in parties.values()]
    try:
        compared = compare_all_logs(*(StoredLog(one.store, one.identity) for one in opened))
    except (AuditError, PartyError) as error:
        return str(error)
    finally:
        for one in opened:
            one.close()
    if finished and any(one.shared != (request,) for one in compared):
        return "two logs do not have the session in common"
    return ""


def _wrong(here, party, request, result):
    """Return what is wrong with a party's result, held against the truth; empty for nothing."""
    if result is None or party.name != ASKER:
        return ""
    if result.get("list_file"):
        file = here.folder / "lists" / Path(result["list_file"]).name
        table = read_list(file, result["list_sha256"])
        truth = sorted(reference(party.name, i) for i in true_match("many"))
        same = sorted(table["reference"].to_pylist()) == truth
        return "" if same else "the list is not the one that the truth gives"
    if Desk(here).known(request).request.kind != "reach":
        return ""
    rows = party.read("report", "show", request, "--private")["result"]["rows"]
    cells = {
        (row["label"], row["segment"]): row["value"]
        for row in rows
        if row["metric"] == "reach exactly" and row["segment"]
    }
    truth = true_reach("many", party.name)
    near = all(abs(cells.get(cell, -STRAY) - count) <= STRAY for cell, count in truth.items())
    return "" if near and set(cells) == set(truth) else "the table is not near the truth"
