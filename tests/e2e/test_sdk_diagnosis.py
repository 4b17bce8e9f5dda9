"""`Party.datasets.check`: what the command says, as a DataFrame."""

import asyncio
import hashlib

import pandas as pd
import pytest
from sdk_pair import description, frame_of

from commonground import Party, errors


@pytest.fixture
def party(tmp_path):
    with Party.create(
        tmp_path / "a",
        name="advertiser",
        organisation="A",
        origin="a.test/log",
        jurisdiction="NL",
        workers=1,
    ) as made:
        yield made


def wrong(text):
    return hashlib.sha256(f"{text}\n".encode()).hexdigest()


def test_a_diagnosis_names_causes_in_a_frame_and_as_the_command_prints_it(party, tmp_path):
    frame = frame_of("advertiser")
    raw = frame["email"].dropna().str.strip().str.lower()
    made = description("advertiser")
    columns = {**made["columns"], "email": "id.email_sha256"}
    hashed = frame.assign(email=raw.map(wrong))
    named = party.datasets.add_frame(hashed, {**made, "columns": columns}).name
    pd.DataFrame({"email": raw[:25]}).to_csv(tmp_path / "raw.csv", index=False)
    found = party.datasets.check(named, sample=tmp_path / "raw.csv")
    assert found.must_correct
    table = found.to_pandas()
    assert table.loc[table["subject"] == "email", "cause"].tolist() == ["newline hashed in"]
    assert "newline" in str(found)
    assert found.to_dict()["dataset"] == named
    alone = asyncio.run(party.aio.datasets.check(named))
    assert any("--sample" in note for note in alone.notes)


def test_a_dataset_that_is_right_has_an_empty_frame(party):
    named = party.datasets.add_frame(frame_of("advertiser"), description("advertiser")).name
    found = party.datasets.check(named)
    assert (len(found.to_pandas()), found.must_correct) == (0, False)


def test_what_cannot_be_checked_raises_what_the_command_says(party):
    with pytest.raises(errors.DatasetError, match="no dataset absent"):
        party.datasets.check("absent")
    with pytest.raises(errors.DatasetError, match=r"absent\.yaml"):
        party.datasets.check("absent.yaml")
