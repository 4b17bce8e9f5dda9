"""Runs commands in this process and makes two parties with data by typing what a person types."""

import csv
import json
from pathlib import Path

from typer.testing import CliRunner

from commonground.cli import app

CONSENT = """consent:
  column: consent
  given: ["yes"]
  purposes: [dpv:TargetedAdvertising, dpv:MarketResearch]
  recipients: [advertiser, channel]
"""
HEADER = ["ref", "email", "phone", "group", "consent"]


def run(*words, expect=0, given=None):
    """Run a command; fail unless it ends with the exit code that is expected."""
    done = CliRunner().invoke(app, [str(word) for word in words], input=given)
    shown = f"{words}: {done.exit_code}\n{done.stdout}\n{done.stderr}\n{done.exception!r}"
    assert done.exit_code == expect, shown
    return done


def ask(*words, expect=0):
    """Run a command with --json and return its one document."""
    return json.loads(run(*words, "--json", expect=expect).stdout)


def error_of(*words, expect):
    """Run a command that fails; return its one sentence, and require that it is one."""
    done = run(*words, expect=expect)
    said = [line for line in done.stderr.splitlines() if line.startswith(("Error: ", "Not fin"))]
    assert len(said) == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return said[0]


def init(folder: Path, name: str, *more):
    return ask(
        *("init", folder / name, "--name", name, "--organisation", f"The {name}"),
        *("--jurisdiction", "NL", "--origin", f"audit.test/{name}", *more),
    )


def rows(count):
    """Return synthetic people, half of them in each group."""
    return [
        [f"r{i}", f"person{i}@example.com", f"+1202555{i:04d}", "ab"[i % 2], "yes"]
        for i in range(count)
    ]


def write_csv(path: Path, people, header=HEADER, encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([header, *people])


def write_description(folder: Path, name="people", columns="", source=None):
    path = folder / f"{name}.yaml"
    path.write_text(
        f"dataset: {name}\nsource: {source or name + '.csv'}\nperson: ref\ncolumns:\n"
        f"  email: id.email\n  phone: {{kind: id.phone, region: US}}\n  group: attribute\n"
        f"  consent: consent\n{columns}{CONSENT}"
        "labels:\n  group: {column: group, values: [a, b]}\n",
        encoding="utf-8",
    )
    return path


def write_dataset(folder: Path, count=40):
    write_csv(folder / "people.csv", rows(count))
    return write_description(folder)


def propose(folder: Path, name="deal"):
    """Let the advertiser propose a contract; return its file, signed by nobody."""
    file = folder / f"{name}.yaml"
    run(
        *("contract", "propose", folder / "channel" / "public.yaml", "--id", name),
        *("--out", file, "--party", folder / "advertiser"),
    )
    text = file.read_text()
    text = text.replace("group: [one, two]", "group: ['1', 2+]").replace(
        "min_match: 1000", "min_match: 5"
    )
    file.write_text(text)
    return file


def sign(file: Path, folder: Path, *names):
    for name in names or ("advertiser", "channel"):
        run("contract", "sign", file, "--party", folder / name)
    return file


def make_pair(folder: Path):
    """Make an advertiser that only dials and a channel that listens, with data and a contract."""
    init(folder, "advertiser")
    init(folder, "channel", "--listen", "127.0.0.1:9")
    run("dataset", "add", write_dataset(folder), "--party", folder / "advertiser")
    file = sign(propose(folder), folder)
    for name in ("advertiser", "channel"):
        run("contract", "import", file, "--party", folder / name)
    return folder


def altered(file: Path, old: str, new: str):
    """Replace a text once in a file that has it."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return file


def log_size(party: Path):
    """Return how many entries the log has; that it was read is one more each time, left out."""
    entries = ask("audit", "show", "--party", party)["entries"]
    return sum(entry["kind"] != "audit.read" for entry in entries)
