"""Requests as they are read while they change."""

import threading

import sqlalchemy as sa
from organisations import make_pair

from party.errors import RefusalStatus
from party.filing import PENDING, REFUSED, Filing
from party.request import Request


def test_a_request_that_is_settled_while_it_is_read_is_read_as_it_was(tmp_path, stores):
    """Requests and what counterparts said of them are read at one moment."""
    parties, contract = make_pair(tmp_path, stores)
    party, meanwhile = parties["advertiser"], []
    filing = Filing(party)
    request = Request.match(
        contract, requester="advertiser", receiver="channel", sender="advertiser", now=party.now
    ).sign(party.identity)
    filing.file(request, contract, mine=True, peers=("channel",), state=PENDING, actor="test")

    def settle():
        filed = filing.get(request.id)
        filing.settle(filed, REFUSED, RefusalStatus.DECLINED, "no", actor="test")

    def settle_it(_connection, _cursor, statement, *_):
        if "FROM request_peers" in statement and not meanwhile:
            meanwhile.append(threading.Thread(target=settle, daemon=True))
            meanwhile[0].start()
            meanwhile[0].join(60)

    sa.event.listen(party.store._engine, "before_cursor_execute", settle_it)
    seen = filing.open()
    sa.event.remove(party.store._engine, "before_cursor_execute", settle_it)
    assert [one.id for one in seen] == [request.id]
    assert filing.open() == []
