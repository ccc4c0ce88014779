"""A loader that is saved and restored gives exactly what the uninterrupted one gives."""

import functools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import CheckpointError
from graphc.frontend.training.random_states import random_states, set_random_states
from graphc.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tests.data_sets import Noise, NoisyStream, Numbers, Resumable, Slow, Stream


class Shuffled(Sampler[int]):
    """An order of Python's random numbers, which graphc does not know of."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[int]:
        return iter(random.sample(range(self.count), self.count))

    def __len__(self) -> int:
        return self.count


class Mixed(IterableDataset):
    """Mixes as it begins and as it goes on, and makes noise."""

    def __iter__(self) -> Iterator[Any]:
        numbers = random.sample(range(9), 9)
        return self.go_on(numbers)

    def go_on(self, numbers: list[int]) -> Iterator[Any]:
        while numbers:
            number = numbers.pop(random.randrange(len(numbers)))
            yield number, np.random.rand(), gc.rand(())  # noqa: NPY002


class Endless(Sampler[int]):
    def __iter__(self) -> Iterator[int]:
        number = 0
        while True:
            yield number % 20
            number += 3


def plain(batch: Any) -> Any:
    return [part.tolist() for part in batch] if isinstance(batch, list) else batch.tolist()


def passes(loader: Any, count: int) -> list[Any]:
    return [[plain(batch) for batch in loader] for _ in range(count)]


def saved(loader: Any, folder: Path) -> Any:
    """The state after a way through a file."""
    gc.save(loader.state_dict(), folder / "loader.safetensors")
    return gc.load(folder / "loader.safetensors")


KINDS: dict[str, Any] = {
    "in order": lambda: {"batch_size": 3},
    "shuffled": lambda: {"batch_size": 3, "shuffle": True},
    "own generator": lambda: {
        "batch_size": 3, "shuffle": True, "generator": gc.Generator().manual_seed(7)
    },
    "sampler's generator": lambda: {
        "batch_size": 4, "drop_last": True,
        "sampler": RandomSampler(range(20), True, 19, gc.Generator().manual_seed(8)),
    },
    "subset": lambda: {"sampler": SubsetRandomSampler([1, 5, 6, 19, 3])},
    "weights": lambda: {"sampler": WeightedRandomSampler(range(20), 15)},
    "batch sampler": lambda: {
        "batch_sampler": BatchSampler(RandomSampler(range(20)), 3, False)
    },
    "python's numbers": lambda: {"batch_size": 3, "sampler": Shuffled(20)},
    "python's batches": lambda: {"batch_sampler": BatchSampler(Shuffled(20), 3, False)},
    "single": lambda: {"batch_size": None, "shuffle": True, "collate_fn": gc.tensor},
    "listed": lambda: {"batch_size": 2, "sampler": [4, 1, 9, 3, 3]},
}  # fmt: skip


def seed() -> None:
    gc.manual_seed(3)
    random.seed(3)


def loader_of(kind: str, workers: int) -> Any:
    return DataLoader(Numbers(), num_workers=workers, **KINDS[kind]())


@functools.cache
def three_passes(kind: str, workers: int) -> list[Any]:
    """What a loader gives that nobody interrupts."""
    seed()
    return passes(loader_of(kind, workers), 3)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop", [0, 1, 3, -1])
def test_the_rest_is_the_same(kind: str, workers: int, stop: int, tmp_path: Path) -> None:
    expected = three_passes(kind, workers)
    stop = len(expected[1]) if stop == -1 else stop

    seed()
    loader = loader_of(kind, workers)
    got = passes(loader, 1)
    iterator = iter(loader) if stop else iter(())
    got.append([plain(next(iterator)) for _ in range(stop)])
    state, gc_state = saved(loader, tmp_path), gc.get_rng_state()
    random_state = random.getstate()
    assert state["position"] == stop
    rest = [plain(batch) for batch in iterator]
    assert got[1] + rest == (expected[1] if stop else []), "saving does not disturb"

    gc.manual_seed(99)
    resumed = loader_of(kind, workers)
    gc.set_rng_state(gc_state)
    random.setstate(random_state)
    resumed.load_state_dict(state)
    assert resumed.state_dict()["position"] == stop
    got[1] += [plain(batch) for batch in resumed]
    assert got + passes(resumed, 1) == expected
    assert resumed.state_dict()["epoch"] == 3


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("second", [1, 2])
def test_random_numbers_of_workers_are_the_same(first: int, second: int, tmp_path: Path) -> None:
    def make(workers: int) -> Any:
        source = gc.Generator().manual_seed(1)
        return DataLoader(Noise(), 3, shuffle=True, generator=source, num_workers=workers)

    expected = passes(make(1), 2)
    loader = make(first)
    begun = [plain(batch) for _, batch in zip(range(3), loader, strict=False)]
    again = make(second)
    again.load_state_dict(saved(loader, tmp_path))
    assert [begun + passes(again, 1)[0], *passes(again, 1)] == expected


def test_a_state_after_a_break_and_one_of_a_resumed_pass(tmp_path: Path) -> None:
    def make() -> Any:
        source = gc.Generator().manual_seed(1)
        return DataLoader(Numbers(), 3, shuffle=True, generator=source, num_workers=1)

    expected = passes(make(), 1)[0]
    loader = make()
    for _ in loader:
        break
    got = expected[:1]
    for _ in range(3):
        state = saved(loader, tmp_path)
        loader = make()
        loader.load_state_dict(state)
        for batch in loader:
            got.append(plain(batch))
            break
    loader.load_state_dict(loader.state_dict())
    assert got + passes(loader, 1)[0] == expected


def test_out_of_order(tmp_path: Path) -> None:
    """Nothing comes twice and nothing is left out, with workers and without."""
    for workers in (0, 1, 2):
        loader = DataLoader(Slow(10), num_workers=2, in_order=False)
        iterator = iter(loader)
        got = [next(iterator).item() for _ in range(4)]
        state = saved(loader, tmp_path)
        assert state["ahead"], "the slow one is not there yet"
        del iterator
        again = DataLoader(Slow(10), num_workers=workers)
        again.load_state_dict(state)
        rest = [x.item() for x in again]
        assert rest == sorted(set(range(10)) - set(got))

    loader = DataLoader(Slow(10), sampler=Shuffled(10), num_workers=2, in_order=False)
    iterator = iter(loader)
    got = [next(iterator).item() for _ in range(4)]
    state = saved(loader, tmp_path)
    assert sorted(got + [x.item() for x in iterator]) == list(range(10))
    again = DataLoader(Slow(10), sampler=Shuffled(10))
    again.load_state_dict(state)
    assert sorted(got + [x.item() for x in again]) == list(range(10))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [1, 4, 6])
def test_streams(workers: int, stop: int, tmp_path: Path) -> None:
    def make() -> Any:
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002  # what the streams draw from
        source = gc.Generator().manual_seed(1)
        kind = NoisyStream if workers else Stream
        return DataLoader(kind(), 3, num_workers=workers, generator=source)

    expected = passes(make(), 2)
    loader = make()
    iterator = iter(loader)
    got = [plain(next(iterator)) for _ in range(stop)]
    state = saved(loader, tmp_path)
    again = make()
    again.load_state_dict(state)
    assert [got + passes(again, 1)[0], *passes(again, 1)] == expected


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [1, 2, 5, 7, 8, 9])
@pytest.mark.parametrize("persistent", [False, True])
def test_streams_that_know_where_they_are(
    workers: int, stop: int, persistent: bool, tmp_path: Path
) -> None:
    def make() -> Any:
        random.seed(1)
        source = gc.Generator().manual_seed(1)
        return DataLoader(
            Resumable(), 3, num_workers=workers, generator=source,
            persistent_workers=persistent and workers > 0,
        )  # fmt: skip

    def shown(passes_: Any) -> Any:
        """Numbers, and the random ones of workers, which are those of the batch."""
        return [[(batch[0], batch[2] if workers else 0) for batch in one] for one in passes_]

    expected = shown(passes(make(), 2))
    loader = make()
    iterator = iter(loader)
    got = [plain(next(iterator)) for _ in range(min(stop, len(expected[0])))]
    again = make()
    again.load_state_dict(saved(loader, tmp_path))
    rest = passes(again, 1)[0]
    assert shown([got + rest])[0] == expected[0]
    assert all(batch[1][0] < len(rest) * 3 for batch in rest), "nothing was read twice"
    assert shown(passes(again, 1))[0] == expected[1]


@pytest.mark.parametrize("stop", [0, 1, 2, 3, 4])
def test_a_stream_without_workers_that_draws_random_numbers(stop: int, tmp_path: Path) -> None:
    """Reading it again up to the place draws what it drew, and leaves the generators alone."""

    def train(stop: int | None) -> list[Any]:
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002  # what the stream draws from
        gc.manual_seed(1)
        loader, got = DataLoader(Mixed(), 2), []
        iterator = iter(loader)
        if stop is not None:
            got = [plain(next(iterator)) for _ in range(stop)]
            state = saved(loader, tmp_path)
            at_the_stop = random_states()
            random.random(), np.random.rand(), gc.rand(3)  # noqa: NPY002
            loader = DataLoader(Mixed(), 2)
            loader.load_state_dict(state)
            set_random_states(at_the_stop)
            iterator = iter(loader)
        got += map(plain, iterator)
        return [*got, *map(plain, loader)]

    assert train(stop) == train(None)


def test_an_endless_order(tmp_path: Path) -> None:
    loader = DataLoader(Numbers(), 2, sampler=Endless(), num_workers=1)
    iterator = iter(loader)
    got = [plain(next(iterator)) for _ in range(6)]
    again = DataLoader(Numbers(), 2, sampler=Endless())
    iterator = iter(DataLoader(Numbers(), 2, sampler=Endless(), num_workers=1))
    [next(iterator) for _ in range(2)]
    again.load_state_dict(saved(loader, tmp_path))
    assert plain(next(iter(again))) != got[0]
    assert got == [[0, 3], [6, 9], [12, 15], [18, 1], [4, 7], [10, 13]]
    again.load_state_dict(saved(loader, tmp_path))
    assert plain(next(iter(again))) == [16, 19]


def test_states_of_other_data_are_refused() -> None:
    state = DataLoader(Numbers(20), 2).state_dict()
    with pytest.raises(CheckpointError, match="had 20 samples and has 21"):
        DataLoader(Numbers(21), 2).load_state_dict(state)
    with pytest.raises(CheckpointError, match="no state of a DataLoader"):
        DataLoader(Numbers(20), 2).load_state_dict({"epoch": 1})
    with pytest.raises(CheckpointError, match="generator of its own"):
        DataLoader(Numbers(20), 2, generator=gc.Generator()).load_state_dict(state)
    loader = DataLoader(Stream(), 2, num_workers=2)
    next(iter(loader))
    with pytest.raises(CheckpointError, match="2 workers, not by 1"):
        DataLoader(Stream(), 2, num_workers=1).load_state_dict(loader.state_dict())
