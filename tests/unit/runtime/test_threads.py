"""The number of threads: who is asked, in which order, and what is refused."""

import os
from pathlib import Path

import pytest

from graphc.config import NUM_THREADS
from graphc.errors import ArgumentError
from graphc.runtime import threads
from graphc.runtime.quota import cpu_quota
from graphc.runtime.threads import checked_threads, default_threads


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHC_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def grant(monkeypatch: pytest.MonkeyPatch, processors: int, quota: float | None) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)), raising=False)
    monkeypatch.setattr(threads, "cpu_quota", lambda: quota)


@pytest.mark.parametrize(
    ("processors", "quota", "expected"),
    [
        (1, None, 1),
        (4, None, 4),
        (4, 8.0, 4),
        (4, 2.0, 2),
        (4, 1.5, 2),
        (4, 0.01, 1),
        (5000, None, 1024),
    ],
)
def test_what_the_system_grants(
    monkeypatch: pytest.MonkeyPatch, processors: int, quota: float | None, expected: int
) -> None:
    grant(monkeypatch, processors, quota)
    assert default_threads() == expected


def test_without_affinity_all_processors_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(threads, "cpu_quota", lambda: None)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert default_threads() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_threads() == 1


def test_our_variable_then_openmps_then_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    grant(monkeypatch, 6, None)
    monkeypatch.setenv("OMP_NUM_THREADS", " 5,2 ")
    assert default_threads() == 5
    monkeypatch.setenv("GRAPHC_NUM_THREADS", " 4 ")
    assert default_threads() == 4
    with NUM_THREADS.override("3"):
        assert default_threads() == 3
    monkeypatch.setenv("GRAPHC_NUM_THREADS", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert default_threads() == 6


@pytest.mark.parametrize("name", ["GRAPHC_NUM_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize("text", ["0", "-2", "many", "1.5", "1025", "0x4", ",2"])
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ArgumentError, match=f"^{name}") as caught:
        default_threads()
    assert text in str(caught.value)


def test_a_wrong_argument_is_named() -> None:
    assert checked_threads(1024) == 1024
    with pytest.raises(ArgumentError, match=r"threads: wrong number.*\n.*got: 0"):
        checked_threads(0)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")


V2 = "30 23 0:26 {root} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
V1 = (
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset"
)


def test_a_system_without_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    write(tmp_path, {"proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw"})
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("max 100000", "max 100000", None),
        ("max 100000", "150000 100000", 1.5),
        ("200000 100000", "max 100000", 2.0),
        ("200000 100000", "50000 10000", 2.0),
    ],
)
def test_the_smallest_quota_on_the_way_up(
    tmp_path: Path, outer: str, inner: str, expected: float | None
) -> None:
    write(
        tmp_path,
        {
            "proc/self/mountinfo": V2.format(root="/"),
            "proc/self/cgroup": "0::/user.slice/job:1",
            "sys/fs/cgroup/user.slice/cpu.max": outer,
            "sys/fs/cgroup/user.slice/job:1/cpu.max": inner,
        },
    )
    assert cpu_quota(tmp_path) == expected


def test_a_container_sees_its_group_as_the_root(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/docker/1", "sys/fs/cgroup/cpu.max": "300000 100000"}
    write(tmp_path, files | {"proc/self/mountinfo": V2.format(root="/docker/1")})
    assert cpu_quota(tmp_path) == 3.0
    write(tmp_path, {"proc/self/cgroup": "0::/../elsewhere"})
    assert cpu_quota(tmp_path) == 3.0


@pytest.mark.parametrize(("time", "expected"), [("-1", None), ("250000", 2.5)])
def test_the_first_version_of_groups(tmp_path: Path, time: str, expected: float | None) -> None:
    folder = "sys/fs/cgroup/cpu,cpuacct/batch"
    write(
        tmp_path,
        {
            "proc/self/mountinfo": V1.format(root="/"),
            "proc/self/cgroup": "5:cpuset:/other\n4:cpu,cpuacct:/batch\n0::/",
            f"{folder}/cpu.cfs_quota_us": time,
            f"{folder}/cpu.cfs_period_us": "100000",
        },
    )
    assert cpu_quota(tmp_path) == expected


def test_the_quota_of_this_system_can_be_read() -> None:
    quota = cpu_quota()
    assert quota is None or quota > 0
