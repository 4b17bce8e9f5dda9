"""Registering data: the quality report, and every fault in files and descriptions."""

import sqlite3

import pytest
from command_line import (
    HEADER,
    ask,
    error_of,
    init,
    log_size,
    rows,
    run,
    write_csv,
    write_dataset,
    write_description,
)


def test_adding_a_dataset_reports_on_columns_consent_and_labels(tmp_path):
    init(tmp_path, "brand")
    people = rows(40)
    people[0][1], people[1][1], people[2][4] = "unknown", "", "no"
    write_csv(tmp_path / "people.csv", people)
    words = ("dataset", "add", write_description(tmp_path), "--party", tmp_path / "brand")
    shown = run(*words).stdout
    assert "1 placeholder" in shown
    assert "unknown" not in shown
    quality = ask(*words)["quality"]
    email = next(column for column in quality["columns"] if column["name"] == "email")
    assert (email["rows"], email["valid"], email["null"]) == (40, 38, 1)
    assert {one["people"] for one in quality["consent"]} == {39}
    assert quality["labels"][0]["people"] == {"a": 20, "b": 20}


CONNECT = "{connect: [email, phone], most_sharing: 2, most_identifiers: 5, reference: ref}"


def connecting(folder, person=CONNECT):
    """Write 40 rows of 29 people, and a description that connects them; return its file."""
    people = rows(40)
    for number in range(20):
        people[number][2] = people[0][2]  # one phone of twenty people
    for number in range(20, 40, 2):
        people[number][1] = people[number + 1][1]
    people[38][1] = people[39][1] = people[37][1]
    write_csv(folder / "people.csv", people)
    path = write_description(folder)
    path.write_text(path.read_text().replace("person: ref", f"person: {person}"))
    return path


def test_rows_of_several_identifiers_are_reported_as_people(tmp_path):
    init(tmp_path, "brand")
    words = ("dataset", "add", connecting(tmp_path), "--party", tmp_path / "brand")
    shown = run(*words).stdout
    assert "0 rows are nobody's" in shown
    assert "0 components were above the bound" in shown
    quality = ask(*words)["quality"]
    assert (quality["rows"], quality["people"]) == (40, 29)
    assert quality["connected"]["sizes"]["2"] == 8
    assert quality["connected"]["sizes"]["3–5"] == 1
    phone = quality["connected"]["types"][1]
    assert (phone["over_shared"], phone["withheld"]) == (1, 1)
    assert ask("dataset", "show", "people", "--party", tmp_path / "brand")["quality"] == quality


@pytest.mark.parametrize(
    ("person", "named"),
    [
        (CONNECT.replace("phone", "oaid"), "person.connect: no column holds 'oaid'"),
        (CONNECT.replace("5", "1"), "person.most_identifiers"),
        (CONNECT.replace("{", "{column: ref, "), "not by both"),
    ],
)
def test_a_connection_that_makes_no_sense_is_one_clear_error(tmp_path, person, named):
    init(tmp_path, "brand")
    description = connecting(tmp_path, person)
    party = tmp_path / "brand"
    assert named in error_of("dataset", "add", description, "--party", party, expect=6)
    assert log_size(party) == 1


DIGEST = "5e" * 32


def wrong_encoding(folder):
    people = rows(4)
    people[0][3] = "é"
    write_csv(folder / "people.csv", people, encoding="latin-1")


def half_digests(folder):
    write_csv(folder / "people.csv", [*rows(4), ["r9", DIGEST, "", "a", "yes"]])


