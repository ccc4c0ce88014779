"""Anomaly detection: names the line whose gradient is NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.frontend.autograd.recorded import RecordedGradFn
from graphc.frontend.autograd.tape import GradFn
from graphc.frontend.modes import modes
from graphc.ops.anomaly import no_nan
from graphc.provenance import describe, user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class set_detect_anomaly:  # noqa: N801 - PyTorch's name
    """Switch anomaly detection on or off: as a call or a context manager.

    Args:
        mode: True to note the line of each operation, and to name it when backward fails there.
        check_nan: also let backward raise where a gradient is NaN.

    Source: ``torch.autograd.set_detect_anomaly``.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = (modes.anomaly, modes.check_nan)
        modes.check_nan = check_nan
        modes.change(anomaly=mode)

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        anomaly, modes.check_nan = self._before
        modes.change(anomaly=anomaly)


class detect_anomaly:  # noqa: N801 - PyTorch's name
    """Inside the block, errors of backward name the line of the operation that they come from.

    A gradient that is NaN is such an error. Compiled functions that are called inside are traced
    for it, and check their gradients in each run. It is slow.

    Args:
        check_nan: let backward raise where a gradient is NaN.

    Source: ``torch.autograd.detect_anomaly``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor(0.0, requires_grad=True)
        >>> with gc.autograd.detect_anomaly():
        ...     (x.sqrt() * 0).backward()
        Traceback (most recent call last):
        graphc.errors.AutogradError: the gradient of input 0 of SqrtBackward0 is NaN...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        self._outer: list[set_detect_anomaly] = []

    def __enter__(self) -> None:
        self._outer.append(set_detect_anomaly(True, self._check_nan))

    def __exit__(self, *_: object) -> None:
        self._outer.pop().__exit__()


def is_anomaly_enabled() -> bool:
    """True if anomaly detection is on (``torch.is_anomaly_enabled``)."""
    return modes.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """True if it looks for NaN (``torch.is_anomaly_check_nan_enabled``)."""
    return modes.check_nan


def note_line(step: GradFn) -> None:
    """Let a step know the user's line that makes it, under anomaly detection."""
    if modes.anomaly:
        step.origin = user_location_text()


def line_of(step: GradFn) -> str:
    """The user's line that made a step, for people."""
    if isinstance(step, RecordedGradFn):
        return describe(step.node)
    return getattr(step, "origin", "a line outside of detect_anomaly, which notes them")


def without_nan(
    step: GradFn, grads: Sequence[Tensor | None], unwanted: frozenset[int]
) -> list[Tensor | None]:
    """The gradients of a step's inputs; raises if one is NaN, now or when the program runs."""
    where = line_of(step)
    return [
        grad if grad is None or position in unwanted
        else no_nan(
            grad, what=f"the gradient of input {position} of {step.name()} is NaN", where=where
        )
        for position, grad in enumerate(grads)
    ]  # fmt: skip
