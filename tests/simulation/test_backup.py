"""A backup of a party at work, and what a restored party may and may not do.

Covers: what is in a backup, sealed and not; bytes changed and cut off; restoring to SQLite and to
PostgreSQL; the attack that a restore gives for nothing (an old ledger that is spent again, noise
drawn again, an invitation used again), also by a counterpart that lies about what it has seen. Does
not cover: two copies of one party at work at the same time, which only their counterparts can see.
"""

import io
import json
import shutil
import sqlite3
import tarfile
import threading
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic import command
from organisations import Wire, copy_pair, file_match, make_pair, run_both

from audit.bodies import AuditRead
from audit.errors import VerificationError
from audit.roles import BY_HAND
from party.backup import archive
from party.backup.archive import read_archive
from party.backup.making import make_backup
from party.backup.restoring import Seen, restore
from party.contract_terms import write_time
from party.desk import Desk
from party.errors import BackupError, InUse, Refusal, RefusalStatus, StoreError
from party.evidence import StoredLog, verify_log
from party.identity import IdentityError
from party.ledger import DAY_SECONDS, rows
from party.occupied import backing_up
from party.organisation import Organisation
from party.reception import Reception
from party.request import Request
from party.schema import LEDGER, LOG_ENTRIES, METADATA, RESTORES, RESULTS
from party.settings import load_settings
from party.store import Store, _alembic_config, sqlite_url

PASSPHRASE = b"correct horse battery staple"
NOBODY = lambda party: []  # noqa: E731 - what is asked


def ask(parties, contract, **link):
    """Carry out a match whose list the channel gets, and return its request."""
    request = file_match(parties, contract)
    return request, run_both(parties, request, Wire(), **link)


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A pair with one finished match."""
    folder = tmp_path_factory.mktemp("ready")
    parties, contract = make_pair(folder, epsilon="100")
    request, ended = ask(parties, contract)
    assert ended == {"advertiser": None, "channel": None}, ended
    for party in parties.values():
        party.close()
    return folder, request


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch):
    monkeypatch.setattr(archive, "COST", 1 << 10)


@pytest.fixture
def pair(ready, tmp_path):
    folder, request = ready
    parties, contract = copy_pair(folder, tmp_path / "old")
    yield parties, contract, request
    for party in parties.values():
        party.close()


@pytest.fixture
def back_up(pair, tmp_path):
    """Back the channel up, sealed."""

    def work(name="channel", file="night.backup", passphrase=PASSPHRASE):
        return make_backup(pair[0][name], tmp_path / file, passphrase).file

    return work


@pytest.fixture
def bring_back(tmp_path):
    """Restore a party, and close it at the end."""
    opened = []

    def work(file, *, passphrase=PASSPHRASE, store="sqlite", ask=NOBODY, **options):
        folder = tmp_path / f"new{len(opened)}"
        done = restore(file, folder, passphrase=passphrase, store=store, ask=ask, **options)
        opened.append(Organisation.open(folder))
        return done, opened[-1]

    yield work
    for party in opened:
        party.close()


def contents(party):
    """Every row of a store, but for what a restore adds."""
    log = sa.select(LOG_ENTRIES).order_by(LOG_ENTRIES.c.seq)
    return {
        "log": [tuple(row) for row in party.store.rows(log)],
        "ledger": party.store.read(rows),
        "results": [tuple(row) for row in party.store.rows(sa.select(RESULTS))],
    }


def kinds(party):
    return [entry.kind for entry in StoredLog(party.store, party.identity).parsed()]


# -- what is in it -----------------------------------------------------------------------------


def test_a_restored_party_has_all_that_the_backup_had_and_its_log_verifies(
    pair, back_up, bring_back
):
    parties, _, request = pair
    file = back_up()
    before = contents(parties["channel"])
    done, party = bring_back(file)
    after = contents(party)
    assert after["log"][: len(before["log"])] == before["log"]
    assert (after["ledger"], after["results"]) == (before["ledger"], before["results"])
    assert kinds(party)[len(before["log"]) - 1 :] == ["backup.made", "party.restored"]
    assert verify_log(StoredLog(party.store, party.identity)).entries == done.verified.entries + 1
    stored = Desk(party).result(request.id)
    old = parties["channel"].folder / "lists"
    new = party.folder / "lists"
    assert {it.name: it.read_bytes() for it in new.iterdir()} == {
        it.name: it.read_bytes() for it in old.iterdir()
    }
    assert stored["list_file"]


def test_a_restored_party_goes_on_with_its_counterpart(pair, back_up, bring_back):
    parties, contract, _ = pair
    _, party = bring_back(back_up(), why="moved to another machine")
    request, ended = ask({"advertiser": parties["advertiser"], "channel": party}, contract)
    assert ended == {"advertiser": None, "channel": None}, ended
    for one in (party, parties["advertiser"]):
        verify_log(StoredLog(one.store, one.identity))
    assert Desk(party).find(request.id).state == "finished"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_whole_while_others_write(pair, back_up, bring_back, tmp_path, request, kind):
    """Two append pairs of entries as fast as they can; what is copied is one moment's store."""
    party, ended = pair[0]["channel"], threading.Event()
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
        _, party = bring_back(back_up(), store=url, why="moved")
    begun = threading.Barrier(3)

    def write(name):
        mine, number = Organisation.open(party.folder), 0

        def both(connection):
            for place in "xy":
                body = AuditRead("audit.show", f"{name}{number}{place}")
                mine.journal.append(connection, "audit.read", body, actor=BY_HAND)

        while not ended.is_set():
            mine.store.record(both)
            number += 1
            if number == 1:
                begun.wait(60)
        mine.close()

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    try:
        begun.wait(60)
        made = make_backup(party, tmp_path / "while.backup", PASSPHRASE)
    finally:
        ended.set()
        for writer in writers:
            writer.join()
    assert made.entries < party.journal.size
    done, restored = bring_back(made.file)
    assert done.verified.entries == made.entries
    log = StoredLog(restored.store, restored.identity)
    verify_log(log)
    written = {one.body.subject for one in log.parsed() if one.kind == "audit.read"} - {None}
    assert {"a0x", "b0x"} <= written
    firsts, seconds = ({name[:-1] for name in written if name[-1] == end} for end in "xy")
    assert firsts == seconds


