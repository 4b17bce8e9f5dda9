"""Claims about every identifier: one normal form, digests that meet, harmless shortcuts."""

import base64
import hashlib
import re
import unicodedata
import uuid

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from psi import emails, phones
from psi.characters import WHITE_SPACE
from psi.errors import Rejected
from psi.identifiers import ALGORITHMS, NAMESPACED, digest, normalise, parse_digest
from psi.placeholders import NORMALISED, WORDS, is_placeholder
from psi.reasons import Reason

TYPES = [kind + ":ns" * (kind in NAMESPACED) for kind in ALGORITHMS]
REGIONS = [None, "AR", "BR", "CN", "DE", "GB", "HK", "IT", "MX", "RU", "SM", "US"]

_ascii = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
_label = st.text(st.sampled_from("abcXYZ019-éßσΣ例ｅ"), min_size=1, max_size=12)
email_texts = st.builds(
    lambda local, labels: f"{local}@{'.'.join(labels)}",
    st.text(st.one_of(_ascii, st.characters(codec="utf-8")), min_size=1, max_size=12),
    st.lists(_label, min_size=1, max_size=3),
)
phone_texts = st.builds(
    lambda front, digits, split: f"{front}{digits[:split]} {digits[split:]}",
    st.sampled_from(["", "+", "0", "00", "011", "(0", "+44", "+86", "+1", "+54", "1", "86", "8"]),
    st.text(st.sampled_from("0123456789"), min_size=5, max_size=14),
    st.integers(1, 5),
)
uuids = st.uuids().map(str)
imeis = st.integers(10**13, 10**15 - 1).map(str)
macs = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
anything = st.one_of(
    st.text(max_size=40),
    email_texts,
    phone_texts,
    uuids,
    imeis,
    macs,
    st.sampled_from(sorted(WORDS)),
)


_visible = st.characters(categories=["L", "N", "P", "S"], exclude_characters='@"')
VALID = {
    "email": st.builds(
        lambda local, domain: f"{local}@{domain}",
        st.text(_visible, min_size=1, max_size=12),
        st.sampled_from(["example.com", "bücher.example", "例え.公司", "A.Example.ORG"]),
    ),
    "phone": st.integers(10**9, 10**10 - 1).map("+861{}".format),
    "maid": uuids,
    "oaid": st.text(st.sampled_from("0123456789ABCdef_-"), min_size=8, max_size=64),
    "imei": st.integers(10**13, 10**14 - 1).map(str),
    "mac": macs,
}
OPAQUE = st.text(_visible, min_size=2, max_size=40)


@st.composite
def accepted(draw):
    """A type and a normalised value of it."""
    type_ = draw(st.sampled_from(TYPES))
    normal, _ = normalised_or_reason(type_, draw(VALID.get(type_, OPAQUE)))
    assume(normal is not None)
    return type_, normal


def normalised_or_reason(type_, raw, **options):
    try:
        return normalise(type_, raw, **options), None
    except Rejected as rejected:
        return None, rejected.reason


@given(st.sampled_from(TYPES), anything, st.booleans(), st.sampled_from(REGIONS))
@example("email", "ΟΔΟΣ@ΟΔΟΣ.com", False, None)
@example("email", "A\u0345@example.com", False, None)
@example("phone", "+44 0012345678", False, None)
@example("phone", "+5408001234567", False, None)
@settings(max_examples=600)
def test_normalising_twice_is_normalising_once(type_, raw, gmail, region):
    once, reason = normalised_or_reason(type_, raw, gmail=gmail, region=region)
    if once is None:
        assert reason in set(Reason)
        return
    for other in (region, None, "US"):
        assert normalise(type_, once, gmail=gmail, region=other) == once


@given(st.sampled_from(TYPES), anything, st.text(st.sampled_from(WHITE_SPACE), max_size=3))
def test_white_space_around_a_value_changes_nothing(type_, raw, space):
    assert normalised_or_reason(type_, space + raw + space) == normalised_or_reason(type_, raw)


