"""Histories that hang together as a tree and are signed, and that break the rules all the same.

The writer here is honest about signatures and not about what it did: each log verifies as a tree,
so what refuses it is the rule that the test names.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from audit_logs import (
    BUDGET,
    CONTRACT,
    DAY,
    DIGEST,
    MAX_AGE,
    WINDOW,
    LogKeeper,
    run_session,
    two_parties,
)

from audit.bodies import (
    AccessGranted,
    AccessRefused,
    AccessRemoved,
    AuditRead,
    Budget,
    ConsentReference,
    ConsentSnapshot,
    ContractSigned,
    DatasetErased,
    DatasetRegistered,
    KeyRotated,
    LineageEmitted,
    ListSuppressed,
    PartyCreated,
    PartyRestored,
    PeerForgotten,
    PeerPinned,
    PeerRenewed,
    PeerRestored,
    PeerRevoked,
    SignedIn,
)
from audit.errors import VerificationError
from audit.note import Verifier
from audit.verify import compare, verify
from privacy.accounting import Spend, ZcdpFilter

REQUEST, SESSION, TRANSCRIPT = "r-1", "5" * 64, "7" * 64
OTHER_CONTRACT = "b" * 64


@pytest.fixture
def keeper():
    """A party with a contract: entries 0 and 1."""
    advertiser = LogKeeper("advertiser", bytes([1]) * 32)
    advertiser.create()
    advertiser.sign_contract()
    return advertiser


def begin(keeper, request=REQUEST):
    """Start a session by the rules: two entries."""
    keeper.start(request, keeper.snapshot_consent())


def refused(keeper, message, entry=None):
    """The log fails at `entry`, its last one by default."""
    with pytest.raises(VerificationError, match=message) as caught:
        verify(keeper.stored())
    assert caught.value.entry == (len(keeper.entries) - 1 if entry is None else entry)


def disclose(keeper, expires_at=None, request=REQUEST):
    """Disclose a list by the rules, to the channel."""
    begin(keeper, request)
    keeper.spend(request, what="dp")
    keeper.spend(request, what="disclosure")
    keeper.disclose(request, SESSION, "channel", expires_at)


def tell(keeper, event, request=REQUEST):
    body = LineageEmitted(request, event, DIGEST)
    keeper.write("lineage.emitted", body, session=SESSION, contract=CONTRACT)


def test_lineage_events_tell_of_a_session_as_it_went(keeper):
    begin(keeper)
    tell(keeper, "START")
    keeper.finish(REQUEST, SESSION, TRANSCRIPT)
    tell(keeper, "COMPLETE")
    verify(keeper.stored())
    tell(keeper, "COMPLETE")
    refused(keeper, "was told of so before")


@pytest.mark.parametrize("event", ["COMPLETE", "FAIL"])
def test_a_lineage_event_before_its_session_came_so_far_is_found(keeper, event):
    begin(keeper)
    tell(keeper, event)
    refused(keeper, "tells of another end")


def test_a_lineage_event_of_a_session_that_never_started_is_found(keeper):
    tell(keeper, "START")
    refused(keeper, "no session.started")


def suppress(keeper, run, digest=None, recipient="channel", request=REQUEST):
    body = ListSuppressed(request, recipient, run, digest or f"{run:064x}")
    keeper.write("list.suppressed", body, session=SESSION, contract=CONTRACT)


def test_runs_on_a_list_that_is_out_verify(keeper):
    disclose(keeper)
    suppress(keeper, 1)
    suppress(keeper, 2)
    verify(keeper.stored())


def test_a_run_on_a_list_that_was_not_disclosed_is_found(keeper):
    begin(keeper)
    suppress(keeper, 1)
    refused(keeper, "no list.disclosed")


def test_a_receiver_takes_nobody_off_a_list_that_it_has_not_finished(keeper):
    begin(keeper)
    suppress(keeper, 1, recipient="advertiser")
    refused(keeper, "no session.finished")


@pytest.mark.parametrize("run", [2, 3])
def test_a_run_that_was_left_out_is_found(keeper, run):
    disclose(keeper)
    suppress(keeper, run)
    refused(keeper, "count from 1 without a gap")


def test_a_run_that_is_entered_twice_is_found(keeper):
    disclose(keeper)
    suppress(keeper, 1)
    suppress(keeper, 1)
    refused(keeper, "entered once")


def test_two_runs_with_the_same_points_are_found(keeper):
    disclose(keeper)
    suppress(keeper, 1, DIGEST)
    suppress(keeper, 2, DIGEST)
    refused(keeper, "the same points")


def test_a_run_after_the_lists_end_is_found(keeper):
    disclose(keeper, expires_at=int(keeper.now.timestamp()) + 5)
    keeper.now += timedelta(minutes=1)
    suppress(keeper, 1)
    refused(keeper, "come to its end")


def test_a_run_for_somebody_outside_the_contract_is_found(keeper):
    disclose(keeper)
    suppress(keeper, 1, recipient="vendor")
    refused(keeper, "not among the parties")


def test_logs_that_tell_of_other_points_in_one_run_do_not_agree():
    advertiser, channel = two_parties()
    for party in (advertiser, channel):
        disclose(party) if party is advertiser else begin(party)
        party.finish(REQUEST, SESSION, TRANSCRIPT)
        suppress(party, 1)
    compare(advertiser.stored(), channel.stored())
    suppress(advertiser, 2)
    compare(advertiser.stored(), channel.stored())  # the word on the last run may be on its way
    suppress(channel, 2, DIGEST)
    with pytest.raises(VerificationError, match="suppression run 2"):
        compare(advertiser.stored(), channel.stored())


def register(keeper, **rules):
    body = DatasetRegistered("crm", "s-1", ("email", "illness"), **rules)
    keeper.write("dataset.registered", body)


def snapshot(keeper, **rules):
    taken_at = int(keeper.now.timestamp())
    body = ConsentSnapshot("crm", DIGEST, 1, taken_at, "dpv:Marketing", "channel", **rules)
    keeper.write("consent.snapshot", body)


def test_people_are_chosen_by_the_rules_of_the_registration(keeper):
    register(keeper, minors_under=14, sensitive=("illness",))
    snapshot(keeper, minors_under=14)
    snapshot(keeper, minors_under=14, sensitive=("illness",))
    verify(keeper.stored())


@pytest.mark.parametrize("rules", [{}, {"minors_under": 13}])
def test_minors_who_are_left_in_against_the_registration_are_found(keeper, rules):
    register(keeper, minors_under=14)
    snapshot(keeper, **rules)
    refused(keeper, "another rule on minors")


def test_a_sensitive_column_that_was_not_declared_is_found(keeper):
    register(keeper, sensitive=("illness",))
    snapshot(keeper, sensitive=("faith",))
    refused(keeper, "did not declare")


def test_a_session_may_rest_on_the_description_before_the_last(keeper):
    register(keeper)
    register(keeper, minors_under=14)
    snapshot(keeper)
    snapshot(keeper, minors_under=14)
    verify(keeper.stored())


def test_sessions_by_the_rules_verify():
    advertiser, channel = two_parties()
    for number in range(1, 5):
        run_session(advertiser, channel, number)
    assert verify(advertiser.stored()).sessions == 4


def test_a_match_by_the_rules_verifies_on_both_sides():
    for party, recipient in (("channel", "advertiser"), ("advertiser", "advertiser")):
        keeper = LogKeeper(party, bytes([1]) * 32)
        keeper.create()
        keeper.sign_contract()
        begin(keeper)
        keeper.spend(REQUEST)
        if party != recipient:
            keeper.spend(REQUEST, what="disclosure")
        keeper.disclose(REQUEST, SESSION, recipient)
        keeper.finish(REQUEST, SESSION, TRANSCRIPT)
        assert verify(keeper.stored()).sessions == 1


def test_a_session_may_fail_before_it_starts(keeper):
    keeper.fail(REQUEST)
    verify(keeper.stored())


def test_a_charge_may_come_before_the_start(keeper):
    keeper.spend(REQUEST)
    begin(keeper)
    keeper.release(REQUEST, SESSION)
    verify(keeper.stored())


def test_a_release_without_a_charge_is_found(keeper):
    begin(keeper)
    keeper.release(REQUEST, SESSION)
    refused(keeper, r"no budget.spent \(dp\)")


def test_a_release_before_its_charge_is_found(keeper):
    begin(keeper)
    keeper.release(REQUEST, SESSION)
    keeper.spend(REQUEST)
    refused(keeper, r"no budget.spent \(dp\)", 4)


def test_the_charge_of_another_session_pays_for_no_release(keeper):
    begin(keeper)
    keeper.spend("r-2")
    keeper.release(REQUEST, SESSION)
    refused(keeper, r"no budget.spent \(dp\)")


def test_a_disclosure_charge_pays_for_no_release(keeper):
    begin(keeper)
    keeper.spend(REQUEST, what="disclosure")
    keeper.release(REQUEST, SESSION)
    refused(keeper, r"no budget.spent \(dp\)")


def test_a_list_that_was_given_away_without_a_disclosure_charge_is_found(keeper):
    begin(keeper)
    keeper.spend(REQUEST)
    keeper.disclose(REQUEST, SESSION, "channel")
    refused(keeper, r"no budget.spent \(disclosure\)")


def test_a_list_that_was_received_without_any_charge_is_found(keeper):
    begin(keeper)
    keeper.disclose(REQUEST, SESSION, "advertiser")
    refused(keeper, r"no budget.spent \(dp\)")


def test_a_list_for_somebody_outside_the_contract_is_found(keeper):
    begin(keeper)
    keeper.spend(REQUEST, what="disclosure")
    keeper.disclose(REQUEST, SESSION, "vendor")
    refused(keeper, "recipient is not among the parties")


def test_a_release_without_a_session_is_found(keeper):
    keeper.spend(REQUEST)
    keeper.release(REQUEST, SESSION)
    refused(keeper, "no session.started")


def test_a_release_after_failure_is_found(keeper):
    begin(keeper)
    keeper.spend(REQUEST)
    keeper.fail(REQUEST)
    keeper.release(REQUEST, SESSION)
    refused(keeper, "had failed before")


def test_the_whole_budget_can_be_spent_and_not_a_nano_more(keeper):
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano - 1, delta_e15=BUDGET.delta_e15)
    keeper.spend("r-2", epsilon_nano=1, delta_e15=0)
    assert verify(keeper.stored()).spends == 2
    keeper.spend("r-3", epsilon_nano=1, delta_e15=0)
    refused(keeper, "epsilon_nano 2000000001 is spent .* allows 2000000000")


def release_and_finish(keeper):
    begin(keeper)
    keeper.spend(REQUEST)
    keeper.release(REQUEST, SESSION)
    keeper.finish(REQUEST, SESSION, TRANSCRIPT)


def test_people_are_scored_by_a_finished_table_of_ones_own(keeper):
    release_and_finish(keeper)
    keeper.score(REQUEST)
    keeper.score(REQUEST)
    verify(keeper.stored())


def test_scoring_by_consent_for_the_party_itself_is_found(keeper):
    release_and_finish(keeper)
    keeper.score(REQUEST, recipient=keeper.party)
    refused(keeper, "its recipient is the party itself")


def test_scoring_by_a_table_of_nobody_or_of_another_party_is_found(keeper):
    begin(keeper)
    keeper.spend(REQUEST)
    keeper.finish(REQUEST, SESSION, TRANSCRIPT)
    keeper.score(REQUEST)
    refused(keeper, "no finished table of this party's own release")


def test_scoring_before_the_session_has_finished_is_found(keeper):
    begin(keeper)
    keeper.spend(REQUEST)
    keeper.release(REQUEST, SESSION)
    keeper.score(REQUEST)
    refused(keeper, "no finished table of this party's own release")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"contract": OTHER_CONTRACT}, "another contract"),
        ({"recipient": "vendor"}, "not among the parties"),
    ],
)
def test_scoring_under_another_contract_or_for_a_stranger_is_found(keeper, changed, says):
    release_and_finish(keeper)
    keeper.score(REQUEST, **changed)
    refused(keeper, says)


def test_an_overspent_delta_is_found(keeper):
    keeper.spend("r-1", epsilon_nano=0, delta_e15=BUDGET.delta_e15)
    keeper.spend("r-2", epsilon_nano=0, delta_e15=1)
    refused(keeper, "delta_e15 10000001 is spent")


def spend_small(keeper, times, **more):
    """Charge ε = 0.1 at a time, as often as said, with its ρ."""
    for _ in range(times):
        number = len(keeper.entries)
        keeper.spend(f"r-{number}", epsilon_nano=10**8, rho_nano=5 * 10**6, delta_e15=1, **more)


def under_zcdp():
    """Return a party whose contract fixes zcdp, entries 0 and 1, and how often it may spend 0.1."""
    keeper = LogKeeper("advertiser", bytes([1]) * 32)
    keeper.create()
    keeper.sign_contract(accounting_filter="zcdp")
    budget = ZcdpFilter(BUDGET.epsilon_nano, BUDGET.delta_e15)
    spent, times = Spend(), 0
    while budget.holds(spent + Spend.truncated(10**8, 1)):
        spent, times = spent + Spend.truncated(10**8, 1), times + 1
    return keeper, times


def test_a_zcdp_contract_allows_what_its_ledger_admits_and_no_charge_more():
    keeper, times = under_zcdp()
    spend_small(keeper, times)
    assert verify(keeper.stored()).spends == times
    spend_small(keeper, 1)
    refused(keeper, "by zcdp that is more than the contract's epsilon_nano 2000000000")


def test_a_contract_with_basic_sums_does_not_allow_what_zcdp_would(keeper):
    loose = Budget(10 * 10**9, BUDGET.delta_e15, 30)
    keeper.sign_contract(OTHER_CONTRACT, loose)
    spend_small(keeper, 100, contract=OTHER_CONTRACT)
    verify(keeper.stored())
    spend_small(keeper, 1, contract=OTHER_CONTRACT)
    refused(keeper, "epsilon_nano 10100000000 is spent")


def test_zcdp_allows_more_small_charges_than_basic_sums_do():
    keeper = LogKeeper("advertiser", bytes([1]) * 32)
    keeper.create()
    keeper.sign_contract(budget=Budget(10 * 10**9, BUDGET.delta_e15, 30), accounting_filter="zcdp")
    spend_small(keeper, 101)
    verify(keeper.stored())


def test_a_zcdp_budget_is_spent_when_no_delta_is_left_for_it():
    keeper, _ = under_zcdp()
    keeper.spend("r-1", epsilon_nano=1, rho_nano=1, delta_e15=BUDGET.delta_e15 - 1)
    verify(keeper.stored())
    keeper.spend("r-2", epsilon_nano=0, rho_nano=0, delta_e15=1)
    refused(keeper, "rho_nano 1 and delta_e15 10000000 are spent")


def test_charges_under_another_contract_count_in_a_zcdp_budget():
    keeper, times = under_zcdp()
    keeper.sign_contract(OTHER_CONTRACT, Budget(10**12, 10**9, 30))
    spend_small(keeper, 1, contract=OTHER_CONTRACT)
    spend_small(keeper, times - 1)
    verify(keeper.stored())
    spend_small(keeper, 1)
    refused(keeper, "by zcdp")


def test_each_population_has_a_budget_of_its_own(keeper):
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano)
    keeper.spend("r-2", epsilon_nano=BUDGET.epsilon_nano, population="web")
    verify(keeper.stored())


def test_each_coalition_has_a_budget_of_its_own(keeper):
    keeper.sign_contract(OTHER_CONTRACT, parties=("advertiser", "vendor"))
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano)
    keeper.spend("r-2", epsilon_nano=BUDGET.epsilon_nano, contract=OTHER_CONTRACT)
    verify(keeper.stored())


@pytest.mark.parametrize(("first", "second"), [("b c", "b"), ("c", "b c"), ("a b", "b c")])
def test_coalitions_that_share_a_member_share_what_they_have_learnt(keeper, first, second):
    one, other = "1" * 64, "2" * 64
    for contract, others in ((one, first), (other, second)):
        keeper.sign_contract(contract, parties=("advertiser", *others.split()))
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano - 1, contract=one)
    keeper.spend("r-2", epsilon_nano=1, contract=other)
    verify(keeper.stored())
    keeper.spend("r-3", epsilon_nano=1, contract=other)
    refused(keeper, "the contract allows")


@pytest.mark.parametrize(
    ("contract", "coalition"),
    [
        (CONTRACT, "vendor"),
        (CONTRACT, "channel, vendor"),
        (OTHER_CONTRACT, "channel"),
        (OTHER_CONTRACT, "vendor, channel"),
    ],
)
def test_a_charge_towards_others_than_the_contract_names_is_found(keeper, contract, coalition):
    of_three(keeper)
    keeper.spend("r-1", epsilon_nano=1, contract=contract)
    verify(keeper.stored())
    keeper.spend("r-2", epsilon_nano=1, contract=contract, coalition=coalition)
    refused(keeper, "its coalition is not all the other parties of the contract")


def of_three(keeper):
    keeper.sign_contract(OTHER_CONTRACT, parties=("advertiser", "channel", "vendor"))
    return {"contract": OTHER_CONTRACT, "others": ("channel", "vendor")}


def test_a_session_of_three_needs_a_snapshot_for_both_others(keeper):
    three = of_three(keeper)
    for_both = keeper.snapshot_consent(recipient="vendor, channel")
    keeper.start(REQUEST, for_both, **three)
    verify(keeper.stored())
    for_one = keeper.snapshot_consent(sequence=2, recipient="channel")
    keeper.start("r-2", for_one, **three)
    refused(keeper, "its consent snapshot is not for all the other parties that it names")


@pytest.mark.parametrize("others", [("vendor",), ("advertiser",), ("channel", "vendor")])
def test_a_session_with_somebody_outside_its_contract_is_found(keeper, others):
    keeper.start(REQUEST, keeper.snapshot_consent(recipient=", ".join(others)), others=others)
    refused(keeper, "the other parties that it names are not others of the contract")


def test_logs_that_let_others_take_part_in_one_session_do_not_agree():
    ours, theirs = two_parties()
    for keeper, other in ((ours, "channel"), (theirs, "advertiser")):
        keeper.sign_contract(OTHER_CONTRACT, parties=("advertiser", "channel", "vendor"))
        others = (other,) if keeper is ours else (other, "vendor")
        consent = keeper.snapshot_consent(recipient=", ".join(others))
        keeper.start("r-3", consent, contract=OTHER_CONTRACT, others=others)
    with pytest.raises(VerificationError, match="the set of parties of this session is another"):
        compare(ours.stored(), theirs.stored())


def test_the_next_window_has_a_budget_of_its_own(keeper):
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano)
    keeper.now += timedelta(days=30)
    keeper.spend("r-2", epsilon_nano=BUDGET.epsilon_nano, window=WINDOW + 30 * DAY)
    verify(keeper.stored())


def test_a_charge_to_a_window_that_begins_later_is_found(keeper):
    keeper.spend(REQUEST, window=WINDOW + 30 * DAY)
    refused(keeper, "its window begins after it")


@pytest.mark.parametrize("shift", [1, -1, DAY])
def test_a_shifted_window_gives_no_second_budget(keeper, shift):
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano)
    keeper.now += timedelta(days=2)
    keeper.spend("r-2", epsilon_nano=BUDGET.epsilon_nano, window=WINDOW + shift)
    refused(keeper, "not a whole number of 30 days")


def test_an_earlier_window_counts_everything_since(keeper):
    """What was left of a past window is not there to be spent in this one."""
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano)
    keeper.now += timedelta(days=30)
    keeper.spend("r-2", epsilon_nano=1, window=WINDOW)
    refused(keeper, "epsilon_nano 2000000001 is spent")


def test_a_charge_to_a_past_window_still_counts_in_the_present_one(keeper):
    keeper.now += timedelta(days=30)
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano, window=WINDOW)
    keeper.spend("r-2", epsilon_nano=1, window=WINDOW + 30 * DAY)
    refused(keeper, "epsilon_nano 2000000001 is spent")


def test_a_charge_decided_at_the_end_of_a_window_may_be_logged_just_after(keeper):
    keeper.now += timedelta(days=30)
    keeper.spend("r-1", window=WINDOW)
    verify(keeper.stored())


@pytest.mark.parametrize("days", [0, 2])
def test_a_second_contract_gives_no_second_budget_whenever_its_windows_begin(keeper, days):
    keeper.sign_contract(OTHER_CONTRACT)
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano)
    keeper.spend("r-2", epsilon_nano=1, contract=OTHER_CONTRACT, window=WINDOW + days * DAY)
    refused(keeper, "epsilon_nano 2000000001 is spent")


def test_a_contract_renewed_within_a_window_may_have_windows_of_its_own(keeper):
    keeper.spend("r-1", epsilon_nano=BUDGET.epsilon_nano)
    keeper.now += timedelta(days=10)
    keeper.sign_contract(OTHER_CONTRACT)
    keeper.now += timedelta(days=10)
    keeper.spend(
        "r-2",
        epsilon_nano=BUDGET.epsilon_nano,
        contract=OTHER_CONTRACT,
        window=WINDOW + 10 * DAY,
    )
    verify(keeper.stored())


def test_a_contract_signed_again_with_a_larger_budget_is_found(keeper):
    keeper.sign_contract(budget=Budget(10**12, 10**9, 30))
    refused(keeper, "was signed before")


def test_a_contract_among_others_is_found(keeper):
    keeper.sign_contract(OTHER_CONTRACT, parties=("channel", "vendor"))
    refused(keeper, "not among the parties")


def test_a_charge_without_a_budget_in_the_contract_is_found(keeper):
    origins = {"advertiser": "advertiser", "channel": "channel"}
    budgets = {"channel": BUDGET}
    terms = ContractSigned(tuple(origins), budgets, MAX_AGE, "basic", origins)
    keeper.write("contract.signed", terms, contract=OTHER_CONTRACT)
    keeper.spend(REQUEST, contract=OTHER_CONTRACT, coalition="channel")
    refused(keeper, "no budget for the party")


@pytest.mark.parametrize("step", ["spend", "start"])
def test_an_entry_under_a_contract_that_was_not_signed_is_found(keeper, step):
    if step == "spend":
        keeper.spend(REQUEST, contract=OTHER_CONTRACT)
    else:
        keeper.start(REQUEST, keeper.snapshot_consent(), contract=OTHER_CONTRACT)
    refused(keeper, "names a contract that no contract.signed")


def test_a_contract_signed_only_after_its_session_is_found(keeper):
    keeper.spend(REQUEST, contract=OTHER_CONTRACT)
    keeper.sign_contract(OTHER_CONTRACT)
    refused(keeper, "names a contract that no contract.signed", 2)


def test_a_session_without_a_logged_snapshot_is_found(keeper):
    keeper.start(REQUEST, ConsentReference(DIGEST, 1, int(keeper.now.timestamp())))
    refused(keeper, "no consent.snapshot before it has")


@pytest.mark.parametrize("change", [{"root": "e" * 64}, {"sequence": 2}, {"taken_at": 1}])
def test_a_session_with_another_snapshot_than_the_logged_one_is_found(keeper, change):
    logged = keeper.snapshot_consent()
    keeper.start(REQUEST, ConsentReference(**vars(logged) | change))
    refused(keeper, "no consent.snapshot before it has")


def test_a_snapshot_logged_only_after_its_session_is_found(keeper):
    keeper.start(REQUEST, ConsentReference(DIGEST, 1, int(keeper.now.timestamp()) + 1))
    keeper.snapshot_consent()
    refused(keeper, "no consent.snapshot before it has", 2)


def test_a_snapshot_as_old_as_the_contract_allows_will_do_and_not_a_microsecond_older(keeper):
    consent = keeper.snapshot_consent()
    keeper.now += timedelta(seconds=MAX_AGE - 2)
    keeper.start("r-1", consent)
    verify(keeper.stored())
    keeper.now += timedelta(microseconds=1) - timedelta(seconds=1)
    keeper.start("r-2", consent)
    refused(keeper, "the contract allows 3600")


def test_a_snapshot_from_the_future_is_found(keeper):
    keeper.now += timedelta(seconds=100)
    consent = keeper.snapshot_consent()
    keeper.now -= timedelta(seconds=90)
    keeper.start(REQUEST, consent)
    refused(keeper, "before that of the entry before it")


def test_a_snapshot_that_claims_to_be_from_the_future_is_found(keeper):
    keeper.now += timedelta(seconds=100)
    fields = keeper.snapshot_consent()
    keeper.entries[-1] = keeper.entries[-1].replace(
        str(fields.taken_at).encode(), str(fields.taken_at + 50).encode()
    )
    keeper.start(REQUEST, ConsentReference(DIGEST, 1, fields.taken_at + 50))
    refused(keeper, "taken after the session started")


@pytest.mark.parametrize("ending", [None, "finish", "fail"])
def test_a_session_starts_once(keeper, ending):
    begin(keeper)
    if ending == "finish":
        keeper.finish(REQUEST, SESSION, TRANSCRIPT)
    if ending == "fail":
        keeper.fail(REQUEST)
    begin(keeper)
    refused(keeper, "a session starts once")


def test_a_session_that_failed_before_it_started_does_not_start(keeper):
    keeper.fail(REQUEST)
    begin(keeper)
    refused(keeper, "a session starts once")


@pytest.mark.parametrize("first", ["finish", "fail"])
@pytest.mark.parametrize("second", ["finish", "fail"])
def test_a_session_ends_once(keeper, first, second):
    begin(keeper)
    for ending in (first, second):
        if ending == "finish":
            keeper.finish(REQUEST, SESSION, TRANSCRIPT)
        else:
            keeper.fail(REQUEST)
    refused(keeper, "a session ends once")


def test_a_session_that_finishes_without_a_start_is_found(keeper):
    keeper.finish(REQUEST, SESSION, TRANSCRIPT)
    refused(keeper, "no session.started stands before it")


def test_a_session_that_changes_its_id_is_found(keeper):
    begin(keeper)
    keeper.spend(REQUEST, session=SESSION)
    keeper.finish(REQUEST, "6" * 64, TRANSCRIPT)
    refused(keeper, "name another session")


def test_a_session_id_of_two_requests_is_found(keeper):
    for request in ("r-1", "r-2"):
        begin(keeper, request)
        keeper.finish(request, SESSION, TRANSCRIPT)
    refused(keeper, "already that of another request")


def test_a_session_that_changes_its_contract_is_found(keeper):
    keeper.sign_contract(OTHER_CONTRACT)
    begin(keeper)
    keeper.spend(REQUEST, contract=OTHER_CONTRACT)
    refused(keeper, "name another contract")


def test_a_log_that_begins_with_something_else_is_found():
    keeper = LogKeeper("advertiser", bytes([1]) * 32)
    keeper.sign_contract()
    refused(keeper, "begins with party.created")


def test_a_party_that_is_created_twice_is_found(keeper):
    keeper.write("party.created", PartyCreated(keeper.vkey, DIGEST))
    refused(keeper, "created once")


def test_a_party_that_pins_itself_is_found_and_one_that_pins_another_is_not(keeper):
    other = LogKeeper("channel", bytes([7]) * 32)
    keeper.write("peer.pinned", PeerPinned("channel", other.vkey, DIGEST, "invited"))
    verify(keeper.stored())
    keeper.write("peer.pinned", PeerPinned("channel", keeper.vkey, DIGEST, "invited"))
    refused(keeper, "does not pin itself")


def test_only_keys_that_are_pinned_are_forgotten_and_only_once(keeper):
    other, anew = (LogKeeper("channel", bytes([number]) * 32) for number in (7, 8))
    keeper.write("peer.pinned", PeerPinned("channel", other.vkey, DIGEST, "invited"))
    keeper.write("peer.pinned", PeerPinned("channel", anew.vkey, DIGEST, "invited"))
    keeper.write("peer.forgotten", PeerForgotten("channel", anew.vkey, DIGEST))
    verify(keeper.stored())
    keeper.write("peer.forgotten", PeerForgotten("channel", anew.vkey, DIGEST))
    refused(keeper, "not pinned under this name")


@pytest.mark.parametrize("what", ["name", "key", "certificate"])
def test_forgetting_what_nobody_pinned_is_found(keeper, what):
    other, stranger = (LogKeeper("channel", bytes([number]) * 32) for number in (7, 8))
    keeper.write("peer.pinned", PeerPinned("channel", other.vkey, DIGEST, "invited"))
    body = PeerForgotten(
        "vendor" if what == "name" else "channel",
        stranger.vkey if what == "key" else other.vkey,
        "0" * 64 if what == "certificate" else DIGEST,
    )
    keeper.write("peer.forgotten", body)
    refused(keeper, "not pinned under this name")


def rotated(keeper, number, *, starts=1, ends=2):
    keeper.write(
        "key.rotated", KeyRotated(number, "tls", keeper.vkey, DIGEST, DIGEST, starts, ends)
    )


def test_statements_of_keys_count_from_one_without_a_gap(keeper):
    other = LogKeeper("channel", bytes([7]) * 32)
    rotated(keeper, 1)
    rotated(keeper, 2)
    keeper.write(
        "peer.renewed", PeerRenewed("channel", other.vkey, 1, other.vkey, DIGEST, DIGEST, 2)
    )
    verify(keeper.stored())
    rotated(keeper, 4)
    refused(keeper, "count from 1")


def test_a_statement_of_a_counterpart_that_was_left_out_is_found(keeper):
    other = LogKeeper("channel", bytes([7]) * 32)
    keeper.write(
        "peer.renewed", PeerRenewed("channel", other.vkey, 2, other.vkey, DIGEST, DIGEST, 2)
    )
    refused(keeper, "count from 1")


def test_a_key_that_is_not_accepted_to_its_own_end_is_found(keeper):
    rotated(keeper, 1, starts=3, ends=2)
    refused(keeper, "ends before")


CHANNELS_KEY = Verifier("channel", bytes([7]) * 32).vkey
"""A key under the origin that the contract gives the channel."""


@pytest.mark.parametrize("what", ["spend", "start", "sign"])
def test_work_with_a_revoked_counterpart_is_found(keeper, what):
    keeper.write("peer.revoked", PeerRevoked("channel", CHANNELS_KEY, "its laptop was stolen"))
    if what == "sign":
        keeper.sign_contract(contract=OTHER_CONTRACT)
    elif what == "spend":
        keeper.spend(REQUEST)
    else:
        begin(keeper)
    refused(keeper, "is revoked")


def test_a_counterpart_that_was_restored_is_worked_with_again(keeper):
    for number in (1, 2):
        keeper.write("peer.revoked", PeerRevoked("channel", CHANNELS_KEY, "it was stolen"))
        keeper.write("peer.restored", PeerRestored("channel", CHANNELS_KEY, "it was found"))
        begin(keeper, f"r-{number}")
    verify(keeper.stored())
    keeper.write("peer.restored", PeerRestored("channel", CHANNELS_KEY, "it was found"))
    refused(keeper, "was not revoked")


def test_revoking_twice_or_oneself_is_found(keeper):
    keeper.write("peer.revoked", PeerRevoked("advertiser", keeper.vkey, "it was stolen"))
    refused(keeper, "or itself")


def test_an_entry_about_another_party_is_found(keeper):
    keeper.party = "channel"
    keeper.spend(REQUEST)
    refused(keeper, "about another party")


def test_time_that_goes_back_is_found_and_time_that_stands_still_is_not(keeper):
    keeper.now -= timedelta(seconds=1)
    keeper.snapshot_consent()
    verify(keeper.stored())
    keeper.now -= timedelta(seconds=2)
    keeper.snapshot_consent()
    refused(keeper, "before that of the entry before it")


def test_an_entry_of_an_unknown_kind_is_found_also_when_it_is_signed(keeper):
    keeper.spend(REQUEST)
    keeper.entries[-1] = keeper.entries[-1].replace(b"budget.spent", b"budget.reset")
    refused(keeper, "closed list of kinds")


def test_the_contract_of_the_fixture_is_the_one_that_sessions_name(keeper):
    assert CONTRACT.encode() in keeper.entries[1]


def test_a_run_that_was_skipped_is_skipped_once_and_never_charged(keeper):
    keeper.skip("r-1")
    verify(keeper.stored())
    keeper.skip("r-1")
    refused(keeper, "skipped before")


def test_a_charge_for_what_was_skipped_is_found(keeper):
    keeper.skip("r-1")
    keeper.spend("r-1")
    refused(keeper, "a run that was skipped is charged")


def test_a_run_that_was_charged_cannot_be_called_skipped(keeper):
    keeper.spend("r-1")
    keeper.skip("r-1")
    refused(keeper, "so it was not skipped")


def test_a_run_is_skipped_when_it_is_due_and_not_before(keeper):
    now = int(keeper.now.timestamp()) + 1  # the keeper's clock goes on by a second an entry
    keeper.skip("r-1", due_at=now)
    verify(keeper.stored())
    keeper.skip("r-2", due_at=now + 2)
    refused(keeper, "not due yet")


def test_a_run_is_skipped_under_a_contract_that_was_signed(keeper):
    keeper.skip("r-1", contract="ab" * 32)
    refused(keeper, "no contract.signed before it")


# -- members ---------------------------------------------------------------------------------------


@pytest.fixture
def staffed(keeper):
    """The log's party has an operator, an analyst and a compliance officer."""
    keeper.write("access.granted", AccessGranted("olga", "operator"), actor="olga/operator")
    for account, role in (("ana", "analyst"), ("carl", "compliance")):
        keeper.write("access.granted", AccessGranted(account, role), actor="olga/operator")
    return keeper


