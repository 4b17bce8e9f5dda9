"""The log as files: exported to a folder, served over HTTP, verified from both, and tampered with.

Real parties with stores and one finished session; HTTP on loopback in this process.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from organisations import Wire, make_pair, run_both

from audit.errors import AuditError, VerificationError
from audit.note import Signer, open_note
from audit.tiles import Tile, bundle, split_bundle
from client.errors import DialError
from client.log_places import LogAccess
from client.verifying import stored_log, verify_at
from party.desk import Desk
from party.errors import CannotListen, ExportError, IdentityError
from party.http_token import token_path
from party.log_files import LogFiles, write_files
from party.request import Request
from server.http import start_http


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    parties, contract = make_pair(folder)
    asked = Request.match(
        contract,
        requester="advertiser",
        receiver="channel",
        sender="advertiser",
        now=int(time.time()),
    )
    request = Desk(parties["advertiser"]).make(asked, contract, actor="test")
    Desk(parties["channel"]).submit("advertiser", request)
    assert run_both(parties, request, Wire()) == dict.fromkeys(parties)
    yield parties
    for party in parties.values():
        party.close()


@pytest.fixture(scope="module")
def exported(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    for name, party in pair.items():
        write_files(LogFiles(stored_log(party).at_one_moment()), folder / name)
    return folder


@pytest.fixture(scope="module")
def served(pair):
    party = pair["advertiser"]
    listener = start_http(party, "127.0.0.1:0", lambda service: None)
    yield listener.url, LogAccess(token_path(party.folder))
    listener.stop()


ANYBODY = LogAccess()


def verified(where, *others, access=ANYBODY, key=None):
    return verify_at(where, others, access, key)


def test_an_export_verifies_as_the_party_does(pair, exported):
    party = pair["advertiser"]
    ours, _ = verified(exported / "advertiser", key=party.identity.vkey)
    assert ours == verified(party.folder)[0]
    assert ours.cosignatures == 1


def test_exports_of_both_sides_tell_the_same(exported):
    _, (comparison,) = verified(exported / "advertiser", exported / "channel")
    assert len(comparison.shared) == 1
    assert comparison.checkpoints == 2


def test_a_log_behind_a_url_verifies_against_a_folder_and_an_export(pair, exported, served):
    url, access = served
    ours, _ = verified(url, access=access)
    before = verified(exported / "advertiser")[0]
    assert ours == replace(before, entries=before.entries + 1)  # that it is read, once an hour
    _, comparisons = verified(url, pair["channel"].folder, access=access)
    assert len(comparisons) == 1


def test_an_export_never_overwrites_anything(pair, exported):
    files = LogFiles(stored_log(pair["advertiser"]).at_one_moment())
    with pytest.raises(ExportError, match="exists already"):
        write_files(files, exported / "channel")
    assert not list(exported.glob(".*"))


def ask(url, path, token=None, method="GET", body=None):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/{path}", body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def token_of(access):
    return access.token_file.read_text().strip()


@pytest.mark.parametrize("path", ["checkpoint", "log.json", "tile/0/000", "tile/entries/000.p/1"])
def test_without_the_token_nothing_is_read(served, path):
    url, access = served
    for token in (None, "", "wrong", token_of(access)[:-1], token_of(access) + "x"):
        status, headers, body = ask(url, path, token)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert b"advertiser" not in body


def test_the_checkpoint_is_a_signed_note_and_the_tiles_are_those_of_its_size(pair, served):
    url, access = served
    token, party = token_of(access), pair["advertiser"]
    status, headers, body = ask(url, "checkpoint", token)
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    size = int(open_note(body, [party.identity.verifier]).text.split("\n")[1])
    for path, status in (
        (Tile(0, 0, size).path, 200),
        (Tile(None, 0, size).path, 200),
        (Tile(0, 0, size - 1).path, 200),
        (Tile(0, 0, size + 1).path, 404),
        (Tile(0, 0).path, 404),
        (Tile(1, 0, 1).path, 404),
        (Tile(None, 1, 1).path, 404),
        ("tile/0/0", 404),
        ("tile/0/%2e%2e/000", 404),
        ("contracts/" + "0" * 64 + ".yaml", 404),
        ("contracts/..%2fparty.toml", 404),
        ("keys/http.token", 404),
        ("", 404),
    ):
        answered, headers, body = ask(url, path, token)
        assert answered == status, path
        if status == 200:
            assert "immutable" in headers["Cache-Control"]
    entries = split_bundle(ask(url, Tile(None, 0, size).path, token)[2], Tile(None, 0, size))
    assert entries == list(stored_log(party).entries())


def test_other_methods_are_refused(served):
    url, access = served
    for method in ("POST", "PUT", "DELETE"):
        assert ask(url, "checkpoint", token_of(access), method, b"")[0] == 405
    assert ask(url, "add-checkpoint", method="GET")[0] == 405


def test_the_wrong_token_is_named_as_what_is_wrong(served, tmp_path):
    url, _ = served
    with pytest.raises(DialError, match="asks for another token"):
        verified(url)
    wrong = tmp_path / "wrong"
    wrong.write_text("x" * 43)
    wrong.chmod(0o600)
    with pytest.raises(DialError, match="asks for another token"):
        verified(url, access=LogAccess(wrong))
    wrong.chmod(0o644)
    with pytest.raises(IdentityError, match="others on this machine"):
        verified(url, access=LogAccess(wrong))


def test_a_token_is_never_sent_in_clear_over_a_network(served):
    _, access = served
    with pytest.raises(DialError, match="in clear"):
        verified("http://log.example", access=access)


def test_off_this_machine_it_is_https_with_the_partys_certificate(pair):
    party = pair["channel"]
    address = next(
        (one[4][0] for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)), ""
    )
    if not address or address.startswith("127."):
        address = "0.0.0.0"
    listener = start_http(party, f"{address}:0", lambda service: None)
    try:
        assert listener.url.startswith("https://")
        url = listener.url.replace("0.0.0.0", "127.0.0.1")
        access = LogAccess(token_path(party.folder), party.identity.fingerprint)
        assert verified(url, access=access)[0].entries > 1
        with pytest.raises(DialError, match="another certificate"):
            verified(url, access=LogAccess(access.token_file, "sha256:" + "0" * 64))
        with pytest.raises(DialError, match="not accepted"):
            verified(url, access=LogAccess(access.token_file))
    finally:
        listener.stop()


def test_an_address_that_is_taken_is_refused(pair, served):
    address = served[0].removeprefix("http://")
    with pytest.raises(CannotListen, match="another program does"):
        start_http(pair["channel"], address, lambda service: None)
    for wrong in ("7480", "127.0.0.1:x", "127.0.0.1:99999"):
        with pytest.raises(CannotListen):
            start_http(pair["channel"], wrong, lambda service: None)


# -- what is changed in an export is found ---------------------------------------------------


def change_index(folder, **values):
    path = folder / "log.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def change_first_entry(folder):
    (path,) = (folder / "tile/entries").glob("000.p/*")
    tile = Tile(None, 0, int(path.name))
    entries = split_bundle(path.read_bytes(), tile)
    path.write_bytes(bundle([entries[0].replace(b"operator", b"0perator"), *entries[1:]]))


def change_tile(folder):
    (path,) = (folder / "tile/0").glob("000.p/*")
    data = path.read_bytes()
    path.write_bytes(data[32:64] + data[:32] + data[64:])


def change_contract(folder):
    (path,) = (folder / "contracts").iterdir()
    path.write_text(path.read_text().replace("window_days: ", "window_days: 1"))


def drop_contract(folder):
    change_index(folder, contracts=[])


def move_cosignature(folder):
    index = json.loads((folder / "log.json").read_text())
    change_index(folder, cosigned=[note.replace("\n", "0\n", 2) for note in index["cosigned"]])


CHANGES = {
    "an entry": (change_first_entry, "entry 0: the entry does not hash"),
    "a tile": (change_tile, "entry 0: the entry does not hash"),
    "a contract": (change_contract, "contract"),
    "a contract that is left out": (drop_contract, "by no known witness|contract that it names"),
    "a cosignature": (move_cosignature, "cosigned checkpoint"),
    "the key": (
        lambda folder: change_index(folder, vkey=Signer("x.example", bytes(32)).verifier.vkey),
        "checkpoint",
    ),
    "the format": (lambda folder: change_index(folder, v=2), "version 1"),
    "an invented witness": (
        lambda folder: change_index(folder, witnesses=["no key"]),
        "a witness",
    ),
    "a missing tile": (lambda folder: shutil.rmtree(folder / "tile/0"), "not whole"),
    "a missing bundle": (lambda folder: shutil.rmtree(folder / "tile/entries"), "not whole"),
    "no checkpoint": (lambda folder: (folder / "checkpoint").unlink(), "not whole"),
    "an empty checkpoint": (lambda folder: (folder / "checkpoint").write_text(""), "checkpoint"),
    "an index that is none": (lambda folder: (folder / "log.json").write_text("[]"), "log.json"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_in_an_export_is_found(exported, tmp_path, name):
    change, message = CHANGES[name]
    folder = tmp_path / "log"
    shutil.copytree(exported / "advertiser", folder)
    change(folder)
    with pytest.raises(AuditError, match=message):
        verified(folder)


def test_a_log_of_another_key_than_the_reader_has_is_found(pair, exported):
    with pytest.raises(VerificationError, match="another key"):
        verified(exported / "advertiser", key=pair["channel"].identity.vkey)
