"""Reading samples in the quickest way that a data set offers, and making batches of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.frontend.data.collate import default_collate

END = object()
"""What a fetcher gives once a stream has ended."""


def samples_of(dataset: Any, indices: Sequence[int]) -> list[Any]:
    """The samples at these numbers, by ``__getitems__`` where that is defined."""
    if _speaks_for(type(dataset), "__getitems__"):
        samples: list[Any] = dataset.__getitems__(indices)
        return samples
    return [dataset[index] for index in indices]


def batch_of(dataset: Any, indices: Sequence[int]) -> Any:
    """The samples at these numbers as one batch, or NotImplemented."""
    if _speaks_for(type(dataset), "__getbatch__"):
        return dataset.__getbatch__(indices)
    return NotImplemented


def _speaks_for(kind: type, method: str) -> bool:
    """True if a class has the method, and none below it reads samples in another way."""
    for one in kind.__mro__:
        if method in vars(one):
            return True
        if "__getitem__" in vars(one) or "__getitems__" in vars(one):
            return False
    return False


class MapFetcher:
    """Batches of samples by number.

    Args:
        dataset: the samples.
        batched: whether each request is a list of numbers, or one number.
        collate_fn: joins a list of samples, or converts one.
    """

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any]) -> None:
        self.dataset, self.batched, self.collate_fn = dataset, batched, collate_fn

    def fetch(self, request: Any) -> Any:
        """The batch for one request."""
        if not self.batched:
            return self.collate_fn(self.dataset[request])
        if self.collate_fn is default_collate:
            batch = batch_of(self.dataset, request)
            if batch is not NotImplemented:
                return batch
        return self.collate_fn(samples_of(self.dataset, request))


class StreamFetcher:
    """Batches of the next samples of a stream.

    Args:
        dataset: the stream.
        batch_size: samples per batch; None gives single samples.
        drop_last: leave out a last batch that is smaller.
        collate_fn: joins a list of samples, or converts one.
        state: where to go on, of a stream that can; see ``state``.
    """

    def __init__(
        self, dataset: Any, batch_size: int | None, drop_last: bool,
        collate_fn: Callable[[Any], Any], state: Any = None,
    ) -> None:  # fmt: skip
        self.dataset, self.ended = dataset, False
        if state is not None:
            dataset.load_state_dict(state["dataset"])
            self.ended = state["ended"]
        self.samples = iter(dataset)
        self.batch_size, self.drop_last, self.collate_fn = batch_size, drop_last, collate_fn

    def fetch(self, request: Any = None) -> Any:
        """The next batch, or END."""
        samples = self._next_samples()
        if samples is END:
            return END
        return self.collate_fn(samples)

    @property
    def state(self) -> Any:
        """Where the stream is, if it has ``state_dict`` and ``load_state_dict``; else None."""
        if not (hasattr(self.dataset, "state_dict") and hasattr(self.dataset, "load_state_dict")):
            return None
        return {"dataset": self.dataset.state_dict(), "ended": self.ended}

    def skip(self) -> None:
        """Read what the next batch consists of, and forget it."""
        self._next_samples()

    def _next_samples(self) -> Any:
        if self.ended:
            return END
        if self.batch_size is None:
            sample = next(self.samples, END)
            self.ended = sample is END
            return sample
        samples: list[Any] = []
        while len(samples) < self.batch_size and not self.ended:
            sample = next(self.samples, END)
            if sample is END:
                self.ended = True
            else:
                samples.append(sample)
        if not samples or (self.drop_last and self.ended):
            return END
        return samples
