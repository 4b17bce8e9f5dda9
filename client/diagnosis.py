"""What may keep a party from working, looked at one by one.

Nothing is changed and nothing is sent, but for the questions to a counterpart that is named
(`client.peer_diagnosis`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from client.peer_diagnosis import Check, State, walk_to
from client.units import shown_time
from languages import message
from party.certificate_ends import certificate_warnings
from party.errors import ContractError, DatasetError, PartyError
from party.organisation import Organisation
from party.registrations import Registered

MEASURE_SECONDS: Final = 0.3


def diagnose(party: Organisation, peer: str | None) -> Iterator[Check]:
    """Yield a check of each part, and of the way to `peer` where one is named."""
    yield _engine(party, measured=True)
    yield from _at_rest(party)
    for registered in party.datasets():
        yield _dataset(party, registered)
    if peer is not None:
        yield from walk_to(party, peer)


def diagnose_at_once(party: Organisation) -> Iterator[Check]:
    """Yield a check of each part that is answered at once: nothing is measured, no data is read."""
    yield _engine(party, measured=False)
    yield from _at_rest(party)


def _at_rest(party: Organisation) -> Iterator[Check]:
    yield _store(party)
    yield from _certificates(party)
    yield _tls()
    yield _profile()
    yield from _contracts(party)


def _engine(party: Organisation, *, measured: bool) -> Check:
    from psi import curve
    from psi.errors import EngineError

    try:
        name = curve.engine().name
        speed = curve.points_per_second(MEASURE_SECONDS) if measured else 0
    except EngineError as error:
        return Check(message("engine"), State.FAILED, str(error))
    pace = (
        message(
            ", {speed} points a second a worker",
            speed=f"{speed:,.0f}",
        )
        if measured
        else ""
    )
    return Check(
        message("engine"),
        State.OK,
        message(
            "{name}{pace}, {worker_count} workers",
            name=name,
            pace=pace,
            worker_count=party.settings.worker_count,
        ),
    )


def _store(party: Organisation) -> Check:
    where = party.settings.store.partition(":")[0] or message("SQLite in the folder")
    size = party.journal.checkpoint().split("\n")[1]
    return Check(
        message("store"),
        State.OK,
        message(
            "{where}, of this version; the log has {size} entries",
            where=where,
            size=size,
        ),
    )


def _certificates(party: Organisation) -> Iterator[Check]:
    certificate = party.identity.certificate
    warnings = certificate_warnings(party)
    own = next((one for one in warnings if one.peer is None), None)
    if own is None:
        shown = message(
            "{fingerprint}, until {not_after}",
            fingerprint=certificate.fingerprint,
            not_after=shown_time(certificate.not_after),
        )
        yield Check(message("certificate"), State.OK, shown)
    for one in warnings:
        name = (
            message("certificate")
            if one.peer is None
            else message(
                "certificate of {peer}",
                peer=one.peer,
            )
        )
        yield Check(name, State.WARNING, one.sentence)


def _tls() -> Check:
    from importlib.metadata import version

    from party.tls import require_tls13

    try:
        require_tls13()
    except PartyError as error:
        return Check(message("TLS"), State.FAILED, str(error))
    return Check(
        message("TLS"),
        State.OK,
        message(
            "1.3 only, gRPC {value}",
            value=version("grpcio"),
        ),
    )


def _profile() -> Check:
    from psi.identifiers import Profile

    values = Profile.current(gmail=False).to_json()
    shown = ", ".join(f"{key} {value}" for key, value in values.items() if key != "gmail")
    return Check(message("profile"), State.OK, shown)


def _contracts(party: Organisation) -> Iterator[Check]:
    contracts = party.contracts()
    if not contracts:
        yield Check(
            message("contracts"),
            State.WARNING,
            message("none: commonground contract propose CARD|NAME"),
        )
    for contract in contracts:
        name = message(
            "contract {id}",
            id=contract.id,
        )
        try:
            contract.require_in_force(party.now)
            contract.me(party.identity)
        except ContractError as error:
            yield Check(name, State.WARNING, str(error))
            continue
        yield Check(
            name,
            State.OK,
            message(
                "in force until {ends}",
                ends=shown_time(contract.ends),
            ),
        )


def _dataset(party: Organisation, registered: Registered) -> Check:
    """Hold a dataset's source against what was registered."""
    from party.datasets.consent import ConsentInRecords, ConsentTable
    from party.datasets.rows import snapshot_now

    name = message(
        "dataset {name}",
        name=registered.name,
    )
    try:
        definition = party.definition(registered.name)
        snapshot = snapshot_now(definition)
    except DatasetError as error:
        return Check(name, State.FAILED, str(error))
    if snapshot.hex() != registered.snapshot:
        again = message(
            "its source has changed since: `commonground dataset add` reports on it again"
        )
        if isinstance(definition.consent, ConsentTable | ConsentInRecords):
            again = message(
                "its source or what people have consented to has changed since: `commonground "
                "dataset add` reports on it again"
            )
        return Check(name, State.WARNING, again)
    return Check(name, State.OK, message("its source is as it was registered"))
