"""Random orders of some samples: a subset, by weights, or one process's share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, IndexRangeError
from graphc.frontend.data.dataset import size_of
from graphc.frontend.data.sampler import Sampler, require_bool, require_count
from graphc.frontend.functions.creation import as_tensor
from graphc.frontend.functions.distributions import multinomial
from graphc.frontend.functions.generators import Generator
from graphc.frontend.functions.sampling import randperm
from graphc.provenance import user_location_text


class SubsetRandomSampler(Sampler[int]):
    """Some numbers in a random order (``torch.utils.data.SubsetRandomSampler``).

    Args:
        indices: the numbers.
        generator: default: the global one.

    Example:
        >>> from graphc.utils.data import SubsetRandomSampler
        >>> sorted(SubsetRandomSampler([7, 3, 5]))
        [3, 5, 7]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        order = randperm(len(self.indices), generator=self.generator).tolist()
        return (self.indices[place] for place in order)

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Numbers drawn as often as their weights say (``torch.utils.data.WeightedRandomSampler``).

    Args:
        weights: one for each sample, not negative; they need not add up to 1.
        num_samples: how many numbers to draw.
        replacement: a number may be drawn again.
        generator: default: the global one.

    Raises:
        ArgumentError: for weights that have not one dim, or a wrong number of samples.

    Example:
        >>> from graphc.utils.data import WeightedRandomSampler
        >>> list(WeightedRandomSampler([0.0, 2.0, 0.0], 3))
        [1, 1, 1]
    """

    def __init__(
        self, weights: Sequence[float] | Any, num_samples: int, replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:  # fmt: skip
        require_count("WeightedRandomSampler: num_samples", num_samples)
        require_bool("WeightedRandomSampler: replacement", replacement)
        self.weights = as_tensor(weights, dtype="float64")
        if self.weights.ndim != 1:
            raise ArgumentError(
                "WeightedRandomSampler: expected weights of one dim", got=str(self.weights.type),
                where=user_location_text(),
            )  # fmt: skip
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class DistributedSampler(Sampler[int]):
    """One process's share of the samples (``torch.utils.data.distributed.DistributedSampler``).

    Args:
        dataset: what is read.
        num_replicas: how many processes share it.
        rank: which of them this one is.
        shuffle: share a random order, the same one in all processes, another one for each epoch.
        seed: of that order.
        drop_last: leave out samples until all shares are equal, instead of reading some twice.

    Raises:
        ArgumentError: without ``num_replicas`` and ``rank``, as there is no process group that
            would tell them, or if they do not fit together.

    Example:
        >>> from graphc.utils.data import DistributedSampler
        >>> list(DistributedSampler("abcde", num_replicas=2, rank=1, shuffle=False))
        [1, 3, 0]
    """

    def __init__(
        self, dataset: Any, num_replicas: int | None = None, rank: int | None = None,
        shuffle: bool = True, seed: int = 0, drop_last: bool = False,
    ) -> None:  # fmt: skip
        if num_replicas is None or rank is None:
            raise ArgumentError(
                "DistributedSampler: the number of processes and this one's rank are not known",
                got=f"num_replicas={num_replicas}, rank={rank}", fix="give both",
                where=user_location_text(),
            )  # fmt: skip
        require_count("DistributedSampler: num_replicas", num_replicas)
        if not 0 <= rank < num_replicas:
            raise IndexRangeError(
                "DistributedSampler: no such rank", got=str(rank),
                expected=f"0 to {num_replicas - 1}", where=user_location_text(),
            )  # fmt: skip
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last = shuffle, seed, drop_last
        self.epoch = 0
        total = size_of(dataset)
        if drop_last:
            self.num_samples = total // num_replicas
        else:
            self.num_samples = math.ceil(total / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        total = size_of(self.dataset)
        if self.shuffle:
            source = Generator().manual_seed(self.seed + self.epoch)
            order = randperm(total, generator=source).array()
        else:
            order = np.arange(total)
        shared = np.resize(order, self.total_size)  # repeats from the start, or leaves out the end
        return iter(shared[self.rank :: self.num_replicas].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose this epoch's order."""
        self.epoch = epoch
