"""One hook for the gradients of several tensors (``torch.autograd.graph``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError, AutogradError
from graphc.frontend.autograd.hooks import RemovableHandle
from graphc.frontend.base import is_tensor
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class MultiHandle:
    """What registering a hook of several tensors returns; ``remove`` takes it off again."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self._handles = handles

    def remove(self) -> None:
        """Take the hook off; nothing happens the second time."""
        for handle in self._handles:
            handle.remove()

    def __enter__(self) -> MultiHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class _Gathered:
    """The gradients that one walk brought to the tensors of a hook.

    Args:
        count: how many tensors there are.
        fn: the hook.
        first_only: call it with the first gradient alone.
    """

    def __init__(self, count: int, fn: Callable[[Any], None], first_only: bool) -> None:
        self._fn, self._first_only, self._count = fn, first_only, count
        self._walk: list[Callable[[], None]] | None = None
        self._grads: list[Tensor | None] = []

    def note(self, position: int, grad: Tensor) -> None:
        walk = modes.walk_ends
        assert walk is not None, "gradients arrive in walks"
        if walk is not self._walk:
            self._walk, self._grads = walk, [None] * self._count
            if self._first_only:
                self._fn(grad)
            walk.append(self._finish)
        self._grads[position] = grad

    def _finish(self) -> None:
        grads, self._grads, self._walk = self._grads, [], None
        if not self._first_only:
            self._fn(grads)


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: str = "all"
) -> MultiHandle:
    """Call a function with the gradients of several tensors.

    Args:
        tensors: each requires a gradient.
        fn: with ``"all"`` takes a list, None for those that no gradient reached, at the end of
            each walk backward that reached one of them; with ``"any"`` takes the first gradient.
        mode: ``"all"`` or ``"any"``.

    Returns:
        A handle; its ``remove()`` takes the hook off.

    Raises:
        ArgumentError: for another mode.
        AutogradError: for what is no tensor that requires a gradient.

    Source: ``torch.autograd.graph.register_multi_grad_hook``.

    Example:
        >>> import graphc as gc
        >>> a, b = (gc.ones(1, requires_grad=True) for _ in range(2))
        >>> handle = gc.autograd.graph.register_multi_grad_hook([a, b], print)
        >>> (a * 2).sum().backward()
        [tensor([2.]), None]
    """
    if mode not in ("all", "any"):
        raise ArgumentError(
            "register_multi_grad_hook: unknown mode", got=repr(mode), expected="'all' or 'any'",
            where=user_location_text(),
        )  # fmt: skip
    for x in tensors:
        if not is_tensor(x) or not x.requires_grad:
            raise AutogradError(
                "register_multi_grad_hook: expected tensors that require a gradient",
                got=str(x.type) if is_tensor(x) else type(x).__name__, where=user_location_text(),
            )  # fmt: skip
    gathered = _Gathered(len(tensors), fn, mode == "any")
    return MultiHandle([x.register_hook(_noting(gathered, i)) for i, x in enumerate(tensors)])


def _noting(gathered: _Gathered, position: int) -> Callable[[Tensor], None]:
    return lambda grad: gathered.note(position, grad)
