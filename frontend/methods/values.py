"""Methods of ``Tensor`` that give its values to Python and numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, AutogradError, DTypeError
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.convert import real_number
from graphc.frontend.modes import modes
from graphc.provenance import user_location_text
from graphc.storage import Array


class ValueMethods(TensorBase):
    """The values as arrays, lists and numbers; a symbolic tensor has none yet."""

    __slots__ = ()

    def numpy(self, *, force: bool = False) -> Array:
        """The values as a numpy array that shares memory.

        Args:
            force: detach first.

        Raises:
            SymbolicValueError: while recording.
            AutogradError: if gradients are tracked; use ``detach()`` first.
        """
        array = self.array("numpy()")
        if self._requires_grad and modes.grad_enabled and not force:
            raise AutogradError(
                "numpy() of a tensor that requires a gradient would lose it",
                fix="x.detach().numpy()", where=user_location_text(),
            )  # fmt: skip
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.array("an array")
        if copy is False and dtype is not None and array.dtype != dtype:
            raise ArgumentError(
                "a copy is needed for another dtype", got=str(dtype), where=user_location_text()
            )
        return np.array(array, dtype=dtype, copy=True if copy else None)

    def item(self) -> Any:
        """The only element as a Python number (``torch.Tensor.item``)."""
        array = self.array("item()")
        if array.size != 1:
            raise ArgumentError(
                "item(): only a tensor with one element has one", got=str(self.type),
                where=user_location_text(),
            )  # fmt: skip
        return array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array("tolist()").tolist()

    def __bool__(self) -> bool:
        self.array("bool()")
        if self.storage.array.size != 1:
            raise ArgumentError(
                "the truth of a tensor with several elements is ambiguous", got=str(self.type),
                fix="use .any() or .all()", where=user_location_text(),
            )  # fmt: skip
        return bool(self.storage.array.item())

    def __int__(self) -> int:
        self.array("int()")
        value = self.item()
        return int(real_number(value, "int") if isinstance(value, complex) else value)

    def __index__(self) -> int:
        value = self.array("an index")
        if value.dtype.kind not in "iub":
            raise DTypeError(
                "only integer tensors can be indices",
                got=self.dtype.name,
                where=user_location_text(),
            )
        return int(self.item())

    def __float__(self) -> float:
        self.array("float()")
        value = self.item()
        return float(real_number(value, "float") if isinstance(value, complex) else value)

    def __complex__(self) -> complex:
        self.array("complex()")
        return complex(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)
