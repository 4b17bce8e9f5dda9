"""A page in Chinese has every number of the English one, and no sentence is left in English.

What stays is data: labels, names, purposes, commands.
"""

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from report_pages import CASES, Page, by_identifier, private, shareable, source

from client.page import drawing, figures
from client.page.document import page_of
from client.page.figures import figures_of, png_of
from client.page.files import PageFiles
from client.page.glossary import KINDS, METRICS, ROLES, STEPS, TITLES, UNITS
from languages import language
from party.datasets import BoundStep
from party.errors import PartyError
from reports.cells import PrivateEstimates
from reports.costs import Costs
from reports.estimate import Unit
from reports.rendering import PRIVATE, SHAREABLE
from reports.table import unknown_to

EVIL = "<b>&"
ZH = language("zh")
REPOSITORY = Path(__file__).parents[2]
WORDS = """UTC advertiser channel commonground audit verify private customers subscribers dpv
    MarketResearch summer brand test log session finished sha tier gold silver none phone email
    frequency reach any north south seen visited held out x y dataset check sample p C T Z"""
DATA = set(WORDS.split())
STEPPED = (
    BoundStep("people who consent", 70_123, 60_234),
    BoundStep("identifiers, at most 2 of a person", 70_123, 60_234),
    BoundStep("invalid traffic: later than now", 50_345, 40_456),
)


def rendering(case, kind):
    if case == "by identifier":
        return by_identifier(PrivateEstimates) if kind == PRIVATE else by_identifier()
    return private(case) if kind == PRIVATE else shareable(case)


@pytest.mark.parametrize("case", [*CASES, "by identifier"])
@pytest.mark.parametrize("kind", [PRIVATE, SHAREABLE])
def test_a_page_in_chinese_says_every_number_and_no_english_sentence(case, kind, monkeypatch):
    monkeypatch.setattr(figures.Figure, "svg", lambda figure: "<svg/>")  # drawn by other tests
    made = rendering(case, kind)
    if case in ("table", "reach"):
        made = replace(made, costs=Costs.of_campaigns({"all": "12.5"}))
    sources = [replace(source(), steps=STEPPED)]
    one, other = (Page(page_of(made, sources, "advertiser", _)) for _ in (language("en"), ZH))
    assert ("html", {"lang": "zh-Hans"}) in other.tags
    alternatives = " ".join(image["alt"] for image in other.images)
    said = re.sub(r"[0-9a-f]{32,}|\de-\d+", "", other.text + alternatives)
    words = re.findall(r"[A-Za-z]+", said)
    joined = re.compile(f"(?:{'|'.join(sorted(DATA, key=len, reverse=True))})+")
    assert [word for word in words if not joined.fullmatch(word)] == []
    digits = re.compile(r"[\d,.]*\d")
    by_row = [
        [[digits.findall(cell) for cell in row] for rows in page.tables.values() for row in rows]
        for page in (one, other)
    ]
    assert by_row[0] == by_row[1]


def test_labels_of_a_counterpart_are_not_translated_and_are_escaped():
    made = shareable("table", labels=("suppressed", EVIL), segments=("all", "people", "both"))
    page = Page(page_of(made, [source()], "advertiser", ZH))
    numbers = page.tables[next(one for one in page.tables if one.startswith("全部数字"))]
    assert {"suppressed", EVIL} <= {row[0].removeprefix("已匹配: ") for row in numbers}
    assert {"all", "people", "both", "全部"} <= {row[1] for row in numbers}


def test_charts_are_in_chinese_too():
    (figure,) = figures_of(shareable("table", segments=("0", "10", "20")), ZH)[:1]
    drawn = figure.svg()
    assert "Noto Sans CJK SC" in drawn
    assert "人数" in drawn
    bars = [bar for one in figures_of(shareable("overlap"), ZH) for bar in one.bars()]
    assert {"已隐藏", "全部"} <= {bar[name] for bar in bars for name in ("said", "bar")}


def test_a_picture_whose_letters_no_font_has_is_refused_and_a_page_is_not(tmp_path, monkeypatch):
    drawn = iter([b"box", b"box", b"one", b"other"])
    monkeypatch.setattr("vl_convert.svg_to_png", lambda svg: next(drawn))
    picture = PageFiles(png=tmp_path / "reach.png", language="zh")
    with pytest.raises(PartyError, match="needs a font"):
        picture.require_writable()
    drawing.require_fonts(ZH)
    PageFiles(html=tmp_path / "reach.html", language="zh").require_writable()
    assert not list(tmp_path.iterdir())


def test_english_is_drawn_with_the_fonts_of_every_machine():
    drawing.require_fonts(language("en"))
    assert png_of(shareable("overlap"))[:4] == b"\x89PNG"


@pytest.mark.parametrize(("given", "said"), [("fr", "choose en or zh"), ("EN", "choose en or zh")])
def test_another_language_is_refused_before_anything(tmp_path, given, said):
    with pytest.raises(PartyError, match=said):
        PageFiles(html=tmp_path / "reach.html", language=given).require_writable()


def test_a_language_of_no_page_is_refused():
    with pytest.raises(PartyError, match="--html"):
        PageFiles(language="zh").require_writable()


def texts(node):
    """Return a text of the sources, with something where a value stands."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "7" for one in node.values]
        return "".join(parts)
    return None


def trees(folder):
    for path in sorted((REPOSITORY / folder).rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def test_the_glossary_has_every_metric_and_unit_of_the_reports():
    found = set()
    for tree in trees("reports"):
        for node in ast.walk(tree):
            parts = node.args if isinstance(node, ast.Call) else getattr(node, "elts", ())
            if len(parts) >= 3 and texts(parts[1]) in get_args(Unit) and texts(parts[0]):
                found.add(texts(parts[0]))
    assert {"reach", "p-value", "ROAS7", "value, 7"} <= found
    assert {one for one in found if not METRICS.knows(one.removesuffix("7"))} - {
        "conversions, 7", "value, 7",
    } == set()  # fmt: skip
    assert all(UNITS.knows(unit) for unit in get_args(Unit))
    assert all(KINDS.knows(kind) for kind in (PRIVATE, SHAREABLE))
    assert all(ROLES.knows(role) for role in ("tabulator", "recipient", "third"))


def test_the_glossary_has_every_title_and_every_step():
    titles = set()
    for tree in trees("reports"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "title":
                titles.add(texts(node.value))
    assert len(titles) > 8
    assert [one for one in titles if not TITLES.knows(one)] == []
    steps = set()
    for tree in trees("party"):
        named = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                named[getattr(target, "id", "")] = node.value
        for node in ast.walk(tree):
            name = getattr(getattr(node, "func", None), "id", "")
            if name in ("BoundStep", "step_of") and node.args:
                first = node.args[0]
                steps.add(texts(named.get(first.id) if isinstance(first, ast.Name) else first))
            if isinstance(node, ast.FunctionDef) and node.name == "step":
                steps |= {texts(one.value) for one in ast.walk(node) if isinstance(one, ast.Return)}
    steps.discard(None)
    assert len(steps) > 15
    assert [one for one in steps if not STEPS.knows(one)] == []


def test_a_name_in_a_name_is_said_too_and_a_counterparts_word_is_not():
    assert METRICS.said("reach, by attribute", ZH) == "触达（按属性）"
    assert METRICS.said("value, shapley", ZH) == "价值（沙普利值）"
    assert STEPS.said("invalid traffic: my rule {x}", ZH) == "无效流量：my rule {x}"
    assert ZH.own(unknown_to("{x}")) == "{x} 未知的人"
