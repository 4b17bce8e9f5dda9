"""Every row of the profile's own vectors, and the rejections that they do not list."""

import json
from pathlib import Path

import numpy as np
import pytest

from psi.errors import IdentifierError, ProfileMismatch, PsiError, Rejected
from psi.identifiers import Profile, digest, kind_of, normalise, parse_digest
from psi.keys import Keys
from psi.reasons import Reason

VECTORS = json.loads(Path(__file__).with_name("identifiers.json").read_text(encoding="utf-8"))


def _name(row):
    return f"{row['type']}-{row['input'][:24]!r}-{row.get('note', '')}"


@pytest.mark.parametrize("row", VECTORS["raw"], ids=_name)
def test_a_raw_value_becomes_the_stated_key_or_is_refused_for_the_stated_reason(row):
    if "rejected" in row:
        with pytest.raises(Rejected) as caught:
            normalise(row["type"], row["input"], **row["options"])
        assert caught.value.reason == row["rejected"]
        return
    normalised = normalise(row["type"], row["input"], **row["options"])
    assert normalised == row["normalised"]
    assert digest(row["type"], normalised).hex() == row["digest"]
    rows = np.frombuffer(bytes.fromhex(row["digest"]), dtype=np.uint8)[None, :]
    assert Keys.from_digests(row["type"], rows)[0].hex() == row["key"]


@pytest.mark.parametrize("row", VECTORS["digests"], ids=_name)
def test_a_digest_is_read_or_refused_for_the_stated_reason(row):
    if "rejected" in row:
        with pytest.raises(Rejected) as caught:
            parse_digest(row["type"], row["input"])
        assert caught.value.reason == row["rejected"]
    else:
        assert parse_digest(row["type"], row["input"]).hex() == row["digest"]


def test_the_vectors_are_those_of_the_profile_in_use():
    assert VECTORS["profile"] == Profile.current().version
    listed = {
        row["rejected"]
        for rows in (VECTORS["raw"], VECTORS["digests"])
        for row in rows
        if "rejected" in row
    }
    assert listed == set(Reason) - {Reason.DIGEST_LENGTH_MD5}


