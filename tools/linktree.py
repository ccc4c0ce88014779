"""Show static tools the package as it installs.

The four source folders install under one name, ``graphc``, through setuptools' package-dir. Type
checkers read files, not install hooks, so they look at ``.tree/graphc/`` instead: a git-ignored
folder of symbolic links in which every folder stands where Python finds it after an install.
"""

import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def folders() -> dict[str, str]:
    """Package name to source folder, as pyproject.toml maps them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    mapping: dict[str, str] = project["tool"]["setuptools"]["package-dir"]
    return mapping


def build(tree: Path) -> None:
    """Make `tree` afresh: a link for each core file and for each folder of the mapping."""
    shutil.rmtree(tree, ignore_errors=True)
    package = tree / "graphc"
    package.mkdir(parents=True)
    for name, folder in folders().items():
        if name == "graphc":
            for entry in sorted((ROOT / folder).iterdir()):
                if entry.name != "__pycache__":
                    (package / entry.name).symlink_to(entry)
        else:
            (package / name.removeprefix("graphc.")).symlink_to(ROOT / folder)


if __name__ == "__main__":
    build(ROOT / ".tree")
