"""What a command asks about a report, the form of the same report asks too, and it counts.

Covers: each kind of report, of two parties and of three, and lists. Does not cover: what the
courses make of the choices, which are those of the commands.
"""

import re
import time
from dataclasses import replace

import pytest
import typer
from organisations import make_party
from visitors import NAMES, PASSWORD, PLACE, Visitor

from audit.roles import Role
from client.commands import match, report
from client.console import report_form
from client.console.api.reports import Options
from client.console.app import make_app
from client.console.report_form import ReportForm, Typed, offered_to
from languages import ENGLISH
from party.contract_draft import draft_contract
from party.contract_file import load_contract, sign_contract_file
from party.contract_terms import OutputKind
from party.staff.accounts import Staff
from party.yaml_text import read_yaml, write_yaml
from psi.legs import THIRD

DAY = 86_400
FIELDS = {
    "--segment": "label-advertiser",
    "--by": "label-channel",
    "--attribute": "label-vendor",
    "--dataset": "label-advertiser",
    "--their-dataset": "label-channel",
    "--third-dataset": "label-vendor",
    "--their-people": "people-channel",
}
"""The fields of options that are not called as their fields; the advertiser is who asks."""
ELSEWHERE = {
    "--recipient": "the grant says who has which role",
    "--tabulator": "the grant says who has which role",
    "--receiver": "the grant says who has which role",
    "--third": "the grant says who has which role",
    "--contract": "the grant is one of a contract",
    "--ask": "the quote is always shown first",
    "--wait": "the console carries requests in the background",
    "--resume": "each request of the report goes on at its own page",
    "--model": "the report's page has it, and it costs nothing",
    "--cost": "the report's page has it, and it costs nothing",
    "--private": "the report's page has it, and it costs nothing",
    "--out": "the report's page, or the page of lists, hands files out",
    "--html": "the report's page hands files out",
    "--png": "the report's page hands files out",
    "--language": "the reader has chosen it for all pages",
    "--party": "a console is of one party",
    "--json": "the API has it",
}
"""What a command asks and a form does not, and why."""
OTHERWISE = {
    "label-advertiser": "more/",
    "label-channel": "more/",
    "label-vendor": "more/",
    "people-channel": "77",
    "identifier": "phone",
    "by_identifier": "yes",
    "epsilon": "0.25",
    "epsilon_dummies": "0.25",
    "delta": "1e-8",
    "start": "2026-01-02",
    "end": "2026-03-02",
    "room": "78",
    "slot_minutes": "30",
    "lookback_days": "7",
    "most_conversions": "2",
    "most_keys": "79",
    "epsilon_people": "0.5",
    "use": "exclude",
    "name": "summer",
    "suppression_runs": "3",
    "match_rate": "10",
}
TIMES = {"start": "2026-01-01T00:00", "end": "2026-02-01T00:00", "room": "9"}


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Return the advertiser of a contract that grants every kind, and the contract."""
    folder = tmp_path_factory.mktemp("options")
    parties = {name: make_party(folder, name) for name in ("advertiser", "channel", "vendor")}
    now = int(time.time())
    text = draft_contract(
        {
            name: replace(party.own_card(), address=f"{name}.example:7443")
            for name, party in parties.items()
        },
        contract_id="every",
        title="Every kind",
        starts=now - DAY,
        ends=now + DAY,
    )
    document = read_yaml(text.encode(), "draft", ValueError)
    for datasets in document["datasets"].values():
        datasets["more"] = datasets["people"]
    path = folder / "contract.yaml"
    path.write_text(write_yaml(document), encoding="utf-8")
    for party in parties.values():
        sign_contract_file(path, party.identity)
    contract = load_contract(path)
    parties["advertiser"].keep_contract(contract)
    yield parties["advertiser"], contract
    for party in parties.values():
        party.close()


@pytest.fixture(scope="module")
def analyst(three):
    """Return a visitor who may ask."""
    Staff(three[0]).add(NAMES[Role.ANALYST], Role.ANALYST, PASSWORD)
    visitor = Visitor(make_app(three[0], PLACE))
    visitor.sign_in(NAMES[Role.ANALYST])
    return visitor


def options_of(kind):
    """Return the options of a kind's command, without the dashes of alternatives."""
    if kind is OutputKind.MATCH:
        app = typer.Typer(add_completion=False)
        match.add_to(app)
        command = typer.main.get_command(app)
    else:
        command = typer.main.get_command(report.app).commands[kind.value]
    return {one.opts[0] for one in command.params}


