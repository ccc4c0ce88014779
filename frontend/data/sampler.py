"""Orders in which samples are read: all of them, or lists of them.

All samplers here draw their random numbers when an iteration begins, not while it runs, so that a
loader can begin one again from the state that the generator had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from graphc.errors import ArgumentError, ArgumentTypeError
from graphc.frontend.data.dataset import size_of
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.sampling import randint, randperm
from graphc.provenance import user_location_text

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An order of samples: define ``__iter__`` and ``__len__`` (``torch.utils.data.Sampler``)."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler[int]):
    """From first to last.

    Args:
        data_source: what is read.
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """In a random order, another one each time.

    Args:
        data_source: what is read.
        replacement: draw each number independently, so that some come twice.
        num_samples: how many; default: all. More than there are begin another random order.
        generator: default: the global one.

    Raises:
        ArgumentError: for a number of samples below 1.

    Source: ``torch.utils.data.RandomSampler``.

    Example:
        >>> from graphc.utils.data import RandomSampler
        >>> sorted(RandomSampler("abc"))
        [0, 1, 2]
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:  # fmt: skip
        require_bool("RandomSampler: replacement", replacement)
        if num_samples is not None:
            require_count("RandomSampler: num_samples", num_samples)
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        """How many numbers an iteration gives."""
        return size_of(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        total, wanted = size_of(self.data_source), self.num_samples
        if wanted and not total:
            raise ArgumentError(
                "RandomSampler: there are no samples to draw from", got=f"num_samples={wanted}",
                where=user_location_text(),
            )  # fmt: skip
        if self.replacement:
            drawn = randint(0, max(total, 1), (wanted,), generator=self.generator)
            return iter(drawn.tolist())
        orders = [
            randperm(total, generator=self.generator).array()
            for _ in range(-(-wanted // max(total, 1)))
        ]
        numbers = np.concatenate([np.empty(0, np.int64), *orders])
        return iter(numbers[:wanted].tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Another sampler's numbers in lists.

    Args:
        sampler: gives the numbers.
        batch_size: numbers per list.
        drop_last: leave out a last list that is shorter.

    Raises:
        ArgumentError: for a batch size below 1.

    Source: ``torch.utils.data.BatchSampler``.

    Example:
        >>> from graphc.utils.data import BatchSampler
        >>> list(BatchSampler(range(5), 2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        require_count("the batch size", batch_size)
        require_bool("BatchSampler: drop_last", drop_last)
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return self._lists(iter(self.sampler))  # the sampler draws now

    def _lists(self, numbers: Iterator[int]) -> Iterator[list[int]]:
        while batch := list(islice(numbers, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        if not isinstance(self.sampler, Sized):
            raise ArgumentTypeError(
                "the number of batches is unknown: the sampler has no length",
                got=type(self.sampler).__name__, where=user_location_text(),
            )  # fmt: skip
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + bool(rest and not self.drop_last)


def require_count(what: str, given: Any) -> None:
    """Raise ArgumentError unless this is a whole number from 1 on."""
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ArgumentError(
            f"{what} must be a whole number from 1 on", got=repr(given), where=user_location_text()
        )


def require_bool(what: str, given: Any) -> None:
    """Raise ArgumentTypeError unless this is True or False."""
    if not isinstance(given, bool):
        raise ArgumentTypeError(
            f"{what} must be True or False", got=repr(given), where=user_location_text()
        )
