"""What the SDK refuses, and what a refusal leaves behind: nothing."""

import asyncio
import re
import socket
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from sdk_pair import description, frame_of

from commonground import CancelToken, Party, errors

ROOT = Path(__file__).parents[2]


@pytest.fixture
def party(tmp_path):
    with Party.create(
        tmp_path / "a",
        name="advertiser",
        organisation="A",
        origin="a.test/log",
        jurisdiction="NL",
        workers=1,
    ) as made:
        yield made


def frames(party):
    return sorted(file.name for file in party.folder.glob("frames/*/*"))


# -- tables in memory ----------------------------------------------------------------------------


def test_a_frame_and_an_arrow_table_are_the_same_dataset(party):
    frame = frame_of("advertiser")
    first = party.datasets.add_frame(frame, description("advertiser"))
    again = party.datasets.add_frame(
        pa.Table.from_pandas(frame, preserve_index=False), description("advertiser")
    )
    assert (first.people, first.snapshot) == (again.people, again.snapshot) == (300, first.snapshot)
    assert len(frames(party)) == 1


def test_a_reader_of_batches_is_the_same_people_and_one_that_breaks_off_keeps_nothing(party):
    table = pa.Table.from_pandas(frame_of("advertiser"), preserve_index=False)

    def broken():
        yield table.to_batches(max_chunksize=50)[0]
        raise ValueError("the tap ran dry")

    reader = pa.RecordBatchReader.from_batches(table.schema, broken())
    with pytest.raises(errors.DatasetError, match="cannot be kept"):
        party.datasets.add_frame(reader, description("advertiser"))
    assert frames(party) == []
    extra = table.append_column("secret", pa.array(["undeclared"] * len(table)))
    reader = pa.RecordBatchReader.from_batches(extra.schema, extra.to_batches(max_chunksize=50))
    kept = party.datasets.add_frame(reader, description("advertiser"))
    assert kept.people == 300
    [file] = party.folder.glob("frames/*/*")
    assert b"undeclared" not in file.read_bytes()
    twice = extra.append_column("email", extra["secret"])
    with pytest.raises(errors.DatasetError, match="several columns email"):
        party.datasets.add_frame(twice.to_reader(), description("advertiser"))


def test_only_declared_columns_are_kept_and_a_new_table_replaces_the_old_one(party):
    frame = frame_of("advertiser")
    party.datasets.add_frame(frame.assign(secret="undeclared"), description("advertiser"))
    [old] = party.folder.glob("frames/*/*")
    assert b"undeclared" not in old.read_bytes()
    assert party.datasets.add_frame(frame[:200], description("advertiser")).people == 200
    assert len(frames(party)) == 1
    assert not old.exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda frame: frame.drop(columns="email"), "email"),
        (lambda frame: pd.concat([frame, frame[["email"]]], axis=1), "several columns email"),
        (lambda frame: frame.assign(email=[1, "a"] * 150), "Parquet"),
        (lambda frame: frame.assign(email="unknown"), "not registered"),
        (lambda frame: frame[:1], "single person"),
    ],
)
def test_a_table_that_does_not_serve_leaves_the_registered_one(party, spoil, says):
    before = party.datasets.add_frame(frame_of("advertiser"), description("advertiser"))
    kept = frames(party)
    with pytest.raises(errors.DatasetError, match=says):
        party.datasets.add_frame(spoil(frame_of("advertiser")), description("advertiser"))
    assert frames(party) == kept
    assert party.datasets.show("advertiser-people").snapshot == before.snapshot


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"source": "people.csv"}, "its own source"),
        ({"columns": {"segment": "attribute"}}, "identifier"),
        ({"dataset": "../../elsewhere"}, "dataset"),
        ({"consnet": {}}, "consnet"),
    ],
)
def test_a_description_that_does_not_serve_writes_nothing(party, changed, says):
    with pytest.raises(errors.DatasetError, match=says):
        party.datasets.add_frame(frame_of("advertiser"), {**description("advertiser"), **changed})
    assert frames(party) == []
    assert party.datasets.list() == []


# -- parties and verbs ---------------------------------------------------------------------------


def test_a_folder_that_is_no_party_is_refused(tmp_path):
    with pytest.raises(errors.SettingsError, match="not a party's folder"):
        Party(tmp_path)


@pytest.mark.parametrize("changed", [{"address": "a.test:1"}, {"listen": "0.0.0.0:7443"}])
def test_a_party_that_nobody_could_dial_is_not_made(tmp_path, changed):
    with pytest.raises(errors.SettingsError):
        Party.create(
            tmp_path / "a",
            name="a",
            organisation="A",
            origin="a.test/log",
            jurisdiction="NL",
            **changed,
        )
    assert not (tmp_path / "a").exists()


def test_nothing_is_asked_without_a_contract(party):
    for ask in (party.match, party.reach, party.overlap, party.quote.reach):
        with pytest.raises(errors.ContractError, match="no contract"):
            ask()
    assert party.requests.list() == []


