"""Texts that people pass on: contracts, cards, invitations, descriptions, notes, proofs, tiles.

A counterpart's, an auditor's or a witness's are hostile; a party's own may be wrong in any way.
"""

import sys
import tempfile
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from target import Target

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.entry import Entry
from audit.errors import AuditError
from audit.merkle import StoredLeaves, leaf_hash, root
from audit.note import Signer, parse_note
from audit.standalone import Refused, read_json
from audit.standalone import main as verify_evidence
from audit.submission import Submission, read_size
from audit.tiles import Tile, bundle, split_bundle, split_hashes
from audit.tlog_proof import LogProof, prove
from party import identity
from party.card import IdentityCard
from party.certificate import issue_certificate
from party.consent.notice import Notice
from party.contract_file import parse_contract
from party.datasets.definition import read_definition
from party.errors import (
    ConsentError,
    ContractError,
    DatasetError,
    IdentityError,
    InvitationError,
    Refusal,
    SettingsError,
)
from party.introduction import Introduction
from party.invitation import Invitation
from party.key_statement import KeyStatement, PublicKeys
from party.request import Request
from party.settings import FILE, load_settings
from party.yaml_text import read_yaml, write_yaml
from privacy.errors import PrivacyError
from privacy.units import parse_delta, parse_epsilon
from psi.ages import read_ages
from psi.buckets import parse_value
from psi.errors import PsiError
from psi.journey import read_journeys

VECTORS = Path(__file__).parents[1] / "vectors"
SIGNER = Signer("advertiser.example", bytes(32))
LEAVES = [leaf_hash(bytes([number])) for number in range(5)]
DESCRIPTION = b"""dataset: receipts
source: receipts.csv
person: {connect: [email, phone], most_sharing: 50, most_identifiers: 8}
columns:
  email: id.email
  tel: {kind: id.phone, region: US}
  opt_in: consent
  amount: value
  age: attribute
  seen: event_time
consent:
  column: opt_in
  given: ["yes", "true"]
  purposes: [dpv:MarketResearch]
  recipients: [channel]
labels:
  segment: {column: segment, values: [gold, silver]}
  age: {range_of: age, ranges: [{name: young, below: "30"}, {name: old, from: "30"}]}
  spend: {buckets_of: amount, bounds: ["0", "10", "20"]}
  both: {all_of: [segment, spend]}
  large: {expression: "cast(amount as double) > 10", values: ["true", "false"]}
invalid_traffic: {time: seen, rules: [{name: double clicks, repeats_of: age, within_seconds: 1}]}
retention: {days: 30}
"""
NOTICE = b"""notice: loyalty
url: https://shop.example/privacy
language: en
text_sha256: abababababababababababababababababababababababababababababababab
purposes: [dpv:MarketResearch]
data: [pd:EmailAddress]
controllers: [{name: Shop, contact: 1 High Street}]
recipients: [channel]
storage: [DE]
retention_days: 730
jurisdiction: DE
withdrawal: at the desk
legal_basis: [eu-gdpr:A6-1-a]
"""
SETTINGS = b'organisation = "Example"\nlisten = "127.0.0.1:7443"\nworkers = 2\nwitnesses = []\n'


def _vectors(pattern):
    return lambda: [path.read_bytes() for path in sorted((VECTORS / "contract").glob(pattern))]


@cache
def _party():
    with tempfile.TemporaryDirectory() as place:
        return identity.create(
            Path(place) / "a", name="advertiser", log_origin="advertiser.example/log",
            hosts=["localhost"], now=1_767_225_600,
        )  # fmt: skip


def _card():
    return IdentityCard.of(_party(), organisation="Example", address="127.0.0.1:7443")


def _cards():
    return [write_yaml({"card": "commonground/1", **_card().to_json()}).encode()]


def introductions():
    made = [
        Introduction.make(_party(), _card(), invitation=_party().fingerprint, part=part)
        for part in ("joiner", "maker")
    ]
    return [one.encode() for one in made]


def statements():
    """Return one that replaces the signing key, and one the certificate."""
    name, begin = "advertiser.example/log", 1_767_225_600
    old, new = (Signer(name, bytes([number]) * 32) for number in (1, 2))
    first, second = (
        issue_certificate(
            ec.generate_private_key(ec.SECP256R1()),
            name="advertiser",
            hosts=("localhost",),
            now=now,
        ).pem
        for now in (begin, begin + 86_400)
    )
    states = [
        PublicKeys(old.verifier.vkey, first),
        PublicKeys(new.verifier.vkey, first),
        PublicKeys(new.verifier.vkey, second),
    ]
    times = (begin, begin + 3600, begin + 86_400)
    made = [
        KeyStatement(old.verifier.vkey, number, *times, *states[number - 1 : number + 1])
        for number in (1, 2)
    ]
    return [made[0].sign(old, new).encode(), made[1].sign(new, new).encode()]


def _introduction(data):
    """Read one and verify it, as whoever welcomes a newcomer does."""
    introduction = Introduction.decode(data)
    introduction.verify(invitation=_party().fingerprint, part=introduction.part)


