"""``gc.compare``: the same code dynamically and compiled, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.frontend.compile.function import CompiledFunction, as_arguments
from graphc.frontend.compile.module import CompiledModule
from graphc.frontend.compile.options import CompileOptions
from graphc.frontend.recording.grad_slots import GradSlot
from graphc.frontend.structure import flatten
from graphc.node import Node
from graphc.storage import Array, Storage

_EPSILONS = {
    "bfloat16": 2.0**-7,
    "float16": 2.0**-10,
    "float32": 2.0**-23,
    "complex64": 2.0**-23,
    "float64": 2.0**-52,
    "complex128": 2.0**-52,
}


@dataclass(frozen=True)
class Comparison:
    """What ``gc.compare`` found.

    Attributes:
        max_abs: the largest absolute difference of an element of an output or variable.
        max_ulp: the same in units in the last place of the array's largest element.
        worst: the name of the output or variable with the largest difference.
        dynamic_seconds: median time of one dynamic call.
        static_seconds: median time of one compiled call.
        trace_seconds: time to trace and compile; None if that was done before.
        kernels: number of steps of the compiled program.
        dynamic_ops: number of operations in the recorded program.
        arena_bytes: working memory of the compiled program.
        compared: how many arrays were compared.
    """

    max_abs: float
    max_ulp: float
    worst: str
    dynamic_seconds: float
    static_seconds: float
    trace_seconds: float | None
    kernels: int
    dynamic_ops: int
    arena_bytes: int
    compared: int

    @property
    def speedup(self) -> float:
        """Dynamic time over compiled time."""
        return self.dynamic_seconds / self.static_seconds

    def __str__(self) -> str:
        compiled = "before"
        if self.trace_seconds is not None:
            compiled = f"{self.trace_seconds * 1e3:,.0f} ms"
        rows = [
            ("largest difference", f"{self.max_abs:.3g} ({self.max_ulp:.3g} ULP) in {self.worst}"),
            ("arrays compared", f"{self.compared}"),
            ("dynamic, per call", f"{self.dynamic_seconds * 1e6:,.0f} us"),
            ("compiled, per call", f"{self.static_seconds * 1e6:,.0f} us"),
            ("speed-up", f"{self.speedup:.2f}x"),
            ("operations -> steps", f"{self.dynamic_ops} -> {self.kernels}"),
            ("working memory", f"{self.arena_bytes:,} bytes"),
            ("trace and compile", compiled),
        ]
        return "\n".join(f"{label:<22}{text}" for label, text in rows)


def compare(
    function: Callable[..., Any], *args: Any, repeats: int = 20, **kwargs: Any
) -> Comparison:
    """Run a function dynamically and compiled from the same state, and compare.

    Parameters, buffers, optimizer state and random state are put back afterwards.

    Args:
        function: a dynamic function, or what ``gc.compile`` made of one.
        args: its arguments, tensors or arrays.
        repeats: calls for the times; both kinds take turns.
        kwargs: more arguments.

    Returns:
        Differences of outputs and of every updated variable, times, steps and memory.

    Example:
        >>> import graphc as gc
        >>> report = gc.compare(lambda x: (x * 2).sum(), gc.ones(8))
        >>> report.max_abs
        0.0
    """
    if repeats < 1:
        raise ArgumentError("compare: expected one repeat or more", got=str(repeats))
    static = _compiled(function)
    args, kwargs = static.arguments(args, kwargs)
    inputs = as_arguments(args)
    kwargs = dict(zip(kwargs, as_arguments(list(kwargs.values())), strict=True))
    started, traces = time.perf_counter(), static.cache_info().misses
    entry = static.entry(*inputs, **kwargs)
    feed = dict(zip(entry.names, _arrays(inputs, kwargs), strict=True))
    memory = entry.session.memory_plan(feed)
    trace_seconds = time.perf_counter() - started
    is_fresh = static.cache_info().misses > traces
    state = _State(entry.graph.program.variables, entry.slots)

    def dynamic() -> dict[str, Array]:
        return _named_results(static.function(*inputs, **kwargs))

    def compiled() -> dict[str, Array]:
        return _named_results(static(*inputs, **kwargs))

    with _restored(state):
        expected = dynamic() | state.results()
    with _restored(state):
        got = compiled() | state.results()
    differences = {name: _difference(expected.get(name), got.get(name)) for name in expected | got}
    worst = max(differences, key=lambda name: differences[name][1], default="nothing")
    with _restored(state):
        times = _interleaved_times(dynamic, compiled, repeats)
    return Comparison(
        max_abs=max((d[0] for d in differences.values()), default=0.0),
        max_ulp=max((d[1] for d in differences.values()), default=0.0),
        worst=worst,
        dynamic_seconds=times[0],
        static_seconds=times[1],
        trace_seconds=trace_seconds if is_fresh else None,
        kernels=sum(len(kernel.steps) for kernel in entry.session.kernels(feed)),
        dynamic_ops=sum(bool(node.inputs) for node in entry.graph.nodes),
        arena_bytes=memory.peak,
        compared=len(differences),
    )


def _compiled(function: Callable[..., Any]) -> CompiledFunction:
    if isinstance(function, CompiledModule):
        return function.compiled_function()
    if isinstance(function, CompiledFunction):
        return function
    return CompiledFunction(function, CompileOptions())


class _State:
    """What a program reads and writes besides its arguments: to compare, keep and put back."""

    def __init__(self, variables: Iterable[Node], slots: Iterable[GradSlot]) -> None:
        self.slots = list(slots)
        self.storages: dict[str, Storage] = {
            node.attrs["name"]: node.attrs["source"]
            for node in variables
            if isinstance(node.attrs["source"], Storage)
        }

    def read(self) -> dict[str, Array]:
        """Copies of all variables' values by name."""
        return {name: storage.array.copy() for name, storage in self.storages.items()}

    def results(self) -> dict[str, Array]:
        """Copies of what a run leaves behind: variables, and gradients as users see them."""
        kept = [slot for slot in self.slots if not slot.is_local]
        memories = {id(slot.memory.storage) for slot in kept if slot.memory is not None}
        values = {
            name: storage.array.copy()
            for name, storage in self.storages.items()
            if id(storage) not in memories
        }
        for position, slot in enumerate(kept):
            if slot.tensor._grad is not None:
                values[f"grad {position}"] = slot.tensor._grad.storage.array.copy()
        return values

    def write(self, values: dict[str, Array]) -> None:
        """Put the variables' values back."""
        for name, storage in self.storages.items():
            storage.write(values[name])


