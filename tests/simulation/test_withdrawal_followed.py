"""One withdrawal, followed from the person's word to the next match: nothing of it is lost.

Two whole parties; the advertiser's dataset rests on its records of consent, and the channel has a
list of its people.
"""

import json
import time
from datetime import datetime

import pyarrow.parquet as pq
import pytest
from consent_notices import document, notice
from organisations import Wire, make_pair, run_both

from audit.errors import AuditError, ReceiptError
from client.consenting import receipt_of, withdraw
from client.render_audit import verification_shown
from client.render_status import status_document
from party.consent.events import Act, State
from party.consent.receipt import check_receipt
from party.datasets import inspect, load_definition
from party.desk import Desk
from party.errors import ConsentError, Refusal
from party.evidence import StoredLog, compare_logs, verify_log
from party.request import Request
from party.request_parameters import Parameters
from party.standing import standing_of
from party.subjects.dossier import open_dossier
from party.subjects.person import Wanted, find
from party.suppression.desk import SuppressionDesk

SENDER, RECEIVER = "advertiser", "channel"
RUNS = 2
DAY = 86_400


@pytest.fixture
def pair(tmp_path):
    parties, contract = make_pair(tmp_path, beside="suppression_days: 2\n")
    sender = parties[SENDER]
    path = tmp_path / "data" / SENDER / "customers.yaml"
    text = path.read_text(encoding="utf-8")
    before, _, after = text.partition("consent:\n  column")
    rest = after.partition("labels:")[2]
    columns = before.replace("  consent: consent\n", "")
    path.write_text(f"{columns}consent: {{records: ref}}\nlabels:{rest}", encoding="utf-8")
    said = [
        Act(f"ref{person}", State.GIVEN, sender.consent.now - 1_000_000) for person in range(60)
    ]
    sender.consent.record(notice(document()), said, actor="test")
    definition = sender.with_records(load_definition(path))
    sender.keep_dataset(definition, inspect(definition), None)
    yield parties, contract
    for party in parties.values():
        party.close()


def match(parties, contract):
    """Let the channel have a list of the advertiser's people; return the request."""
    request = Request.match(
        contract, requester=SENDER, receiver=RECEIVER, sender=SENDER, now=int(time.time()),
        parameters=Parameters(suppression_runs=RUNS),
    )  # fmt: skip
    signed = Desk(parties[SENDER]).make(request, contract, actor="test")
    Desk(parties[RECEIVER]).submit(SENDER, signed)
    assert run_both(parties, signed, Wire()) == {SENDER: None, RECEIVER: None}
    return signed


def listed(party, request):
    stored = Desk(party).result(request.id)
    name = stored["list_file"].rpartition("/")[2]
    return set(pq.read_table(party.folder / "lists" / name)["reference"].to_pylist())


def entries(party):
    return list(StoredLog(party.store, party.identity).parsed())


