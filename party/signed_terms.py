"""What the log says of contracts, tables, charges and consent, held against those themselves.

The entry `contract.signed` repeats the terms that later entries are held to. It is the log's
owner who writes it, so the terms are compared with the contract, which the others have signed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from audit.bodies import (
    Budget,
    BudgetSpent,
    ConsentRecorded,
    ConsentWithdrawn,
    ContractSigned,
    ReportReleased,
    TransferStated,
)
from audit.entry import Entry
from audit.errors import VerificationError
from party.contract import Contract
from party.log_index import Indexed, words_of
from psi.legs import RECEIVER

Charge = tuple[str, int, int, int]
"""Request, ε and ρ in 1e-9, δ in 1e-15."""
_HOUR_SECONDS: Final = 3600


def signed_terms(contract: Contract) -> ContractSigned:
    """Return what the log says of a contract."""
    return ContractSigned(
        parties=tuple(contract.parties),
        budgets={
            party: Budget(budget.epsilon_nano, budget.delta_e15, contract.window_days)
            for party, budget in contract.budgets.items()
        },
        consent_max_age_seconds=contract.consent_max_age_hours * _HOUR_SECONDS,
        filter=contract.filter.value,
        origins={name: card.verifier.name for name, card in contract.parties.items()},
        export_to=_exports_of(contract),
        transfers=_transfers_of(contract),
        suppression_seconds=contract.suppression_seconds,
    )


class Told:
    """What a log tells of contracts, tables, charges and consent, gathered while it is verified."""

    def __init__(self) -> None:
        self._contracts: list[Entry] = []
        self._releases: list[tuple[int, str, str]] = []
        self._charges: list[tuple[int, Charge]] = []
        self._consent: dict[int, str] = {}
        self._indexed = Indexed()

    @property
    def index(self) -> bytes:
        """The digest of the index that the log has to have."""
        return self._indexed.digest()

    def take(self, _: str, entry: Entry) -> None:
        """Take in the next entry of the log (`audit.verify.Watch`)."""
        self._indexed.take(entry.seq, words_of(entry))
        match entry.body:
            case ContractSigned():
                self._contracts.append(entry)
            case ReportReleased(request=request, table_digest=digest):
                self._releases.append((entry.seq, request, digest))
            case BudgetSpent() as spent:
                charge = (spent.request, spent.epsilon_nano, spent.rho_nano, spent.delta_e15)
                self._charges.append((entry.seq, charge))
            case ConsentRecorded(root=root) | ConsentWithdrawn(root=root):
                self._consent[entry.seq] = root

    def require_contracts(self, contracts: Iterable[Contract]) -> None:
        """Require each contract that the log names, with the terms that the log gives it.

        A term that the entry leaves out grants nothing; entries of earlier versions have fewer.

        Raises:
            VerificationError: a contract is missing, or its terms are others.
        """
        signed = {contract.digest: contract for contract in contracts}
        for entry in self._contracts:
            contract = signed.get(entry.contract or "")
            if contract is None:
                raise VerificationError(
                    f"entry {entry.seq}: the contract that it names is missing, so its terms "
                    "cannot be held against what was signed",
                    entry=entry.seq,
                )
            terms = signed_terms(contract).to_json()
            if any(terms.get(name) != value for name, value in entry.body.to_json().items()):
                raise VerificationError(
                    f"entry {entry.seq}: the terms that it gives contract {contract.id} are not "
                    "those that were signed",
                    entry=entry.seq,
                )

    def require_tables(self, digests: Mapping[str, str]) -> None:
        """Require the digest of each stored table, by request, to be the one that was released.

        Raises:
            VerificationError: a table was changed.
        """
        for index, request, digest in self._releases:
            if digests.get(request, digest) != digest:
                raise VerificationError(
                    f"entry {index}: the stored table of request {request} is not the one "
                    "that was released: it was changed afterwards",
                    entry=index,
                )

    def require_charges(self, stored: Iterable[Charge]) -> None:
        """Require the ledger's charges to be exactly those that were logged.

        Raises:
            VerificationError: one is missing, or was never logged.
        """
        charges = Counter(stored)
        for index, charge in self._charges:
            if not charges[charge]:
                raise VerificationError(
                    f"entry {index}: the ledger does not have this charge as it was logged: "
                    "the ledger was changed afterwards, so its budgets cannot be trusted",
                    entry=index,
                )
            charges[charge] -= 1
        left = next(iter(+charges), None)
        if left is not None:
            raise VerificationError(
                f"the ledger has a charge of request {left[0]} that was never logged"
            )

    def require_consent(self, stored: Mapping[int, bytes]) -> None:
        """Require the records of consent, by entry, to be exactly those that were logged.

        Raises:
            VerificationError: one is missing, was changed, or was never logged.
        """
        for index, root in self._consent.items():
            if index not in stored or stored[index].hex() != root:
                raise VerificationError(
                    f"entry {index}: the stored records of consent are not those that it has: "
                    "they were changed afterwards, so sessions may have taken other people",
                    entry=index,
                )
        if stored.keys() - self._consent.keys():
            raise VerificationError("the store has records of consent that were never logged")


def _exports_of(contract: Contract) -> dict[str, tuple[str, ...]] | None:
    """Return, by receiver of lists, the platforms that it may take them to; None for none."""
    exports: dict[str, tuple[str, ...]] = {}
    for grant in contract.outputs:
        if grant.export_to:
            receiver = grant.roles[RECEIVER]
            exports[receiver] = (*exports.get(receiver, ()), *grant.export_to)
    return {party: tuple(dict.fromkeys(to)) for party, to in exports.items()} or None


def _transfers_of(contract: Contract) -> tuple[TransferStated, ...] | None:
    """Return what crosses borders; None for nothing."""
    stated = tuple(
        TransferStated(one.crossing.sender, one.crossing.receiver, one.crossing.out_of, one.basis)
        for one in contract.transfers
    )
    return stated or None