@given(accepted(), st.data())
def test_an_invisible_character_inside_is_never_swallowed(value, data):
    type_, normal = value
    invisible = data.draw(
        st.one_of(
            st.characters(categories=["Cc", "Cf", "Zl", "Zp"]).filter(
                lambda c: c not in WHITE_SPACE
            ),
            st.sampled_from("\t\n\u2028\u200b\u200d\ufeff\u00ad\u2060"),
        )
    )
    place = data.draw(st.integers(1, len(normal) - 1))
    spoilt, reason = normalised_or_reason(type_, normal[:place] + invisible + normal[place:])
    assert spoilt is None
    assert reason == Reason.INVISIBLE


@given(st.sampled_from(TYPES), anything)
@settings(max_examples=300)
def test_what_is_accepted_is_visible_and_no_placeholder(type_, raw):
    normal, _ = normalised_or_reason(type_, raw, region="GB")
    if normal is None:
        return
    hidden = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cs"}
    assert not any(unicodedata.category(character) in hidden for character in normal)
    assert not is_placeholder(type_.partition(":")[0], normal)


@given(accepted())
def test_every_spelling_of_a_digest_meets_the_raw_value(accepted_value):
    type_, normal = accepted_value
    value = digest(type_, normal)
    standard = base64.b64encode(value).decode()
    url_safe = base64.urlsafe_b64encode(value).decode()
    for text in (value.hex(), value.hex().upper(), standard, standard.rstrip("="), url_safe,
                 url_safe.rstrip("="), f" {value.hex()}\n"):  # fmt: skip
        assert parse_digest(type_, text) == value


@given(st.sampled_from(TYPES), st.text(max_size=70))
def test_a_text_read_as_digest_is_one_of_its_spellings(type_, text):
    try:
        value = parse_digest(type_, text)
    except Rejected:
        return
    assert len(value) == hashlib.new(ALGORITHMS[type_.partition(":")[0]]).digest_size
    body = text.strip(WHITE_SPACE).rstrip("=").translate(str.maketrans("-_", "+/"))
    assert body.lower() == value.hex() or body == base64.b64encode(value).decode().rstrip("=")


@given(st.binary(min_size=32, max_size=32))
def test_base64_that_lost_its_case_is_refused_or_other_bytes_never_an_accident(value):
    text = base64.b64encode(value).decode()
    with_spare_bits = text[:-2] + chr(ord(text[-2]) + 1) + "="
    assume(re.fullmatch(r"[0-9A-Za-z+/]", with_spare_bits[-2]))
    with pytest.raises(Rejected) as caught:
        parse_digest("email", with_spare_bits)
    assert caught.value.reason == Reason.DIGEST_NOT_CANONICAL


@given(email_texts)
@example("user@a-.com")
@example("user@ab--c.com")
@example("user@xn--bcher-kva.example")
@example("user@" + "a" * 63 + ".com")
@example("user@" + ".".join(["a" * 63] * 3 + ["a" * 61]))
@example("user@" + ".".join(["a" * 63] * 3 + ["a" * 62]))
@settings(max_examples=500)
def test_the_short_way_for_e_mail_gives_what_the_long_way_gives(raw):
    if emails._PLAIN.fullmatch(raw):
        assert emails._normalise_any(raw) == raw.lower()


@st.composite
def numbers_of_a_region(draw):
    """A number near a real one: as written at home, with country code, too long, too short."""
    region = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    example_number = phonenumbers.example_number(region)
    national = phonenumbers.national_significant_number(example_number)
    code = str(example_number.country_code)
    fronts = ["", "0", "1", "8", "00" + code, "+" + code, "+" + code + "(0)", code]
    front = draw(st.sampled_from(fronts))
    tail = draw(st.text(st.sampled_from("0123456789"), min_size=3, max_size=5))
    return f"{front} ({national[:2]}) {national[2:-4]}-{tail}", region


