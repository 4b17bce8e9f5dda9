"""Every page that links lead to, in 简体中文 and with data: none has English sentences.

A visitor goes from link to link as an operator, at most `MOST_ALIKE` times to addresses of one
kind, and sends forms that are refused. What a page shows of data (names, values, the protocol's
words) is allowed; the list is short, so that a sentence is noticed. Does not cover: what a
counterpart wrote, and sentences of the store and the protocol, which no page asks for.
"""

import re
from collections import Counter, deque
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

import pytest
from chinese import english_in
from organisations import Wire, file_match, people, run_both, write_dataset
from report_paths import quoted_reach
from test_template_pages import STANDING, Sessions, day, plan, save, series_quote
from visitors import Visitor

from audit.roles import Role
from party.datasets import inspect, load_definition
from party.templates import template_called

MOST_ALIKE = 4
FILES = ("/files/", "/receipt", ".svg", "/file", "/static/")
PAGES = 40
ALLOWED = (
    # names of this test's parties, datasets, labels and contracts
    "advertiser", "channel", "The advertiser", "The channel", "customers", "receipts", "segment",
    "frequency", "gold", "silver", "nightly", "test", "untidy", "olga", "email", "phone",
    # words of the protocol, of contracts and of files
    "dpv:TargetedAdvertising", "dpv:MarketResearch", "FROM:TO:OUT_OF:BASIS:REFERENCE",
    "English", "SQLite", "match", "reach", "overlap",
    "sender", "receiver", "recipient", "tabulator", "C2SP", "sha256", "UTF-8",
)  # fmt: skip
COMMANDS = re.compile(r"`[^`]*`|commonground(?: [a-z-]+)*|[a-z]+ [a-z]+ (?:--[a-z]+ ?)+")


@pytest.fixture(scope="module")
def lived_in(app, parties, signed_in):
    """Leave something on every page: requests, a report, a list, a template that is scheduled."""
    party, analyst = parties["advertiser"], signed_in(Role.ANALYST)
    for kept in (True, False):
        request = file_match(parties, party.contract("test"))
        if kept:
            assert run_both(parties, request, Wire()) == dict.fromkeys(parties)
    save(analyst, "nightly")
    asked = template_called(party, "nightly").ask("ab" * 16, party.now)
    Sessions(parties).ask(asked, party.contract(None), actor="operator")
    plan(analyst, series_quote(analyst, party))()
    folder = party.folder.parent / "untidy"
    untidy = [("a", "", "", "gold", "yes"), *people(0, 40, ("gold", "silver"))]
    rows = [(who, "nobody", "(202) 555", label, given) for who, _, _, label, given in untidy]
    write_dataset(folder, "untidy", [*rows, *people(50, 90, ("gold", "silver"))], label="segment")
    definition = load_definition(folder / "untidy.yaml")
    party.keep_dataset(definition, inspect(definition), None)
    kept = party.settings
    party.settings = replace(kept, data_folders=(str(folder),))
    yield party
    party.settings = kept


@pytest.fixture(scope="module")
def reader(lived_in, app, signed_in):
    """An operator who reads 简体中文."""
    visitor = Visitor(app)
    visitor.client.cookies = signed_in(Role.OPERATOR).client.cookies
    visitor.client.headers["Accept-Language"] = "zh"
    return visitor


def english(answer):
    """Return the English of a page, commands and allowed words aside."""
    text = COMMANDS.sub("·", answer.text)
    return english_in(text, sorted(ALLOWED, key=len, reverse=True))


def alike(address):
    """Return what addresses of one kind have in common."""
    parts = urlsplit(address)
    fields = sorted(part.partition("=")[0] for part in parts.query.split("&"))
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", parts.path), *fields


