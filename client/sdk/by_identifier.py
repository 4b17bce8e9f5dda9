"""An overlap by identifier type: the quote of the whole, and the report with its verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from client.by_identifier import ByIdentifierReport, report_of
from client.output import as_text
from client.quoting import Quoted
from client.sdk.results import Reading
from party.filing import Filed
from party.organisation import Organisation

if TYPE_CHECKING:
    import pandas as pd


class ReadingByIdentifier(Reading):
    """One reading of an overlap by identifier; the label of a row is the type."""

    def __init__(
        self, report: ByIdentifierReport, party: Organisation, finished: Mapping[str, Filed]
    ) -> None:
        super().__init__(report, party, list(finished.values()))
        self._report = report

    def verdicts_to_pandas(self) -> pd.DataFrame:
        """Return why each type finds as many people as it does: a line a type."""
        import pandas as pd

        return pd.DataFrame([one.to_dict() for one in self._report.verdicts])

    def __str__(self) -> str:
        from client.render_by_identifier import by_identifier_shown

        return as_text(*by_identifier_shown(self._report))

    def _repr_html_(self) -> str:
        """Show a notebook a line a type, and the verdict at its end."""
        frame = self.to_pandas()
        table = frame.pivot_table(
            index="label", columns="metric", values="shown", aggfunc="first", sort=False
        )
        table["verdict"] = self.verdicts_to_pandas().set_index("type")["verdict"]
        return str(table.to_html())


class OverlapByIdentifier(ReadingByIdentifier):
    """A table for each type, as it may be passed on; `private` is for your eyes only."""

    def __init__(self, party: Organisation, finished: Mapping[str, Filed]) -> None:
        super().__init__(report_of(party, finished, private=False), party, finished)
        self._by_type = finished

    @property
    def requests(self) -> dict[str, str]:
        """The ids of the requests by identifier type; each is a report of its own too."""
        return {kind: filed.request.id for kind, filed in self._by_type.items()}

    @property
    def private(self) -> ReadingByIdentifier:
        """The more exact numbers, for the recipient's own eyes.

        Raises:
            PartyError: this party is not the tables' recipient.
            ResultError: a result was changed after it was made.
        """
        report = report_of(self._party, self._by_type, private=True)
        return ReadingByIdentifier(report, self._party, self._by_type)

    def __repr__(self) -> str:
        return f"<OverlapByIdentifier {', '.join(self._by_type)}>"


class QuoteByIdentifier:
    """What all requests of an overlap by identifier would cost together; for your eyes only."""

    def __init__(self, quotes: Sequence[Quoted]) -> None:
        self._quotes = quotes

    @property
    def wire_bytes(self) -> int:
        """About how many bytes would cross."""
        return sum(one.figures.wire_bytes for one in self._quotes)

    @property
    def seconds(self) -> float:
        """About how long the work would take."""
        return sum(one.figures.seconds for one in self._quotes)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole and each type as JSON values, as the command's `--json` does."""
        from client.render_by_identifier import quotes_document

        return quotes_document(self._quotes)

    def to_pandas(self) -> pd.DataFrame:
        """Return who pays what for all: party, ε and δ as exact decimal text."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["charges"], columns=["party", "epsilon", "delta"])

    def __str__(self) -> str:
        from client.render_by_identifier import quotes_shown

        return as_text(*quotes_shown(self._quotes))

    def __repr__(self) -> str:
        return f"<QuoteByIdentifier of {len(self._quotes)} tables, about {self.seconds:.0f} s>"
