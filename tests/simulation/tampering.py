"""Every way to tamper with a log and with evidence from it, and who finds it: `make tampering`.

Each row is done to the log that `audit verify` reads, and where it applies to the evidence that
`verify.py` reads: by their owner, who signs everything again that he has a key for. Not covered:
an owner who rewrites what nobody has cosigned, which nothing can find (docs/audit.md).
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from audit_logs import DIGEST, LogKeeper, run_session, two_parties  # noqa: E402 - found on the path above
from dp_record import ask  # noqa: E402
from forged_evidence import Forger  # noqa: E402
from organisations import Wire, make_pair, make_party, run_both  # noqa: E402

from audit import standalone  # noqa: E402
from audit.bodies import AuditRead, ConsentReference  # noqa: E402
from audit.checkpoint import Checkpoint  # noqa: E402
from audit.errors import AuditError  # noqa: E402
from audit.merkle import root  # noqa: E402
from audit.note import Signer  # noqa: E402
from audit.source import Cosigned  # noqa: E402
from audit.tiles import WIDTH, Tile  # noqa: E402
from audit.verify import compare, verify  # noqa: E402
from client.audit_files import bundle_of, zipped  # noqa: E402
from client.log_places import LogAccess  # noqa: E402
from client.verifying import verify_at  # noqa: E402
from party.desk import Desk  # noqa: E402
from party.evidence import StoredLog  # noqa: E402
from party.log_files import LogFiles, write_files  # noqa: E402

NOT_IN_EVIDENCE = "–"
LATEST, COSIGNED = "checkpoints/latest.txt", "checkpoints/cosigned.txt"


@dataclass(frozen=True)
class Row:
    """One way to tamper.

    Args:
        name: what is done.
        log: does it, and returns after `audit verify` has found it by raising.
        found: what `audit verify` says, in part.
        evidence: returns the evidence tampered with, or None where evidence has no such thing.
        found_in_evidence: what `verify.py` says, in part.
    """

    name: str
    log: Callable[[], None]
    found: str
    evidence: Callable[[Forger, Forger], tuple] | None = None
    found_in_evidence: str = NOT_IN_EVIDENCE


# -- logs in memory ------------------------------------------------------------------------------


@cache
def keepers():
    advertiser, channel = two_parties()
    for number in (1, 2, 3):
        run_session(advertiser, channel, number)
    return advertiser, channel


def honest():
    return keepers()[0].stored()


def signed_again(log, seed=None):
    """Sign the log as it stands: with the owner's key, or with one made from `seed`."""
    signer = keepers()[0].signer if seed is None else Signer(keepers()[0].signer.name, seed)
    tree = Checkpoint(signer.name, len(log.leaves), root(log.leaves))
    return replace(log, note=tree.sign(signer))


def lied():
    """Return the log's entries with one canonical lie among them."""
    entries = list(honest().stored)
    place = next(i for i, data in enumerate(entries) if b"report.released" in data)
    entries[place] = entries[place].replace(DIGEST.encode(), b"e" * 64)
    return entries


def moved_cosignature():
    first, second, third = honest().cosigned_notes
    notes = (first, Cosigned(third.checkpoint, second.line), third)
    return replace(honest(), cosigned_notes=notes)


def other_transcripts():
    advertiser, channel = two_parties()
    run_session(advertiser, channel, 1, transcripts=("1" * 64, "2" * 64))
    compare(advertiser.stored(), channel.stored())


def of_keeper(work):
    keeper = LogKeeper("advertiser", bytes([1]) * 32)
    keeper.create()
    keeper.sign_contract()
    work(keeper)
    verify(keeper.stored())


def unpaid(keeper):
    keeper.start("r-1", keeper.snapshot_consent())
    keeper.release("r-1", "5" * 64)


def unconsented(keeper):
    taken_at = int(keeper.now.timestamp())
    keeper.start("r-1", ConsentReference(DIGEST, 1, taken_at))


def swapped_tile():
    """Let two full tiles of leaf hashes change places in a folder that a party has exported."""
    with tempfile.TemporaryDirectory() as name:
        party, out = make_party(Path(name), "advertiser"), Path(name) / "exported"

        def read_often(connection):
            with party.journal.group(connection) as group:
                for _ in range(2 * WIDTH):
                    group.append("audit.read", AuditRead("audit.show"), actor="operator")

        party.store.record(read_often)
        write_files(LogFiles(StoredLog(party.store, party.identity)), out)
        party.close()
        one, two = (out / Tile(0, index).path for index in (0, 1))
        first = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(first)
        verify_at(out, [], LogAccess())


def entries_of(change):
    entries = list(honest().stored)
    change(entries)
    return honest().with_entries(entries)


# -- evidence ------------------------------------------------------------------------------------


def ask_reach(parties, contract):
    signed = ask(parties, contract)
    assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    return signed


def forgers(folder: Path):
    """Return what the recipient and the tabulator of one report can show of it, and hide."""
    parties, contract = make_pair(folder)
    for _ in range(2):  # so that what is cosigned is more than the first session
        request = ask_reach(parties, contract)
    pair = []
    for name in ("advertiser", "channel"):
        desk = Desk(parties[name])
        files = bundle_of(parties[name], desk.find(request.id))[1]
        pair.append(Forger.of(parties[name], files))
        parties[name].close()
    return tuple(pair)


def found_in(evidence, folder: Path):
    """Return what verify.py says of evidence, or of two: '' where it finds nothing."""
    paths = []
    for number, files in enumerate(evidence):
        paths.append(folder / f"{number}.zip")
        paths[-1].write_bytes(zipped(files))
    try:
        checked = [standalone.check(path) for path in paths]
        if len(checked) == 2:
            standalone.compare(*checked)
    except standalone.Refused as refused:
        return str(refused)
    return ""


