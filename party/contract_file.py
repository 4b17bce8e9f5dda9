"""Contracts as files: one YAML that people read, edit, sign and pass on.

Signing changes nothing but the signatures: comments and layout stay as their authors left them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from languages import message
from party.contract import Contract
from party.errors import ContractError
from party.identity import Identity
from party.key_files import replace_file
from party.yaml_text import MOST_BYTES, read_yaml, without_key, write_yaml


def load_contract(path: Path | str) -> Contract:
    """Return the contract in a file; raise ContractError when it is missing or malformed.

    Signatures are read, not verified: a draft has none.
    """
    return parse_contract(_read_file(Path(path)), source=f"contract {Path(path).name}")


def parse_contract(data: bytes, *, source: str = "contract") -> Contract:
    """Return the contract in a text; `source` names it in messages."""
    return Contract.from_json(read_yaml(data, source, ContractError), source=source)


def render_contract(contract: Contract) -> str:
    """Return a contract as YAML without comments, signatures last."""
    return write_yaml(contract.to_json())


def sign_contract_file(
    path: Path | str, identity: Identity, check: Callable[[Contract], None] = lambda contract: None
) -> Contract:
    """Sign the contract in a file, put the signature into the file, and return what it holds.

    `check` is given what will be signed, and may raise.

    Raises ContractError when the contract is malformed, altered after a signature, or not for the
    party that holds `identity`; the file then stays as it was.
    """
    path = Path(path)
    data = _read_file(path)
    contract = parse_contract(data, source=f"contract {path.name}")
    check(contract)
    signed = contract.sign(identity)
    replace_file(path, _with_signatures(data.decode(), signed).encode())
    return signed


def merge_signatures(mine: Contract, theirs: Contract) -> Contract:
    """Return one contract with the signatures of two copies; raise unless both say the same."""
    if mine.digest != theirs.digest:
        raise ContractError(
            message(
                "The two copies of contract {id} differ in more than signatures "
                "(hashes {digest}… and {theirs}…). Agree on one text and sign "
                "that.",
                id=mine.id,
                digest=mine.digest[:12],
                theirs=theirs.digest[:12],
            )
        )
    both = {**mine.signatures, **theirs.signatures}
    merged = replace(mine, signatures=MappingProxyType(both))
    merged.verify_signatures(require_all=False)
    return merged


def _with_signatures(text: str, signed: Contract) -> str:
    """Return `text` with the signatures at its end; in plain layout where it has no place."""
    body = without_key(text, "signatures")
    if body and not body.endswith("\n"):
        body += "\n"
    signatures = "".join(f"  {name}: {value}\n" for name, value in signed.signatures.items())
    spliced = f"{body}signatures:\n{signatures}"
    try:
        kept = parse_contract(spliced.encode()) == signed
    except ContractError:  # one flow mapping, or a document end: no line to append to
        kept = False
    return spliced if kept else render_contract(signed)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ContractError(
            message(
                "There is no contract at {path}. Check the path.",
                path=path,
            )
        ) from None
    except OSError as error:
        raise ContractError(
            message(
                "The contract {path} cannot be read: {strerror}.",
                path=path,
                strerror=error.strerror,
            )
        ) from None
