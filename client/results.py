"""What a finished request has brought this party: a list, a table, or nothing.

A report comes in two kinds. The shareable one is what leaves by default; the private one is more
exact, and would hand the counterpart exact counts. Whoever exports it insists, and the file says
what it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from languages import message
from party.activation import Order, export_list
from party.contract_terms import OutputKind
from party.desk import Desk
from party.errors import PartyError
from party.filing import Filed
from party.lists import Lists, MatchedList
from party.organisation import Organisation
from party.request import Request
from privacy.session import SessionNoise, TableLaws
from psi.legs import RECEIVER, RECIPIENT, TABULATOR
from reports.attribution import ALL_MODELS, MODELS
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.kinds import build
from reports.own_values import OwnValues
from reports.rendering import Rendering, ShareableRendering
from reports.table import ReleasedTable

TABLE_SUFFIXES = (".csv", ".parquet", ".json")
LIST_SUFFIXES = (".csv", ".parquet")
_NAMED: Final = frozenset({"funnel", "cross-channel"})
"""Kinds that cannot be told without the names of others' labels, such as their order."""
_NOT_PRIVATE = "only the recipient of a table has a private reading of it; leave out --private"


@dataclass(frozen=True)
class NothingLearnt:
    """What a match leaves with its sender, and a table of three with its third party."""

    role: str


Result = MatchedList | NothingLearnt | Rendering


def result_of(
    party: Organisation,
    filed: Filed,
    *,
    private: bool,
    costs: Costs | None = None,
    model: str | None = None,
) -> Result:
    """Return a finished request's result; `costs` are public, and for a report alone.

    An attribution is computed under one `model`, or all of them.

    Raises:
        PartyError: there is none, or no private one, or no such model.
        Refusal: it was a list and has expired.
        ResultError: it was changed after it was made.
        UnsuitableCosts: costs are given for what the report does not have.
    """
    stored = Desk(party).require_result(filed)
    models = models_of(filed.request.kind, model)
    if "table" in stored:
        return _report(filed, stored, private=private, costs=costs, models=models)
    if costs is not None:
        raise PartyError(message("only a table has costs; leave out --cost"))
    if private:
        raise PartyError(
            message("only a table has a private and a shareable kind; leave out --private")
        )
    if stored["role"] != RECEIVER:
        return NothingLearnt(stored["role"])
    with Lists(party).kept_still(filed.request.id) as found:
        found.require_whole(party.now)
    return found


def models_of(kind: OutputKind, model: str | None) -> tuple[str, ...]:
    """Return the models that were asked for by a name; PartyError where there are none such."""
    if model is not None and kind is not OutputKind.ATTRIBUTION:
        raise PartyError(
            message(
                "only an attribution has a model, and this is a {kind}: leave it out",
                kind=kind,
            )
        )
    if model in (None, ALL_MODELS):
        return MODELS
    if model not in MODELS:
        raise PartyError(
            message(
                "no model '{model}': there are {models} and {all_models}",
                model=model[:40],
                models=", ".join(MODELS),
                all_models=ALL_MODELS,
            )
        )
    return (model,)


def require_readable(party: Organisation, request: Request, *, private: bool) -> None:
    """Raise PartyError where a private reading is wanted that this party will not have."""
    me = party.contract(request.contract).me(party.identity)
    if private and request.roles.get(RECIPIENT) != me:
        raise PartyError(_NOT_PRIVATE)


def _report(
    filed: Filed,
    stored: Mapping[str, Any],
    *,
    private: bool,
    costs: Costs | None,
    models: tuple[str, ...],
) -> Rendering:
    kind = str(filed.request.kind)
    rests_on_names = kind in _NAMED or (kind == "insights" and "third" in stored["table"])
    if rests_on_names and stored["role"] == TABULATOR:
        kind = "table"  # the tabulator never learns the names of the others' labels
    return build(kind, estimates_of(stored, private=private), costs, models)


def estimates_of(
    stored: Mapping[str, Any], *, private: bool
) -> PrivateEstimates | ShareableEstimates:
    """Return the estimates of a stored table.

    Raises:
        PartyError: there are no private ones.
    """
    shareable = shareable_of(stored)
    if not private:
        return shareable
    if stored["role"] != RECIPIENT:
        raise PartyError(_NOT_PRIVATE)
    table = shareable.table
    audience = [stored["audience"][label] for label in table.recipient_labels]
    values = stored.get("values")
    known = None if values is None else OwnValues.from_dict(values, table.recipient_labels)
    return PrivateEstimates(table, shareable.laws, stored["drawn"], audience, known)


def shareable_of(stored: Mapping[str, Any]) -> ShareableEstimates:
    """Return the shareable estimates of a stored table, which either side has."""
    table = ReleasedTable.from_dict(stored["table"])
    parameters = table.parameters
    noise = SessionNoise(
        parameters.epsilon_release_nano,
        parameters.epsilon_dummy_nano,
        parameters.delta_dummy_e15,
    )
    bound = parameters.records_per_person
    laws = TableLaws(noise, bound * parameters.keys_per_person, bound, third_bound=bound)
    if table.moments is not None:
        laws = replace(
            laws,
            tabulator_keys=table.moments.most_keys,
            epsilon_people_nano=table.moments.epsilon_people_nano,
        )
    return ShareableEstimates(table, laws)


def export_result(party: Organisation, result: Result, path: Path, *, actor: str) -> None:
    """Write a list (CSV, Parquet) or a report to a file, by its suffix.

    A list is exported as `commonground lists export` does it, which the log records.

    Raises:
        PartyError: there is nothing to write, or not in this form.
    """
    if isinstance(result, NothingLearnt):
        raise PartyError(
            message(
                "the {role} learns no list and no table: there is none to write",
                role=result.role,
            )
        )
    if not isinstance(result, MatchedList):
        export(result, path)
        return
    _require_suffix(path, LIST_SUFFIXES)
    order = Order(path.suffix.removeprefix("."), path)
    export_list(party, party.contract(result.request.contract), result, order, actor=actor)


def export(report: Rendering, path: Path) -> None:
    """Write a report (CSV, Parquet, JSON) to a file, by its suffix.

    Raises:
        PartyError: not in this form.
    """
    _require_suffix(path, TABLE_SUFFIXES)
    data = written(report, path.suffix)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise PartyError(
            message(
                "{path} cannot be written: {strerror}",
                path=path,
                strerror=error.strerror,
            )
        ) from None


def written(report: Rendering, suffix: str) -> bytes:
    """Return a report as a file of one of `TABLE_SUFFIXES` has it."""
    if isinstance(report, ShareableRendering):
        return _shareable(report, suffix)
    return _private(report, suffix)


def _require_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix not in suffixes:
        raise PartyError(
            message(
                "{path}: write to a file that ends in {suffixes}",
                path=path,
                suffixes=", ".join(suffixes),
            )
        )


def _shareable(report: ShareableRendering, suffix: str) -> bytes:
    if suffix == ".parquet":
        return report.to_parquet()
    return (report.to_csv() if suffix == ".csv" else report.to_json()).encode()


def _private(report: Rendering, suffix: str) -> bytes:
    """Write what is for the owner's eyes; every row carries the word that says so."""
    if suffix == ".json":
        return json.dumps(report.to_dict(), ensure_ascii=False, allow_nan=False).encode()
    frame = report.frame()
    if suffix == ".csv":
        return str(frame.to_csv(index=False)).encode()
    return bytes(frame.to_parquet(index=False) or b"")