def test_without_a_passphrase_the_keys_are_left_out_and_asked_for(pair, back_up, bring_back):
    party = pair[0]["channel"]
    file = back_up(passphrase=None)
    with tarfile.open(file) as found:
        assert not [name for name in found.getnames() if name.startswith("keys")]
    with pytest.raises(BackupError, match="--keys DIR"):
        bring_back(file, passphrase=None)
    _, restored = bring_back(file, passphrase=None, keys=party.folder / "keys")
    assert restored.identity.vkey == party.identity.vkey


def test_nothing_of_a_sealed_backup_can_be_read(pair, back_up):
    party, data = pair[0]["channel"], back_up().read_bytes()
    secrets = [it.read_bytes() for it in (party.folder / "keys").iterdir()]
    assert not [one for one in (*secrets, b"SQLite", b"party.toml", b"channel") if one in data]


def test_keys_of_another_party_do_not_serve(pair, back_up, bring_back):
    file = back_up(passphrase=None)
    with pytest.raises(BackupError, match="not made by the party"):
        bring_back(file, passphrase=None, keys=pair[0]["advertiser"].folder / "keys")


@pytest.mark.parametrize("sealed", [True, False])
def test_a_byte_that_was_changed_is_found_wherever_it_is(pair, back_up, tmp_path, sealed):
    file = back_up(passphrase=PASSPHRASE if sealed else None)
    data = bytearray(file.read_bytes())
    places = range(11, len(data), len(data) // 23)
    for number, place in enumerate(places):
        changed = bytearray(data)
        changed[place] ^= 1
        file.write_bytes(changed)
        target = tmp_path / f"changed{number}"
        options = {} if sealed else {"keys": pair[0]["channel"].folder / "keys"}
        try:
            restore(
                file, target, passphrase=PASSPHRASE if sealed else None, store="sqlite",
                ask=NOBODY, **options,
            )  # fmt: skip
        except (BackupError, IdentityError, VerificationError, StoreError):
            assert not target.exists()
            continue
        # what a tar archive has between and beside its files is nobody's
        assert not sealed
        target_party = Organisation.open(target)
        verify_log(StoredLog(target_party.store, target_party.identity))
        target_party.close()


def test_a_backup_that_was_cut_off_is_refused(back_up, bring_back):
    file = back_up()
    data = file.read_bytes()
    for length in (0, 20, 60, 1000, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:length])
        with pytest.raises(BackupError):
            bring_back(file)


