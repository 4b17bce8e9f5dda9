"""docs/operations.md is true: its commands are typed as they stand there, and do what it says.

Every command on the page parses. Those of a backup, a loss and a restore, of an upgrade, of
replaced keys and of a counterpart that is shut out are typed between sessions of two parties, the
blocks taken from the page. Does not cover: what needs root, systemd or an installation (the lines
of `NOT_HERE`), and time that has to pass.
"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from test_two_parties import FEW
from typer.main import get_command
from typer.testing import CliRunner

from commonground.cli import app

PAGE = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
NOT_HERE = re.compile(
    r"/opt/commonground/bin/pip |alias |useradd |cp packaging|install -d|journalctl"
)
PROGRAM = re.compile(r"(?:^|\s)(?:/opt/commonground/bin/)?commonground (?!.*…)(?=\w)(.*)$")


def blocks(section):
    """Return the commands of each block of a section, with continued lines joined."""
    text = re.split(rf"^## {section}$", PAGE, flags=re.MULTILINE)[1]
    text = re.split(r"^## ", text, flags=re.MULTILINE)[0].replace("\\\n", " ")
    return [one.splitlines() for one in re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)]


def test_every_command_of_the_page_parses():
    lines = [
        found[1]
        for section in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
        for block in blocks(re.escape(section))
        for line in block
        if not line.startswith(("alias", "sudo", "%")) and (found := PROGRAM.search(line))
    ]
    assert len(lines) > 30
    for line in lines:
        target, words = get_command(app), shlex.split(line)
        while getattr(target, "commands", None):
            target, words = target.commands[words[0]], words[1:]
        target.make_context("commonground", words)


class Operator:
    """Types what the page says, with the folders of a test for those of a machine."""

    def __init__(self, pair, folder):
        self.pair, self.folder = pair, folder
        self.places = {
            "/var/lib/commonground": pair.channel.folder.parent,
            "/etc/commonground": folder / "etc",
            "/backups": folder / "backups",
        }
        for place in self.places.values():
            place.mkdir(exist_ok=True)

    def type(self, line, expect=0):
        """Type one line, and return what it prints."""
        for place, here in self.places.items():
            line = line.replace(place, str(here))
        words = shlex.split(line)
        if words[0] == "commonground":
            done = CliRunner().invoke(app, words[1:])
            assert done.exit_code == expect, f"{line}\n{done.output}"
            return " ".join(done.output.split())
        if words[:2] in (["systemctl", "start"], ["systemctl", "stop"]):
            assert words[2] == "commonground@channel"
            self.pair.serve() if words[1] == "start" else self.pair.channel.listener.stop()
            return ""
        assert words[0] in ("mv", "sudo"), f"nobody here knows how to type {line}"
        line = line.removeprefix("sudo -u commonground ")
        subprocess.run(["bash", "-ec", line], check=True, cwd=self.folder, timeout=60)
        return ""

    def follow(self, block):
        """Type a block but for what is not for this machine; return all that it prints."""
        return "\n".join(self.type(line) for line in block if not NOT_HERE.match(line))

    def match(self, expect=0):
        ask = self.pair.advertiser
        return (
            ask.read("match", *FEW) if expect == 0 else ask.read_error("match", *FEW, expect=expect)
        )


@pytest.fixture
def operator(fresh, tmp_path):
    fresh.serve()
    made = Operator(fresh, tmp_path)
    made.match()
    return made


def test_keys_are_replaced_and_a_counterpart_is_shut_out_by_the_words_of_the_page(operator):
    replace, next_one, renew = blocks("Replacing keys")
    said = operator.follow(replace)
    assert "is used from" in said
    assert "it only dials" in said
    assert "one is replaced at a time" in operator.type(next_one[0], expect=6)
    handed = operator.pair.channel.folder / "keys.json"
    [line] = renew
    assert "channel" in operator.type(line.replace(" keys.json ", f" {handed} "))
    operator.match()
    revoke, restore = blocks("Shutting a counterpart out")[0]
    operator.type(revoke)
    operator.match(expect=6)
    operator.type(restore)
    operator.match()
    for name in ("How it stands", "The way to a counterpart"):
        operator.follow(block := blocks(name)[0])
        assert block
    who = [line for line in blocks("Who is let in")[0] if " list " in line]
    assert "advertiser" in operator.follow(who)


def test_a_party_is_upgraded_lost_and_restored_by_the_words_of_the_page(operator):
    secret, lost = blocks("Backing up and restoring")
    operator.follow(secret)  # while it serves
    operator.type(f"{secret[-1].replace('.backup', '-later.backup')}")
    said = operator.follow(lost)
    assert "advertiser: it only dials, and cannot be asked" in said
    assert "Budgets are closed until their windows renew" in said
    assert "Verified: channel.test/log" in said
    assert "budget" in operator.match(expect=3)
    # Once more from the newest backup, with the word that the page has for a move.
    [word] = re.findall(r'`(--nothing-spent "[^"]*")`', PAGE)[:1]
    stop, _, restore, verify, start, status = lost
    operator.type(stop)
    operator.type("mv /var/lib/commonground/channel /var/lib/commonground/channel.closed")
    restore = restore.replace(".backup", "-later.backup")
    assert "Budgets go on" in operator.type(f"{restore} {word}")
    for line in (verify, start, status):
        operator.type(line)
    operator.match()
    [upgrade] = blocks("Upgrading")
    assert "is of this version" in operator.follow(upgrade)
    operator.match()
