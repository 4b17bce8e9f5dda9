"""A contract and a request signed earlier stay valid, and can be verified without this product."""

import json
from base64 import b64decode
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import contract_maker
import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from party.contract_file import load_contract
from party.contract_terms import ListUse, OutputKind, Platform
from party.errors import ContractError, Refusal
from party.places import Places
from party.request import Request

FOLDER = Path(__file__).parent / "contract"
NOW = 1_767_225_600 + 86_400


@dataclass(frozen=True)
class Signed:
    """A contract and a request under it, with the hashes of what was signed."""

    contract: Path
    contract_hash: str
    request: Path
    request_hash: str


SUMMER = Signed(
    FOLDER / "summer-2026.yaml",
    "68a39e51353f8d829b1757a45f7307a36df80d78623db0b1964c847f1ed0dad1",
    FOLDER / "reach-request.json",
    "850d3c46f3bfd03d10e0c354b162c77367d2853d059787c0c40a34c0297a6e47",
)
AUTUMN = Signed(
    FOLDER / "autumn-2026.yaml",
    "634da5b42f7e15dc4540fc4b14c29767f7d9d705477e8a24e4a3fa8a0fa7a9ec",
    FOLDER / "exclude-request.json",
    "059c00c81e4f9395f8427d6d90eed556d1450327720c7b1119bf7a85481a09a7",
)
WINTER = Signed(
    FOLDER / "winter-2026.yaml",
    "b7e4c6aa2e38609ea0408c1ac87dc87121826be258375964ac1e82e508bbc42c",
    FOLDER / "cross-channel-request.json",
    "f92c53cdae1c2a6d0cc5682ce860bdf5dabc5d9cae2a35b051605026dcc6f6b4",
)
SIGNED = [SUMMER, AUTUMN, WINTER]

# A verifier that shares no code with the product: all texts stay as they stand in the file.


def plain_contract(path):
    document = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
    for name in ("window_days", "min_match", "min_cell", "list_expiry_days", "retention_days"):
        document[name] = int(document[name])
    for name in {"result_days", "replay_days"} & set(document):
        document[name] = int(document[name])
    document["consent_max_age_hours"] = int(document["consent_max_age_hours"])
    document["profile"]["gmail"] = {"true": True, "false": False}[document["profile"]["gmail"]]
    for own in document["datasets"].values():
        for dataset in own.values():
            dataset["most_identifiers"] = int(dataset["most_identifiers"])
    for output in document["outputs"]:
        if "moments" in output:
            output["moments"] = {name: int(most) for name, most in output["moments"].items()}
    return document


def canonical(document):
    """RFC 8785 for these documents: keys are ASCII, numbers are small integers."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verify(vkey, signature, message):
    key = b64decode(vkey.split("+", 2)[2])[1:]
    Ed25519PublicKey.from_public_bytes(key).verify(b64decode(signature), message)


def verify_contract(path):
    """Verify every signature, and return the hash of what was signed."""
    document = plain_contract(path)
    signatures = document.pop("signatures")
    assert set(signatures) == set(document["parties"])
    for name, party in document["parties"].items():
        message = b"commonground/contract/v1\n" + canonical(document)
        verify(party["identity"], signatures[name], message)
        with pytest.raises(InvalidSignature):
            verify(party["identity"], signatures[name], message + b" ")
    return sha256(canonical(document)).hexdigest()


def verify_request(path, contract):
    """Verify a request's signature, and return its hash and that of the contract it names."""
    document = json.loads(path.read_bytes())
    signature = document.pop("signature")
    requester = plain_contract(contract)["parties"][document["requester"]]
    message = b"commonground/request/v1\n" + canonical(document)
    verify(requester["identity"], signature, message)
    return sha256(canonical(document)).hexdigest(), document["contract"]


@pytest.mark.parametrize("signed", SIGNED)
def test_the_contracts_hash_and_signatures_verify_independently(signed):
    assert verify_contract(signed.contract) == signed.contract_hash


@pytest.mark.parametrize("signed", SIGNED)
def test_the_requests_hash_and_signature_verify_independently(signed):
    found = verify_request(signed.request, signed.contract)
    assert found == (signed.request_hash, signed.contract_hash)