def test_receipt_suppression_acknowledgement_and_the_next_match_without_the_person(pair):
    parties, contract = pair
    sender, receiver = parties[SENDER], parties[RECEIVER]
    first = match(parties, contract)
    assert "ref20" in listed(receiver, first)

    # The person takes it back, and is told which lists may have them.
    said = withdraw(
        sender, "ref20", purpose=None, recipient=None, by="subject", how="request", actor="operator"
    )
    assert [filed.request.id for filed in said.lists] == [first.id]
    assert [one["state"] for one in said.statements] == ["withdrawn"]

    # The receipt verifies without the party, by its key; for nobody else, and under no other key.
    receipt = json.dumps(said.receipt).encode()
    checked = check_receipt(receipt, "ref20", key=sender.identity.vkey)
    assert checked.entry.kind == "consent.withdrawn"
    for subject, key in (("ref21", sender.identity.vkey), ("ref20", receiver.identity.vkey)):
        with pytest.raises(AuditError):
            check_receipt(receipt, subject, key=key)

    # The contract gives it two days; status says until when, and that they are over.
    (owed,) = standing_of(sender).owed_runs
    assert (owed.request, owed.recipient) == (first.id, RECEIVER)
    assert 0 < owed.due_at - sender.now <= 2 * DAY
    (shown,) = status_document(sender, standing_of(sender))["suppressions"]
    assert shown["overdue"] is False
    sender.clock = lambda: time.time() + 2 * DAY + 60
    (shown,) = status_document(sender, standing_of(sender))["suppressions"]
    assert shown["overdue"] is True
    sender.clock = time.time

    # The suppression run takes them off, and the receiver's signed word comes back.
    filed = {name: Desk(party).find(first.id) for name, party in parties.items()}
    run = (taking := SuppressionDesk(sender).sender(filed[SENDER])).next_run()
    taking.take(SuppressionDesk(receiver).receiver(filed[RECEIVER]).apply(run))
    assert taking.next_run() is None
    assert standing_of(sender).owed_runs == ()
    assert listed(receiver, first) == {f"ref{person}" for person in range(21, 60)}
    for party in parties.values():
        assert "list.suppressed" in [entry.kind for entry in entries(party)]

    # They are told so when they ask.
    (session,) = open_dossier(sender, find(sender, Wanted("ref20"))).sessions
    (entry,) = (one for one in entries(sender) if one.kind == "list.suppressed")
    assert abs(session.taken_off - datetime.fromisoformat(entry.time).timestamp()) < 60

    # The next match is without them, on a snapshot that stands after the withdrawal.
    second = match(parties, contract)
    assert listed(receiver, second) == {f"ref{person}" for person in range(21, 60)}
    kinds = [entry.kind for entry in entries(sender)]
    withdrawn = kinds.index("consent.withdrawn")
    assert "consent.snapshot" in kinds[:withdrawn]
    assert "consent.snapshot" in kinds[withdrawn:]
    assert (
        len(compare_logs(*(StoredLog(p.store, p.identity) for p in parties.values())).shared) == 2
    )

    # The counterpart has cosigned meanwhile: a receipt of today carries its word. Either of its
    # keys will do, that of a witness or the one in the contract; who has not cosigned is missed.
    later = json.dumps(receipt_of(sender, "ref20")).encode()
    for witness in (receiver.identity.cosigner.verifier.vkey, receiver.identity.vkey):
        vouched = {"key": sender.identity.vkey, "witnesses": [witness]}
        checked = check_receipt(later, "ref20", **vouched)
        assert [one.cosigner for one in checked.cosignatures] == [receiver.identity.log_origin]
        with pytest.raises(ReceiptError, match="no cosignature of channel"):
            check_receipt(receipt, "ref20", **vouched)
    with pytest.raises(ConsentError, match="witness's key is given as"):
        check_receipt(later, "ref20", witnesses=["channel"])


def test_under_a_deadline_a_match_has_suppression_runs(pair):
    parties, contract = pair
    request = Request.match(
        contract, requester=SENDER, receiver=RECEIVER, sender=SENDER, now=int(time.time()),
        parameters=Parameters(suppression_runs=0),
    )  # fmt: skip
    with pytest.raises(Refusal, match="a deadline for withdrawals, and this match no suppression"):
        Desk(parties[SENDER]).make(request, contract, actor="test")


def test_what_comes_too_late_is_told_by_audit_for_ever(pair):
    parties, contract = pair
    sender, receiver = parties[SENDER], parties[RECEIVER]
    first = match(parties, contract)
    sender.consent.withdraw("ref5", actor="test")  # whom the list does not have
    assert verify_log(StoredLog(sender.store, sender.identity)).overdue == ()
    sender.clock = receiver.clock = lambda: time.time() + 3 * DAY
    said = [Act("late", State.GIVEN, sender.consent.now)]
    sender.consent.record(notice(document()), said, actor="test")
    (late,) = verify_log(StoredLog(sender.store, sender.identity)).overdue
    assert (late.request, late.recipient) == (first.id, RECEIVER)
    filed = {name: Desk(party).find(first.id) for name, party in parties.items()}
    taking = SuppressionDesk(sender).sender(filed[SENDER])
    run = taking.next_run(cover=True)
    taking.take(SuppressionDesk(receiver).receiver(filed[RECEIVER]).apply(run))
    told = verify_log(StoredLog(sender.store, sender.identity))
    assert told.overdue == (late,)
    assert "Overdue: the list of request" in str(verification_shown(told))
    assert verify_log(StoredLog(receiver.store, receiver.identity)).overdue == ()
