"""One of three drops out, refuses or finds a check failed: rows of the table of `make dropouts`."""

import pytest
from dropouts import ANSWERS, SETS, STATUS, Row, play_row
from shaky_network import DIALS, hurry
from shaky_plays import Quiet
from three_plays import LISTEN, make_ready, play_of_three

from client.carrying import Carrier, Waiting
from party.desk import Desk
from party.errors import Refusal, RefusalStatus

ROWS = (
    Row("vendor", ANSWERS, drops=False),
    Row("channel", SETS, drops=False),
    Row("advertiser", SETS, drops=True),
)


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    return make_ready(tmp_path_factory.mktemp("ready"), approval="manual")


@pytest.fixture
def play(ready, tmp_path, monkeypatch):
    hurry(monkeypatch)
    with play_of_three(ready, tmp_path, monkeypatch) as one:
        yield one


def approve(play, *names):
    """Let the hub put its request to the listeners, and let somebody approve it there."""
    with pytest.raises(Waiting) as waiting:
        Carrier(play.parties[DIALS], Quiet()).go_on(Desk(play.parties[DIALS]).find(play.request.id))
    for name in names:
        Desk(play.parties[name]).approve(play.request.id, actor="somebody")
    return str(waiting.value)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_all_three_logs_say_the_same_of_one_that_fails_and_nothing_of_one_that_is_gone(
    row, play, monkeypatch
):
    approve(play, *LISTEN)
    after, _ = play_row(row, play, monkeypatch)
    said = {reason for entries in after.values() for _, reason in entries}
    assert said == (set() if row.drops else {STATUS[row.phase].value})


@pytest.mark.parametrize("refuses", LISTEN)
def test_a_request_that_one_refuses_is_refused_for_all_although_another_approved_it(refuses, play):
    (other,) = (name for name in LISTEN if name != refuses)
    assert "channel and vendor to approve" in approve(play, other)
    assert f"somebody at {refuses} to approve" in approve(play)
    Desk(play.parties[refuses]).refuse(play.request.id, "not now", actor="somebody")
    stop = play.dial()
    assert isinstance(stop, Refusal)
    assert stop.message == "not now"
    play.network.wait_for_listener()
    play.require_ended(RefusalStatus.DECLINED)
    assert set(play.charged().values()) == {0}
    assert play.ends()[other] == [("session.failed", "DECLINED")]
