"""c2sp.org/tlog-witness: the body of add-checkpoint, as specified, and what is refused."""

from __future__ import annotations

import pytest

from audit.errors import SubmissionError
from audit.submission import Submission, read_size, size_text

NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
    "1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
HASHES = (
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
)
EXAMPLE = f"old 20852014\n{HASHES}\n{NOTE}"


def test_the_example_of_the_specification_is_read_and_written():
    submission = Submission.parse(EXAMPLE.encode())
    assert (submission.old_size, len(submission.proof), submission.note) == (20852014, 4, NOTE)
    assert submission.text() == EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE.replace("old ", ""),
        EXAMPLE.replace("old 2", "old 02"),
        EXAMPLE.replace("old 20852014", "old -1"),
        EXAMPLE.replace("old 20852014", f"old {2**63}"),
        EXAMPLE.replace("old 20852014\n", "old 20852014 \n"),
        EXAMPLE.replace("\n", "\r\n"),
        EXAMPLE.replace("PlRNCrwH", "PlRN"),
        EXAMPLE.replace("kaw=\n", "kax=\n"),
        EXAMPLE.partition("\n\n")[0],
        "old 1\n" + HASHES * 16 + "\n" + NOTE,
        EXAMPLE + "x" * 2**20,
        "",
    ],
)
def test_what_is_malformed_is_refused(text):
    with pytest.raises(SubmissionError):
        Submission.parse(text.encode())


def test_what_is_no_text_is_refused():
    with pytest.raises(SubmissionError, match="UTF-8"):
        Submission.parse(b"\xff" + EXAMPLE.encode())


def test_the_size_that_was_seen_is_read_back_and_nothing_else():
    assert read_size(size_text(20852014).encode()) == 20852014
    for wrong in (b"", b"1", b"01\n", b"1\n1\n", b"-1\n", b"\xff\n", b"9" * 30 + b"\n"):
        with pytest.raises(SubmissionError):
            read_size(wrong)
