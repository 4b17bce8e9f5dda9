"""A report's page: it holds the rendering's numbers and nothing that the rendering hides."""

import base64
import dataclasses
import html
import re
from dataclasses import replace

import pytest
from report_pages import (
    LAWS,
    SECRET,
    Page,
    by_identifier,
    private,
    released,
    shareable,
    source,
)

import client.page.drawing
from client.page.document import MOST_COLUMNS, page_of
from client.page.figures import MOST_BARS, figures_of, png_of
from client.page.files import PageFiles
from party.datasets import BoundStep
from party.errors import PartyError
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.costs import Costs
from reports.effect import Probability, Ranged
from reports.kinds import build

KINDS = ("reach", "campaigns", "overlap", "funnel", "insights", "lift", "table")
EVIL = "<script>alert(\"1\")</script> & 'co'</td>"
DRAWN = {}


def page_text(rendering, sources=None):
    return page_of(rendering, sources or [source()], "advertiser")


@pytest.fixture(scope="module")
def drawn():
    """Return the text of a case's page; each is drawn once."""

    def draw(case, kind="shareable"):
        if (case, kind) not in DRAWN:
            if case == "by identifier":
                made = by_identifier(PrivateEstimates) if kind == "private" else by_identifier()
                sources = [source(identifiers=("phone",)), source(identifiers=("email",))]
            else:
                made = private(case) if kind == "private" else shareable(case)
                sources = [source()]
            DRAWN[case, kind] = made, page_of(made, sources, "advertiser")
        return DRAWN[case, kind]

    return draw


def svgs(page):
    start = "data:image/svg+xml;base64,"
    assert all(image["src"].startswith(start) for image in page.images)
    return [base64.b64decode(image["src"].removeprefix(start)).decode() for image in page.images]


@pytest.mark.parametrize("case", [*KINDS, "by identifier"])
@pytest.mark.parametrize("kind", ["shareable", "private"])
def test_every_number_of_the_rendering_stands_in_the_table_with_its_error(drawn, case, kind):
    rendering, text = drawn(case, kind)
    numbers = Page(text).numbers
    rows = list(rendering.rows())
    assert len(numbers) == len(rows)
    for row, shown in zip(rows, numbers, strict=True):
        said = row.to_dict()
        name = row.metric if row.label is None else f"{row.metric}: {row.label}"
        assert (shown["Number"], shown["Segment"]) == (name, row.segment or "all")
        assert shown["Unit"] == row.unit
        if isinstance(row.estimate, Ranged | Probability):
            assert said["shown"] == (
                shown["Value"]
                if shown["95% interval"] == "–"
                else f"{shown['Value']} ({shown['95% interval']})"
            )
            assert (shown["Standard error"] == "–") == (said["standard_error"] is None)
            continue
        assert shown["Value"] == said["shown"].partition(" ± ")[0]
        if said["value"] is not None and said["value"] >= 0 and row.estimate.half_width:
            assert f"{shown['Value']} {shown['95% error']}" == said["shown"]
            assert " to " in shown["95% interval"]
            assert shown["Standard error"] not in ("–", "exact")


@pytest.mark.parametrize("case", [*KINDS, "by identifier"])
def test_a_suppressed_number_is_called_suppressed_and_never_zero(drawn, case):
    rendering, text = drawn(case)
    page = Page(text)
    hidden = [row for row in rendering.rows() if row.estimate.suppressed]
    assert hidden
    shown = [one for one in page.numbers if one["Value"] == "suppressed"]
    assert len(shown) == len(hidden)
    for one in shown:
        assert one["95% interval"] == "–"
        assert one.get("Fitted", "–") == "–"
        assert one["Remark"]
    assert f"{len(hidden)} number" in page.text
    assert "It does not mean 0" in page.text
    for figure in figures_of(rendering):
        for row, bar in zip(figure.rows, figure.bars(), strict=True):
            assert (bar["said"] == "suppressed") == row.estimate.suppressed


def test_a_suppressed_count_leaves_no_trace_of_its_value():
    one, other = (
        shareable("table", segments=("gold", "silver", name)) for name in ("none", "none")
    )
    assert page_text(one) == page_text(other)
    low = shareable("overlap")
    hidden = [row for row in low.rows() if row.estimate.suppressed and row.metric == "matched"]
    assert [row.estimate.value for row in hidden] == [-60]
    assert "-60" not in page_text(low)


def test_a_difference_is_drawn_on_both_sides_of_nothing_also_alone(drawn):
    rendering, text = drawn("lift")
    figures = {figure.metric: figure for figure in figures_of(rendering)}
    assert figures["lift"].signed
    assert "p-value" not in figures
    whole = next(row for row in rendering.rows() if row.metric == "lift" and row.segment == "gold")
    bar = next(bar for bar in figures["lift"].bars() if bar["bar"] == "gold")
    assert (bar["low"], bar["high"]) == (whole.estimate.low, whole.estimate.high)
    below = next(row for row in rendering.rows() if row.metric == "lift" and row.segment == "none")
    assert below.estimate.value < 0
    assert below.estimate.shown("points").startswith("−")
    shown = next(one for one in Page(text).numbers if one["Segment"] == "none")
    assert "the interval includes 0" in shown["Remark"]
    alone = released(("test", "held out"), ((300,), (220,)), ("all",))
    drawn_alone = figures_of(build("lift", ShareableEstimates(alone, LAWS)))
    assert "lift" in [figure.metric for figure in drawn_alone if len(figure.rows) == 1]


