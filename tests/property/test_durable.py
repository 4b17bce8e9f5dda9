"""What is on the disk: a file has its name only once its bytes are, and a mark its folder's."""

import os
import threading

from party import durable
from party.artefacts import SessionFolder
from party.correspondence import Correspondence


def test_the_bytes_come_to_the_disk_before_the_name(tmp_path, monkeypatch):
    temporary, path = tmp_path / "list.new", tmp_path / "list"
    temporary.write_bytes(b"new")
    path.write_bytes(b"old")
    seen = []

    def fsync(handle):
        is_folder = os.path.samestat(os.fstat(handle), tmp_path.stat())
        seen.append(("folder" if is_folder else "file", path.read_bytes()))

    monkeypatch.setattr(os, "fsync", fsync)
    durable.settle(temporary, path)
    assert seen == [("file", b"old"), ("folder", b"new")]
    assert not temporary.exists()


def test_two_may_note_the_same_end_at_once(tmp_path, monkeypatch):
    """As carriers that begin together do, each of which finds that a counterpart was not told."""
    both, flush, failed = threading.Barrier(2), durable.flush, []

    def flush_together(path):
        flush(path)
        both.wait(60)

    def note():
        try:
            Correspondence(SessionFolder(tmp_path / "session"), "channel").note_end()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failed.append(error)

    (tmp_path / "session").mkdir()
    monkeypatch.setattr(durable, "flush", flush_together)
    threads = [threading.Thread(target=note) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert Correspondence(SessionFolder(tmp_path / "session"), "channel").end_is_known
