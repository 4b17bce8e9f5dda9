"""Exports of lists in logs that are signed and hang together, and break the rules all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from audit_logs import DAY, WINDOW, LogKeeper

from audit.errors import EntryError, VerificationError
from audit.verify import compare, verify

REQUEST, SESSION, TRANSCRIPT = "r-1", "5" * 64, "7" * 64
ENDS = WINDOW + 30 * DAY


def keeper_of(party, export_to=None):
    keeper = LogKeeper(party, bytes([len(party)]) * 32)
    keeper.create()
    keeper.sign_contract(export_to=export_to)
    return keeper


def matched(keeper, *, kind="match", finished=True):
    """Let a party receive a list by the rules."""
    keeper.ask(REQUEST, kind)
    keeper.start(REQUEST, keeper.snapshot_consent())
    keeper.spend(REQUEST)
    if finished:
        keeper.finish(REQUEST, SESSION, TRANSCRIPT)
    return keeper


def refused(keeper, message):
    with pytest.raises(VerificationError, match=message) as caught:
        verify(keeper.stored())
    assert caught.value.entry == len(keeper.entries) - 1


@pytest.mark.parametrize("to", ["csv", "parquet", "meta"])
def test_exports_by_the_rules_verify(to):
    channel = matched(keeper_of("channel", {"channel": ("meta", "tiktok")}))
    channel.export(REQUEST, to)
    channel.export(REQUEST, to)
    verify(channel.stored())


@pytest.mark.parametrize("export_to", [None, {"channel": ("tiktok",)}, {"advertiser": ("meta",)}])
def test_an_export_to_a_platform_that_is_not_granted_to_the_party_is_found(export_to):
    channel = matched(keeper_of("channel", export_to))
    channel.export(REQUEST, "meta")
    refused(channel, "does not grant this party to take lists there")


def test_an_export_of_a_list_that_no_match_made_is_found():
    channel = keeper_of("channel")
    channel.export(REQUEST)
    refused(channel, "no finished match stands before it")


def test_an_export_before_its_match_has_finished_is_found():
    channel = matched(keeper_of("channel"), finished=False)
    channel.export(REQUEST)
    refused(channel, "no finished match stands before it")


def test_an_export_of_a_table_is_found():
    channel = matched(keeper_of("channel"), kind="reach")
    channel.export(REQUEST)
    refused(channel, "no finished match stands before it")


def test_an_export_of_a_list_that_this_party_disclosed_to_another_is_found():
    advertiser = matched(keeper_of("advertiser"), finished=False)
    advertiser.spend(REQUEST, what="disclosure")
    advertiser.disclose(REQUEST, SESSION, "channel")
    advertiser.finish(REQUEST, SESSION, TRANSCRIPT)
    advertiser.export(REQUEST)
    refused(advertiser, "its list is the counterpart's")


def test_an_export_after_its_list_has_ended_is_found():
    channel = matched(keeper_of("channel"))
    channel.now = datetime.fromtimestamp(ENDS, UTC) - timedelta(seconds=2)
    channel.export(REQUEST)
    verify(channel.stored())
    channel.export(REQUEST)
    refused(channel, "its list had ended or was deleted before")


def test_an_export_after_its_list_was_deleted_is_found():
    channel = matched(keeper_of("channel"))
    channel.prune_list(REQUEST)
    channel.export(REQUEST)
    refused(channel, "its list had ended or was deleted before")


def test_exports_that_move_the_end_of_their_list_are_found():
    channel = matched(keeper_of("channel"))
    channel.export(REQUEST)
    channel.export(REQUEST, expires_at=ENDS + DAY)
    refused(channel, "let the list end at another time")


def test_an_export_under_another_contract_than_its_match_is_found():
    channel = matched(keeper_of("channel"))
    channel.sign_contract("b" * 64, export_to={"channel": ("meta",)})
    channel.export(REQUEST, "meta", contract="b" * 64)
    refused(channel, "name another contract")


def test_an_end_that_the_sender_logged_otherwise_is_found_when_both_logs_are_compared():
    advertiser, channel = keeper_of("advertiser"), matched(keeper_of("channel"))
    for one, other in ((advertiser, channel), (channel, advertiser)):
        one.counterparts.append(other)
    advertiser.ask(REQUEST)
    advertiser.start(REQUEST, advertiser.snapshot_consent())
    for what in ("dp", "disclosure"):
        advertiser.spend(REQUEST, what=what)
    advertiser.disclose(REQUEST, SESSION, "channel")
    advertiser.finish(REQUEST, SESSION, TRANSCRIPT)
    channel.export(REQUEST)
    assert compare(advertiser.stored(), channel.stored()).shared == (REQUEST,)
    late = matched(keeper_of("channel"))
    late.counterparts.append(advertiser)
    late.export(REQUEST, expires_at=ENDS + DAY)
    with pytest.raises(VerificationError, match="the end of the list of this session is another"):
        compare(advertiser.stored(), late.stored())


def test_a_contract_cannot_grant_exports_to_somebody_outside_it():
    channel = keeper_of("channel")
    with pytest.raises(EntryError, match="somebody who is not among parties"):
        channel.sign_contract("b" * 64, export_to={"vendor": ("meta",)})
