"""A file has its name only once its bytes are on the disk."""

import os

from party import durable


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
