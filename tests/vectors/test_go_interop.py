"""Go's golang.org/x/mod/sumdb reads our logs, and refuses what we refuse.

Needs Debian's golang-go and golang-golang-x-mod-dev, and no network: the program in go_interop/
is compiled against /usr/share/gocode. Without them everything here is skipped, and said to be.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, Cosigner, with_cosignatures
from audit.errors import ConsistencyError, InclusionError, NoteError
from audit.merkle import (
    StoredLeaves,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from audit.note import Signer, Verifier, open_note, sign_note

PROGRAM = Path(__file__).parent / "go_interop" / "main.go"
GOPATH = Path("/usr/share/gocode")
SUMDB = GOPATH / "src/golang.org/x/mod/sumdb/tlog"

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None or not SUMDB.is_dir(),
    reason="INTEROPERABILITY NOT TESTED: apt-get install golang-go golang-golang-x-mod-dev",
)

LOG = Signer("advertiser.example/log", bytes([1]) * 32)
WITNESS = Cosigner("channel.example/log", bytes([2]) * 32)
LEAVES = [leaf_hash(b"entry %d" % i) for i in range(21)]
NODES = StoredLeaves(lambda start, stop: LEAVES[start:stop])
CHECKPOINT = Checkpoint(LOG.name, len(LEAVES), root(LEAVES))
COSIGNED = with_cosignatures(CHECKPOINT.sign(LOG), [WITNESS.cosign(CHECKPOINT, 1_767_600_000)])


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    """Return a function that has Go judge many cases at once."""
    folder = tmp_path_factory.mktemp("go")
    program = folder / "judge"
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOFLAGS": "",
        "GOCACHE": str(folder / "cache"),
        "CGO_ENABLED": "0",
    }
    build = ["go", "build", "-o", str(program), str(PROGRAM)]
    subprocess.run(build, env=environment, check=True, cwd=folder, timeout=240)

    def judge(cases):
        done = subprocess.run(
            [str(program)],
            input=json.dumps(cases, default=lambda b: base64.b64encode(b).decode()),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return json.loads(done.stdout)

    return judge


def note(text, *vkeys):
    return {"Check": "note", "Note": text, "Vkeys": vkeys}


def record(leaf, index, size, proof, top):
    return {
        "Check": "record",
        "Size": size,
        "Other": index,
        "Root": top,
        "Hash": leaf,
        "Proof": proof,
    }


def tree(old, old_root, new, new_root, proof):
    return {
        "Check": "tree",
        "Size": new,
        "Other": old,
        "Root": new_root,
        "Hash": old_root,
        "Proof": proof,
    }


def test_go_opens_our_notes_checkpoints_and_cosignatures(go):
    key, witness = LOG.verifier.vkey, WITNESS.verifier.vkey
    text = sign_note("ed è subito sera.\n\nè\n", LOG)
    cases = [note(text, key), note(CHECKPOINT.sign(LOG), key), note(COSIGNED, key, witness)]
    assert go(cases) == [""] * 3


def test_go_and_we_open_the_example_of_the_specification(go):
    vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    text = (
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi"
        "2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert go([note(text, vkey)]) == [""]
    open_note(text, [Verifier.from_vkey(vkey)])


def test_go_and_we_refuse_every_flipped_byte_of_a_signed_checkpoint(go):
    signed = CHECKPOINT.sign(LOG)
    flipped = [
        signed[:i] + chr(ord(signed[i]) ^ 1) + signed[i + 1 :]
        for i in range(len(signed))
        if ord(signed[i]) < 128
    ]
    verdicts = go([note(text, LOG.verifier.vkey) for text in flipped])
    for text, verdict in zip(flipped, verdicts, strict=True):
        assert verdict
        with pytest.raises(NoteError):
            open_note(text, [LOG.verifier])


def test_go_accepts_our_proof_of_every_leaf_in_trees_of_every_size(go):
    cases = [
        record(LEAVES[index], index, size, inclusion_proof(NODES, index, size), root(LEAVES[:size]))
        for size in range(1, len(LEAVES) + 1)
        for index in range(size)
    ]
    assert set(go(cases)) == {""}


def test_go_accepts_our_proof_between_trees_of_all_sizes(go):
    cases = [
        tree(old, root(LEAVES[:old]), new, root(LEAVES[:new]), consistency_proof(NODES, old, new))
        for new in range(1, len(LEAVES) + 1)
        for old in range(1, new + 1)
    ]
    assert set(go(cases)) == {""}


def test_go_and_we_refuse_proofs_with_a_hash_changed_dropped_or_added(go):
    records, trees = [], []
    for size in (2, 7, 16, 21):
        top = root(LEAVES[:size])
        for position in range(1, size):
            proof = inclusion_proof(NODES, position, size)
            records += [(LEAVES[position], position, size, bad, top) for bad in altered(proof)]
            old_root, proof = root(LEAVES[:position]), consistency_proof(NODES, position, size)
            trees += [(position, old_root, size, top, bad) for bad in altered(proof)]
    assert all(go([record(*case) for case in records]))
    assert all(go([tree(*case) for case in trees]))
    for case in records:
        with pytest.raises(InclusionError):
            verify_inclusion(*case)
    for case in trees:
        with pytest.raises(ConsistencyError):
            verify_consistency(*case)


def altered(proof):
    """Yield a proof with one hash changed, dropped and added."""
    proof = list(proof)
    for i, item in enumerate(proof):
        yield [*proof[:i], leaf_hash(item), *proof[i + 1 :]]
        yield [*proof[:i], *proof[i + 1 :]]
    yield [*proof, LEAVES[0]]
