"""Invitations in a party's store: who may use one, when, once, and what is recorded of it."""

import dataclasses
import functools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from organisations import people, write_dataset

from audit.entry import Entry
from client.agreeing import import_contract, sign_contract
from client.drafting import Draft, write_draft
from party.contract_draft import draft_contract
from party.contract_file import parse_contract
from party.contract_terms import DatasetTerms
from party.datasets import inspect, load_definition
from party.errors import (
    ContractError,
    DatasetError,
    InvitationError,
    Refusal,
    RefusalStatus,
    SettingsError,
)
from party.introduction import MOST_BYTES, Introduction
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.places import Places
from party.reception import HOUR_SECONDS, KEPT_SECONDS, Reception
from party.schema import INVITATIONS, LOG_ENTRIES
from party.settings import Settings

ADDRESS = "channel.example:7443"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make each party once; `number` tells namesakes apart."""
    folder = tmp_path_factory.mktemp("templates")

    @functools.cache
    def made(name, number, address):
        path = folder / f"{name}-{number}"
        origin = f"{name}{number}.test/log"
        settings = Settings(f"The {name}", workers=1)
        Organisation.create(
            path,
            settings,
            name=name,
            log_origin=origin,
            hosts=[],
            places=Places.of("NL"),
            address=address,
        ).close()
        return path

    return made


@pytest.fixture
def make(template, tmp_path):
    """Make parties; several may have one name."""
    made = []

    def party(name, address=None):
        number = sum(one.identity.name == name for one in made)
        folder = shutil.copytree(template(name, number, address), tmp_path / f"{name}-{number}")
        made.append(Organisation.open(folder))
        return made[-1]

    yield party
    for one in made:
        one.close()


@pytest.fixture
def maker(make):
    return make("channel", ADDRESS)


def invite(maker, *, hours=24, for_name=None, replace=False, datasets=()):
    return Reception(maker).invite(
        hours=hours, for_name=for_name, replace=replace, datasets=datasets
    )


def introduce(joiner, invitation):
    certificate = invitation.certificate.fingerprint
    return Introduction.make(
        joiner.identity, joiner.own_card(), invitation=certificate, part="joiner"
    )


def use(maker, joiner, invitation):
    """Do what the maker does when a joiner comes; return the maker's introduction."""
    letter = introduce(joiner, invitation).encode()
    welcomed = Reception(maker).welcome(invitation.certificate.fingerprint, letter)
    return Introduction.decode(welcomed.answer)


def refused(status, maker, joiner, invitation):
    before = (log(maker), KnownPeers(maker).cards())
    with pytest.raises(Refusal) as found:
        use(maker, joiner, invitation)
    assert found.value.status is status
    assert (log(maker), KnownPeers(maker).cards()) == before
    return found.value.message


def log(party):
    rows = party.store.rows(sa.select(LOG_ENTRIES.c.data).order_by(LOG_ENTRIES.c.seq))
    return [Entry.parse(row.data) for row in rows]


def test_who_joins_is_pinned_and_logged_and_the_maker_introduces_itself(maker, make):
    joiner, invitation = make("advertiser"), invite(maker)
    answer = use(maker, joiner, invitation)
    answer.verify(invitation=invitation.certificate.fingerprint, part="maker")
    assert answer.card == maker.own_card()
    assert KnownPeers(maker).cards() == {"advertiser": joiner.own_card()}
    last = log(maker)[-1]
    assert (last.kind, last.actor) == ("peer.pinned", "invitation")
    assert (last.body.peer, last.body.vkey) == ("advertiser", joiner.identity.vkey)
    assert last.body.how == "invited"


def test_the_code_is_kept_nowhere(maker):
    invitation = invite(maker)
    secrets = (invitation.code, invitation.code.hex().encode(), invitation.line[-35:-9].encode())
    maker.store.close()
    for path in maker.folder.rglob("*"):
        if path.is_file():
            assert not any(secret in path.read_bytes() for secret in secrets)


def test_an_invitation_serves_one_party_only(maker, make):
    invitation = invite(maker)
    use(maker, make("advertiser"), invitation)
    said = refused(RefusalStatus.EXPIRED, maker, make("other"), invitation)
    assert "used by another party" in said
    namesake = make("advertiser")
    assert "used by another" in refused(RefusalStatus.EXPIRED, maker, namesake, invitation)


def test_the_same_party_may_come_again_and_nothing_changes(maker, make):
    joiner, invitation = make("advertiser"), invite(maker)
    first = use(maker, joiner, invitation)
    maker.clock = lambda: 4_000_000_000.0  # also long after the end: its answer was lost
    entries = log(maker)
    assert use(maker, joiner, invitation) == first
    assert log(maker) == entries


