"""Every kind of source gives what a CSV of the same rows gives, and holds nothing afterwards."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
import yaml
from dataset_builder import describe, description, prepared, references_of, row
from source_builder import KINDS, described, rows_of, source_of

from party.datasets import Definition, inspect, load_definition
from party.datasets.content import PrivateCopy, copy_privately, private_file
from party.datasets.rows import open_source
from party.errors import DatasetError

SECRET = "hunter2"


def server_of(kind, request):
    return request.getfixturevalue("postgresql") if kind == "postgresql" else None


def watch_private_files(monkeypatch):
    """Return a list that every private file from now on is put into."""
    made = []

    def make():
        made.append(private_file())
        return made[-1]

    for module in ("content", "spill"):
        monkeypatch.setattr(f"party.datasets.{module}.private_file", make)
    return made


def columns_of(report):
    return {column.name: column.quality for column in report.columns}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 300])
def test_every_source_gives_the_keys_of_the_same_rows_in_csv(tmp_path, request, kind, count):
    rows = rows_of(count)
    wanted = described("csv", tmp_path / "wanted", rows)
    found = described(kind, tmp_path / "found", rows, server_of(kind, request))
    expected, result = prepared(wanted), prepared(found)
    assert result.keys == expected.keys
    assert result.labels.tolist() == expected.labels.tolist()
    assert result.owners.tolist() == expected.owners.tolist()
    assert references_of(result) == references_of(expected)
    assert columns_of(inspect(found)) == columns_of(inspect(wanted))


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_has_the_same_snapshot_until_its_rows_change(tmp_path, request, kind):
    server = server_of(kind, request)
    definition = described(kind, tmp_path / "a", rows_of(9), server)
    first = inspect(definition).snapshot
    assert prepared(definition).snapshot == first
    other = described(kind, tmp_path / "b", rows_of(10), server)
    assert inspect(other).snapshot != first


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_survives_storage_and_stores_no_password(tmp_path, request, kind):
    definition = described(kind, tmp_path, rows_of(3), server_of(kind, request))
    stored = json.dumps(definition.to_dict())
    assert Definition.from_dict(json.loads(stored)) == definition
    assert "let-the-tests-in" not in stored


@pytest.mark.parametrize("kind", KINDS)
def test_no_source_leaves_a_file_or_an_open_one_behind(tmp_path, request, kind, monkeypatch):
    definition = described(kind, tmp_path / "data", rows_of(30), server_of(kind, request))
    spills = tmp_path / "tmp"
    spills.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spills))
    made = watch_private_files(monkeypatch)
    prepared(definition)
    with pytest.raises(DatasetError, match="nope"):
        prepared(describe(tmp_path / "data", source=definition.source.to_json(), person="nope"))
    assert list(spills.iterdir()) == []
    assert all(file.closed for file in made)
    assert bool(made) == (kind in ("sqlite", "postgresql", "duckdb", "memory", "file"))


def test_a_private_copy_has_no_name_and_is_for_its_owner_alone():
    with private_file() as file:
        status = os.fstat(file.fileno())
    assert (status.st_nlink, status.st_mode & 0o777) == (0, 0o600)


def test_a_copy_that_breaks_off_keeps_nothing(tmp_path, monkeypatch):
    made = watch_private_files(monkeypatch)

    class Breaks:
        def __init__(self):
            self.blocks = [b"x"]

        def read(self, _):
            return self.blocks.pop()

    with pytest.raises(IndexError):
        copy_privately("x", Breaks())
    assert made[0].closed


def test_two_readers_of_a_private_copy_do_not_disturb_each_other():
    file = private_file()
    file.write(bytes(range(200)))
    file.flush()
    copy = PrivateCopy("x", b"", file)
    first, second = copy.open(), copy.open()
    assert first.read(100) == bytes(range(100))
    assert second.read() == bytes(range(200))
    assert first.read() == bytes(range(100, 200))


SESSION = """
import sys
from pathlib import Path
from pathlib import Path
from party.datasets import load_definition
from party.datasets.prepare import prepare

