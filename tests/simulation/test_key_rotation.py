"""Keys are replaced while a party serves: no new contract, nothing stops, nobody is let in."""

import ssl
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from organisations import make_party
from serving_pair import HUB, SPOKE

from audit import standalone
from audit.note import Signer
from audit.verify import verify
from client.audit_files import write_evidence
from client.errors import DialError, WrongCertificate
from client.joining import join
from client.key_exchange import learn_file, tell_all
from client.output import as_text
from client.render_keys import keys_shown
from client.render_peers import ended_by, made_again
from party.contract_file import load_contract, render_contract, sign_contract_file
from party.errors import IdentityError, Refusal, RefusalStatus, SessionSuspended
from party.evidence import StoredLog
from party.invitation import Invitation
from party.key_statement import KeyStatement, PublicKeys
from party.organisation import Organisation
from party.reception import Reception
from party.renewals import Renewals
from party.rotation import FILE, finish_rotation, rotate
from server.http import start_http

HOUR, DAY = 3600, 86_400


def fingerprint_served(pair):
    from client.probe import Way

    way = Way(pair.address)
    with way.open() as plain:
        return way.certificate(plain).fingerprint


def kinds(party):
    return [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]


def test_a_listener_takes_a_new_certificate_up_and_goes_on_under_the_same_contract(anywhere):
    first = anywhere.hub.identity.fingerprint
    with anywhere.listening():
        statement = rotate(anywhere.hub, "tls")
        assert fingerprint_served(anywhere) == first, "it is told before it is used"
        with anywhere.dialled() as dialler:
            dialler.check_health()
        anywhere.pass_time(24 * HOUR)
        assert fingerprint_served(anywhere) == statement.after.fingerprint != first
        assert anywhere.carry_out().state == "finished"
    assert "peer.renewed" in kinds(anywhere.spoke)
    assert kinds(anywhere.hub).count("key.rotated") == 1
    for party in anywhere.parties.values():
        verify(StoredLog(party.store, party.identity))


@pytest.mark.parametrize("which", ["tls", "identity"])
def test_who_dials_with_new_keys_is_known_and_the_old_serve_to_the_end_of_the_overlap(pair, which):
    old = pair.spoke.identity.keys
    with pair.listening():
        rotate(pair.spoke, which, use_after_hours=1, overlap_days=2)
        with pair.dialled():
            pass
        pair.pass_time(HOUR)
        assert pair.spoke.identity.keys.public != old.public
        assert pair.carry_out().state == "finished"
        card = pair.hub.contract("test").parties[SPOKE]
        assert old.public.fingerprint in accepted(card, pair.hub.now)
        assert old.public.signing in signing_keys(card, pair.hub.now)
        pair.pass_time(2 * DAY)
        assert pair.carry_out().state == "finished"
    newest = pair.spoke.identity.keys.public
    assert accepted(card, pair.hub.now) == {newest.fingerprint}
    assert signing_keys(card, pair.hub.now) == {newest.signing}
    for party in pair.parties.values():
        verify(StoredLog(party.store, party.identity))


def accepted(card, now):
    return {one.fingerprint for one in card.certificates(now)}


def signing_keys(card, now):
    return {key.vkey for key in card.signers(now).keys}


def test_an_old_certificate_is_not_let_in_after_the_overlap(pair):
    old = pair.spoke.identity.keys
    with pair.listening():
        rotate(pair.spoke, "tls", use_after_hours=0, overlap_days=1)
        with pair.dialled():
            pass
        assert pair.spoke.identity.keys.public != old.public
        calls_with(pair, old)
        pair.pass_time(DAY)
        with pytest.raises((DialError, SessionSuspended)):
            calls_with(pair, old)


def calls_with(pair, keys):
    from client.dial import Dialler

    contract = pair.spoke.contract("test")
    with Dialler(
        pair.spoke.identity, contract, HUB, pair.address, connect_seconds=1, shown=keys
    ) as dialler:
        dialler.check_health()