def test_an_invitation_that_has_ended_is_refused(maker, make):
    made, invitation = maker.clock(), invite(maker, hours=2)
    joiner = make("advertiser")
    maker.clock = lambda: made + 2 * HOUR_SECONDS + 1
    assert "has ended" in refused(RefusalStatus.EXPIRED, maker, joiner, invitation)
    maker.clock = lambda: made + 2 * HOUR_SECONDS - 1
    use(maker, joiner, invitation)


def test_an_invitation_for_another_name_is_refused_and_stays_good(maker, make):
    invitation = invite(maker, for_name="vendor")
    said = refused(RefusalStatus.NOT_GRANTED, maker, make("advertiser"), invitation)
    assert "'vendor'" in said
    assert "'advertiser'" in said
    use(maker, make("vendor"), invitation)


def test_a_name_that_another_has_is_refused_unless_its_keys_may_be_replaced(maker, make):
    use(maker, make("advertiser"), invite(maker))
    anew = make("advertiser")
    said = refused(RefusalStatus.DECLINED, maker, anew, invite(maker))
    assert "pinned already with other keys" in said
    use(maker, anew, invite(maker, for_name="advertiser", replace=True))
    assert KnownPeers(maker).card("advertiser") == anew.own_card()
    assert [entry.kind for entry in log(maker)].count("peer.pinned") == 2


def test_the_makers_own_name_is_refused_whatever_is_replaced(maker, make):
    invitation = invite(maker, for_name="channel", replace=True)
    said = refused(RefusalStatus.DECLINED, maker, make("channel"), invitation)
    assert "both parties are named 'channel'" in said


def test_a_party_does_not_join_itself(maker):
    invitation = invite(maker)
    assert "itself" in refused(RefusalStatus.BAD_REQUEST, maker, maker, invitation)


def test_a_known_peer_with_another_address_is_pinned_anew(maker, make):
    joiner = make("advertiser")
    use(maker, joiner, invite(maker))
    moved = dataclasses.replace(joiner.own_card(), address="elsewhere.example:1")
    (joiner.folder / "public.yaml").write_text(moved.to_yaml())
    use(maker, joiner, invite(maker))
    assert KnownPeers(maker).card("advertiser").address == "elsewhere.example:1"


def test_what_cannot_be_logged_uses_nothing_up(maker, make, monkeypatch):
    joiner, invitation = make("advertiser"), invite(maker)

    def fail(*args, **more):
        raise RuntimeError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(maker.journal, "append", fail)
        with pytest.raises(RuntimeError):
            use(maker, joiner, invitation)
    assert KnownPeers(maker).cards() == {}
    use(maker, joiner, invitation)


def test_ended_invitations_are_forgotten_after_a_while(maker):
    old, made = invite(maker, hours=1), maker.clock()
    maker.clock = lambda: made + KEPT_SECONDS
    kept = invite(maker)
    assert set(Reception(maker).invitations()) >= {old.certificate.fingerprint}
    maker.clock = lambda: made + KEPT_SECONDS + 2 * HOUR_SECONDS
    new = invite(maker)
    assert set(Reception(maker).invitations()) == {
        kept.certificate.fingerprint,
        new.certificate.fingerprint,
    }
    assert len(maker.store.rows(sa.select(INVITATIONS))) == 2


