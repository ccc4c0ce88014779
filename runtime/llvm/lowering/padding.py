"""Padding: the output is filled, then the input is written into a strided view of it."""

from __future__ import annotations

import numpy as np

from graphc.node import Node, constant
from graphc.ops.leaf import placeholder
from graphc.ops.shape import expand
from graphc.runtime.llvm.ir.function import parameters
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.analysis import Place
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.kernels.kernel import Phases
from graphc.runtime.llvm.native_step import NativeStep
from graphc.types import TensorType


def build_pad(module: Module, node: Node, source: Layout, target: Layout) -> NativeStep:
    """Add the kernels of a pad to a module; their operands are the input and the output.

    Args:
        module: where the code goes.
        node: the pad; its attrs say how much and with what.
        source: how the input lies in memory.
        target: how the output lies in memory.

    Raises:
        CompileError: if there is no native code for the dtype.
    """
    given, made = parameters(2)
    value = constant(np.asarray(node.attrs["value"], target.dtype.numpy))
    filled = expand(value, shape=target.shape)
    moved = placeholder("a0", TensorType(source.shape, source.dtype))
    phases = Phases(module, {moved: Place(given, source)})
    phases.add([(filled, Place(made, target))])
    low, interior = node.attrs["low"], node.attrs["interior"]
    first = sum(start * step for start, step in zip(low, target.strides, strict=True))
    steps = zip(target.strides, interior, strict=True)
    inside = Layout(source.shape, tuple(step * (gap + 1) for step, gap in steps), source.dtype)
    phases.add([(moved, Place(made, inside, first * target.dtype.itemsize))])
    return phases.build(2)
