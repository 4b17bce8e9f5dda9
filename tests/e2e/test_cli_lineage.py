"""Lineage as people type it."""

from command_line import ask, error_of, make_pair, run


def test_a_dataset_is_drawn_as_a_tree_a_document_and_a_picture(tmp_path):
    make_pair(tmp_path)
    party, picture = ("--party", tmp_path / "advertiser"), tmp_path / "lineage.svg"
    document = ask("lineage", "show", "people", "--svg", picture, *party)
    assert [node["kind"] for node in document["nodes"]] == ["source", "dataset"]
    assert [edge["to"] for edge in document["edges"]] == document["about"]
    assert picture.read_text().startswith("<svg")
    assert "source people.csv" in run("lineage", "show", "people", *party).stdout
    assert "exists" in error_of("lineage", "show", "people", "--svg", picture, *party, expect=6)
    assert "no dataset, list or request" in error_of("lineage", "show", "x", *party, expect=6)
    read = ask("audit", "show", *party)["entries"][-1]
    assert read["body"] == {"what": "lineage.show", "subject": "people"}


def test_without_a_server_nothing_is_sent(tmp_path):
    make_pair(tmp_path)
    party = ("--party", tmp_path / "advertiser")
    assert "names no lineage_url" in run("lineage", "send", *party).stdout
    config = tmp_path / "advertiser" / "party.toml"
    config.write_text(config.read_text().replace('lineage_url = ""', 'lineage_url = "ftp://x"'))
    assert "lineage_url must be a whole address" in error_of("lineage", "send", *party, expect=6)