def test_a_party_that_only_dials_cannot_invite(make):
    with pytest.raises(SettingsError, match="only dials"):
        invite(make("advertiser"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"for_name": "No Name"}, "no party's name"),
        ({"replace": True}, "needs --for"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused(maker, options, said):
    with pytest.raises(InvitationError, match=said):
        invite(maker, **options)


def test_a_contract_with_other_keys_than_were_pinned_is_not_signed(maker, make, tmp_path):
    pinned, namesake = make("advertiser"), make("advertiser")
    use(maker, pinned, invite(maker))
    for drafter, fits in ((namesake, False), (pinned, True)):
        file = tmp_path / f"{fits}.yaml"
        write_draft(
            drafter, maker.own_card(), Draft("c", "A contract", 30, they_measure=False), file
        )
        sign_contract(drafter, file)
        if fits:
            sign_contract(maker, file)
            import_contract(maker, file)
            continue
        before = file.read_bytes()
        for refused_by in (sign_contract, import_contract):
            with pytest.raises(ContractError, match="another identity key than the one"):
                refused_by(maker, file)
        assert file.read_bytes() == before
        assert not maker.contracts()


def test_a_peer_that_nobody_pinned_is_not_drafted_with(maker):
    with pytest.raises(ContractError, match="no peer of this name"):
        KnownPeers(maker).card("advertiser")


# -- withdrawing and forgetting -----------------------------------------------------------------


def issued(maker):
    return {one.id: one for one in Reception(maker).issued()}


def test_a_withdrawn_invitation_lets_nobody_in_and_says_so(maker, make):
    kept, taken_back, joiner = invite(maker), invite(maker), make("advertiser")
    identity = taken_back.certificate.fingerprint[7:15]
    done = Reception(maker).withdraw(identity)
    assert (done.id, done.state(maker.now)) == (identity, "withdrawn")
    assert "was withdrawn" in refused(RefusalStatus.EXPIRED, maker, joiner, taken_back)
    use(maker, joiner, kept)


def test_an_invitation_is_withdrawn_by_its_line_too(maker, make):
    invitation = invite(maker)
    Reception(maker).withdraw(invitation.line)
    refused(RefusalStatus.EXPIRED, maker, make("advertiser"), invitation)


@pytest.mark.parametrize("wanted", ["", "sha256:", "zz", "0" * 65, "commonground://x"])
def test_what_names_no_invitation_withdraws_none(maker, wanted):
    invite(maker)
    with pytest.raises(InvitationError):
        Reception(maker).withdraw(wanted)
    assert [one.state(maker.now) for one in Reception(maker).issued()] == ["open"]


def test_digits_that_several_invitations_begin_with_withdraw_none(maker):
    ids = [invite(maker).certificate.fingerprint[7:] for _ in range(17)]  # of 16 first digits
    first = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)
    with pytest.raises(InvitationError, match="give more digits"):
        Reception(maker).withdraw(first)
    assert {one.state(maker.now) for one in Reception(maker).issued()} == {"open"}


def test_only_an_open_invitation_is_withdrawn(maker, make):
    used, ended, twice = invite(maker), invite(maker, hours=1), invite(maker)
    use(maker, make("advertiser"), used)
    Reception(maker).withdraw(twice.line)
    now = maker.clock()
    maker.clock = lambda: now + HOUR_SECONDS + 1
    for invitation, said in ((used, "peers forget"), (ended, "has ended"), (twice, "already")):
        with pytest.raises(InvitationError, match=said):
            Reception(maker).withdraw(invitation.line)


def test_the_list_of_invitations_tells_each_ones_state_and_who_came(maker, make):
    used, left = invite(maker, for_name="advertiser"), invite(maker, hours=1)
    joiner = make("advertiser")
    use(maker, joiner, used)
    now = maker.clock()
    maker.clock = lambda: now + HOUR_SECONDS + 1
    found = issued(maker)
    one = found[used.certificate.fingerprint[7:15]]
    assert (one.state(maker.now), one.for_name, one.peer) == ("used", "advertiser", "advertiser")
    assert one.used_by == joiner.identity.fingerprint
    assert found[left.certificate.fingerprint[7:15]].state(maker.now) == "ended"


def test_a_forgotten_peer_is_pinned_no_longer_and_the_log_says_so(maker, make):
    joiner = make("advertiser")
    use(maker, joiner, invite(maker))
    assert [peer.name for peer in KnownPeers(maker).peers()] == ["advertiser"]
    assert KnownPeers(maker).forget("advertiser") == 0
    assert Reception(maker).peers() == {}
    last = log(maker)[-1]
    assert (last.kind, last.actor, last.body.peer) == ("peer.forgotten", "operator", "advertiser")
    assert last.body.vkey == joiner.identity.vkey
    assert f"sha256:{last.body.certificate}" == joiner.identity.fingerprint


def test_a_forgotten_peer_cannot_come_back_by_an_invitation_of_before(maker, make):
    joiner, used = make("advertiser"), invite(maker)
    use(maker, joiner, used)
    waiting, others = invite(maker, for_name="advertiser"), invite(maker, for_name="vendor")
    assert KnownPeers(maker).forget("advertiser") == 1
    for invitation in (used, waiting):
        assert "withdrawn" in refused(RefusalStatus.EXPIRED, maker, joiner, invitation)
    use(maker, make("vendor"), others)
    use(maker, joiner, invite(maker))  # it is let in again when it is invited again
    assert set(KnownPeers(maker).cards()) == {"advertiser", "vendor"}


def test_a_forgotten_name_is_free_for_other_keys(maker, make):
    use(maker, make("advertiser"), invite(maker))
    KnownPeers(maker).forget("advertiser")
    anew = make("advertiser")
    use(maker, anew, invite(maker))
    assert KnownPeers(maker).card("advertiser") == anew.own_card()


