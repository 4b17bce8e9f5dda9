"""The log of a party that serves, read over HTTP and verified by commands, each a process.

Covers: `serve --http`, the token's file, verifying a URL, a party that is at work and an export, a
receipt that is checked without a folder, and what is refused.
"""

import json
import os
import subprocess
import sys

import pytest

from commonground import LogAccess, Party, verify_log


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
    code, out, err = command("audit", "verify", url, "--json", cwd=tmp_path)
    assert (code, "another token" in err) == (6, True)
    code, _, err = command("audit", "export", "--tiles", "out", "--party", folder, cwd=tmp_path)
    assert code == 0, err
    found, _ = verify_log(tmp_path / "out", [], key=vkey, access=LogAccess())
    assert found.entries >= 1
    receipt = ("audit", "receipt", "0", "--out", "made.tlog-proof", "--party", folder)
    assert command(*receipt, cwd=tmp_path)[0] == 0
    folder.rename(tmp_path / "away")  # who checks has neither folder nor network
    check = ("audit", "check-receipt", "made.tlog-proof", "--json", "--key")
    code, out, err = command(*check, vkey, cwd=tmp_path)
    (tmp_path / "away").rename(folder)
    assert code == 0, err
    assert json.loads(out)["entry"]["kind"] == "party.created"
    assert command(*check, "nobody", cwd=tmp_path)[0] == 6
    text = (tmp_path / "made.tlog-proof").read_text(encoding="utf-8")
    (tmp_path / "made.tlog-proof").write_text(text.replace("index 0", "index 1"), encoding="utf-8")
    assert command(*check, vkey, cwd=tmp_path)[0] == 5
