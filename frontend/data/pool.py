"""The worker processes of a loader: started, asked, watched and ended."""

from __future__ import annotations

import os
import pickle
import select
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count as count_up
from multiprocessing import current_process
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from graphc.errors import WorkerError, WorkerTimeoutError
from graphc.frontend.data.channel import Channel
from graphc.frontend.data.packing import unpack
from graphc.frontend.data.slabs import LentSlabs
from graphc.frontend.data.worker import Begin, Plan, Reply, Request, run_worker
from graphc.provenance import user_location_text

_MOST_LENT = 16
"""Slabs of one worker that the program may hold; further batches are copied out of theirs."""

_SECONDS_TO_END = 1.0
"""How long a worker may take to finish its sample when the loader ends."""

_SECONDS_BETWEEN_LOOKS = 2.0
"""How often to see whether a silent worker lives."""

_open_channels: weakref.WeakSet[Channel] = weakref.WeakSet()
"""The loaders' ends in this process, which forked workers must not keep open."""


@dataclass(eq=False)
class _Member:
    process: BaseProcess
    channel: Channel
    slabs: LentSlabs = field(default_factory=LentSlabs)


class WorkerPool:
    """Worker processes, each with a channel of its own.

    Args:
        context: how processes are started.
        count: how many.
        plan_of: what each one is to do, by its number.

    Raises:
        WorkerError: inside a worker of another loader, which may start no processes.
    """

    def __init__(self, context: BaseContext, count: int, plan_of: Callable[[int], Plan]) -> None:
        if current_process().daemon:
            raise WorkerError(
                "DataLoader: a worker process cannot have workers of its own",
                got=current_process().name, fix="num_workers=0 inside workers",
                where=user_location_text(),
            )  # fmt: skip
        self._members: list[_Member] = []
        self.unread: dict[int, tuple[int, Reply]] = {}
        self.epochs = count_up(1)
        self._close = weakref.finalize(self, _end, self._members, os.getpid())
        try:
            for number in range(count):
                self._members.append(_start(context, plan_of(number)))
        except BaseException:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """False once the workers were told to end."""
        return self._close.alive

    @property
    def processes(self) -> list[BaseProcess]:
        """The workers' processes, by number."""
        return [member.process for member in self._members]

    def begin(self, worker: int, begin: Begin) -> None:
        """Let a worker start an epoch."""
        self._members[worker].channel.post(begin)

    def request(self, worker: int, epoch: int, task: int, indices: Any) -> None:
        """Ask a worker for a batch."""
        member = self._members[worker]
        returned, dropped = member.slabs.take_returned()
        member.channel.post(Request(epoch, task, indices, returned, dropped))

    def replies(self, epoch: int, timeout: float) -> Iterator[tuple[int, Reply]]:
        """Wait until workers answer, and give their answers of this epoch.

        Args:
            epoch: answers to an earlier one are dropped.
            timeout: seconds; 0 waits without end.

        Raises:
            WorkerTimeoutError: if no answer comes in time.
            WorkerError: if a worker has ended.
        """
        deadline = time.monotonic() + timeout if timeout else None
        while not (ready := self._wait(deadline)):
            for worker, member in enumerate(self._members):
                if not member.process.is_alive() and not self._wait(0.0):
                    raise self._ended(worker)  # something that it started keeps its socket open
            if deadline is not None and time.monotonic() >= deadline:
                raise WorkerTimeoutError(
                    f"DataLoader timed out after {timeout} seconds",
                    fix="a longer timeout=, or find what keeps the data set from answering",
                    where=user_location_text(),
                )
        for worker in ready:
            member = self._members[worker]
            member.channel.collect()
            for reply in member.channel.messages():
                self._note_slabs(member, reply)
                if reply.epoch == epoch:
                    yield worker, reply
                elif reply.slab is not None:
                    member.slabs.release(reply.slab)
            if member.channel.ended:
                raise self._ended(worker)

    def _wait(self, deadline: float | None) -> list[int]:
        """The workers that have sent something; those that can take more get it meanwhile."""
        poll = select.poll()
        places = {}
        for worker, member in enumerate(self._members):
            events = select.POLLIN | (select.POLLOUT if member.channel.has_outgoing else 0)
            poll.register(member.channel.fileno(), events)
            places[member.channel.fileno()] = worker
        seconds = _SECONDS_BETWEEN_LOOKS
        if deadline is not None:
            seconds = min(seconds, max(0.0, deadline - time.monotonic()))
        ready = []
        for descriptor, events in poll.poll(seconds * 1000):
            worker = places[descriptor]
            if events & select.POLLOUT:
                self._members[worker].channel.flush()
            if events & ~select.POLLOUT:
                ready.append(worker)
        return ready

    def _note_slabs(self, member: _Member, reply: Reply) -> None:
        member.slabs.forget(reply.retired)
        if reply.slab is not None and reply.new_size is not None:
            member.slabs.add(reply.slab, member.channel.descriptors.popleft(), reply.new_size)

    def _ended(self, worker: int) -> WorkerError:
        process = self._members[worker].process
        process.join(_SECONDS_TO_END)
        code = process.exitcode
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return WorkerError(
            f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly", got=how,
            fix="signal 9 is often sent when memory runs out: use fewer or smaller batches at once "
            "(prefetch_factor, num_workers)" if code == -9 else
            "look at what the worker printed; num_workers=0 runs the same code in this process",
            where=user_location_text(),
        )  # fmt: skip

    def take(self, worker: int, reply: Reply) -> Any:
        """The batch of a reply, in shared memory as long as not too many are held there.

        Raises:
            Exception: what the worker raised.
        """
        if reply.failure is not None:
            reply.failure.raise_again()
        assert reply.structure is not None, "the end of a stream is no batch"
        if reply.slab is None:
            inline = memoryview(reply.inline)
            return unpack(reply.structure, [inline[start:end] for start, end in reply.spans])
        slabs = self._members[worker].slabs
        if slabs.in_use < _MOST_LENT:
            whole = slabs.lend(reply.slab)
        else:
            whole = slabs.copy(reply.slab, reply.spans[-1][1])
        return unpack(reply.structure, [whole[start:end] for start, end in reply.spans])

    def hand_over(self, unread: dict[int, tuple[int, Reply]]) -> None:
        """Serve another pass, which keeps its unread answers here; drop those of the last."""
        for worker, reply in self.unread.values():
            if reply.slab is not None:
                self._members[worker].slabs.release(reply.slab)
        self.unread = unread

    def close(self) -> None:
        """End the workers, and wait until they have ended."""
        self._close()


