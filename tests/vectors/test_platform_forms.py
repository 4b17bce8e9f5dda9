"""Each platform's form against what the platform publishes: normalisation, hash, encoding.

The values on the right are the platforms' own examples, from the pages that each module of
`party/activation` names, not computed by this project.
"""

from hashlib import sha256

import pytest

from party.activation.forms import FORMS, cell_or_nothing
from party.contract_terms import Platform
from party.errors import PartyError
from psi.columns import ColumnSpec
from psi.identifiers import digest, normalise

GOOGLE, META, TIKTOK, UID2 = Platform


def cell(platform, type_, text, *, gmail=False, region=None):
    value = next(one for one in FORMS[platform].values if one.type == type_.split("_")[0])
    spec = ColumnSpec.parse(type_, region=region)
    return cell_or_nothing(value.reader(spec, gmail=gmail), text)


def hashed(text):
    return sha256(text.encode()).hexdigest()


# Unified ID 2.0, "Normalization and Encoding": the tables of examples, as published
UID2_EMAILS = [
    ("MyEmail@example.com", "FsGNM28LJQ8OLZB0Us65ZYp07NrovJSGTCMSKnLMJ6U="),
    ("MYEMAIL@example.com", "FsGNM28LJQ8OLZB0Us65ZYp07NrovJSGTCMSKnLMJ6U="),
    ("My.Email@example.com", "4itTvG+HEnTzpiqzejyu1yFPwU1nYhWpaiQvz62hyB8="),
    ("JANESAOIRSE@example.com", "1mcOepIAfxtf94Xx/IHlOqbT170GvfXEc83HKGwoS20="),
    ("Jane.Saoirse@example.com", "sZZDLHuYmiypHIN5mVfFFdpT5sE6vyC3j+qU8RfpC/g="),
    ("JaneSaoirse+Work@example.com", "KKruSBUjDNO069iMUVImVQZm6RrAGZKeOtrD9mwogYA="),
    ("JANE.SAOIRSE@gmail.com", "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8="),
    ("JaneSaoirse+Work@gmail.com", "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8="),
    ("USER@example.com", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="),
    (" user@example.com\n", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="),
]


@pytest.mark.parametrize(("text", "published"), UID2_EMAILS)
def test_uid2_emails_are_those_that_are_published(text, published):
    assert cell(UID2, "email", text) == published


def test_uid2_phones_are_those_that_are_published():
    published = "EObwtHBUqDNZR33LNSMdtt5cafsYFuGmuY4ZLenlue4="
    assert cell(UID2, "phone", "1 (234) 567-8901", region="US") == published
    assert cell(UID2, "phone", "+12345678901") == published
    from_digest = hashed("+12345678901")
    assert cell(UID2, "phone_sha256", from_digest) == published


# Google, Data Manager API, "Format user data": raw and normalised forms, as published
GOOGLE_FORMS = [
    ("email", "cloudy.sanfrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com"),
    ("email", "user.name+NYC@Example.com", "user.name+nyc@example.com"),
    ("phone", "(800)555-0100", "+18005550100"),
]


@pytest.mark.parametrize(("type_", "text", "published"), GOOGLE_FORMS)
def test_google_hashes_the_forms_that_are_published(type_, text, published):
    region = "US" if type_ == "phone" else None
    assert cell(GOOGLE, type_, text, region=region) == hashed(published)


def test_google_removes_dots_and_tags_in_both_domains_of_gmail_and_uid2_in_one():
    plain = hashed("janedoe@googlemail.com")
    assert cell(GOOGLE, "email", "jane.doe+x@googlemail.com") == plain
    uid2 = cell(UID2, "email", "jane.doe+x@googlemail.com")
    assert uid2 == cell(UID2, "email", "JANE.DOE+x@googlemail.com")
    assert uid2 != cell(UID2, "email", "janedoe@googlemail.com")


def test_google_takes_device_ids_as_they_are_alone_in_their_file():
    published = "aece52e7-03ee-455a-b3c4-e57283966239"
    assert cell(GOOGLE, "maid", "AECE52E7-03EE-455A-B3C4-E57283966239") == published
    assert [value.type for value in FORMS[GOOGLE].values if value.alone] == ["maid"]
    with pytest.raises(PartyError, match="this platform normalises before it hashes"):
        cell(GOOGLE, "maid_sha256", "0" * 63 + "1")


# Meta, Marketing API, "Customer File Custom Audiences": the examples under "Hashing"
META_HASHES = [
    (
        "email", "mary@example.com",
        "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79",
    ),
    (
        "email", "  Mary@Example.com ",
        "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79",
    ),
    (
        "phone", "1 555-987-6543",
        "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e",
    ),
    (
        "phone", "+1 (555) 987 6543",
        "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "text", "published"), META_HASHES)
def test_meta_hashes_are_those_that_are_published(type_, text, published):
    region = "US" if type_ == "phone" else None
    assert cell(META, type_, text, region=region) == published


def test_meta_takes_advertising_ids_as_they_are_in_lower_case():
    published = "aece52e7-03ee-455a-b3c4-e57283966239"
    assert cell(META, "maid", "AECE52E7-03EE-455A-B3C4-E57283966239") == published


# TikTok, "List of supported IDs and formats for a customer file": the hashed examples
TIKTOK_HASHES = [
    (
        "email", "janedoe@gmail.com",
        "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69",
    ),
    (
        "maid", "5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25",
        "83dc3f5f32b9472613b0f038d36f22585a609d018af6f6067f50da318bf354bd",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "text", "published"), TIKTOK_HASHES)
def test_tiktok_hashes_are_those_that_are_published(type_, text, published):
    assert cell(TIKTOK, type_, text) == published


def test_tiktok_hashes_the_phones_that_are_published():
    assert cell(TIKTOK, "phone", "(657)777-0000", region="US") == hashed("+16577770000")
    assert cell(TIKTOK, "phone", "+374-93-828222") == hashed("+37493828222")


def test_tiktok_leaves_dots_of_addresses():
    assert cell(TIKTOK, "email", "Jane.Doe@gmail.com") == hashed("jane.doe@gmail.com")


# Columns of digests serve where the profile's digest is the platform's own, and only there.

RAW = {
    "email": ["Jane.Doe+x@gmail.com", "J.D+x@GoogleMail.com", "Jane.Doe@example.org"],
    "phone": ["+1 555-987-6543", "+44 20 7183 8750"],
    "maid": ["AECE52E7-03EE-455A-B3C4-E57283966239"],
}
SERVING = [
    (form.platform, value.type, gmail)
    for form in FORMS.values()
    for value in form.values
    for gmail in (False, True)
    if value.write is not None and value.profile_serves[gmail]
]


@pytest.mark.parametrize(("platform", "type_", "gmail"), SERVING)
def test_a_digest_column_gives_what_its_raw_values_would(platform, type_, gmail):
    for text in RAW[type_]:
        made = digest(type_, normalise(type_, text, gmail=gmail)).hex()
        assert cell(platform, f"{type_}_sha256", made, gmail=gmail) == cell(platform, type_, text)


@pytest.mark.parametrize(
    ("platform", "type_", "gmail"),
    [
        (GOOGLE, "email_sha256", False),
        (META, "email_sha256", True),
        (META, "phone_sha256", False),
        (META, "maid_sha256", False),
        (TIKTOK, "email_sha256", True),
        (UID2, "email_sha256", False),
        (UID2, "email_sha256", True),
    ],
)
def test_a_digest_that_the_platform_would_not_have_computed_is_refused(platform, type_, gmail):
    with pytest.raises(PartyError, match="this platform normalises before it hashes"):
        cell(platform, type_, "0" * 63 + "1", gmail=gmail)


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("text", ["", "nobody", "test@test.com", "a b@example.com", "@gmail.com"])
def test_what_is_no_address_makes_no_cell(platform, text):
    assert cell(platform, "email", text) is None


@pytest.mark.parametrize("platform", [GOOGLE, UID2])
def test_an_address_of_which_an_alias_is_all_makes_no_cell(platform):
    assert cell(platform, "email", "+tag@gmail.com") is None


def test_the_headers_are_those_that_are_published():
    headers = {form.platform: [value.header for value in form.values] for form in FORMS.values()}
    assert headers == {
        GOOGLE: ["Email", "Phone", "Mobile Device ID"],
        META: ["email", "phone", "madid"],
        TIKTOK: ["Email_SHA256", "Phone_SHA256", "MAID_SHA256"],
        UID2: ["email_hash", "phone_hash"],
    }
    assert set(headers) == set(Platform)