def test_a_request_by_a_replaced_signing_key_is_refused_after_the_overlap(pair):
    old = pair.spoke.identity.keys.signer
    with pair.listening():
        rotate(pair.spoke, "identity", use_after_hours=0, overlap_days=1)
        with pair.dialled():
            pass
        pair.pass_time(DAY)
        request = pair.make_request()
        stolen = replace(request, signature=signed_by(request, old))
        with pair.dialled() as dialler, pytest.raises(Refusal, match="not signed"):
            dialler.submit(stolen)
        with pair.dialled() as dialler:
            assert dialler.submit(request).state == "approved"


def signed_by(request, signer):
    from base64 import b64encode

    from party.request import SIGNATURE_PREFIX

    return b64encode(signer.sign(SIGNATURE_PREFIX + request._signed_text).blob).decode()


def test_one_that_was_not_told_in_time_is_told_with_the_keys_that_it_knows(pair):
    """The spoke replaces its certificate at once: the listener has not heard of the new one."""
    with pair.listening():
        rotate(pair.spoke, "tls", use_after_hours=0, overlap_days=14)
        [told] = tell_all(pair.spoke)
        assert (told.peer, told.knows) == (HUB, True)
        assert Renewals(pair.spoke).told() == {pair.hub.identity.vkey: 1}
        assert [one.knows for one in tell_all(pair.spoke)] == [True]


def test_who_only_dials_and_comes_too_late_takes_the_file(pair):
    rotate(pair.hub, "tls", use_after_hours=0, overlap_days=1)
    pair.pass_time(2 * DAY)
    with pair.listening():
        with pytest.raises(DialError, match=r"keys\.json"), pair.dialled():
            pass
        [learnt] = learn_file(pair.spoke, pair.hub.folder / FILE)
        assert learnt.peer == HUB
        assert learn_file(pair.spoke, pair.hub.folder / FILE) == [], "it may be given again"
        assert pair.carry_out().state == "finished"


def test_contracts_that_were_signed_before_and_after_hold_side_by_side(pair, tmp_path):
    before = pair.hub.contract("test")
    rotate(pair.hub, "identity", use_after_hours=0, overlap_days=1)
    rotate(pair.hub, "tls", use_after_hours=0, overlap_days=1)
    card = pair.hub.own_card()
    assert card.signing == pair.hub.identity.signing != card.identity
    assert card.fingerprint == pair.hub.identity.fingerprint
    draft = replace(before, id="next", signatures={}, parties={**before.parties, HUB: card})
    path = tmp_path / "next.yaml"
    path.write_text(render_contract(draft))
    for party in pair.parties.values():
        sign_contract_file(path, party.identity)
    for party in pair.parties.values():
        party.keep_contract(load_contract(path))
    assert {one.id for one in pair.hub.contracts()} == {"test", "next"}
    for one in pair.hub.contracts():
        one.verify_signatures()
        assert one.me(pair.hub.identity) == HUB
    assert pair.hub.contract("test").digest == before.digest


def test_what_was_drafted_with_the_keys_before_is_not_signed_with_the_new(pair):
    contract = replace(pair.hub.contract("test"), signatures={})
    rotate(pair.hub, "identity", use_after_hours=0)
    with pytest.raises(Exception, match=r"present public\.yaml"):
        contract.sign(pair.hub.identity)


# -- what does not serve ------------------------------------------------------------------------


def test_statements_of_others_or_out_of_chain_are_refused_and_change_nothing(pair):
    rotate(pair.hub, "tls", use_after_hours=0)
    rotate(pair.hub, "identity", use_after_hours=0)
    one, two = pair.hub.identity.statements
    cards = [pair.spoke.contract("test").parties[HUB]]
    stranger = Signer("stranger.test/log", bytes(32))
    for told, why in (
        ([two], "statement 1 .* missing"),
        ([one, one], "statement 2 .* missing"),
        ([replace(one, ends=one.ends - 1)], "not signed"),
        ([replace(one, signatures=(one.signatures[0], two.signatures[1]))], "not signed"),
        ([one, with_certificate(two, one.before.certificate)], "other keys"),
        ([replace(one, party=stranger.verifier.vkey)], "name|not known"),
    ):
        with pytest.raises(Refusal, match=why) as refused:
            Renewals(pair.spoke).learn(cards, [each.encode() for each in told])
        assert refused.value.status is RefusalStatus.BAD_REQUEST
    assert Renewals(pair.spoke).known_of(pair.hub.identity.vkey) == 0
    own = pair.spoke.contract("test").parties[SPOKE]
    with pytest.raises(Refusal, match="not known here"):
        Renewals(pair.spoke).learn([own], [one.encode()])


