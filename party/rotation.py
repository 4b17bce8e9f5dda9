"""Replacing a party's TLS key or signing key while it is open, here and in other processes.

The new key and the statement to counterparts are written first, then `key.rotated` enters the log,
then the folder gets the name under which it is found (`party.own_keys`): killed between the last
two, it gets it at the next look. The new key comes into use when the statement says, so that who
was told knows it by then; until then and for the overlap the one before is accepted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import Connection

from audit.bodies import KeyRotated
from audit.note import Signer
from audit.roles import BY_HAND, Role
from party.certificate import hosts_of, issue_certificate
from party.durable import settle, sync_folder
from party.errors import IdentityError, InUse
from party.key_files import write_key_folder
from party.key_statement import MOST_OVERLAP_SECONDS, MOST_STATEMENTS, KeyStatement, PublicKeys
from party.lock_file import held
from party.log_pages import entries_of
from party.own_keys import (
    IDENTITY_KEY,
    ROTATIONS,
    STATEMENT,
    TLS_CERTIFICATE,
    TLS_KEY,
    VERIFIER_KEY,
    private_pem,
    rotation_folder,
)
from party.reception import end_invitations

if TYPE_CHECKING:
    from party.organisation import Organisation

Which = Literal["tls", "identity"]
WHICH: Final[tuple[Which, ...]] = ("tls", "identity")
FILE: Final = "keys.json"
"""The statements of a party, one a line, beside its card: for who cannot be told over the wire."""
USE_AFTER_HOURS: Final = 24
OVERLAP_DAYS: Final = 14
_NEW: Final = ".new"


def rotate(
    party: Organisation,
    which: Which,
    *,
    use_after_hours: int = USE_AFTER_HOURS,
    overlap_days: int = OVERLAP_DAYS,
) -> KeyStatement:
    """Replace a key: `tls`, with the certificate, or `identity`, by which contracts are signed.

    It comes into use after so many hours; the one before is accepted for so many days more. Open
    invitations name the certificate before, and end when it goes out of use.

    Raises:
        IdentityError: the last replacement has not come into use, or the times do not serve.
        InUse: another process replaces a key of this party.
    """
    party.access.require(Role.OPERATOR, "key.rotate")
    with held(party.folder / "locks" / "keys", InUse("another process replaces a key just now")):
        _finish(party)
        statements, now = party.identity.statements, party.now
        starts = now + use_after_hours * 3600
        ends = starts + overlap_days * 86_400
        _require_possible(statements, now, starts, ends)
        statement, files = _made(party, which, now, starts, ends)
        folder = rotation_folder(_rotations(party), statement.number)
        staged = folder.with_name(folder.name + _NEW)
        write_key_folder(staged, {**files, STATEMENT: statement.encode()})
        body = _entry(which, statement)

        def enter(connection: Connection) -> None:
            party.journal.append(connection, "key.rotated", body, actor=BY_HAND)
            if which == "tls":
                end_invitations(connection, statement.starts)

        party.store.write(enter)
        _put(staged, folder)
        write_statements(party)
        return statement


def finish_rotation(party: Organisation) -> None:
    """Put in its place what a rotation that was killed had left: the log says whether it counts."""
    if any(_staged(_rotations(party))):
        with held(
            party.folder / "locks" / "keys", InUse("another process replaces a key just now")
        ):
            _finish(party)
    if party.identity.statements and not (party.folder / FILE).exists():
        write_statements(party)  # the party was restored from a backup


def write_statements(party: Organisation) -> Path:
    """Write the statements beside the card, for counterparts that cannot be told; return where."""
    path = party.folder / FILE
    temporary = path.with_name(f".{FILE}.new")
    temporary.write_bytes(b"".join(one.encode() + b"\n" for one in party.identity.statements))
    settle(temporary, path)
    return path


def _made(
    party: Organisation, which: Which, now: int, starts: int, ends: int
) -> tuple[KeyStatement, dict[str, bytes]]:
    """Return the signed statement with new keys, and the files that hold them."""
    identity = party.identity
    newest = identity.newest
    before, signer = newest.public, newest.signer
    if signer is None:
        raise IdentityError("The newest signing key was deleted. Restore it from a backup.")
    if which == "tls":
        tls_key = ec.generate_private_key(ec.SECP256R1())
        hosts = hosts_of(newest.certificate)
        certificate = issue_certificate(tls_key, name=identity.name, hosts=hosts, now=now)
        after, new_signer = PublicKeys(before.signing, certificate.pem), signer
        files = {TLS_KEY: private_pem(tls_key), TLS_CERTIFICATE: certificate.pem.encode()}
    else:
        key = Ed25519PrivateKey.generate()
        new_signer = Signer(identity.log_origin, key.private_bytes_raw())
        after = PublicKeys(new_signer.verifier.vkey, before.certificate)
        files = {IDENTITY_KEY: private_pem(key), VERIFIER_KEY: after.signing.encode() + b"\n"}
    number = len(identity.statements) + 1
    statement = KeyStatement(identity.vkey, number, now, starts, ends, before, after)
    return statement.sign(signer, new_signer), files


def _require_possible(
    statements: tuple[KeyStatement, ...], now: int, starts: int, ends: int
) -> None:
    if len(statements) >= MOST_STATEMENTS:
        raise IdentityError(
            f"This party has replaced keys {MOST_STATEMENTS} times, which is the most. Make it anew"
            " with 'commonground init', and agree on new contracts."
        )
    if statements and now < statements[-1].starts:
        raise IdentityError(
            "The key that was made last is not in use yet, and one is replaced at a time: see"
            " 'commonground keys show'."
        )
    if not now <= starts <= ends <= now + MOST_OVERLAP_SECONDS:
        raise IdentityError(
            "Hours and days until the key before is accepted no longer are"
            f" {MOST_OVERLAP_SECONDS // 86_400} days together at most, and none is negative."
        )


def _entry(which: Which, statement: KeyStatement) -> KeyRotated:
    return KeyRotated(
        number=statement.number,
        key="tls" if which == "tls" else "signing",
        signing=statement.after.signing,
        certificate=statement.after.fingerprint.removeprefix("sha256:"),
        statement=statement.digest,
        starts=statement.starts,
        ends=statement.ends,
    )


def _finish(party: Organisation) -> None:
    for staged in _staged(_rotations(party)):
        statement = KeyStatement.decode((staged / STATEMENT).read_bytes())
        if _is_entered(party, statement):
            _put(staged, staged.with_name(staged.name.removesuffix(_NEW)))
            write_statements(party)
        else:
            shutil.rmtree(staged)


def _is_entered(party: Organisation, statement: KeyStatement) -> bool:
    """Say whether the log has the entry of a statement."""
    entries = party.store.read(lambda connection: entries_of(connection, kinds=["key.rotated"]))
    return any(getattr(one.body, "statement", None) == statement.digest for one in entries)


def _staged(rotations: Path) -> Iterator[Path]:
    yield from rotations.glob(f"[0-9]*{_NEW}")


def _put(staged: Path, folder: Path) -> None:
    staged.rename(folder)
    sync_folder(folder.parent)
    os.utime(folder.parent)  # whoever has looked within the same tick looks again


def _rotations(party: Organisation) -> Path:
    return party.folder / "keys" / ROTATIONS
