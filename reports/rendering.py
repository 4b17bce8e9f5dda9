"""How a report becomes data: rows, dictionaries, frames, and exports.

Two kinds that do not turn into each other. What knows the recipient's own dummies is private:
it can be looked at and kept by its owner, and has no export. What is computed from the released
table and public parameters alone is shareable, and only that has exports.
"""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from reports.estimate import Estimate, Unit

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

PRIVATE = "private: not to be passed on"
SHAREABLE = "shareable"


@dataclass(frozen=True)
class Row:
    """One number in its place.

    Attributes:
        metric: what is counted.
        unit: what it is counted in.
        estimate: the number.
        label: a tabulator's label, a frequency or a campaign; None for all of them.
        segment: a recipient's label; None for all of them.
        fitted: the number after it is made consistent with the others of its report.
        inconsistent: the fit moved the number further than its noise explains.
        attribute: a third party's label; None for everybody, as in every report of two parties.
    """

    metric: str
    unit: Unit
    estimate: Estimate
    label: str | None = None
    segment: str | None = None
    fitted: float | None = None
    inconsistent: bool = False
    attribute: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; nothing of a suppressed number but its errors."""
        hidden = self.estimate.suppressed
        return {
            "metric": self.metric,
            "label": self.label,
            "segment": self.segment,
            "attribute": self.attribute,
            "unit": self.unit,
            **self.estimate.to_dict(),
            "fitted": None if hidden else self.fitted,
            "inconsistent": None if hidden else self.inconsistent,
            "shown": self.estimate.shown(self.unit),
        }


class Rendering(ABC):
    """What every report can show of itself."""

    kind: ClassVar[str]

    @abstractmethod
    def title(self) -> str:
        """Return the report's name."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield every number, always in the same order."""

    @abstractmethod
    def evidence(self) -> dict[str, Any]:
        """Return what the numbers come from as JSON values, under names of their own."""

    def notes(self) -> Sequence[str]:
        """Return what a reader has to know beside the numbers."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report, its table included, as JSON values."""
        return {
            "report": self.title(),
            "kind": self.kind,
            "notes": list(self.notes()),
            "rows": [row.to_dict() for row in self.rows()],
            **self.evidence(),
        }

    def frame(self) -> pd.DataFrame:
        """Return one line a number; the column `kind` says whether it may be passed on."""
        import pandas as pd

        frame = pd.DataFrame(self._records())
        frame.attrs["kind"] = self.kind
        return frame

    def _records(self) -> list[dict[str, Any]]:
        head = {"report": self.title(), "kind": self.kind}
        return [head | row.to_dict() for row in self.rows()]


class PrivateRendering(Rendering):
    """For the owner's eyes: a reader who knows the table could subtract the dummies."""

    kind = PRIVATE


class ShareableRendering(Rendering):
    """A function of the released table and public parameters, so anyone may have it."""

    kind = SHAREABLE

    def to_json(self) -> str:
        """Return the report as JSON text, equal for equal tables."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False)

    def to_csv(self) -> str:
        """Return the rows as RFC 4180 text; an absent value is empty."""
        records = self._records()
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue()

    def to_parquet(self) -> bytes:
        """Return the rows as a Parquet file."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        table = pa.Table.from_pylist(self._records(), schema=_arrow_schema())
        pq.write_table(table.replace_schema_metadata({"kind": self.kind}), sink)
        return bytes(sink.getvalue().to_pybytes())


def _arrow_schema() -> pyarrow.Schema:
    """Name the columns' types, so that a column of nothing but nulls keeps its own."""
    import pyarrow as pa

    text = ("report", "kind", "metric", "label", "segment", "attribute", "unit")
    numbers = ("value", "standard_error", "low", "high")
    return pa.schema(
        [(name, pa.string()) for name in text]
        + [(name, pa.float64()) for name in numbers]
        + [("suppressed", pa.bool_()), ("noise_dominated", pa.bool_())]
        + [("epsilon_factor", pa.float64()), ("fitted", pa.float64())]
        + [("inconsistent", pa.bool_()), ("shown", pa.string())]
    )
