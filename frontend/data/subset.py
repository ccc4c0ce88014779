"""Some samples of a data set, and splits at random."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, TypeVar

from graphc.errors import ArgumentError
from graphc.frontend.data.dataset import Dataset, size_of
from graphc.frontend.data.fetching import batch_of, samples_of
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.sampling import randperm
from graphc.provenance import user_location_text

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Subset(Dataset[T_co]):
    """Some samples of a data set (``torch.utils.data.Subset``).

    Args:
        dataset: the whole.
        indices: the numbers of the samples to keep.

    Example:
        >>> from graphc.utils.data import Subset
        >>> list(Subset("abcd", [3, 0]))
        ['d', 'a']
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[one] for one in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[T_co]:
        """The samples at these numbers, at once where the whole can do that."""
        return samples_of(self.dataset, [self.indices[one] for one in indices])

    def __getbatch__(self, indices: Sequence[int]) -> Any:
        """One batch of these samples, if the whole makes batches."""
        return batch_of(self.dataset, [self.indices[one] for one in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset[T], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T]]:
    """Split at random into parts that do not overlap.

    Args:
        dataset: the whole.
        lengths: sizes that add up to the whole, or fractions that add up to 1.
        generator: default: the global one.

    Raises:
        ArgumentError: if the lengths do not add up.

    Source: ``torch.utils.data.random_split``.

    Example:
        >>> from graphc.utils.data import random_split
        >>> [len(part) for part in random_split(range(10), [0.5, 0.25, 0.25])]
        [6, 2, 2]
    """
    total = size_of(dataset)
    sizes = split_sizes("random_split", total, lengths)
    order = randperm(total, generator=generator).tolist()
    ends = accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def split_sizes(what: str, total: int, lengths: Iterable[int | float]) -> list[int]:
    """The parts' sizes, of sizes or fractions.

    Raises:
        ArgumentError: if they do not add up to the whole.
    """
    given = list(lengths)
    if math.isclose(sum(given), 1) and sum(given) <= 1 and min(given) >= 0:
        sizes = [math.floor(total * length) for length in given]
        for extra in range(total - sum(sizes)):  # one more each for the first parts
            sizes[extra % len(sizes)] += 1
        for number, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"{what}: part {number} is empty", stacklevel=3)
        return sizes
    sizes = [int(length) for length in given]
    if sizes != given or sum(sizes) != total or min(sizes, default=0) < 0:
        raise ArgumentError(
            f"{what}: the lengths do not add up", got=str(given),
            expected=f"a sum of {total}, or fractions with a sum of 1", where=user_location_text(),
        )  # fmt: skip
    return sizes
