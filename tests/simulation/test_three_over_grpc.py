"""A table of three from request to cosigned logs, over the wire."""

import sqlalchemy as sa
from three_over_grpc import HUB, three_over_grpc

from party.decision import FINISHED
from party.desk import Desk
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
