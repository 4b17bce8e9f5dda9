"""Registering a party's own data: described files, DataFrames and Arrow tables."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client.actors import OPERATOR
from client.bounds import Bounds, propose_bounds, take_top_bound
from client.checking import check
from client.output import as_text
from client.registering import register, register_frame
from party.catalogue import DataMap, MappedColumn, Recipient, Use, data_map
from party.datasets import load_definition
from party.organisation import Organisation
from party.registrations import Registered, find
from party.top_bound import TopBound, taken
from psi.buckets import REFUND

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    import party.diagnosis


@dataclass(frozen=True)
class Dataset:
    """A registered dataset. Its counts are exact: for your eyes only."""

    registered: Registered

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.registered.name

    @property
    def people(self) -> int:
        """How many people it has."""
        people: int = self.registered.quality["people"]
        return people

    @property
    def population(self) -> str:
        """Whose privacy budget it charges."""
        return self.registered.population

    @property
    def snapshot(self) -> str:
        """The digest of what was read, as hexadecimal digits."""
        return self.registered.snapshot

    @property
    def registered_at(self) -> datetime:
        """When it was registered (UTC)."""
        return datetime.fromtimestamp(self.registered.registered_at, UTC)

    @property
    def quality(self) -> Mapping[str, Any]:
        """The quality report, as JSON values."""
        return self.registered.quality

    def to_pandas(self) -> pd.DataFrame:
        """Return the quality report's columns: a line a column of the source."""
        import pandas as pd

        return pd.DataFrame(self.quality["columns"])

    def invalid_traffic_to_pandas(self) -> pd.DataFrame:
        """Return what each rule on invalid traffic took out: name, before, after; a line a rule.

        Numbers are rows of events, those of the last line people.
        """
        import pandas as pd

        steps = self.quality.get("invalid_traffic", [])
        return pd.DataFrame(steps, columns=["name", "before", "after"])

    def __str__(self) -> str:
        from client.render_dataset import quality_shown

        return as_text(*quality_shown(self.quality))

    def __repr__(self) -> str:
        return f"<Dataset {self.name}, population {self.population}>"


@dataclass(frozen=True)
class MappedDataset(Dataset):
    """A registered dataset with its data map, which holds no count of people."""

    map: DataMap

    def uses_to_pandas(self) -> pd.DataFrame:
        """Return a line for each request that asked of it."""
        return self._frame("uses", Use)

    def recipients_to_pandas(self) -> pd.DataFrame:
        """Return a line for each who has received something that was made of it."""
        return self._frame("recipients", Recipient)

    def columns_to_pandas(self) -> pd.DataFrame:
        """Return a line for each column: what it is and what it is read for."""
        return self._frame("columns", MappedColumn)

    def _frame(self, part: str, kind: type[Use | Recipient | MappedColumn]) -> pd.DataFrame:
        import pandas as pd

        columns = [field.name for field in fields(kind)]
        return pd.DataFrame(self.map.to_dict()[part], columns=columns)

    def __str__(self) -> str:
        from client.render_catalogue import map_shown
        from client.render_dataset import quality_shown

        quality = ["", *quality_shown(self.quality)] if self.quality else []
        return as_text(*map_shown(self.map), *quality)

    def __repr__(self) -> str:
        return f"<MappedDataset {self.name}, population {self.population}>"