def read(keeper, actor):
    keeper.write("audit.read", AuditRead("audit.show"), actor=actor)


def test_what_members_did_by_their_roles_verifies(staffed):
    for actor in ("olga/operator", "ana/analyst", "carl/compliance", "session:ana/analyst"):
        read(staffed, actor)
    staffed.write("access.refused", AccessRefused("contract.sign"), actor="carl/compliance")
    staffed.write("access.refused", AccessRefused("party.open"), actor="mallory/none")
    verify(staffed.stored())


@pytest.mark.parametrize(
    ("actor", "says"),
    [
        ("operator", "names no account"),
        ("mallory/operator", "no member in this role"),
        ("mallory/none", "could only be refused"),
        ("ana/operator", "no member in this role"),
        ("session:ana/compliance", "no member in this role"),
    ],
)
def test_an_entry_by_somebody_who_was_no_member_in_this_role_is_found(staffed, actor, says):
    read(staffed, actor)
    refused(staffed, says)


@pytest.mark.parametrize("actor", ["ana/analyst", "carl/compliance"])
def test_an_entry_that_its_authors_role_may_not_write_is_found(staffed, actor):
    staffed.write("access.granted", AccessGranted("mallory", "operator"), actor=actor)
    refused(staffed, "may not do what access.granted says")


