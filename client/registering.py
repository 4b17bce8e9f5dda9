"""Registering a dataset: a described source is read, reported on, and kept under its name.

A table in memory is written once, as Parquet, into the party's folder; from then on it is a source
like any other. Nothing of a table that cannot be registered stays.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from audit.roles import Role
from languages import message
from party.datasets import Definition, inspect
from party.datasets.definition import read_definition
from party.datasets.rows import open_source
from party.errors import DatasetError, InUse
from party.occupied import writing_table
from party.organisation import Organisation
from party.registrations import FRAMES, Registered
from party.yaml_text import MOST_BYTES, read_yaml

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from party.datasets import QualityReport
    from party.subjects.person import Found


def register(
    party: Organisation,
    definition: Definition,
    population: str | None = None,
    *,
    reported: Callable[[QualityReport], None] | None = None,
    hook: Callable[[str], None] = lambda what: None,
) -> Registered:
    """Read what a description names, tell the report to `reported`, and register it.

    `hook` is told what is being read. A table from memory of that name is deleted.

    Raises:
        DatasetError: the data do not serve; nothing is registered.
    """
    registered = _register(party, definition, population, reported=reported, hook=hook)
    kept = party.folder / FRAMES / definition.name
    if kept.exists():
        with suppress(InUse), writing_table(party.folder, definition.name):  # or its writer does it
            source = party.dataset(definition.name).definition["source"]
            _remove({path for path in kept.glob("*") if str(path) != source})
    return registered


def _register(
    party: Organisation,
    definition: Definition,
    population: str | None = None,
    *,
    reported: Callable[[QualityReport], None] | None = None,
    hook: Callable[[str], None] = lambda what: None,
    former: Registered | None = None,
) -> Registered:
    party.access.require(Role.OPERATOR, "dataset.register")
    definition = party.with_records(definition)
    report = inspect(definition, hook, now=party.clock())
    if reported is not None:
        reported(report)
    party.keep_dataset(definition, report, population, former=former)
    return party.dataset(definition.name)


def register_frame(
    party: Organisation,
    frame: pd.DataFrame | pa.Table | pa.RecordBatchReader,
    description: Mapping[str, object] | str | Path,
    population: str | None = None,
) -> Registered:
    """Register a table in memory, of which the declared columns are kept in the party's folder.

    A `RecordBatchReader` is read to its end, and a batch at a time is in memory.

    `description` is a description without `source`, or a file of one, where paths start.

    Raises:
        DatasetError: description or data do not serve; nothing is registered or kept.
        InUse: another process writes this dataset's table; nothing is registered or kept.
    """
    party.access.require(Role.OPERATOR, "dataset.register")
    document, folder, what = _described(description)
    if "source" in document:
        raise DatasetError(
            message(
                "{what}: a table in memory is its own source; remove 'source'",
                what=what,
            )
        )
    shape = read_definition({**document, "source": "table.parquet"}, folder, what)
    kept = party.folder / FRAMES / shape.name
    with writing_table(party.folder, shape.name):
        before = set(kept.glob("*.parquet"))
        path = _write(frame, shape, kept)
        try:
            definition = read_definition({**document, "source": str(path)}, folder, what)
            registered = _register(party, definition, population)
        except BaseException:
            _remove({path} - before)
            raise
        _remove(before - {path})
    return registered


def kept_table(party: Organisation, found: Found) -> tuple[Registered, Path] | None:
    """Return the table from memory in which somebody was found; None where it is none.

    Raises:
        DatasetError: it is another one by now, where their rows have other numbers.
    """
    registered = party.dataset(found.dataset)
    definition = Definition.from_dict(registered.definition)
    path = Path(str(definition.to_dict()["source"]))
    if path.parent != party.folder / FRAMES / definition.name:
        return None
    with open_source(definition) as source:
        if source.snapshot().hex() != found.snapshot:
            raise DatasetError(
                message(
                    "dataset {name} has changed since the person was found in it; run again",
                    name=definition.name,
                )
            )
    return registered, path


def drop_rows(party: Organisation, found: Found) -> bool:
    """Write a table that came from memory anew without somebody's rows; say whether it is one.

    The file with these rows is deleted once the dataset is registered without them.

    Raises:
        DatasetError: it is another table by now, or what is left does not serve; everything stays
            as it was.
        InUse: another process writes this dataset's table; everything stays as it was.
    """
    import numpy as np
    import pyarrow.parquet as pq

    with writing_table(party.folder, found.dataset):
        kept = kept_table(party, found)
        if kept is None:
            return False
        registered, former = kept
        definition = Definition.from_dict(registered.definition)
        table = pq.read_table(former)
        stay = np.ones(len(table), dtype=np.bool_)
        stay[found.rows] = False
        path = _write(table.filter(stay), definition, former.parent)
        try:
            document = {**definition.to_dict(), "source": str(path)}
            _register(party, Definition.from_dict(document), former=registered)
        except BaseException:
            _remove({path} - {former})
            raise
        _remove({former} - {path})
    return True


def _described(
    description: Mapping[str, object] | str | Path,
) -> tuple[Mapping[str, object], Path, str]:
    """Return a description's document, where its paths start, and what to call it."""
    if isinstance(description, Mapping):
        return description, Path.cwd(), "the description"
    path = Path(description)
    try:
        with path.open("rb") as file:
            document = read_yaml(file.read(MOST_BYTES + 1), str(path), DatasetError)
    except OSError as error:
        raise DatasetError(
            message(
                "{path}: cannot be read: {strerror}",
                path=path,
                strerror=error.strerror,
            )
        ) from None
    if not isinstance(document, dict):
        raise DatasetError(
            message(
                "{path}: expected keys such as dataset, columns and consent",
                path=path,
            )
        )
    return document, path.parent.resolve(), str(path)


