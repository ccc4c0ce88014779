"""A recording that is a part of the one around it: what it reads from there is given to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from graphc.dims import Size
from graphc.dtypes import DType, DTypeLike
from graphc.errors import RecordingError
from graphc.frontend.base import TensorBase
from graphc.frontend.making import concrete
from graphc.frontend.modes import modes
from graphc.frontend.recording.grad_slots import GradSlot
from graphc.frontend.recording.gradients import Gradients
from graphc.frontend.recording.recorder import Recorder
from graphc.opdef import OpDef
from graphc.ops.select import detach
from graphc.provenance import user_location_text
from graphc.storage import HostValue

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class SubgraphRecorder(Recorder):
    """What a function is recorded into that becomes part of a program.

    Args:
        what: whose part it is, for errors.
        outer: what records the code around it; None if that runs now.

    Attributes:
        tracks: whether gradients are tracked around it.
        repeats: whether it is a step of a loop.
    """

    def __init__(self, what: str, outer: Recorder | None) -> None:
        super().__init__()
        self.what, self.outer = what, outer
        self.tracks = modes.grad_enabled
        self.repeats = False
        self.gradients = _NoGradients(self)

    def is_inside(self, recorder: Recorder) -> bool:
        """Whether a recording is one of those around this one."""
        around = self.outer
        while isinstance(around, SubgraphRecorder) and around is not recorder:
            around = around.outer
        return around is recorder

    def record(self, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]) -> Tensor:
        """Apply an operation to nodes; inside ``no_grad`` no gradient passes the result."""
        result = super().record(op, inputs, attrs)
        self._cut_off(result)
        return result

    def record_results(
        self, op: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]
    ) -> tuple[Tensor, ...]:
        """Apply an operation with several results; inside ``no_grad`` no gradient passes them."""
        made = super().record_results(op, inputs, attrs)
        for result in made:
            self._cut_off(result)
        return made

    def _cut_off(self, result: Tensor) -> None:
        if self.tracks and not modes.grad_enabled and result.dtype.is_differentiable:
            assert result.node is not None, "it was recorded"
            result.node = detach(result.node)

    def guard(self, read: Callable[[], Any], *others: Any, **more: Any) -> Any:
        """Read a Python value that shapes the program around."""
        return read() if self.outer is None else self.outer.guard(read, *others, **more)

    def note_value(self, x: TensorBase, wanted: str) -> None:
        """The values of a concrete tensor are read: they are fixed in the program around."""
        self._require_unwritten(self._aliases.owner(x.storage), x, wanted)
        if self.outer is not None:
            self.outer.note_value(x, wanted)

    def host_value(self, source: HostValue, dtype: DType, name: str) -> Tensor:
        """A Python number that the program around reads at each run."""
        if self.outer is None:
            return concrete(np.asarray(source.read(), dtype.numpy))
        return self.outer.host_value(source, dtype, name)

    def suggest_name(self, x: Tensor, name: str) -> None:
        """Call the variable of this tensor so, if the program around gets one."""
        if self.outer is not None:
            self.outer.suggest_name(x, name)

    def placeholder(
        self, shape: Sequence[Size | str | None], dtype: DTypeLike, name: str | None,
        requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        """Refuse new inputs of the program."""
        self.refuse("a placeholder was made", fix="make it outside and pass it as an argument")

    def mark_output(self, tensor: Tensor, name: str) -> None:
        """Refuse new outputs of the program."""
        self.refuse("an output was marked", fix="return it")

    def note_wanted(self, inputs: Sequence[Tensor]) -> None:
        """Refuse gradients by what a loop reads from outside: other steps read it, too."""
        for x in inputs:
            part: Recorder | None = self
            while isinstance(part, SubgraphRecorder) and part is not x.recorder:
                if part.repeats:
                    part.refuse(
                        "a gradient inside is asked by a tensor from outside",
                        str(x.type),
                        "ask by a clone() that is made inside, for this step alone, or outside",
                    )
                part = part.outer

    def used_elsewhere(self, x: Tensor) -> RecordingError:
        """The error for a tensor that was kept when the function was over."""
        return RecordingError(
            f"{self.what}: a tensor from inside was used outside", got=f"{x.type}",
            fix="let the function return it", where=user_location_text(),
        )  # fmt: skip

    def refuse(self, what: str, got: str = "", fix: str = "") -> NoReturn:
        """Raise a RecordingError."""
        raise RecordingError(f"{self.what}: {what}", got=got, fix=fix, where=user_location_text())


class _NoGradients(Gradients):
    """Refuses ``grad`` and ``backward``: a part of a program has no gradients that outlive it."""

    def __init__(self, recorder: SubgraphRecorder) -> None:
        super().__init__(recorder)
        self._part = recorder

    def slot(self, x: Tensor) -> GradSlot:
        """Refuse; everything else needs it."""
        fix = "gc.grad and gc.func.grad give gradients as values"
        self._part.refuse("a tensor's grad was read or written", str(x.type), fix)