def test_who_was_let_go_writes_nothing_more(staffed):
    staffed.write("access.removed", AccessRemoved("ana", "analyst"), actor="olga/operator")
    read(staffed, "ana/analyst")
    refused(staffed, "no member in this role")


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("access.removed", AccessRemoved("olga", "operator"), "without an operator"),
        ("access.granted", AccessGranted("olga", "analyst"), "without an operator"),
        ("access.removed", AccessRemoved("ana", "operator"), "no member in this role"),
        ("access.removed", AccessRemoved("bob", "analyst"), "no member in this role"),
    ],
)
def test_members_without_an_operator_or_let_go_twice_are_found(staffed, kind, body, says):
    staffed.write(kind, body, actor="olga/operator")
    refused(staffed, says)


@pytest.fixture(params=["staffed", "keeper"])
def with_console(request):
    """The log's party has accounts of its console besides, with members of the machine or none."""
    made = request.getfixturevalue(request.param)
    by = "olga/operator" if request.param == "staffed" else "operator"
    made.write("access.granted", AccessGranted("ana~console", "analyst"), actor=by)
    made.write("access.granted", AccessGranted("carl~console", "compliance"), actor=by)
    made.write("access.granted", AccessGranted("nightly~token", "analyst"), actor=by)
    return made


def test_what_accounts_of_the_console_did_by_their_roles_verifies(with_console):
    for actor in (
        "ana~console/analyst",
        "carl~console/compliance",
        "session:nightly~token/analyst",
    ):
        read(with_console, actor)
    with_console.write("console.signed_in", SignedIn("password"), actor="carl~console/compliance")
    with_console.write("access.refused", AccessRefused("x"), actor="ana~console/analyst")
    with_console.write("access.refused", AccessRefused("x"), actor="gone~console/none")
    verify(with_console.stored())


