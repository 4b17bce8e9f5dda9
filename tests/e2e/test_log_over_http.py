"""The log of a party that serves, read over HTTP and verified by commands, each a process.

Covers: `serve --http`, the token's file, verifying a URL, a party that is at work and an export, a
receipt that is checked without a folder, and what is refused.
"""

import json
import os
import subprocess
import sys

import pytest

from commonground import LogAccess, Party, check_receipt, errors, verify_log


def command(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "commonground", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def served(tmp_path):
    party = Party.create(
        tmp_path / "party",
        name="channel",
        organisation="The channel",
        origin="channel.test/log",
        jurisdiction="NL",
    )
    vkey = party.audit.entries()[0].body.vkey
    party.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "commonground", "serve", "--listen", "127.0.0.1:0", "--json",
         "--http", "127.0.0.1:0", "--party", tmp_path / "party"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    text = ""
    while text.count("{") != text.count("}") or not text:
        text += process.stdout.readline()
    try:
        yield json.loads(text)["http"], tmp_path / "party", vkey
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_log_that_is_served_verifies_from_outside_by_url_and_by_export(served, tmp_path):
    url, folder, vkey = served
    token = folder / "keys" / "http.token"
    code, out, err = command(
        "audit", "verify", url, "--token-file", token, "--key", vkey, "--json", cwd=tmp_path
    )
    assert code == 0, err
    assert json.loads(out)["origin"] == "channel.test/log"
    with pytest.raises(errors.PartyError, match="another token"):
        verify_log(url)
    receipt = tmp_path / "made.tlog-proof"
    with Party(folder) as party:  # beside the one that serves
        assert party.audit.export_tiles(tmp_path / "out") >= 4
        party.audit.receipt(0, receipt)
    assert verify_log(tmp_path / "out", [], key=vkey)[0].entries >= 1
    assert verify_log(url, key=vkey, access=LogAccess(token))[0].entries >= 3
    folder.rename(tmp_path / "away")  # who checks has neither folder nor network
    code, out, err = command(
        "audit", "check-receipt", receipt, "--json", "--key", vkey, cwd=tmp_path
    )
    (tmp_path / "away").rename(folder)
    assert code == 0, err
    assert json.loads(out)["entry"]["kind"] == "party.created"
    with pytest.raises(errors.PartyError, match="name\\+id\\+key"):
        check_receipt(receipt, "nobody")
    text = receipt.read_text(encoding="utf-8")
    receipt.write_text(text.replace("index 0", "index 1"), encoding="utf-8")
    with pytest.raises(errors.AuditError):
        check_receipt(receipt, vkey)
