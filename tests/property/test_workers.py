"""Where a party's work runs: threads for an engine that releases the GIL, else processes."""

import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

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
    monkeypatch.setattr("psi.engines.engine", lambda: chosen)


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


def test_ctrl_c_does_not_reach_a_worker_that_has_only_begun_to_start(capfd):
    before, born = set(psutil.Process().children()), set()
    with start_workers(1) as workers:
        answer = workers.submit(os.getpid)
        while not answer.done():
            born |= set(psutil.Process().children()) - before
            for process in born:
                process.send_signal(signal.SIGINT)
        assert answer.result() in {process.pid for process in born}
    assert capfd.readouterr().err == ""


def test_what_a_process_raises_is_raised_here_and_one_that_ended_is_told():
    with start_workers(1) as workers:
        with pytest.raises(ValueError, match="invalid literal"):
            workers.submit(int, "seven").result()
        own = workers.submit(os.getpid).result()
        with pytest.raises(BrokenExecutor):
            workers.submit(os.kill, own, signal.SIGKILL).result()


def test_another_process_takes_the_place_of_one_that_ended():
    with start_workers(1) as workers:
        own = workers.submit(os.getpid).result()
        with pytest.raises(BrokenExecutor):
            workers.submit(os.kill, own, signal.SIGKILL).result()
        assert workers.submit(os.getpid).result() != own
        assert not psutil.pid_exists(own)


def test_no_more_processes_work_than_were_asked_for_and_none_is_left():
    with start_workers(2) as workers:
        at_work = {one.result() for one in [workers.submit(os.getpid) for _ in range(20)]}
        assert 1 <= len(at_work) <= 2
    assert not any(psutil.pid_exists(pid) for pid in at_work)


def test_a_party_that_is_killed_leaves_neither_a_worker_nor_a_semaphore(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(
        "import os\n"
        "from pathlib import Path\n"
        "from party.workers import start_workers\n"
        "if __name__ == '__main__':\n"
        "    worker = start_workers(1).submit(os.getpid).result()\n"
        "    print(worker, '/sem.' in Path('/proc/self/maps').read_text(), flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    worker, has_semaphores = run.stdout.split()
    assert (run.returncode, has_semaphores) == (-signal.SIGKILL, "False")
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(worker)).wait(timeout=60)