@pytest.mark.parametrize(
    "actor",
    [
        "ana~console/operator",
        "mallory~console/analyst",
        "ana~token/analyst",
        "session:x~token/operator",
    ],
)
def test_an_entry_by_an_account_of_the_console_without_this_role_is_found(with_console, actor):
    read(with_console, actor)
    refused(with_console, "no member in this role")


def test_an_account_of_the_console_writes_what_its_role_may(with_console):
    granted = AccessGranted("mallory~console", "operator")
    with_console.write("access.granted", granted, actor="ana~console/analyst")
    refused(with_console, "may not do what access.granted says")


def test_an_account_of_the_machine_is_not_one_of_the_console_by_its_name(staffed):
    read(staffed, "ana~console/analyst")
    refused(staffed, "no member in this role")


@pytest.mark.parametrize("by", ["operator", "olga/operator"])
def test_who_was_let_go_from_the_console_writes_nothing_more(request, by):
    log = request.getfixturevalue("keeper" if by == "operator" else "staffed")
    log.write("access.granted", AccessGranted("ana~console", "analyst"), actor=by)
    log.write("access.removed", AccessRemoved("ana~console", "analyst"), actor=by)
    read(log, "ana~console/analyst")
    refused(log, "no member in this role")


def test_without_members_again_entries_need_no_account(staffed):
    for account, role in (("ana", "analyst"), ("carl", "compliance"), ("olga", "operator")):
        staffed.write("access.removed", AccessRemoved(account, role), actor="olga/operator")
    read(staffed, "operator")
    verify(staffed.stored())


