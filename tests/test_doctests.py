"""Every example in a docstring runs and shows what it says.

pytest's own collection would import ``frontend/x.py`` as ``frontend.x``, a second copy beside
``graphc.frontend.x``; this test imports each module by the name that it installs under.
"""

import doctest
import importlib
from pathlib import Path

import pytest

from tests.sources import MODULES

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
WITH_EXAMPLES = [name for name, path in MODULES.items() if ">>>" in path.read_text()]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert result.attempted > 0, f"{name}: an example stands where doctest does not look"
    assert result.failed == 0, f"{name}: the output above differs from the docstring"
