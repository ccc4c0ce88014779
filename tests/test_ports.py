"""Scripts for PyTorch give the same losses when nothing but their imports is changed."""

from __future__ import annotations

import re
import types
from pathlib import Path

import numpy as np
import pytest

from tests.ports import data

PROGRAMS = sorted(Path(data.__file__).parent.glob("[a-z]*.py"))
PROGRAMS.remove(Path(data.__file__))


def _losses(program: Path, library: str) -> list[float]:
    source = re.sub(r"\btorch\b", library, program.read_text())
    module = types.ModuleType(program.stem)
    exec(compile(source, program.name, "exec"), module.__dict__)  # a module of its own each time
    losses: list[float] = module.losses()
    return losses


def _cases() -> list[tuple[Path, str]]:
    """Each program with the names of what is switched on; only some have steps to compile."""
    found = []
    for program in PROGRAMS:
        found += [(program, "dynamic"), (program, "compiled")]
        if "whole(" in program.read_text():
            found.append((program, "is_whole"))
    return found


@pytest.mark.parity
@pytest.mark.parametrize(
    ("program", "kind"), _cases(), ids=[f"{path.stem}-{kind}" for path, kind in _cases()]
)
def test_losses_are_those_of_pytorch(
    program: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    want = _losses(program, "torch")
    if kind != "dynamic":
        monkeypatch.setattr(data, kind, True)
    got = _losses(program, "graphc")
    assert len(set(want)) > 2
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-5)
