"""What this thread is doing: recording into a graph or running, with gradients or without."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from graphc.frontend.autograd.saved_hooks import saved_tensors_hooks
    from graphc.frontend.recording.recorder import Recorder

P = ParamSpec("P")
R = TypeVar("R")


class _Modes(threading.local):
    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.grad_enabled = True
        self.inference = False
        self.anomaly = False
        self.check_nan = True
        self.saved_hooks: saved_tensors_hooks | None = None
        self.hooks_refused: str | None = None
        self.walk_ends: list[Callable[[], None]] | None = None
        """What to call when the walk backward that is going on has ended."""
        self.is_unusual = False
        """Whether inference mode or anomaly detection is on: native calls know neither."""

    def change(self, *, inference: bool | None = None, anomaly: bool | None = None) -> None:
        """Switch inference mode, or anomaly detection."""
        self.inference = self.inference if inference is None else inference
        self.anomaly = self.anomaly if anomaly is None else anomaly
        self.is_unusual = self.inference or self.anomaly

    @property
    def traced(self) -> tuple[bool, bool]:
        """What shapes a program, besides its arguments and what it reads."""
        return self.grad_enabled, self.anomaly and self.check_nan


modes = _Modes()


def decorated(
    function: Callable[P, R], mode: Callable[[], AbstractContextManager[Any]]
) -> Callable[P, R]:
    """The function, or the generator, that runs inside a mode.

    Args:
        function: what runs.
        mode: makes a new context manager for each run.
    """
    if inspect.isgeneratorfunction(function):
        return cast("Callable[P, R]", _decorated_generator(function, mode))

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with mode():
            return function(*args, **kwargs)

    return wrapped


def _decorated_generator(
    function: Callable[..., Any], mode: Callable[[], AbstractContextManager[Any]]
) -> Callable[..., Any]:
    """A generator whose own code runs inside a mode, and not the code between its values."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, generator)
        while True:
            try:
                with mode():
                    value = resume()
            except StopIteration as end:
                return end.value
            try:
                resume = functools.partial(generator.send, (yield value))
            except GeneratorExit:
                with mode():
                    generator.close()
                raise
            except BaseException as error:
                resume = functools.partial(generator.throw, error)

    return wrapped


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

    def __exit__(self, *_: object) -> None:
        modes.grad_enabled = self.before

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with this mode inside."""
        modes.grad_enabled = self.before  # as a decorator it says nothing about the code after it

        return decorated(function, lambda: set_grad_enabled(self.mode))


class _GradMode:
    """A context manager and decorator that sets gradient tracking; may be nested and reused.

    A decorator may be written with or without parentheses.
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if function is None else decorated(function, cls)

    def __init__(self) -> None:
        self.stack: list[bool] = []

    mode = True

    def __enter__(self) -> None:
        self.stack.append(modes.grad_enabled)
        modes.grad_enabled = self.mode

    def __exit__(self, *_: object) -> None:
        modes.grad_enabled = self.stack.pop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with this mode inside."""
        return decorated(function, type(self))


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


class inference_mode:  # noqa: N801 - PyTorch's name
    """Neither track gradients nor let results be used for them later; a decorator, too.

    Tensors that are made inside are for inference only: backward cannot read them, and outside
    they cannot be written. Others stay what they are. While recording it is like ``no_grad``.

    Args:
        mode: False switches it off inside.

    Source: ``torch.inference_mode``.

    Example:
        >>> import graphc as gc
        >>> with gc.inference_mode():
        ...     x = gc.ones(2)
        >>> x.is_inference(), gc.is_inference_mode_enabled()
        (True, False)
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        """The mode; or the function inside it, for a decorator without parentheses."""
        return decorated(mode, cls) if callable(mode) else super().__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self._outer: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._outer.append((modes.grad_enabled, modes.inference))
        modes.grad_enabled = not self.mode
        modes.change(inference=self.mode)

    def __exit__(self, *_: object) -> None:
        modes.grad_enabled, inference = self._outer.pop()
        modes.change(inference=inference)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with this mode inside."""
        return decorated(function, lambda: inference_mode(self.mode))


def is_inference_mode_enabled() -> bool:
    """True inside ``inference_mode`` (``torch.is_inference_mode_enabled``)."""
    return modes.inference


def is_grad_enabled() -> bool:
    """True if operations are tracked for gradients (``torch.is_grad_enabled``)."""
    return modes.grad_enabled


def is_recording() -> bool:
    """True inside ``with gc.Graph()`` and while a function is traced."""
    return modes.recorder is not None


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
