"""The SDK over two parties on loopback TLS, held against plain sets.

Covers: both outputs, sync and asyncio; progress; cancelling and resuming; waiting for a person;
what is returned, and that it is what the command line says. Bad input is in test_sdk_input.
"""

import asyncio
import contextlib
import threading

import pytest
from known_people import reference
from ports import free_port
from sdk_pair import make_pair, true_match, true_reach
from typer.testing import CliRunner

from commonground import CancelToken, Party, errors
from commonground.cli import app

STRAY = 2  # by noise of ε 20 on two identifiers a person a cell is further off once in 10^9 times


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    advertiser, channel = make_pair(tmp_path_factory.mktemp("sdk"))
    with advertiser, channel, channel.serve():
        yield advertiser, channel


@pytest.fixture(scope="module")
def resumed(pair):
    """Cancel a match at the first thing that it tells, and resume it."""
    advertiser, _ = pair
    token, told = CancelToken(), []

    def stop(progress):
        told.append(progress)
        token.cancel()

    with pytest.raises(errors.Cancelled) as caught:
        advertiser.match(receiver="advertiser", progress=stop, cancel=token)
    suspended = advertiser.requests.show(caught.value.request)
    return told, suspended, advertiser.requests.resume(suspended.id)


@pytest.fixture(scope="module")
def measured(pair):
    """Cancel the task of a reach report once it has told something, and resume it."""
    advertiser, _ = pair
    threads = set()

    async def measure():
        begun = asyncio.Event()

        def tell(progress):
            threads.add(threading.get_ident())
            begun.set()

        asked = advertiser.aio.reach("segment", "frequency", epsilon="20", progress=tell)
        task = asyncio.create_task(asked)
        await begun.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        [suspended] = [one for one in advertiser.requests.list() if one.state == "approved"]
        return suspended, await advertiser.aio.requests.resume(suspended.id)

    suspended, report = asyncio.run(measure())
    return threads, suspended, report


