"""Witnesses over HTTP (c2sp.org/tlog-witness): a party as a witness, and one that asks others.

The channel cosigns the advertiser's log over HTTP on loopback. Covers what a witness must refuse,
forks, races, and witnesses that lie or fail. Does not cover TLS between the two.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from organisations import make_pair

from audit.bodies import DatasetRegistered, Incident
from audit.checkpoint import (
    Checkpoint,
    CosignatureVerifier,
    Cosigner,
    open_checkpoint,
    verify_cosignature,
)
from audit.entry import Entry
from audit.merkle import StoredLeaves, consistency_proof, leaf_hash, root
from audit.note import MAX_NOTE_BYTES, Signer
from audit.submission import SIZE_TYPE, Submission
from client.http_calls import HttpPlace
from client.verifying import stored_log, verify
from client.witnessing import ask_witnesses
from party.errors import SettingsError
from party.outside_witnesses import read_witnesses
from server.http import start_http

OUTSIDE = Cosigner("witness.example/w1", bytes([5]) * 32)
LEAVES = [leaf_hash(b"%d" % number) for number in range(9)]
OTHERS = [leaf_hash(b"other %d" % number) for number in range(9)]


@pytest.fixture
def pair(tmp_path):
    parties, _ = make_pair(tmp_path)
    yield parties["advertiser"], parties["channel"]
    for party in parties.values():
        party.close()


@pytest.fixture
def place(pair):
    listener = start_http(pair[1], "127.0.0.1:0", lambda service: None)
    place = HttpPlace(listener.url)
    yield place
    place.close()
    listener.stop()


def submit(place, signer, old, size, leaves=LEAVES, proof=None, note=None):
    """Submit a tree of `leaves` under a log's key; return the answer."""
    if proof is None:
        nodes = StoredLeaves(lambda start, stop: leaves[start:stop])
        proof = consistency_proof(nodes, min(old, size), size)
    note = note or Checkpoint(signer.name, size, root(leaves[:size])).sign(signer)
    return place.post("add-checkpoint", Submission(old, proof, note).text().encode(), 4096)


def size_of(answer):
    assert (answer.status, answer.content_type) == (409, SIZE_TYPE)
    return int(answer.body)


def test_a_known_log_is_cosigned_as_it_grows_and_only_from_what_was_seen(pair, place):
    advertiser, channel = pair
    log = advertiser.identity.signer
    first = submit(place, log, 0, 4)
    assert first.status == 200
    note = Checkpoint(log.name, 4, root(LEAVES[:4])).sign(log)
    verify_cosignature(
        open_checkpoint(note, log.verifier),
        first.body.decode(),
        [CosignatureVerifier.of(channel.identity.verifier)],
    )
    assert size_of(submit(place, log, 0, 9)) == 4
    assert size_of(submit(place, log, 3, 9)) == 4
    assert submit(place, log, 4, 4).status == 200
    assert submit(place, log, 4, 9).status == 200
    assert size_of(submit(place, log, 4, 8)) == 9
    assert channel.journal.seen_size(log.name) == 9


def test_what_a_witness_must_refuse_has_the_status_of_the_specification(pair, place):
    advertiser, channel = pair
    log = advertiser.identity.signer
    assert submit(place, Signer("stranger.example/log", bytes(32)), 0, 4).status == 404
    assert submit(place, Signer(log.name, bytes(32)), 0, 4).status == 403
    assert submit(place, channel.identity.signer, 0, 4).status == 404
    assert submit(place, log, 5, 4).status == 400
    assert submit(place, log, 0, 4, note="no note").status == 400
    assert place.post("add-checkpoint", b"", 4096).status == 400
    assert place.post("add-checkpoint", b"x" * (2 * MAX_NOTE_BYTES), 4096).status == 413
    assert submit(place, log, 0, 4).status == 200
    assert submit(place, log, 4, 9, proof=[LEAVES[0]] * 3).status == 422
    assert submit(place, log, 4, 9, proof=[]).status == 422
    assert channel.journal.seen_size(log.name) == 4


def test_a_fork_is_refused_and_kept_once_as_evidence(pair, place):
    advertiser, channel = pair
    log = advertiser.identity.signer
    assert submit(place, log, 0, 4).status == 200
    for _ in range(2):
        assert size_of(submit(place, log, 4, 4, OTHERS)) == 4
    (kept,) = (channel.folder / "forks").glob("*.note")
    assert open_checkpoint(kept.read_text(), log.verifier).root == root(OTHERS[:4])
    entries = [Entry.parse(data) for data in stored_log(channel).entries()]
    incidents = [entry.body for entry in entries if isinstance(entry.body, Incident)]
    assert [incident.reason for incident in incidents] == ["LOG_FORKED"]
    verify(stored_log(channel))