class _restored:  # noqa: N801 - reads as a phrase
    """Put variables and gradients back at the end of the block."""

    def __init__(self, state: _State) -> None:
        self.state = state

    def __enter__(self) -> None:
        self.values = self.state.read()
        self.grads = [slot.tensor._grad for slot in self.state.slots]

    def __exit__(self, *exc: object) -> None:
        self.state.write(self.values)
        for slot, grad in zip(self.state.slots, self.grads, strict=True):
            slot.tensor._grad = grad


def _named_results(result: Any) -> dict[str, Array]:
    names, leaves, _ = flatten(result)
    return {
        f"output {name}": leaf.detach().numpy() for name, leaf in zip(names, leaves, strict=True)
    }


def _difference(expected: Array | None, got: Array | None) -> tuple[float, float]:
    """Largest absolute difference, and the same in ULP of the largest element."""
    if (
        expected is None
        or got is None
        or expected.shape != got.shape
        or expected.dtype != got.dtype
    ):
        return float("inf"), float("inf")
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    a, b = expected.astype(wide), got.astype(wide)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.abs(a - b))
    gap = np.where(np.isnan(gap), np.inf, gap)
    largest_gap = float(gap.max(initial=0.0))
    if expected.dtype.kind in "iub" or largest_gap == 0.0:
        return largest_gap, largest_gap
    largest = np.abs(a[np.isfinite(a)]).max(initial=0.0)
    unit = _EPSILONS[expected.dtype.name] * max(float(largest), 1e-30)
    return largest_gap, largest_gap / unit


def _interleaved_times(
    first: Callable[[], Any], second: Callable[[], Any], repeats: int
) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for run, kept in zip((first, second), times, strict=True):
            started = time.perf_counter()
            run()
            kept.append(time.perf_counter() - started)
    return float(np.median(times[0])), float(np.median(times[1]))


def _arrays(args: list[Any], kwargs: dict[str, Any]) -> list[Array]:
    _, leaves, _ = flatten((args, kwargs))
    return [leaf.array("an argument") for leaf in leaves if not leaf.is_state]
