"""Scoring one's own people by insights: the verb of `commonground lookalike`."""

from __future__ import annotations

from pathlib import Path

from client.actors import OPERATOR
from client.lookalike import make_lookalike
from party.lookalike import Scored
from party.organisation import Organisation


class LookalikeVerb:
    """`commonground lookalike`; a part of `Party`."""

    _party: Organisation

    def lookalike(
        self,
        request: str,
        *,
        purpose: str,
        out: str | Path,
        dataset: str | None = None,
        top: float = 0.1,
    ) -> Scored:
        """Write those of your people who are most like the matched, by insights you tabulated.

        `dataset` is whose people are scored, that of the request if None; `top` the share of them
        to write, the best first, into a new file (.parquet, .csv). Nothing is sent or spent.

        Raises:
            Refusal: the contract does not grant the purpose (NOT_GRANTED), or has ended (EXPIRED).
            DatasetError: the dataset has not the request's label, or nobody who consents.
            PartyError: the request has no table of attributes of yours, or an argument or the file
                does not serve; nothing is written.
            ResultError: the stored table was changed after it was made.
        """
        return make_lookalike(
            self._party,
            request,
            dataset=dataset,
            purpose=purpose,
            top=top,
            out=Path(out),
            actor=OPERATOR,
        )
