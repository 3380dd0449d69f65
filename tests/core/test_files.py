"""Files that are written whole, and the lock that keeps other processes out."""

import os
import threading
from pathlib import Path

import pytest

from dgfas.core.errors import UserError
from dgfas.core.files import locked, read_json, write_whole


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new", durable=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "fault"),
    [('{"a": 1', "cannot be read as JSON"), ("[1]", "is damaged"), ('{"b": 1}', "it must hold a")],
)
def test_json_that_cannot_be_used_is_named(tmp_path: Path, content: str, fault: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(UserError, match=f"{path}: .*{fault}"):
        read_json(path, "a")


def test_a_lock_that_was_waited_for_keeps_others_out(tmp_path: Path) -> None:
    path = tmp_path / "folder" / ".lock"
    has_it, may_go = threading.Event(), threading.Event()

    def wait_and_hold() -> None:
        with locked(path):
            has_it.set()
            may_go.wait(60)

    waiting = threading.Thread(target=wait_and_hold)
    with locked(path):
        waiting.start()
        assert not has_it.wait(0.2)
    assert has_it.wait(60)
    with pytest.raises(UserError, match="somebody is there"), locked(path, busy="somebody is there"):
        pass
    may_go.set()
    waiting.join()
    with locked(path, busy="somebody is there"):
        pass