@pytest.mark.parametrize(
    ("type_", "raw", "options", "reason"),
    [
        ("email", "", {}, Reason.PLACEHOLDER),
        ("email", "\u3000", {}, Reason.PLACEHOLDER),
        ("email", "(null)", {}, Reason.PLACEHOLDER),
        ("email", "TEST@ｔｅｓｔ.com", {}, Reason.PLACEHOLDER),
        ("email", "te.st+1@test.com@", {}, Reason.EMAIL_SHAPE),
        ("email", "@example.com", {}, Reason.EMAIL_SHAPE),
        ("email", "user@", {}, Reason.EMAIL_SHAPE),
        ("email", '"user"@example.com', {}, Reason.EMAIL_SHAPE),
        ("email", "\x1cuser@example.com", {}, Reason.INVISIBLE),
        ("email", "user\udc80@example.com", {}, Reason.INVISIBLE),
        ("email", "user@exam\u00adple.com", {}, Reason.INVISIBLE),
        ("email", "user@example.com。", {}, Reason.DOMAIN_TRAILING_DOT),
        ("email", "user@例え", {}, Reason.DOMAIN_WITHOUT_DOT),
        ("email", "user@a..com", {}, Reason.DOMAIN_INVALID),
        ("email", "user@-a.com", {}, Reason.DOMAIN_INVALID),
        ("email", "user@xn--a.com", {}, Reason.DOMAIN_INVALID),
        ("email", "<user@example.com>", {}, Reason.DOMAIN_INVALID),
        ("email", "user@" + "a" * 64 + ".com", {}, Reason.DOMAIN_INVALID),
        ("email", "...@gmail.com", {"gmail": True}, Reason.EMAIL_EMPTY_LOCAL),
        ("phone", "253-0000", {"region": "US"}, Reason.PHONE_LENGTH),
        ("phone", "+999 12345678", {}, Reason.PHONE_UNREADABLE),
        ("phone", "no number", {"region": "US"}, Reason.PHONE_UNREADABLE),
        ("phone", "\u202a+8613800138000", {}, Reason.INVISIBLE),
        ("phone", "+1 777 777 7777", {}, Reason.PLACEHOLDER),
        ("phone", "(777) 777-7777", {"region": "US"}, Reason.PLACEHOLDER),
        ("maid", "aebe52e7-03ee455a-b3c4-e57283966239", {}, Reason.NOT_ADVERTISING_ID),
        ("maid", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", {}, Reason.PLACEHOLDER),
        ("oaid", "2a8f1c0", {}, Reason.NOT_ADVERTISING_ID),
        ("oaid", "a" * 65, {}, Reason.NOT_ADVERTISING_ID),
        ("oaid", "2a8f1c09\u212a", {}, Reason.NOT_ADVERTISING_ID),
        ("imei", "11111111111111", {}, Reason.PLACEHOLDER),
        ("imei", "111111111111119", {}, Reason.PLACEHOLDER),
        ("imei", "４９０１５４２０３２３７５１８", {}, Reason.IMEI_LENGTH),
        ("mac", "00:1a:2b:3c:4d:5g", {}, Reason.NOT_MAC),
        ("mac", "FF:FF:FF:FF:FF:FF", {}, Reason.PLACEHOLDER),
        ("openid:wx1", "o\u200bAbC", {}, Reason.INVISIBLE),
        ("member:shop", "12 34", {}, Reason.INVISIBLE),
        ("member:shop", "000000", {}, Reason.PLACEHOLDER),
    ],
)
def test_what_could_be_two_things_is_refused(type_, raw, options, reason):
    with pytest.raises(Rejected) as caught:
        normalise(type_, raw, **options)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("type_", "text", "reason"),
    [
        ("imei", "ab" * 32, Reason.DIGEST_LENGTH_MD5),
        ("email", "Dq7YNKHm9LK/DAJOABPeoQ==", Reason.DIGEST_LENGTH_SHA256),
        ("imei", "Dq7YNKHm9LK/DAJOABPeoQ=", Reason.DIGEST_NOT_CANONICAL),
        ("email", "+9t3Pvw_" + "A" * 35, Reason.DIGEST_NOT_CANONICAL),
        ("email", "0" * 64, Reason.PLACEHOLDER),
        ("email", "null", Reason.PLACEHOLDER),
        ("email", "", Reason.PLACEHOLDER),
        ("email", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         Reason.DIGEST_OF_PLACEHOLDER),
    ],
)  # fmt: skip
def test_a_digest_that_is_none_is_refused(type_, text, reason):
    with pytest.raises(Rejected) as caught:
        parse_digest(type_, text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("0044 20 7946 0958", "DE", "+442079460958"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("1 (650) 253-0000", "US", "+16502530000"),
        ("011 54 9 11 8765-4321", "US", "+5491187654321"),
        ("0343 15 555 1212", "AR", "+5493435551212"),
    ],
)
def test_national_habits_lead_to_one_number(raw, region, e164):
    assert normalise("phone", raw, region=region) == e164


@pytest.mark.parametrize(
    "type_",
    ["", "e-mail", "email:x", "openid", "openid:", "openid:a b", "openid:a\0b", "cookie:é",
     "member:" + "a" * 65],
)  # fmt: skip
def test_a_type_outside_the_profile_is_an_error(type_):
    with pytest.raises(IdentifierError):
        kind_of(type_)


def test_an_unknown_region_is_an_error_and_not_a_refusal():
    with pytest.raises(IdentifierError, match="GB or CN") as caught:
        normalise("phone", "020 7946 0958", region="UK")
    assert not isinstance(caught.value, Rejected)


class TestProfile:
    def test_it_survives_json(self):
        profile = Profile.current(gmail=True)
        assert Profile.from_json(json.loads(json.dumps(profile.to_json()))) == profile

    def test_equal_profiles_meet(self):
        Profile.current().require_equal(Profile.current())

    @pytest.mark.parametrize("name", ["version", "unicode", "idna", "phone"])
    def test_the_first_difference_is_named(self, name):
        theirs = Profile.from_json(Profile.current(gmail=True).to_json() | {name: "0"})
        with pytest.raises(ProfileMismatch, match=f"differ in {name}"):
            Profile.current().require_equal(theirs)

    def test_the_gmail_option_is_part_of_it(self):
        with pytest.raises(ProfileMismatch, match="differ in gmail"):
            Profile.current().require_equal(Profile.current(gmail=True))

    @pytest.mark.parametrize(
        "document",
        [None, [], {}, {"version": "2026.1"}, Profile.current().to_json() | {"gmail": 0},
         Profile.current().to_json() | {"more": "x"}, Profile.current().to_json() | {"idna": 15}],
    )  # fmt: skip
    def test_a_malformed_profile_is_an_error_of_ours(self, document):
        with pytest.raises(PsiError):
            Profile.from_json(document)
