"""Invitations: the line holds everything, shows its own typos, and gives both sides one key."""

import string
import time

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from party.certificate import read_certificate
from party.errors import InvitationError
from party.invitation import CODE_BYTES, MOST_CHARACTERS, Invitation

FINGERPRINT = "sha256:" + "0123456789abcdef" * 4
FIXED = Invitation("partner.example:7443", FINGERPRINT, bytes(range(CODE_BYTES)))
LINE = (
    "commonground://partner.example:7443/"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/"
    "aaaqeayeaudaocajbifqydiob4-"
)
hosts = st.sampled_from(["partner.example", "10.0.0.7", "[2001:db8::1]", "a"])
invitations = st.builds(
    lambda host, port, digest, code: Invitation(f"{host}:{port}", f"sha256:{digest.hex()}", code),
    hosts,
    st.integers(1, 65_535),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES),
)


@given(invitations)
def test_a_line_says_what_its_invitation_holds(invitation):
    assert Invitation.parse(invitation.line) == invitation
    assert len(invitation.line) <= MOST_CHARACTERS
    assert not set(invitation.line) & set(string.whitespace)


@given(invitations, st.data())
def test_a_line_that_a_mail_program_broke_is_read(invitation, data):
    place = data.draw(st.integers(0, len(invitation.line)))
    broken = f"  {invitation.line[:place]}\r\n {invitation.line[place:]}\n"
    assert Invitation.parse(broken) == invitation


@given(invitations, st.data())
def test_one_wrong_character_is_said_to_be_a_typo(invitation, data):
    line = invitation.line
    place = data.draw(st.integers(len("commonground://"), len(line) - 1))
    wrong = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-:/.=!"))
    assume(wrong != line[place])
    with pytest.raises(InvitationError, match="mistyped or cut short"):
        Invitation.parse(line[:place] + wrong + line[place + 1 :])


@given(invitations, st.data())
def test_two_neighbours_that_changed_places_are_said_to_be_a_typo(invitation, data):
    line = invitation.line
    place = data.draw(st.integers(len("commonground://"), len(line) - 2))
    one, two = line[place], line[place + 1]
    assume(one != two)
    with pytest.raises(InvitationError, match="mistyped"):
        Invitation.parse(line[:place] + two + one + line[place + 2 :])


@given(invitations, st.integers(1, 80))
def test_a_line_that_was_cut_short_is_said_to_be_so(invitation, missing):
    with pytest.raises(InvitationError, match="cut short"):
        Invitation.parse(invitation.line[:-missing])


@pytest.mark.parametrize("text", ["", "hello", "https://partner.example/x", "cg://a:1/b/c-d"])
def test_another_text_is_said_to_be_no_invitation(text):
    with pytest.raises(InvitationError, match="no invitation"):
        Invitation.parse(text)


def test_a_text_without_end_is_refused():
    with pytest.raises(InvitationError, match="mistyped"):
        Invitation.parse("commonground://" + "a" * 10_000)


@given(invitations)
@settings(max_examples=10)
def test_both_ends_of_a_line_derive_one_certificate_and_its_key(invitation):
    read = Invitation.parse(invitation.line)
    assert read.certificate == invitation.certificate
    assert read.key_pem() == invitation.key_pem()
    public = load_pem_private_key(read.key_pem(), password=None).public_key()
    assert read_certificate(read.certificate.pem) == invitation.certificate
    assert public.public_numbers().curve.name == "secp256r1"
    assert read.certificate.party_name == "invitation"


def test_the_certificate_of_a_code_is_the_same_in_every_version():
    """A partner may run other versions of this program and of its libraries."""
    assert FIXED.line.startswith(LINE)
    assert FIXED.line == LINE + "2jdao64k"
    assert FIXED.certificate.fingerprint == (
        "sha256:af3b61b7001750f5a3bec662a61d6fb24a589919b9d4c54966d43590eee47b46"
    )


def test_another_code_or_another_maker_gives_another_certificate():
    others = [
        Invitation(FIXED.address, FINGERPRINT, bytes(CODE_BYTES)),
        Invitation(FIXED.address, "sha256:" + "f" * 64, FIXED.code),
    ]
    found = {one.certificate.fingerprint for one in [FIXED, *others]}
    assert len(found) == 3
    moved = Invitation("elsewhere:1", FINGERPRINT, FIXED.code)
    assert moved.certificate == FIXED.certificate


def test_codes_are_drawn_anew_and_are_long_enough():
    drawn = {Invitation.make("a:1", FINGERPRINT).code for _ in range(100)}
    assert len(drawn) == 100
    assert {len(code) for code in drawn} == {16}


def test_the_certificate_ends_by_its_makers_word_and_not_by_itself():
    FIXED.certificate.require_valid(int(time.time()) + 100 * 365 * 86_400)


def test_the_code_does_not_show_itself():
    assert FIXED.code.hex() not in repr(FIXED)
    assert repr(FIXED.code) not in repr(FIXED)
    assert FIXED.line.rpartition("/")[2][:26] not in repr(FIXED)
