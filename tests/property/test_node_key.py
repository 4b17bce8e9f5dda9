"""Where the node key may rest, and that it is nowhere else and opens only what it sealed.

Covers: environment, keyring of the operating system (a real Secret Service where one can be
started: gnome-keyring on a bus of its own; the package's own test backends besides), and what has
none. Does not cover: KWallet, macOS, Windows.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from audit.roles import Role
from party import identity
from party.errors import IdentityError
from party.node_key import MARK, move_node_key, place_of_node_key
from party.organisation import Organisation
from party.places import Places
from party.settings import Settings

REQUIRE = "COMMONGROUND_REQUIRE_KEYRING"


class Memory(KeyringBackend):
    """A keyring that works, for what is done with it."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Opened:
    """As much of an open party as moving its key needs."""

    def __init__(self, folder):
        self.folder, self.access = folder, self
        self.identity = identity.open(folder)
        self.asked = []

    def require(self, role, what):
        self.asked.append((role, what))


@pytest.fixture
def party(tmp_path):
    identity.create(tmp_path / "party", name="advertiser", log_origin="a.test/log")
    (tmp_path / "party/locks").mkdir()
    return Opened(tmp_path / "party")


@pytest.fixture
def backend():
    """Set the keyring that serves here, and set what was before again."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_key_in_the_environment_opens_what_was_sealed(party, monkeypatch):
    sealed = party.identity.seal(b"seed", "s")
    file = party.folder / "keys/node.key"
    monkeypatch.setenv("COMMONGROUND_NODE_KEY", file.read_text())
    file.unlink()
    assert identity.open(party.folder).unseal(sealed, "s") == b"seed"
    assert place_of_node_key(party.folder / "keys") == "environment"
    for wrong in ("00", "x" * 64):
        monkeypatch.setenv("COMMONGROUND_NODE_KEY", wrong)
        with pytest.raises(IdentityError, match="COMMONGROUND_NODE_KEY is damaged") as error:
            identity.open(party.folder)
        assert wrong not in str(error.value)


def test_a_key_that_was_moved_to_the_keyring_opens_there_and_comes_back(party, backend):
    memory = Memory()
    backend(memory)
    sealed = party.identity.seal(b"seed", "s")
    key = (party.folder / "keys/node.key").read_text().strip()
    move_node_key(party, "keyring")
    assert party.asked == [(Role.OPERATOR, "key.move")]
    assert not [it for it in party.folder.rglob("*") if it.is_file() and key in it.read_text()]
    assert list(memory.kept.values()) == [key]
    assert identity.open(party.folder).unseal(sealed, "s") == b"seed"
    with pytest.raises(IdentityError, match="nothing to move"):
        move_node_key(party, "keyring")
    memory.kept.clear()
    with pytest.raises(IdentityError, match="does not hold the node key"):
        identity.open(party.folder)
    memory.set_password("commonground", party.identity.vkey, key)
    move_node_key(party, "file")
    assert memory.kept == {}
    assert identity.open(party.folder).unseal(sealed, "s") == b"seed"
    assert not (party.folder / "keys" / MARK).exists()


@pytest.mark.parametrize(
    ("kind", "said"), [(fail.Keyring, "there is none"), (null.Keyring, "does not keep")]
)
def test_a_keyring_that_does_not_keep_the_key_leaves_it_in_its_file(party, backend, kind, said):
    backend(kind())
    before = sorted(it.name for it in (party.folder / "keys").iterdir())
    with pytest.raises(IdentityError, match=said):
        move_node_key(party, "keyring")
    assert sorted(it.name for it in (party.folder / "keys").iterdir()) == before
    identity.open(party.folder)


def test_a_keyring_is_asked_only_where_the_key_was_moved_there(party, backend, monkeypatch):
    asked = []
    monkeypatch.setattr(Memory, "get_password", lambda *words: asked.append(words))
    backend(Memory())
    (party.folder / "keys/node.key").unlink()
    with pytest.raises(IdentityError, match=r"node\.key is missing"):
        identity.open(party.folder)
    assert asked == []


def test_without_the_package_the_error_says_what_to_install(party, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(IdentityError, match="with the extra `keyring`"):
        move_node_key(party, "keyring")


SESSION = """
set -e
printf pass | gnome-keyring-daemon --unlock --components=secrets >/dev/null
commonground() { "$PYTHON" -m commonground "$@"; }
commonground keys move-node-key keyring
test ! -e "$COMMONGROUND_PARTY/keys/node.key"
env -u DBUS_SESSION_BUS_ADDRESS "$PYTHON" -m commonground keys show && exit 1
commonground keys move-node-key file
"""


def test_a_real_secret_service_keeps_the_key(tmp_path):
    """gnome-keyring, on a bus and in a home of its own."""
    if not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")):
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("NO REAL KEYRING IS TESTED: apt-get install gnome-keyring dbus-daemon")
    folder = tmp_path / "party"
    Organisation.create(
        *(folder, Settings("A")),
        name="advertiser",
        log_origin="a.test/log",
        hosts=(),
        places=Places.of("NL", ()),
    ).close()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "COMMONGROUND_PARTY": str(folder),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", SESSION],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in the keyring (SecretService" in " ".join(done.stdout.split())
    assert "does not serve here" in " ".join(done.stderr.split())
    assert (folder / "keys/node.key").exists()