# -- datasets


def test_consent_of_a_dataset_after_its_retention_is_refused(keeper):
    now = int(keeper.now.timestamp())
    body = DatasetRegistered("crm", DIGEST, ("email",), ends_at=now + 30 * DAY)
    keeper.write("dataset.registered", body)
    begin(keeper)
    verify(keeper.stored())
    keeper.now += timedelta(days=31)
    keeper.snapshot_consent(sequence=2)
    refused(keeper, "had come to the end of its retention before")


def test_a_dataset_that_was_registered_anew_may_be_read(keeper):
    now = int(keeper.now.timestamp())
    keeper.write("dataset.registered", DatasetRegistered("crm", DIGEST, ("email",), ends_at=now))
    keeper.write("dataset.erased", DatasetErased("crm", DIGEST))
    keeper.write("dataset.registered", DatasetRegistered("crm", DIGEST, ("email",)))
    begin(keeper)
    verify(keeper.stored())


def test_only_what_was_registered_is_erased(keeper):
    keeper.write("dataset.erased", DatasetErased("crm", DIGEST))
    refused(keeper, "erases a dataset that no dataset.registered before it has")


# -- a restore from a backup -----------------------------------------------------------------------


def restored(keeper, budgets="closed", entries=None):
    count = len(keeper.entries) if entries is None else entries
    why = "moved" if budgets == "kept" else None
    keeper.write("party.restored", PartyRestored(int(keeper.now.timestamp()), count, budgets, why))


