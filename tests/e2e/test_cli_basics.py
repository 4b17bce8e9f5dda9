"""Parties as people make them, and what every command prints with --json."""

import json

import pytest
from command_line import ask, error_of, init, make_pair, run

from party.card import IdentityCard


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_pair(tmp_path_factory.mktemp("pair"))


def test_init_makes_a_party_and_says_what_to_type_next(tmp_path):
    done = run(
        *("init", tmp_path / "a", "--name", "brand", "--organisation", "Example Foods"),
        *("--jurisdiction", "NL", "--origin", "audit.test/brand", "--listen", "127.0.0.1:7443"),
    )
    assert "fingerprint" in done.stdout
    assert "commonground contract propose" in done.stdout
    card = IdentityCard.parse((tmp_path / "a" / "public.yaml").read_bytes())
    assert (card.organisation, card.address) == ("Example Foods", "127.0.0.1:7443")


def test_a_party_without_a_port_only_dials(tmp_path):
    init(tmp_path, "brand")
    assert IdentityCard.parse((tmp_path / "brand" / "public.yaml").read_bytes()).address is None


def test_init_leaves_a_party_that_is_there_alone(tmp_path):
    before = init(tmp_path, "brand")["fingerprint"]
    words = (
        "--name",
        "other",
        "--organisation",
        "Other",
        "--origin",
        "audit.test/other",
        "--jurisdiction",
        "NL",
    )
    assert "holds a party already" in error_of("init", tmp_path / "brand", *words, expect=6)
    found = ask("doctor", "--party", tmp_path / "brand")["checks"]
    assert before in next(one["detail"] for one in found if one["name"] == "certificate")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--name", "Not A Name"),
        ("--origin", "https://audit.test/brand"),
        ("--organisation", "two\nlines"),
        ("--listen", "0.0.0.0:7443"),
        ("--listen", "nonsense"),
        ("--jurisdiction", "nl"),
        ("--jurisdiction", "XX"),
        ("--storage", "Europe"),
    ],
)
def test_init_with_a_value_that_does_not_serve_makes_nothing(tmp_path, option, value):
    words = {"--name": "brand", "--organisation": "Brand", "--origin": "audit.test/brand"}
    words["--jurisdiction"] = "NL"
    words[option] = value
    flat = [word for pair in words.items() for word in pair]
    error_of("init", tmp_path / "brand", *flat, expect=6)
    assert not (tmp_path / "brand").exists()


def test_a_party_behind_another_address_gives_that_one_away(tmp_path):
    made = init(tmp_path, "brand", "--listen", "0.0.0.0:7443", "--address", "brand.test:7443")
    assert made["address"] == "brand.test:7443"


def test_the_party_is_found_by_option_variable_and_current_folder(tmp_path, monkeypatch):
    init(tmp_path, "brand")
    monkeypatch.chdir(tmp_path)
    assert "no party" in error_of("dataset", "list", expect=6)
    monkeypatch.setenv("COMMONGROUND_PARTY", str(tmp_path / "brand"))
    run("dataset", "list")
    monkeypatch.delenv("COMMONGROUND_PARTY")
    monkeypatch.chdir(tmp_path / "brand")
    run("dataset", "list")


@pytest.mark.parametrize(
    "words",
    [
        ("dataset", "list"),
        ("dataset", "show", "people"),
        ("contract", "show"),
        ("requests", "list"),
        ("ledger", "show"),
        ("audit", "show"),
        ("audit", "verify"),
        ("doctor",),
        ("quote", "reach", "--segment", "group", "--by", "group"),
        ("quote", "overlap", "--segment", "group"),
        ("quote", "insights", "--by", "group"),
        ("quote", "table", "--segment", "group", "--by", "group"),
        ("quote", "match", "--receiver", "channel"),
    ],
    ids=" ".join,
)
def test_json_is_one_document_and_text_is_not(made, words):
    done = run(*words, "--json", "--party", made / "advertiser")
    assert isinstance(json.loads(done.stdout), dict)
    text = run(*words, "--party", made / "advertiser").stdout
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


@pytest.mark.parametrize(
    "words",
    [
        ("reach", "--slot-minutes", "30"),
        ("reach", "--lookback-days", "7"),
        ("table", "--most-conversions", "2"),
        ("lift", "--most-keys", "9"),
        ("match", "--start", "2026-01-01"),
        ("delay", "--start", "2026-01-01", "--end", "2026-01-02", "--room", "9",
         "--epsilon-people", "1"),
        ("attribution", "--start", "2026-01-01", "--end", "2026-01-02"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_option_of_time_that_would_do_nothing_is_not_understood(made, words):
    assert run("quote", *words, "--party", made / "advertiser", expect=2).stdout == ""


def test_what_would_be_refused_is_not_quoted(made):
    words = ("quote", "reach", "--segment", "group", "--by", "group", "--epsilon", "0.001")
    said = error_of(*words, "--party", made / "advertiser", expect=3)
    assert "LIMIT_EXCEEDED: In the request, parameters.epsilon_release_nano" in said


def test_a_quote_says_bytes_time_loss_error_and_suppressed_cells(made):
    words = ("quote", "reach", "--segment", "group", "--by", "group", "--party")
    shown = " ".join(run(*words, made / "advertiser").stdout.split())
    for part in ("on the wire", "of work", "ε", "cells likely suppressed", "own coverage"):
        assert part in shown
    quoted = ask(*words, made / "advertiser", "--epsilon", "0.5")
    paid = {one["role"]: one["epsilon_nano"] for one in quoted["charges"]}
    assert paid == {"tabulator": 1_500_000_000, "recipient": 1_000_000_000}
    assert quoted["own_coverage"] == {"email": 1.0, "phone": 1.0}


def test_the_log_is_shown_as_lines_a_document_or_a_table(made):
    words = ("audit", "show", "--party", made / "advertiser")
    lines = run(*words, "--lines").stdout.splitlines()
    document = ask(*words)
    *shown, read = document["entries"]
    assert [json.loads(line) for line in lines] == shown
    assert (read["kind"], read["body"]) == ("audit.read", {"what": "audit.show"})
    assert len(ask(*words, "--last", "1")["entries"]) == 1
    assert "party.created" in run(*words).stdout


def test_an_error_is_in_the_language_that_the_command_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    init(tmp_path, "brand")
    (tmp_path / "answer").mkdir()
    asked = ("subject", "access", "C1", "--out", "answer", "--party", "brand")
    assert error_of(*asked, expect=6).startswith("Error: answer exists already")
    said = run(*asked, "--language", "zh", expect=6).stderr
    assert said == "错误：answer 已存在：请另取名称，或先将其删除\n"
    read = ask(*asked, "--language", "zh", expect=6)["error"]["message"]
    assert read.startswith("answer exists already"), "what programs read is the same for all"
    papers = ("contract", "documents", "none", "--out", "papers", "--party", "brand")
    assert "there is no contract none here" in error_of(*papers, expect=6)
    said = run(*papers, "--language", "zh", expect=6).stderr
    assert said.startswith("错误：")
    assert "there is" not in said
