"""One program on one backend: recorded, compiled and run, in memory that nothing may leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

import graphc as gc
from graphc.config import CHECK, ISA, LLVM_OPT
from graphc.runtime.llvm.driver import executable, regions
from graphc.runtime.sessions import specialization
from tests.native_fuzz.program import Program, Source
from tests.programs.base import Array
from tests.unit.runtime.llvm.guard import guarded

Values = dict[str, Array]
"""Results by name and number of the run, and variables afterwards."""


@dataclass(frozen=True)
class Execution:
    """One way to run a program.

    Args:
        backend: the backend's name.
        optimize: the level of the passes.
        threads: how many may take part.
        isa: instruction set of native code; empty: the machine's.
        effort: how much LLVM optimizes.
        divided: every phase is divided among threads, however short.
    """

    backend: str = "llvm"
    optimize: Any = "O2"
    threads: int = 1
    isa: str = ""
    effort: int = 2
    divided: bool = False

    def __str__(self) -> str:
        if self.backend == "numpy":
            return f"numpy-{self.optimize}"
        words = [f"llvm-{self.optimize}", f"threads={self.threads}", f"effort={self.effort}"]
        return " ".join([*words, self.isa, "divided" * self.divided]).strip()


REFERENCE = Execution("numpy", "O0")


def run(program: Program, execution: Execution) -> Values:
    """Run it as often as it says.

    Raises:
        AssertionError: if a run changed its inputs, or if runs that are alike gave other bits.
    """
    with _settings(execution):
        return _run(program, execution)


def _run(program: Program, execution: Execution) -> Values:
    assert program.own_values, "evaluated before recording, which asks for their types"
    gc.manual_seed(program.seed)
    at_start = program.seed % 4 == 3
    feed: dict[str, Array] = {}
    tensors: dict[int, Any] = {}
    with gc.Graph() as graph:
        for position, item in enumerate(program.items):
            if not isinstance(item, Source):
                continue
            if item.role == "input":
                name = f"x{position}"
                feed[name] = guarded(item.array, at_start=at_start)
                kind = gc.tensor(item.array).dtype
                tensors[position] = graph.placeholder(item.array.shape, kind, name)
                continue
            tensors[position] = gc.tensor(item.array, requires_grad=item.role == "variable")
            storage = tensors[position].storage
            storage.array = guarded(storage.array, at_start=at_start)
        variables = {n: tensors[n] for n in program.places("variable")}
        optimizer = program.optimizer(list(variables.values()))
        for name, result in program.step(tensors, optimizer).items():
            graph.output(result, name)
    before = {name: array.tobytes() for name, array in feed.items()}
    session = graph.compile(
        backend=execution.backend, optimize=execution.optimize, threads=execution.threads
    )
    gc.manual_seed(program.seed)
    found: Values = {}
    with session, np.errstate(all="ignore"):
        for number in range(program.runs):
            results = session.run(feed, out=_targets(graph, at_start) if number == 0 else None)
            found |= {f"{name}.{number}": np.array(array) for name, array in results.items()}
            if program.updates == "none":
                gc.manual_seed(program.seed)
    for name, array in feed.items():
        assert array.tobytes() == before[name], f"{execution}: a run changed its input {name}"
    if program.updates == "none":
        for number in range(1, program.runs):
            for name in results:
                first, again = found[f"{name}.0"], found.pop(f"{name}.{number}")
                assert first.tobytes() == again.tobytes(), (
                    f"{execution}: run {number} gave other bits of {name} than the first"
                )
    return found | {f"v{n}": x.detach().numpy().copy() for n, x in variables.items()}


def _targets(graph: gc.Graph, at_start: bool) -> Values:
    """Memory for the outputs, full of ones and next to a guard page."""
    targets = {}
    for name, node in graph.outputs.items():
        array = np.zeros(node.type.static_shape, node.type.dtype.numpy)
        targets[name] = guarded(array, at_start=at_start)
        targets[name].view(np.uint8 if array.ndim else array.dtype)[...] = 1
    return targets


@contextmanager
def _settings(execution: Execution) -> Iterator[None]:
    with (
        CHECK.override("1"),
        ISA.override(execution.isa),
        LLVM_OPT.override(str(execution.effort)),
        mock.patch.object(specialization, "aligned_memory", _poisoned),
        mock.patch.object(executable, "aligned_memory", _poisoned),
        mock.patch.object(
            regions, "PARALLEL_FROM", 0 if execution.divided else regions.PARALLEL_FROM
        ),
        mock.patch.object(regions, "PIECE", 50 if execution.divided else regions.PIECE),
    ):
        yield


def _poisoned(nbytes: int) -> Array:
    """Aligned memory full of NaN that ends at a page without access, but for alignment."""
    return guarded(np.full(-(-nbytes // 64) * 64, 255, np.uint8))[:nbytes]