@pytest.mark.parametrize("passphrase", [b"another passphrase of length", None])
def test_another_passphrase_opens_nothing(back_up, bring_back, passphrase):
    with pytest.raises(BackupError, match="passphrase"):
        bring_back(back_up(), passphrase=passphrase)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "keys/../../x", "etc/shadow", "party.db/x", "lists/./x"]
)
def test_an_archive_that_reaches_out_of_its_folder_is_refused(tmp_path, name):
    file, place = tmp_path / "evil.tar", tmp_path / "place"
    place.mkdir()
    with tarfile.open(file, "w") as made:
        info = tarfile.TarInfo(name)
        info.size = 1
        made.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(BackupError):
        read_archive(file, place, None)
    assert not list(place.iterdir())
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_an_archive_are_refused(tmp_path, kind):
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as made:
        info = tarfile.TarInfo("lists/x")
        info.type, info.linkname = kind, "/etc/passwd"
        made.addfile(info)
    with pytest.raises(BackupError):
        read_archive(file, tmp_path, None)


def test_a_store_that_was_exchanged_for_another_of_the_same_party_is_found(
    pair, back_up, tmp_path, bring_back
):
    """The manifest names each file, and the party has signed it."""
    party = pair[0]["channel"]
    first, second = (back_up(file=f"{name}.tar", passphrase=None) for name in ("first", "second"))
    mixture = tmp_path / "mixed.tar"
    with tarfile.open(first) as old, tarfile.open(second) as new, tarfile.open(mixture, "w") as out:
        for member in new:
            source = old if member.name == "party.db" else new
            found = source.getmember(member.name)
            out.addfile(found, source.extractfile(found))
    with pytest.raises(BackupError, match="was changed"):
        bring_back(tmp_path / "mixed.tar", passphrase=None, keys=party.folder / "keys")


# -- where it goes -----------------------------------------------------------------------------


def test_nothing_is_restored_over_a_party_or_over_anything(pair, back_up, tmp_path):
    party = pair[0]["channel"]
    before = sorted(party.folder.rglob("*"))
    file = back_up()
    with pytest.raises(BackupError, match="is not empty"):
        restore(file, party.folder, passphrase=PASSPHRASE, ask=NOBODY)
    assert [it for it in sorted(party.folder.rglob("*")) if it in before] == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BackupError, match="is not empty"):
        restore(file, tmp_path / "file", passphrase=PASSPHRASE, ask=NOBODY)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_store_moves_to_postgresql_and_back_with_every_row(
    pair, back_up, bring_back, postgresql, tmp_path
):
    url = postgresql.new_database()
    file = back_up()
    _, there = bring_back(file, store=url)
    assert load_settings(there.folder).store == url
    assert not list(there.folder.glob("party.db*"))
    before = {
        table.name: sorted(map(repr, there.store.rows(sa.select(table))))
        for table in METADATA.sorted_tables
    }
    there.store.write(  # rows are numbered on from those that came
        lambda c: c.execute(
            sa.insert(LEDGER).values(
                request="r", what="w", population="p", coalition="c", window_start=0,
                epsilon_nano=0, rho_nano=0, delta_e15=0, spent_at=0,
            )
        )
    )  # fmt: skip
    there.store.write(lambda c: c.execute(sa.delete(LEDGER).where(LEDGER.c.request == "r")))
    with pytest.raises(StoreError, match="another party's log"):
        bring_back(file, store=url)
    again = make_backup(there, tmp_path / "again.backup", PASSPHRASE).file
    _, back = bring_back(again)
    for table in METADATA.sorted_tables:
        kept = set(map(repr, back.store.rows(sa.select(table))))
        lost = set(before[table.name]) - kept
        assert not lost or table.name == "log_head", (table.name, lost)


