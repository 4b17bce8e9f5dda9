"""The configuration: every key is read, explained and documented; anything else is refused."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from party.errors import SettingsError
from party.settings import FILE, Settings, load_settings, render_settings

REPOSITORY = Path(__file__).parents[2]
KEYS = [field.name for field in fields(Settings)]
ALL = Settings(
    organisation='Example "Foods"\\',
    listen="0.0.0.0:7443",
    store="postgresql://db/commonground",
    workers=3,
    patience_seconds=60,
    max_sessions=2,
    log_format="json",
    log_level="warning",
    cover_runs=True,
    lineage_url="https://marquez.example/api/v1/lineage",
)


def load(folder, text):
    (folder / FILE).write_text(text, encoding="utf-8")
    return load_settings(folder)


@pytest.mark.parametrize("settings", [Settings("Foods"), ALL])
def test_a_written_configuration_reads_as_it_was_meant(tmp_path, settings):
    assert load(tmp_path, render_settings(settings)) == settings


def test_only_the_organisation_has_no_default(tmp_path):
    assert load(tmp_path, 'organisation = "Foods"') == Settings("Foods")
    with pytest.raises(SettingsError, match="organisation is missing"):
        load(tmp_path, "workers = 1")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("worker = 1", "unknown key 'worker'"),
        ("[serve]\nlisten = 'x'", "unknown key 'serve'"),
        ("workers = '1'", "workers must be of type int"),
        ("workers = -1", "workers must be positive"),
        ("workers = true", "workers must be of type int"),
        ("max_sessions = 0", "max_sessions must be positive"),
        ("patience_seconds = 0", "patience_seconds must be positive"),
        ("patience_seconds = 1.5", "patience_seconds must be of type int"),
        ("listen = 7443", "listen must be of type str"),
        ("cover_runs = 1", "cover_runs must be of type bool"),
        ("cover_runs = 'yes'", "cover_runs must be of type bool"),
        ("log_format = 'xml'", "log_format must be text or json"),
        ("log_level = 'debug'", "log_level must be error, warning, info"),
        ("lineage_url = 'marquez:5000'", "lineage_url must be a whole address"),
        ("lineage_url = 'file:///tmp/x'", "lineage_url must be a whole address"),
        ("lineage_url = 'https://[x/'", "lineage_url must be a whole address"),
        ("lineage_url = 'https://me:secret@host/api'", "holds no user, password"),
        ("lineage_url = 'https://host/api?key=secret'", "holds no user, password"),
        ("workers = 1\nworkers = 2", "overwrite"),
        ("workers", "Expected"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_key_and_the_file(tmp_path, line, said):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f'organisation = "Foods"\n{line}\n')
    assert re.search(said, str(caught.value))
    assert FILE in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b'organisation = "\xff"')
    with pytest.raises(SettingsError, match=FILE):
        load_settings(tmp_path)


def test_every_key_is_in_the_written_file_with_a_comment_and_in_the_document():
    text = render_settings(Settings("Foods"))
    document = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \|", document, re.MULTILINE)
    for key in KEYS:
        assert re.search(rf"^#.*\n{key} = ", text, re.MULTILINE), key
        assert key in table, key
    assert [key for key in table if key in KEYS] == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_read_by_the_program(key):
    found = subprocess.run(
        ["grep", "-rlE", rf"settings\.({key}|{key.removesuffix('s')}_count)",
         *("client", "party", "commonground"), "--include=*.py"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(found.stdout.split()) - {"party/settings.py"}