def test_asyncio_raises_what_the_verb_raises(party):
    with pytest.raises(errors.ContractError, match="no contract"):
        asyncio.run(party.aio.reach())
    with pytest.raises(errors.DatasetError):
        asyncio.run(party.aio.datasets.add("absent.yaml"))


def test_a_token_that_was_used_begins_nothing(party):
    token = CancelToken()
    token.cancel()
    with pytest.raises(errors.Cancelled):
        party.requests.resume("1", cancel=token)


def test_an_address_that_is_taken_is_said(party):
    with party.serve("127.0.0.1:0") as serving:
        assert serving.address == f"127.0.0.1:{serving.port}"
        with pytest.raises(errors.PartyError, match="listens"), party.serve(serving.address):
            pass
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(errors.PartyError, match="cannot listen"), party.serve(taken):
            pass


def test_closing_a_party_ends_its_listening_and_closing_twice_is_closing_once(party):
    with party.serve("127.0.0.1:0") as serving:
        party.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", serving.port), timeout=5)
        party.close()
    with pytest.raises(errors.PartyError, match="closed"), party.serve("127.0.0.1:0"):
        pass


def test_a_log_of_another_party_does_not_verify_against_this_one(party, tmp_path):
    with pytest.raises(errors.SettingsError):
        party.audit.verify(with_=tmp_path)
    assert party.audit.verify().entries == 1


def test_every_error_says_its_exit_code():
    codes = {
        errors.Waiting("waits"): 4,
        errors.Cancelled(): 4,
        errors.AuditError("log"): 5,
        errors.ResultError("list"): 5,
        errors.StoredContractError("contract"): 5,
        errors.DatasetError("data"): 6,
        errors.PrivacyError("number"): 6,
    }
    assert {error: int(errors.exit_code(error)) for error in codes} == codes
    assert errors.exit_code(KeyError("a fault")) is None


# -- the package ---------------------------------------------------------------------------------


def run_python(text, **more):
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, **more
    )


def test_importing_the_package_loads_nothing_and_its_names_are_there():
    done = run_python(
        "import commonground, sys\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'client', 'party', 'server', 'grpc', 'pandas', 'numpy', 'sqlalchemy'}))\n"
        "print(all(getattr(commonground, name) for name in commonground.__all__))"
    )
    assert done.stdout.splitlines() == ["[]", "True"], done.stderr
    with pytest.raises(ImportError):
        from commonground import Partie  # noqa: F401


def test_a_script_without_a_guard_does_nothing_twice(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            from commonground import Party
            party = Party.create(
                "p", name="p", organisation="P", origin="p.test/log", jurisdiction="NL", workers=1
            )
            party._party.executor.submit(print, "worked").exception()
            party.close()
        """)
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert '__name__ == "__main__"' in done.stderr
    assert "worked" not in done.stdout


def test_every_package_of_the_wheel_says_that_it_is_typed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [name for name in packages if not (ROOT / name / "py.typed").is_file()] == []
    assert {"sdk_types", "examples.progress"} <= set(settings["tool"]["mypy"]["modules"])


def test_the_example_shows_each_phase_as_a_bar():
    from commonground import Progress
    from examples.progress import Bar

    made = []

    class Fake:
        def __init__(self, total=0, desc="", unit="", disable=False):
            self.n, self.total, self.closed = 0, total, False
            if not disable:
                made.append(self)

        def update(self, more):
            self.n += more

        def close(self):
            self.closed = True

    bar = Bar(Fake)
    for phase, done in (("blinding", 5), ("blinding", 9), ("raising", 3)):
        bar(Progress(phase, done, 9))
    bar.close()
    assert [(one.n, one.total, one.closed) for one in made] == [(9, 9, True), (3, 9, True)]


def verbs_of(thing):
    classes = (vars(one) for one in thing.__mro__ if one is not object)
    return {name for names in classes for name in names if not name.startswith("_")}


def test_the_document_names_every_verb_and_the_awaited_ones_are_verbs():
    from client.sdk import (
        access,
        asynchronous,
        console,
        contracts,
        datasets,
        lineage,
        lists,
        log,
        party,
        quotes,
        requests,
    )
    from client.sdk.retention import Retention
    from client.sdk.templates import Schedules, Templates

    document = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
    groups = [contracts.Contracts, datasets.Datasets, lists.Lists, log.Audit, quotes.Quotes]
    groups += [access.Access, lineage.Lineage, requests.Requests]
    groups += [console.Users, console.Tokens]
    groups += [Retention, Templates, Schedules]
    described = {"folder", "name", "fingerprint", "card"}  # what a party is, not what it does
    for group in (party.Party, *groups):
        for verb in verbs_of(group) - described:
            assert re.search(rf"\b{verb}\b", document), verb
    assert verbs_of(asynchronous.Asynchronous) <= verbs_of(party.Party)


def test_status_says_what_the_command_says(party):
    assert (party.status()["party"], party.status()["organisation"]) == ("advertiser", "A")
