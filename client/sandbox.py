"""The sandbox: your party, a counterpart of made-up people, and a contract between the two.

Both are real parties on this machine: whatever can be tried with a partner can be tried here. A
folder that holds anything else is refused, and what is removed is only what was made.
"""

from __future__ import annotations

import json
import shutil
import socket
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from client.agreeing import import_contract
from client.drafting import DAY_SECONDS
from client.founding import Founding, found
from client.registering import register
from client.sandbox_people import PARTNER, PEOPLE, YOU, People, Truth
from party.contract import Contract
from party.contract_draft import draft_contract
from party.contract_file import parse_contract, render_contract, sign_contract_file
from party.contract_terms import EXPORT_TO, Platform
from party.datasets import load_definition
from party.errors import SettingsError
from party.offered import offered_by
from party.organisation import Organisation
from party.places import Places

MARKER: Final = "sandbox.json"
CONTRACT: Final = "contract.yaml"
DATA: Final = "data"
_MADE: Final = (YOU, PARTNER, DATA, CONTRACT, MARKER)
_FORMAT: Final = 1
_DAYS: Final = 365
_BUDGET: Final = {"epsilon": "100", "delta": "1e-6"}
_PLACES: Final = Places.of("NL")
_ORGANISATIONS: Final = {YOU: "Your organisation", PARTNER: "A made-up partner"}


@dataclass(frozen=True)
class Sandbox:
    """A sandbox's folder, where the partner listens (host:port), and what is true there."""

    folder: Path
    address: str
    people: int
    truth: Truth

    @property
    def you(self) -> Path:
        """Your party's folder."""
        return self.folder / YOU

    @property
    def partner(self) -> Path:
        """The made-up counterpart's folder."""
        return self.folder / PARTNER


def open_sandbox(folder: Path, people: int = PEOPLE) -> Sandbox:
    """Return the sandbox in a folder, made if there is none; one that was half made is made anew.

    Raises:
        SettingsError: the folder holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file; name a folder for the sandbox")
    marker = _read_marker(folder)
    if marker is None and folder.is_dir() and any(folder.iterdir()):
        raise SettingsError(f"{folder} holds something that is no sandbox; choose another folder")
    if marker is not None and marker["complete"]:
        truth = Truth(marker["matched"], marker["reached"])
        return Sandbox(folder, marker["address"], marker["people"], truth)
    return _make(folder, people)


def remove_sandbox(folder: Path) -> None:
    """Delete what a sandbox made, and the folder if nothing else is in it.

    Raises:
        SettingsError: there is no sandbox.
    """
    if _read_marker(folder) is None:
        raise SettingsError(f"{folder} is no sandbox, and is left as it is")
    for name in _MADE:  # the marker goes last, so that a removal that was cut off can go on
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def require_free(sandbox: Sandbox) -> None:
    """Raise SettingsError unless the partner's port, which the contract names, is free."""
    host, _, port = sandbox.address.rpartition(":")
    try:
        socket.create_server((host, int(port))).close()
    except OSError:
        raise SettingsError(
            f"{sandbox.address}, where this sandbox's partner listens, is taken. Perhaps the "
            f"sandbox runs already; if not, delete {sandbox.folder} and make a new one"
        ) from None


def _read_marker(folder: Path) -> dict[str, Any] | None:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        marker = None
    if not isinstance(marker, dict) or marker.get("sandbox") != _FORMAT:
        raise SettingsError(
            f"{folder / MARKER} is not of this version's sandbox; choose another folder"
        )
    return marker


def _make(folder: Path, people: int) -> Sandbox:
    folder.mkdir(parents=True, exist_ok=True)
    _mark(folder, {"complete": False})
    for name in (YOU, PARTNER):  # left by a start that was cut off
        shutil.rmtree(folder / name, ignore_errors=True)
    made = People.make(people)
    sandbox = Sandbox(folder, f"127.0.0.1:{_free_port()}", people, made.truth())
    with (
        closing(_party(sandbox.you, YOU, None)) as you,
        closing(_party(sandbox.partner, PARTNER, sandbox.address)) as partner,
    ):
        for name, description in made.write(folder / DATA).items():
            register(you if name == YOU else partner, load_definition(description))
        _agree(folder / CONTRACT, you, partner)
    truth = asdict(sandbox.truth)
    _mark(folder, {"complete": True, "people": people, "address": sandbox.address, **truth})
    return sandbox


def _mark(folder: Path, said: dict[str, Any]) -> None:
    text = json.dumps({"sandbox": _FORMAT, **said}, indent=2)
    staging = folder / f"{MARKER}.part"
    staging.write_text(text + "\n", encoding="utf-8")
    staging.replace(folder / MARKER)


def _party(folder: Path, name: str, listen: str | None) -> Organisation:
    origin = f"sandbox.example/{name}"
    founding = Founding(name, _ORGANISATIONS[name], origin, _PLACES, listen)
    return found(folder, founding)[0]


def _agree(file: Path, you: Organisation, partner: Organisation) -> None:
    """Draft what `contract propose` drafts, grant both directions, and let both sides sign."""
    starts = you.now // DAY_SECONDS * DAY_SECONDS
    text = draft_contract(
        {PARTNER: partner.own_card(), YOU: you.own_card()},
        contract_id="sandbox",
        title="A sandbox: everybody in it is made up",
        starts=starts,
        ends=starts + _DAYS * DAY_SECONDS,
        datasets={YOU: offered_by(you), PARTNER: offered_by(partner)},
    )
    document: dict[str, Any] = parse_contract(text.encode()).to_json()
    document["outputs"] = [
        granted for drafted in document["outputs"] for granted in _grants(drafted)
    ]
    document["budgets"] = dict.fromkeys((YOU, PARTNER), _BUDGET)
    document["min_match"] = 50
    file.write_text(render_contract(Contract.from_json(document)), encoding="utf-8")
    for party in (you, partner):
        sign_contract_file(file, party.identity)
    for party in (you, partner):
        import_contract(party, file)


def _grants(drafted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an output for each side: yours by rule, the partner's by hand.

    Your lists may be taken to every platform: nobody in them is real.
    """
    taken = {EXPORT_TO: [one.value for one in Platform]} if "receiver" in drafted else {}
    first, second = ("receiver", "sender") if "receiver" in drafted else ("recipient", "tabulator")
    return [
        {**drafted, first: YOU, second: PARTNER, "approval": "rule", **taken},
        {**drafted, first: PARTNER, second: YOU, "approval": "manual"},
    ]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
