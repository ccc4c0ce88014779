"""What samples come from: by number, or as a stream; and several of them one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sized
from itertools import accumulate
from typing import Any, Generic, TypeVar

from graphc.errors import ArgumentError, ArgumentTypeError, IndexRangeError
from graphc.provenance import user_location_text

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by number: define ``__getitem__`` and ``__len__`` (``torch.utils.data.Dataset``).

    Two more methods save time where a data set has them: ``__getitems__(numbers)`` gives a list of
    samples, and ``__getbatch__(numbers)`` gives what ``default_collate`` would make of them. A
    subclass that overrides only ``__getitem__`` is read by that.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Samples as a stream: define ``__iter__`` (``torch.utils.data.IterableDataset``).

    Each worker of a loader iterates over a copy of its own; ``get_worker_info`` tells a copy which
    part of the stream is its. ``__len__`` may be left out.

    Example:
        >>> from graphc.utils.data import DataLoader, IterableDataset
        >>> class Countdown(IterableDataset[int]):
        ...     def __iter__(self):
        ...         return iter([3, 2, 1])
        >>> list(DataLoader(Countdown(), batch_size=2))
        [tensor([3, 2]), tensor([1])]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} is a stream: it has no sample by number")

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        return ChainDataset([self, other])


class ConcatDataset(Dataset[T_co]):
    """Data sets one after the other (``torch.utils.data.ConcatDataset``).

    Args:
        datasets: one or more that have lengths.

    Raises:
        ArgumentError: if there are none, or one is a stream.

    Example:
        >>> from graphc.utils.data import ConcatDataset
        >>> both = ConcatDataset(["ab", "cde"])
        >>> len(both), both[2], both[-1]
        (5, 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets or any(isinstance(one, IterableDataset) for one in self.datasets):
            raise ArgumentError(
                "ConcatDataset: expected one or more data sets that are no streams",
                got=", ".join(type(one).__name__ for one in self.datasets) or "none",
                fix="ChainDataset joins streams", where=user_location_text(),
            )  # fmt: skip
        self.cumulative_sizes = list(accumulate(size_of(one) for one in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> T_co:
        if not -len(self) <= index < len(self):
            raise IndexRangeError(
                "ConcatDataset: no such sample", got=str(index),
                expected=f"{-len(self)} to {len(self) - 1}", where=user_location_text(),
            )  # fmt: skip
        number = index + len(self) if index < 0 else index
        place = bisect_right(self.cumulative_sizes, number)
        before = self.cumulative_sizes[place - 1] if place else 0
        sample: T_co = self.datasets[place][number - before]
        return sample


class ChainDataset(IterableDataset[T_co]):
    """Streams one after the other (``torch.utils.data.ChainDataset``).

    Args:
        datasets: the streams.

    Raises:
        ArgumentError: while iterating, if one is no IterableDataset.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T_co]:
        for one in self.datasets:
            yield from _stream(one)

    def __len__(self) -> int:
        return sum(size_of(_stream(one)) for one in self.datasets)


def _stream(one: Dataset[T_co]) -> IterableDataset[T_co]:
    if not isinstance(one, IterableDataset):
        raise ArgumentError(
            "ChainDataset: expected streams", got=type(one).__name__,
            fix="ConcatDataset joins data sets with numbers", where=user_location_text(),
        )  # fmt: skip
    return one


def size_of(dataset: object) -> int:
    """How many samples a data set has.

    Raises:
        ArgumentTypeError: if it does not define ``__len__``.
    """
    if not isinstance(dataset, Sized):
        raise ArgumentTypeError(
            "the number of samples is unknown: the data set does not define __len__",
            got=type(dataset).__name__, where=user_location_text(),
        )  # fmt: skip
    return len(dataset)
