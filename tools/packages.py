"""Write the `packages` list of pyproject.toml from the tree.

setuptools finds nothing by itself when folders install under another name; run this after adding a
folder with Python files.
"""

import re

from linktree import ROOT, folders


def on_disk() -> list[str]:
    """Return the name of every source folder with Python files, as it installs."""
    found = {
        ".".join([package, *path.parent.relative_to(ROOT / folder).parts])
        for package, folder in folders().items()
        for path in (ROOT / folder).rglob("*.py")
    }
    return sorted(found)


def rewrite(project: str, packages: list[str]) -> str:
    """Return the text of pyproject.toml with its list replaced by `packages`."""
    lines = "".join(f'    "{name}",\n' for name in packages)
    text, count = re.subn(
        r"^packages = \[\n.*?^\]",
        f"packages = [\n{lines}]",
        project,
        flags=re.MULTILINE | re.DOTALL,
    )
    if count != 1:
        raise SystemExit("pyproject.toml has no single `packages = [` list")
    return text


if __name__ == "__main__":
    file = ROOT / "pyproject.toml"
    before = file.read_text()
    after = rewrite(before, on_disk())
    if after != before:
        file.write_text(after)
