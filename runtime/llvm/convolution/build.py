"""The entry: native code for one convolution."""

from __future__ import annotations

from graphc.errors import CompileError
from graphc.runtime.llvm.convolution.blocking import Blocking, blocking_of
from graphc.runtime.llvm.convolution.channels import build_channels
from graphc.runtime.llvm.convolution.chunks import build_chunks
from graphc.runtime.llvm.convolution.places import build_places
from graphc.runtime.llvm.convolution.problem import Ints, problem_of
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.native_step import NativeStep

_WAYS = {"places": build_places, "channels": build_channels, "chunks": build_chunks}


def build_convolution(
    module: Module, x: Layout, w: Layout, y: Layout, *, stride: Ints, dilation: Ints, groups: int,
    low: Ints = (), high: Ints = (),
) -> NativeStep:  # fmt: skip
    """Add the functions of a convolution to a module; their operands are x, w and y.

    Args:
        module: where the code goes.
        x: the input, ``(batch, channels, ...)``; any strides.
        w: the weight, ``(out, channels / groups, ...)``; any strides.
        y: the result, ``(batch, out, ...)``, not empty; any strides.
        stride: distance of windows, per spatial dim.
        dilation: distance of a window's elements.
        groups: so many convolutions side by side.
        low: zeros before the input; the optimizer makes an operation of their own of them.
        high: zeros after it.

    Raises:
        CompileError: if there is no native code for the dtype, or zeros are to be added.
    """
    if any(low) or any(high):
        raise CompileError("conv: no native code with padding, which the optimizer splits off")
    key = ("conv", x, w, y, stride, dilation, groups)
    if key not in module.kernels:
        problem = problem_of(x, w, y, stride, dilation, groups)
        lanes = module.target.lanes(8 * y.dtype.itemsize)
        blocking = blocking_of(module.target, problem, lanes)
        module.kernels[key] = build_blocking(module, blocking)
    return module.kernels[key]


def build_blocking(module: Module, blocking: Blocking) -> NativeStep:
    """Add the functions of a convolution with given tiles to a module."""
    return _WAYS[blocking.way](module, blocking)
