"""A contract and a request signed earlier stay valid, and can be verified without this product."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from party.contract_file import load_contract
from party.errors import ContractError
from party.request import Request

FOLDER = Path(__file__).parent / "contract"
CONTRACT_HASH = "68a39e51353f8d829b1757a45f7307a36df80d78623db0b1964c847f1ed0dad1"
REQUEST_HASH = "850d3c46f3bfd03d10e0c354b162c77367d2853d059787c0c40a34c0297a6e47"
NOW = 1_767_225_600 + 86_400

# A verifier that shares no code with the product: all texts stay as they stand in the file.


def plain_contract():
    document = yaml.load((FOLDER / "summer-2026.yaml").read_text(), Loader=yaml.BaseLoader)
    for name in ("window_days", "min_match", "min_cell", "list_expiry_days", "retention_days"):
        document[name] = int(document[name])
    document["consent_max_age_hours"] = int(document["consent_max_age_hours"])
    document["profile"]["gmail"] = {"true": True, "false": False}[document["profile"]["gmail"]]
    for own in document["datasets"].values():
        for dataset in own.values():
            dataset["most_identifiers"] = int(dataset["most_identifiers"])
    return document


def canonical(document):
    """RFC 8785 for these documents: keys are ASCII, numbers are small integers."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verify(vkey, signature, message):
    key = b64decode(vkey.split("+", 2)[2])[1:]
    Ed25519PublicKey.from_public_bytes(key).verify(b64decode(signature), message)


def test_the_contracts_hash_and_signatures_verify_independently():
    document = plain_contract()
    signatures = document.pop("signatures")
    assert sha256(canonical(document)).hexdigest() == CONTRACT_HASH
    assert set(signatures) == set(document["parties"])
    for name, party in document["parties"].items():
        message = b"commonground/contract/v1\n" + canonical(document)
        verify(party["identity"], signatures[name], message)
        with pytest.raises(InvalidSignature):
            verify(party["identity"], signatures[name], message + b" ")


def test_the_requests_hash_and_signature_verify_independently():
    document = json.loads((FOLDER / "reach-request.json").read_bytes())
    signature = document.pop("signature")
    assert sha256(canonical(document)).hexdigest() == REQUEST_HASH
    assert document["contract"] == CONTRACT_HASH
    requester = plain_contract()["parties"][document["requester"]]
    message = b"commonground/request/v1\n" + canonical(document)
    verify(requester["identity"], signature, message)


def test_the_product_reads_them_as_they_were_signed():
    contract = load_contract(FOLDER / "summer-2026.yaml")
    contract.require_in_force(NOW)
    assert contract.digest == CONTRACT_HASH
    request = Request.decode((FOLDER / "reach-request.json").read_bytes())
    request.check(contract, NOW)
    assert request.digest == REQUEST_HASH


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("min_match: 1000", "min_match: 1001"),
        ("epsilon: '10'", "epsilon: '11'"),
        ("gold, silver", "silver, gold"),
        ("approval: manual", "approval: rule"),
        ("Größe", "Grösse"),
    ],
)
def test_an_edited_contract_is_refused(tmp_path, old, new):
    text = (FOLDER / "summer-2026.yaml").read_text()
    assert old in text
    path = tmp_path / "edited.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ContractError, match="does not cover this text"):
        load_contract(path).verify_signatures()
