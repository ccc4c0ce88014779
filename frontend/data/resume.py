"""Where a loader is, as values that a checkpoint can hold, and how to get there again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from itertools import chain, islice, repeat
from typing import Any

import numpy as np

from graphc.errors import CheckpointError
from graphc.frontend.data.iteration import Progress
from graphc.frontend.data.random_samplers import SubsetRandomSampler, WeightedRandomSampler
from graphc.frontend.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from graphc.frontend.data.worker_info import draw_seed
from graphc.frontend.functions.generators import Generator, default_generator
from graphc.frontend.making import concrete
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

VERSION = 1

State = dict[str, Any]


class Sources:
    """The generators that a loader draws from, its own and its samplers'.

    Args:
        loader_generator: the loader's own, or None for the global one.
        sampler: what gives the order.
    """

    def __init__(self, loader_generator: Generator | None, sampler: Any) -> None:
        found = [loader_generator or default_generator]
        while sampler is not None:
            if type(sampler) in (RandomSampler, SubsetRandomSampler, WeightedRandomSampler):
                found.append(sampler.generator or default_generator)
            sampler = sampler.sampler if type(sampler) is BatchSampler else None
        self.generators = [one for one in found if one is not default_generator]
        self.all = [*self.generators, default_generator]

    def states(self) -> list[list[int]]:
        """Seed and count of each, the global one's last."""
        return [one.get_state().tolist() for one in self.all]

    def set(self, states: Sequence[Sequence[int]]) -> None:
        """Go back to such states; fewer than there are leave the last ones alone."""
        for one, state in zip(self.all, states, strict=False):
            one.set_state(concrete(np.array(state, np.int64)))


def repeats(sampler: Any) -> bool:
    """True if a sampler gives the same order again when its generator does."""
    if type(sampler) is BatchSampler:
        return repeats(sampler.sampler)
    return type(sampler) in (
        SequentialSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler,
        list, tuple, range, repeat,
    )  # fmt: skip


def _is_finite(sampler: Any) -> bool:
    return isinstance(sampler.sampler if type(sampler) is BatchSampler else sampler, Sized)


def state_of(
    epoch: int, samples: int | None, sources: Sources, sampler: Any,
    started: list[list[int]] | None, progress: Progress | None,
) -> State:  # fmt: skip
    """What ``DataLoader.state_dict`` gives.

    Args:
        epoch: how many passes have begun.
        samples: how many samples the data set has, if it says so.
        sources: the generators.
        sampler: what gives the order.
        started: the generators' states when the present pass began.
        progress: the present pass; None before the first.
    """
    state: State = {"version": VERSION, "epoch": epoch, "samples": samples, "position": 0}
    state["generators"] = sources.states()[:-1]
    if progress is None or progress.finished:
        return state
    state.update(
        position=progress.delivered, seed=progress.seed, started=started,
        ahead=sorted(progress.ahead), by_worker=list(progress.by_worker),
        last_worker=progress.last_worker,
    )  # fmt: skip
    if any(stream is not None for stream in progress.streams):
        state["streams"] = list(progress.streams)
    elif progress.random is not None:
        state["random"] = progress.random
    if not repeats(sampler) and _is_finite(sampler):
        state["order"] = _encoded(_remaining(progress))
    return {**state, "inside": True}


def _remaining(progress: Progress) -> list[Any]:
    """The requests whose batches the program has not got; the pass goes on with them."""
    rest = list(progress.requests)
    progress.requests = iter(rest)
    asked = [request for _, (_, request) in sorted(progress.asked.items())]
    return asked + rest


def _encoded(requests: list[Any]) -> Any:
    """Whole numbers, and lists of them, as tensors: an order may be long."""
    if all(isinstance(one, int | np.integer) for one in requests):
        return {"numbers": _numbers(requests)}
    if all(
        isinstance(one, list) and all(isinstance(number, int | np.integer) for number in one)
        for one in requests
    ):
        flat = list(chain.from_iterable(requests))
        return {"numbers": _numbers(flat), "sizes": _numbers([len(one) for one in requests])}
    return {"requests": requests}


def _numbers(values: Sequence[Any]) -> Tensor:
    return concrete(np.array(values, np.int64))


def _decoded(order: Any) -> list[Any]:
    if "requests" in order:
        return list(order["requests"])
    numbers: list[int] = order["numbers"].tolist()
    if "sizes" not in order:
        return numbers
    rest = iter(numbers)
    return [list(islice(rest, size)) for size in order["sizes"].tolist()]


def require_fitting(
    state: State, samples: int | None, sources: Sources, workers: int, is_stream: bool
) -> None:
    """Raise CheckpointError for a state of another data set, or of other streams."""
    problem = ""
    if state.get("version") != VERSION:
        problem = "this is no state of a DataLoader of this version"
    elif state["samples"] != samples:
        problem = f"the data set had {state['samples']} samples and has {samples}"
    elif len(state["generators"]) != len(sources.generators):
        problem = "one of the two loaders has a generator of its own"
    elif is_stream and state.get("inside") and len(state["by_worker"]) != workers:
        problem = f"the stream was read by {len(state['by_worker'])} workers, not by {workers}"
    if problem:
        raise CheckpointError(f"DataLoader.load_state_dict: {problem}", where=user_location_text())


def new_pass(generator: Generator | None, sampler: Any) -> tuple[int, Iterator[Any]]:
    """A new pass: the workers' seed, and the requests, whose order is drawn now."""
    return draw_seed(generator), iter(sampler)


def resumed_pass(
    state: State, sources: Sources, generator: Generator | None, sampler: Any
) -> Progress:
    """The pass that a state was in the middle of.

    The global generator is where it was afterwards: who resumes a program restores that.
    """
    now = sources.states()
    done = state["position"] - len(state["ahead"])
    requests: Iterator[Any]
    if "order" in state:
        rest = _decoded(state["order"])
        for task in state["ahead"]:
            rest.insert(task - done, None)  # it is left out when its turn comes
        requests = iter(rest)
    else:
        try:
            sources.set(state["started"])
            _, everything = new_pass(generator, sampler)
        finally:
            sources.set(now)
        requests = islice(everything, done, None)
    return Progress(
        state["seed"], requests, sent=done, delivered=state["position"],
        ahead=set(state["ahead"]), left_out=frozenset(state["ahead"]),
        by_worker=list(state["by_worker"]),
        last_worker=state["last_worker"], streams=list(state.get("streams", ())),
        random=state.get("random"),
    )  # fmt: skip