def _write(
    frame: pd.DataFrame | pa.Table | pa.RecordBatchReader, definition: Definition, folder: Path
) -> Path:
    """Write the declared columns to a file that is named by its digest, and return it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, staging = tempfile.mkstemp(dir=folder, suffix=".part")
    os.close(handle)
    try:
        if isinstance(frame, pa.RecordBatchReader):
            _write_batches(frame, definition, staging)
        else:
            table = _declared(frame, definition)
            pq.write_table(table.replace_schema_metadata(None), staging)
        with Path(staging).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Path(staging).replace(folder / f"{digest}.parquet")
    except (pa.ArrowException, TypeError, ValueError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise DatasetError(
            message(
                "the table cannot be kept as Parquet ({said}): give every column one type",
                said=said,
            )
        ) from None
    finally:
        Path(staging).unlink(missing_ok=True)


def _write_batches(reader: pa.RecordBatchReader, definition: Definition, path: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    declared = _declared_names(reader.schema.names, definition)
    schema = pa.schema([reader.schema.field(name) for name in declared])
    with pq.ParquetWriter(path, schema.remove_metadata()) as writer:
        for batch in reader:
            kept = batch.select(declared).replace_schema_metadata(None)
            writer.write_batch(kept)


def _declared(frame: pd.DataFrame | pa.Table, definition: Definition) -> pa.Table:
    """Return the declared columns of a table; rows and nulls stay as they are."""
    import pyarrow as pa

    names = [str(name) for name in getattr(frame, "column_names", frame.columns)]
    declared = _declared_names(names, definition)
    if isinstance(frame, pa.Table):
        return frame.select(declared)
    return pa.Table.from_pandas(frame[declared], preserve_index=False)


def _declared_names(names: Sequence[str], definition: Definition) -> list[str]:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DatasetError(
            message(
                "the table has several columns {doubled}",
                doubled=", ".join(doubled),
            )
        )
    return [name for name in definition.source_columns if name in names]


def _remove(files: set[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
