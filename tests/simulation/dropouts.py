"""What the three logs say when one of three drops out, is refused, or finds a check failed.

Each party, in each phase: `make dropouts` prints the whole table, the suite runs some of its rows.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from shaky_network import DIALS, Killed, hurry  # noqa: E402 - found on the path above
from three_plays import make_ready, play_of_three  # noqa: E402

from party.decision import FINISHED  # noqa: E402
from party.driver import Driver  # noqa: E402
from party.errors import PartyError, Refusal, RefusalStatus  # noqa: E402
from party.session import Session  # noqa: E402
from party.session_record import SessionRecord  # noqa: E402
from psi.errors import InvalidPoint, WrongAnswer  # noqa: E402

PARTIES = ("advertiser", "channel", "vendor")
CHARGE, SETS, ANSWERS, CLOSE = "before its charge", "at a set", "at an answer", "at the end"
FIRST_SET = {"advertiser": 1, "channel": 3, "vendor": 0}
LAST_ANSWER = {"advertiser": 7, "channel": 14, "vendor": 9}
FAILURES = {
    CHARGE: Refusal(RefusalStatus.BUDGET_EXHAUSTED, "the budget has no room for this session"),
    SETS: InvalidPoint("1 of the set's points may not be used"),
    ANSWERS: WrongAnswer("a known answer did not come back"),
    CLOSE: Refusal(RefusalStatus.TRANSCRIPT_MISMATCH, "another artefact was seen"),
}
STATUS = {
    CHARGE: RefusalStatus.BUDGET_EXHAUSTED,
    SETS: RefusalStatus.INVALID_POINT,
    ANSWERS: RefusalStatus.WRONG_ANSWER,
    CLOSE: RefusalStatus.TRANSCRIPT_MISMATCH,
}


@dataclass(frozen=True)
class Row:
    """One party, in one phase, that drops out or fails."""

    party: str
    phase: str
    drops: bool

    def __str__(self):
        return f"{self.party} {'drops out' if self.drops else 'fails'} {self.phase}"


ROWS = tuple(Row(p, phase, d) for p in PARTIES for phase in FAILURES for d in (True, False))


def lay_trap(row, play, monkeypatch):
    """Let the party of `row` drop out or fail, once, when it comes to the phase."""
    sprung = []

    def spring(party):
        if party != row.party or sprung:
            return
        sprung.append(row)
        if not row.drops:
            raise FAILURES[row.phase]
        if party == DIALS:
            raise Killed
        play.network.gone.add(party)
        raise PartyError("the process is gone")

    def charge(record, *words):
        if row.phase == CHARGE:
            spring(record._me)
        return kept[SessionRecord](record, *words)

    def take(driver, index, *words):
        wanted = {SETS: FIRST_SET, ANSWERS: LAST_ANSWER}.get(row.phase, {})
        party = driver._terms.party_of(driver._role)
        if wanted.get(party) == index:
            spring(party)
        return kept[Driver](driver, index, *words)

    def close(session, *words):
        if row.phase == CLOSE:
            spring(session._me)
        return kept[Session](session, *words)

    kept = {SessionRecord: SessionRecord.charge, Driver: Driver._take, Session: Session._close}
    monkeypatch.setattr(SessionRecord, "charge", charge)
    monkeypatch.setattr(Driver, "_take", take)
    monkeypatch.setattr(Session, "_close", close)
    return sprung


def play_row(row, play, monkeypatch):
    """Return what each log says after the fall, and after whoever fell is back."""
    sprung = lay_trap(row, play, monkeypatch)
    assert play.dial() is not None
    assert sprung, "the phase did not come"
    play.network.wait_for_listener()
    after = play.ends()
    if not row.drops:
        play.require_ended(STATUS[row.phase])
        return after, after
    assert all(said == [] for said in after.values()), "nobody ends it for another who is gone"
    play.network.gone.clear()
    play.network.restart_listener(*(name for name in (row.party,) if name != DIALS))
    assert play.dial() is None, play.stops
    play.network.wait_for_listener()
    play.require_finished()
    return after, play.ends()


def shown(said):
    """Return the end in one log in a few words."""
    return ", ".join(reason or kind for kind, reason in said) or "nothing: it waits"


def main():
    """Print the table; return the number of rows that broke a promise."""
    broken = 0
    print(
        "| what happens | " + " | ".join(f"log of {name}" for name in PARTIES) + " | back again |"
    )
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="commonground-dropouts-") as name:
        ready = Path(name) / "ready"
        ready.mkdir()
        make_ready(ready)
        for row in ROWS:
            with tempfile.TemporaryDirectory(dir=name) as folder, pytest.MonkeyPatch.context() as m:
                hurry(m)
                with play_of_three(ready, Path(folder), m) as play:
                    try:
                        after, back = play_row(row, play, m)
                    except AssertionError as error:
                        broken += 1
                        print(f"| {row} | broke a promise: {error!s:.200} | | | |", flush=True)
                        continue
            words = " | ".join(shown(after[name]) for name in PARTIES)
            ended = {kind for said in back.values() for kind, _ in said} == {"session.finished"}
            print(f"| {row} | {words} | {FINISHED if ended else 'stays so'} |", flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