def test_of_two_submissions_at_once_none_rolls_the_other_back(pair, place):
    advertiser, channel = pair
    log, url = advertiser.identity.signer, place.url
    assert submit(place, log, 0, 2).status == 200
    answers = []

    def work(size):
        own = HttpPlace(url)
        answers.append((size, submit(own, log, 2, size).status))
        own.close()

    threads = [threading.Thread(target=work, args=(size,)) for size in (4, 6, 8, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (won,) = [size for size, status in answers if status == 200]
    assert sorted(status for _, status in answers) == [200, 409, 409, 409]
    assert channel.journal.seen_size(log.name) == won


# -- asking ---------------------------------------------------------------------------------


def ask(party, key, url):
    party.settings = replace(party.settings, witnesses=(f"{key.vkey} {url}",))
    (asked,) = ask_witnesses(party)
    return asked


def grow(party):
    body = DatasetRegistered("more", "a" * 64, ("email",))
    party.store.write(
        lambda connection: party.journal.append(
            connection, "dataset.registered", body, actor="operator"
        )
    )


def test_a_party_has_its_log_cosigned_and_the_witness_stands_in_its_verification(pair, place):
    advertiser, channel = pair
    key = CosignatureVerifier.of(channel.identity.verifier)
    size = verify(stored_log(advertiser)).entries
    asked = ask(advertiser, key, place.url)
    assert (asked.witness, asked.size, asked.problem) == (key.name, size, None)
    grow(advertiser)
    assert ask(advertiser, key, place.url).size == size + 1
    found = verify(stored_log(advertiser))
    assert (found.cosigners, found.cosignatures) == ((key.name,), 2)


def test_a_witness_that_has_seen_more_than_is_known_here_is_given_the_proof(pair, place):
    advertiser, channel = pair
    note, _ = advertiser.journal.offer(0)
    channel.journal.witness(note, advertiser.identity.verifier, (), 0)
    grow(advertiser)
    asked = ask(advertiser, CosignatureVerifier.of(channel.identity.verifier), place.url)
    assert asked.problem is None


def test_a_log_that_lost_entries_is_told_so(pair, place):
    advertiser, channel = pair
    log = advertiser.identity.signer
    longer = [leaf_hash(b"%d" % number) for number in range(50)]
    note = Checkpoint(log.name, 50, root(longer)).sign(log)
    channel.journal.witness(note, log.verifier, (), 0)
    asked = ask(advertiser, CosignatureVerifier.of(channel.identity.verifier), place.url)
    assert "restored from an old backup" in asked.problem


class Liar(BaseHTTPRequestHandler):
    """A witness that answers what it was told to."""

    answer = (200, "text/plain", b"")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, kind, body = self.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def lies():
    other = Checkpoint("advertiser.test/log", 2, root(LEAVES[:2]))
    stranger = Cosigner("witness.example/w1", bytes([6]) * 32)
    return {
        "nothing": (200, "text/plain", b""),
        "rubbish": (200, "text/plain", b"\xff\xfe"),
        "a line that is none": (200, "text/plain", b"cosigned!\n"),
        "a cosignature of another tree": (200, "text/plain", OUTSIDE.cosign(other, 1).encode()),
        "one by another key": (200, "text/plain", stranger.cosign(other, 1).encode()),
        "an error": (500, "text/plain", b"sorry"),
        "a redirect": (302, "text/plain", b""),
        "always another size": (409, SIZE_TYPE, b"1\n"),
        "a size that is none": (409, SIZE_TYPE, b"many\n"),
        "a conflict without a size": (409, "text/plain", b"no"),
        "too much": (200, "text/plain", b"x" * (MAX_NOTE_BYTES + 1)),
    }


def test_what_a_witness_answers_wrongly_is_not_kept(pair):
    advertiser, _ = pair
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        for name, answer in lies().items():
            Liar.answer = answer
            assert ask(advertiser, OUTSIDE.verifier, url).problem, name
    finally:
        server.shutdown()
        server.server_close()
    assert "no answer" in ask(advertiser, OUTSIDE.verifier, url).problem
    assert verify(stored_log(advertiser)).cosignatures == 0
    assert stored_log(advertiser).witnesses() == []


@pytest.mark.parametrize(
    "line",
    [
        "https://witness.example",
        OUTSIDE.verifier.vkey,
        f"{OUTSIDE.verifier.vkey} witness.example",
        f"{OUTSIDE.verifier.vkey} ftp://witness.example",
        f"{OUTSIDE.verifier.vkey} https://witness.example?x",
        f"{Signer('a.example', bytes(32)).verifier.vkey} https://a.example",
    ],
)
def test_a_witness_of_the_settings_has_a_key_and_a_url(line):
    with pytest.raises(SettingsError):
        read_witnesses([line])


def test_two_witnesses_of_one_name_are_refused():
    line = f"{OUTSIDE.verifier.vkey} https://witness.example"
    assert read_witnesses([line])[0].url == "https://witness.example"
    with pytest.raises(SettingsError, match="one name"):
        read_witnesses([line, line])
