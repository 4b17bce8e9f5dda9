"""Every row of the tampering table is found and named, by `audit verify` and by `verify.py`.

Evidence is of one real session, honest first and then tampered with by its owner, who has signed
it again. Here is also what is altered by somebody without a key, and what nobody has cosigned.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tampering import ROWS, forgers, found_in, what_verify_says

from audit import standalone
from client.audit_files import zipped
from party.bundle import MANIFEST, SIGNATURE


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return forgers(tmp_path_factory.mktemp("pair"))


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_audit_verify_finds_and_names(row):
    assert row.found in what_verify_says(row)


@pytest.mark.parametrize("row", [r for r in ROWS if r.evidence], ids=lambda row: row.name)
def test_verify_py_finds_and_names(row, pair, tmp_path):
    assert row.found_in_evidence in found_in(row.evidence(*pair), tmp_path)


def test_honest_evidence_of_both_sides_verifies_and_agrees(pair, tmp_path):
    here, there = pair
    assert found_in((here.files, there.files), tmp_path) == ""
    for forger in pair:
        assert {"report.json", "table.json", "transcript.json"} <= forger.files.keys()
        assert {"index.html", "index.zh.html", "verify.py"} <= forger.files.keys()


def test_any_file_that_is_changed_dropped_or_put_in_without_a_key_is_found(pair, tmp_path):
    files = pair[0].files
    for name in files:
        data = bytearray(files[name])
        data[len(data) // 2] ^= 1
        assert found_in([{**files, name: bytes(data)}], tmp_path), name
        kept = {other: content for other, content in files.items() if other != name}
        assert found_in([kept], tmp_path), name
    assert "was put in" in found_in([{**files, "more.txt": b"more"}], tmp_path)


def test_contract_and_request_cannot_be_altered_by_one_party_alone(pair, tmp_path):
    here, _ = pair
    for name, old, new, found in (
        ("contract.json", b'"min_match":1', b'"min_match":0', "does not cover this text"),
        ("request.json", b'"purpose":"dpv:MarketResearch"', b'"purpose":"dpv:Sell"', "not signed"),
    ):
        assert old in here.files[name]
        forged = here.with_files([(name, here.files[name].replace(old, new))])
        assert found in found_in([forged], tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("table.json", ("cells",), "not the table that was sent"),
        ("transcript.json", ("steps",), "not the one that the log has"),
        ("transcript.json", ("parties",), "session id does not follow"),
        ("report.json", ("table", "counts"), "other cells than were released"),
    ],
)
def test_a_table_transcript_or_report_of_another_session_is_found(
    name, change, found, pair, tmp_path
):
    here, _ = pair
    document = json.loads(here.files[name])
    place = document
    for step in change[:-1]:
        place = place[step]
    first = place[change[-1]][0]
    if isinstance(first, dict):
        first["seed_commitment"] = "0" * 64
        first["consent"]["sequence"] += 1
    elif isinstance(first, list):
        first[0] += 1
    else:
        place[change[-1]][0] = first + 1 if isinstance(first, int) else "0" * 64
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found in found_in([here.with_files([(name, text.encode())])], tmp_path)


def test_a_number_that_the_table_does_not_say_is_found(pair, tmp_path):
    here, _ = pair
    report = json.loads(here.files["report.json"])
    row = next(row for row in report["rows"] if not row["suppressed"])
    for name in ("value", "low", "high"):
        row[name] += 100
    text = json.dumps(report, sort_keys=True, ensure_ascii=False).encode()
    assert "does not follow from the table" in found_in(
        [here.with_files([("report.json", text)])], tmp_path
    )


def test_times_are_said_as_dates_and_every_number_is_computed_again(pair, tmp_path):
    path = tmp_path / "evidence.zip"
    path.write_bytes(zipped(pair[0].files))
    said = "\n".join(standalone.check(path).said)
    assert re.search(r"cosigned by channel.test/log at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", said)
    numbers = re.search(r"numbers: (\d+) of (\d+) follow from the table", said)
    assert numbers
    assert numbers[1] == numbers[2]


def test_a_lineage_event_of_a_session_that_had_not_come_so_far_is_found(pair, tmp_path):
    here, _ = pair

    def lie(entry):
        if entry["kind"] != "lineage.emitted":
            return entry
        return {**entry, "body": {**entry["body"], "event": "FAIL"}}

    assert "tells of another end" in found_in([here.rewritten(change=lie)], tmp_path)


def test_a_result_without_the_end_of_its_session_is_found(pair, tmp_path):
    here, there = pair
    ends = ("session.finished", "lineage.emitted")
    kept = here.with_files(dropped=[here.receipt(here.number_of(kind))[0] for kind in ends])
    assert "no session.finished stands in the log" in found_in([kept], tmp_path)
    kept = there.with_files(dropped=[there.receipt(there.number_of("report.released"))[0]])
    assert "there is no report.released" in found_in([kept], tmp_path)


def test_what_is_left_out_is_said_in_words(pair, tmp_path):
    path = tmp_path / "less.zip"
    path.write_bytes(zipped(pair[0].with_files(dropped=["transcript.json", "table.json"])))
    notes = " ".join(standalone.check(path).open)
    assert "only its hash" in notes
    assert "rest on no table" in notes


NEWER_THAN_3_8 = {
    "UTC",
    "StrEnum",
    "cache",
    "pairwise",
    "batched",
    "assert_never",
    "Self",
    "zoneinfo",
}
NEWER_METHODS = {"removeprefix", "removesuffix", "bit_count", "is_relative_to", "hardlink_to"}


def test_verify_py_is_written_for_python_3_8():
    tree = ast.parse(Path(standalone.__file__).read_bytes(), feature_version=(3, 8))
    nodes = list(ast.walk(tree))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not {alias.name for node in imports for alias in node.names} & NEWER_THAN_3_8
    assert not {node.attr for node in nodes if isinstance(node, ast.Attribute)} & NEWER_METHODS
    strict = [node for node in nodes if isinstance(node, ast.keyword) and node.arg == "strict"]
    assert not strict


def test_verify_py_runs_on_the_oldest_python_that_it_is_for(pair, tmp_path):
    path = tmp_path / "evidence.zip"
    path.write_bytes(zipped(pair[0].files))
    for minor in (8, 9, 10):
        old = shutil.which(f"python3.{minor}")
        if (
            old
            and subprocess.run([old, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            command = [old, "-I", standalone.__file__, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "so do their intervals" in done.stdout
            return
    pytest.skip("this machine has no Python 3.8 to 3.10 that runs")


def test_what_nobody_has_cosigned_is_said_to_rest_on_its_owner_alone(pair, tmp_path):
    path = tmp_path / "alone.zip"
    path.write_bytes(zipped(pair[0].rewritten()))
    assert any("owner alone vouches" in note for note in standalone.check(path).open)


def test_another_contract_than_the_one_that_is_known_is_found(pair, tmp_path):
    path = tmp_path / "evidence.zip"
    path.write_bytes(zipped(pair[0].files))
    known = standalone.check(path).contract_hash
    assert standalone.main([str(path), "--contract", known]) == 0
    assert standalone.main([str(path), "--contract", "0" * 64]) == 1


def test_python_alone_verifies_the_unpacked_folder_by_what_lies_in_it(pair, tmp_path):
    """No environment, no installed package, no folder of a party: `-I -S` and the zip."""
    packed, folder = tmp_path / "evidence.zip", tmp_path / "unpacked"
    packed.write_bytes(zipped(pair[0].files))
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    words = [str(python), "-I", "-S", "verify.py"]
    said = subprocess.run(words, cwd=folder, env={}, capture_output=True, text=True, timeout=60)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.endswith("Verified. Compare the contract's hash and the keys with yours.\n")
    (folder / "report.json").write_text("{}")
    said = subprocess.run(words, cwd=folder, env={}, capture_output=True, text=True, timeout=60)
    assert (said.returncode, said.stdout[:14]) == (1, "NOT VERIFIED: ")
    assert "report.json was changed" in said.stdout


@pytest.mark.parametrize("data", [b"", b"PK", b"{}" * 100])
def test_what_is_no_evidence_is_refused_in_words(data, tmp_path):
    path = tmp_path / "evidence.zip"
    path.write_bytes(data)
    with pytest.raises(standalone.Refused, match="cannot be read"):
        standalone.check(path)
    with pytest.raises(standalone.Refused, match="is missing"):
        standalone.check(tmp_path)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_its_owner_writes_into_it_is_refused_in_words_or_holds(pair, tmp_path, data):
    """A part that is missing, of another type or cut off never ends in a traceback."""
    files = pair[data.draw(st.integers(0, 1))].files
    name = data.draw(st.sampled_from(sorted(files.keys() - {SIGNATURE, "verify.py"})))
    content = files[name]
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 40)))
    put = data.draw(
        st.sampled_from([b"", b"null", b"[]", b"{}", b"-1", b'""', b"\n", b"\xff", b"9"])
    )
    forger = next(one for one in pair if one.files is files)
    if name == MANIFEST:
        found_in([{**files, name: content[:start] + put + content[stop:]}], tmp_path)
    else:
        found_in([forger.with_files([(name, content[:start] + put + content[stop:])])], tmp_path)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_zip_is_refused_in_words(pair, tmp_path, data):
    packed = bytearray(zipped(pair[0].files))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "damaged.zip"
    path.write_bytes(bytes(packed))
    with suppress(standalone.Refused):  # a byte that nothing reads may change
        standalone.check(path)


def test_the_manifest_names_every_file_but_itself(pair):
    files = pair[0].files
    assert json.loads(files[MANIFEST])["files"].keys() == files.keys() - {MANIFEST, SIGNATURE}
