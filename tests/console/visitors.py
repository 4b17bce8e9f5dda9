"""Who signs in to the console of a test, and where it is."""

import re
import time

from organisations import make_pair
from starlette.testclient import TestClient
from store_backends import SQLITE

from audit.entry import Entry
from audit.roles import Role
from client.console.app import Place
from party.evidence import StoredLog
from party.staff.accounts import Staff

PASSWORD = "correct horse battery staple"
NAMES = {Role.OPERATOR: "olga", Role.ANALYST: "ana", Role.COMPLIANCE: "carl"}
PLACE = Place(frozenset({"testserver"}), 443, secure=True)


def bearer(token):
    """Return the headers of a program that has a token."""
    return {"Authorization": f"Bearer {token}"}


class Visitor:
    """A browser without JavaScript that sends each form as the page has it."""

    def __init__(self, app):
        self.client = TestClient(app, base_url="https://testserver", follow_redirects=True)

    def get(self, path, **options):
        return self.client.get(path, **options)

    def send(self, page, action, **values):
        """Send the form of a page (a path) that goes to `action`, with its hidden fields."""
        text = self.client.get(page).text
        forms = re.findall(r'<form method="post" action="([^"]*)".*?>(.*?)</form>', text, re.S)
        inside = next(body for address, body in forms if address == action)
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', inside)
        return self.client.post(action, data=dict(hidden) | values)

    def sign_in(self, name, password=PASSWORD):
        return self.send("/sign-in", "/sign-in", name=name, password=password)


def session_of(visitor):
    """Return the secret of a visitor's session."""
    return visitor.client.cookies.get("__Host-commonground-443-session")


def ended(jobs, job_id, by, kind=object):
    """Wait for the end of a job of the account `by`; return the job, None where there is none."""
    until = time.monotonic() + 60
    while (job := jobs.find(job_id, by, kind)) is not None and job.runs:
        assert time.monotonic() < until, "the job goes on"
        time.sleep(0.01)
    return job


def newest(party, number=1):
    """Return the last entries of a party's log."""
    entries = [Entry.parse(one) for one in StoredLog(party.store, party.identity).entries()]
    return entries[-number:]


def staffed_pair(folder, stores=SQLITE):
    """Yield advertiser and channel, with a contract and datasets, and staff at the advertiser."""
    reached = {"advertiser": "127.0.0.1:7443"}  # the channel dials
    made, _ = make_pair(folder, stores, addresses=reached)
    for role, name in NAMES.items():
        Staff(made["advertiser"]).add(name, role, PASSWORD)
    yield made
    for party in made.values():
        party.close()
