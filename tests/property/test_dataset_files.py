"""Files of a dataset: every way to be unreadable has an error with file, place and remedy."""

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_builder import describe, prepared, references_of, row, write
from hypothesis import given
from hypothesis import strategies as st

from party.datasets import inspect
from party.datasets.origin import Files
from party.datasets.source import Source
from party.errors import DatasetError

HEADER = "household,email,tel,segment,opt_in\n"
SECRET = "someone.private@example.com"


def csv(folder, data, **changes):
    data = data if isinstance(data, bytes) else data.encode()
    (folder / "receipts.csv").write_bytes(data)
    return describe(folder, **changes)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (HEADER, "has a header and no rows"),
        (HEADER.strip(), "has a header and no rows"),
        (HEADER + f"1,{SECRET},,gold,yes\n2,{SECRET},,gold\n", "row 2: has not as many cells"),
        (HEADER + f"1,{SECRET},,gold,yes,more\n", "row 1: has not as many cells"),
        (HEADER.encode() + b"1,a@example.com,,gold,yes\n2,jos\xe9@example.com,,gold,yes\n",
         "row 2: is not UTF-8; save the file as UTF-8"),
        ("household,email,tel,segm\u00e9nt,opt_in\n".encode("latin-1"), "the header is not UTF-8"),
        ((HEADER + "1,a@example.com,,gold,yes\n").encode("utf-16"), "UTF-16; save it as UTF-8"),
        ("household,email,email,tel,segment,opt_in\n1,a,b,c,d,e\n", "'email' stands twice"),
        ("household,e-mail,tel,segment,opt_in\n1,a,b,c,d\n", "no column 'email'; did you mean"),
        ("a;b\n1;2\n", "there is no column 'email'; it has a, b"),
        (HEADER + '1,"' + "x" * 3_000_000, "row|quotation"),
    ],
)  # fmt: skip
def test_a_csv_that_cannot_serve_says_why_and_quotes_nothing(tmp_path, data, says):
    definition = csv(tmp_path, data)
    for read in (inspect, prepared):
        with pytest.raises(DatasetError, match=says) as caught:
            read(definition)
        assert "receipts.csv" in str(caught.value)
        assert "private" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_parquet_file_that_is_none_is_refused(tmp_path):
    for data in (b"", b"PAR1", b"household,email\n"):
        (tmp_path / "x.parquet").write_bytes(data)
        with pytest.raises(DatasetError, match=r"x\.parquet: is"):
            prepared(describe(tmp_path, source="x.parquet"))


def test_a_parquet_column_that_stands_twice_is_refused(tmp_path):
    names = ["household", "email", "email", "tel", "segment", "opt_in"]
    table = pa.Table.from_arrays([pa.array(["x"])] * 6, names=names)
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match="'email' stands twice"):
        prepared(describe(tmp_path, source="x.parquet"))


@pytest.mark.parametrize("column", ["household", "email", "tel"])
def test_floating_point_identifiers_are_refused(tmp_path, column):
    frame = pd.DataFrame([row("1", "a@example.com", "2125550100")]).assign(**{column: 1.5})
    definition = write(tmp_path, frame, name="x.parquet")
    with pytest.raises(DatasetError, match=f"'{column}': holds floating-point numbers"):
        prepared(definition)


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"\xff\xfe"], ids=["list", "struct", "bytes"])
def test_a_column_without_a_text_form_is_refused(tmp_path, value):
    frame = pd.DataFrame([row("1", "a@example.com") | {"segment": value}])
    with pytest.raises(DatasetError, match="'segment': cannot be read as UTF-8 text"):
        prepared(write(tmp_path, frame, name="x.parquet"))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("no.csv", "no such file"),
        ("no/*.csv", "no such file"),
        ("empty", "the folder has no .csv, .tsv, .parquet, .arrow, .feather file"),
        ("*.xlsx", "files are .csv, .tsv, .parquet, .arrow, .feather"),
        ("*", "files are .csv, .tsv, .parquet"),
    ],
)
def test_a_source_without_usable_files_is_refused(tmp_path, source, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "book.xlsx").write_bytes(b"PK")
    with pytest.raises(DatasetError, match=says):
        prepared(describe(tmp_path, source=source))