def swapped_receipts(here):
    one, two = here.number_of("consent.snapshot"), here.number_of("session.started")
    _, first = here.receipt(two, index=one)
    _, second = here.receipt(one, index=two)
    return here.with_files([(here.receipt(one)[0], first), (here.receipt(two)[0], second)])


def put_in(here):
    """An entry that the log has not, beside those that it has."""
    seq = here.number_of("budget.spent")
    more = max(here.shown) + 1
    _, data = here.receipt(seq, index=more)
    return here.with_files([(f"entries/{more}.tlog-proof", data)])


def rolled_back(here):
    """The owner signs a tree without its last entry, beside the one that was cosigned."""
    latest, cosigned = here.shorter()
    return here.with_files([(LATEST, latest), (COSIGNED, cosigned), consistency()])


def consistency():
    return "checkpoints/consistency.txt", b""


def forked(here):
    latest, cosigned = here.fork()
    return here.with_files([(LATEST, latest), (COSIGNED, cosigned), consistency()])


def other_transcript(here):
    """A history in which the same session had another transcript, by a party on its own."""

    def lie(entry):
        if entry["kind"] != "session.finished":
            return entry
        return {**entry, "body": {**entry["body"], "transcript": "2" * 64}}

    return here.rewritten(change=lie, without=("transcript.json", "table.json", "report.json"))


ROWS = (
    Row(
        "an entry is changed",
        lambda: verify(replace(honest(), stored=tuple(lied()))),
        "does not hash to its stored leaf",
        lambda here, there: (
            here.changed_entry(here.number_of("budget.spent"), b'"dp"', b'"disclosure"'),
        ),
        "it is not in the log",
    ),
    Row(
        "an entry is dropped",
        lambda: verify(entries_of(lambda entries: entries.pop(4))),
        "entries were dropped, put in, repeated or moved",
        lambda here, there: (
            here.with_files(dropped=[here.receipt(here.number_of("request.made"))[0]]),
        ),
        "no entry about its request stands before it",
    ),
    Row(
        "an entry is put in",
        lambda: verify(entries_of(lambda entries: entries.insert(4, entries[3]))),
        "entries were dropped, put in, repeated or moved",
        lambda here, there: (put_in(here),),
        "it is not in the log",
    ),
    Row(
        "entries change places",
        lambda: verify(entries_of(lambda e: e.insert(4, e.pop(3)))),
        "entries were dropped, put in, repeated or moved",
        lambda here, there: (swapped_receipts(here),),
        "it is not in the log",
    ),
    Row(
        "the log is forked by its owner",
        lambda: verify(signed_again(honest().with_entries(lied()))),
        "rewritten or forked",
        lambda here, there: (forked(here),),
        "forked or rolled back",
    ),
    Row(
        "the log is rolled back by its owner",
        lambda: verify(signed_again(honest().with_entries(honest().stored[:6]))),
        "cut or rolled back",
        lambda here, there: (rolled_back(here),),
        "forked or rolled back",
    ),
    Row(
        "the checkpoint is signed again, with another key",
        lambda: verify(signed_again(honest(), bytes([9]) * 32)),
        "no signature of a known key",
        lambda here, there: (here.with_files([(LATEST, here.stolen())]),),
        "is not signed by the key of advertiser.test/log",
    ),
    Row(
        "a cosignature is moved to another checkpoint",
        lambda: verify(moved_cosignature()),
        "is not one of this text",
        lambda here, there: (here.with_files([(LATEST, here.moved())]),),
        "is not one of this checkpoint",
    ),
    Row("a tile is swapped", swapped_tile, "entry 0: the entry does not hash to its stored leaf"),
    Row(
        "the parties' transcripts differ",
        other_transcripts,
        "the transcript hash of this session is another one",
        lambda here, there: (here.files, other_transcript(there)),
        "the transcript is another one in the log of channel.test/log",
    ),
    Row(
        "a release without a spend",
        lambda: of_keeper(unpaid),
        "no budget.spent (dp) for its request stands before it",
        lambda here, there: (there.without_kind("budget.spent"),),
        "no budget.spent for its request stands before it",
    ),
    Row(
        "a session without a consent snapshot",
        lambda: of_keeper(unconsented),
        "rests on a consent snapshot that no consent.snapshot before it has",
        lambda here, there: (here.without_kind("consent.snapshot"),),
        "no consent.snapshot stands before it",
    ),
)


def what_verify_says(row):
    """Return what `audit verify` finds, '' for nothing."""
    try:
        row.log()
    except AuditError as error:
        return str(error)
    return ""


def main():
    """Print the table; 1 when something went unfound."""
    unfound = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        here, there = forgers(folder)
        assert not found_in((here.files, there.files), folder)
        for row in ROWS:
            said = what_verify_says(row)
            lines = [f"audit verify: {said or 'NOT FOUND'}"]
            unfound += row.found not in said
            if row.evidence is not None:
                told = found_in(row.evidence(here, there), folder)
                lines.append(f"verify.py:    {told or 'NOT FOUND'}")
                unfound += row.found_in_evidence not in told
            sys.stdout.write(f"{row.name}\n" + "".join(f"    {line}\n" for line in lines))
    sys.stdout.write(f"{len(ROWS)} ways to tamper, {unfound} of them not found or not named\n")
    return int(unfound > 0)


if __name__ == "__main__":
    sys.exit(main())
