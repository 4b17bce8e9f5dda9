"""Agreeing with a counterpart: propose, sign, import and look."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from pathlib import Path

from client.actors import OPERATOR
from client.agreeing import import_contract, look_up, sign_contract
from client.drafting import Draft, draft_path, find_card, write_draft
from client.output import as_text
from party.contract import Contract
from party.organisation import Organisation
from party.transfers import Transfer


class Contracts:
    """`commonground contract`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def propose(
        self,
        card: str | Path,
        *,
        id: str = "contract",  # noqa: A002 - the command's word
        title: str | None = None,
        days: int = 365,
        they_measure: bool = False,
        third: str | Path | None = None,
        transfers: Sequence[str] = (),
        out: str | Path | None = None,
    ) -> Path:
        """Write a draft with a counterpart and return its path.

        `card` is the counterpart's public.yaml, or the name of a peer that is pinned here; `third`
        likewise that of a party whose labels are to be added to tables. `transfers` states what
        data crosses borders on, each as FROM:TO:OUT_OF:BASIS:REFERENCE.

        Raises:
            ContractError: a card cannot be read, is your own or has no address where it needs one,
                the file exists, or a transfer across a border is not stated.
        """
        path = Path(out or draft_path(id))
        theirs = find_card(self._party, str(card))
        added = None if third is None else find_card(self._party, str(third))
        stated = tuple(map(Transfer.parse, transfers))
        draft = Draft(id, title, days, they_measure, added, stated)
        write_draft(self._party, theirs, draft, path)
        return path

    def sign(self, file: str | Path) -> Contract:
        """Sign a contract in its file and return it.

        Raises:
            ContractError: it is malformed, was altered after a signature, is for others, says
                otherwise than public.yaml where your data lies, or names a pinned peer with
                another identity key.
            InUse: somebody else writes the file just now.
        """
        return sign_contract(self._party, Path(file))

    def import_(self, file: str | Path, *others: str | Path) -> Contract:
        """Check a contract that all parties signed, and store it.

        `others` are other copies, with the signatures that the first one lacks.

        Raises:
            ContractError: a signature is missing or wrong, it has ended, it is for others, says
                otherwise than public.yaml where your data lies, or names a pinned peer with
                another identity key.
        """
        return import_contract(self._party, Path(file), [Path(other) for other in others])

    def list(self) -> builtins.list[Contract]:
        """Return the stored contracts, newest first.

        Raises:
            StoredContractError: one is not what was signed.
        """
        return self._party.contracts()

    def show(self, which: str | Path | None = None) -> Contract:
        """Return a contract by its id, the first digits of its hash, or its file.

        None is the only one that is stored.

        Raises:
            ContractError: there is none such or more than one, or a signature does not fit.
        """
        return look_up(self._party, None if which is None else str(which))

    def documents(
        self, which: str | Path | None = None, *, out: str | Path, language: str = "en"
    ) -> builtins.list[Path]:
        """Write the record of processing and the skeleton of an impact assessment into `out`.

        Each as Markdown and HTML, in `language`: `en` or `zh`. Of a contract that is stored here
        the log keeps the digests; `which` may also be a draft's file.

        Raises:
            ContractError: there is no such contract, or it is for others.
            PartyError: a file exists already: what people filled in is not written over.
        """
        from client.documents.writing import write_documents

        contract = self.show(which)
        return write_documents(self._party, contract, Path(out), code=language, actor=OPERATOR)

    def explain(self, which: str | Path | None = None) -> str:
        """Say in plain words what a contract grants, to whom, and what it may cost."""
        from client.render_contract import contract_in_words

        return as_text(*contract_in_words(self.show(which), self._party.now))