def test_one_bad_file_among_several_is_named(tmp_path):
    write(tmp_path, [row("1", "a@example.com")], name="in/a.csv")
    (tmp_path / "in/b.csv").write_text("household,email\n1,x\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"b\.csv: there is no column"):
        prepared(describe(tmp_path, source="in"))


def test_folders_globs_formats_and_delimiters_read_alike(tmp_path):
    rows = [row(str(n), f"u{n}@example.com") for n in range(4)]
    write(tmp_path, rows[:2], name="in/a.csv")
    write(tmp_path, rows[2:], name="in/b.parquet")
    pd.DataFrame(rows).to_csv(tmp_path / "one.csv", index=False, sep=";", encoding="utf-8-sig")
    pd.DataFrame(rows).to_csv(tmp_path / "one.tsv", index=False, sep="\t")
    sources = ["in", "in/*", "in/[ab].*", "one.csv", "one.tsv", str(tmp_path / "in")]
    results = [prepared(describe(tmp_path, source=source)) for source in sources]
    assert all(result.keys == results[0].keys for result in results)
    assert all(references_of(result) == ["0", "1", "2", "3"] for result in results)


TEXTS = st.one_of(st.none(), st.sampled_from("abc"), st.integers(0, 99).map(str))


@given(st.lists(st.lists(TEXTS, max_size=6), min_size=1, max_size=4))
def test_a_column_is_each_distinct_text_once_and_a_code_a_row(tmp_path_factory, batches):
    """However rows are cut into batches, and whether a text comes again or never does."""
    folder = tmp_path_factory.mktemp("table")
    parts = [pa.record_batch({"name": pa.array(cells, pa.string())}) for cells in batches]
    with pa.ipc.new_file(folder / "rows.arrow", parts[0].schema) as file:
        for part in parts:
            file.write(part)
    cells = [cell for batch in batches for cell in batch]
    with Source.open(folder, Files("rows.arrow"), ["name"]) as source:
        if not cells:
            with pytest.raises(DatasetError, match="no rows"):
                source.read(["name"])
            return
        column = source.read(["name"])["name"]
    assert column.to_pylist() == cells
    assert column.dictionary.to_pylist() == list(dict.fromkeys(filter(None, cells)))


@pytest.mark.parametrize("rows", [[], [0], [2, 3, 4, 9], range(10)])
def test_some_rows_of_several_tables_are_those_of_the_whole(tmp_path, rows):
    names = ["a", None, "c", "a", "e", "f", "g", None, "i", "j"]
    for number, part in enumerate((slice(0, 3), slice(3, 9), slice(9, 10))):
        table = pa.table({"name": names[part], "place": list(range(10))[part]})
        pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=2)
    with Source.open(tmp_path, Files("*.parquet"), ["name", "place"]) as source:
        found = source.texts_at(np.array(rows, dtype=np.int64), ["place", "name"])
    assert found == {"place": [str(one) for one in rows], "name": [names[one] for one in rows]}


def test_texts_that_share_a_hash_are_told_apart(tmp_path, monkeypatch):
    same = lambda texts, *, width: np.zeros((len(texts), width), dtype=np.uint8)  # noqa: E731
    monkeypatch.setattr("party.datasets.source.hash_texts", same)
    rows = [row(str(number), f"u{number}@example.com") for number in range(4)]
    assert references_of(prepared(write(tmp_path, rows))) == ["0", "1", "2", "3"]


def test_quoted_cells_may_hold_delimiters_and_line_breaks(tmp_path):
    definition = csv(tmp_path, HEADER + '"a\nb","u@example.com","","go,ld",yes\n')
    result = prepared(definition, label=None)
    assert references_of(result) == ["a\nb"]


def test_numbers_and_truth_values_of_parquet_are_their_texts(tmp_path):
    frame = pd.DataFrame({"household": [7], "email": ["a@example.com"], "tel": [2125550100],
                          "segment": ["gold"], "opt_in": [True]})  # fmt: skip
    result = prepared(write(tmp_path, frame, name="x.parquet"))
    assert references_of(result) == ["7"]
    assert result.coverage == {"email": 1, "phone": 1}


def test_undeclared_columns_are_never_read(tmp_path):
    frame = pd.DataFrame([row("1", "a@example.com") | {"notes": ["no text form"]}])
    definition = write(tmp_path, frame, name="x.parquet")
    assert inspect(definition).undeclared == ("notes",)
    assert len(prepared(definition).keys) == 1


def test_the_snapshot_can_be_recomputed_with_sha256sum(tmp_path):
    write(tmp_path, [row("1", "a@example.com")], name="in/b.csv")
    definition = write(tmp_path, [row("2", "b@example.com")], name="in/a.csv", source="in")
    lines = "".join(
        f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("in/a.csv", "in/b.csv")
    )
    assert prepared(definition).snapshot == hashlib.sha256(lines.encode()).digest()


def test_another_byte_or_another_name_is_another_snapshot(tmp_path):
    definition = write(tmp_path, [row("1", "a@example.com")])
    first = prepared(definition).snapshot
    with (tmp_path / "receipts.csv").open("a", encoding="utf-8") as file:
        file.write("2,b@example.com,,gold,yes\n")
    second = prepared(definition).snapshot
    (tmp_path / "receipts.csv").rename(tmp_path / "other.csv")
    third = prepared(describe(tmp_path, source="other.csv")).snapshot
    assert len({first, second, third}) == 3


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    definition = write(tmp_path, [row("1", "a@example.com")])
    lines = Source.lines

    def read_then_change(self):
        found = lines(self)
        with (tmp_path / "receipts.csv").open("a", encoding="utf-8") as file:
            file.write("2,b@example.com,,gold,yes\n")
        return found

    monkeypatch.setattr(Source, "lines", read_then_change)
    with pytest.raises(DatasetError, match="changed while it was read"):
        prepared(definition)
