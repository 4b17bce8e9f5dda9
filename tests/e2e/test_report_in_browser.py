"""`report … --html` as it is typed, and the page in a real browser: what is seen, read, fetched."""

import csv

import pytest
from browser import browser  # noqa: F401 - a fixture
from command_line import run
from two_processes import copy_pair, holding

FEW = ("--dataset", "few", "--their-dataset", "few")
MEASURE = """
Promise.all([...document.images].map(image => image.decode())).then(() => ({
  title: document.title,
  language: document.documentElement.lang,
  images: [...document.images].map(image => [image.naturalWidth, image.width]),
  tables: [...document.querySelectorAll("table")].map(
    table => [table.caption.textContent, table.rows.length]),
  wide: document.documentElement.scrollWidth,
  ground: getComputedStyle(document.body).backgroundColor,
}))
"""


@pytest.fixture(scope="module")
def reported(template, tmp_path_factory):
    """A pair, and the request of a finished reach table with a page that was asked for with it."""
    folder = tmp_path_factory.mktemp("reported")
    pair = copy_pair(template, folder)
    pair.serve()
    words = ("report", "reach", "--segment", "segment", "--by", "frequency", *FEW)
    files = ("--html", folder / "reach.html", "--png", folder / "reach.png")
    done = pair.advertiser.read(*words, *files)
    pair.end()
    return pair.advertiser, folder, done


def test_a_page_is_what_a_browser_shows_and_a_reader_is_told(reported, browser, tmp_path):  # noqa: F811
    _, folder, done = reported
    assert (folder / "reach.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    page = folder / "reach.html"
    seen = browser.open(page, MEASURE)
    assert [url for url in seen.requested if not url.startswith("data:")] == [page.as_uri()]
    assert seen.complaints == []
    measured = seen.measured
    assert (measured["title"], measured["language"]) == ("Reach", "en")
    assert len(measured["images"]) == 8
    assert all(natural > 300 and shown > 300 for natural, shown in measured["images"])
    assert measured["wide"] <= 1060
    rows = dict(measured["tables"])
    assert rows[f"Every number with its error: {len(done['result']['rows'])} numbers"] == 36
    assert len(seen.told("table")) == 3
    assert sum("Bar chart of" in name for name in seen.told("image")) == 8
    assert "Reach" in seen.told("heading")
    cells = {*seen.told("cell"), *seen.told("gridcell")}
    for row in done["result"]["rows"]:
        assert row["shown"].partition(" ± ")[0] in cells
    assert len(seen.screenshot) > 50_000
    assert seen.printed[:5] == b"%PDF-"
    (tmp_path / "reach.png").write_bytes(seen.screenshot)


def test_a_private_page_is_marked_in_the_browser_too_and_fits_a_telephone(reported, browser):  # noqa: F811
    party, folder, done = reported
    page = folder / "own.html"
    party.read("report", "show", done["id"][:8], "--private", "--html", page)
    seen = browser.open(page, MEASURE, width=390, height=800)
    assert seen.measured["title"] == "Reach – PRIVATE, not to be passed on"
    assert seen.measured["wide"] <= 390
    assert any("Private: not to be passed on" in name for name in seen.told("StaticText"))


def test_a_page_is_made_again_from_the_store_and_names_nobody(reported):
    party, folder, done = reported
    text = (folder / "reach.html").read_text(encoding="utf-8")
    again = folder / "again.html"
    party.read("report", "show", done["id"], "--html", again)
    assert again.read_text(encoding="utf-8") == text
    assert done["id"] in text
    assert str(party.folder) not in text
    verified = party.read("audit", "show")
    (ended,) = [one for one in verified["entries"] if one["kind"] == "session.finished"]
    assert f"{ended['seq']} of advertiser.test/log" in text
    assert ended["body"]["transcript"] in text
    people = holding("advertiser", "few")
    for number in range(people.start, people.stop):
        for value in people.row(number)[:3]:
            assert not value or len(str(value)) < 6 or str(value) not in text


def test_every_number_of_the_page_is_that_of_the_file(reported):
    party, folder, done = reported
    out = folder / "reach.csv"
    party.read("report", "show", done["id"], "--out", out, "--html", folder / "beside.html")
    text = (folder / "beside.html").read_text(encoding="utf-8")
    with out.open(newline="", encoding="utf-8") as file:
        shown = [row["shown"] for row in csv.DictReader(file)]
    assert shown
    for number in shown:
        assert number.partition(" ± ")[0] in text


def test_the_page_is_written_in_the_language_that_is_asked_for(reported):
    party, folder, done = reported
    page = folder / "chinese.html"
    again = party.read("report", "show", done["id"], "--html", page, "--language", "zh")
    assert again["result"] == done["result"], "what programs read is the same in every language"
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in text
    assert "<h1>触达</h1>" in text


@pytest.mark.parametrize(
    "words",
    [
        ("report", "reach", "--html", "page.txt"),
        ("report", "overlap", "--png", "chart.svg"),
        ("report", "reach", "--html", "absent/page.html"),
        ("report", "reach", "--html", "page.html", "--language", "fr"),
    ],
)
def test_a_file_that_could_not_be_written_is_refused_before_anything_is_spent(
    template, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMMONGROUND_PARTY", str(template.advertiser.folder))
    by = ("--by", "frequency") if words[1] == "reach" else ()
    run(*words, *by, *FEW, expect=2)
    ledger = template.advertiser.read("ledger", "show")
    assert ledger["rows"] == []
    assert template.advertiser.read("requests", "list")["requests"] == []
