"""What a worker process does: make batches on request, until its loader is gone."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphc.config import NUM_THREADS
from graphc.frontend.data.channel import Channel
from graphc.frontend.data.failures import Failure, failure_of
from graphc.frontend.data.fetching import END, MapFetcher, StreamFetcher
from graphc.frontend.data.packing import pack
from graphc.frontend.data.slabs import OwnSlabs, spans_of
from graphc.frontend.data.worker_info import WorkerInfo, seed_everything, set_worker_info

INLINE = 4096
"""Arrays of so many bytes together travel with the message."""

_SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True)
class Plan:
    """All that a worker needs to know; it travels to the process once."""

    id: int
    num_workers: int
    dataset: Any
    is_stream: bool
    batched: bool
    batch_size: int | None
    drop_last: bool
    collate_fn: Callable[[Any], Any]
    init_fn: Callable[[int], object] | None


@dataclass(frozen=True)
class Begin:
    """The start of an epoch: its number and seed, and where to go on in a stream.

    Attributes:
        epoch: its number.
        seed: of random numbers.
        skip: how many batches of the stream were delivered before.
        stream: the stream's own state after these, if it has one; else they are read again.
    """

    epoch: int
    seed: int
    skip: int
    stream: Any = None


@dataclass(frozen=True)
class Request:
    """One batch to make; with the slabs that are free again, and those that are lost."""

    epoch: int
    task: int
    indices: Any
    returned: list[int]
    dropped: list[int]


@dataclass(frozen=True)
class Reply:
    """One batch, the end of a stream, or an exception.

    Attributes:
        epoch: which epoch asked.
        task: which request of it this answers.
        structure: the pickled batch; None at the end of a stream.
        inline: the arrays' bytes if there are few.
        spans: where each array lies in them, or in the slab.
        slab: the slab's number, or None.
        new_size: a new slab's size; its descriptor comes with the message.
        retired: slabs that are no more.
        stream: the state of a stream that has one.
        failure: the exception instead.
    """

    epoch: int
    task: int
    structure: bytes | None = None
    inline: bytes = b""
    spans: tuple[tuple[int, int], ...] = ()
    slab: int | None = None
    new_size: int | None = None
    retired: tuple[int, ...] = ()
    stream: Any = None
    failure: Failure | None = None


def run_worker(end: socket.socket, inherited: list[socket.socket], plan: Plan) -> None:
    """Serve one loader; the main function of a worker process.

    Args:
        end: the worker's end of the channel.
        inherited: the loader's ends of all channels, which a forked process closes.
        plan: what to do.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the loader's process decides what ends
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()
    channel = Channel(end)
    with (
        NUM_THREADS.override("1"),
        contextlib.suppress(BrokenPipeError, ConnectionError),
        contextlib.closing(channel),
    ):
        _Worker(channel, plan).serve()


class _Worker:
    def __init__(self, channel: Channel, plan: Plan) -> None:
        self._channel, self._plan = channel, plan
        self._slabs, self._parent = OwnSlabs(), os.getppid()
        self._fetcher: MapFetcher | StreamFetcher | None = None
        self._failure: Failure | None = None
        self._initialized = False
        self._begin = Begin(0, 0, 0)
        self._fetched = 0

    def serve(self) -> None:
        while messages := self._wait():
            starts = [place for place, one in enumerate(messages) if isinstance(one, Begin)]
            for place, message in enumerate(messages):
                if isinstance(message, Begin):
                    if place == starts[-1]:
                        self._start(message)
                    continue
                self._slabs.give_back(message.returned, message.dropped)
                if not starts or place > starts[-1]:  # else its epoch was given up
                    self._answer(message)

    def _wait(self) -> list[Any]:
        """The next messages, or none once the loader is gone."""
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        while not self._channel.ended and os.getppid() == self._parent:
            if poll.poll(_SECONDS_BETWEEN_LOOKS * 1000):
                self._channel.collect()
                if messages := self._channel.messages():
                    return messages
        return []

    def _start(self, begin: Begin) -> None:
        plan, self._begin, self._fetched = self._plan, begin, 0
        seed = begin.seed + plan.id
        set_worker_info(WorkerInfo(plan.id, plan.num_workers, seed, plan.dataset))
        seed_everything(begin.seed, 0, plan.id)
        try:
            if not self._initialized and plan.init_fn is not None:
                plan.init_fn(plan.id)
            self._initialized = True
            self._fetcher, self._failure = self._make_fetcher(begin), None
        except Exception as error:
            self._fetcher, self._failure = None, self._failed(error)

    def _make_fetcher(self, begin: Begin) -> MapFetcher | StreamFetcher:
        plan = self._plan
        if not plan.is_stream:
            return MapFetcher(plan.dataset, plan.batched, plan.collate_fn)
        size = plan.batch_size if plan.batched else None
        stream = StreamFetcher(plan.dataset, size, plan.drop_last, plan.collate_fn, begin.stream)
        if begin.stream is not None:
            self._fetched = begin.skip
            return stream
        for _ in range(begin.skip):
            self._seed_batch(0)
            stream.skip()
        return stream

    def _seed_batch(self, task: int) -> None:
        """The same numbers for a batch whichever worker makes it, and whatever came before."""
        if self._plan.is_stream:
            seed_everything(self._begin.seed, 1, self._plan.id, self._fetched)
        else:
            seed_everything(self._begin.seed, 1, task)
        self._fetched += 1

    def _answer(self, request: Request) -> None:
        if self._fetcher is None:
            self._channel.send(Reply(request.epoch, request.task, failure=self._failure))
            return
        try:
            self._seed_batch(request.task)
            batch = self._fetcher.fetch(request.indices)
            if batch is END:
                self._channel.send(Reply(request.epoch, request.task))
                return
            structure, buffers = pack(batch)
        except Exception as error:
            failure = self._failed(error)
            self._channel.send(Reply(request.epoch, request.task, failure=failure))
            return
        self._send(request, structure, buffers)

    def _send(self, request: Request, structure: bytes, buffers: list[memoryview]) -> None:
        spans, size = spans_of([buffer.nbytes for buffer in buffers])
        reply: dict[str, Any] = {"structure": structure, "spans": tuple(spans)}
        if isinstance(self._fetcher, StreamFetcher):
            reply["stream"] = self._fetcher.state
        descriptor: int | None = None
        memory: bytearray | mmap.mmap
        if size > INLINE:
            number, memory, descriptor, retired = self._slabs.take(size)
            new_size = None if descriptor is None else len(memory)
            reply.update(slab=number, new_size=new_size, retired=tuple(retired))
        else:
            memory = bytearray(size)
        for (start, end), buffer in zip(spans, buffers, strict=True):
            memory[start:end] = buffer
        if size <= INLINE:
            reply["inline"] = memory
        try:
            self._channel.send(Reply(request.epoch, request.task, **reply), descriptor)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _failed(self, error: BaseException) -> Failure:
        return failure_of(error, f"in DataLoader worker process {self._plan.id}")
