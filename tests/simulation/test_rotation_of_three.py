"""Three parties replace their keys in the middle of a session, over real gRPC and mutual TLS.

Two of them never meet: what they sign for each other goes by way of the third.
"""

import pytest
from dropouts import FIRST_SET
from three_over_grpc import HUB, LISTEN, three_over_grpc

from client.key_exchange import tell_all
from party.driver import Driver
from party.errors import PartyError
from party.evidence import StoredLog, compare_all_logs, verify_log
from party.rotation import rotate

HOUR = 3600


def at_its_set(monkeypatch, spring):
    """Let `spring` happen, once at each party, when it comes to raise its first set."""
    take, sprung = Driver._take, set()

    def taken(driver, index, *words):
        name = driver._terms.party_of(driver._role)
        if FIRST_SET[name] == index and name not in sprung:
            sprung.add(name)
            spring(name)
        return take(driver, index, *words)

    monkeypatch.setattr(Driver, "_take", taken)
    return sprung


def require_one_session(three, request):
    logs = [StoredLog(party.store, party.identity) for party in three.parties.values()]
    for log in logs:
        verify_log(log)
    for one in compare_all_logs(*logs):
        assert one.shared == (request.id,)
        assert one.checkpoints == 2


def test_signing_keys_that_are_replaced_at_once_in_the_middle_of_a_session_do_not_stop_it(
    tmp_path, monkeypatch
):
    """The two that do not meet sign for each other with keys that the other one knows."""
    with three_over_grpc(tmp_path) as three:
        before = {name: party.identity.signing for name, party in three.parties.items()}
        sprung = at_its_set(
            monkeypatch,
            lambda name: rotate(three.parties[name], "identity", use_after_hours=0),
        )
        request = three.ask()
        assert three.carry(request).state == "finished"
        assert sprung == set(three.parties)
        for name, party in three.parties.items():
            assert party.identity.signing != before[name]
        require_one_session(three, request)


def test_certificates_that_come_into_use_while_a_session_is_put_aside_carry_it_on(
    tmp_path, monkeypatch
):
    with three_over_grpc(tmp_path) as three:

        def leave(name):
            if name == HUB:
                raise PartyError("the process is gone")

        at_its_set(monkeypatch, leave)
        request = three.ask()
        with pytest.raises(PartyError, match="gone"):
            three.carry(request)
        made = [rotate(party, "tls", use_after_hours=1) for party in three.parties.values()]
        assert all(one.knows for one in tell_all(three.parties[HUB]))
        for party in three.parties.values():
            now = party.clock
            party.clock = lambda now=now: now() + HOUR
        for name in LISTEN:
            three.hang_up(name)
            three.listen(name)
        assert three.carry(request).state == "finished"
        shown = {party.identity.fingerprint for party in three.parties.values()}
        assert shown == {one.after.fingerprint for one in made}
        require_one_session(three, request)
