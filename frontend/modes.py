"""What this thread is doing: recording into a graph or running, with gradients or without."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from graphc.frontend.recorder import Recorder

P = ParamSpec("P")
R = TypeVar("R")


class _Modes(threading.local):
    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.grad_enabled = True


modes = _Modes()


class set_grad_enabled:  # noqa: N801 - PyTorch's name
    """Switch gradient tracking on or off: as a call, a context manager or a decorator.

    Args:
        mode: True to track.

    Source: ``torch.set_grad_enabled``.
    """

    def __init__(self, mode: bool) -> None:
        self.before = modes.grad_enabled
        self.mode = mode
        modes.grad_enabled = mode

    def __enter__(self) -> None:
        modes.grad_enabled = self.mode

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        modes.grad_enabled = self.before

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with this mode inside."""
        modes.grad_enabled = self.before  # as a decorator it says nothing about the code after it

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with set_grad_enabled(self.mode):
                return function(*args, **kwargs)

        return wrapped


class _GradMode:
    """A context manager and decorator that sets gradient tracking; may be nested and reused."""

    def __init__(self) -> None:
        self.stack: list[bool] = []

    mode = True

    def __enter__(self) -> None:
        self.stack.append(modes.grad_enabled)
        modes.grad_enabled = self.mode

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        modes.grad_enabled = self.stack.pop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with this mode inside."""

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with type(self)():
                return function(*args, **kwargs)

        return wrapped


class no_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Do not track gradients inside the block or the decorated function.

    Source: ``torch.no_grad``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor(2.0, requires_grad=True)
        >>> with gc.no_grad():
        ...     (x * x).requires_grad
        False
    """

    mode = False


class enable_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Track gradients inside the block or the decorated function.

    Source: ``torch.enable_grad``.
    """

    mode = True


def is_grad_enabled() -> bool:
    """True if operations are tracked for gradients (``torch.is_grad_enabled``)."""
    return modes.grad_enabled


def is_recording() -> bool:
    """True inside ``with gc.Graph()`` and while a function is traced."""
    return modes.recorder is not None


def current_recorder() -> Any:
    """The recorder of the innermost ``with gc.Graph()`` of this thread, or None."""
    return modes.recorder


@contextmanager
def recording_into(recorder: Recorder | None) -> Iterator[None]:
    """Apply operations to this recording inside the block, or run them if it is None."""
    before = modes.recorder
    modes.recorder = recorder
    try:
        yield
    finally:
        modes.recorder = before


def running_now() -> AbstractContextManager[None]:
    """Run operations on concrete tensors at once, even while a graph is being recorded."""
    return recording_into(None)
