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
    monkeypatch.setattr(listening, "_warn_of_certificates", lambda party: None)
    monkeypatch.setattr(listening, "_take_off_who_withdrew", suppressed.append)
    with caplog.at_level(logging.INFO, logger="commonground"):
        listening._keep_house("party", Days(3))
    assert pruned == suppressed == ["party"] * 3
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
    assert "anna" not in "".join(record.getMessage() for record in caplog.records)


class Carrier:
    """Carries nothing: what is due is handed to `run_due` of the test."""

    def __init__(self, party):
        self.party = party


def test_a_run_that_waits_is_tried_again_after_a_while_and_a_finished_one_at_once(
    tmp_path, monkeypatch
):
    states, asked = {"a": "approved"}, []

    class Known:
        def __init__(self, party):
            pass

        def known(self, request):
            return type("Filed", (), {"state": states[request]}) if request in states else None

    class Book:
        def __init__(self, party):
            pass

        def next_slot(self):
            return 100

    run = type("Run", (), {"request": "a"})
    series = type("Series", (), {"name": "nightly"})

    def run_due(carrier, *, wanted):
        if not wanted(run):
            return []
        asked.append(carrier.party.now)
        return [type("Went", (), {"run": run, "series": series, "state": "planned", "said": "-"})]

    for name, one in {"Desk": Known, "SeriesBook": Book, "run_due": run_due}.items():
        monkeypatch.setattr(listening, name, one)
    party = type("Party", (), {"now": 50})
    tried = {}
    for now in (50, 100, 160, 699, 700, 760):
        party.now = now
        listening._run_reports(Carrier(party), tried)
    assert asked == [100, 700]
    states["a"] = "finished"
    party.now = 761
    listening._run_reports(Carrier(party), tried)
    assert asked == [100, 700, 761]
