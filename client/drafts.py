"""Drafts of contracts that lie in the party's folder, from the first text to the last signature.

They are what the command line keeps as files wherever its user likes. A draft is a text until it is
signed; from the first signature on its text is fixed. One that all have signed is imported, and the
draft stays, so that its file can be sent to the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit.roles import Role
from client.agreeing import import_contract, sign_contract
from languages import message
from party.contract import Contract
from party.contract_file import merge_signatures, parse_contract, render_contract
from party.contract_terms import NAME
from party.durable import settle
from party.errors import ContractError
from party.occupied import writing_contract
from party.organisation import Organisation
from party.yaml_text import MOST_BYTES

FOLDER: Final = "drafts"
_MOST: Final = 200
"""How many drafts are kept; whoever has more removes some."""


@dataclass(frozen=True)
class Draft:
    """One draft: its name, which is the contract's id, its text, and what that says."""

    name: str
    text: str
    contract: Contract
    changed_at: datetime

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have not signed."""
        return tuple(one for one in self.contract.parties if one not in self.contract.signatures)


class Drafts:
    """The drafts of one party."""

    def __init__(self, party: Organisation) -> None:
        self._party, self._folder = party, party.folder / FOLDER

    def all(self) -> list[Draft]:
        """Return the drafts, the one that was changed last first; what is no contract is left."""
        found = []
        for path in self._folder.glob("*.yaml"):
            try:
                found.append(_read(path))
            except ContractError:
                continue
        return sorted(found, key=lambda one: one.changed_at, reverse=True)

    def find(self, name: str) -> Draft:
        """Return one draft; ContractError where there is none of this name."""
        path = self._path(name)
        if not path.is_file():
            raise ContractError(
                message(
                    "there is no draft called {name} here",
                    name=name[:64],
                )
            )
        return _read(path)

    def write(self, text: str, *, replace: str | None = None) -> Draft:
        """Keep a text under the id that it gives itself; `replace` names the draft it is put for.

        Raises:
            ContractError: it is no contract or not for this party, another draft has this id, or
                somebody has signed the one that is to be replaced.
            InUse: somebody else changes one of the two.
        """
        self._party.access.require(Role.ANALYST, "contract.draft")
        contract = self._parsed(text)
        with self._writing(contract.id, replace or contract.id):
            return self._write(text, contract, replace)

    def _write(self, text: str, contract: Contract, replace: str | None) -> Draft:
        path = self._path(contract.id)
        if replace is not None and self.find(replace).contract.signatures:
            raise ContractError(
                message(
                    "somebody has signed {replace}, so its text stays: write a draft "
                    "with another id",
                    replace=replace,
                )
            )
        if path.exists() and replace != contract.id:
            if _read(path).contract == contract:  # the same once more
                return _read(path)
            raise ContractError(
                message(
                    "there is a draft {id} already: give this one another id",
                    id=contract.id,
                )
            )
        self._put(path, text)
        if replace is not None and replace != contract.id:
            self._path(replace).unlink(missing_ok=True)
        return _read(path)

    def take(self, data: bytes) -> Draft:
        """Keep a contract that somebody has sent, or add its signatures to the draft here.

        Raises:
            ContractError: it is no contract or not for this party, a signature does not fit, or
                the draft of this id has another text.
            InUse: somebody else changes it.
        """
        self._party.access.require(Role.ANALYST, "contract.draft")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise ContractError(message("the file is no contract: it is not UTF-8 text")) from None
        theirs = self._parsed(text)
        theirs.verify_signatures(require_all=False)
        path = self._path(theirs.id)
        with self._writing(theirs.id):
            if path.exists():
                text = render_contract(merge_signatures(_read(path).contract, theirs))
            self._put(path, text)
            return _read(path)

    def sign(self, name: str, digest: str) -> Draft:
        """Sign a draft in the name of the party, if it still is what somebody has read.

        `digest` is that of the contract as they have read it; see `client.agreeing.sign_contract`.
        """
        path = self._path(self.find(name).name)
        sign_contract(self._party, path, digest)
        return _read(path)

    def accept(self, name: str) -> Contract:
        """Import a draft that all have signed; see `client.agreeing.import_contract`."""
        return import_contract(self._party, self._path(self.find(name).name))

    def remove(self, name: str) -> None:
        """Remove a draft; what was signed and imported stays in the store.

        Raises:
            ContractError: there is none of this name.
            InUse: somebody else changes it.
        """
        self._party.access.require(Role.ANALYST, "contract.draft")
        with self._writing(name):
            self._path(self.find(name).name).unlink(missing_ok=True)

    @contextmanager
    def _writing(self, *names: str) -> Iterator[None]:
        """Be the only one who writes these drafts."""
        with ExitStack() as stack:
            for name in dict.fromkeys(names):
                stack.enter_context(writing_contract(self._party.folder, self._path(name)))
            yield

    def _parsed(self, text: str) -> Contract:
        contract = parse_contract(text.encode(), source=message("the contract"))
        contract.me(self._party.identity)
        return contract

    def _put(self, path: Path, text: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not path.exists() and sum(1 for one in self._folder.glob("*.yaml")) >= _MOST:
            raise ContractError(
                message(
                    "there are {most} drafts here already: remove some first",
                    most=_MOST,
                )
            )
        temporary = path.with_name(f".{path.name}.part")
        try:
            temporary.write_bytes(text.encode())
            settle(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ContractError(
                message(
                    "the draft cannot be written: {strerror}",
                    strerror=error.strerror,
                )
            ) from None

    def _path(self, name: str) -> Path:
        """Return where a draft lies; a name is letters, digits, hyphens and underscores."""
        if NAME.broken_by(name):
            raise ContractError(
                message(
                    "'{name}' is no name of a contract: use {expects}",
                    name=name[:64],
                    expects=NAME.expects,
                )
            )
        return self._folder / f"{name}.yaml"


def version_of(party: Organisation, which: str) -> Contract:
    """Return a version to be compared: a stored contract by its hash, or `draft:NAME`.

    Raises:
        ContractError: there is none. What is no hash names no file.
    """
    kind, colon, name = which.partition(":")
    if colon and kind == "draft":
        return Drafts(party).find(name).contract
    return party.contract(hash_in(which))


def hash_in(which: str) -> str:
    """Return a contract's hash, or its beginning; only that names a contract in an address."""
    if not which or not set(which) <= set("0123456789abcdef"):
        raise ContractError(
            message(
                "there is no contract {which} here",
                which=which[:40],
            )
        )
    return which


def _read(path: Path) -> Draft:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise ContractError(
            message(
                "the draft {path} cannot be read: {strerror}",
                path=path,
                strerror=error.strerror,
            )
        ) from None
    contract = parse_contract(data, source=f"the draft {path.stem}")
    return Draft(path.stem, data.decode(), contract, changed)
