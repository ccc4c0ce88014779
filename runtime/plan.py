"""The plan: what a backend executes. Flat steps over strided views of numbered buffers.

A plan is made once per feed signature by ``graphc.runtime.planning.planner``, checked by
``graphc.runtime.check.plan``, and handed to a backend, which sees nothing else of the program.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from graphc.dtypes import DType
from graphc.node import Node
from graphc.storage import Array

ALIGNMENT = 64
"""Every arena buffer starts at a multiple of this many bytes."""

BufferKind = Literal["input", "variable", "output", "constant", "arena"]
StepKind = Literal["compute", "copy"]


@dataclass(frozen=True, slots=True)
class Buffer:
    """A piece of memory that no other buffer of the plan overlaps while it is live.

    Args:
        id: the position in ``Plan.buffers``.
        kind: who owns the memory: the caller (``input``), a variable's storage, the caller of
            this run (``output``, fresh memory), the plan itself (``constant``) or the arena.
        nbytes: from the first to the last byte that operands may touch.
        node: the node whose value it was made for.
        name: the placeholder's, variable's or output's name; empty for the others.
        offset: bytes from the start of the arena; 0 for all other kinds.
        array: the memory of a ``constant``, C-contiguous; None for other kinds.

    Inputs and outputs are C-contiguous. A variable's base array may have gaps; operands carry the
    strides, also those of constants. Element 0 of every base array has the lowest address.
    """

    id: int
    kind: BufferKind
    nbytes: int
    node: Node
    name: str = ""
    offset: int = 0
    array: Array | None = None


@dataclass(frozen=True, slots=True)
class Operand:
    """A strided view of a buffer.

    Args:
        buffer: the buffer's id.
        offset: elements (of ``dtype``) from the start of the buffer to the view's element 0.
        shape: sizes.
        strides: elements from one index to the next, per dim; 0 for a broadcast dim, negative
            for a flipped one.
        dtype: the element type; buffers themselves have none, they are reused.
    """

    buffer: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: DType

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements, gaps and repetitions not counted."""
        return self.size * self.dtype.itemsize

    @property
    def is_contiguous(self) -> bool:
        """True if the elements lie in C order without gaps."""
        expected = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and stride != expected:
                return self.size == 0
            expected *= size
        return True

    @property
    def span(self) -> tuple[int, int]:
        """The bytes ``first:stop`` of the buffer that the view can touch; empty if it is empty."""
        low = high = self.offset
        if self.size == 0:
            return low * self.dtype.itemsize, low * self.dtype.itemsize
        for size, stride in zip(self.shape, self.strides, strict=True):
            low += min(0, (size - 1) * stride)
            high += max(0, (size - 1) * stride)
        return low * self.dtype.itemsize, (high + 1) * self.dtype.itemsize

    def same_elements(self, other: Operand) -> bool:
        """True if both views visit the same addresses, index by index."""
        return (
            (self.buffer, self.offset, self.shape) == (other.buffer, other.offset, other.shape)
            and self.dtype.itemsize == other.dtype.itemsize
            and all(
                size == 1 or own == theirs
                for size, own, theirs in zip(self.shape, self.strides, other.strides, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Inside:
    """The programs that a step runs: see ``graphc.runtime.planning.inside``.

    The memory of their inputs is that of the step's inputs: of all of it, or of one item of a
    sequence. Their outputs are the step's results or items of them, and their variables the
    results that are carries.

    Native code copies some inputs of the step before anything else, so that programs read them in
    another order. Their copies are in the work memory, behind the arenas.

    Args:
        plans: one for each program; not more than one runs at a time.
        work: memory for the arena of whichever runs, and for copies.
        constants: for each plan the buffers of the outer plan that are its constants, in order.
        copies: the copied inputs by number, and where each copy lies in the work memory; offsets
            are counted in elements, from its start.
        packed: inputs by number that are right factors of products and nothing else, and the bytes
            in the work memory where native code may copy them in panels that products read.
    """

    plans: tuple[Plan, ...]
    work: Operand
    constants: tuple[tuple[int, ...], ...]
    copies: Mapping[int, Operand] = field(default_factory=dict)
    packed: Mapping[int, Operand] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: compute a node, or copy one view into another.

    Args:
        kind: ``compute``: ``node.op.eval`` says what; ``copy``: one input, one output of the same
            shape and dtype, element by element.
        node: the node that is computed, or whose value, or a part of whose value, is copied.
        inputs: one operand per input of the node.
        outputs: one operand per result. They are C-contiguous, but what is copied, elementwise and
            fused nodes and matrix products may be written with any strides, e.g. into the columns
            of a concatenation; no element is written twice.
        inside: the programs of a scan, a loop or a branch; None for all other nodes.

    An output may lie where inputs lie, point by point (leading dims of size 1 do not count):

    * for an elementwise node: a kernel reads a point's inputs before it writes its outputs;
    * for a fused matrix product: any of the extras, which are read once, with the tile;
    * for a fused node without reductions: an output of the full iteration shape;
    * for a fused node with reductions: an output of the full shape, if it is the only such output
      and depends on every reduction, so that a kernel that finishes all reductions of a row before
      it writes that row is safe; and an output with one element per row, if all that is computed
      from the input has one element per row, too, and waits for no more reductions than the
      output;
    * for a scan or a loop that cannot raise: a carry that is not stacked, where its first value
      lies.

    In every other case inputs and outputs are disjoint.
    """

    kind: StepKind
    node: Node
    inputs: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    inside: Inside | None = None

    @property
    def touched(self) -> tuple[Operand, ...]:
        """All memory that it reads or writes, but for constants."""
        work = () if self.inside is None else (self.inside.work,)
        return (*self.outputs, *self.inputs, *work)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole program, ready for a backend.

    Args:
        steps: in the order of execution.
        buffers: by id: the *bound* ones first (inputs, variables, outputs: memory comes with each
            run), then constants and the arena's.
        bound: how many buffers are bound: ids ``0 .. bound - 1``.
        outputs: the buffer id of each output by name; C-contiguous, of the output node's type.
        written: ids of the variable buffers that the steps write.
        arena_bytes: how much memory the arena needs.
        naive_bytes: what it would need if every value had its own memory.
        lower_bound_bytes: the most that is live at one time; no layout needs less.
        copied: why a variable's next value is not computed in its memory, by its buffer's id.
    """

    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]
    bound: int
    outputs: Mapping[str, int]
    written: tuple[int, ...]
    arena_bytes: int
    naive_bytes: int
    lower_bound_bytes: int
    copied: Mapping[int, str] = field(default_factory=dict)