@given(st.one_of(numbers_of_a_region(), st.tuples(phone_texts, st.sampled_from(REGIONS))))
@example(("689869955", "PF"))  # long enough to begin with the country code, and does not
@example(("5984347090780", "UY"))
@example(("85251623272", "BY"))  # valid with what looks like a trunk prefix
@settings(max_examples=800, deadline=None)
def test_the_short_way_for_phones_gives_what_libphonenumber_gives(number):
    raw, region = number
    short = phones._read_plain(raw, region)
    if short is None:
        return
    parsed = phonenumbers.parse(raw, region)
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    assert reason == phonenumbers.ValidationResult.IS_POSSIBLE
    assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == short
    assert phones._read_until_settled(raw, region) == short


@pytest.mark.parametrize(
    ("raw", "region"),
    [("138 0013 8000", "CN"), ("8613800138000", "CN"), ("0086 138 0013 8000", "CN"),
     ("(650) 253-0000", "US"),
     ("1-650-253-0000", "US"), ("020 7946 0958", "GB"), ("+44 (0)20 7946 0958", None)],
)  # fmt: skip
def test_the_usual_spellings_take_the_short_way(raw, region):
    assert phones._read_plain(raw, region) is not None


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [("00380156", "BY", "+375380156"), ("046698", "CC", "+6146698"),
     ("+550410930727157", "BR", "+55930727157")],
)  # fmt: skip
def test_a_partner_who_holds_libphonenumbers_form_gets_the_same_key(raw, region, e164):
    parsed = phonenumbers.parse(raw, region)
    theirs = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert theirs != e164
    assert normalise("phone", theirs) == normalise("phone", raw, region=region) == e164


@pytest.mark.parametrize("kind", sorted(ALGORITHMS))
def test_every_placeholder_is_refused_as_text_and_as_digest(kind):
    type_ = kind + ":ns" * (kind in NAMESPACED)
    runs = {digit * length for digit in "0123456789fF" for length in (6, 11, 12, 14, 15, 32)}
    for text in WORDS | NORMALISED.get(kind, frozenset()) | runs:
        assert normalised_or_reason(type_, text, region="CN")[1] == Reason.PLACEHOLDER
        with pytest.raises(Rejected) as caught:
            parse_digest(type_, hashlib.new(ALGORITHMS[kind], text.encode()).hexdigest())
        assert caught.value.reason == Reason.DIGEST_OF_PLACEHOLDER


@pytest.mark.parametrize(
    ("type_", "text"),
    [("maid", str(uuid.UUID(int=0))), ("mac", "02:00:00:00:00:00"), ("phone", "+8611111111111"),
     ("imei", "111111111111119"), ("email", "NULL"), ("cookie:x", "Unknown")],
)  # fmt: skip
def test_a_placeholder_is_refused_as_digest_in_the_spelling_that_systems_hash(type_, text):
    algorithm = ALGORITHMS[type_.partition(":")[0]]
    with pytest.raises(Rejected) as caught:
        parse_digest(type_, hashlib.new(algorithm, text.encode()).hexdigest())
    assert caught.value.reason == Reason.DIGEST_OF_PLACEHOLDER


@given(st.text(st.sampled_from("abc.+"), min_size=1, max_size=10), st.booleans())
def test_the_gmail_option_joins_aliases_and_only_there(local, upper):
    address = f"{local.upper() if upper else local}@gmail.com"
    base = local.partition("+")[0].replace(".", "")
    expected = (f"{base}@gmail.com", None) if base else (None, Reason.EMAIL_EMPTY_LOCAL)
    assert normalised_or_reason("email", address, gmail=True) == expected
    assert normalise("email", address) == f"{local}@gmail.com"


@given(st.sampled_from(TYPES), st.text(max_size=60))
@example("email", "user@exa_mple.com")
def test_a_refusal_never_quotes_the_value(type_, raw):
    value = f"{raw}ᚠᚢ@ᚠ_"  # refused by every type: as characters, as shape, as domain
    if type_.partition(":")[0] in NAMESPACED:
        value += " x"
    with pytest.raises(Rejected) as caught:
        normalise(type_, value)
    assert str(caught.value) == caught.value.reason
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
