"""The officer's pages: the log and its filters, an entry's proof, verifying, people, datasets."""

import base64
import io
import json
import re
import subprocess
import sys
import zipfile

import pytest
import sqlalchemy as sa
from organisations import Wire, file_match, run_both
from visitors import ended

from audit import bodies
from audit.note import Verifier
from audit.roles import Role
from audit.tlog_proof import LogProof, verify_proof
from client.console import log_words
from client.log_check import LogCheck
from party.log_pages import page_of
from party.schema import LOG_ENTRIES
from party.selection import Selection
from party.settings import load_settings, render_settings


@pytest.fixture
def officer(signed_in):
    return signed_in(Role.COMPLIANCE)


@pytest.fixture
def operator(signed_in):
    return signed_in(Role.OPERATOR)


@pytest.fixture(scope="module")
def request_id(parties):
    """A session that has finished."""
    request = file_match(parties, parties["advertiser"].contract("test"))
    assert run_both(parties, request, Wire()) == dict.fromkeys(parties)
    return request.id


def test_every_kind_of_entry_is_said_in_words():
    assert bodies.KINDS.keys() == log_words.KINDS.keys()


def newest(party):
    return page_of(party.store, Selection(), most=1).entries[0]


def test_an_officer_filters_the_log_and_each_look_is_in_it(officer, parties, request_id):
    party = parties["advertiser"]
    before = party.journal.size
    text = officer.get("/audit", params={"kind": "session", "request": request_id[:8]}).text
    kinds = re.findall(r'<code class="soft">([a-z_.]+)</code>', text)
    assert kinds == ["session.finished", "session.started"]
    last = newest(party)
    assert (last.seq, last.kind, last.body.what) == (before, "audit.read", "audit.filter")
    assert last.actor == "carl~console/compliance"
    assert "No entry is like that" in officer.get("/audit", params={"request": "ffff"}).text
    refused = officer.get("/audit", params={"kind": "sesion"})
    assert refused.status_code == 422
    assert "no entry is of the kind" in refused.text


def test_an_entry_is_proven_step_by_step_and_elsewhere(officer, parties, request_id):
    party = parties["advertiser"]
    text = officer.get("/audit/entries/1").text
    assert "Every step holds" in text
    receipt = LogProof.parse(officer.get("/audit/entries/1/receipt").content)
    proven = verify_proof(receipt, Verifier.from_vkey(party.identity.vkey))
    assert proven.index == 1
    assert receipt.hashes[0].hex() in text
    assert officer.get("/audit/entries/999999").status_code == 404


def test_a_node_that_was_changed_shows_as_a_step_that_does_not_hold(officer, parties, request_id):
    """The proof is computed anew for each reader, and never said to hold without it."""
    party = parties["advertiser"]
    row = party.store.row(sa.select(LOG_ENTRIES.c.leaf).where(LOG_ENTRIES.c.seq == 0))
    here = sa.update(LOG_ENTRIES).where(LOG_ENTRIES.c.seq == 0)
    party.store.record(lambda c: c.execute(here.values(leaf=bytes(32))))
    try:
        text = officer.get("/audit/entries/1").text
        assert "A step does not hold" in text
        assert "Every step holds" not in text
        assert "another root" in text
    finally:
        party.store.record(lambda c: c.execute(here.values(leaf=row.leaf)))


def test_verifying_runs_beside_the_console_and_says_what_it_found(officer, app, parties):
    check = app.state.console.log_check
    answer = officer.send("/audit/verify", "/audit/verify")
    assert answer.status_code == 200
    check._following.join(60)
    assert "The log verifies" in officer.get("/audit/verify").text
    assert check.last.verification["entries"] <= parties["advertiser"].journal.size
    assert check.last.by == "carl"


def test_a_check_of_what_is_no_party_ends_with_its_problem(tmp_path):
    check = LogCheck(tmp_path)
    check.start("carl", 1)
    check._following.join(60)
    assert "is not a party's folder" in check.last.problem
    assert check.last.verification is None


def test_a_check_that_could_not_begin_does_not_run(tmp_path, monkeypatch):
    check = LogCheck(tmp_path)

    def full(*_, **__):
        raise BlockingIOError

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", full)
        with pytest.raises(BlockingIOError):
            check.start("carl", 1)
    assert check.last is None
    assert check.start("carla", 1).by == "carla"
    check._following.join(60)
    assert check.last.by == "carla"


def test_evidence_from_the_console_verifies_with_nothing_but_python(
    officer, parties, request_id, tmp_path
):
    page = officer.get("/audit/evidence").text
    address = f"/audit/evidence/{request_id}"
    assert address in page
    answer = officer.get(address)
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    contract = parties["advertiser"].contract("test").digest
    command = [sys.executable, "-I", "verify.py", "--contract", contract]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    lineage = officer.get(f"/audit/lineage/{request_id}")
    assert "Download the evidence" in lineage.text
    graph = officer.get(f"/audit/lineage/{request_id}/graph.svg")
    assert graph.headers["content-type"].startswith("image/svg+xml")


def test_documents_are_those_whose_digests_the_log_has(officer, parties):
    from hashlib import sha256

    contract = parties["advertiser"].contract("test").digest
    answer = officer.send("/audit/documents", "/audit/documents", contract=contract, language="zh")
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    digests = {name: sha256(files.read(name)).hexdigest() for name in files.namelist()}
    assert digests == newest(parties["advertiser"]).body.files


