"""The object cache trusts nothing that it reads, and never fails."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from graphc.config import CACHE, CACHE_DIR
from graphc.runtime.disk_cache import DiskCache, open_cache
from graphc.runtime.llvm.compiler import cache as caches
from graphc.runtime.llvm.compiler.cache import compile_cached, key_of
from graphc.runtime.llvm.compiler.target import host_target, named_target

CODE = "define void @nothing() {\n  ret void\n}\n"


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    with CACHE_DIR.override(str(tmp_path / "objects")), CACHE.override("1"):
        return open_cache()


def test_the_second_compile_comes_from_disk(cache: DiskCache) -> None:
    first = compile_cached(CODE, host_target(), cache)
    second = compile_cached(CODE, host_target(), cache)
    assert (first[1], second[1]) == (False, True)
    assert first[0] == second[0]
    assert len(cache.entries()) == 1
    assert cache.clear() == 1
    assert compile_cached(CODE, host_target(), cache)[1] is False


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "header", "other key"])
def test_a_damaged_file_is_compiled_again(cache: DiskCache, damage: str) -> None:
    code, _ = compile_cached(CODE, host_target(), cache)
    (file,) = cache.entries()
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[-20] ^= 1
    elif damage == "header":
        content[3] ^= 1
    elif damage == "cut":
        del content[-5:]
    elif damage == "empty":
        content.clear()
    else:
        cache.put("0" * 64, b"other code")
        content = bytearray((file.parent / f"{'0' * 64}.gco").read_bytes())
    file.write_bytes(content)
    assert compile_cached(CODE, host_target(), cache) == (code, False)
    assert compile_cached(CODE, host_target(), cache) == (code, True)


def test_a_file_that_others_may_write_is_not_loaded(cache: DiskCache) -> None:
    compile_cached(CODE, host_target(), cache)
    (file,) = cache.entries()
    file.chmod(0o666)
    assert cache.get(key_of(CODE, host_target())) is None


def test_a_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with CACHE_DIR.override(str(shared)), CACHE.override("1"):
        refused = open_cache()
    assert refused.directory is None
    assert "others may write" in refused.status
    assert compile_cached(CODE, host_target(), refused)[1] is False
    assert list(shared.iterdir()) == []


def test_an_impossible_directory_means_no_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with CACHE_DIR.override(str(blocked / "objects")), CACHE.override("1"):
        assert open_cache().directory is None
    vanished = DiskCache(tmp_path / "vanished", "on")
    assert vanished.put("0" * 64, b"code") is False
    assert vanished.get("0" * 64) is None
    assert vanished.entries() == []


@pytest.mark.skipif(os.getuid() == 0, reason="the superuser may write anywhere")
def test_an_unwritable_directory_means_no_cache(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with CACHE_DIR.override(str(locked)), CACHE.override("1"):
        assert "not writable" in open_cache().status


def test_the_cache_can_be_turned_off(tmp_path: Path) -> None:
    with CACHE.override("0"), CACHE_DIR.override(str(tmp_path / "objects")):
        assert open_cache().directory is None
    assert not (tmp_path / "objects").exists()


def test_the_directory_is_private(cache: DiskCache) -> None:
    assert cache.directory is not None
    assert cache.directory.stat().st_mode & 0o777 == 0o700


def test_the_user_cache_directory_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with CACHE_DIR.override(""), CACHE.override("1"):
        assert open_cache().directory == tmp_path / "graphc"


def test_the_key_depends_on_code_processor_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    target = host_target()
    keys = {
        key_of(CODE, target),
        key_of(CODE + " ", target),
        key_of(CODE, named_target("baseline")),
        key_of(CODE, replace(target, cpu="other")),
    }
    monkeypatch.setattr(caches.native, "versions", lambda: "llvmlite 0 llvm 0")
    keys.add(key_of(CODE, target))
    assert len(keys) == 5


def test_concurrent_writers_leave_one_whole_file(cache: DiskCache) -> None:
    code = os.urandom(1 << 20)
    key = "a" * 64
    seen: list[bytes | None] = []

    def work() -> None:
        for _ in range(5):
            cache.put(key, code)
            seen.append(cache.get(key))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {code}
    assert cache.directory is not None
    assert [file.name for file in cache.directory.iterdir()] == [f"{key}.gco"]
