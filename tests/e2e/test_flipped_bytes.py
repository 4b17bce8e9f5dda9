"""One byte flipped in a log, a contract, a result or a list: what each command says.

The pair is at rest, after a match and a table between two processes; each test has its own copy.
"""

import re
import sqlite3
import time
from pathlib import Path

import pytest
from recorded import new_kinds, recorded
from two_processes import copy_pair

DAY = 86_400
FEW = ("--dataset", "few", "--their-dataset", "few")
MATCH = ("match", "--receiver", "channel", *FEW)
REACH = ("report", "reach", "--by", "frequency", "--segment", "segment", *FEW)


@pytest.fixture(scope="module")
def finished(template, tmp_path_factory):
    """A pair at rest, after a match (a list at the channel) and a table (at the advertiser)."""
    pair = copy_pair(template, tmp_path_factory.mktemp("finished"))
    pair.serve()
    for words in (MATCH, REACH):
        pair.advertiser.read(*words)
    pair.channel.listener.stop()
    pair.end()
    return pair


@pytest.fixture
def rest(finished, tmp_path):
    return copy_pair(finished, tmp_path / "rest")


def request_of(party, kind):
    filed = party.read("requests", "list")["requests"]
    return next(one["id"] for one in filed if one["kind"] == kind)


def flip(party, table, column, where="1", at=20):
    """Flip one bit of one byte of the first value found, without a command."""
    with sqlite3.connect(party.folder / "party.db") as store:
        row, value = store.execute(
            f"select rowid, {column} from {table} where {where} limit 1"
        ).fetchone()
        data = bytearray(value if isinstance(value, bytes) else value.encode())
        data[at] ^= 1
        new = bytes(data) if isinstance(value, bytes) else data.decode()
        store.execute(f"update {table} set {column} = ? where rowid = ?", (new, row))


@pytest.mark.parametrize("entry", [2, 5, 9])
def test_a_flipped_byte_in_a_log_entry_is_named_to_its_owner_and_to_the_counterpart(rest, entry):
    flip(rest.advertiser, "log_entries", "data", f"seq = {entry}")
    said = (
        f"advertiser.test/log: entry {entry}: the entry does not hash to its stored leaf hash: one "
        "of them was changed"
    )
    assert rest.advertiser.read_error("audit", "verify", expect=5) == said
    words = ("audit", "verify", "--with", rest.advertiser.folder)
    assert rest.channel.read_error(*words, expect=5) == said


@pytest.mark.parametrize(
    ("table", "column", "said"),
    [
        (
            "log_head",
            "checkpoint",
            r"advertiser\.test/log: the checkpoint: the signature of advertiser\.test/log "
            r"\([0-9a-f]{8}\) is not one of this text",
        ),
        ("cosignatures", "checkpoint", r"advertiser\.test/log: cosigned checkpoint 0: .+"),
        ("witnessed", "checkpoint", r"advertiser\.test/log: witnessed checkpoint 0: .+"),
    ],
)
def test_a_flipped_byte_in_what_vouches_for_the_log_is_noticed(rest, table, column, said):
    flip(rest.advertiser, table, column)
    assert re.fullmatch(said, rest.advertiser.read_error("audit", "verify", expect=5))


def test_a_changed_charge_is_noticed(rest):
    with sqlite3.connect(rest.channel.folder / "party.db") as store:
        store.execute("update ledger set epsilon_nano = epsilon_nano - 1 where id = 1")
    assert re.fullmatch(
        r"entry \d+: the ledger does not have this charge as it was logged: the ledger was changed "
        r"afterwards, so its budgets cannot be trusted",
        rest.channel.read_error("audit", "verify", expect=5),
    )


def test_a_flipped_byte_in_a_released_table_is_noticed(rest):
    request = request_of(rest.channel, "reach")
    flip(rest.channel, "releases", "artefact")
    said = rest.channel.read_error("audit", "verify", expect=5)
    assert re.fullmatch(
        rf"entry \d+: the stored table of request {request} is not the one that was released: it "
        r"was changed afterwards",
        said,
    )


@pytest.mark.parametrize("kind", ["match", "reach"])
@pytest.mark.parametrize("name", ["advertiser", "channel"])
def test_a_flipped_byte_in_a_stored_result_shows_and_exports_nothing(rest, tmp_path, name, kind):
    party = getattr(rest, name)
    request = request_of(party, kind)
    flip(party, "results", "body", f"request = '{request}'")
    for words in ((), ("--out", tmp_path / "out.csv")):
        assert party.read_error("report", "show", request, *words, expect=5) == (
            f"the stored result of request {request} was changed after it was made: restore the "
            "store from a backup, or make the request again"
        )
    assert not (tmp_path / "out.csv").exists()


def test_a_flipped_byte_in_a_list_shows_and_exports_nothing(rest, tmp_path):
    request = request_of(rest.channel, "match")
    file = rest.channel.folder / "lists" / f"{request}.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    for words in ((), ("--out", tmp_path / "out.csv"), ("--out", tmp_path / "out.parquet")):
        said = rest.channel.read_error("report", "show", request, *words, expect=5)
        assert said == f"the list {file} was changed after it was made: do not use it"
    assert not list(tmp_path.glob("out.*"))


CONTRACT_ALTERED = (
    "The signature of 'advertiser' does not cover this text of contract contract: it was altered "
    "after they signed, or signed with another key. Use the file as they signed it, or remove the "
    "signatures and have every party sign this text."
)


def test_a_flipped_byte_in_a_contract_file_is_refused_and_the_file_left_alone(
    template, rest, tmp_path
):
    signed = Path(template.advertiser.folder.parent / "contract.yaml").read_bytes()
    file = tmp_path / "contract.yaml"
    file.write_bytes(signed.replace(b"Between", b"Cetween", 1))
    altered, before = file.read_bytes(), recorded(rest)
    for words in (("import", file), ("sign", file), ("show", file)):
        assert rest.advertiser.read_error("contract", *words, expect=6) == CONTRACT_ALTERED
    assert file.read_bytes() == altered
    assert new_kinds(rest, before) == {"advertiser": [], "channel": []}


def test_looking_at_logs_writes_only_that_they_were_read(rest, monkeypatch):
    """Whoever is handed a party's folder verifies it as it is, also after its lists' expiry."""
    before, now = recorded(rest), time.time
    monkeypatch.setattr(time, "time", lambda: now() + 200 * DAY)
    rest.advertiser.read("audit", "verify", "--with", rest.channel.folder)
    rest.advertiser.read("audit", "verify")
    rest.advertiser.read("audit", "show")
    assert new_kinds(rest, before) == {"advertiser": ["audit.read"] * 3, "channel": []}
