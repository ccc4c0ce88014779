"""The source files, by the module name that each installs under."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]


def module_name(path: Path) -> str:
    """Return the dotted name of a source file: frontend/nn/__init__.py is graphc.frontend.nn."""
    folder, *parts = path.relative_to(ROOT).with_suffix("").parts
    package = next(name for name, mapped in FOLDERS.items() if mapped == folder)
    return ".".join([package, *parts]).removesuffix(".__init__")


MODULES: dict[str, Path] = {
    module_name(path): path
    for folder in FOLDERS.values()
    for path in sorted((ROOT / folder).rglob("*.py"))
}
