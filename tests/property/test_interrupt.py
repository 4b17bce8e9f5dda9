"""Ctrl-C stops the next call to a counterpart, wherever it was swallowed."""

import contextlib
import signal

import pytest
from two_parties import NOW, contract_document, party_called, signed

from client import interrupt
from client.dial import Dialler


@pytest.fixture
def heard(monkeypatch):
    """Ctrl-C is heard as in the program, and forgotten afterwards."""
    before = signal.getsignal(signal.SIGINT)
    interrupt.hear()
    yield
    signal.signal(signal.SIGINT, before)
    interrupt._heard.clear()


def test_what_a_library_swallows_is_raised_at_the_next_call(heard, monkeypatch):
    party, contract = party_called("advertiser"), signed(contract_document())
    monkeypatch.setattr(party, "clock", lambda: NOW)
    called = []
    with Dialler(party, contract, "channel", "127.0.0.1:7443") as dialler:
        dialler.attempt(lambda: called.append("before"))
        with contextlib.suppress(BaseException):  # as an import does that is only tried
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            dialler.attempt(lambda: called.append("after"))
    assert called == ["before"]
