"""The project's Markdown pages as programs: their code, what it prints, their diffs and tables.

A page's ```` ```python ```` blocks run in order, in one namespace and one fresh process, as if
they were one script that is named after the page: ``walkthrough.py:12`` in an output is line 12 of
the page's code. A ```` ```text ```` block right after a python block is exactly what it prints. In
```` ```text measured ```` some things are free, because they differ from run to run or between
machines: numbers with a decimal point or before a unit, kernels' hashes, the width of gaps, and
which value is the least accurate one. An error of graphc that ends a block counts as printed.

A ```` ```diff ```` block changes a copy of the sources before the page's code runs. A hunk has no
line numbers: its old lines must occur exactly once in the file.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sources import ROOT

RUNNER = Path(__file__).parent / "run_document.py"
_FENCE = re.compile(r"^```(.*)$")
_MEASURED = re.compile(
    r"\b[0-9a-f]{24}\b|(?<=ULP\) in ).*|\d[\d,]*(?:\.\d+(?:e[+-]\d+)?|(?= ?(?:us|ms|ns|s|x|ULP)\b))"
)


@dataclass(frozen=True)
class Block:
    """One fenced block: the words after the fence, its text, and where its lines start and stop."""

    info: str
    text: str
    start: int
    stop: int

    @property
    def is_output(self) -> bool:
        """True for what a python block prints."""
        return self.info in ("text", "text measured")


@dataclass(frozen=True)
class Document:
    """One Markdown page."""

    path: Path

    @property
    def blocks(self) -> list[Block]:
        """All fenced blocks, in order."""
        return list(_blocks(self.path.read_text().splitlines()))

    @property
    def code(self) -> list[tuple[Block, Block | None]]:
        """Each python block, and the block of what it prints if the page shows one."""
        lines = self.path.read_text().splitlines()
        outputs = {_start_of_gap(lines, block): block for block in self.blocks if block.is_output}
        return [(block, outputs.get(block.stop)) for block in self.blocks if block.info == "python"]

    @property
    def diffs(self) -> list[str]:
        """The texts of all diff blocks."""
        return [block.text for block in self.blocks if block.info == "diff"]

    def table(self, heading: str) -> list[list[str]]:
        """The rows of the first table below a heading, without its head and without backquotes."""
        lines = self.path.read_text().splitlines()
        rows: list[list[str]] = []
        for line in lines[lines.index(heading) + 1 :]:
            if line.startswith("|"):
                cells = line.strip("|").split("|")
                rows.append([cell.strip().strip("`") for cell in cells])
            elif rows:
                break
        return rows[2:]

    def run(self, environment: dict[str, str] | None = None, folder: Path = ROOT) -> list[str]:
        """What each python block prints, from a fresh process."""
        script = f"{self.path.stem.lower()}.py"
        job = {"script": script, "blocks": [block.text for block, _ in self.code]}
        done = subprocess.run(
            [sys.executable, "-W", "error", str(RUNNER)],
            env={**os.environ, "GRAPHC_CACHE": "0", **(environment or {})},
            input=json.dumps(job), cwd=folder, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.path.name}: {done.stderr}"
        printed: list[str] = json.loads(done.stdout)
        return printed

    def update(self, printed: Sequence[str]) -> None:
        """Write what was printed into the page's output blocks."""
        lines = self.path.read_text().splitlines()
        for (_, output), text in reversed(list(zip(self.code, printed, strict=True))):
            if output is not None:
                lines[output.start : output.stop] = text.splitlines()
        self.path.write_text("\n".join(lines) + "\n")


def comparable(text: str, info: str) -> str:
    """The text as it is compared: measured numbers and gaps become one sign each."""
    if info != "text measured":
        return text.rstrip("\n")
    lines = (re.sub(r"[ -]{2,}|\s", " ", _MEASURED.sub("#", line)) for line in text.splitlines())
    return "\n".join(line.strip() for line in lines)


def copy_sources(folder: Path) -> None:
    """The packages as they install, and the tests, below `folder`; with their bytecode.

    Bytecode knows its source by time and size, which the copies keep.
    """
    ignored = shutil.ignore_patterns("*.pyc.*")  # what another process is just writing
    shutil.copytree(ROOT / "graphc", folder / "graphc", ignore=ignored)
    for part in ("passes", "runtime", "frontend"):
        shutil.copytree(ROOT / part, folder / "graphc" / part, ignore=ignored)
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)


def apply_diff(diff: str, folder: Path) -> None:
    """Change a copy of the sources as a diff block says."""
    for part in re.split(r"^(?=--- )", diff, flags=re.MULTILINE)[1:]:
        head, *hunks = re.split(r"^@@.*\n", part, flags=re.MULTILINE)
        name = head.splitlines()[1].removeprefix("+++ b/")
        path = folder / _installed(name)
        source = path.read_text() if path.exists() else ""
        for hunk in hunks:
            lines = hunk.splitlines()
            old = "".join(line[1:] + "\n" for line in lines if not line.startswith("+"))
            new = "".join(line[1:] + "\n" for line in lines if not line.startswith("-"))
            found = source.count(old) if source else int(not old)
            assert found == 1, f"{name}: this stands there {found} times:\n{old}"
            source = source.replace(old, new) if old else new
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


def _installed(name: str) -> str:
    folder = name.split("/")[0]
    return f"graphc/{name}" if folder in ("passes", "runtime", "frontend") else name


def _start_of_gap(lines: list[str], block: Block) -> int:
    """The index of the last line before the block, and before empty lines above it."""
    index = block.start - 2
    while index > 0 and not lines[index].strip():
        index -= 1
    return index


def _blocks(lines: list[str]) -> Iterator[Block]:
    opened, info = None, ""
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if fence is None:
            continue
        if opened is None:
            opened, info = number + 1, fence[1].strip()
        else:
            yield Block(info, "\n".join(lines[opened:number]) + "\n", opened, number)
            opened = None
    assert opened is None, f"a block opened in line {opened} is never closed"