def with_certificate(statement, pem):
    """Return a statement of a signing key that passes by the certificate before it."""
    keys = (PublicKeys(one.signing, pem) for one in (statement.before, statement.after))
    return replace(statement, **dict(zip(("before", "after"), keys, strict=True)))


def test_a_second_statement_under_one_number_is_an_incident_and_the_first_stands(anywhere):
    """What somebody with a stolen key would say."""
    rotate(anywhere.hub, "tls", use_after_hours=0)
    [true] = anywhere.hub.identity.statements
    cards = [anywhere.spoke.contract("test").parties[HUB]]
    Renewals(anywhere.spoke).learn(cards, [true.encode()])
    signer = anywhere.hub.identity.signer
    false = replace(true, ends=true.ends + 1).sign(signer, signer)
    with pytest.raises(Refusal, match="two"):
        Renewals(anywhere.spoke).learn(cards, [false.encode()])
    assert "incident.two_statements" in kinds(anywhere.spoke)
    [kept] = anywhere.spoke.contract("test").parties[HUB].statements
    assert kept == true
    verify(StoredLog(anywhere.spoke.store, anywhere.spoke.identity))


def test_a_chain_that_a_thief_of_the_first_key_begins_anew_is_refused(pair):
    """A counterpart of a later contract knows the later keys, and none of the statements yet."""
    anchor = pair.hub.identity.signer
    rotate(pair.hub, "identity", use_after_hours=0)
    [true] = pair.hub.identity.statements
    later = pair.hub.own_card()
    thief = Signer(anchor.name, Ed25519PrivateKey.generate().private_bytes_raw())
    false = replace(true, after=PublicKeys(thief.verifier.vkey, true.before.certificate))
    with pytest.raises(Refusal, match="do not lead through"):
        Renewals(pair.spoke).learn([later], [false.sign(anchor, thief).encode()])
    assert Renewals(pair.spoke).learn([later], [true.encode()])


@pytest.mark.parametrize(
    ("field", "value"),
    [("ends", 0), ("starts", 10**9), ("number", 0), ("made", -1), ("ends", 2**50)],
)
def test_a_statement_that_contradicts_itself_is_refused(pair, field, value):
    rotate(pair.hub, "tls")
    [one] = pair.hub.identity.statements
    with pytest.raises(IdentityError, match="does not serve"):
        KeyStatement.decode(replace(one, **{field: value}).encode())


def test_a_flipped_byte_of_a_statement_is_never_taken(pair):
    rotate(pair.hub, "tls")
    [one] = pair.hub.identity.statements
    data = one.encode()
    cards = [pair.spoke.contract("test").parties[HUB]]
    for place in range(0, len(data), 7):
        altered = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(Refusal):
            Renewals(pair.spoke).learn(cards, [altered])
    assert Renewals(pair.spoke).known_of(pair.hub.identity.vkey) == 0


# -- on disk --------------------------------------------------------------------------------------


def test_one_key_is_replaced_at_a_time_and_times_have_bounds(pair):
    rotate(pair.hub, "tls")
    with pytest.raises(IdentityError, match="not in use yet"):
        rotate(pair.hub, "identity")
    with pytest.raises(IdentityError, match="90 days"):
        rotate(pair.spoke, "tls", overlap_days=90)
    assert pair.spoke.identity.statements == ()
    assert "key.rotated" not in kinds(pair.spoke)


