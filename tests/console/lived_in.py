"""A party in which something has happened, and where each page of its console shows it.

A page whose address has a parameter is looked at where there is something to see (`Places.at`); a
page that a form leads to is gone to as a person goes there (`FORMS`).
"""

from dataclasses import replace
from urllib.parse import urlencode

from organisations import Wire, file_match, run_both, write_dataset
from report_paths import links, quoted_reach

from audit.bodies import Incident
from audit.roles import Role
from client.console.contract_form import ContractForm
from client.drafts import Drafts
from party.desk import Desk
from party.filing import PENDING, Filing
from party.request import Request

FILES = frozenset(
    {
        "/audit/entries/{number}/receipt",
        "/audit/evidence/{wanted}",
        "/audit/key",
        "/audit/lineage/{wanted}/graph.svg",
        "/budget/{number}.svg",
        "/contracts/drafts/{name}/file",
        "/contracts/{which}/file",
        "/reports/style.css",
        "/reports/{request_id}/charts/{number}.svg",
        "/reports/{request_id}/files/{form}",
        "/sign-in/back",
        "/sign-in/provider",
        "/static/{digest}/{name}",
    }
)
"""Routes that answer no page of their own."""
LED_TO = {
    "/datasets/{name}/check/{job_id}": "dataset-diagnosis",
    "/register/{job_id}": "register-tried",
    "/register/done/{job_id}": "register-tried",  # on its way; then the dataset
}
"""Routes whose page a form leads to, and the name of that in `FORMS`."""


class Places:
    """Where there is something to be seen, by the name of its picture."""

    def __init__(self, parties, signed_in, folder):
        self._parties, self._party = parties, parties["advertiser"]
        self._operator = signed_in(Role.OPERATOR)
        self._folder = folder
        contract = self._party.contract("test")
        self._note_incident()
        quote = links(quoted_reach(self._operator), "/reports/new/labels?")[0]
        fields = quote.partition("?")[2]
        report = self._run(self._of_page(f"/reports/new/quote?{fields}"))
        listed = self._list(contract)
        pending = self._waits(contract)
        self._draft()
        self._plan(report)
        self._let_files_be_registered()
        self.at = {
            "/audit/entries/{number}": {"audit-entry": "/audit/entries/1"},
            "/audit/lineage/{wanted}": {
                "audit-lineage": f"/audit/lineage/{report}",
                "audit-lineage-dataset": "/audit/lineage/customers",
            },
            "/contracts/compare": {
                "contract-compared": "/contracts/compare?"
                + urlencode({"one": contract.digest, "other": "draft:winter"})
            },
            "/contracts/drafts/{name}": {"contract-draft": "/contracts/drafts/winter"},
            "/contracts/{which}": {"contract": f"/contracts/{contract.digest}"},
            "/datasets/{name}": {"dataset": "/datasets/customers"},
            "/datasets/{name}/map": {"dataset-map": "/datasets/customers/map"},
            "/reports/new/labels": {"report-form": quote},
            "/reports/new/quote": {"report-quote": f"/reports/new/quote?{fields}"},
            "/reports/{request_id}": {
                "report": f"/reports/{report}",
                "report-private": f"/reports/{report}?kind=private",
            },
            "/reports/standing/save": {"standing-save": f"/reports/standing/save?from={report}"},
            "/reports/standing/{name}/run": {"standing-run": "/reports/standing/weekly/run"},
            "/reports/standing/{name}/schedule": {
                "standing-schedule": "/reports/standing/weekly/schedule"
            },
            "/reports/standing/{name}/schedule/quote": {
                "standing-series": f"/reports/standing/weekly/schedule/quote?{self._when()}"
            },
            "/requests": {
                "requests": "/requests?show=all",
                "requests-waiting": "/requests?show=waiting",
                "requests-none": "/requests?show=open",
            },
            "/requests/{request_id}": {
                "request-waiting": f"/requests/{pending}",
                "request-finished": f"/requests/{listed}",
            },
        }

    def of(self, path):
        """Return the names and addresses of a route's pages."""
        plain = {path.strip("/").replace("/", "-") or "home": path}
        return self.at.get(path, {} if "{" in path else plain)

    def _of_page(self, address):
        """Ask for what a quote says; return the request's id."""
        page = self._operator.get(address).text
        key = page.partition('name="key" value="')[2].partition('"')[0]
        self._operator.send(address, "/reports", key=key)
        return key

    def _run(self, request_id):
        request = Desk(self._party).find(request_id).request
        Desk(self._parties["channel"]).submit("advertiser", request)
        assert run_both(self._parties, request, Wire()) == dict.fromkeys(self._parties)
        return request_id

    def _list(self, contract):
        """Run a match of either direction; return the id of the one whose list is here."""
        theirs = file_match(self._parties, contract)
        assert run_both(self._parties, theirs, Wire()) == dict.fromkeys(self._parties)
        own = Request.match(
            contract, requester="advertiser", receiver="advertiser", sender="channel",
            now=self._party.now,
        )  # fmt: skip
        return self._run(Desk(self._party).make(own, contract, actor="test").id)

    def _waits(self, contract):
        channel = self._parties["channel"]
        request = Request.match(
            contract, requester="channel", receiver="channel", sender="advertiser",
            now=self._party.now,
        ).sign(channel.identity)  # fmt: skip
        Filing(self._party).file(
            request, contract, mine=False, peers=("channel",), state=PENDING, actor="contract"
        )
        return request.id

    def _draft(self):
        usual = ContractForm(peer="channel", contract_id="winter", title="Winter campaign")
        kinds = {"reach": "manual", "match": "rule", "overlap": "rule"}
        Drafts(self._party).write(replace(usual, kinds=kinds).text(self._party))

    def _plan(self, report):
        save = "/reports/standing/save"
        self._operator.send(f"{save}?from={report}", save, template="weekly")
        plan = "/reports/standing/weekly/schedule"
        answer = self._operator.send(f"{plan}/quote?{self._when()}", plan)
        assert answer.status_code == 200, answer.text

    def _when(self):
        """Return the fields of a schedule of two runs."""
        from datetime import UTC, datetime, timedelta

        begins = datetime.fromtimestamp(self._party.now, UTC) + timedelta(days=1)
        ends = begins + timedelta(days=8)
        days = {"begins": f"{begins:%Y-%m-%d}", "until": f"{ends:%Y-%m-%d}"}
        return urlencode({"every": "week", "at": "03:00", **days})

    def _note_incident(self):
        body = Incident("BAD_MESSAGE", "a set that is out of shape", "channel")
        self._party.store.record(
            lambda c: self._party.journal.append(c, "incident.bad_message", body, actor="session")
        )

    def _let_files_be_registered(self):
        rows = [(f"r{i}", f"person{i}@example.com", "", "ab"[i % 2], "yes") for i in range(30)]
        write_dataset(self._folder, "more", rows, label="group", recipients=("channel",))
        self._party.settings = replace(self._party.settings, data_folders=(str(self._folder),))


