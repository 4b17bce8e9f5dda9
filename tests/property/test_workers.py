"""Where a party's work runs: threads for an engine that releases the GIL, else processes."""

import os
import signal
from dataclasses import replace

import psutil
import pytest

from party import organisation
from party.organisation import Organisation
from party.places import Places
from party.settings import Settings
from party.workers import start_workers
from psi.curve import engine


@pytest.fixture
def party(tmp_path):
    party = Organisation.create(
        tmp_path / "party",
        Settings(organisation="Example Foods", workers=1),
        name="advertiser",
        log_origin="advertiser.test/log",
        hosts=["127.0.0.1"],
        places=Places.of("NL"),
    )
    yield party
    party.close()


def use_engine(monkeypatch, *, releases_gil):
    chosen = replace(engine(), releases_gil=releases_gil)
    monkeypatch.setattr(organisation, "engine", lambda: chosen)


def test_threads_of_the_party_do_the_curve_work_where_the_engine_releases_the_gil(
    monkeypatch, party
):
    use_engine(monkeypatch, releases_gil=True)
    assert party.curve_executor.submit(os.getpid).result() == os.getpid()
    assert party.curve_executor is party.curve_executor


def test_processes_do_the_curve_work_where_the_engine_holds_the_gil(monkeypatch, party):
    use_engine(monkeypatch, releases_gil=False)
    assert party.curve_executor is party.executor
    assert party.curve_executor.submit(os.getpid).result() != os.getpid()


def test_workers_that_were_ended_begin_anew(monkeypatch, party):
    use_engine(monkeypatch, releases_gil=True)
    before = party.curve_executor
    party.end_workers()
    assert party.curve_executor.submit(abs, -1).result() == 1
    with pytest.raises(RuntimeError, match="after shutdown"):
        before.submit(abs, -1)


def test_ctrl_c_does_not_reach_a_worker_that_has_only_begun_to_start(capfd):
    before = set(psutil.Process().children())
    with start_workers(1) as workers:
        answer = workers.submit(os.getpid)
        born = set(psutil.Process().children()) - before
        while not answer.done():
            for process in born:
                process.send_signal(signal.SIGINT)
        assert answer.result() in {process.pid for process in born}
    assert capfd.readouterr().err == ""
