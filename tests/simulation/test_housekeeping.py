"""The daily housekeeping of a listener outlives a bad day."""

import logging

from client import listening


class Days:
    """An event that lets so many days pass, at once."""

    def __init__(self, days):
        self.left = days

    def wait(self, seconds):
        assert seconds == listening.DAY_SECONDS
        self.left -= 1
        return self.left == 0


def test_a_fault_in_one_work_leaves_the_other_and_tomorrow_alone(monkeypatch, caplog):
    pruned, suppressed = [], []

    def prune(party):
        pruned.append(party)
        raise KeyError("anna@example.com")

    monkeypatch.setattr(listening, "prune", prune)
    monkeypatch.setattr(listening, "_take_off_who_withdrew", suppressed.append)
    with caplog.at_level(logging.INFO, logger="commonground"):
        listening._keep_house("party", Days(3))
    assert pruned == suppressed == ["party"] * 3
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
    assert "anna" not in "".join(record.getMessage() for record in caplog.records)
