"""A guardian's word and separate consent where a dataset rests on the party's records."""

import pytest
from consent_notices import ADS, chinese, notice, separate
from organisations import make_party
from test_consent_records import NOW, SALT, act

from party.consent.events import By
from party.datasets import inspect
from party.datasets.definition import read_definition
from party.datasets.prepare import prepare
from party.errors import DatasetError

HEALTH = "pd:Health"
NOTICE = notice(
    chinese(
        data=["pd:EmailAddress", HEALTH],
        separate_consent_for=[
            separate("channel", ADS, ("pd:EmailAddress", HEALTH)),
            separate("vendor", ADS),
        ],
    )
)


@pytest.fixture
def party(tmp_path):
    made = make_party(tmp_path, "advertiser")
    made.clock = lambda: NOW
    yield made
    made.close()


def described(party, folder, rows, **sections):
    lines = "".join(f"{ref},{ref}@example.com,{age},flu\n" for ref, age in rows)
    (folder / "people.csv").write_text(f"ref,email,age,illness\n{lines}", encoding="utf-8")
    document = {
        "dataset": "people",
        "source": "people.csv",
        "person": "ref",
        "columns": {"email": "id.email", "illness": "attribute"},
        "consent": {"records": "ref"},
        "labels": {"illness": {"column": "illness", "values": ["flu"]}},
    } | sections
    return party.with_records(read_definition(document, folder, "the description"))


def taking_part(definition, label="illness", recipients=("channel",)):
    taken = prepare(
        definition, label=label, values=["flu"] if label else [], identifiers=["email"],
        offer="all", most_identifiers=1, purpose=ADS, recipients=list(recipients), salt=SALT,
        now=NOW,
    )  # fmt: skip
    return sorted(taken.person_refs.to_pylist())


def test_a_minor_takes_part_by_what_a_guardian_has_recorded(party, tmp_path):
    minors = {"minors": {"under": 14, "age": "age", "guardian": {"records": True}}}
    rows = [("a", 9), ("b", 9), ("c", 40), ("d", 9)]
    definition = described(party, tmp_path, rows, **minors)
    acts = [act("a", by=By.GUARDIAN, recipient="channel"), act("b", recipient="channel"),
            act("c", recipient="channel"),
            act("d", by=By.GUARDIAN, recipient="vendor")]  # fmt: skip
    party.consent.record(NOTICE, acts, actor="test")
    assert taking_part(definition, label=None) == ["a", "c"]
    found = inspect(definition, now=NOW).to_dict()["minors"]
    assert (found["minors"], found["with_guardian"], found["left_out"]) == (3, 2, 1)
    party.consent.withdraw("a", actor="test")
    assert taking_part(definition, label=None) == ["c"]


def test_separate_consent_is_for_a_category_a_purpose_and_a_recipient(party, tmp_path):
    sensitive = {"sensitive": {"illness": {"category": "health", "consent": {"records": HEALTH}}}}
    definition = described(party, tmp_path, [("a", 30), ("b", 30)], **sensitive)
    acts = [act("a", recipient="channel"), act("a", recipient="vendor"),
            act("b", recipient="vendor")]  # fmt: skip
    party.consent.record(NOTICE, acts, actor="test")
    assert taking_part(definition) == ["a"]
    assert taking_part(definition, recipients=["vendor"]) == [], "asked for addresses alone there"
    assert taking_part(definition, label=None, recipients=["vendor"]) == ["a", "b"]
    (found,) = inspect(definition, now=NOW).to_dict()["sensitive"]
    assert found["people"] == 1


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"minors": {"under": 14, "age": "age", "guardian": {"records": False}}}, "is true"),
        ({"minors": {"under": 14, "age": "age", "guardian": {"records": True}}}, "does not"),
        (
            {"sensitive": {"illness": {"category": "health", "consent": {"records": HEALTH}}}},
            "does not",
        ),
    ],
)
def test_records_serve_only_where_the_consent_stands_in_them(party, tmp_path, sections, said):
    column = {"column": "email", "given": ["x"], "purposes": [ADS], "recipients": ["channel"]}
    in_column = {"columns": {"email": "id.email", "illness": "attribute"},
                 "consent": {**column, "column": "opt_in"}}  # fmt: skip
    with pytest.raises(DatasetError, match=said):
        described(party, tmp_path, [("a", 30)], **in_column, **sections)