def agree(maker, joiner, *, contract_id="deal", days=10):
    """Let both sign a contract, and the maker keep it."""
    day = maker.now // 86_400 * 86_400
    text = draft_contract(
        {"advertiser": joiner.own_card(), "channel": maker.own_card()},
        contract_id=contract_id,
        title="t",
        starts=day,
        ends=day + days * 86_400,
    )
    contract = parse_contract(text.encode(), source="test")
    for one in (maker, joiner):
        contract = contract.sign(one.identity)
    maker.keep_contract(contract)
    return contract


def test_a_peer_with_a_contract_is_not_forgotten_before_its_end(maker, make):
    """The contract pins the same keys: "forgotten" would be an untrue word."""
    joiner = make("advertiser")
    use(maker, joiner, invite(maker))
    contract = agree(maker, joiner)
    size = len(log(maker))
    with pytest.raises(InvitationError, match=r"not forgotten.*\(deal\)"):
        KnownPeers(maker).forget("advertiser")
    assert (list(KnownPeers(maker).cards()), len(log(maker))) == (["advertiser"], size)
    maker.clock = lambda: float(contract.ends)
    KnownPeers(maker).forget("advertiser")
    assert KnownPeers(maker).peers() == []
    assert [one.id for one in maker.contracts()] == ["deal"]  # what was done stays


def test_a_contract_of_other_keys_under_the_name_keeps_no_peer(maker, make):
    before, anew = make("advertiser"), make("advertiser")
    agree(maker, before)
    use(maker, anew, invite(maker))
    KnownPeers(maker).forget("advertiser")
    assert [(peer.card, peer.pinned_at) for peer in KnownPeers(maker).peers()] == [
        (before.own_card(), None)
    ]


def test_peers_are_those_whom_invitations_and_contracts_let_in(maker, make):
    invited, agreed = make("vendor"), make("advertiser")
    use(maker, invited, invite(maker))
    contract = agree(maker, agreed)
    found = [(one.name, one.pinned_at is None, one.contracts) for one in KnownPeers(maker).peers()]
    assert found == [("advertiser", True, ("deal",)), ("vendor", False, ())]
    maker.clock = lambda: float(contract.ends)
    assert [peer.name for peer in KnownPeers(maker).peers()] == ["vendor"]


def test_only_a_pinned_peer_is_forgotten(maker, make):
    agree(maker, make("advertiser"))
    for name in ("nobody", ""):
        with pytest.raises(InvitationError, match="no invitation has pinned"):
            KnownPeers(maker).forget(name)
    with pytest.raises(InvitationError, match=r"not forgotten: a contract \(deal\) pins its keys"):
        KnownPeers(maker).forget("advertiser")


def test_what_cannot_be_logged_forgets_nobody(maker, make, monkeypatch):
    joiner, used = make("advertiser"), invite(maker)
    use(maker, joiner, used)

    def fail(*args, **more):
        raise RuntimeError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(maker.journal, "append", fail)
        with pytest.raises(RuntimeError):
            KnownPeers(maker).forget("advertiser")
    assert list(KnownPeers(maker).cards()) == ["advertiser"]
    use(maker, joiner, used)


# -- what the maker offers ----------------------------------------------------------------------

SEGMENTS = ("gold", "silver")


def register(maker, folder, name="receipts", segments=SEGMENTS):
    folder = folder / f"data-{name}"
    write_dataset(folder, name, people(0, len(segments), segments), label="segment")
    definition = load_definition(folder / f"{name}.yaml")
    maker.keep_dataset(definition, inspect(definition), None)


def test_a_joiner_is_told_what_the_offered_datasets_hold_and_of_no_other(maker, make, tmp_path):
    register(maker, tmp_path)
    register(maker, tmp_path, "secret")
    joiner, invitation = make("advertiser"), invite(maker, datasets=("receipts",))
    stated = use(maker, joiner, invitation).datasets
    terms = DatasetTerms(("email", "phone"), 2, {"segment": SEGMENTS})
    assert stated == {"receipts": terms}
    assert use(maker, joiner, invitation).datasets == stated
    assert use(maker, make("vendor"), invite(maker)).datasets == {}


def test_what_is_stated_is_signed(maker, make, tmp_path):
    register(maker, tmp_path)
    invitation = invite(maker, datasets=("receipts",))
    answer = use(maker, make("advertiser"), invitation)
    for changed in ({}, {"receipts": DatasetTerms(("email",), 1, {})}):
        with pytest.raises(Refusal, match="not signed"):
            dataclasses.replace(answer, datasets=changed).verify(
                invitation=invitation.certificate.fingerprint, part="maker"
            )