def field_of(kind, option):
    """Return the field of an option; a list has no table, so its ε is that of the dummies."""
    if kind is OutputKind.MATCH and option == "--epsilon":
        return "epsilon_dummies"
    return FIELDS.get(option, option.removeprefix("--").replace("-", "_"))


def forms_of(party, contract, kind):
    """Yield what the forms of a kind begin with: of two and of three, and by identifier type."""
    for one in offered_to(party, [contract], ENGLISH):
        if one.grant.kind is kind:
            begins = {"contract": contract.digest, "grant": str(one.number)}
            yield begins, one
            if one.by_type:
                yield begins | {"by_identifier": "yes"}, one


def fields_shown(page):
    """Return the names of the fields of the form that leads to the quote."""
    (form,) = re.findall(r'<form method="get" action="/reports/new/quote">(.*?)</form>', page, re.S)
    return set(re.findall(r'name="([^"]*)"', form)) - {"contract", "grant"}


@pytest.mark.parametrize("kind", list(OutputKind), ids=str)
def test_a_form_offers_every_option_of_its_command_and_no_other(three, analyst, kind):
    forms = [begins for begins, _ in forms_of(*three, kind)]
    pages = [analyst.get("/reports/new/labels", params=begins) for begins in forms]
    assert {page.status_code for page in pages} == {200}
    shown = set().union(*(fields_shown(page.text) for page in pages))
    asked = {field_of(kind, option) for option in options_of(kind) - set(ELSEWHERE)}
    assert asked <= shown, "a command asks what no form does"
    assert shown - {"people-vendor"} <= asked, "a form asks what no command does"


def test_the_list_of_what_forms_leave_out_names_options_that_there_are():
    assert set(ELSEWHERE) <= set().union(*map(options_of, OutputKind))


@pytest.mark.parametrize("kind", list(OutputKind), ids=str)
def test_what_is_typed_into_a_field_counts(three, analyst, kind, monkeypatch):
    for course in ("table_request", "match_request", "plan", "list_naming"):
        monkeypatch.setattr(report_form, course, lambda *given, **named: repr((given, named)))
    party, contract = three
    begins, counts = TIMES if kind.is_timed else {}, set()

    def said(fields):
        form = ReportForm.of(party, Typed.read(begins | fields))
        request = form.types(party) if form.by_type else form.request(party)
        return request, form.typed.guess(), form.naming(party, request)

    asked = set()
    for first, _ in forms_of(party, contract, kind):
        usual = said(first)
        for name in fields_shown(analyst.get("/reports/new/labels", params=first).text):
            asked.add(name)
            if said({**first, name: OTHERWISE.get(name, "77")}) != usual:
                counts.add(name)
    assert counts == asked - ({"by_identifier"} if kind is OutputKind.OVERLAP else set())


def test_what_is_not_typed_is_as_the_command_has_it(three, monkeypatch):
    monkeypatch.setattr(report_form, "table_request", lambda *given: given)
    party, contract = three
    begins, _ = next(forms_of(party, contract, OutputKind.ATTRIBUTION))
    *_, table, choice = ReportForm.of(party, Typed.read(begins | TIMES)).request(party)
    assert (table.timing.most_keys, table.timing.epsilon_people) == (None, None)
    assert (table.timing.slot_minutes, table.timing.lookback_days) == (60, 30)
    assert choice.epsilon is None


def test_the_api_has_the_options_of_the_forms():
    of_the_form = {"contract", "grant", "by_identifier"}
    assert set(Options.model_fields) == set(report_form.FIELDS) - of_the_form
    given = Options.model_validate({"room": 20, "match_rate": 0.25, "use": "exclude"})
    assert Typed.read(given.fields()).guess().match_rate == 0.25
    assert given.fields() == {"room": "20", "match_rate": "25.0", "use": "exclude"}


def test_only_an_overlap_of_two_is_made_by_identifier_type(three, analyst):
    for kind in OutputKind:
        for begins, one in forms_of(*three, kind):
            answer = analyst.get("/reports/new/labels", params=begins | {"by_identifier": "yes"})
            of_two = kind is OutputKind.OVERLAP and THIRD not in one.grant.roles
            assert answer.status_code == (200 if of_two else 422)
