"""Writing the documents of a contract: new files, whole or not at all; the log has digests."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from audit.bodies import DocumentMade
from client.audit_files import zipped
from client.documents.blocks import to_html, to_markdown
from client.documents.facts import Known
from client.documents.impact_assessment import impact_assessment
from client.documents.processing_record import processing_record
from languages import LanguageError, language, message
from party.activation.private_file import drafted, publish, require_new
from party.contract import Contract
from party.durable import flush
from party.errors import PartyError
from party.organisation import Organisation

DOCUMENTS: Final = (processing_record, impact_assessment)
FORMS: Final = {"md": to_markdown, "html": to_html}


def write_documents(
    party: Organisation, contract: Contract, folder: Path, *, code: str, actor: str
) -> list[Path]:
    """Write record of processing and impact assessment into a folder, and return the paths.

    `code` is the language, `en` or `zh`. Nothing is written over: people fill these files in. The
    log takes their digests in where the contract is stored here; a draft's are not logged.

    Raises:
        PartyError: a file exists already or cannot be written, or there is no such language;
            nothing is written then.
        ContractError: the contract is not for this party.
    """
    try:
        _ = language(code)
    except LanguageError as error:
        raise PartyError(str(error)) from None
    known = Known.of(party, contract)
    made = [document(known, _) for document in DOCUMENTS]
    texts = {
        f"{contract.id}-{one.stem}.{code}.{ending}": form(one, _).encode()
        for one in made
        for ending, form in FORMS.items()
    }
    _make(folder)
    paths = [folder / name for name in texts]
    for path in paths:
        require_new(path)
    with ExitStack() as stack:
        drafts = [stack.enter_context(drafted(path)) for path in paths]
        for draft, text in zip(drafts, texts.values(), strict=True):
            draft.write_bytes(text)
            flush(draft)
        if known.stored:
            _log(party, contract, code, texts, actor)
        for draft, path in zip(drafts, paths, strict=True):
            publish(draft, path)
    return paths


def zipped_documents(party: Organisation, contract: Contract, *, code: str, actor: str) -> bytes:
    """Return the documents of a contract as a zip, which is kept nowhere; see `write_documents`."""
    with TemporaryDirectory(prefix=".documents-", dir=party.folder) as folder:
        paths = write_documents(party, contract, Path(folder), code=code, actor=actor)
        return zipped({path.name: path.read_bytes() for path in paths})


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise PartyError(
            message(
                "the folder {folder} cannot be made: {strerror}",
                folder=folder,
                strerror=error.strerror,
            )
        ) from None


def _log(
    party: Organisation, contract: Contract, code: str, texts: dict[str, bytes], actor: str
) -> None:
    digests = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    # Every role may write documents, as it may read: past the guard of what changes something.
    body = DocumentMade(language=code, files=digests)
    party.store.record(
        lambda connection: party.journal.append(
            connection, "document.made", body, actor=actor, contract=contract.digest
        )
    )
