"""Work of the console in the background: each look at it is of one moment, and of its own kind."""

import logging
import threading

import pytest
from visitors import NAMES, ended

from audit.roles import Role
from client.console.jobs import Jobs
from party.errors import PartyError

BY = NAMES[Role.OPERATOR]


@pytest.fixture
def jobs():
    return Jobs()


def test_a_job_that_was_seen_to_run_is_not_seen_to_have_ended_by_the_same_look(jobs):
    """A page is drawn from one look: of an end without what was found it could show nothing."""
    told, go_on = threading.Event(), threading.Event()

    def work(tell):
        tell("reading")
        told.set()
        assert go_on.wait(30)
        return 42

    job = jobs.start("customers", BY, work)
    assert told.wait(30)
    seen = jobs.find(job.id, BY, int)
    assert (seen.runs, seen.said, seen.found) == (True, "reading", None)
    go_on.set()
    now = ended(jobs, job.id, BY)
    assert (now.runs, now.found, now.problem) == (False, 42, None)
    assert (seen.runs, seen.found) == (True, None)


def test_nobody_else_finds_it_and_nobody_takes_it_for_what_it_is_not(jobs):
    job = jobs.start("customers", BY, lambda tell: 42)
    assert ended(jobs, job.id, BY, int).found == 42
    assert jobs.find(job.id, "ana", int) is None
    assert jobs.find(job.id, BY, str) is None
    assert jobs.find("x" * 22, BY, int) is None


def test_a_refusal_is_said_and_a_fault_is_left_to_the_log(jobs, caplog):
    def refuse(tell):
        raise PartyError("there is no such file")

    def fail(tell):
        raise ZeroDivisionError("ref3 is divided")

    refused = ended(jobs, jobs.start("customers", BY, refuse).id, BY)
    assert refused.problem == "there is no such file"
    with caplog.at_level(logging.ERROR):
        failed = ended(jobs, jobs.start("customers", BY, fail).id, BY)
    assert "a fault of this program" in str(failed.problem)
    assert "ref3" not in str(failed.problem)
    assert "a fault in work of the console" in caplog.text


def test_a_page_does_not_know_the_job_of_another_page(app, signed_in):
    job = app.state.console.jobs.start("customers", BY, lambda tell: 42)
    ended(app.state.console.jobs, job.id, BY)
    for path in ("/datasets/customers/check/", "/register/", "/register/done/"):
        assert signed_in(Role.OPERATOR).get(path + job.id).status_code == 404
