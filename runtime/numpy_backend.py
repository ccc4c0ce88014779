"""The reference backend: every step through ``OpDef.eval``, into the memory that the plan says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from graphc.errors import VerifyError
from graphc.evaluate import evaluate_node
from graphc.provenance import describe
from graphc.runtime.backend import Code, Kernel, StepSeconds
from graphc.runtime.plan import Buffer, Operand, Plan, Step
from graphc.storage import Array

Resolve = Callable[[Operand], Array]


class NumpyBackend:
    """Executes a plan step by step.

    Args:
        threads: not used; numpy's BLAS has its own.
    """

    name = "numpy"

    def __init__(self, threads: int = 1) -> None:
        pass

    def prepare(self, plan: Plan, made: None = None) -> NumpyExecutable:
        """Make a plan executable."""
        return NumpyExecutable(plan)

    def key(self) -> None:
        """See ``graphc.runtime.backend.Backend``: there is nothing to keep."""
        return None


@dataclass(frozen=True, slots=True)
class NumpyExecutable:
    """A plan and nothing else; see ``graphc.runtime.backend.Executable``."""

    plan: Plan

    @property
    def kernels(self) -> Sequence[Kernel]:
        """One kernel per operation."""
        steps: dict[str, list[int]] = {}
        for position, step in enumerate(self.plan.steps):
            steps.setdefault(step_name(step), []).append(position)
        return [Kernel(f"numpy.{name}", tuple(where), False) for name, where in steps.items()]

    @property
    def phases(self) -> Mapping[str, float]:
        """Nothing is prepared."""
        return MappingProxyType({})

    def code(self, step: int) -> Code:
        """See ``graphc.runtime.backend.Executable``: there is none."""
        return Code()

    @property
    def made(self) -> None:
        """See ``graphc.runtime.backend.Executable``."""
        return None

    def run(self, arena: Array, bound: Sequence[Array]) -> None:
        """Execute all steps."""
        resolve = _resolver(self.plan, arena, bound)
        for step in self.plan.steps:
            _execute(step, resolve)

    def timed(self, arena: Array, bound: Sequence[Array]) -> Sequence[StepSeconds]:
        """Execute all steps and return how long each took."""
        resolve = _resolver(self.plan, arena, bound)
        seconds = []
        for step in self.plan.steps:
            start = time.perf_counter()
            _execute(step, resolve)
            seconds.append(StepSeconds(time.perf_counter() - start))
        return seconds

    def native(self, arena: Array, bound: Sequence[Array]) -> None:
        """Nothing is native."""

    def close(self) -> None:
        """Nothing is held."""


def step_name(step: Step) -> str:
    """What a step does, in one word."""
    return "copy" if step.kind == "copy" else step.node.op.name


def _execute(step: Step, resolve: Resolve) -> None:
    operands = [resolve(operand) for operand in step.inputs]
    if step.kind == "copy":
        np.copyto(resolve(step.outputs[0]), operands[0], casting="no")
        return
    result = evaluate_node(step.node, operands)
    results = result if isinstance(result, tuple) else (result,)
    if len(results) > 1:  # one result may be a view of an operand that another overwrites
        results = tuple(each.copy() if _shared(each, operands) else each for each in results)
    for target, each in zip(step.outputs, results, strict=True):
        if each.shape != target.shape or each.dtype != target.dtype.numpy:
            raise VerifyError(
                f"{step.node.op.name}: its eval and its infer disagree",
                got=f"{each.dtype}{list(each.shape)}",
                expected=f"{target.dtype.name}{list(target.shape)}",
                where=describe(step.node),
            )
        np.copyto(resolve(target), each)


def _shared(result: Array, operands: Sequence[Array]) -> bool:
    return any(np.may_share_memory(result, operand) for operand in operands)


def _resolver(plan: Plan, arena: Array, bound: Sequence[Array]) -> Resolve:
    """What finds an operand's elements in this run's memory."""
    memories: dict[int, Array] = {}

    def resolve(operand: Operand) -> Array:
        if operand.buffer < len(bound):
            base = bound[operand.buffer]
            whole = base.shape == operand.shape and base.dtype == operand.dtype.numpy
            if whole and operand.is_contiguous and base.flags.c_contiguous:
                return base
        memory = memories.get(operand.buffer)
        if memory is None:
            memory = _memory(plan.buffers[operand.buffer], arena, bound)
            memories[operand.buffer] = memory
        itemsize = operand.dtype.itemsize
        return np.ndarray(
            operand.shape,
            operand.dtype.numpy,
            memory,
            operand.offset * itemsize,
            tuple(stride * itemsize for stride in operand.strides),
        )

    return resolve


def _memory(buffer: Buffer, arena: Array, bound: Sequence[Array]) -> Array:
    """The buffer's bytes, one dim."""
    if buffer.kind == "arena":
        return arena[buffer.offset : buffer.offset + buffer.nbytes]
    base = bound[buffer.id] if buffer.array is None else buffer.array
    if buffer.nbytes == 0:
        return np.empty(0, np.uint8)
    if base.flags.c_contiguous:
        return base.reshape(-1).view(np.uint8)
    count = buffer.nbytes // base.itemsize
    flat = np.lib.stride_tricks.as_strided(base, (count,), (base.itemsize,))
    data: Array = flat.view(np.uint8)
    return data
