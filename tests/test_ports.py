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


@pytest.mark.parity
@pytest.mark.parametrize("compiled", [False, True], ids=["dynamic", "compiled"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_losses_are_those_of_pytorch(
    program: Path, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    want = _losses(program, "torch")
    monkeypatch.setattr(data, "compiled", compiled)
    got = _losses(program, "graphc")
    assert len(set(want)) > 2
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-5)
