"""Files are whole or as they were before."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from graphc.frontend.saving.atomic_file import leftovers, write_atomically


def writer(content: bytes) -> Any:
    return lambda file: file.write(content)


def test_the_order_of_writing_flushing_and_renaming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    def noting(name: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            what = ""
            if name == "flush":
                kind = stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
                what = " folder" if kind else f" file of {os.fstat(arguments[0]).st_size} bytes"
            events.append(name + what)
            return function(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", noting("flush", os.fsync))
    monkeypatch.setattr(os, "replace", noting("rename", os.replace))
    write_atomically(tmp_path / "c", writer(b"12345"))
    assert events == ["flush file of 5 bytes", "rename", "flush folder"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "c", writer(b"old"))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "c", writer(b"new"))
    assert (tmp_path / "c").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    def interrupted(file: BinaryIO) -> None:
        file.write(b"ne")
        raise KeyboardInterrupt

    write_atomically(tmp_path / "c", writer(b"old"))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "c", interrupted)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "file")
    write_atomically(tmp_path / "link", writer(b"content"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_bytes() == b"content"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_who_could_not_read_the_old_file_cannot_read_the_new_one(mode: int, tmp_path: Path) -> None:
    (tmp_path / "c").touch()
    (tmp_path / "c").chmod(mode)
    write_atomically(tmp_path / "c", writer(b"secret"))
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == mode
    assert (tmp_path / "c").read_bytes() == b"secret"


def test_pipes_and_devices_are_written_to_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / "pipe", writer(b"through"))
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path, writer(b""))


def test_the_file_has_ordinary_rights(tmp_path: Path) -> None:
    (tmp_path / "ordinary").touch()
    write_atomically(tmp_path / "c", writer(b""))
    assert (tmp_path / "c").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_what_a_killed_process_left_is_found(tmp_path: Path) -> None:
    def killed(file: BinaryIO) -> None:
        os._exit(9)

    child = os.fork()
    if child == 0:
        write_atomically(tmp_path / "step-1.x", killed)
    os.waitpid(child, 0)
    (tmp_path / "step-2.x").touch()
    found = list(leftovers(tmp_path, "step-*.x"))
    assert found == [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(found) == 1
