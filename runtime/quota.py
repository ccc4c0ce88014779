"""How many processors' worth of time the system grants: the quota of Linux's control groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def cpu_quota(root: Path = Path("/")) -> float | None:
    """The smallest quota of this process's control groups, in processors, or None without one.

    Args:
        root: where the file system starts.
    """
    quotas = [
        quota
        for folder, version in _folders(root)
        if (quota := _quota(folder, version)) is not None
    ]
    return min(quotas, default=None)


def _folders(root: Path) -> Iterator[tuple[Path, int]]:
    """The folder of each group that may limit this process, with the version of its files."""
    groups = _groups(root)
    for line in _lines(root / "proc/self/mountinfo"):
        place, _, kind = line.partition(" - ")
        fields, (system, *_, options) = place.split(), kind.split()
        version = {"cgroup": 1, "cgroup2": 2}.get(system)
        if version is None or (version == 1 and "cpu" not in options.split(",")):
            continue
        mounted, mount = Path(fields[3]), root / fields[4].lstrip("/")
        group = groups.get(version, Path("/"))
        inside = group.relative_to(mounted) if group.is_relative_to(mounted) else Path()
        folder = mount / inside
        for each in (folder, *folder.parents):
            if each.is_relative_to(mount):
                yield each, version


def _groups(root: Path) -> dict[int, Path]:
    """This process's group in each version's tree."""
    groups = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            groups[2] = Path(path)
        elif "cpu" in controllers.split(","):
            groups[1] = Path(path)
    return groups


def _quota(folder: Path, version: int) -> float | None:
    """What one group grants."""
    if version == 2:
        words = " ".join(_lines(folder / "cpu.max")).split()
    else:
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        words = [word for name in names for word in _lines(folder / name)]
    if len(words) != 2 or words[0] in {"max", "-1"}:
        return None
    time, period = int(words[0]), int(words[1])
    return time / period if period > 0 else None


def _lines(file: Path) -> list[str]:
    """The lines of a file, none if it cannot be read."""
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
