"""Batches of a data set, in order or shuffled, made here or by worker processes."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sized
from itertools import repeat
from multiprocessing.context import BaseContext
from types import GenericAlias
from typing import Any

from graphc.errors import ArgumentError, ArgumentTypeError, RecordingError
from graphc.frontend.data.collate import default_collate, default_convert
from graphc.frontend.data.dataset import IterableDataset, size_of
from graphc.frontend.data.fetching import MapFetcher, StreamFetcher
from graphc.frontend.data.iteration import InProcess, Iteration, Manner, Progress, WithWorkers
from graphc.frontend.data.options import Options
from graphc.frontend.data.pool import WorkerPool
from graphc.frontend.data.resume import (
    Sources,
    State,
    new_pass,
    require_fitting,
    resumed_pass,
    state_of,
)
from graphc.frontend.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from graphc.frontend.data.worker import Plan
from graphc.frontend.functions.generators import Generator
from graphc.frontend.modes import modes
from graphc.frontend.training.random_states import random_states, set_random_states
from graphc.provenance import user_location_text


class DataLoader:
    """Iterate over a data set in batches (``torch.utils.data.DataLoader``).

    Workers seed ``random``, ``numpy.random`` and the global generator anew for each batch, from
    the pass's seed and the batch's number: batches do not depend on which worker makes them, and
    ``state_dict`` resumes exactly.

    Args:
        dataset: samples by number, or an ``IterableDataset``.
        batch_size: samples per batch; None gives single samples that are not collated.
        shuffle: read in a new random order each time.
        sampler: the order, instead of ``shuffle``.
        batch_sampler: lists of numbers, instead of all of these.
        num_workers: how many processes make batches; 0 makes them in this process.
        collate_fn: joins a list of samples; default ``default_collate``, and ``default_convert``
            for single samples.
        pin_memory: accepted; there is no device that it would help.
        drop_last: leave out a last batch that is smaller.
        timeout: seconds to wait for a batch of workers; 0 waits as long as it takes.
        worker_init_fn: called in each worker with its number, before it reads anything.
        multiprocessing_context: how processes start: "fork", "spawn", "forkserver", or a context.
        generator: source of the order and of the workers' seeds; default: the global one, so
            ``gc.manual_seed`` repeats both.
        prefetch_factor: batches that each worker makes ahead; default 2.
        persistent_workers: keep the workers after the last batch for the next pass.
        pin_memory_device: accepted, see ``pin_memory``.
        in_order: give batches in order; False gives whichever is there first.

    Raises:
        ArgumentError: for options that exclude each other or make no sense.

    Example:
        >>> import graphc as gc
        >>> from graphc.utils.data import DataLoader, TensorDataset
        >>> loader = DataLoader(TensorDataset(gc.arange(5)), batch_size=2)
        >>> [x for (x,) in loader]
        [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    _ready = False

    def __class_getitem__(cls, item: Any) -> GenericAlias:
        """For annotations that say what the samples are."""
        return GenericAlias(cls, item)

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], object] | None = None,
        multiprocessing_context: str | BaseContext | None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        is_stream = isinstance(dataset, IterableDataset)
        Options(
            is_stream, batch_size, shuffle, sampler, batch_sampler, num_workers, drop_last,
            timeout, multiprocessing_context, prefetch_factor, persistent_workers,
        ).check()  # fmt: skip
        self.dataset, self.num_workers, self.generator = dataset, num_workers, generator
        self.drop_last, self.timeout, self.worker_init_fn = drop_last, timeout, worker_init_fn
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.multiprocessing_context = _context(multiprocessing_context)
        if batch_sampler is not None:
            batch_size = None
        if sampler is None:
            sampler = self._default_sampler(is_stream, bool(shuffle))
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.sampler, self.batch_sampler = batch_size, sampler, batch_sampler
        self.collate_fn = collate_fn or (default_collate if self._batched else default_convert)
        self._is_stream = is_stream
        self._said_length: int | None = None
        self._epoch = 0
        self._pool: WorkerPool | None = None
        self._progress: Progress | None = None
        self._started: list[list[int]] | None = None
        self._resume: State | None = None
        self._ready = True

    def _default_sampler(self, is_stream: bool, shuffle: bool) -> Iterable[Any]:
        if is_stream:
            return repeat(None)
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and name in _FIXED:
            raise ArgumentError(
                f"DataLoader: {name} cannot be changed after the loader is made",
                fix="make another loader", where=user_location_text(),
            )  # fmt: skip
        super().__setattr__(name, value)

    @property
    def _batched(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _order(self) -> Any:
        """What gives the requests, one after the other."""
        if self._is_stream:
            return repeat(None)
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        if modes.recorder is not None:
            raise RecordingError(
                "DataLoader: a pass over the data cannot be recorded",
                fix="iterate outside, and call the compiled function with each batch",
                where=user_location_text(),
            )
        progress = self._begin()
        expected = self._said_length if self._is_stream else None
        if self.num_workers:
            return self._with_workers(progress, expected)
        return InProcess(progress, self._fetcher(progress), expected)

    def _begin(self) -> Progress:
        sources = Sources(self.generator, self._order)
        resume, self._resume = self._resume, None
        if resume is not None and resume.get("inside"):
            progress = resumed_pass(resume, sources, self.generator, self._order)
            self._started = resume["started"]
        else:
            self._started = sources.states()
            progress = Progress(*new_pass(self.generator, self._order))
            self._epoch += 1
        self._progress = progress
        return progress

    def _fetcher(self, progress: Progress) -> MapFetcher | StreamFetcher:
        if not self._is_stream:
            return MapFetcher(self.dataset, self._batched, self.collate_fn)
        state = progress.streams[0] if progress.streams else None
        if state is not None:
            return self._stream(state)
        now = random_states()
        is_new = progress.random is None and not progress.delivered
        progress.random = progress.random or now
        if is_new:
            return self._stream()
        try:
            set_random_states(progress.random)  # what was read draws again what it drew
            stream = self._stream()
            for _ in range(progress.delivered):
                stream.skip()
        finally:
            set_random_states(now)
        return stream

    def _stream(self, state: Any = None) -> StreamFetcher:
        return StreamFetcher(self.dataset, self.batch_size, self.drop_last, self.collate_fn, state)

    def _with_workers(self, progress: Progress, expected: int | None) -> Iteration:
        pool = self._pool
        if pool is None or not pool.is_open:
            _warn_of_too_many(self.num_workers)
            pool = WorkerPool(
                self.multiprocessing_context or multiprocessing.get_context(), self.num_workers,
                self._plan,
            )  # fmt: skip
        self._pool = pool if self.persistent_workers else None
        manner = Manner(
            self._is_stream, self.prefetch_factor or 2, self.in_order, self.timeout,
            self.persistent_workers,
        )  # fmt: skip
        return WithWorkers(progress, pool, next(pool.epochs), manner, expected)

    def _plan(self, worker: int) -> Plan:
        return Plan(
            worker, self.num_workers, self.dataset, self._is_stream, self._batched,
            self.batch_size, self.drop_last, self.collate_fn, self.worker_init_fn,
        )  # fmt: skip

    def __len__(self) -> int:
        if self._is_stream:
            samples = size_of(self.dataset)
            size = self.batch_size or 1
            self._said_length = samples // size if self.drop_last else -(-samples // size)
            return self._said_length
        batches = self._order
        if not isinstance(batches, Sized):
            raise ArgumentTypeError(
                "DataLoader: the number of batches is unknown, the sampler has no length",
                got=type(batches).__name__, where=user_location_text(),
            )  # fmt: skip
        return len(batches)

    def state_dict(self) -> State:
        """Where the loader is: the pass, the batches that it gave, its order and its generators.

        The last iterator that was made counts, also after a ``break``. A private ``generator`` is
        part of the state; the global one's state is the program's to keep (``gc.get_rng_state``).

        Returns:
            Values that ``gc.save`` stores.

        Source: ``torchdata.stateful_dataloader.StatefulDataLoader``.

        Example:
            >>> import graphc as gc
            >>> from graphc.utils.data import DataLoader
            >>> loader = DataLoader(range(6), batch_size=2)
            >>> _ = next(iter(loader))
            >>> again = DataLoader(range(6), batch_size=2)
            >>> again.load_state_dict(loader.state_dict())
            >>> list(again)
            [tensor([2, 3]), tensor([4, 5])]
        """
        if self._resume is not None:
            return dict(self._resume)
        return state_of(
            self._epoch, self._samples, Sources(self.generator, self._order), self._order,
            self._started, self._progress,
        )  # fmt: skip

    def load_state_dict(self, state_dict: State) -> None:
        """Go on where another loader over the same data was: the next pass gives the rest.

        Samplers of your own are resumed by the numbers that were left, so they need no state.
        Streams go on by ``load_state_dict`` of the data set, from what its ``state_dict`` gave
        after each batch; those without are read again up to there, without making batches.

        Args:
            state_dict: what ``state_dict`` gave.

        Raises:
            CheckpointError: for a state of another data set.
        """
        sources = Sources(self.generator, self._order)
        require_fitting(state_dict, self._samples, sources, self.num_workers, self._is_stream)
        sources.set(state_dict["generators"])
        self._epoch, self._resume, self._progress = state_dict["epoch"], dict(state_dict), None

    @property
    def _samples(self) -> int | None:
        return size_of(self.dataset) if isinstance(self.dataset, Sized) else None


_FIXED = {
    "batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers",
}  # fmt: skip


def _context(given: str | BaseContext | None) -> BaseContext | None:
    return multiprocessing.get_context(given) if isinstance(given, str) else given


def _warn_of_too_many(workers: int) -> None:
    present = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if present is not None and workers > present:
        warnings.warn(
            f"DataLoader: {workers} workers on {present} processors, which may be slower than "
            "fewer workers",
            stacklevel=4,
        )
