"""A table of three from request to cosigned logs, over the wire."""

import threading

import pytest
import sqlalchemy as sa
from organisations import SECONDS
from three_over_grpc import HUB, three_over_grpc
from wired_parties import in_background

from client.relay import Relay
from party import artefacts
from party.decision import FINISHED
from party.desk import Desk
from party.errors import SessionSuspended
from party.occupied import is_carried_out
from party.parcels.store import IncomingParcel
from party.schema import SESSIONS


def test_a_table_of_three_is_carried_through_and_all_end_with_one_transcript(tmp_path):
    with three_over_grpc(tmp_path) as three:
        request = three.ask()
        assert three.carry(request).state == FINISHED
        transcripts = set()
        for party in three.parties.values():
            row = party.store.row(sa.select(SESSIONS).where(SESSIONS.c.request == request.id))
            assert row.state == FINISHED
            transcripts.add(bytes(row.transcript))
        assert len(transcripts) == 1
        result = Desk(three.parties[HUB]).result(request.id)
    assert result["role"] == "recipient"


# -- a second command for the same session ---------------------------------------------------------


def test_the_hub_carries_parcels_only_while_the_session_is_its_own(tmp_path, monkeypatch):
    own = []
    with three_over_grpc(tmp_path) as three:
        request = three.ask()

        def looking_first(work):
            def looked(*args):
                own.append(is_carried_out(three.parties[HUB].folder, request.id))
                return work(*args)

            return looked

        for edge in ("__enter__", "__exit__"):
            monkeypatch.setattr(Relay, edge, looking_first(getattr(Relay, edge)))
        three.carry(request)
    assert own == [True, True]


def test_a_second_command_does_not_write_to_the_parcels_of_the_first(tmp_path, monkeypatch):
    """The first stands before a chunk that the second, if it carried anything, would take too."""
    monkeypatch.setattr(artefacts, "CHUNK_POINTS", 64)  # so that a set of some 100 has several
    reached, go_on, written = threading.Event(), threading.Event(), threading.Event()
    stopped = []
    accept, enter = IncomingParcel.accept, Relay.__enter__

    def stopping(incoming, index, data):
        if HUB in incoming._path.parts and index == 1 and not stopped:
            stopped.append(incoming._path)
            reached.set()
            assert go_on.wait(SECONDS)
        accept(incoming, index, data)
        if incoming._path in stopped:
            written.set()

    def entering(relay):
        entered = enter(relay)
        assert not reached.is_set() or written.wait(SECONDS)
        return entered

    monkeypatch.setattr(IncomingParcel, "accept", stopping)
    monkeypatch.setattr(Relay, "__enter__", entering)
    with three_over_grpc(tmp_path) as three:
        request = three.ask()
        first = in_background(lambda: three.carry(request))
        assert reached.wait(SECONDS)
        with pytest.raises(SessionSuspended, match="being carried out by another command"):
            three.carry(request)
        go_on.set()
        assert first().state == FINISHED
