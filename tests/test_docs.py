"""The pages are true: their code prints what they show, their tables say what the code says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphc.config import FLAGS
from graphc.runtime.llvm.math.table import FLOAT64_FROM_LIBM, ULP_BOUNDS
from tests.documents import Block, Document, apply_diff, comparable, copy_sources
from tests.sources import MODULES, ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
RUNNING = [page for page in PAGES if Document(page).code]
PATCHING = [page for page in RUNNING if Document(page).diffs]


def check(document: Document, printed: list[str], update: bool) -> None:
    if update:
        document.update(printed)
    for (code, output), text in zip(document.code, printed, strict=True):
        shown = output or Block("text", "", code.stop, code.stop)
        expected = comparable(shown.text, shown.info)
        place = f"{document.path.name}:{code.start}"
        assert comparable(text, shown.info) == expected, f"{place} printed:\n{text}"


@pytest.mark.parametrize(
    "page", [page for page in RUNNING if page not in PATCHING], ids=lambda page: page.name
)
def test_code_prints_what_the_page_shows(page: Path, pytestconfig: pytest.Config) -> None:
    document = Document(page)
    check(document, document.run(), pytestconfig.getoption("--update-golden"))


@pytest.mark.slow
@pytest.mark.parametrize("page", PATCHING, ids=lambda page: page.name)
def test_diffs_work(page: Path, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    document = Document(page)
    copy_sources(tmp_path)
    for diff in document.diffs:
        apply_diff(diff, tmp_path)
    environment = {"PYTHONPATH": str(tmp_path), "GRAPHC_CACHE_DIR": str(tmp_path / "cache")}
    printed = document.run(environment, tmp_path)
    check(document, printed, pytestconfig.getoption("--update-golden"))
    for command in (block.text for block in document.blocks if block.info == "console"):
        run_tests(command, tmp_path, environment)


def run_tests(command: str, folder: Path, environment: dict[str, str]) -> None:
    """Run a page's ``.venv/bin/pytest ...`` commands in the changed copy."""
    for line in command.splitlines():
        program, *arguments = line.removeprefix("$ ").split()
        assert program == ".venv/bin/pytest", line
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            env={**os.environ, **environment}, cwd=folder, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert re.search(r"\d+ passed", done.stdout), done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if not re.match(r"\w+:", target):
            assert (page.parent / target).exists(), target


def test_every_page_is_on_the_map() -> None:
    readme = (ROOT / "README.md").read_text()
    for page in DOCS.glob("*.md"):
        assert f"docs/{page.name}" in readme, page.name


def test_every_folder_has_its_concept() -> None:
    rows = Document(DOCS / "architecture.md").table("## Folders")
    stated = {folder for row in rows for folder in re.findall(r"([\w/]+)/(?!\w)", row[0])}
    assert stated == {path.parent.relative_to(ROOT).as_posix() for path in MODULES.values()}


def test_settings_are_all_described() -> None:
    rows = Document(DOCS / "settings.md").table("# Settings")
    assert [row[:2] for row in rows] == [
        [f"GRAPHC_{flag.name}", flag.default or "(empty)"] for flag in FLAGS
    ]


def test_bounds_are_those_of_the_code() -> None:
    rows = Document(DOCS / "numerics.md").table("## Native functions")
    stated = {name: (float(single), float(double.rstrip("*"))) for name, single, double in rows}
    assert stated == dict(ULP_BOUNDS)
    assert {name for name, _, double in rows if double.endswith("*")} == FLOAT64_FROM_LIBM
