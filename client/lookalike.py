"""The course of `lookalike`: from a finished request's stored table to a scored file."""

from __future__ import annotations

from pathlib import Path

from client.results import shareable_of
from party.desk import Desk
from party.errors import PartyError
from party.lookalike import Order, Scored, score
from party.organisation import Organisation
from reports.lookalike import Lookalike


def make_lookalike(
    party: Organisation,
    request: str,
    *,
    dataset: str | None,
    purpose: str,
    top: float,
    out: Path,
    actor: str,
) -> Scored:
    """Score this party's own people by the insights that a request has brought.

    `request` is an id or its first digits; `dataset` the base, None for that of the request.

    Raises:
        PartyError, Refusal, DatasetError: as `party.lookalike.score`; there is no such request, or
            it has no result.
        ResultError: the stored table was changed after it was made.
    """
    desk = Desk(party)
    filed = desk.find(request)
    order = Order(dataset, purpose, top, out)
    stored = desk.require_result(filed)
    if "table" not in stored:
        raise PartyError(
            f"request {filed.request.id[:8]} is {filed.request.kind}, which makes no table: a "
            "lookalike is made from insights"
        )
    # Whoever tabulated knows its own noise; the shareable reading is the one it may act on.
    lookalike = Lookalike(shareable_of(stored))
    return score(party, filed, lookalike, order, actor=actor)