def _submit(page, address, action, **values):
    """Fill in the form of a page that goes to `action`, and send it."""
    page.goto(address)
    form = page.locator(f"form[action='{action}']").first
    for name, text in values.items():
        form.locator(f"[name={name}]").fill(text)
    _press(page, form.locator("button:not([formaction])").first)


def _press(page, button):
    """Press what leads to another page, and wait until that is whole."""
    with page.expect_navigation():
        button.click()


def _settled(page):
    """Wait for a page to its end in which no part is fetched again."""
    page.locator("body:not(:has([data-refresh])) > footer").wait_for()
    page.wait_for_load_state("load")


def _diagnosis(page):
    _submit(page, "/datasets/customers", "/datasets/customers/check")
    _settled(page)


def _tried(page):
    page.goto("/register")
    text = page.locator("[name=text]")
    text.fill(
        f"dataset: more\nsource: {page.locator('[name=file] option').first.inner_text()}\n"
        "person: ref\ncolumns: {email: id.email, group: attribute, consent: consent}\n"
        'consent: {column: consent, given: ["yes"], purposes: ["dpv:MarketResearch"], '
        "recipients: [channel]}\nlabels: {group: {column: group, values: [a, b]}}\n"
    )
    _press(page, page.locator("form[action='/register/check'] button"))
    _settled(page)


def _verdict(page):
    _submit(page, "/audit/verify", "/audit/verify")
    _settled(page)


def _erase(page):
    page.goto("/people")
    page.locator("[name=who]").first.fill("ref3")
    _press(page, page.locator("button[formaction='/people/erase']"))


def _wrong(page):
    """A form that does not serve, with its problems above it."""
    new = "/contracts/new/preview"
    _submit(page, "/contracts/new", new, contract_id="spring", epsilon="much")


FORMS = {
    "audit-verdict": _verdict,
    "contract-preview": lambda page: _submit(
        page, "/contracts/new", "/contracts/new/preview", contract_id="summer"
    ),
    "contract-problem": _wrong,
    "dataset-diagnosis": _diagnosis,
    "people-consent": lambda page: _submit(page, "/people", "/people/consent", who="ref3"),
    "people-nobody": lambda page: _submit(page, "/people", "/people/consent", who="nobody"),
    "people-erase": _erase,
    "register-columns": lambda page: _submit(page, "/register", "/register/columns"),
    "register-tried": _tried,
    "no-such-page": lambda page: page.goto("/nowhere"),
}
"""Pages that a form leads to, or that is not there: how a person gets there."""
