"""Data sets side by side: one sample of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.frontend.data.dataset import Dataset, size_of
from graphc.frontend.data.fetching import samples_of
from graphc.provenance import user_location_text


class StackDataset(Dataset[Any]):
    """Samples made of one sample of each data set (``torch.utils.data.StackDataset``).

    Args:
        args: data sets of one length; a sample is a tuple.
        kwargs: instead, data sets by name; a sample is a dict.

    Raises:
        ArgumentError: if there are none, or of both kinds, or the lengths differ.

    Example:
        >>> from graphc.utils.data import StackDataset
        >>> StackDataset("ab", [1, 2])[1], StackDataset(name="ab", size=[1, 2])[0]
        (('b', 2), {'name': 'a', 'size': 1})
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ArgumentError(
                "StackDataset: expected one or more data sets, either in order or by name",
                got="both" if args else "none", where=user_location_text(),
            )  # fmt: skip
        self.datasets: tuple[Any, ...] | dict[str, Any] = args or kwargs
        sizes = [size_of(dataset) for dataset in self._parts]
        if len(set(sizes)) != 1:
            raise ArgumentError(
                "StackDataset: the data sets have different lengths", got=str(sizes),
                where=user_location_text(),
            )  # fmt: skip
        self._length = sizes[0]

    @property
    def _parts(self) -> tuple[Any, ...]:
        return tuple(self.datasets.values()) if isinstance(self.datasets, dict) else self.datasets

    def _sample(self, parts: tuple[Any, ...]) -> Any:
        if isinstance(self.datasets, dict):
            return dict(zip(self.datasets, parts, strict=True))
        return parts

    def __getitem__(self, index: Any) -> Any:
        return self._sample(tuple(dataset[index] for dataset in self._parts))

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples at these numbers; each data set reads its own at once where it can."""
        columns = [samples_of(dataset, indices) for dataset in self._parts]
        for dataset, column in zip(self._parts, columns, strict=True):
            if len(column) != len(indices):
                raise ArgumentError(
                    f"StackDataset: {type(dataset).__name__}.__getitems__ gave another number of "
                    "samples", got=str(len(column)), expected=str(len(indices)),
                    where=user_location_text(),
                )  # fmt: skip
        return [self._sample(parts) for parts in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return self._length