def test_a_negative_number_is_shown_as_noise(drawn):
    rendering, text = drawn("campaigns")
    below = [
        row for row in rendering.rows() if row.estimate.value < 0 and not row.estimate.suppressed
    ]
    assert below
    shown = [one for one in Page(text).numbers if one["Value"] == "0 (noise)"]
    assert len(shown) == len(below)
    assert all(one["95% interval"].startswith("at most ") for one in shown)
    assert all("noise dominates" in one["Remark"] for one in shown)
    bars = [bar for f in figures_of(rendering) for bar in f.bars() if bar["said"] == "0 (noise)"]
    assert {(bar["value"], bar["low"], bar["standing"]) for bar in bars} == {
        (0.0, 0.0, "noise dominates")
    }


@pytest.mark.parametrize("case", [*KINDS, "by identifier"])
def test_a_private_page_says_so_at_its_top_and_in_its_title(drawn, case):
    _, text = drawn(case, "private")
    title = re.search(r"<title>(.*?)</title>", text)[1]
    assert "PRIVATE, not to be passed on" in title
    body = Page(text).text.partition("not to be passed on")[2].strip()
    assert body.index("Private: not to be passed on.") < 5
    _, shared = drawn(case)
    assert "PRIVATE" not in shared
    assert "Shareable: this page may be passed on" in shared


@pytest.mark.parametrize("case", [*KINDS, "by identifier"])
def test_a_page_that_may_be_passed_on_has_nothing_of_the_recipients_own(drawn, case):
    _, own = drawn(case, "private")
    _, shared = drawn(case)
    assert f"{SECRET:,}" not in Page(shared).text
    if case in ("reach", "overlap", "table", "by identifier"):  # which show an audience
        assert f"{SECRET:,}" in Page(own).text


def test_values_and_costs_stand_on_the_page_with_a_chart_each():
    made = shareable("table", segments=("0", "10", "20"))
    costs = Costs.of_campaigns({"x": "12.5", "y": "1000"})
    text = page_text(dataclasses.replace(made, costs=costs))
    found = {(row["Number"], row["Segment"]): row for row in Page(text).numbers}
    value = found["value: x", "all"]
    assert (value["Value"], value["Unit"]) == ("500.00", "value")
    assert value["95% error"].startswith("± ")
    assert found["cost: y", "all"]["95% error"] == "exact"
    assert {"value", "ROAS", "conversion rate"} <= set(
        re.findall(r"Bar chart of ([A-Za-z ]+) in", text)
    )
    assert "ROAS is the value of the people reached" in Page(text).text


def test_what_rules_and_bounds_left_is_exact_for_its_owner_and_named_for_others(drawn):
    steps = (
        BoundStep("people who consent", 70_123, 60_234),
        BoundStep("invalid traffic: double clicks", 50_345, 40_456),
        BoundStep("people with rows left", 30_567, 20_678),
    )
    sources = [replace(source(), steps=steps)]
    own = Page(page_text(private("reach"), sources)).text
    assert "people who consent 70,123 → 60,234; invalid traffic: double clicks 50,345 → 40,456" in (
        own
    )
    shared = Page(page_text(shareable("reach"), sources)).text
    assert "invalid traffic by its rules left before anything was counted: double clicks." in shared
    for step in steps:
        for count in (step.before, step.after):
            assert f"{count:,}" not in shared
            assert str(count) not in shared
    _, without = drawn("reach")
    assert "invalid traffic" not in without


def test_the_recipients_dummies_change_nothing_of_what_may_be_passed_on():
    texts = set()
    for dummies in (0, 40):
        table = private("overlap", dummies).released()
        again = shareable("overlap")
        assert again.released() == table
        texts.add(page_text(again))
    assert len(texts) == 1


def test_texts_of_a_counterpart_are_escaped_everywhere():
    rendering = shareable("table", labels=(EVIL, "y"), segments=("gold", EVIL, "a&b"))
    text = page_text(rendering, [source(segment=EVIL, party=EVIL)])
    assert "<script" not in text
    assert 'alert("1")' not in text
    page = Page(text)
    assert EVIL in page.text
    assert any(one["Segment"] == EVIL for one in page.numbers)
    assert any(one["Number"] == f"matched: {EVIL}" for one in page.numbers)
    for svg in svgs(page):
        assert "<script" not in svg
    assert any("&lt;script&gt;" in svg for svg in svgs(page))


