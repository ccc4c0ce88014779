"""Orders in which samples are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

from graphc.errors import ArgumentError
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.sampling import randint, randperm
from graphc.provenance import user_location_text

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An order of samples: define ``__iter__`` and ``__len__`` (``torch.utils.data.Sampler``)."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not define __len__")


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
        num_samples: how many; default: all.
        generator: default: the global one.

    Raises:
        ArgumentError: for a negative number of samples, or more than there are.
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:  # fmt: skip
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        limit = None if replacement else len(data_source)
        if num_samples is not None and (
            num_samples < 0 or (limit is not None and num_samples > limit)
        ):
            raise ArgumentError(
                "RandomSampler: cannot draw so many samples", got=str(num_samples),
                expected=f"0..{limit}", where=user_location_text(),
            )  # fmt: skip

    def __iter__(self) -> Iterator[int]:
        total = len(self.data_source)
        if self.replacement:
            drawn = randint(0, total, (len(self),), generator=self.generator)
        else:
            drawn = randperm(total, generator=self.generator)[: len(self)]
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples


class BatchSampler(Sampler[list[int]]):
    """Another sampler's numbers in lists.

    Args:
        sampler: gives the numbers.
        batch_size: numbers per list.
        drop_last: leave out a last list that is shorter.

    Raises:
        ArgumentError: for a batch size below 1.
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        given: Any = batch_size
        if not isinstance(given, int) or isinstance(given, bool) or given < 1:
            raise ArgumentError(
                "the batch size must be a whole number from 1 on", got=repr(batch_size),
                where=user_location_text(),
            )  # fmt: skip
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        if not isinstance(self.sampler, Sized):
            raise ArgumentError(
                "the number of batches is unknown: the sampler has no length",
                got=type(self.sampler).__name__, where=user_location_text(),
            )  # fmt: skip
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + bool(rest and not self.drop_last)
