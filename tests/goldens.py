"""Golden files: text that a test produced once, that a person read, and that must stay.

``golden(text)`` compares with ``tests/golden/<module>/<test id>.txt``, where the module is the
test file's path below tests/. A test with several texts names the others:
``golden(text, "fused")``. ``pytest --update-golden`` writes the files. Goldens pin structure,
never values.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Golden:
    """The golden files of one test."""

    module: Path
    test: str
    update: bool
    folder: Path = FOLDER

    def path(self, name: str = "") -> Path:
        """Return the file that holds the text called `name`."""
        stem = re.sub(r"[^\w.=-]+", "_", self.test).strip("_")
        return self.folder / self.module / f"{stem}{'.' + name if name else ''}.txt"

    def __call__(self, text: str, name: str = "") -> None:
        """Fail unless `text` is what the file holds, up to newlines at the end."""
        path, text = self.path(name), text.rstrip("\n") + "\n"
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists():
            pytest.fail(
                f"no golden file {path}; if this is right, run pytest --update-golden:\n{text}",
                pytrace=False,
            )
        elif (expected := path.read_text()) != text:
            lines = (expected.splitlines(), text.splitlines())
            diff = "\n".join(difflib.unified_diff(*lines, "golden", "now", lineterm=""))
            pytest.fail(
                f"{path} differs; if the change is right, run pytest --update-golden:\n{diff}",
                pytrace=False,
            )