@pytest.mark.parametrize("what", ["dp", "disclosure"])
def test_a_charge_in_a_window_that_a_restore_closed_is_found(keeper, what):
    restored(keeper)
    begin(keeper)
    keeper.spend(REQUEST, what=what)
    refused(keeper, "closed when the party was restored")


def test_a_charge_is_admitted_where_the_operator_answers_for_it(keeper):
    restored(keeper, "kept")
    begin(keeper)
    keeper.spend(REQUEST)
    verify(keeper.stored())


def test_a_charge_is_admitted_in_the_first_window_after_a_restore(keeper):
    restored(keeper)
    keeper.now += timedelta(seconds=BUDGET.window_days * DAY)
    begin(keeper)
    keeper.spend(REQUEST, window=WINDOW + BUDGET.window_days * DAY)
    verify(keeper.stored())


def test_a_restore_that_misstates_how_much_of_the_log_came_out_of_it_is_found(keeper):
    restored(keeper, entries=1)
    refused(keeper, "another number of entries")


def test_a_bound_that_was_charged_is_chosen_once(keeper):
    keeper.spend("b-1")
    keeper.choose("b-1")
    verify(keeper.stored())
    keeper.choose("b-1")
    refused(keeper, "has brought a bound before")


def test_a_bound_for_which_nothing_was_charged_is_found(keeper):
    keeper.choose("b-1")
    refused(keeper, "nothing was charged for the bound")
