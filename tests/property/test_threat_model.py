"""Every test that docs/threat-model.md names is there, so each claim has what defends it."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCUMENT = (TESTS.parent / "docs" / "threat-model.md").read_text(encoding="utf-8")
_FILE = r"(?:vectors|property|simulation|console|e2e|hostile|chaos|fuzz)/\w+\.py"
NAMED = re.compile(rf"`({_FILE})?(?:::(?:[A-Z]\w+::)?(\w+))?`")
UNTESTED = ("–", "by construction (protocol §5.1); no test", "the same")
"""What stands in the last column where no test is named; the page says why beside it."""


def named():
    """Yield (file, test or None) as the page has them; `::test` alone is of the file before."""
    file = None
    for found in NAMED.finditer(DOCUMENT):
        file, test = found[1] or file, found[2]
        if found[1] or test:
            yield file, test


def rows():
    for line in DOCUMENT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[-1] != "defended by" and len(cells) > 2:
            yield cells[-1]


@pytest.mark.parametrize(("file", "test"), sorted(set(named()), key=str))
def test_a_test_that_the_page_names_is_there(file, test):
    text = (TESTS / file).read_text(encoding="utf-8")
    assert test is None or re.search(rf"^\s*def {test}\(", text, re.MULTILINE), f"{file}::{test}"


def test_the_page_names_tests_and_leaves_no_claim_without_one_or_a_word():
    assert len(set(named())) > 100
    without = [cell for cell in rows() if not NAMED.search(cell) and cell not in UNTESTED]
    assert without == []