@pytest.mark.parametrize(
    "stated",
    [
        "x",
        {},
        {"Not A Name": {"identifiers": ["email"], "most_identifiers": 1}},
        {"receipts": {"identifiers": ["shoe"], "most_identifiers": 1}},
        {"receipts": {"identifiers": ["email"], "most_identifiers": 0}},
        {"receipts": {"identifiers": ["email"], "most_identifiers": 1, "people": 5}},
        {"receipts": {"identifiers": ["email"], "most_identifiers": 1, "labels": {"a": ["x\n"]}}},
        {f"d{n}": {"identifiers": ["email"], "most_identifiers": 1} for n in range(99)},
    ],
)
def test_datasets_that_no_contract_could_state_are_refused(maker, make, stated):
    answer = use(maker, make("advertiser"), invite(maker))
    with pytest.raises(Refusal) as found:
        Introduction.decode(altered(answer, datasets=stated))
    assert found.value.status is RefusalStatus.BAD_REQUEST


def test_a_joiner_that_states_datasets_is_refused(maker, make):
    letter = introduce(make("advertiser"), invite(maker))
    stated = {"receipts": {"identifiers": ["email"], "most_identifiers": 1}}
    with pytest.raises(Refusal, match="a joiner states none"):
        Introduction.decode(altered(letter, datasets=stated))


def test_a_dataset_that_is_not_registered_or_too_much_to_tell_makes_no_invitation(maker, tmp_path):
    with pytest.raises(DatasetError, match="no dataset receipts"):
        invite(maker, datasets=("receipts",))
    values = [f"value number {n} of a label with many" for n in range(400)]
    register(maker, tmp_path, segments=values)
    with pytest.raises(InvitationError, match="too long for an invitation"):
        invite(maker, datasets=("receipts",))
    assert Reception(maker).issued() == []


# -- introductions ------------------------------------------------------------------------------


def altered(letter, **changes):
    document = {**json.loads(letter.encode()), **changes}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def test_a_card_that_its_owner_did_not_sign_is_refused(maker, make):
    """A thief of somebody's card cannot present it: the identity key in it has to sign."""
    invitation, victim, thief = invite(maker), make("advertiser"), make("thief")
    letter = introduce(thief, invitation)
    stolen = dataclasses.replace(letter, card=victim.own_card())
    with pytest.raises(Refusal, match="not signed by the identity key"):
        Reception(maker).welcome(invitation.certificate.fingerprint, stolen.encode())
    assert KnownPeers(maker).cards() == {}


def test_an_introduction_serves_its_own_invitation_only(maker, make):
    first, second, joiner = invite(maker), invite(maker), make("advertiser")
    letter = introduce(joiner, first)
    with pytest.raises(Refusal, match="another invitation"):
        Reception(maker).welcome(second.certificate.fingerprint, letter.encode())
    moved = dataclasses.replace(letter, invitation=second.certificate.fingerprint)
    with pytest.raises(Refusal, match="not signed"):
        Reception(maker).welcome(second.certificate.fingerprint, moved.encode())


def test_the_makers_introduction_cannot_be_sent_back_to_it(maker, make):
    invitation = invite(maker)
    answer = use(maker, make("advertiser"), invitation)
    with pytest.raises(Refusal, match="another invitation"):
        Reception(maker).welcome(invitation.certificate.fingerprint, answer.encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"part": "owner"},
        {"card": {}},
        {"card": "x"},
        {"signature": 5},
        {"signature": "x" * 88},
        {"invitation": "y" * 72},
    ],
)
def test_a_malformed_introduction_is_refused(maker, make, changes):
    invitation = invite(maker)
    data = altered(introduce(make("advertiser"), invitation), **changes)
    with pytest.raises(Refusal) as found:
        Reception(maker).welcome(invitation.certificate.fingerprint, data)
    assert found.value.status is RefusalStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 9_000, b"{ }", b" " * (MOST_BYTES + 1)]
)
def test_bytes_that_are_no_introduction_are_refused(data):
    with pytest.raises(Refusal):
        Introduction.decode(data)


def test_of_parties_that_race_for_one_invitation_one_wins(maker, make):
    invitation = invite(maker)
    joiners = [make(name) for name in ("advertiser", "vendor", "other")]

    def attempt(joiner):
        try:
            use(maker, joiner, invitation)
        except Refusal as refusal:
            return refusal.status
        return joiner.identity.name

    with ThreadPoolExecutor(len(joiners)) as threads:
        ends = list(threads.map(attempt, joiners))
    assert ends.count(RefusalStatus.EXPIRED) == len(joiners) - 1
    [winner] = KnownPeers(maker).cards()
    assert winner in ends
