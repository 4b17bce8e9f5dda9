"""What fuzzing has found, as small as it can be said: (parser, input)."""

import re

from table_targets import arrow, parquet
from text_targets import entries, introductions, statements


def _accented(data):
    """Return it with an é in a signature, which base64 answers with another error than for a ?."""
    return re.sub(rb'("(?:signature|replacing)":").', r"\1é".encode(), data)


FOUND = [
    # A number of more than 4,300 digits is a ValueError of int, not of tomllib.
    ("party.toml", b'organisation = "x"\nworkers = ' + b"9" * 5_000),
    # tomllib reads nested arrays by recursion.
    ("party.toml", b'organisation = "x"\nwitnesses = ' + b"[" * 5_000),
    # An unknown key stood in the message whole.
    ("party.toml", b"k" * 9_000 + b" = 1\n"),
    # A row with too many cells that is no UTF-8: Arrow could not hand it over, and told stderr so.
    ("CSV", b"email,amount\nx,1\nan\xe1,2,3,4\n"),
    # The name of a column is no UTF-8.
    *(("Arrow", data.replace(b"email", b"e\xe6ail")) for data in arrow()),
    *(("Parquet", data.replace(b"email", b"e\xe6ail")) for data in parquet()),
    *(("introduction", _accented(data)) for data in introductions()),
    *(("statement of keys", _accented(data)) for data in statements()),
    # The name in a key stood in the message whole.
    *(
        ("log entry", data.replace(b'"vkey":"', b'"vkey":"' + b"9" * 5_000))
        for data in entries()
        if b'"vkey":"' in data
    ),
    # A journey stood in the message whole.
    ("journeys", b"9" * 9_000 + b" (" + b"9" * 9_000 + b")"),
]
