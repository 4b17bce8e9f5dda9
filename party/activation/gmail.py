"""Gmail's aliases: dots and a +tag before the @ reach the same mailbox."""

from __future__ import annotations

from collections.abc import Collection

from psi.errors import Rejected
from psi.reasons import Reason


def without_aliases(address: str, domains: Collection[str]) -> str:
    """Return a normalised address without dots and +tag, where it is in one of `domains`.

    Raises Rejected when nothing is left before the @.
    """
    local, _, domain = address.partition("@")
    if domain not in domains:
        return address
    local = local.partition("+")[0].replace(".", "")
    if not local:
        raise Rejected(Reason.EMAIL_EMPTY_LOCAL)
    return f"{local}@{domain}"
