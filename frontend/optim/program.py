"""Update rules as short programs over arrays, for dynamic steps.

A rule of some ten operations, run as tensors, costs ten times what its arithmetic does on a small
parameter, and ten passes over memory on a large one. So it is recorded once per kind of parameter,
and the operations then run directly: those of single numbers once, all others piece by piece,
with the same bits, since an elementwise operation does not care where a piece ends.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graphc.frontend.modes import recording_into
from graphc.frontend.optim.options import PlaceholderOptions
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.tensor import Tensor
from graphc.graph import topological
from graphc.node import Node
from graphc.opdef import Trait
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.optim.optimizer import Optimizer

PIECE = 1 << 14
"""Elements of a piece: what a rule makes of it stays in a core's cache."""

_programs: dict[Hashable, Program | None] = {}


def run_program(
    optimizer: Optimizer, group: Mapping[str, Any], param: Tensor, grad: Tensor,
    state: Mapping[str, Any],
) -> bool:  # fmt: skip
    """Move a parameter and its state in place, unless that needs more than a program can do.

    Returns:
        Whether it is done; if not, nothing has changed.
    """
    rule = type(optimizer).update
    if not optimizer.is_elementwise or not rule.__module__.startswith("graphc."):
        return False  # the rules of others may do anything besides
    if optimizer.has_parts and param.dtype.is_complex:
        return False
    tensors = [param, grad, *state.values()]
    if not all(map(_is_plain, tensors)) or grad.shape != param.shape or not param.ndim:
        return False
    arrays = [x.storage.array for x in tensors]
    arrays[1] = np.ascontiguousarray(arrays[1])
    if any(array.shape not in (param.shape, ()) for array in arrays):
        return False
    kinds = tuple([(array.dtype, array.shape == param.shape) for array in arrays])
    key = (type(optimizer), optimizer.structure(group), *state, *kinds)
    if key not in _programs:
        _programs[key] = _recorded(optimizer, group, tensors, [*state])
    program = _programs[key]
    if program is None or not _fits(program, arrays):
        return False
    program.run(arrays, group)
    for place, _ in program.results:
        tensors[place].storage.version.count += 1
    return True


def _is_plain(x: Any) -> bool:
    return isinstance(x, Tensor) and x.node is None


def _fits(program: Program, arrays: Sequence[Array]) -> bool:
    """Whether arrays can be read and written piece by piece."""
    if not all(array.flags.c_contiguous for array in arrays):
        return False
    written = [arrays[place] for place, _ in program.results]
    if not all(array.flags.writeable for array in written):
        return False
    return arrays[0].size <= PIECE or not any(
        array is not other and np.may_share_memory(array, other)
        for array in written for other in arrays
    )  # fmt: skip


class Step(NamedTuple):
    """An operation on slots.

    Args:
        node: the operation.
        operands: slots of its operands.
        result: the slot of its result.
    """

    node: Node
    operands: tuple[int, ...]
    result: int


class Program:
    """A recorded rule.

    Args:
        inputs: the nodes of parameter, gradient and state.
        options: the numbers that it reads of the group.
        results: positions of what is written among the inputs, and the nodes to write there.
    """

    def __init__(
        self, inputs: Sequence[Node], options: PlaceholderOptions,
        results: Sequence[tuple[int, Node]],
    ) -> None:  # fmt: skip
        self._readers = options.readers
        leaves = [*inputs, *options.nodes]
        order = [*leaves, *(
            node for node in topological([node for _, node in results]) if node not in leaves
        )]  # fmt: skip
        slots = {node: slot for slot, node in enumerate(order)}
        self._constants: list[Any] = [None] * len(order)
        self._numbers: list[Step] = []
        self._arrays: list[Step] = []
        for node in order[len(leaves) :]:
            step = Step(node, tuple(slots[operand] for operand in node.inputs), slots[node])
            if not node.inputs:
                self._constants[step.result] = node.op.eval(**node.attrs)
            else:
                (self._arrays if node.type.rank else self._numbers).append(step)
        self._pieces = [slot for slot, node in enumerate(inputs) if node.type.rank]
        self.results = [(place, slots[node]) for place, node in results]

    def run(self, arrays: Sequence[Array], group: Mapping[str, Any]) -> None:
        """Overwrite what the rule moves.

        Args:
            arrays: one per input, contiguous; those with dims have the same shape.
            group: what the options are read from.
        """
        numbers = [np.asarray(read(group)) for read in self._readers]
        values = [*arrays, *numbers, *self._constants[len(arrays) + len(numbers) :]]
        whole = {slot: arrays[slot].reshape(-1) for slot in self._pieces}
        with np.errstate(all="ignore"):
            _run(self._numbers, values)
            for begin in range(0, arrays[0].size, PIECE):
                for slot, array in whole.items():
                    values[slot] = array[begin : begin + PIECE]
                _run(self._arrays, values)
                for place, slot in self.results:
                    if place in whole:
                        whole[place][begin : begin + PIECE] = values[slot]
        for place, slot in self.results:
            if place not in whole:
                arrays[place][...] = values[slot]


def _run(steps: Sequence[Step], values: list[Any]) -> None:
    for node, operands, result in steps:
        values[result] = node.op.eval(*[values[slot] for slot in operands], **node.attrs)


def _recorded(
    optimizer: Optimizer, group: Mapping[str, Any], tensors: Sequence[Tensor], names: Sequence[str]
) -> Program | None:
    """The rule for parameters like this one; None if it is more than elementwise operations."""
    recorder = Recorder()
    options = PlaceholderOptions(group, recorder)
    size = recorder.placeholder(("n",), tensors[0].dtype, "param").shape[0]
    inputs = [recorder.placeholders["param"]]
    for position, x in enumerate(tensors[1:]):
        inputs.append(recorder.placeholder((size,) if x.ndim else (), x.dtype, f"x{position}"))
    nodes = [recorder.node_of(x) for x in inputs]
    with recording_into(recorder):
        state = dict(zip(names, inputs[2:], strict=True))
        moved, next_state = optimizer.update(inputs[0], inputs[1], dict(state), options)
        written = [(0, moved)]
        for place, (name, x) in enumerate(state.items(), start=2):
            if next_state.get(name, x) is not x:
                written.append((place, next_state[name]))
        results = [(place, recorder.node_of(x)) for place, x in written]
    if any(node.type != nodes[place].type or node in nodes for place, node in results):
        return None
    if not all(map(_is_elementwise, topological([node for _, node in results]))):
        return None
    return Program(nodes, options, results)


def _is_elementwise(node: Node) -> bool:
    """Whether it runs piece by piece, or on single numbers only."""
    if node.op.traits & Trait.ELEMENTWISE or not node.inputs:
        return True
    return not any(each.type.rank for each in (node, *node.inputs))
