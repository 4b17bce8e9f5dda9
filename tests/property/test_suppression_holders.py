"""Whose a key was: when it counts as withdrawn, what is sealed, and what a request may ask for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_parties import NOW, contract_document, party_called, signed

from party.artefacts import SessionFolder
from party.contract_terms import OutputKind
from party.errors import DatasetError, IdentityError, Refusal, RefusalStatus
from party.request import Request
from party.request_parameters import Parameters
from party.suppression.list_file import HOLDERS_FILE
from party.suppression.withdrawals import Holders, keep_holders, read_holders

TOKENS = np.arange(160, dtype=np.uint8).reshape(10, 16)


def holders(pairs):
    keys, people = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    return Holders(True, TOKENS, keys, people)


EVERY_KEY = st.dictionaries(
    st.integers(0, 11), st.sets(st.integers(0, 9), min_size=1), min_size=1
).map(lambda owners: {number: owners[key] for number, key in enumerate(sorted(owners))})


@given(EVERY_KEY, st.sets(st.integers(0, 9)))
def test_a_key_is_withdrawn_when_nobody_who_had_it_consents_any_more(owners, consenting):
    held = holders([(key, person) for key, people in owners.items() for person in people])
    found = held.withdrawn(TOKENS[sorted(consenting)])
    expected = {key for key, people in owners.items() if not people & consenting}
    assert set(found.tolist()) == expected
    assert len(found) == len(expected)


def test_the_keys_of_one_person_stand_together():
    held = holders([(0, 5), (1, 2), (2, 5), (3, 2), (4, 5)])
    assert held.withdrawn(TOKENS[:0]).tolist() == [1, 3, 0, 2, 4]


def test_a_run_takes_nobody_in_part():
    held = holders([(0, 5), (1, 2), (2, 5), (3, 2), (4, 5), (5, 7)])
    due = held.withdrawn(TOKENS[:0])
    assert due.tolist() == [1, 3, 0, 2, 4, 5]
    assert held.whole(due, 5).tolist() == [1, 3, 0, 2, 4]
    for most in (2, 3, 4):
        assert held.whole(due, most).tolist() == [1, 3]
    assert held.whole(due, 1).tolist() == [1], "more keys than a run takes"
    assert held.whole(due, 6).tolist() == due.tolist()


@given(EVERY_KEY, st.integers(1, 12))
def test_what_a_run_takes_is_a_beginning_that_no_holder_crosses(owners, most):
    held = holders([(key, person) for key, people in owners.items() for person in people])
    due = held.withdrawn(TOKENS[:0])
    taken = held.whole(due, most)
    assert 0 < len(taken) <= most
    assert due[: len(taken)].tolist() == taken.tolist()
    firsts = [{min(owners[key]) for key in part.tolist()} for part in (taken, due[len(taken) :])]
    if len([key for key in owners if min(owners[key]) == min(owners[due[0]])]) <= most:
        assert not firsts[0] & firsts[1]


def test_somebody_who_joined_meanwhile_changes_nothing():
    held = holders([(0, 1), (1, 2)])
    newcomer = np.full((1, 16), 255, dtype=np.uint8)
    assert held.withdrawn(np.concatenate([TOKENS[1:3], newcomer])).tolist() == []


@given(EVERY_KEY, st.integers(1, 64))
def test_what_is_sealed_comes_back_however_it_is_cut(owners, size):
    held = holders([(key, person) for key, people in owners.items() for person in people])
    head, *parts = held.parts()
    cut = (part[start : start + size] for part in parts for start in range(0, len(part), size))
    again = Holders.of_blocks(bytes(block) for block in (head, *cut))
    assert again.by_person is True
    for name in ("tokens", "keys", "holders"):
        assert np.array_equal(getattr(again, name), getattr(held, name))


def test_whose_keys_they_were_opens_for_their_request_only(tmp_path):
    folder, identity, held = SessionFolder(tmp_path), party_called("channel"), holders([(0, 3)])
    _, request = match(1)
    keep_holders(folder, identity, request, held)
    assert TOKENS[3].tobytes() not in (tmp_path / HOLDERS_FILE).read_bytes()
    assert read_holders(folder, identity, request).holders.tolist() == [3]
    with pytest.raises(IdentityError, match="does not open"):
        read_holders(folder, identity, match(1)[1])
    (tmp_path / HOLDERS_FILE).unlink()
    with pytest.raises(DatasetError, match="make the list again"):
        read_holders(folder, identity, request)


def test_holders_of_nobody_come_back(tmp_path):
    nobody = Holders(True, TOKENS[:0], *np.zeros((2, 0), dtype=np.int32))
    folder, identity, (_, request) = SessionFolder(tmp_path), party_called("channel"), match(1)
    keep_holders(folder, identity, request, nobody)
    again = read_holders(folder, identity, request)
    assert (len(again.tokens), len(again.keys), len(again.holders)) == (0, 0, 0)


# -- the request -----------------------------------------------------------------------------------


def match(runs):
    contract = signed(contract_document())
    request = Request.match(
        contract,
        requester="advertiser",
        receiver="channel",
        sender="advertiser",
        now=NOW,
        datasets={"channel": "receipts"},
        parameters=Parameters(suppression_runs=runs),
    )
    return contract, request.sign(party_called("advertiser"))


@pytest.mark.parametrize("runs", [0, 1, 31])
def test_a_match_may_have_as_many_runs_as_a_month_has_days(runs):
    contract, request = match(runs)
    request.check(contract, NOW)
    assert Request.decode(request.encode()) == request
    assert ("suppression_runs" in request.to_json()["parameters"]) is (runs > 0)


def test_more_runs_are_refused():
    contract, request = match(32)
    with pytest.raises(Refusal) as refused:
        request.check(contract, NOW)
    assert refused.value.status is RefusalStatus.LIMIT_EXCEEDED


def test_a_table_has_no_runs():
    contract = signed(contract_document())
    request = Request.crosstab(
        contract,
        OutputKind.REACH,
        requester="advertiser",
        tabulator="channel",
        recipient="advertiser",
        now=NOW,
        datasets={"channel": "receipts"},
        labels={"channel": "frequency"},
        parameters=Parameters(suppression_runs=1),
    ).sign(party_called("advertiser"))
    with pytest.raises(Refusal) as refused:
        request.check(contract, NOW)
    assert refused.value.status is RefusalStatus.LIMIT_EXCEEDED


def test_no_runs_have_one_spelling():
    _, request = match(1)
    zero = request.encode().replace(b'"suppression_runs":1', b'"suppression_runs":0')
    assert zero != request.encode()
    with pytest.raises(Refusal, match="suppression_runs"):
        Request.decode(zero)


def test_runs_are_part_of_what_is_signed():
    _, request = match(1)
    more = replace(request, parameters=replace(request.parameters, suppression_runs=2))
    with pytest.raises(Refusal):
        more.verify_signature(party_called("advertiser").verifier)
