"""The joiner's side: what a maker of an invitation may answer, and what pins nobody."""

import pytest
import sqlalchemy as sa
from wired_parties import ScriptedDesk, party_called

from client.errors import NotAccepted, WrongCertificate
from client.joining import join
from party.card import IdentityCard
from party.errors import InvitationError, Refusal
from party.introduction import Introduction
from party.invitation import Invitation
from party.known_peers import KnownPeers
from party.organisation import Organisation
from party.places import Places
from party.reception import Welcomed
from party.schema import LOG_ENTRIES
from party.settings import Settings
from server import serve

MAKER = "channel"


class Answering:
    """A reception with one invitation, which answers whatever a test wants."""

    def __init__(self, invitation):
        self.invitation, self.answer, self.came = invitation, b"", []

    def invitations(self):
        certificate = self.invitation.certificate
        return {certificate.fingerprint: certificate.pem}

    def peers(self):
        return {}

    def welcome(self, invitation, introduction):
        self.came.append(introduction)
        return Welcomed("joiner", "sha256:00", self.answer)


@pytest.fixture(scope="module")
def joiner(tmp_path_factory):
    made = Organisation.create(
        tmp_path_factory.mktemp("joining") / "advertiser",
        Settings("The advertiser", workers=1),
        name="advertiser",
        log_origin="advertiser.test/log",
        hosts=[],
        places=Places.of("NL"),
    )
    yield made
    made.close()


@pytest.fixture
def maker(tmp_path):
    """Return the reception of a maker that listens, with its invitation."""
    identity = party_called(MAKER)
    reception = Answering(Invitation.make("127.0.0.1:1", identity.fingerprint))
    server = serve.start(
        ScriptedDesk(tmp_path, [], None), identity, "127.0.0.1:0", reception=reception
    )
    real = reception.invitation
    reception.invitation = Invitation(f"127.0.0.1:{server.port}", real.fingerprint, real.code)
    yield reception
    server.stop(0)


def introduction(maker, *, name=MAKER, copy=0, part="maker", invitation=None, signer=None):
    identity = party_called(name, copy=copy) if copy else party_called(name)
    card = IdentityCard.of(identity, organisation="The maker", address=None, places=Places.of("NL"))
    return Introduction.make(
        signer or identity,
        card,
        invitation=invitation or maker.invitation.certificate.fingerprint,
        part=part,
    ).encode()


def pins_nobody(joiner, invitation, error, said):
    size = len(joiner.store.rows(sa.select(LOG_ENTRIES.c.seq)))
    before = KnownPeers(joiner).cards()
    with pytest.raises(error, match=said):
        join(joiner, invitation, replace=False)
    assert KnownPeers(joiner).cards() == before
    assert len(joiner.store.rows(sa.select(LOG_ENTRIES.c.seq))) == size


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"copy": 1}, "has another certificate"),
        ({"name": "vendor"}, "has another certificate"),
        ({"part": "joiner"}, "another invitation"),
        ({"invitation": "sha256:" + "0" * 64}, "another invitation"),
        ({"signer": party_called("vendor")}, "not signed by the identity key"),
    ],
)
def test_an_introduction_that_is_not_the_makers_own_pins_nobody(joiner, maker, options, said):
    maker.answer = introduction(maker, **options)
    pins_nobody(joiner, maker.invitation, Refusal, said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "is empty"),
        (b"rubbish", "not JSON"),
        (b"{}", "is missing"),
        (bytes(16_385), "LIMIT_EXCEEDED"),
    ],
)
def test_an_answer_that_is_no_introduction_pins_nobody(joiner, maker, answer, said):
    maker.answer = answer
    pins_nobody(joiner, maker.invitation, Refusal, said)


def test_an_introduction_that_was_sent_back_pins_nobody(joiner, maker):
    def echo(invitation, introduction):
        return Welcomed("joiner", "sha256:00", introduction)

    maker.welcome = echo
    pins_nobody(joiner, maker.invitation, Refusal, "another invitation")


def test_nothing_is_said_to_another_certificate(joiner, maker):
    other = party_called(MAKER, copy=1).fingerprint
    false = Invitation(maker.invitation.address, other, maker.invitation.code)
    pins_nobody(joiner, false, WrongCertificate, "nothing was said to it")
    assert maker.came == []


def test_an_unknown_code_is_not_heard(joiner, maker):
    real = maker.invitation
    false = Invitation(real.address, real.fingerprint, bytes(16))
    pins_nobody(joiner, false, NotAccepted, "does not know this invitation's code")
    assert maker.came == []


def test_the_own_invitation_is_not_dialled(joiner):
    own = Invitation.make("127.0.0.1:9", joiner.identity.fingerprint)
    pins_nobody(joiner, own, InvitationError, "the party's own")


def test_a_name_with_other_keys_is_found_before_the_code_is_used(joiner, maker):
    """Last in this file: the joiner keeps the peer."""
    maker.answer = introduction(maker)
    joined = join(joiner, maker.invitation, replace=False)
    assert joined.card.fingerprint == maker.invitation.fingerprint
    assert list(KnownPeers(joiner).cards()) == [MAKER]
    namesake = IdentityCard.of(party_called(MAKER, copy=1), organisation="Another", address=None)
    joiner.store.write(
        lambda connection: KnownPeers(joiner).pin(
            connection, namesake, "joined", actor="operator", replace=True
        )
    )
    maker.came.clear()
    pins_nobody(joiner, maker.invitation, InvitationError, "pinned already with other keys")
    assert maker.came == []
    join(joiner, maker.invitation, replace=True)
    assert KnownPeers(joiner).card(MAKER).fingerprint == maker.invitation.fingerprint