def _statement(data):
    """Read one and verify it, as part of a chain."""
    statement = KeyStatement.decode(data)
    statement.verify()


def _invitations():
    made = Invitation("127.0.0.1:7443", _party().fingerprint, bytes(range(16)))
    return [made.line.encode()]


def entries():
    sys.path.insert(0, str(VECTORS))
    from test_audit_entry import ONE_OF_EACH, make

    return [make(kind).encode() for kind in ONE_OF_EACH]


def _notes():
    tree = Checkpoint("advertiser.example", len(LEAVES), root(LEAVES))
    return [tree.sign(SIGNER).encode(), Checkpoint.of_nothing("a.example").body().encode()]


def _nodes():
    return StoredLeaves(lambda start, stop: LEAVES[start:stop])


def _proofs():
    note = _notes()[0].decode()
    return [prove(_nodes(), 3, note, bytes([3])).text().encode()]


def _submissions():
    return [Submission(2, LEAVES[:2], _notes()[0].decode()).text().encode(), b"17\n"]


def _submitted(data):
    read_size(data) if data[:1].isdigit() else Submission.parse(data)


def _tile(data):
    """Read a path up to the first new line, and what lies there after it."""
    path, _, content = data.partition(b"\n")
    tile = Tile.parse(path.decode("utf-8", "replace"))
    return split_bundle(content, tile) if tile.level is None else split_hashes(content, tile)


def _tiles():
    return [
        b"tile/0/000.p/5\n" + b"".join(LEAVES),
        b"tile/entries/x001/234.p/2\n" + bundle([b"one", b"two"]),
    ]


def _evidence(data):
    """Let verify.py read a zip, and what may be in it."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "evidence.zip"
        path.write_bytes(data)
        out, sys.stdout = sys.stdout, open(place + "/out", "w", encoding="utf-8")  # noqa: PTH123, SIM115
        try:
            verify_evidence([str(path)])
        finally:
            sys.stdout.close()
            sys.stdout = out


def _bundles():
    import io
    import json
    import zipfile

    from audit.standalone import EVIDENCE, MANIFEST, SIGNATURE

    manifest = {"evidence": EVIDENCE, "log": SIGNER.verifier.vkey, "files": {}}
    packed = []
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", compression) as file:
            text = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
            file.writestr(MANIFEST, text)
            file.writestr(SIGNATURE, "A" * 86 + "==")
        packed.append(made.getvalue())
    return packed


def _settings(data):
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / FILE).write_bytes(data)
        load_settings(Path(place))


def _text(parse):
    return lambda data: parse(data.decode("utf-8", "replace"))


def _lines(parse):
    return lambda data: parse(data.decode("utf-8", "replace").split("\n"))


def _listed(*texts):
    return lambda: [text.encode() for text in texts]


TARGETS = [
    Target("contract", parse_contract, (ContractError,), _vectors("*.yaml")),
    Target(
        "request", Request.decode, (Refusal,), _vectors("*.json"), lambda request: request.encode()
    ),
    Target("card", IdentityCard.parse, (ContractError, IdentityError), _cards),
    Target("introduction", _introduction, (Refusal,), introductions),
    Target(
        "statement of keys",
        _statement,
        (IdentityError,),
        statements,
    ),
    Target("invitation", _text(Invitation.parse), (InvitationError,), _invitations),
    Target(
        "description of a dataset",
        lambda data: read_definition(read_yaml(data, "it", DatasetError), Path("/nowhere"), "it"),
        (DatasetError,),
        lambda: [DESCRIPTION],
    ),
    Target(
        "notice",
        lambda data: Notice.of_document(read_yaml(data, "it", ConsentError), "it"),
        (ConsentError,),
        lambda: [NOTICE],
    ),
    Target("party.toml", _settings, (SettingsError,), lambda: [SETTINGS]),
    Target("log entry", Entry.parse, (AuditError,), entries, lambda entry: entry.encode()),
    Target("note", parse_note, (AuditError,), _notes),
    Target(
        "checkpoint", lambda data: open_checkpoint(data, SIGNER.verifier), (AuditError,), _notes
    ),
    Target("receipt", LogProof.parse, (AuditError,), _proofs),
    Target("witness", _submitted, (AuditError,), _submissions),
    Target("tile", _tile, (AuditError,), _tiles),
    Target("evidence", _evidence, (), _bundles),
    Target("JSON of evidence", lambda data: read_json(data, "it"), (Refused,), _vectors("*.json")),
    Target(
        "ε and δ",
        _text(lambda text: (parse_epsilon(text), parse_delta(text))),
        (PrivacyError,),
        _listed("0.5", "1e-9", "10"),
    ),
    Target("amount", _text(parse_value), (PsiError,), _listed("12.50", "-3", "1,5", "1e3")),
    Target(
        "journeys", _lines(read_journeys), (PsiError,), _listed("… > C8 (C8)\nC8 (C8)", "… > a (a)")
    ),
    Target(
        "ages", _lines(read_ages), (PsiError,), _listed("C8 × 0 h\nC8 × 24 h", "a × 0 h\nb × 0 h")
    ),
]
