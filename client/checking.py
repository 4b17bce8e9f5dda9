"""Looking for the causes of a small match: what is checked, and against which contract."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from party.datasets import load_definition
from party.diagnosis import Agreed, Diagnosis, check_dataset
from party.diagnosis.check import Hook, quietly
from party.organisation import Organisation

_DESCRIPTIONS: Final = (".yaml", ".yml")


def is_description(wanted: str | Path) -> bool:
    """Say whether a description is meant, and not the name of a registered dataset."""
    return Path(wanted).suffix in _DESCRIPTIONS


def check(
    party: Organisation,
    wanted: str | Path,
    *,
    sample: Path | None = None,
    region: str | None = None,
    contract: str | None = None,
    hook: Hook = quietly,
) -> Diagnosis:
    """Diagnose a description or a registered dataset, against a contract where one is named.

    Raises:
        DatasetError: it cannot be read as described, or the contract does not know it.
        ContractError: there is no such contract.
    """
    definition = (
        party.with_records(load_definition(wanted))
        if is_description(wanted)
        else party.definition(str(wanted))
    )
    agreed = None
    if contract is not None:
        found = party.contract(contract)
        agreed = Agreed.of(found, found.me(party.identity), definition.name)
    return check_dataset(
        definition,
        sample=sample,
        region=region,
        agreed=agreed,
        now=party.clock(),
        hook=hook,
    )
