"""Data sets: samples by number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from graphc.errors import ArgumentError, DTypeError
from graphc.frontend.base import concrete
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.sampling import randperm
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by number: define ``__getitem__`` and ``__len__`` (``torch.utils.data.Dataset``)."""

    def __getitem__(self, index: int) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not define __len__")


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

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def batch(self, indices: Sequence[int]) -> list[Tensor]:
        """The samples at these numbers, each tensor's in one tensor."""
        return [concrete(tensor.storage.array[np.asarray(indices)]) for tensor in self.tensors]


class Subset(Dataset[T_co]):
    """Some samples of a data set (``torch.utils.data.Subset``).

    Args:
        dataset: the whole.
        indices: the numbers of the samples to keep.
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> T_co:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T_co]]:
    """Split at random into parts that do not overlap.

    Args:
        dataset: the whole.
        lengths: sizes that add up to the whole, or fractions that add up to 1.
        generator: default: the global one.

    Raises:
        ArgumentError: if the lengths do not add up.

    Source: ``torch.utils.data.random_split``.
    """
    sizes = _sizes(len(dataset), lengths)
    order = randperm(len(dataset), generator=generator).tolist()
    parts, start = [], 0
    for size in sizes:
        parts.append(Subset(dataset, order[start : start + size]))
        start += size
    return parts


def _sizes(total: int, lengths: Iterable[int | float]) -> list[int]:
    given = list(lengths)
    if any(isinstance(length, float) for length in given) and math.isclose(sum(given), 1):
        sizes = [math.floor(total * length) for length in given]
        for extra in range(total - sum(sizes)):  # one more each for the first parts
            sizes[extra % len(sizes)] += 1
    else:
        sizes = [int(length) for length in given]
    if sum(sizes) != total or min(sizes, default=0) < 0:
        raise ArgumentError(
            "random_split: the lengths do not add up", got=str(given),
            expected=f"a sum of {total}, or fractions with a sum of 1", where=user_location_text(),
        )  # fmt: skip
    return sizes
