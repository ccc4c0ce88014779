"""Data sets over tensors in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.data.dataset import Dataset
from graphc.frontend.making import concrete
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples along the first dim of tensors (``torch.utils.data.TensorDataset``).

    Args:
        tensors: concrete tensors with one first size.

    Raises:
        ArgumentError: if the first sizes differ.

    Example:
        >>> import graphc as gc
        >>> from graphc.utils.data import TensorDataset
        >>> TensorDataset(gc.arange(3), gc.arange(3) * 2)[1]
        (tensor(1), tensor(2))
    """

    def __init__(self, *tensors: Tensor) -> None:
        tensor: Any
        for tensor in tensors:
            if not isinstance(tensor, Tensor) or tensor.is_symbolic or tensor.ndim == 0:
                raise DTypeError(
                    "TensorDataset: expected concrete tensors with one dim or more",
                    got=type(tensor).__name__, fix="gc.tensor(array)", where=user_location_text(),
                )  # fmt: skip
        if len({tensor.shape[0] for tensor in tensors}) != 1:
            raise ArgumentError(
                "TensorDataset: the tensors must have one first size",
                got=", ".join(str(tensor.type) for tensor in tensors), where=user_location_text(),
            )  # fmt: skip
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getbatch__(self, indices: Sequence[int]) -> Any:
        """The samples at these numbers, each tensor's in one tensor."""
        if any(tensor.requires_grad for tensor in self.tensors):
            return NotImplemented  # joining notes the samples on the tape
        numbers = np.asarray(indices, np.int64)
        return [concrete(tensor.storage.array[numbers]) for tensor in self.tensors]

    def __len__(self) -> int:
        return len(self.tensors[0])