BAD_FILES = {
    "no file": (lambda folder: None, "people.csv"),
    "empty": (lambda folder: (folder / "people.csv").write_bytes(b""), "empty"),
    "no rows": (lambda folder: write_csv(folder / "people.csv", []), "no rows"),
    "one row": (lambda folder: write_csv(folder / "people.csv", rows(1)), "single person"),
    "wrong encoding": (wrong_encoding, "UTF-8"),
    "missing column": (
        lambda folder: write_csv(
            folder / "people.csv", [row[1:] for row in rows(4)], header=HEADER[1:]
        ),
        "'ref'",
    ),
    "duplicate header": (
        lambda folder: write_csv(
            folder / "people.csv", [[*row, "x"] for row in rows(4)], header=[*HEADER, "email"]
        ),
        "twice",
    ),
    "all null": (
        lambda folder: write_csv(
            folder / "people.csv", [[row[0], "", *row[2:]] for row in rows(4)]
        ),
        "email",
    ),
    "half digests": (half_digests, "email_sha256"),
    "ragged row": (
        lambda folder: write_csv(folder / "people.csv", [*rows(3), ["r9", "a@b.test"]]),
        "row 4",
    ),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_bad_data_is_one_clear_error_and_changes_nothing(tmp_path, fault):
    write, named = BAD_FILES[fault]
    init(tmp_path, "brand")
    write(tmp_path)
    party = tmp_path / "brand"
    description = write_description(tmp_path)
    assert named in error_of("dataset", "add", description, "--party", party, expect=6)
    assert ask("dataset", "list", "--party", party) == {"datasets": []}
    assert log_size(party) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dataset: [", "YAML"),
        ("dataset: people\nsource: people.csv\n", "columns"),
        ("dataset: people\nsource: people.csv\nconsnt: 1\n", "consnt"),
        ("- a list\n", "mapping"),
    ],
)
def test_a_bad_description_is_one_clear_error(tmp_path, text, named):
    init(tmp_path, "brand")
    (tmp_path / "people.yaml").write_text(text)
    words = ("dataset", "add", tmp_path / "people.yaml", "--party", tmp_path / "brand")
    assert named in error_of(*words, expect=6)


def test_no_error_about_data_shows_an_identifier(tmp_path):
    init(tmp_path, "brand")
    half_digests(tmp_path)
    words = ("dataset", "add", write_description(tmp_path), "--party", tmp_path / "brand")
    said = run(*words, expect=6)
    for secret in (DIGEST, "person1@example.com", "5550001"):
        assert secret not in said.stdout + said.stderr


def test_the_population_of_known_people_stays(tmp_path):
    init(tmp_path, "brand")
    words = ("dataset", "add", write_dataset(tmp_path), "--party", tmp_path / "brand")
    assert ask(*words, "--population", "buyers")["population"] == "buyers"
    assert ask(*words)["population"] == "buyers"
    assert "ledger" in error_of(*words, "--population", "others", expect=6)


def write_database(folder, count=40):
    with sqlite3.connect(folder / "crm.db") as connection:
        columns = ", ".join(f'"{name}"' for name in HEADER)
        connection.execute(f"CREATE TABLE people ({columns})")
        connection.executemany(
            f"INSERT INTO people VALUES ({', '.join('?' * len(HEADER))})", rows(count)
        )
    connection.close()


def test_a_query_is_registered_shown_and_held_against_its_snapshot(tmp_path, monkeypatch):
    init(tmp_path, "brand")
    write_database(tmp_path)
    monkeypatch.setenv("CRM_URL", f"sqlite:///{tmp_path / 'crm.db'}")
    source = '{url_env: CRM_URL, query: "SELECT * FROM people"}'
    where = ("--party", tmp_path / "brand")
    shown = run("dataset", "add", write_description(tmp_path, source=source), *where).stdout
    assert "40 rows of 40 people, from query to" in " ".join(shown.split())
    first = ask("dataset", "show", "people", *where)
    assert first["definition"]["source"] == {
        "url_env": "CRM_URL",
        "query": "SELECT * FROM people",
    }
    assert first["quality"]["people"] == 40
    assert "its source is as it was registered" in run("doctor", *where).stdout
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute("DELETE FROM people WHERE rowid = 1")
    connection.close()
    assert "its source has changed since" in " ".join(run("doctor", *where).stdout.split())


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("DELETE FROM people", "a source is only read"),
        ("SELECT *, email FROM people", "'email' stands twice"),
        ("SELECT * FROM poeple", "no such table: poeple"),
    ],
)
def test_a_query_that_does_not_serve_is_one_sentence_and_nothing_is_registered(
    tmp_path, query, says
):
    init(tmp_path, "brand")
    write_database(tmp_path)
    size = log_size(tmp_path / "brand")
    description = write_description(
        tmp_path, source=f'{{url: "sqlite:///crm.db", query: "{query}"}}'
    )
    words = ("dataset", "add", description, "--party", tmp_path / "brand")
    assert says in error_of(*words, expect=6)
    assert log_size(tmp_path / "brand") == size
    assert ask("dataset", "list", "--party", tmp_path / "brand")["datasets"] == []