def test_a_rotation_that_was_killed_counts_if_the_log_has_it(anywhere, monkeypatch):
    from party import rotation

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(rotation, "_put", killed)
        with pytest.raises(KeyboardInterrupt):
            rotate(anywhere.hub, "tls")
    assert anywhere.hub.identity.statements == ()
    finish_rotation(anywhere.hub)
    assert [one.number for one in anywhere.hub.identity.statements] == [1]
    with monkeypatch.context() as dying:
        dying.setattr(anywhere.spoke.journal, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            rotate(anywhere.spoke, "tls")
    finish_rotation(anywhere.spoke)
    assert anywhere.spoke.identity.statements == ()
    assert rotate(anywhere.spoke, "tls").number == 1
    for party in anywhere.parties.values():
        verify(StoredLog(party.store, party.identity))


def test_the_keys_say_which_comes_which_is_in_use_and_who_knows(pair):
    rotate(pair.hub, "tls", use_after_hours=24, overlap_days=5)
    said = as_text(keys_shown(pair.hub))
    assert "certificate: comes into use on" in said
    assert "none of 1 yet" in said
    pair.pass_time(2 * DAY)
    said = as_text(keys_shown(pair.hub))
    assert "certificate: in use since" in said
    assert "the one before is accepted until" in said
    pair.pass_time(9 * DAY)
    assert "the one before ended on" in as_text(keys_shown(pair.hub))


def test_replaced_private_keys_are_deleted_after_the_overlap_and_the_party_opens(pair):
    keys = pair.hub.folder / "keys"
    for which in ("tls", "identity", "tls", "identity"):
        rotate(pair.hub, which, use_after_hours=0, overlap_days=1)
    pair.hub.identity.delete_replaced()
    assert (keys / "tls.key").exists(), "it is accepted still"
    pair.pass_time(DAY)
    assert pair.hub.identity.delete_replaced()
    left = sorted(str(path.relative_to(keys)) for path in keys.rglob("*.key"))
    assert left == [
        "identity.key",  # the log's
        "node.key",
        "rotations/0003/tls.key",
        "rotations/0004/identity.key",
    ]
    assert not pair.hub.identity.delete_replaced()
    again = Organisation.open(pair.hub.folder)
    again.clock = pair.hub.clock
    assert again.identity.keys.public == pair.hub.identity.keys.public
    assert again.identity.sign(b"x") == pair.hub.identity.sign(b"x")
    again.close()


def test_https_shows_the_new_certificate_and_goes_on_when_the_old_key_is_deleted(pair):
    hub = pair.hub
    listener = start_http(hub, "0.0.0.0:0", lambda service: None)

    def shown(port):
        pem = ssl.get_server_certificate(("127.0.0.1", port))
        return f"sha256:{sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()}"

    try:
        port = int(listener.url.rpartition(":")[2])
        assert shown(port) == hub.identity.fingerprint
        before = hub.identity.fingerprint
        rotate(hub, "tls", use_after_hours=0, overlap_days=0)
        assert hub.identity.delete_replaced()
        assert shown(port) == hub.identity.fingerprint != before
    finally:
        listener.stop()
    again = start_http(hub, "0.0.0.0:0", lambda service: None)
    assert shown(int(again.url.rpartition(":")[2])) == hub.identity.fingerprint
    again.stop()


def test_an_expired_certificate_is_replaced_and_the_file_lets_the_party_in_again(pair):
    pair.pass_time(731 * DAY)
    with pytest.raises(IdentityError, match="keys rotate tls"):
        pair.spoke.identity.certificate.require_valid(pair.spoke.now)
    rotate(pair.spoke, "tls", use_after_hours=0)
    rotate(pair.hub, "tls", use_after_hours=0)
    learn_file(pair.hub, pair.spoke.folder / FILE)
    learn_file(pair.spoke, pair.hub.folder / FILE)
    pair.spoke.contract("test").require_in_force(pair.spoke.now)
    shown = Renewals(pair.spoke).keys_towards(pair.spoke.contract("test"), HUB)
    assert shown == pair.spoke.identity.newest, "not the expired one, though they were not told"


def test_secrets_of_new_keys_do_not_show(pair):
    rotate(pair.hub, "identity", use_after_hours=0)
    rotate(pair.hub, "tls", use_after_hours=0)
    shown = repr(pair.hub.identity) + repr(pair.hub.identity.keys) + repr(pair.hub.identity._ring)
    assert "PRIVATE" not in shown
    public = (pair.hub.folder / FILE).read_text()
    assert "PRIVATE" not in public
    for path in (pair.hub.folder / "keys").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.is_dir()


# -- what others check ----------------------------------------------------------------------------


def test_evidence_of_a_request_that_a_new_key_signed_verifies_by_verify_py_alone(pair, tmp_path):
    rotate(pair.spoke, "identity", use_after_hours=0)
    rotate(pair.spoke, "tls", use_after_hours=0)
    with pair.listening():
        filed = pair.carry_out()
    for name, party in pair.parties.items():
        write_evidence(party, filed.id, tmp_path / f"{name}.zip")
    assert (
        standalone.main([str(tmp_path / f"{HUB}.zip"), "--with", str(tmp_path / f"{SPOKE}.zip")])
        == 0
    )


def test_verify_py_follows_no_statement_that_its_party_did_not_sign(pair):
    """Each line altered, left out, or of another party: found, and the honest one is followed."""
    rotate(pair.spoke, "identity", use_after_hours=0)
    rotate(pair.spoke, "tls", use_after_hours=0)
    card = pair.spoke.contract("test").parties[SPOKE].to_json()
    one, two = (each.encode() for each in pair.spoke.identity.statements)
    log = standalone.Key.read(pair.spoke.identity.vkey)

    def follow(*lines):
        files = {f"keys/{SPOKE}.jsonl": b"\n".join(lines)}
        bundle = standalone.Bundle(files, {}, log)
        standalone.follow_keys(bundle, SPOKE, card)
        return bundle.signing[SPOKE][-1], bundle.certificates[SPOKE]

    key, certificates = follow(one, two)
    assert key == standalone.Key.read(pair.spoke.identity.signing)
    assert certificates[-1] == pair.spoke.identity.fingerprint
    altered = one.replace(b'"number":1', b'"number":9')
    for lines in ([two], [two, one], [one, one], [altered, two]):
        with pytest.raises(standalone.Refused):
            follow(*lines)


def join_as(name, folder, line):
    """Let a party that nobody knows use an invitation."""
    party = make_party(folder, name)
    try:
        return join(party, Invitation.parse(line), replace=False)
    finally:
        party.close()


@pytest.fixture
def reception(pair, monkeypatch):
    """Return where the hub invites: to the address at which it listens."""
    own = pair.hub.own_card
    monkeypatch.setattr(pair.hub, "own_card", lambda: replace(own(), address=pair.address))
    return Reception(pair.hub)


def test_an_invitation_ends_when_the_certificate_in_its_line_goes_out_of_use(
    pair, reception, tmp_path
):
    lines = [reception.invite(hours=72, for_name=None, replace=False).line for _ in range(2)]
    statement = rotate(pair.hub, "tls")
    told = reception.invite(hours=72, for_name=None, replace=False)
    assert reception.find(told.id).ends_at == statement.starts
    ended = ended_by(statement, reception.issued())
    assert len(ended) == 3, "all that are open, and one that is made until then"
    assert "`commonground invite` makes another" in made_again(ended[0])
    with pair.listening():
        join_as("vendor", tmp_path, lines[0])
        pair.pass_time(24 * HOUR)
        with pytest.raises(WrongCertificate, match="ask for a new line"):
            join_as("panel", tmp_path, lines[1])
        again = reception.invite(hours=72, for_name=None, replace=False)
        assert again.fingerprint == statement.after.fingerprint
        join_as("agency", tmp_path, again.line)


def test_an_invitation_outlives_a_new_signing_key(pair, reception):
    made = reception.invite(hours=72, for_name=None, replace=False)
    before = reception.find(made.id)
    statement = rotate(pair.hub, "identity")
    assert reception.find(made.id) == before
    assert ended_by(statement, reception.issued()) == []
