"""One form for all convolutions: which element of each operand belongs to an index.

The gradients of a convolution are convolutions of views, so they take this form, too: that of the
weight has kernels as large as the image, and results as small as a kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from graphc.dtypes import DType, float32, float64
from graphc.errors import CompileError
from graphc.runtime.llvm.kernels.iteration import Layout

Ints = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Dim:
    """One loop of the result.

    Args:
        size: the number of rounds.
        x: distance between neighbours in the input, in elements.
        y: the same in the result.
    """

    size: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Term:
    """One loop of the sum.

    Args:
        size: the number of rounds.
        x: distance between neighbours in the input, in elements.
        w: the same in the weight.
    """

    size: int
    x: int
    w: int


@dataclass(frozen=True, slots=True)
class Made:
    """A dim that the weight and the result have: the channels of the result.

    Args:
        size: their number.
        w: distance between neighbours in the weight, in elements.
        y: the same in the result.
    """

    size: int
    w: int
    y: int


@dataclass(frozen=True, slots=True)
class Group:
    """Groups of channels: each has its own part of all operands.

    Args:
        size: their number.
        x: distance between neighbours in the input, in elements.
        w: the same in the weight.
        y: the same in the result.
    """

    size: int
    x: int
    w: int
    y: int


@dataclass(frozen=True, slots=True)
class Problem:
    """``y[group, made, places] = sum over channel and kernel of w[group, made, ...] * x[...]``.

    Args:
        dtype: of all operands.
        group: groups of channels.
        made: channels of the result in one group.
        batch: the elements of the batch.
        places: where windows are, dims of size 1 left out.
        channel: channels of the input in one group.
        kernel: elements of a window, dims of size 1 left out.
    """

    dtype: DType
    group: Group
    made: Made
    batch: Dim
    places: tuple[Dim, ...]
    channel: Term
    kernel: tuple[Term, ...]

    @property
    def terms(self) -> int:
        """Terms of each sum."""
        return self.channel.size * math.prod(term.size for term in self.kernel)

    @property
    def results(self) -> int:
        """Elements of the result per channel."""
        return self.batch.size * math.prod(place.size for place in self.places)


def problem_of(
    x: Layout, w: Layout, y: Layout, stride: Ints, dilation: Ints, groups: int
) -> Problem:
    """Bring a convolution into its one form.

    Args:
        x: the input, ``(batch, groups * channels, ...)``.
        w: the weight, ``(groups * made, channels, ...)``.
        y: the result, ``(batch, groups * made, ...)``.
        stride: distance of windows, per spatial dim.
        dilation: distance of a window's elements.
        groups: so many convolutions side by side.

    Raises:
        CompileError: if there is no native code for the dtype.
    """
    if y.dtype not in (float32, float64):
        raise CompileError(f"conv: no native code for {y.dtype.name}")
    rank = len(x.shape)
    xs, ws, ys = ([each.along(dim, rank) for dim in range(rank)] for each in (x, w, y))
    made, channels = w.shape[0] // groups, w.shape[1]
    places = [
        Dim(size, step * move, to)
        for size, step, move, to in zip(y.shape[2:], xs[2:], stride, ys[2:], strict=True)
    ]
    kernel = [
        Term(size, step * gap, own)
        for size, step, gap, own in zip(w.shape[2:], xs[2:], dilation, ws[2:], strict=True)
    ]
    return Problem(
        dtype=y.dtype,
        group=Group(groups, channels * xs[1], made * ws[0], made * ys[1]),
        made=Made(made, ws[0], ys[1]),
        batch=Dim(x.shape[0], xs[0], ys[0]),
        places=tuple(dim for dim in places if dim.size != 1),
        channel=Term(channels, xs[1], ws[1]),
        kernel=tuple(term for term in kernel if term.size != 1),
    )
