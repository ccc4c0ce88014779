"""A program that is killed again and again sees the batches that it would have seen."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import graphc as gc
from tests.sources import ROOT

PROGRAM = """
import json, os, sys
import graphc as gc
from graphc.utils.data import DataLoader
from tests.data_sets import Noise

state, log, batches = sys.argv[1], sys.argv[2], int(sys.argv[3])
source = gc.Generator().manual_seed(5)
loader = DataLoader(Noise(40), 4, shuffle=True, generator=source, num_workers=2)
lines = []
if os.path.exists(state):
    kept = gc.load(state)
    loader.load_state_dict(kept["loader"])
    lines = kept["lines"]
while len(lines) < batches:
    for batch in loader:
        lines.append(repr([part.tolist() for part in batch]))
        gc.save({"loader": loader.state_dict(), "lines": lines}, state)
        if len(lines) == batches:
            break
json.dump(lines, open(log, "w"))
"""


def start(folder: Path, name: str, batches: int) -> subprocess.Popen[bytes]:
    state, log = folder / f"{name}.state", folder / f"{name}.json"
    command = [sys.executable, "-c", PROGRAM, str(state), str(log), str(batches)]
    return subprocess.Popen(command, cwd=ROOT)


@pytest.mark.slow
def test_kills_change_nothing(tmp_path: Path) -> None:
    batches, kills = 200, 6
    assert start(tmp_path, "whole", batches).wait(100) == 0
    whole = json.loads((tmp_path / "whole.json").read_text())
    delays, state = random.Random(0), tmp_path / "killed.state"
    killed = 0
    while True:
        before = state.stat().st_mtime_ns if state.exists() else 0
        process = start(tmp_path, "killed", batches)
        while process.poll() is None and killed < kills:
            time.sleep(0.001)
            if state.exists() and state.stat().st_mtime_ns > before:
                time.sleep(delays.uniform(0.0, 0.05))
                process.kill()
                process.wait()
                killed += 1
        if process.wait(100) == 0:
            break
    assert killed >= 3, "it was done before it could be killed"
    assert json.loads((tmp_path / "killed.json").read_text()) == whole
    assert gc.load(state)["loader"]["epoch"] == batches // 10