def every_page(visitor, beginning):
    """Yield the address and the answer of each page that links lead to."""
    waiting, seen, times = deque(beginning), set(), Counter()
    while waiting:
        address = waiting.popleft()
        if address in seen or times[alike(address)] == MOST_ALIKE:
            continue
        seen.add(address)
        times[alike(address)] += 1
        answer = visitor.get(address)
        if answer.headers["content-type"].startswith("text/html"):
            yield address, answer
            for link in map(unescape, re.findall(r'href="([^"#]+)"', answer.text)):
                target = urlsplit(address).path + link if link.startswith("?") else link
                if target.startswith("/") and not any(part in target for part in FILES):
                    waiting.append(target)


def test_no_page_is_left_in_english(reader, lived_in):
    quoted = f"{STANDING}/nightly/schedule/quote?until={day(lived_in, 3)}"
    found = {}
    pages = 0
    for address, answer in every_page(reader, ["/", "/datasets/untidy", quoted]):
        assert answer.status_code == 200, address
        assert '<html lang="zh-Hans"' in answer.text
        pages += 1
        for run, text in english(answer):
            found.setdefault(run, (address, text))
    assert pages >= PAGES
    assert found == {}


def test_the_quote_of_a_report_says_what_it_rests_on_in_chinese(signed_in, app):
    analyst = Visitor(app)
    analyst.client.cookies = signed_in(Role.ANALYST).client.cookies
    address = None

    def remember(path, **options):
        nonlocal address
        answer = signed_in(Role.ANALYST).get(path, **options)
        address = answer.request.url.raw_path.decode()
        return answer

    class Followed:
        get = staticmethod(remember)

    quoted_reach(Followed)
    answer = analyst.get(address, headers={"Accept-Language": "zh"})
    assert "本方规模取自 customers 的质量报告" in answer.text
    assert english(answer) == []


def test_a_diagnosis_says_causes_and_remedies_in_chinese(reader):
    begun = reader.send("/datasets/untidy", "/datasets/untidy/check")
    job = next(
        one
        for one in iter(lambda: reader.get(begun.url.path), None)
        if "http-equiv" not in one.text
    )
    assert "只写一个地址" in job.text
    assert english(job) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/reports/00000000", "没有请求以 00000000 开头"),
        ("/contracts/00000000", "这里没有合同 00000000"),
        (f"{STANDING}/nowhere/run", "没有名为 nowhere 的模板"),
        (f"{STANDING}/nightly/schedule/quote?until=soon", "“soon”不是日期"),
        (f"{STANDING}/nightly/schedule/quote?until=2098-01-01", "最多运行 1000 次"),
        ("/reports/new/labels?contract=test&grant=99", "没有第 99 项授予"),
        ("/reports/new/labels?contract=test&grant=x", "请填写整数"),
        ("/budget/99.svg", "没有第 99 个账户"),
        ("/audit?since=yesterday", "不是时间"),
        ("/audit/evidence?request=00000000", "00000000"),
        ("/no/such/page", "此地址没有内容"),
    ],
)
def test_what_is_asked_wrongly_is_told_in_chinese(reader, path, said):
    answer = reader.get(path)
    assert answer.status_code >= 400
    assert said in answer.text
    assert english(answer) == []


@pytest.mark.parametrize(
    ("page", "action", "typed", "said"),
    [
        (f"{STANDING}/save?from={'ab' * 16}", f"{STANDING}/save", {"template": "a b"}, "不能作为"),
        ("/account", "/account/password", {"old": "x", "new": "y", "again": "z"}, "不一致"),
        ("/contracts/new", "/contracts/new/preview", {}, "请至少授予一项"),
        ("/register", "/register/columns", {"file": "/nowhere.csv"}, "不在 party.toml 所列的"),
        ("/register", "/register/check", {"text": "dataset: 7"}, "缺失；请补上"),
        ("/register", "/register/check", {"text": "a: 1\na: 2"}, "键“a”出现两次"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_chinese(reader, page, action, typed, said):
    answer = reader.send(page, action, **typed)
    assert answer.status_code in (403, 422)
    assert said in answer.text
    assert english(answer) == []
