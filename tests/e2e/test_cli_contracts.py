"""Contracts as people propose, sign, import and read them; and those that are refused."""

import shutil

import pytest
import yaml
from command_line import (
    altered,
    ask,
    error_of,
    init,
    log_size,
    make_pair,
    propose,
    rows,
    run,
    sign,
    write_csv,
    write_description,
)

from party.contract_file import load_contract
from party.contract_terms import OutputKind


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def pair(made, tmp_path):
    """Two parties of one's own: whatever a test does to them, the next one has fresh ones."""
    folder = tmp_path / "pair"
    shutil.copytree(made, folder)
    return folder


def test_a_draft_takes_registered_datasets_and_leaves_an_existing_file_alone(made, tmp_path):
    folder = tmp_path / "here"
    shutil.copytree(made, folder)
    file = propose(folder, "second")
    contract = load_contract(file)
    assert contract.datasets["advertiser"]["people"].labels == {"group": ("a", "b")}
    assert contract.output(OutputKind.REACH, {"recipient": "advertiser", "tabulator": "channel"})
    before = file.read_text()
    words = ("contract", "propose", folder / "channel" / "public.yaml", "--out", file)
    assert "exists" in error_of(*words, "--party", folder / "advertiser", expect=6)
    assert file.read_text() == before


def test_a_draft_may_give_the_tables_to_the_counterpart(pair):
    words = ("contract", "propose", pair / "channel" / "public.yaml", "--they-measure")
    run(*words, "--out", pair / "turned.yaml", "--party", pair / "advertiser")
    contract = load_contract(pair / "turned.yaml")
    assert contract.output(OutputKind.REACH, {"recipient": "channel", "tabulator": "advertiser"})


def test_a_draft_across_a_border_says_what_to_state_and_is_shown_with_it(tmp_path):
    init(tmp_path, "brand", "--storage", "FR", "--storage", "CH")
    init(tmp_path, "channel")
    card, out = tmp_path / "channel" / "public.yaml", tmp_path / "far.yaml"
    words = ("contract", "propose", card, "--out", out, "--party", tmp_path / "brand")
    said = error_of(*words, expect=6)
    assert "{from: brand, to: channel, out_of: CH}" in said
    assert "{from: channel, to: brand, out_of: EEA}" in said
    assert not out.exists()
    stated = (
        *("--transfer", "brand:channel:CH:local-law:FADP 16(1), list of states"),
        *("--transfer", "channel:brand:EEA:adequacy:Decision 2000/518/EC"),
    )
    run(*words, *stated)
    shown = run("contract", "show", out, "--party", tmp_path / "brand").stdout
    assert "NL, FR" not in shown
    assert "FR, CH" in shown
    assert "Decision 2000/518/EC" in shown
    assert "WARNING" not in shown


def test_a_contract_of_cards_from_before_is_shown_with_a_warning(tmp_path):
    for name in ("brand", "channel"):
        init(tmp_path, name)
        card = tmp_path / name / "public.yaml"
        lines = card.read_text(encoding="utf-8").split("jurisdiction:")[0]
        card.write_text(lines, encoding="utf-8")
    card, out = tmp_path / "channel" / "public.yaml", tmp_path / "old.yaml"
    drafted = run("contract", "propose", card, "--out", out, "--party", tmp_path / "brand")
    assert "WARNING: not declared" in drafted.stdout
    signed = run("contract", "sign", out, "--party", tmp_path / "brand")
    assert "WARNING: not declared" in signed.stdout


def test_documents_are_written_in_either_language_and_never_over_others(made, tmp_path):
    party, papers = made / "advertiser", tmp_path / "papers"
    words = ("contract", "documents", propose(made, "papers"), "--out", papers, "--party", party)
    files = ask(*words)["files"]
    assert len(files) == 4
    assert ask(*words, "--language", "zh")["language"] == "zh"
    assert len(list(papers.iterdir())) == 8
    assert "exists already" in error_of(*words, expect=6)
    assert "not one of 'en', 'zh'" in run(*words, "--language", "fr", expect=2).stderr


def test_a_draft_without_an_id_has_a_plain_file_name(pair, monkeypatch):
    monkeypatch.chdir(pair)
    words = ("contract", "propose", pair / "channel" / "public.yaml", "--party", "advertiser")
    assert ask(*words)["file"] == "contract.yaml"
    assert ask(*words, "--id", "two")["file"] == "contract-two.yaml"


def test_a_quote_counts_people_however_many_rows_they_have(pair):
    people = [row if row[0] != "r0" else ["r0", "", *row[2:]] for row in rows(40)]
    write_csv(pair / "people.csv", [*people, *(people[0] for _ in range(360))])
    run("dataset", "add", write_description(pair), "--party", pair / "advertiser")
    quoted = ask("quote", "match", "--receiver", "channel", "--party", pair / "advertiser")
    assert quoted["own_coverage"] == {"email": 39 / 40, "phone": 1.0}


