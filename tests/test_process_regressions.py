"""Compiled programs across processes and over many compilations: caches, forks, pickles, memory."""

from __future__ import annotations

import gc as garbage
import multiprocessing
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.backends import BACKENDS

every_backend = pytest.mark.parametrize("backend", BACKENDS)
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

CLIENT = """
import sys, time
import numpy as np
import graphc as gc

start = float(sys.argv[1])
while time.time() < start:
    pass
fast = gc.compile(lambda x: (x.softmax(-1).log() * 3).sum(0), backend=sys.argv[2])
print(fast(np.linspace(-2, 2, 70, dtype=np.float32).reshape(10, 7)).numpy().tobytes().hex())
"""


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@every_backend
def test_two_processes_share_one_cold_cache(backend: str, tmp_path: Path) -> None:
    """Both compile in the same moment; both are right, and so is a third that finds the files."""
    environment = {**os.environ, "GRAPHC_CACHE_DIR": str(tmp_path / "cache")}
    start = str(time.time() + 1.0)

    def client() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CLIENT, start, backend],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    racing = [client(), client()]
    results = [one.communicate(timeout=60) for one in racing]
    results.append(client().communicate(timeout=60))
    assert [error for _, error in results] == [""] * 3
    assert len({output for output, _ in results}) == 1


def trained(backend: str, size: int) -> tuple[gc.Tensor, Any]:
    w = gc.tensor(np.ones(size, np.float32), requires_grad=True)

    def step(x: Any) -> Any:
        with gc.no_grad():
            w.add_(x)
        return (w * w).sum()

    return w, gc.compile(step, backend=backend)


@every_backend
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_compiles_and_then_the_parent(backend: str) -> None:
    """The child runs what the parent compiled and compiles more; the parent goes on as before."""
    w, step = trained(backend, 3)
    assert step(np.ones(3, np.float32)).item() == 12

    def child(channel: Any) -> None:
        _, other = trained(backend, 5)
        channel.send([step(np.ones(3, np.float32)).item(), other(np.ones(5, np.float32)).item()])

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=child, args=(there,))
    process.start()
    assert here.poll(60)
    assert here.recv() == [27, 20]
    process.join(60)
    assert process.exitcode == 0
    assert w.tolist() == [2, 2, 2]
    assert step(np.ones(3, np.float32)).item() == 27
    _, another = trained(backend, 5)
    assert another(np.ones(5, np.float32)).item() == 20


@every_backend
def test_a_pickled_session_runs_on_its_own_variables(backend: str) -> None:
    w = gc.tensor([1.0, 2.0], requires_grad=True)
    with gc.Graph() as graph:
        x = gc.placeholder((None, 2), name="x")
        with gc.no_grad():
            w.add_(x.sum(0))
        y = [(x * w).sum(1), w]
    session = graph.compile(y, backend=backend)
    session.run({"x": np.ones((3, 2), "f4")})
    copy = pickle.loads(pickle.dumps(session))
    results = [one.run({"x": np.ones((1, 2), "f4")}) for one in (session, copy)]
    assert [[part.tolist() for part in one] for one in results] == [[[11], [5, 6]]] * 2
    copy.run({"x": np.ones((1, 2), "f4")})
    assert w.tolist() == [5, 6]


@every_backend
@linux_only
@pytest.mark.slow
def test_memory_stays_flat_over_hundreds_of_compilations(backend: str) -> None:
    def compile_and_run(number: int) -> None:
        scale = 1.0 + number
        with gc.Graph() as graph:
            x = gc.placeholder((64, 64), name="x")
            y = ((x * scale).tanh() + x).sum(-1)
        with graph.compile(y, backend=backend) as session:
            session.run({"x": np.ones((64, 64), "f4")})

    for number in range(60):
        compile_and_run(number)
    garbage.collect()
    before = resident_bytes()
    for number in range(60, 360):
        compile_and_run(number)
    garbage.collect()
    grown = resident_bytes() - before
    assert grown < 300 * 10_000, f"{grown / 300:,.0f} bytes per compilation are not given back"


@every_backend
@linux_only
def test_memory_stays_flat_over_thousands_of_runs(backend: str) -> None:
    _, step = trained(backend, 5000)
    x = np.zeros(5000, np.float32)
    for _ in range(300):
        step(x)
    before = resident_bytes()
    for _ in range(3000):
        step(x)
    assert resident_bytes() - before < 3000 * 500


@linux_only
def test_memory_stays_flat_over_thousands_of_dynamic_steps() -> None:
    """The tape of a step is freed with its loss."""
    w = gc.tensor(np.ones(5000, np.float32), requires_grad=True)

    def step() -> None:
        loss = (w * w).tanh().sum()
        (gradient,) = gc.grad(loss, w)
        with gc.no_grad():
            w.sub_(gradient * 0.001)

    for _ in range(100):
        step()
    garbage.collect()
    before = resident_bytes()
    for _ in range(1500):
        step()
    assert resident_bytes() - before < 1500 * 1000
