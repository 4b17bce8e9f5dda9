"""What a verb asks for, read in the same way as the options of its command."""

from __future__ import annotations

from dataclasses import dataclass

from client.asking import Choice, TableChoice, list_naming, match_request, table_request
from party.contract import Contract
from party.contract_terms import ListUse, OutputKind
from party.errors import PartyError
from party.list_names import Naming
from party.organisation import Organisation
from party.request import Request


@dataclass(frozen=True)
class ListChoice:
    """What a list lets a caller choose: whose it is, its name, what it is for, and its runs."""

    receiver: str | None = None
    use: str | None = None
    suppression_runs: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class Asked:
    """A request that is not filed yet, under its contract; `naming` is for the list it makes."""

    request: Request
    contract: Contract
    naming: Naming | None = None

    @classmethod
    def list_(
        cls, party: Organisation, contract: str | None, wanted: ListChoice, choice: Choice
    ) -> Asked:
        """Ask for a list; see `client.asking.match_request` for what is raised."""
        agreed = in_force(party, contract)
        request = match_request(
            party,
            agreed,
            wanted.receiver,
            choice,
            _use(wanted.use),
            suppression_runs=wanted.suppression_runs,
        )
        return cls(request, agreed, list_naming(party, request, wanted.name))

    @classmethod
    def table(
        cls, party: Organisation, contract: str | None, table: TableChoice, choice: Choice
    ) -> Asked:
        """Ask for a table; see `client.asking.table_request` for what is raised."""
        agreed = in_force(party, contract)
        return cls(table_request(party, agreed, table, choice), agreed)


def in_force(party: Organisation, contract: str | None) -> Contract:
    """Return a contract under which something can be asked; ContractError when it has ended."""
    agreed = party.contract(contract)
    agreed.require_in_force(party.now)
    return agreed


def _use(name: str | None) -> ListUse | None:
    try:
        return None if name is None else ListUse(name)
    except ValueError:
        raise PartyError(f"a list is to include or to exclude people, not to '{name}'") from None


REACH, OVERLAP = OutputKind.REACH, OutputKind.OVERLAP
INSIGHTS, FUNNEL, TABLE = OutputKind.INSIGHTS, OutputKind.FUNNEL, OutputKind.TABLE
LIFT, CROSS_CHANNEL = OutputKind.LIFT, OutputKind.CROSS_CHANNEL
ATTRIBUTION, DELAY = OutputKind.ATTRIBUTION, OutputKind.DELAY