@pytest.mark.parametrize("signed", SIGNED)
def test_the_product_reads_them_as_they_were_signed(signed):
    contract = load_contract(signed.contract)
    contract.require_in_force(NOW)
    assert contract.digest == signed.contract_hash
    request = Request.decode(signed.request.read_bytes())
    request.check(contract, NOW)
    assert request.digest == signed.request_hash


def test_the_uses_and_platforms_of_a_match_are_read_as_they_were_signed():
    contract = load_contract(AUTUMN.contract)
    request = Request.decode(AUTUMN.request.read_bytes())
    grant = contract.output(OutputKind.MATCH, request.roles)
    assert grant.uses == (ListUse.EXCLUDE,)
    assert grant.export_to == (Platform.GOOGLE, Platform.META)
    assert (request.use, request.parameters.suppression_runs) == (ListUse.EXCLUDE, 30)
    with pytest.raises(Refusal, match="is not signed by the identity key"):
        replace(request, use=ListUse.INCLUDE).check(contract, NOW)


def test_a_table_of_three_is_read_as_it_was_signed():
    contract = load_contract(WINTER.contract)
    request = Request.decode(WINTER.request.read_bytes())
    assert dict(request.roles) == {
        "tabulator": "channel", "recipient": "advertiser", "third": "vendor"
    }  # fmt: skip
    assert request.labels["vendor"].values == ("1", "2+")
    assert contract.output(OutputKind.CROSS_CHANNEL, request.roles).purpose == request.purpose
    assert contract.parties["advertiser"].places == Places("FR", ("FR", "DE"))
    assert [str(one.crossing) for one in contract.transfers] == [
        "advertiser to channel, out of EEA", "vendor to channel, out of EEA",
        "channel to advertiser, out of CN", "channel to vendor, out of CN",
    ]  # fmt: skip
    others = {**request.roles, "tabulator": "vendor", "third": "channel"}
    with pytest.raises(Refusal, match="is not signed by the identity key"):
        replace(request, expires=request.expires + 1).check(contract, NOW)
    with pytest.raises(Refusal, match="does not grant"):
        contract.output(OutputKind.CROSS_CHANNEL, others)


@pytest.mark.parametrize(("name", "signed"), [("autumn", AUTUMN), ("winter", WINTER)])
def test_what_the_maker_makes_verifies_in_the_same_way_and_is_never_made_over(
    tmp_path, name, signed
):
    recipe = contract_maker.RECIPES[name]
    contract, request = contract_maker.make(recipe, tmp_path)
    assert verify_request(request, contract)[1] == verify_contract(contract)
    assert contract.read_bytes() != signed.contract.read_bytes()
    with pytest.raises(FileExistsError, match="was signed once"):
        contract_maker.make(recipe, tmp_path)


@pytest.mark.parametrize(
    ("signed", "old", "new"),
    [
        (SUMMER, "min_match: 1000", "min_match: 1001"),
        (SUMMER, "epsilon: '10'", "epsilon: '11'"),
        (SUMMER, "gold, silver", "silver, gold"),
        (SUMMER, "approval: manual", "approval: rule"),
        (SUMMER, "Größe", "Grösse"),
        (AUTUMN, "uses: [exclude]", "uses: [include]"),
        (AUTUMN, "uses: [exclude]", "uses: [exclude, include]"),
        (AUTUMN, ", uses: [exclude]", ""),
        (AUTUMN, "[google-customer-match, meta]", "[meta, google-customer-match]"),
        (AUTUMN, "[google-customer-match, meta]", "[google-customer-match, meta, tiktok]"),
        (AUTUMN, ", export_to: [google-customer-match, meta]", ""),
        (WINTER, "tabulator: channel, third: vendor", "tabulator: vendor, third: channel"),
        (WINTER, "备案 2026-8", "备案 2026-9"),
        (WINTER, "storage: [FR, DE]", "storage: [FR]"),
        (WINTER, "replay_days: 730", "replay_days: 731"),
    ],
)
def test_an_edited_contract_is_refused(tmp_path, signed, old, new):
    text = signed.contract.read_text()
    assert old in text
    path = tmp_path / "edited.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ContractError, match="does not cover this text"):
        load_contract(path).verify_signatures()
