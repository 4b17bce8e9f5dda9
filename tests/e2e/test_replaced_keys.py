"""A party that serves replaces its keys and shuts a counterpart out, by what its operator types.

The secrets of both parties are known here, so all that was written is looked through for them.
"""

from base64 import b64encode
from pathlib import Path

import psutil
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from test_two_parties import FEW
from two_processes import true_match

OURS_TO_KEEP = {"keys"}


def secrets_of(folder: Path) -> dict[str, bytes]:
    """Return each secret of a party in the forms in which it could be written."""
    found = {}
    for path in (folder / "keys").rglob("*"):
        if path.suffix not in (".key", ".token") or not path.is_file():
            continue
        data, name = path.read_bytes().strip(), str(path.relative_to(folder))
        found[f"{name} as it stands"] = data.splitlines()[len(data.splitlines()) // 2]
        if path.name == "node.key":
            raw = bytes.fromhex(data.decode())
        elif path.suffix == ".token":
            continue
        else:
            key = load_pem_private_key(data, None)
            raw = (
                key.private_bytes_raw()
                if hasattr(key, "private_bytes_raw")
                else key.private_numbers().private_value.to_bytes(32, "big")
            )
        found |= {
            f"{name} in bytes": raw,
            f"{name} in hex": raw.hex().encode(),
            f"{name} in base64": b64encode(raw).rstrip(b"="),
            f"{name} in repr": repr(raw)[2:-1].encode(),
        }
    return found


def leaks(pair, *more: bytes):
    """Return which secret stands where in all that both parties wrote or show of themselves."""
    secrets = {
        f"{party.name}: {name}": data
        for party in pair
        for name, data in secrets_of(party.folder).items()
    }
    texts = {str(number): text for number, text in enumerate(more)}
    for party in pair:
        for path in (*party.folder.rglob("*"), *party.said.rglob("*")):
            inside = path.relative_to(party.folder).parts[0] if party.folder in path.parents else ""
            if path.is_file() and inside not in OURS_TO_KEEP:
                texts[str(path)] = path.read_bytes()
    assert len(secrets) >= 20
    return {
        (name, where) for where, text in texts.items() for name in secrets if secrets[name] in text
    }


def shown_of(process):
    """Return what the system shows of a process and its children: command line, environment."""
    everything = b""
    for one in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
        for name in ("cmdline", "environ"):
            everything += Path(f"/proc/{one.pid}/{name}").read_bytes()
    return everything


def test_keys_are_replaced_while_sessions_go_on_and_no_secret_is_written(fresh):
    listener = fresh.serve()
    first = fresh.advertiser.read("match", *FEW)
    made = fresh.channel.read("keys", "rotate", "tls", "--use-after", "0")
    fresh.channel.read("keys", "rotate", "identity", "--use-after", "0")
    fresh.advertiser.read("keys", "rotate", "identity", "--use-after", "0")
    told = fresh.channel.folder / "keys.json"
    copied = told.read_bytes()
    assert fresh.advertiser.read("peers", "renew", told)["new"] == [
        {"peer": "channel", "number": 1},
        {"peer": "channel", "number": 2},
    ]
    second = fresh.advertiser.type("match", *FEW)
    assert second["id"] != first["id"]
    assert second["result"]["people"] == len(true_match("few"))
    [peer] = fresh.advertiser.read("peers", "list")["peers"]
    assert peer["fingerprint"] == made["fingerprint"]
    assert fresh.channel.read("keys", "show")["known_by"] == {"advertiser": 2}
    for party in fresh:
        kinds = [entry["kind"] for entry in party.read("audit", "show")["entries"]]
        assert {"key.rotated", "peer.renewed"} <= set(kinds)
    assert fresh.advertiser.read("audit", "verify", "--with", fresh.channel.folder)["shared"]
    exported = fresh.channel.folder.parent / "exported"
    fresh.channel.read("audit", "export", "--tiles", exported)
    pages = b"".join(one.read_bytes() for one in exported.rglob("*") if one.is_file())
    assert leaks(fresh, shown_of(listener.process), pages, copied) == set()
    refused = fresh.advertiser.error("keys", "rotate", "tls", "--overlap", "91", expect=6)
    assert leaks(fresh, refused.encode()) == set()


def test_a_serving_process_may_leave_no_core_file(fresh):
    listener = fresh.serve()
    limits = Path(f"/proc/{listener.process.pid}/limits").read_text(encoding="ascii")
    [core] = [line.split() for line in limits.splitlines() if line.startswith("Max core")]
    assert core[4:6] == ["0", "0"]


def test_a_revoked_counterpart_is_shut_out_of_a_serve_that_runs(fresh):
    fresh.serve()
    fresh.advertiser.read("match", *FEW)
    done = fresh.channel.read("peers", "revoke", "advertiser", "--reason", "its laptop was stolen")
    assert done == {"peer": "advertiser", "ended": 0}
    said = fresh.advertiser.read_error("match", *FEW, expect=6)
    assert "stolen" not in said
    [waiting] = [
        one
        for one in fresh.advertiser.read("requests", "list")["requests"]
        if one["state"] == "approved"
    ]
    status = fresh.channel.read("status")
    assert [one["peer"] for one in status["revoked"]] == ["advertiser"]
    fresh.channel.read("peers", "restore", "advertiser", "--reason", "it was found")
    finished = fresh.advertiser.read("requests", "resume", waiting["id"])
    assert finished["state"] == "finished"
    kinds = [entry["kind"] for entry in fresh.channel.read("audit", "show")["entries"]]
    assert [kind for kind in kinds if kind.startswith("peer.")] == ["peer.revoked", "peer.restored"]