def test_a_draft_with_oneself_is_refused(pair):
    words = ("contract", "propose", pair / "advertiser" / "public.yaml")
    assert "own card" in error_of(*words, "--party", pair / "advertiser", expect=6)


def test_signing_says_who_is_missing_and_then_what_is_next(pair):
    file = propose(pair, "second")
    first = run("contract", "sign", file, "--party", pair / "advertiser").stdout
    assert "channel signs the same file" in first
    second = run("contract", "sign", file, "--party", pair / "channel").stdout
    assert "commonground contract import" in second


def test_showing_a_contract_says_in_words_what_is_granted_to_whom(pair):
    shown = run("contract", "show", "--party", pair / "advertiser").stdout
    flat = " ".join(shown.split())
    assert "channel learns which of its own people advertiser has too" in flat
    assert "advertiser gets a table of noisy counts, counted by channel" in flat
    assert "asks a person each time" in flat
    assert "In force" in flat


def test_two_copies_with_a_signature_each_are_one_contract(pair):
    mine = propose(pair, "second")
    theirs = pair / "theirs.yaml"
    shutil.copy(mine, theirs)
    sign(mine, pair, "advertiser")
    sign(theirs, pair, "channel")
    words = ("contract", "import", mine, "--party", pair / "advertiser")
    assert "not signed by 'channel'" in error_of(*words, expect=6)
    found = ask("contract", "import", mine, theirs, "--party", pair / "advertiser")
    assert (found["state"], found["signed_by"]) == ("in force", ["advertiser", "channel"])


def test_three_parties_draft_sign_merge_and_import_one_contract(pair):
    for name, port in (("measurer", 7101), ("vendor", 7102)):
        init(pair, name, "--listen", f"127.0.0.1:{port}")
    cards = {name: pair / name / "public.yaml" for name in ("measurer", "vendor", "channel")}
    words = ("contract", "propose", cards["measurer"], "--party", pair / "advertiser")
    silent = pair / "silent" / "public.yaml"
    init(pair, "silent")
    assert "has no address" in error_of(*words, "--third", silent, "--id", "x", expect=6)
    assert "are one party" in error_of(*words, "--third", cards["measurer"], "--id", "x", expect=6)
    mine = pair / "three.yaml"
    found = ask(*words, "--third", cards["vendor"], "--id", "three", "--out", mine)
    assert found["parties"] == ["advertiser", "measurer", "vendor"]
    copies = {name: pair / f"by-{name}.yaml" for name in ("measurer", "vendor")}
    for name, copy in copies.items():
        shutil.copy(mine, copy)
        sign(copy, pair, name)
    signed = run("contract", "sign", mine, "--party", pair / "advertiser").stdout
    assert "measurer and vendor sign the same file" in " ".join(signed.split())
    words = ("contract", "import", mine, copies["measurer"])
    assert "not signed by 'vendor'" in error_of(*words, "--party", pair / "advertiser", expect=6)
    for name in ("advertiser", "vendor"):
        stored = ask(*words, copies["vendor"], "--party", pair / name)
        assert stored["signed_by"] == ["advertiser", "measurer", "vendor"]
    shown = " ".join(run("contract", "show", "three", "--party", pair / "vendor").stdout.split())
    assert "a table of noisy counts with the labels of vendor, counted by measurer" in shown


def test_a_contract_altered_by_one_byte_is_refused_and_nothing_is_stored(pair):
    file = altered(sign(propose(pair, "second"), pair), "min_cell: 10", "min_cell: 11")
    before = log_size(pair / "advertiser")
    words = ("contract", "import", file, "--party", pair / "advertiser")
    assert "altered after they signed" in error_of(*words, expect=6)
    words = ("contract", "sign", file, "--party", pair / "advertiser")
    assert "altered after they signed" in error_of(*words, expect=6)
    assert log_size(pair / "advertiser") == before


def test_an_unsigned_and_an_ended_contract_are_refused(pair):
    draft = propose(pair, "second")
    words = ("contract", "import", draft, "--party", pair / "advertiser")
    assert "not signed" in error_of(*words, expect=6)
    document = yaml.safe_load(draft.read_text())
    altered(draft, f"starts: {document['starts']:%Y}", "starts: 2001")
    altered(draft, f"ends: {document['ends']:%Y}", "ends: 2002")
    sign(draft, pair)
    assert "ended" in error_of(*words, expect=6)
    assert len(ask("audit", "show", "--party", pair / "advertiser")["entries"]) == 3


def test_a_contract_for_others_is_refused(pair, tmp_path):
    init(tmp_path, "stranger")
    words = ("contract", "import", pair / "deal.yaml", "--party", tmp_path / "stranger")
    assert "none of them has this party's identity key" in error_of(*words, expect=6)
    words = ("contract", "sign", pair / "deal.yaml", "--party", tmp_path / "stranger")
    error_of(*words, expect=6)


def test_importing_says_which_datasets_are_missing_here(pair):
    found = ask("contract", "import", pair / "deal.yaml", "--party", pair / "channel")
    assert any("people, which is not registered here" in one for one in found["shortfalls"])