def test_no_label_is_read_as_an_expression():
    labels, segments = ("'];x", '"', "a\\'b"), ("${a}", "{{ 7*7 }}", "datum.value\\")
    rendering = shareable("three by three", labels=labels, segments=segments)
    page = Page(page_text(rendering))
    for label in labels:
        assert any(one["Number"] == f"matched: {label}" for one in page.numbers)
    for segment in segments:
        assert any(one["Segment"] == segment for one in page.numbers)
        assert any(html.escape(segment, quote=False) in svg for svg in svgs(page))


@pytest.mark.parametrize("case", [*KINDS, "by identifier"])
def test_a_page_fetches_nothing_and_runs_nothing(drawn, case):
    _, text = drawn(case)
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "@import" not in text
    assert "url(" not in text
    for svg in svgs(page):
        assert not re.search(r"(?:href|src)\s*=|url\((?!#)|<image|<foreignObject|<style", svg)


@pytest.mark.parametrize("case", [*KINDS, "by identifier"])
def test_a_screen_reader_gets_language_captions_scopes_and_words_for_charts(drawn, case):
    _, text = drawn(case)
    page = Page(text)
    assert ("html", {"lang": "en"}) in page.tags
    assert len(page.tables) == sum(tag == "table" for tag, _ in page.tags)
    assert all(page.tables)  # a caption each
    assert sum(tag == "thead" for tag, _ in page.tags) == len(page.tables)
    heads = [attributes for tag, attributes in page.cells if tag == "th"]
    assert all(attributes.get("scope") in ("col", "row") for attributes in heads)
    assert page.images
    assert all("numbers with their 95% intervals" in image["alt"] for image in page.images)
    assert sum(tag == "h1" for tag, _ in page.tags) == 1


def test_a_page_tells_what_was_spent_and_where_the_log_has_it(drawn):
    page = Page(drawn("reach")[1])
    (spent,) = [rows for caption, rows in page.tables.items() if "cost" in caption]
    assert spent[1:] == [
        ("channel", "tabulator", "1.25", "1e-9"),
        ("advertiser", "recipient", "1", "1e-9"),
    ]
    one = source()
    for fact in (one.request.id, one.request.digest, one.request.contract, one.transcript):
        assert fact in page.text
    assert "17 of brand.test/log" in page.text
    assert "ε of a table is 0.25" in page.text
    assert "suppressed below 10 people" in page.text


def test_the_cost_of_several_tables_is_their_sum(drawn):
    page = Page(drawn("by identifier")[1])
    (spent,) = [rows for caption, rows in page.tables.items() if "cost" in caption]
    assert [row[2] for row in spent[1:]] == ["2.5", "2"]
    assert "the digests differ" in page.text


def test_equal_renderings_make_equal_pages(drawn):
    rendering, text = drawn("reach")
    assert page_text(rendering) == text


def test_every_bar_has_its_interval_and_bars_are_told_apart_without_hue(drawn):
    rendering, _ = drawn("reach")
    for figure in figures_of(rendering):
        for row, bar in zip(figure.rows, figure.bars(), strict=True):
            if row.estimate.suppressed:
                continue
            assert bar["low"] == max(row.estimate.low, 0)
            assert bar["high"] == max(row.estimate.high, 0)
            assert (bar["standing"] == "noise dominates") == row.estimate.noise_dominated


def test_many_numbers_have_a_table_and_no_chart():
    segments = tuple(f"s{number}" for number in range(MOST_BARS + 1))
    counts = (tuple(range(100, 100 + len(segments))),)
    from report_pages import LAWS, released

    from reports.cells import ShareableEstimates
    from reports.kinds import build

    rendering = build("overlap", ShareableEstimates(released(("all",), counts, segments), LAWS))
    assert figures_of(rendering) == []
    page = Page(page_text(rendering))
    assert len(page.numbers) == len(list(rendering.rows()))
    assert not any(caption.startswith("At a glance") for caption in page.tables)
    assert len(segments) > MOST_COLUMNS
    with pytest.raises(PartyError, match="no chart"):
        png_of(rendering)


def test_the_picture_is_a_png():
    assert png_of(shareable("overlap"))[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_the_extra_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(client.page.drawing, "find_spec", lambda name: None)
    files = PageFiles(html=tmp_path / "page.html")
    with pytest.raises(PartyError, match="with the extra `html`"):
        files.require_writable()
    with pytest.raises(PartyError, match="with the extra `html`"):
        page_text(shareable("overlap"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "files",
    [{"html": "page.txt"}, {"png": "page.jpg"}, {"html": "page"}, {"html": "absent/page.html"}],
)
def test_a_file_that_could_not_be_written_is_refused_before_anything(files, tmp_path):
    chosen = {name: tmp_path / path for name, path in files.items()}
    with pytest.raises(PartyError, match=r"write to a file that ends in|no folder"):
        PageFiles(**chosen).require_writable()


def test_a_page_replaces_what_was_there_whole_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    PageFiles(html=path).write(shareable("overlap"), lambda: [source()], "advertiser")
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")

    def absent():
        raise PartyError("the log has no end")

    with pytest.raises(PartyError):
        PageFiles(html=path).write(shareable("overlap"), absent, "advertiser")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
