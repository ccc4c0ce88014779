"""Show static tools the package as it installs.

The four source folders install under one name, ``graphc``, through setuptools' package-dir. Type
checkers read files, not install hooks, so they look at ``.tree/graphc/`` instead: a git-ignored
folder of symbolic links in which every folder stands where Python finds it after an install.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def folders() -> dict[str, str]:
    """Package name to source folder, as pyproject.toml maps them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    mapping: dict[str, str] = project["tool"]["setuptools"]["package-dir"]
    return mapping


def links() -> dict[str, Path]:
    """Return what the package holds: each core file and each mapped folder, by its name there."""
    mapping = folders()
    core = {entry.name: entry for entry in (ROOT / mapping.pop("graphc")).iterdir()}
    core.pop("__pycache__", None)
    return core | {name.removeprefix("graphc."): ROOT / path for name, path in mapping.items()}


def build(package: Path) -> None:
    """Make the links in `package`; those that are right already stay untouched."""
    package.mkdir(parents=True, exist_ok=True)
    wanted = links()
    for present in package.iterdir():
        if not present.is_symlink() or present.readlink() != wanted.get(present.name):
            present.unlink()
    for name, target in wanted.items():
        link = package / name
        if not link.is_symlink():
            link.symlink_to(target)


if __name__ == "__main__":
    build(ROOT / ".tree" / "graphc")
