"""A contract in plain words: what is granted to whom, and what it may cost."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table

from client.contract_words import grant_in_words
from languages import ENGLISH
from party.contract import Contract
from party.contract_terms import write_time
from party.organisation import CARD_FILE

_FILTERS = {"basic": "ε and δ are added up", "zcdp": "by zero-concentrated differential privacy"}


def contract_document(contract: Contract, now: int) -> dict[str, Any]:
    """Return the contract as JSON values, with its hash and how it stands."""
    return {
        "contract": contract.id,
        "hash": contract.digest,
        "state": contract.standing(now),
        "signed_by": list(contract.signatures),
        "document": contract.to_json(),
    }


def contract_in_words(contract: Contract, now: int) -> list[RenderableType]:
    """Return the contract as paragraphs and tables."""
    signed = ", ".join(contract.signatures) or "nobody yet"
    return [
        f"Contract {contract.id} – {contract.title}",
        f"{contract.standing(now).capitalize()}, from {write_time(contract.starts)} to "
        f"{write_time(contract.ends)}. Signed by {signed}.",
        f"Hash {contract.digest}",
        "",
        "Parties",
        _indent(_parties(contract)),
        "",
        "Where data lies",
        *(_indent(line) for line in _places(contract)),
        *undeclared(contract),
        "",
        "What is granted",
        *(
            _indent(f"{grant.kind}: {grant_in_words(contract, grant, ENGLISH)}")
            for grant in contract.outputs
        ),
        "",
        "What each offers",
        _indent(_offers(contract)),
        "",
        f"What it may cost in {contract.window_days} days, for each party's people",
        _indent(_budgets(contract)),
        "",
        f"Identifiers are matched in this order: {', '.join(contract.identifiers)}.",
        f"Counts below {contract.min_cell} are not shown. Lists are deleted after "
        f"{contract.list_expiry_days} days, the rest of a session after "
        f"{contract.replay_days or contract.retention_days}{_replayed(contract)}, "
        f"{_results_end(contract)}. Consent is read at most "
        f"{contract.consent_max_age_hours} hours before a session.{_suppressed(contract)}",
    ]


def _replayed(contract: Contract) -> str:
    return "" if contract.replay_days is None else ", so that sessions can be replayed until then"


def _suppressed(contract: Contract) -> str:
    days = contract.suppression_days
    return "" if days is None else f" Who withdraws is off lists within {days} days."


def _results_end(contract: Contract) -> str:
    days = contract.result_days
    return "numbers and tables never" if days is None else f"numbers and tables after {days}"


def _indent(part: RenderableType) -> RenderableType:
    return Padding(part, (0, 0, 0, 2))


def _parties(contract: Contract) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, card in contract.parties.items():
        reached = f"reached at {card.address}" if card.address else "only dials"
        table.add_row(name, card.organisation, reached, card.fingerprint)
    return table


def undeclared(contract: Contract) -> list[str]:
    """Warn where nobody has declared where data lies: no border can then be seen."""
    if any(card.places is not None for card in contract.parties.values()):
        return []
    return [
        "  WARNING: not declared. No party has said under whose law it is and where its data lies, "
        "so a transfer across a border would not be noticed. Each adds 'jurisdiction' and "
        f"'storage' to its {CARD_FILE}; then propose the contract anew."
    ]


def _places(contract: Contract) -> list[RenderableType]:
    if all(card.places is None for card in contract.parties.values()):
        return []
    table = Table("party", "law", "data in", box=None)
    for name, card in contract.parties.items():
        if card.places is not None:
            table.add_row(name, card.places.jurisdiction, ", ".join(card.places.storage))
    if not contract.transfers:
        return [table, "No data crosses a border."]
    return [table, "", _transfers(contract)]


def _transfers(contract: Contract) -> Table:
    table = Table("from", "to", "out of", "on the basis of", "reference", "until", box=None)
    for one in contract.transfers:
        crossing = one.crossing
        until = "no end" if one.until is None else write_time(one.until)
        table.add_row(
            crossing.sender, crossing.receiver, crossing.out_of, one.basis, one.reference, until
        )
    return table


def _offers(contract: Contract) -> Table:
    table = Table("party", "dataset", "identifiers", "at most", "labels", box=None)
    for party, datasets in contract.datasets.items():
        for name, terms in datasets.items():
            labels = "; ".join(
                f"{label} ({_few(values)})" for label, values in terms.labels.items()
            )
            most = f"{terms.most_identifiers} a person"
            table.add_row(party, name, ", ".join(terms.identifiers), most, labels or "none")
    return table


def _budgets(contract: Contract) -> Table:
    table = Table("party", "ε", "δ", "added up", box=None)
    for party, budget in contract.budgets.items():
        table.add_row(party, budget.epsilon, budget.delta, _FILTERS[contract.filter.value])
    return table


def _few(values: tuple[str, ...], most: int = 6) -> str:
    more = len(values) - most
    return ", ".join(values[:most]) + (f" and {more} more" if more > 0 else "")