class Diagnosis:
    """Why few people of a dataset are found. Its counts are exact: for your eyes only."""

    def __init__(self, found: party.diagnosis.Diagnosis) -> None:
        self._found = found

    @property
    def must_correct(self) -> bool:
        """Whether something has to be corrected: then the command ends with exit code 6."""
        return self._found.must_correct

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be told."""
        return self._found.notes

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values, as `commonground dataset check --json` does."""
        return self._found.to_dict()

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a cause, costliest first."""
        import pandas as pd

        columns = ["cause", "subject", "level", "people", "share", "evidence", "example", "remedy"]
        return pd.DataFrame([one.to_dict() for one in self._found.findings], columns=columns)

    def __str__(self) -> str:
        from client.render_diagnosis import diagnosis_shown

        return as_text(*diagnosis_shown(self._found))

    def __repr__(self) -> str:
        return f"<Diagnosis {self._found.dataset}, {len(self._found.findings)} causes>"


class Buckets:
    """Proposed bounds, and those of other ratios to compare them with."""

    def __init__(self, proposed: Sequence[Bounds]) -> None:
        self._proposed = proposed

    @property
    def bounds(self) -> tuple[str, ...]:
        """The bounds as a description has them, without `refund`."""
        return tuple(label for label in self._proposed[0].labels if label != REFUND)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values, as `commonground dataset buckets --json` does."""
        return {"bounds": [one.to_dict() for one in self._proposed]}

    def to_pandas(self) -> pd.DataFrame:
        """Return a line a ratio, the chosen one first."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["bounds"])

    def __str__(self) -> str:
        from client.render_bounds import bounds_shown

        return as_text(*bounds_shown(self._proposed))

    def __repr__(self) -> str:
        return f"<Buckets {', '.join(self.bounds)}>"


class Datasets:
    """`commonground dataset`."""

    def __init__(self, party: Organisation) -> None:
        self._party = party

    def add(self, file: str | Path, *, population: str | None = None) -> Dataset:
        """Read what a description names, and register it; the files stay where they are.

        Raises:
            DatasetError: the description or the data do not serve; nothing is registered.
        """
        return Dataset(register(self._party, load_definition(file), population))

    def add_frame(
        self,
        frame: pd.DataFrame | pa.Table | pa.RecordBatchReader,
        description: Mapping[str, object] | str | Path,
        *,
        population: str | None = None,
    ) -> Dataset:
        """Register a DataFrame, an Arrow table or a reader of batches.

        The party keeps a copy of the declared columns.

        `description` is what a description file says, or such a file; its `source` is left out.

        Raises:
            DatasetError: the description or the data do not serve; nothing is registered or kept.
        """
        return Dataset(register_frame(self._party, frame, description, population))

    def check(
        self,
        which: str | Path,
        *,
        sample: str | Path | None = None,
        region: str | None = None,
        contract: str | None = None,
    ) -> Diagnosis:
        """Find out why few people are found; `which` is a description file or a dataset's name.

        `sample` is a file of raw values of your own people, `region` that of its phone numbers.

        Raises:
            DatasetError: it cannot be read as described, or the contract does not know it.
            ContractError: there is no such contract.
        """
        raw = None if sample is None else Path(sample)
        return Diagnosis(check(self._party, which, sample=raw, region=region, contract=contract))

    @staticmethod
    def buckets(
        lowest: str,
        highest: str,
        ratio: str = "2",
        *,
        refunds: bool = False,
        people: int = 10_000,
        epsilon: str = "1",
        identifiers: int = 1,
    ) -> Buckets:
        """Propose public bounds for value buckets, and say what they cost in accuracy.

        Nothing is read and nothing is spent. Amounts are exact decimal text.

        Raises:
            PsiError: lowest, highest or ratio do not serve.
            PrivacyError: ε does not serve.
        """
        return Buckets(
            propose_bounds(
                lowest, highest, ratio, refunds=refunds, people=people, epsilon=epsilon,
                identifiers=identifiers,
            )
        )  # fmt: skip

    def top_bounds(self) -> builtins.list[TopBound]:
        """Return every top bound that was taken from this party's data, the oldest first."""
        return taken(self._party)

    def top_bound(
        self,
        dataset: str,
        column: str,
        lowest: str,
        highest: str,
        ratio: str = "2",
        *,
        share: float = 0.99,
        epsilon: str = "0.1",
        purpose: str | None = None,
        contract: str | None = None,
        refunds: bool = False,
    ) -> TopBound:
        """Choose the top bound by this party's own data, with noise, and charge it.

        `share` of the people with a value above 0 are to be within it. Asking again is charged
        again.

        Raises:
            Refusal: the budget does not suffice; nothing is spent.
            DatasetError, ContractError, PsiError, PrivacyError: something does not serve.
            PartyError: too few people for this ε; the charge stands.
        """
        return take_top_bound(
            self._party, dataset, column, lowest, highest, ratio, share=share, epsilon=epsilon,
            purpose=purpose, contract=contract, refunds=refunds, actor=OPERATOR,
        )  # fmt: skip

    def list(self) -> list[Dataset]:
        """Return the registered datasets by name."""
        return [Dataset(one) for one in self._party.datasets()]

    def show(self, name: str) -> MappedDataset:
        """Return one dataset as of its registration, with its data map; also one that has ended.

        Raises:
            DatasetError: there is none of this name.
        """
        return MappedDataset(find(self._party, name), data_map(self._party, name))