def test_a_person_is_looked_up_without_standing_in_an_address_or_in_the_log(officer, parties):
    party = parties["advertiser"]
    who = person_of(party)
    answer = officer.send("/people", "/people/consent", who=who)
    assert "In the dataset customers" in answer.text
    assert who not in str(answer.url)
    assert who.encode() not in b"".join(entry.encode() for entry in entries(party))
    assert (
        "No dataset has this person"
        in officer.send("/people", "/people/consent", who="nobody-at-all").text
    )
    token = re.search(r'name="form_token" value="([^"]*)"', officer.get("/people").text)[1]
    files = officer.client.post("/people/answer", data={"form_token": token, "who": who})
    assert {"access.html", "access.json"} < set(
        zipfile.ZipFile(io.BytesIO(files.content)).namelist()
    )


def test_an_officer_erases_nobody_and_an_operator_only_when_it_is_meant(officer, operator, parties):
    party = parties["advertiser"]
    who = person_of(party, 7)
    assert "Erase them" not in officer.get("/people").text
    hidden = re.search(r'name="form_token" value="([^"]*)"', officer.get("/people").text)[1]
    body = {"form_token": hidden, "who": who, "sure": "yes"}
    assert officer.client.post("/people/erase", data=body).status_code == 403
    token = re.search(r'name="form_token" value="([^"]*)"', operator.get("/people").text)[1]
    asked = operator.client.post("/people/erase", data={"form_token": token, "who": who})
    assert "cannot be taken back" in asked.text
    done = operator.client.post(
        "/people/erase", data={"form_token": token, "who": who, "sure": "yes"}
    )
    assert "The person is erased" in done.text
    encoded = re.search(r"data:application/json;base64,([^\"]*)", done.text)[1]
    receipt = json.loads(base64.b64decode(encoded))
    assert receipt["kind"] == "subject.erasure"
    assert not list(party.folder.glob(".answer-*"))


def person_of(party, row=0):
    """Return what the party calls somebody."""
    source = party.dataset("customers").definition
    import csv
    from pathlib import Path

    path = Path(source["folder"]) / source["source"]
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return rows[row][source["person"]] if source.get("person") else rows[row]["email"]


def entries(party):
    from party.evidence import StoredLog

    return StoredLog(party.store, party.identity).parsed()


def job_of(answer):
    """Return the id of the job whose page is answered; no job's where it has ended by then."""
    return str(answer.url).rsplit("/", 1)[1]


def test_a_dataset_is_shown_checked_and_mapped(officer, app, parties):
    text = officer.get("/datasets/customers").text
    assert "Quality report" in text
    answer = officer.send("/datasets/customers", "/datasets/customers/check", contract="")
    ended(app.state.console.jobs, job_of(answer), "carl")
    assert "With a well-formed identifier" in officer.get(answer.url.path).text
    assert officer.get("/datasets/nothing").status_code == 404


def described(folder, source):
    return (
        f"dataset: more\nsource: {source}\ncolumns: {{email: id.email, ok: consent}}\n"
        'consent: {column: ok, given: ["yes"], purposes: ["dpv:MarketResearch"], '
        "recipients: [channel]}\n"
    )


def test_only_files_below_the_folders_that_are_named_are_registered(
    operator, app, parties, tmp_path
):
    party = parties["advertiser"]
    inside, outside = tmp_path / "data", tmp_path / "other"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "more.csv").write_text("email,ok\na@example.com,yes\nb@example.com,yes\n")
    (inside / "link").symlink_to(outside)
    kept = party.settings
    party.settings = type(kept)(**{**kept.__dict__, "data_folders": (str(inside),)})
    try:
        for source in (
            outside / "more.csv",
            inside / "link" / "more.csv",
            f"{inside}/../other/more.csv",
            "/etc/*.csv",
            "s3://bucket/more.csv",
        ):
            refused = operator.send(
                "/register", "/register/check", text=described(tmp_path, source)
            )
            assert refused.status_code == 422, source
        text = described(tmp_path, inside / "more.csv")
        tried = operator.send("/register", "/register/check", text=text)
        ended(app.state.console.jobs, job_of(tried), "olga")
        assert "It serves" in operator.get(tried.url.path).text
        assert "more" not in [one.name for one in party.datasets()]
        done = operator.send(tried.url.path, "/register/check", text=text)
        assert done.status_code == 200
        token = re.search(r'name="form_token" value="([^"]*)"', operator.get("/register").text)[1]
        body = {"form_token": token, "text": text, "population": ""}
        registered = operator.client.post("/register/register", data=body)
        ended(app.state.console.jobs, job_of(registered), "olga")
        assert "more" in [one.name for one in party.datasets()]
    finally:
        party.settings = kept


def test_folders_are_whole_paths_and_survive_being_written(tmp_path):
    from party.errors import SettingsError

    (tmp_path / "party.toml").write_text('organisation = "A"\ndata_folders = ["/srv/data"]\n')
    settings = load_settings(tmp_path)
    (tmp_path / "party.toml").write_text(render_settings(settings))
    assert load_settings(tmp_path).data_folders == ("/srv/data",)
    for wrong in ('["data"]', '["/"]', "[3]"):
        (tmp_path / "party.toml").write_text(f'organisation = "A"\ndata_folders = {wrong}\n')
        with pytest.raises(SettingsError, match="data_folders"):
            load_settings(tmp_path)
