"""One pass over a loader's data: in this process, or with the batches that workers make."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphc.errors import SessionError, WorkerError, WorkerTimeoutError
from graphc.frontend.data.fetching import END, MapFetcher, StreamFetcher
from graphc.frontend.data.pool import WorkerPool
from graphc.frontend.data.worker import Begin, Reply
from graphc.provenance import user_location_text


@dataclass
class Progress:
    """One pass over the data and how far it is, as its loader's ``state_dict`` tells.

    Attributes:
        seed: what workers are seeded with.
        requests: the batches to make that nobody has begun, in order; for a stream anything.
        sent: how many of the requests were begun, or left out.
        asked: the batches that workers were asked for and the program has not got: by number, the
            worker and the request.
        delivered: how many batches the program has got.
        ahead: the numbers of those that came before an earlier one (``in_order=False``).
        by_worker: how many batches of its stream each worker delivered.
        streams: the state of each worker's stream after its last batch, of those that have one.
        last_worker: whose batch of a stream was the last one.
        left_out: the numbers of those that came before an earlier one, in the process that was
            resumed.
        random: the states of the global random numbers when this process began to read a stream
            that has no state of its own, so that reading it again gives the same.
        finished: True once the program was told that there are no more.
    """

    seed: int
    requests: Iterator[Any]
    sent: int = 0
    asked: dict[int, tuple[int, Any]] = field(default_factory=dict)
    delivered: int = 0
    ahead: set[int] = field(default_factory=set)
    by_worker: list[int] = field(default_factory=list)
    streams: list[Any] = field(default_factory=list)
    last_worker: int = -1
    left_out: frozenset[int] = frozenset()
    random: Any = None
    finished: bool = False

    def next_request(self) -> tuple[int, Any] | None:
        """The number of the next batch to make and its request, or None after the last one."""
        for request in self.requests:
            self.sent += 1
            if self.sent - 1 not in self.left_out:
                return self.sent - 1, request
        return None

    def note_delivered(self, task: int) -> None:
        """Count a batch that the program gets."""
        done = self.delivered - len(self.ahead)
        self.delivered += 1
        self.ahead.add(task)
        while done in self.ahead:
            self.ahead.remove(done)
            done += 1


class Iteration:
    """What all iterators over a loader have.

    Args:
        progress: what is to be done.
        expected: how many batches of a stream the program was told there are, or None.
    """

    def __init__(self, progress: Progress, expected: int | None = None) -> None:
        self.progress, self._expected = progress, expected

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.progress.finished:
            raise StopIteration
        try:
            batch = self._next()
        except StopIteration as error:  # passed on, it would end the loop without a word
            raise SessionError(
                "DataLoader: the data set raised StopIteration, which only a stream's iterator may",
                where=user_location_text(),
            ) from error
        if batch is END:
            self.progress.finished = True
            raise StopIteration
        if self._expected is not None and self.progress.delivered > self._expected:
            warnings.warn(
                f"DataLoader: the stream was said to give {self._expected} batches and gives more; "
                "with workers, each must read a part of its own (get_worker_info)",
                stacklevel=2,
            )
            self._expected = None
        return batch

    def _next(self) -> Any:
        raise NotImplementedError


class InProcess(Iteration):
    """Batches that are made when they are asked for.

    Args:
        progress: see ``Iteration``.
        fetcher: makes the batches.
        expected: see ``Iteration``.
    """

    def __init__(
        self, progress: Progress, fetcher: MapFetcher | StreamFetcher, expected: int | None = None
    ) -> None:
        super().__init__(progress, expected)
        self._fetcher = fetcher

    def _next(self) -> Any:
        found = self.progress.next_request()
        if found is None:
            return END
        task, request = found
        batch = self._fetcher.fetch(request)
        if batch is not END:
            self.progress.note_delivered(task)
            if isinstance(self._fetcher, StreamFetcher):
                self.progress.streams = [self._fetcher.state]
        return batch


@dataclass(frozen=True)
class Manner:
    """How batches come from workers.

    Attributes:
        is_stream: the workers read streams, and requests are only counted.
        prefetch: how many batches each worker may have made or begun.
        in_order: give the batches in the order of the requests.
        timeout: seconds to wait for a batch; 0 for as long as it takes.
        keep: leave the workers running at the end.
    """

    is_stream: bool
    prefetch: int
    in_order: bool
    timeout: float
    keep: bool


class WithWorkers(Iteration):
    """Batches that worker processes make ahead.

    Args:
        progress: see ``Iteration``.
        pool: the workers, which belong to this iteration from now on.
        epoch: the number of this pass, which the pool has not seen yet.
        manner: how the batches come.
        expected: see ``Iteration``.
    """

    def __init__(
        self, progress: Progress, pool: WorkerPool, epoch: int, manner: Manner,
        expected: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(progress, expected)
        self._pool, self._epoch, self._manner = pool, epoch, manner
        count = len(pool.processes)
        if not (manner.is_stream and progress.by_worker):
            progress.by_worker, progress.last_worker = [0] * count, -1
        progress.streams = progress.streams or [None] * count
        self._active = [True] * count
        self._load = [0] * count
        self._turn = (progress.last_worker + 1) % count
        self._arrived: dict[int, tuple[int, Reply]] = {}
        pool.hand_over(self._arrived)
        for worker in range(count):
            skip = progress.by_worker[worker] if manner.is_stream else 0
            pool.begin(worker, Begin(epoch, progress.seed, skip, progress.streams[worker]))
        for _ in range(manner.prefetch * count):
            self._ask()

    def _ask(self) -> None:
        """Request the next batch, if there is one and a worker for it."""
        found = self.progress.next_request() if any(self._active) else None
        if found is None:
            return
        task, request = found
        worker = self._next_worker()
        self.progress.asked[task] = (worker, request)
        self._load[worker] += 1
        self._pool.request(worker, self._epoch, task, request)

    def _next_worker(self) -> int:
        count = len(self._active)
        turns = [(self._turn + place) % count for place in range(count)]
        active = [worker for worker in turns if self._active[worker]]
        # out of order, who has the least to do; the first of several
        chosen = active[0] if self._manner.in_order else min(active, key=self._load.__getitem__)
        self._turn = (chosen + 1) % count
        return chosen

    def _next(self) -> Any:
        if self._pool.unread is not self._arrived:
            raise SessionError(
                "DataLoader: another iteration began, and these workers are persistent",
                fix="finish one iteration before the next, or use persistent_workers=False",
                where=user_location_text(),
            )
        if not self._pool.is_open:
            raise WorkerError(
                "DataLoader: this iteration's workers have ended", fix="begin another iteration",
                where=user_location_text(),
            )  # fmt: skip
        try:
            found = self._next_reply()
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt | WorkerTimeoutError):
                self._pool.close()
            raise
        if found is None:
            if not self._manner.keep:
                self._pool.close()
            return END
        worker, reply = found
        self._ask()
        self._note_delivered(worker, reply)
        return self._pool.take(worker, reply)

    def _note_delivered(self, worker: int, reply: Reply) -> None:
        if not self._manner.is_stream:
            self.progress.note_delivered(reply.task)
            return
        if reply.failure is None:
            self.progress.streams[worker] = reply.stream
        self.progress.delivered += 1
        self.progress.by_worker[worker] += 1
        self.progress.last_worker = worker

    def _next_reply(self) -> tuple[int, Reply] | None:
        """The reply whose turn it is, or None after the last one."""
        while self.progress.asked:
            task = self._ready_task()
            if task is None:
                for worker, reply in self._pool.replies(self._epoch, self._manner.timeout):
                    self._arrived[reply.task] = (worker, reply)
                continue
            worker, reply = self._arrived.pop(task)
            del self.progress.asked[task]
            self._load[worker] -= 1
            if reply.structure is None and reply.failure is None:  # this worker's stream has ended
                self._active[worker] = False
                self._ask()
                continue
            return worker, reply
        return None

    def _ready_task(self) -> int | None:
        if not self._manner.in_order:
            return next(iter(self._arrived), None)
        first = next(iter(self.progress.asked))
        return first if first in self._arrived else None