def test_a_backup_is_never_written_over_a_file_and_never_left_in_part(pair, back_up, tmp_path):
    file = tmp_path / "night.backup"
    file.write_text("mine")
    with pytest.raises(BackupError, match="already"):
        back_up()
    assert file.read_text() == "mine"
    with pytest.raises(BackupError, match="at least 16"):
        make_backup(pair[0]["channel"], tmp_path / "other", b"short")
    with pytest.raises(BackupError, match="cannot be written"):
        make_backup(pair[0]["channel"], tmp_path / "nowhere" / "other", PASSPHRASE)
    assert not [it for it in tmp_path.iterdir() if it.name.startswith(".")]
    assert not (pair[0]["channel"].folder / ".backup").exists()


def test_a_backup_that_fails_on_its_way_leaves_nothing(pair, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_padding", fail)
    with pytest.raises(BackupError, match="No space left"):
        make_backup(pair[0]["channel"], tmp_path / "night.backup", PASSPHRASE)
    assert [it.name for it in tmp_path.iterdir()] == ["old"]


def test_one_backup_at_a_time(pair, back_up):
    with backing_up(pair[0]["channel"].folder), pytest.raises(InUse):
        back_up()


def test_a_list_that_is_not_the_one_the_store_names_is_not_backed_up(pair, back_up, monkeypatch):
    monkeypatch.setattr("party.backup.making.PAUSE_SECONDS", 0.0)
    party, _, request = pair[0]["channel"], *pair[1:]
    (file,) = (party.folder / "lists").glob(f"{request.id}*.parquet")
    shutil.copy(party.folder / "party.toml", file)
    with pytest.raises(BackupError, match="a list in the folder"):
        back_up()


# -- what must not happen twice ----------------------------------------------------------------


def test_a_backup_that_lacks_what_a_counterpart_has_cosigned_is_refused(pair, back_up, tmp_path):
    parties, contract, _ = pair
    file = back_up()
    _, ended = ask(parties, contract)
    assert set(ended.values()) == {None}
    seen = Desk(parties["advertiser"]).seen_checkpoint(parties["channel"].identity.fingerprint)
    with pytest.raises(BackupError, match=r"advertiser has seen .* the log would fork"):
        restore(
            file, tmp_path / "new", passphrase=PASSPHRASE, store="sqlite",
            ask=lambda party: [Seen("advertiser", seen)],
        )  # fmt: skip
    with pytest.raises(BackupError, match="witness has seen"):
        restore(
            file, tmp_path / "new", passphrase=PASSPHRASE, store="sqlite",
            ask=lambda party: [Seen("witness", entries=party.journal.size + 1)],
        )  # fmt: skip
    assert not (tmp_path / "new").exists()
    assert not [it for it in tmp_path.iterdir() if it.name.startswith(".")]


def test_a_party_restored_all_the_same_is_stopped_before_its_charge_by_what_others_saw(
    pair, back_up, bring_back
):
    """Nobody was asked, or nobody answered; the counterpart's first words tell."""
    parties, contract, _ = pair
    file = back_up()
    ask(parties, contract)
    _, party = bring_back(file, why="nothing, he said")
    before = party.store.read(rows)
    request, ended = ask({"advertiser": parties["advertiser"], "channel": party}, contract)
    assert "restored from an old backup" in str(ended["channel"])
    assert party.store.read(rows) == before
    assert Desk(party).find(request.id).state == "failed"
    verify_log(StoredLog(party.store, party.identity))


def test_what_was_spent_after_the_backup_is_not_spent_again_though_the_counterpart_lies(
    pair, back_up, bring_back
):
    """It says that it has seen nothing of the log, and asks for what the lost ledger paid for."""
    parties, contract, _ = pair
    file = back_up("advertiser")
    parties["channel"].journal.seen_size = lambda origin: 0
    _, ended = ask(parties, contract)
    assert set(ended.values()) == {None}
    _, party = bring_back(file)
    before = party.store.read(rows)
    with pytest.raises(Refusal, match="restored from a backup") as caught:
        ask({"advertiser": party, "channel": parties["channel"]}, contract)
    assert caught.value.status is RefusalStatus.BUDGET_EXHAUSTED
    assert party.store.read(rows) == before
    verify_log(StoredLog(party.store, party.identity))


def test_a_closed_budget_opens_when_its_window_renews(pair, back_up, bring_back):
    contract = pair[1]
    _, party = bring_back(back_up())
    request = Request.match(
        contract, requester="channel", receiver="channel", sender="advertiser", now=party.now
    )
    with pytest.raises(Refusal, match="closed"):
        Desk(party).require_budget(request, contract)
    assert Desk(party).balance(request, contract).left == (0, 0)
    renews = Desk(party).balance(request, contract).renews_at
    party.clock = lambda: renews
    Desk(party).require_budget(request, contract)
    assert Desk(party).balance(request, contract).left > (0, 0)
    assert renews - time.time() <= contract.window_days * DAY_SECONDS


def test_a_session_that_was_open_does_not_go_on_and_draws_no_second_noise(
    pair, back_up, bring_back
):
    """The advertiser dies after its table has left: the backup before it knows no table."""
    parties, contract, _ = pair
    request, ended = ask(parties, contract, channel={"dies_at": "Nonce"})
    assert Desk(parties["advertiser"]).find(request.id).state == "approved"
    file = back_up("advertiser")
    done, party = bring_back(file, why="nothing was spent")
    assert done.ended == 1
    found = Desk(party).find(request.id)
    assert found.decision.refusal.status is RefusalStatus.EXPIRED
    assert write_time(done.made_at) in found.reason
    assert not (party.folder / "sessions" / request.id).exists()
    ended = run_both({"advertiser": party, "channel": parties["channel"]}, request, Wire())
    assert isinstance(ended["advertiser"], Refusal)
    verify_log(StoredLog(party.store, party.identity))


def test_invitations_that_were_open_serve_no_longer(pair, bring_back, tmp_path):
    party = pair[0]["channel"]
    (party.folder / "public.yaml").write_text(
        (party.folder / "public.yaml").read_text() + "address: channel.test:7443\n"
    )
    Reception(party).invite(hours=24, for_name=None, replace=False)
    file = make_backup(party, tmp_path / "night.backup", PASSPHRASE).file
    done, restored = bring_back(file)
    assert done.withdrawn == 1
    (issued,) = Reception(restored).issued()
    assert issued.withdrawn_at is not None


def test_the_log_says_of_when_the_backup_was_and_why_budgets_were_kept(pair, back_up, bring_back):
    file = back_up()
    for why, words in ((None, "closed"), ("moved", "kept")):
        done, party = bring_back(file, why=why)
        *_, entry = StoredLog(party.store, party.identity).parsed()
        assert entry.kind == "party.restored"
        assert (entry.body.backed_up_at, entry.body.entries) == (done.made_at, entry.seq)
        assert (entry.body.budgets, entry.body.why) == (words, why)
        (row,) = party.store.rows(sa.select(RESTORES))
        assert (row.entry, row.closes) == (entry.seq, int(why is None))


def test_a_backup_of_before_is_brought_up_to_this_version(pair, back_up, bring_back, tmp_path):
    """As one that an older program made: its store lacks the newest table."""
    place = tmp_path / "place"
    place.mkdir()
    file = back_up(passphrase=None)
    manifest = read_archive(file, place, None)
    store = Store.open(sqlite_url(place / "party.db"))
    with store._engine.begin() as connection:
        command.downgrade(_alembic_config(connection), "0015")
    store.close()
    with sqlite3.connect(place / "party.db") as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    party, members = pair[0]["channel"], [(name, place / name) for name in manifest.files]
    with (tmp_path / "older.tar").open("wb") as out:
        archive.write_archive(
            out, members, lambda digests: replace(manifest, files=digests), party.identity.sign,
            None,
        )  # fmt: skip
    _, restored = bring_back(tmp_path / "older.tar", passphrase=None, keys=party.folder / "keys")
    verify_log(StoredLog(restored.store, restored.identity))


def test_a_manifest_of_another_format_is_refused():
    body = json.dumps({"format": "commonground-backup", "version": 2}).encode()
    with pytest.raises(BackupError, match="version of commonground"):
        archive.Manifest.decode(body)
