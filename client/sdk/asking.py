"""What a verb asks for, read in the same way as the options of its command."""

from __future__ import annotations

from dataclasses import dataclass

from client.asking import Choice, TableChoice, match_request, table_request
from party.contract import Contract
from party.contract_terms import OutputKind
from party.organisation import Organisation
from party.request import Request


@dataclass(frozen=True)
class Asked:
    """A request that is not filed yet, under its contract."""

    request: Request
    contract: Contract

    @classmethod
    def list_(
        cls, party: Organisation, contract: str | None, receiver: str | None, choice: Choice
    ) -> Asked:
        """Ask for a list; see `client.asking.match_request` for what is raised."""
        agreed = _in_force(party, contract)
        return cls(match_request(party, agreed, receiver, choice), agreed)

    @classmethod
    def table(
        cls, party: Organisation, contract: str | None, table: TableChoice, choice: Choice
    ) -> Asked:
        """Ask for a table; see `client.asking.table_request` for what is raised."""
        agreed = _in_force(party, contract)
        return cls(table_request(party, agreed, table, choice), agreed)


def _in_force(party: Organisation, contract: str | None) -> Contract:
    agreed = party.contract(contract)
    agreed.require_in_force(party.now)
    return agreed


REACH, OVERLAP = OutputKind.REACH, OutputKind.OVERLAP
