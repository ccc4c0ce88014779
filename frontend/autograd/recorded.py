"""Steps of the tape while recording: one per call, though equal calls are one node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphc.dtypes import INTEGER
from graphc.frontend.autograd.tape import Edge, GradFn, OpGradFn, TypeOnly
from graphc.frontend.making import symbolic
from graphc.node import Node
from graphc.opdef import OpDef

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class RecordedGradFn(OpGradFn):
    """A step of a graph: its operands are nodes, which stay as they are.

    Args:
        inputs: the nodes of the operands.
        node: the node of the result.
        recorder: what records the graph.
    """

    __slots__ = ("_inputs", "_is_released", "_recorder", "node")

    def __init__(
        self,
        op: OpDef,
        attrs: Mapping[str, Any],
        edges: tuple[Edge, ...],
        inputs: tuple[Node, ...],
        node: Node,
        recorder: Recorder,
    ) -> None:
        super().__init__(op, attrs, edges)
        self._inputs, self.node, self._recorder = inputs, node, recorder
        self._is_released = False

    def input_shape(self, position: int) -> tuple[Any, ...]:
        """The shape of one input."""
        return self._inputs[position].type.shape

    def release(self) -> None:
        """Raise in a second walk if a dynamic step would, though nothing is freed here."""
        op = self.op
        self._is_released = op.saves_inputs or op.saves_positions or op.saves_output

    def operands(self) -> tuple[list[Any], Any]:
        """Inputs and output for the rule: tensors, or types where the rule reads no values.

        Raises:
            AutogradError: if a leaf was overwritten since, or after ``release``.
        """
        if self._is_released:
            raise self.already_freed()
        inputs: list[Any] = [TypeOnly(node.type) for node in self._inputs]
        if self.op.saves_inputs or self.op.saves_positions:
            for place, (node, edge) in enumerate(zip(self._inputs, self.edges, strict=True)):
                if self.op.saves_inputs or node.type.dtype.category <= INTEGER:
                    inputs[place] = self._tensor(node, edge)
        return inputs, symbolic(self.node, self._recorder, True, self)

    def _tensor(self, node: Node, edge: Edge) -> Tensor:
        """An operand as a tensor that stands where the original stood on the tape."""
        if edge is None or isinstance(edge, GradFn):
            return symbolic(node, self._recorder, edge is not None, edge)
        if self._recorder.node_of(edge) is not node:
            raise self.overwritten(f"that is {edge.type}")
        return edge
