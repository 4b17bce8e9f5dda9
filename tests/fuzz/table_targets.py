"""What data hold: files of rows, columns of identifiers, consent strings."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from target import Target

from client.costs import typed_costs
from party.consent.tcf import read_tc_string
from party.datasets.origin import Files
from party.datasets.source import Source
from party.errors import ConsentError, DatasetError
from psi.columns import ColumnSpec, read_column, survey_column
from psi.errors import PsiError
from psi.identifiers import normalise
from reports.costs import Costs
from reports.errors import ReportError

TABLE = pa.table(
    {"email": ["anna@example.com", None, "x@y.de"], "amount": [1, 2, 3], "tier": ["a", "b", "a"]}
)
TC_STRINGS = (
    "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA",
    "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEA",
)
DECLARED = (
    "email", "phone", "maid", "oaid", "imei", "mac", "openid:wx1", "email_sha256", "imei_md5",
)  # fmt: skip
KINDS = {"email": "anna@example.com", "phone": "+41 79 555 01 23", "imei": "490154203237518"}


def _file(ending):
    """Return what reads every column of a file with this ending."""

    def read(data):
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / f"table{ending}").write_bytes(data)
            with Source.open(Path(place), Files(f"table{ending}"), ()) as source:
                return source.read(source.columns) if source.columns else None

    return read


def _csv():
    return [
        b'email,amount,tier\nanna@example.com,1,a\n,2,"b,\nb"\n',
        b"\xef\xbb\xbfemail;amount\r\nx;1\r\n",
        b"email\tamount\nx\t1\n",
    ]


def parquet():
    made = io.BytesIO()
    pq.write_table(TABLE, made)
    return [made.getvalue()]


def arrow():
    found = []
    for new in (pa.ipc.new_file, pa.ipc.new_stream):
        made = io.BytesIO()
        with new(made, TABLE.schema) as writer:
            writer.write_table(TABLE)
        found.append(made.getvalue())
    return found


def _column(data):
    """Read a column; whatever the engine takes at once has the digest that it has one by one.

    The first byte says which declaration it has, the other lines are its values.
    """
    spec = ColumnSpec.parse(DECLARED[(data[0] if data else 0) % len(DECLARED)])
    texts = pa.array(data[1:].decode("utf-8", "replace").split("\n"), pa.large_string())
    surveyed = survey_column(spec, texts)
    alone = [survey_column(spec, texts.slice(at, 1)) for at in range(min(len(texts), 8))]
    for at, one in enumerate(alone):
        place = surveyed.of_row[at]
        if not len(one.texts):
            assert place == len(surveyed.texts)
            continue
        assert surveyed.accepted[place] == one.accepted[0]
        assert np.array_equal(surveyed.digests[place], one.digests[0])
    read_column(spec, texts)


def _columns():
    values = b"\nANNA@Example.com\n+41795550123\n" + b"ab" * 32 + b"\n490154203237518\n \n"
    return [bytes([number]) + values for number in range(len(DECLARED))]


def _identifier(data):
    """Normalise a value as every type, and once more: what is normal stays as it is."""
    for kind in KINDS:
        normal = None
        try:
            normal = normalise(kind, data.decode("utf-8", "replace"))
        except PsiError:
            continue
        assert normalise(kind, normal) == normal, f"{kind} is normalised twice to another"


TARGETS = [
    Target("CSV", _file(".csv"), (DatasetError,), _csv),
    Target("Parquet", _file(".parquet"), (DatasetError,), parquet),
    Target("Arrow", _file(".arrow"), (DatasetError,), arrow),
    Target("column of identifiers", _column, (PsiError,), _columns),
    Target("identifier", _identifier, (), lambda: [text.encode() for text in KINDS.values()]),
    Target(
        "TC string",
        lambda data: read_tc_string(data.decode("utf-8", "replace")),
        (ConsentError,),
        lambda: [text.encode() for text in TC_STRINGS],
    ),
    Target(
        "costs",
        lambda data: Costs.of_table(data.decode("utf-8", "replace"), "it"),
        (ReportError,),
        lambda: [b"campaign,cost\nC8,12.5\nall,20\n"],
    ),
    Target(
        "typed costs",
        lambda data: typed_costs(data.decode("utf-8", "replace")),
        (ReportError,),
        lambda: [b"C8=12.5\nall=20\n", b"5000"],
    ),
]
