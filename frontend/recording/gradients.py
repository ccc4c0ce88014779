"""The gradients of tensors as a recorded program sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.frontend.making import symbolic
from graphc.frontend.recording.errors import kept_too_long
from graphc.frontend.recording.grad_slots import ArgumentGrad, Arrival, GradSlot, with_own_storage
from graphc.ops.elementwise import add

if TYPE_CHECKING:
    from graphc.frontend.recording.recorder import Recorder
    from graphc.frontend.tensor import Tensor


class Gradients:
    """What a recording reads of ``grad``, assigns to it and adds to it.

    Args:
        recorder: the recording.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._slots: dict[int, GradSlot] = {}
        self._arrived: dict[int, bool] = {}

    def slot(self, x: Tensor) -> GradSlot:
        """The gradient of a tensor as this program sees it."""
        if id(x) not in self._slots:
            memory = None
            if x.node is None:
                if x._grad is not None:
                    memory = with_own_storage(x._grad)
                    memory.is_state = True
                what = "that a gradient is None"
                self._recorder.guard(lambda: x._grad is None, what, (x, "_grad"))
            self._slots[id(x)] = GradSlot(x, memory, memory=memory)
        return self._slots[id(x)]

    def assign(self, x: Tensor, value: Tensor | None) -> None:
        """Record ``x.grad = value``."""
        self.slot(x).set(value)

    def accumulate(self, x: Tensor, grad: Tensor) -> None:
        """Record that ``backward`` adds to ``x.grad``."""
        recorder = self._recorder
        if recorder.is_over:
            raise kept_too_long([grad])
        slot = self.slot(x)
        if slot.value is None and not slot.cleared and x.node is None:
            slot.value = slot.own_memory()
        slot.stepped = False
        if slot.value is None:  # a tensor of its own: the walk may give one to several leaves
            node = recorder.node_of(grad)
            slot.value = symbolic(node, recorder, grad._requires_grad, grad._grad_fn)
        else:
            slot.value = add(slot.value, grad)

    def note_hooks(self, leaf: Tensor) -> None:
        """Note that the program has the hooks of this leaf in it."""
        self._recorder.guard(lambda: leaf._hooks, "the hooks of a leaf", (leaf, "_hooks"))

    def note_arrival(self, leaf: Tensor, is_added: bool) -> None:
        """Note that a gradient arrives at a value of the program, and is added to its ``grad``."""
        self._arrived[id(leaf)] = is_added or self._arrived.get(id(leaf), False)

    @property
    def arrivals(self) -> list[Arrival]:
        """The placeholders at which gradients arrive inside the program."""
        return [
            Arrival(position, name, self._arrived[id(x)])
            for position, (name, x) in enumerate(self._recorder.placeholders.items())
            if id(x) in self._arrived
        ]

    @property
    def concrete_slots(self) -> list[GradSlot]:
        """The gradients of tensors that exist outside the program."""
        return [slot for slot in self._slots.values() if slot.tensor.node is None]

    @property
    def of_arguments(self) -> list[ArgumentGrad]:
        """The gradients that a run leaves behind for placeholders."""
        found = []
        for position, (name, x) in enumerate(self._recorder.placeholders.items()):
            slot = self._slots.get(id(x))
            if slot is not None and slot.value is not None and not slot.is_local:
                found.append(ArgumentGrad(position, name, slot.value, slot.cleared))
        return found

    def keep(self) -> None:
        """Let gradients that outlive a run be written to their memory."""
        for slot in self.concrete_slots:
            if slot.value is None or slot.is_local:
                continue
            memory = slot.own_memory()
            if slot.value is not memory:
                self._recorder.set_next_value(memory, slot.value)