def typed(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


# -- lists ---------------------------------------------------------------------------------------


def test_a_match_returns_exactly_the_people_whom_both_have(resumed):
    _, _, audience = resumed
    expected = sorted(reference("advertiser", i) for i in true_match())
    assert sorted(audience.to_pandas()["reference"]) == expected
    assert audience.people == len(expected)
    assert audience.to_arrow().num_rows == len(expected)


def test_a_cancelled_match_is_suspended_charged_once_and_goes_on_where_it_was(pair, resumed):
    advertiser, _ = pair
    told, suspended, audience = resumed
    assert (len(told), suspended.state) == (1, "approved")
    assert told[0].phase
    assert 0 < told[0].done <= told[0].total
    assert audience.id == suspended.id
    charges = advertiser.ledger().to_pandas()
    assert list(charges[charges["request"] == audience.id]["what"]).count("session") == 1


def test_a_list_says_where_it_lies_and_when_it_ends(resumed, tmp_path):
    _, _, audience = resumed
    assert audience.received
    assert audience.path.is_file()
    assert audience.expires_at.tzinfo is not None
    assert audience.export(tmp_path / "list.csv").read_text().count("\n") == audience.people + 1
    with pytest.raises(errors.PartyError, match=r"\.parquet"):
        audience.export(tmp_path / "list.json")


def test_a_list_that_was_changed_is_not_returned(resumed, pair):
    _, _, audience = resumed
    before = audience.path.read_bytes()
    try:
        audience.path.write_bytes(before + b"x")
        with pytest.raises(errors.ResultError):
            audience.to_pandas()
        with pytest.raises(errors.ResultError):
            pair[0].result(audience.id)
    finally:
        (pair[0].folder / "lists" / f"{audience.id}.parquet").write_bytes(before)


# -- tables --------------------------------------------------------------------------------------


def test_a_cancelled_task_leaves_a_session_that_can_be_resumed(measured):
    _, suspended, report = measured
    assert (suspended.state, report.id) == ("approved", suspended.id)


def test_progress_is_told_in_the_thread_of_the_loop(measured):
    threads, _, _ = measured
    assert threads == {threading.get_ident()}


def test_reach_is_near_the_truth_in_every_cell(measured):
    _, _, report = measured
    frame = report.private.to_pandas()
    cells = frame[(frame["metric"] == "reach exactly") & frame["segment"].notna()]
    found = {(one.label, one.segment): one.value for one in cells.itertuples()}
    truth = true_reach()
    assert set(found) == set(truth)
    assert all(abs(found[cell] - truth[cell]) <= STRAY for cell in truth)


def test_a_frame_is_the_shareable_one_unless_the_private_one_is_asked_for(measured):
    _, _, report = measured
    assert set(report.to_pandas()["kind"]) == {"shareable"}
    assert all(kind.startswith("private") for kind in report.private.to_pandas()["kind"])
    assert report.epsilon == "20"


def test_a_report_reads_as_the_command_prints_it(pair, measured):
    _, _, report = measured
    assert str(report) == typed("report", "show", report.id, "--party", pair[0].folder)
    assert str(pair[0].result(report.id[:8])) == str(report)
    assert "<th>gold</th>" in report._repr_html_()


def test_a_cost_is_asked_of_a_finished_report(pair, measured, tmp_path):
    _, _, report = measured
    before = str(pair[0].ledger())
    shown = ("report", "show", report.id, "--party", pair[0].folder, "--cost")
    costly = report.with_cost(1000)
    assert str(costly) == typed(*shown, "1000")
    found = costly.to_pandas().query("label.isna() and segment.isna()").set_index("metric")
    a_person = found.loc["cost per person reached"]
    assert a_person["value"] == pytest.approx(1000 / found.loc["reach", "value"])
    assert a_person["standard_error"] > 0
    table = tmp_path / "costs.csv"
    table.write_text("campaign,cost\n1,10\n3+,20.5\n")
    assert str(report.with_cost(table)) == typed(*shown, table)
    assert str(report.with_cost({"1": 10, "3+": "20.5"})) == str(report.with_cost(table))
    assert (
        "cost per person reached" in report.with_cost(table).private.to_pandas()["metric"].tolist()
    )
    with pytest.raises(errors.ReportError, match="'C9', which this report does not have"):
        report.with_cost({"C9": 1})
    assert str(pair[0].ledger()) == before


def test_a_private_reading_is_the_recipients_alone(pair, measured):
    _, channel = pair
    report = channel.result(measured[2].id)
    assert len(report.to_pandas())
    with pytest.raises(errors.PartyError, match="recipient"):
        report.private  # noqa: B018 - raises


# -- waiting for somebody ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pending(pair):
    """Ask for what a person has to approve."""
    advertiser, channel = pair
    with pytest.raises(errors.Waiting) as caught:
        advertiser.match(receiver="channel")
    return channel.requests.show(caught.value.request)


def test_closing_a_party_suspends_what_it_waits_for(pair, pending):
    raised = []
    party = Party(pair[0].folder)

    def wait():
        try:
            party.requests.resume(pending.id, wait=True)
        except errors.SessionSuspended as stop:
            raised.append(type(stop))

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not party._calls._running:
        pass
    party.close()
    waiting.join(5)
    assert raised == [errors.Cancelled]
    with pytest.raises(errors.PartyError, match="closed"):
        party.requests.resume(pending.id)
    party.close()


def test_a_callback_that_closes_its_party_suspends_the_session(pair, resumed):
    party = Party(pair[0].folder)
    with pytest.raises(errors.Cancelled) as caught:
        party.match(receiver="advertiser", progress=lambda told: party.close())
    assert pair[0].requests.show(caught.value.request).state == "approved"
    assert pair[0].requests.resume(caught.value.request).people == len(true_match())


def test_the_sender_of_a_list_gets_none(pair, pending):
    advertiser, channel = pair
    assert channel.requests.approve(pending.id).state == "approved"
    sent = advertiser.requests.resume(pending.id)
    assert not sent.received
    with pytest.raises(errors.PartyError, match="learns no list"):
        sent.to_pandas()
    assert channel.result(pending.id).people == len(true_match())


def test_a_refusal_carries_its_status_and_its_exit_code(pair):
    advertiser, channel = pair
    with pytest.raises(errors.Waiting) as waits:
        advertiser.reach("segment", "frequency", recipient="channel", tabulator="advertiser")
    asked = waits.value.request
    channel.requests.refuse(asked, "not before Friday")
    with pytest.raises(errors.Refusal, match="not before Friday") as caught:
        advertiser.requests.resume(asked)
    assert caught.value.status is errors.RefusalStatus.DECLINED
    assert errors.exit_code(caught.value) is errors.ExitCode.REFUSED


# -- looking -------------------------------------------------------------------------------------


def test_a_quote_spends_nothing_and_says_who_would_pay(pair):
    advertiser, _ = pair
    before = len(advertiser.ledger().rows)
    quote = advertiser.quote.reach("segment", "frequency", epsilon="0.5")
    assert set(quote.to_pandas()["party"]) == {"advertiser", "channel"}
    assert quote.wire_bytes > 0
    assert "Quote: reach" in str(quote)
    assert "sufficient_common" in advertiser.quote.match().to_dict()
    assert len(advertiser.ledger().rows) == before


def test_both_logs_tell_the_same(pair, resumed, measured):
    advertiser, channel = pair
    compared = advertiser.audit.verify(with_=channel)
    assert len(compared.shared) >= 2
    assert (compared.only_ours, compared.only_theirs) == ((), ())
    # that it was read is an entry more each time, written when it has been read
    verified = advertiser.audit.verify().entries
    assert len(advertiser.audit.entries()) == verified + 1
    assert len(advertiser.audit.to_pandas()) == verified + 2


def test_frames_of_requests_and_budgets_have_a_line_each(pair, resumed):
    advertiser, _ = pair
    assert len(advertiser.requests.to_pandas()) == len(advertiser.requests.list())
    [balance] = advertiser.ledger().balances_to_pandas().to_dict("records")
    assert balance["budget_epsilon"] == "100"
    assert str(advertiser.ledger()) == typed("ledger", "show", "--party", advertiser.folder)


def test_nothing_that_is_shown_holds_a_secret(pair, resumed, measured):
    advertiser, _ = pair
    shown = [advertiser, *advertiser.datasets.list(), *advertiser.contracts.list()]
    shown += [*advertiser.requests.list(), resumed[2], measured[2], advertiser.ledger()]
    shown += [advertiser.quote.match(), *advertiser.audit.entries(), advertiser.aio]
    text = "".join(f"{one!r}{one}" for one in shown)
    secrets = [
        line
        for file in (advertiser.folder / "keys").iterdir()
        for line in file.read_text(errors="ignore").splitlines()
        if len(line) > 20 and not line.startswith("-----") and ".pem" not in line
    ]
    assert secrets
    public = (advertiser.folder / "public.yaml").read_text()
    assert [one for one in secrets if one in text and one not in public] == []


def test_two_parties_meet_by_an_invitation(tmp_path):
    made = {
        name: Party.create(
            tmp_path / name,
            name=name,
            organisation=name,
            origin=f"{name}.test/log",
            jurisdiction=law,
            listen=listen,
        )
        for name, law, listen in (
            ("vendor", "US", None), ("channel", "NL", f"127.0.0.1:{free_port()}"),
        )
    }  # fmt: skip
    vendor, channel = made["vendor"], made["channel"]
    with vendor, channel, channel.serve():
        line = channel.invite("vendor", hours=1)
        with pytest.raises(errors.ContractError, match="crosses 2 borders"):
            vendor.join(line, id="met", out=tmp_path / "met.yaml")
        assert not (tmp_path / "met.yaml").exists()
        transfers = ["vendor:channel:US:local-law:none asked", "channel:vendor:EEA:adequacy:DPF"]
        again = vendor.aio.join(line, id="met", transfers=transfers, out=tmp_path / "met.yaml")
        draft = asyncio.run(again)
        assert draft.read_text(encoding="utf-8").count("  channel:\n") > 1
        failed = [check for check in vendor.doctor("channel") if check.state == "failed"]
        assert [check.name for check in failed] == ["channel: contract"]
        with pytest.raises(errors.InvitationError, match="mistyped"):
            vendor.join(line[:-1], out=tmp_path / "again.yaml")

        other = channel.invite()
        assert channel.invitations.withdraw(other).id in [
            one.id for one in channel.invitations.list()
        ]
        with pytest.raises(errors.Refusal, match="withdrawn"):
            vendor.join(other, out=tmp_path / "again.yaml")
        assert [peer.name for peer in channel.peers.list()] == ["vendor"]
        assert channel.peers.forget("vendor") == 0
        assert channel.peers.list() == []
        with pytest.raises(errors.InvitationError, match="no invitation has pinned"):
            channel.peers.forget("vendor")