result = prepare(
    load_definition(Path(sys.argv[1])), label=None, values=[], identifiers=["email", "phone"],
    offer="all", most_identifiers=8, purpose="dpv:TargetedAdvertising", recipients=["channel"],
    salt=bytes(32), now=1.8e9,
)
print(len(result.keys) > 0, "pandas" in sys.modules)
"""


@pytest.mark.parametrize("kind", ["feather", "sqlite", "postgresql", "duckdb"])
def test_no_source_loads_pandas(tmp_path, request, kind):
    described(kind, tmp_path, rows_of(20), server_of(kind, request))
    command = [sys.executable, "-c", SESSION, str(tmp_path / "dataset.yaml")]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.stdout.split(), run.stderr) == (["True", "False"], "")


# -- Arrow files -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".arrow", ".feather"])
@pytest.mark.parametrize("data", [b"", b"ARROW1", b"ARROW1\0\0" + b"\xff" * 99, b"a,b\n1,2\n"])
def test_an_arrow_file_that_is_none_is_refused(tmp_path, suffix, data):
    (tmp_path / f"x{suffix}").write_bytes(data)
    with pytest.raises(DatasetError, match=rf"x\{suffix}: is"):
        prepared(describe(tmp_path, source=f"x{suffix}"))


@pytest.mark.parametrize("kind", ["feather", "arrow"])
def test_an_arrow_file_that_ends_early_is_refused(tmp_path, kind):
    name = source_of(kind, tmp_path, rows_of(2000))
    data = (tmp_path / name).read_bytes()
    for end in (len(data) // 2, len(data) - 30):
        (tmp_path / name).write_bytes(data[:end])
        if kind == "arrow" and end == len(data) - 30:
            continue  # a stream's last bytes are padding and its end mark
        with pytest.raises(DatasetError, match=r"is damaged|is not an Arrow file"):
            prepared(describe(tmp_path, source=name))


def test_an_arrow_column_that_stands_twice_or_is_inexact_is_refused(tmp_path):
    names = ["household", "email", "tel", "segment", "opt_in"]
    twice = pa.Table.from_arrays([pa.array(["x"])] * 6, names=[*names, "email"])
    floats = pa.table({name: pa.array([1.5]) for name in names})
    for table, says in ((twice, "'email' stands twice"), (floats, "holds floating-point numbers")):
        with pa.ipc.new_file(tmp_path / "x.arrow", table.schema) as writer:
            writer.write_table(table)
        with pytest.raises(DatasetError, match=says):
            prepared(describe(tmp_path, source="x.arrow"))


# -- object stores -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("memory://nothing/x.csv", "there is no such file"),
        ("memory://nothing/*.csv", "there is no such file"),
        ("memory://bad/x.xlsx", "files are .csv"),
        ("memory://bad/*", "files are .csv"),
        ("nosuch://bucket/x.csv", "no kind of store that fsspec knows"),
        ("gdrive://bucket/x.csv", "the driver is missing. .*gdrive"),
    ],
)
def test_a_store_without_the_object_or_its_driver_says_so(tmp_path, source, says):
    with fsspec.open("memory://bad/x.xlsx", "wb") as file:
        file.write(b"PK")
    with pytest.raises(DatasetError, match=says):
        prepared(describe(tmp_path, source=source))


def test_without_fsspec_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(DatasetError, match=r"s3://b/x\.csv: .*extra `objects`.*s3fs"):
        prepared(describe(tmp_path, source="s3://b/x.csv"))


def test_a_store_that_breaks_off_is_one_error_that_quotes_nothing(tmp_path, monkeypatch):
    source = source_of("memory", tmp_path / "x", rows_of(9))

    def refuse(*_, **__):
        raise RuntimeError(f"https://signed?{SECRET}")

    monkeypatch.setattr("party.datasets.objects.copy_privately", refuse)
    with pytest.raises(DatasetError, match=r"could not be read to its end \(RuntimeError\)") as at:
        prepared(describe(tmp_path, source=source))
    assert SECRET not in str(at.value)
    assert at.value.__cause__ is None


def test_an_object_is_read_once_so_that_a_change_cannot_come_between_two_passes(tmp_path):
    source = source_of("memory", tmp_path / "x", rows_of(9))
    with open_source(describe(tmp_path, source=source)) as opened:
        before, snapshot = opened.read(["email"]), opened.snapshot()
        fsspec.filesystem("memory").store.clear()
        assert opened.read(["email"])["email"].equals(before["email"])
        assert opened.snapshot() == snapshot
    with pytest.raises(DatasetError, match="there is no such file"):
        prepared(describe(tmp_path, source=source))


# -- descriptions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"query": "SELECT 1"}, "source: beside 'query' it has exactly one of"),
        ({"url_env": "A", "duckdb": "b", "query": "SELECT 1"}, "exactly one of"),
        ({"url_env": "CRM_URL"}, "source.query: is missing"),
        ({"url_env": "CRM_URL", "query": ""}, "source.query: expected one SQL query"),
        ({"url_env": "CRM_URL", "query": "SELECT\0"}, "source.query: expected one SQL query"),
        ({"url_envv": "A", "query": "SELECT 1"}, "did you mean 'url_env'"),
        ({"url_env": "NO-NAME", "query": "SELECT 1"}, "environment variable"),
        (
            {"url_env": f"postgresql://u:{SECRET}@h/d", "query": "SELECT 1"},
            "the name of a variable",
        ),
        ({"url": f"postgresql://u:{SECRET}@h/d", "query": "SELECT 1"}, "url: holds a password"),
        ({"url": f"postgresql://h/d?password={SECRET}", "query": "SELECT 1"}, "holds a password"),
        (f"ftp://u:{SECRET}@host/x.csv", "source: holds a password"),
        (f"https://host/x.csv?X-Amz-Signature={SECRET}", "source: holds a password"),
        (7, "source: expected .*quotes"),
        (["a.csv"], "source: expected"),
    ],
)
def test_a_source_that_cannot_serve_is_refused_and_its_secret_not_repeated(tmp_path, source, says):
    with pytest.raises(DatasetError, match=says) as caught:
        describe(tmp_path, source=source)
    assert SECRET not in str(caught.value)


def test_a_consent_table_comes_from_a_query_too(tmp_path):
    source = source_of("sqlite", tmp_path, [row("1", "a@example.com"), row("2", "b@example.com")])
    consent = {
        "table": {
            "url": source["url"],
            "query": "SELECT household, iif(household = '1', 'given', 'no') AS state, "
            "'dpv:TargetedAdvertising' AS why, 'channel' AS who, '2026-01-31' AS at FROM receipts",
        },
        "key": "household",
        "state": "state",
        "given": ["given"],
        "purpose": "why",
        "recipient": "who",
        "time": "at",
    }
    columns = description()["columns"] | {"opt_in": "attribute"}
    definition = describe(tmp_path, source=source, consent=consent, columns=columns)
    assert Definition.from_dict(json.loads(json.dumps(definition.to_dict()))) == definition
    assert len(prepared(definition).keys) == 1


@pytest.mark.parametrize("number", range(2))
def test_the_descriptions_of_the_manual_can_be_read(tmp_path, number):
    manual = Path(__file__).parents[2].joinpath("docs/datasets.md").read_text(encoding="utf-8")
    blocks = [
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", manual, re.DOTALL)
    ]
    whole, events = blocks[0], blocks[1]
    if number:
        query = next(block for block in blocks if "query" in str(block.get("source")))
        whole |= query | events
        del whole["columns"]["opt_in"]
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    assert load_definition(tmp_path / "x.yaml").types == ("email", "phone", "member:shop")
