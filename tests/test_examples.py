"""The example scripts run, and give the same loss dynamically and compiled."""

import re
import subprocess
import sys

import pytest

from tests.sources import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_both_executions_end_at_the_same_loss(script) -> None:
    losses = []
    for options in ([], ["--dynamic"]):
        command = [sys.executable, str(script), "--epochs", "3", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found = re.search(r"loss ([0-9.]+)", done.stdout)
        assert found, done.stdout
        losses.append(float(found[1]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
