import errno
import stat
from pathlib import Path

import pytest

from mammography.preparation.whole_files import (
    PRIVATE,
    remove_unfinished,
    write_first,
    write_whole,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_and_nothing_else_remains(tmp_path):
    for content in (b"old", b"new"):
        write_whole(tmp_path / "folder" / "a.json", content)
    assert (tmp_path / "folder" / "a.json").read_bytes() == b"new"
    assert names(tmp_path / "folder") == ["a.json"]


def test_of_several_writers_the_first_wins(tmp_path):
    for content in (b"first", b"second"):
        write_first(tmp_path / "folder" / "salt", content, PRIVATE)
    assert (tmp_path / "folder" / "salt").read_bytes() == b"first"
    assert names(tmp_path / "folder") == ["salt"]
    assert stat.S_IMODE((tmp_path / "folder" / "salt").stat().st_mode) == PRIVATE


def test_a_disk_without_links_serves_as_well(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    for content in (b"first", b"second"):
        write_first(tmp_path / "salt", content)
    assert (tmp_path / "salt").read_bytes() == b"first"
    assert names(tmp_path) == ["salt"]


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_first(tmp_path / "salt", b"x")
    assert names(tmp_path) == []


def test_only_half_written_files_of_the_given_names_are_removed(tmp_path):
    keep = ["a.png", ".hidden.png", ".a.json.node-1-ab", "a.png.node-1-ab"]
    for name in [*keep, ".a.png.node-1-ab", ".b.png.77"]:
        (tmp_path / name).write_bytes(b"")
    remove_unfinished(tmp_path, ["*.png"])
    assert names(tmp_path) == sorted(keep)
    remove_unfinished(tmp_path / "nowhere", ["*.png"])