def _start(context: BaseContext, plan: Plan) -> _Member:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    _open_channels.add(channel)
    forks = context.get_start_method() == "fork"
    inherited = [one.socket for one in list(_open_channels)] if forks else []
    process_of: Any = context  # each context has its own class, which typeshed does not say
    process = process_of.Process(
        target=run_worker, args=(theirs, inherited, plan), daemon=True,
        name=f"graphc-worker-{plan.id}",
    )  # fmt: skip
    try:
        process.start()
    except BaseException as error:
        channel.close()
        if not forks and isinstance(error, pickle.PicklingError | AttributeError | TypeError):
            raise WorkerError(
                "DataLoader: the data set or a function cannot be sent to a worker process",
                got=str(error), fix='define it where a module can be imported, or use '
                'multiprocessing_context="fork"', where=user_location_text(),
            ) from error  # fmt: skip
        raise
    finally:
        theirs.close()
    return _Member(process, channel)


def _end(members: list[_Member], owner: int) -> None:
    """Close the channels, which tells the workers to end; make those end that do not."""
    for member in members:
        _open_channels.discard(member.channel)
        member.channel.close()
    if os.getpid() != owner:
        return  # a forked copy of the loader: the workers are its parent's
    deadline = time.monotonic() + _SECONDS_TO_END
    for member in members:
        member.process.join(max(0.0, deadline - time.monotonic()))
    for end in (BaseProcess.terminate, BaseProcess.kill):
        late = [member.process for member in members if member.process.is_alive()]
        for process in late:
            end(process)
        for process in late:
            process.join(_SECONDS_TO_END)
    for member in members:
        member.slabs.forget_all()
        if not member.process.is_alive():
            member.process.close()
