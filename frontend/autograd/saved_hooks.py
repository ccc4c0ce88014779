"""Hooks that decide how values are kept for backward (``torch.autograd.graph``).

They are called where operations run; a recorded program keeps what its plan says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graphc.dtypes import of_array
from graphc.errors import AutogradError, RecordingError
from graphc.frontend.base import is_tensor
from graphc.frontend.making import concrete
from graphc.frontend.modes import is_recording, modes, no_grad
from graphc.provenance import user_location_text
from graphc.storage import Array
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class PackedValue:
    """What a hook made of a value, until backward needs the value.

    Args:
        packed: what the pack hook returned.
        unpack: makes a tensor of it again.
        type: the value's, which the tensor must have.
    """

    __slots__ = ("_packed", "_unpack", "type")

    def __init__(self, packed: Any, unpack: Callable[[Any], Tensor], type: TensorType) -> None:
        self._packed, self._unpack, self.type = packed, unpack, type

    def array(self) -> Array:
        """The value again.

        Raises:
            AutogradError: if the unpack hook returns something else.
        """
        with no_grad():
            found = self._unpack(self._packed)
        if not is_tensor(found) or found.is_symbolic or found.type != self.type:
            got = str(found.type) if is_tensor(found) else type(found).__name__
            raise AutogradError(
                "an unpack hook must return a tensor like the one that was packed",
                got=got, expected=str(self.type), where=user_location_text(),
            )  # fmt: skip
        return found.storage.array


class saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """Keep what ``pack_hook`` makes of values that backward will read, instead of the values.

    Hooks inside of others replace them. Operations may pack operands that no gradient needs in
    the end; each hook runs without gradients.

    Args:
        pack_hook: takes a tensor, returns anything.
        unpack_hook: takes that, returns a tensor of the same shape and dtype.

    Raises:
        AutogradError: if one of them cannot be called, or inside ``disable_saved_tensors_hooks``.
        RecordingError: while recording.

    Source: ``torch.autograd.graph.saved_tensors_hooks``.

    Example:
        >>> import graphc as gc
        >>> x = gc.ones(2, requires_grad=True)
        >>> with gc.autograd.graph.saved_tensors_hooks(lambda x: x.half(), lambda x: x.float()):
        ...     y = (x * x).sum()
        >>> y.backward()
        >>> x.grad
        tensor([2., 2.])
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        for name, hook in (("pack_hook", pack_hook), ("unpack_hook", unpack_hook)):
            if not callable(hook):
                raise AutogradError(
                    f"saved_tensors_hooks: {name} must be callable", got=type(hook).__name__,
                    where=user_location_text(),
                )  # fmt: skip
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook
        self._before: list[saved_tensors_hooks | None] = []

    def __enter__(self) -> None:
        if modes.hooks_refused is not None:
            raise AutogradError(modes.hooks_refused, where=user_location_text())
        if is_recording():
            raise RecordingError(
                "saved_tensors_hooks: a recorded program keeps what its plan says",
                fix="leave the hooks outside of what is recorded", where=user_location_text(),
            )  # fmt: skip
        self._before.append(modes.saved_hooks)
        modes.saved_hooks = self

    def __exit__(self, *exc: object) -> None:
        modes.saved_hooks = self._before.pop()

    def packed(self, array: Array) -> PackedValue:
        """Let the hook see a value.

        Raises:
            AutogradError: if the hook writes it.
        """
        given = concrete(array)
        before = given.storage.version.count
        with no_grad(), _suspended():
            made = self.pack_hook(given)
        if given.storage.version.count != before:
            raise AutogradError(
                "a pack hook wrote its tensor in place, which is the value itself",
                got=str(given.type), fix="clone() it first", where=user_location_text(),
            )  # fmt: skip
        return PackedValue(made, self.unpack_hook, TensorType(array.shape, of_array(array)))


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 - PyTorch's name
    """Keep copies of values for backward, so that later writes do not spoil them.

    Args:
        pin_memory: is for other devices, and does nothing.
        device_type: likewise.

    Source: ``torch.autograd.graph.save_on_cpu``.

    Example:
        >>> import graphc as gc
        >>> x = gc.ones(2, requires_grad=True)
        >>> with gc.autograd.graph.save_on_cpu():
        ...     y = x.exp().square().sum()
        >>> y.backward()
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda x: x.clone(), lambda x: x)


@contextmanager
def _suspended() -> Iterator[None]:
    """Hooks do not see what hooks compute."""
    before, modes.saved_hooks = modes.saved_hooks, None
    try:
        yield
    finally:
        modes.saved_hooks = before


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Raise this message where hooks of saved tensors are used inside the block.

    Args:
        error_message: what the AutogradError says.

    Source: ``torch.autograd.graph.disable_saved_tensors_hooks``.
    """
    if modes.saved_hooks is not None:
        raise AutogradError(error_message, where=user_location_text())
    before, modes.hooks_refused = modes.hooks_refused, error_message
    try:
        yield
    finally:
        modes.hooks_refused = before
