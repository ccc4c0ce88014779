"""Batches of a data set, in order or shuffled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any

from graphc.errors import ArgumentError
from graphc.frontend.data.collate import default_collate
from graphc.frontend.data.dataset import Dataset, Subset, TensorDataset
from graphc.frontend.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from graphc.frontend.functions.generators import Generator
from graphc.provenance import user_location_text


class DataLoader:
    """Iterate over a data set in batches (``torch.utils.data.DataLoader``).

    Args:
        dataset: samples by number.
        batch_size: samples per batch; None gives single samples that are not collated.
        shuffle: read in a new random order each time.
        sampler: the order, instead of ``shuffle``.
        batch_sampler: lists of numbers, instead of all of these.
        num_workers: 0; batches are made in this process.
        collate_fn: joins a list of samples; default ``default_collate``.
        drop_last: leave out a last batch that is smaller.
        generator: source of the order; default: the global one, so ``gc.manual_seed`` repeats it.

    Raises:
        ArgumentError: for options that exclude each other, or ``num_workers`` above 0.

    Example:
        >>> import graphc as gc
        >>> from graphc.utils.data import DataLoader, TensorDataset
        >>> loader = DataLoader(TensorDataset(gc.arange(5)), batch_size=2)
        >>> [x for (x,) in loader]
        [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    def __init__(
        self,
        dataset: Dataset[Any] | Sequence[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.num_workers, self.generator = num_workers, generator
        self.collate_fn: Callable[[list[Any]], Any] = collate_fn or default_collate
        self._check(bool(shuffle), sampler, batch_sampler)
        if sampler is None:
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle
                else SequentialSampler(dataset)
            )
        self.sampler = sampler
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler

    def _check(
        self, shuffle: bool, sampler: Iterable[int] | None, batch_sampler: Iterable[Any] | None
    ) -> None:
        problems = [
            (self.num_workers != 0, "num_workers must be 0: batches are made in this process"),
            (shuffle and sampler is not None, "sampler and shuffle exclude each other"),
            (
                batch_sampler is not None
                and (self.batch_size != 1 or shuffle or sampler is not None or self.drop_last),
                "batch_sampler excludes batch_size, shuffle, sampler and drop_last",
            ),
            (self.batch_size is None and self.drop_last, "drop_last needs a batch_size"),
        ]
        for wrong, message in problems:
            if wrong:
                raise ArgumentError(f"DataLoader: {message}", where=user_location_text())

    def __iter__(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            return (self.dataset[index] for index in self.sampler)
        return map(self._fetch, self.batch_sampler)

    def _fetch(self, indices: list[int]) -> Any:
        whole, numbers = self.dataset, indices
        # exact types: a subclass may override how a sample is read
        while type(whole) is Subset:
            numbers = [whole.indices[number] for number in numbers]
            whole = whole.dataset
        if type(whole) is TensorDataset and self.collate_fn is default_collate:
            return whole.batch(numbers)
        return self.collate_fn([self.dataset[index] for index in indices])

    def __len__(self) -> int:
        batches = self.sampler if self.batch_sampler is None else self.batch_sampler
        if not isinstance(batches, Sized):
            raise ArgumentError(
                "DataLoader: the number of batches is unknown, the sampler has no length",
                got=type(batches).__name__, where=user_location_text(),
            )  # fmt: skip
        return len(batches)
