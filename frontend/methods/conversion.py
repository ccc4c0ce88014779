"""Methods of ``Tensor`` that give it another dtype, and its only place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)  # fmt: skip
from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.base import TensorBase, is_tensor
from graphc.frontend.functions import shaping
from graphc.frontend.functions.convert import cast, require_tensor
from graphc.frontend.settings.devices import CPU, Device, DeviceLike, require_cpu
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def to(
    self: Tensor, *args: Any, dtype: Any = None, device: DeviceLike = None, other: Any = None,
    non_blocking: bool = False, copy: bool = False,
) -> Tensor:  # fmt: skip
    """The tensor with another dtype; itself if it has it already (``torch.Tensor.to``).

    It takes ``to(dtype)``, ``to(device, dtype)`` and ``to(other)``, each followed by
    ``non_blocking`` and ``copy``.

    Args:
        self: tensor.
        args: dtype, device or another tensor, and more by position.
        dtype: the dtype.
        device: the CPU.
        other: a tensor whose dtype is taken.
        non_blocking: without meaning on the CPU.
        copy: never the tensor itself.

    Raises:
        ArgumentError: for another device, or arguments given twice.
        DTypeError: for an unknown dtype.

    Example:
        >>> import graphc as gc
        >>> gc.tensor([1.5]).to("cpu", gc.int64)
        tensor([1])
    """
    wanted, is_copied = _target(args, dtype, device, other, copy)
    made = cast(self, self.dtype if wanted is None else wanted)
    return shaping.clone(made) if is_copied and made is self else made


def target_dtype(
    *args: Any, dtype: Any = None, device: DeviceLike = None, other: Any = None,
    non_blocking: bool = False,
) -> DType | None:  # fmt: skip
    """The dtype that the arguments of ``to`` ask for; None if they name none."""
    return _target(args, dtype, device, other, False)[0]


def _target(
    args: tuple[Any, ...], dtype: Any, device: DeviceLike, other: Any, copy: bool
) -> tuple[DType | None, bool]:
    """The dtype that the arguments of ``to`` ask for, and whether they ask for a copy."""
    rest = list(args)
    if rest and is_tensor(rest[0]):
        other = rest.pop(0)
    elif rest and _is_device(rest[0]):
        require_cpu(rest.pop(0))
        if rest and not isinstance(rest[0], bool):
            dtype = _once(dtype, rest.pop(0))
    elif rest:
        dtype = _once(dtype, rest.pop(0))
    if rest:
        rest.pop(0)
    if rest:
        copy = rest.pop(0)
    if rest or (other is not None and dtype is not None):
        raise ArgumentError(
            "to: expected a dtype, a device, or a tensor", got=f"{len(args)} arguments",
            where=user_location_text(),
        )  # fmt: skip
    require_cpu(device)
    if other is not None:
        return require_tensor("to", other).dtype, copy
    return None if dtype is None else _found(dtype), copy


def _once(given: Any, positional: Any) -> Any:
    if given is not None:
        raise ArgumentError("to: the dtype is given twice", where=user_location_text())
    return positional


def _is_device(value: Any) -> bool:
    if value is None or isinstance(value, Device):
        return True
    if not isinstance(value, str):
        return False
    try:
        as_dtype(value)
    except DTypeError:
        return value.partition(":")[0] in _PLACES
    return False


_PLACES = ("cpu", "cuda", "mps", "xpu", "meta", "hpu", "xla", "mtia", "ipu")
"""PyTorch's devices; all but one are refused."""


def _found(dtype: Any) -> DType:
    try:
        return as_dtype(dtype)
    except DTypeError as error:
        raise error.located(user_location_text()) from None


class ConversionMethods(TensorBase):
    """Methods that give another dtype; see ``to``."""

    __slots__ = ()

    to = to

    @property
    def device(self) -> Device:
        """The CPU."""
        return CPU

    def cpu(self) -> Tensor:
        """The tensor itself, which is there already (``torch.Tensor.cpu``)."""
        return to(require_tensor("cpu", self))

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor with the dtype of another."""
        return to(require_tensor("type_as", self), other)

    def float(self) -> Tensor:
        """As float32."""
        return self._as(float32)

    def double(self) -> Tensor:
        """As float64."""
        return self._as(float64)

    def half(self) -> Tensor:
        """As float16."""
        return self._as(float16)

    def bfloat16(self) -> Tensor:
        """As bfloat16."""
        return self._as(bfloat16)

    def cfloat(self) -> Tensor:
        """As complex64."""
        return self._as(complex64)

    def cdouble(self) -> Tensor:
        """As complex128."""
        return self._as(complex128)

    def long(self) -> Tensor:
        """As int64."""
        return self._as(int64)

    def int(self) -> Tensor:
        """As int32."""
        return self._as(int32)

    def short(self) -> Tensor:
        """As int16."""
        return self._as(int16)

    def char(self) -> Tensor:
        """As int8."""
        return self._as(int8)

    def byte(self) -> Tensor:
        """As uint8."""
        return self._as(uint8)

    def bool(self) -> Tensor:
        """As bool: True where not zero."""
        return self._as(bool_)

    def _as(self, dtype: DType) -> Tensor:
        return cast(require_tensor("to", self), dtype)
