"""A compliance officer in a real browser: from the log to an answered person, as processes.

Nothing that is taken away is believed because the console says so: the evidence is checked by its
own `verify.py`, in a Python that has no packages.
"""

import io
import subprocess
import sys
import zipfile

import pytest
from known_people import reference, traces
from test_two_parties import FEW, REACH

from audit.roles import Role

PATH = "an officer: an entry's proof, verifying, evidence, documents, a person's answer"
PERSON = 101  # has consented, and is at both sides


@pytest.fixture(scope="module")
def reported(consoles):
    """Return the id of a report that has finished."""
    return consoles.pair.advertiser.type(*REACH, *FEW)["id"]


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_an_officer_proves_what_happened_and_answers_a_person(
    consoles, reported, walking, script, tmp_path
):
    advertiser = consoles.pair.advertiser
    with walking(PATH, script) as walk:
        walk.sign_in(consoles.url(advertiser), Role.COMPLIANCE)
        walk.follow("Audit")
        walk.choose("What happened", "session.finished")
        walk.press("Look")
        walk.read("session.finished")
        walk.follow(walk.page.locator("tbody th a").first.inner_text())
        walk.read("Every step holds.")
        walk.read("channel.test/log")  # which has cosigned it

        walk.follow("Verify now")
        walk.press("entries now")
        walk.read("The log verifies.")
        walk.follow("Who vouches for it")
        walk.read("No log was ever shown to this party with two histories.")
        assert walk.page.get_by_role("rowheader", name="channel").count() == 1

        walk.follow("Evidence and lineage")
        walk.follow(f"{reported[:8]} lineage")
        walk.read("What came before stands to the left")
        walk.page.wait_for_load_state("load")
        assert walk.page.locator("figure img").evaluate("one => one.naturalWidth") > 0
        require_evidence(
            walk.take(lambda: walk.follow("Download the evidence")), consoles, tmp_path
        )

        walk.follow("Documents")
        papers = walk.take(lambda: walk.press("English"))
        assert any(
            name.endswith(".html") for name in zipfile.ZipFile(io.BytesIO(papers)).namelist()
        )

        walk.follow("People")
        walk.type("Who", reference("advertiser", PERSON))
        walk.choose("Look into", "few")
        walk.press("Show their consent")
        walk.read("In the dataset few")
        assert not traces(walk.page.url)
        answer = zipfile.ZipFile(io.BytesIO(walk.take(lambda: walk.press("Answer them"))))
        assert f"person{PERSON}@example.com" in answer.read("data-few.csv").decode().lower()
        assert "What is held about you" in answer.read("access.html").decode()
    assert not traces(advertiser.everything_said())


def require_evidence(bundle, consoles, folder):
    """Check a zip as whoever gets it does, against the contract that they have themselves."""
    zipfile.ZipFile(io.BytesIO(bundle)).extractall(folder)
    contract = consoles.pair.channel.read("contract", "show")["hash"]
    plain = (sys._base_executable, "-I", "-S", "verify.py", "--contract", contract)
    done = subprocess.run(plain, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
