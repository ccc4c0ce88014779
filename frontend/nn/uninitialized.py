"""Parameters and buffers whose shape the first input tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from graphc.dims import Shape
from graphc.dtypes import DTypeLike
from graphc.errors import ArgumentError
from graphc.frontend.nn.parameter import Buffer, Parameter, element_type, zeros
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class Uninitialized(Tensor):
    """A tensor that has no shape yet."""

    initialized: ClassVar[type[Tensor]]

    @property
    def shape(self) -> Shape:
        """Not known yet.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError(
            "an uninitialized parameter has no shape yet",
            fix="call the model with an input first, outside of what is recorded",
            where=user_location_text(),
        )

    def materialize(
        self, shape: Sequence[int], device: object = None, dtype: DTypeLike | None = None
    ) -> None:
        """Become an ordinary parameter or buffer of zeros; the object stays the same.

        Args:
            shape: its sizes.
            device: None or ``"cpu"``.
            dtype: default: the one it was made with.
        """
        of = self.dtype if dtype is None else element_type(device, dtype)
        self.storage.array = np.zeros(tuple(shape), of.numpy)
        self.storage.version.count += 1
        object.__setattr__(self, "__class__", self.initialized)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter without a shape (``torch.nn.parameter.UninitializedParameter``).

    Args:
        requires_grad: track gradients.
        device: None or ``"cpu"``.
        dtype: default float32.
    """

    initialized = Parameter

    def __init__(
        self, requires_grad: bool = True, device: object = None, dtype: DTypeLike | None = None
    ) -> None:
        Parameter.__init__(self, zeros((0,), element_type(device, dtype)), requires_grad)


class UninitializedBuffer(Uninitialized, Buffer):
    """A buffer without a shape (``torch.nn.parameter.UninitializedBuffer``).

    Args:
        device: None or ``"cpu"``.
        dtype: default float32.
        persistent: let ``state_dict`` contain it.
    """

    initialized = Buffer

    def __init__(
        self, device: object = None, dtype: DTypeLike | None = None, *, persistent: bool = True
    ) -> None:
        Buffer.__init__(self, zeros((0,), element_type(device, dtype)), persistent=persistent)


def is_lazy(tensor: object) -> bool:
    """Whether a tensor has no shape yet."""
    return isinstance(tensor, Uninitialized)
