"""Batches from worker processes: the same ones, in order, from memory that nobody leaks."""

import gc as gc_module
import multiprocessing
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import (
    ArgumentError,
    ArgumentTypeError,
    RecordingError,
    SessionError,
    WorkerError,
)
from graphc.frontend.data.slabs import LentSlabs, OwnSlabs
from graphc.utils.data import DataLoader, TensorDataset, get_worker_info
from tests.data_sets import (
    Everything,
    Images,
    Noise,
    NoisyStream,
    Numbers,
    Point,
    Record,
    Slow,
    Stream,
    touch,
)

STARTS = sorted(set(multiprocessing.get_all_start_methods()) & {"fork", "spawn", "forkserver"})


def plain(value: Any) -> Any:
    """Types, dtypes and values."""
    if isinstance(value, gc.Tensor | np.ndarray):
        kind = "tensor" if isinstance(value, gc.Tensor) else "array"
        return kind, str(value.dtype), list(value.shape), value.tolist()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, Record):
        return "record", plain(value.values), value.name
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(part) for part in value]
    return value


def batches(loader: Any) -> list[Any]:
    return [plain(batch) for batch in loader]


def children() -> list[Any]:
    return multiprocessing.active_children()


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    def state() -> tuple[set[str], int]:
        shared = set(os.listdir("/dev/shm")) if Path("/dev/shm").exists() else set()
        return shared, threading.active_count()

    before = state()
    yield
    gc_module.collect()  # an error's traceback may keep an iterator
    assert children() == []
    assert state() == before


@pytest.mark.parametrize("start", STARTS)
def test_the_same_batches_however_processes_start(start: str) -> None:
    expected = batches(DataLoader(Everything(7), batch_size=3))
    loader = DataLoader(Everything(7), 3, num_workers=2, multiprocessing_context=start)
    assert batches(loader) == expected
    context = multiprocessing.get_context(start)
    assert loader.multiprocessing_context is not None
    assert type(loader.multiprocessing_context) is type(context)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("prefetch", [None, 1, 5])
def test_the_same_batches_for_any_number_of_workers(workers: int, prefetch: int | None) -> None:
    expected = batches(DataLoader(Images(), batch_size=3))
    loader = DataLoader(Images(), 3, num_workers=workers, prefetch_factor=prefetch)
    assert batches(loader) == expected
    assert batches(loader) == expected
    assert len(loader) == 7
    assert loader.prefetch_factor == (prefetch or 2)


def test_forms_of_loaders() -> None:
    for options in (
        {"batch_size": None}, {"batch_size": 30}, {"batch_sampler": [[3, 1], [2]]},
        {"sampler": [4, 0]}, {"batch_size": 6, "drop_last": True},
        {"collate_fn": lambda batch: tuple(batch)}, {"batch_size": None, "collate_fn": str},
        {"pin_memory": True, "pin_memory_device": "cuda"}, {"timeout": 60.0},
    ):  # fmt: skip
        here = {key: value for key, value in options.items() if key != "timeout"}
        expected = batches(DataLoader(Numbers(), **here))
        assert batches(DataLoader(Numbers(), num_workers=2, **options)) == expected, options
    assert batches(DataLoader(Numbers(0), num_workers=1)) == []


def test_parts_keep_their_types() -> None:
    [batch] = DataLoader(Everything(2), 2, num_workers=1)
    assert isinstance(batch["point"], Point)
    assert isinstance(batch["record"], Record)
    assert batch["half"].dtype is gc.bfloat16
    batch["frozen"].add_(1.0)
    assert batch["frozen"][:, 0].tolist() == [1.0, 2.0]
    [raw] = DataLoader(Everything(1), None, num_workers=1, collate_fn=lambda sample: sample)
    raw["frozen"][0] = 7.0  # an array of the program's own
    parameter = gc.nn.Parameter(gc.ones(100))
    [sent] = DataLoader([0], None, num_workers=1, collate_fn=lambda sample: (parameter, parameter))
    assert type(sent[0]) is gc.nn.Parameter
    assert sent[0].requires_grad
    assert sent[0] is sent[1]


def test_shuffled_orders_do_not_depend_on_workers() -> None:
    def order(workers: int) -> Any:
        gc.manual_seed(4)
        loader = DataLoader(Numbers(), 4, shuffle=True, num_workers=workers)
        return batches(loader), batches(loader)

    assert order(0) == order(1) == order(2)
    first, second = order(2)
    assert first != second


def test_order_is_kept_while_a_worker_is_slow() -> None:
    assert [x.item() for x in DataLoader(Slow(6), num_workers=2)] == [0, 1, 2, 3, 4, 5]


def test_out_of_order_the_first_batch_there_comes_first() -> None:
    loader = DataLoader(Slow(8), num_workers=2, in_order=False, prefetch_factor=1)
    numbers = [x.item() for x in loader]
    assert sorted(numbers) == list(range(8))
    assert numbers[0] != 0
    assert numbers.index(0) > 3, "who is free takes the next one"


def test_random_numbers_are_those_of_the_batch() -> None:
    def noise(seed: int, **options: Any) -> Any:
        gc.manual_seed(seed)
        loader = DataLoader(Noise(12), 3, **options)
        return batches(loader), batches(loader)

    one = noise(1, num_workers=1)
    assert noise(1, num_workers=2) == one
    assert noise(1, num_workers=2, persistent_workers=True) == one
    assert noise(1, num_workers=2, in_order=False)[0] != noise(2, num_workers=2)[0]
    first, second = one
    assert first != second
    drawn = np.array([part[3] for batch in first for part in batch[1][1:]])
    assert len(np.unique(drawn)) == drawn.size == 36


def test_the_programs_own_random_numbers_are_left_alone() -> None:
    gc.manual_seed(0)
    random.seed(0)
    before = random.getstate()
    list(DataLoader(Noise(12), 3, num_workers=2, generator=gc.Generator().manual_seed(1)))
    assert random.getstate() == before
    assert gc.get_rng_state().tolist() == gc.Generator().manual_seed(0).get_state().tolist()


def test_workers_know_what_they_are() -> None:
    def told(sample: Any) -> Any:
        info = get_worker_info()
        assert info is not None
        return info.id, info.num_workers, info.seed, len(info.dataset), os.getpid()

    loader = DataLoader(Numbers(4), None, num_workers=2, collate_fn=told)
    rows = list(loader)
    assert [row[:2] for row in rows] == [(0, 2), (1, 2), (0, 2), (1, 2)]
    assert rows[1][2] == rows[0][2] + 1
    assert [row[3] for row in rows] == [4] * 4
    assert rows[0][4] == rows[2][4] != rows[1][4]
    assert get_worker_info() is None


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_are_initialized_once(
    persistent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHC_TEST_FOLDER", str(tmp_path))
    loader = DataLoader(
        Numbers(), 4, num_workers=2, worker_init_fn=touch, persistent_workers=persistent
    )
    for _ in range(3):
        list(loader)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {"0": "x" if persistent else "xxx", "1": "x" if persistent else "xxx"}
    del loader


def test_persistent_workers_serve_one_pass_after_the_other() -> None:
    def where(sample: Any) -> tuple[Any, int]:
        return sample, os.getpid()

    loader = DataLoader(
        Numbers(), None, num_workers=2, persistent_workers=True, collate_fn=where, prefetch_factor=4
    )
    for sample, _ in loader:
        if sample == 3:
            break  # what is under way must not appear in the next pass
    rows = list(loader)
    assert [sample for sample, _ in rows] == list(range(20))
    assert {pid for _, pid in loader} == {pid for _, pid in rows}
    old, new = iter(loader), iter(loader)
    assert next(new)[0] == 0
    with pytest.raises(SessionError, match="persistent"):
        next(old)
    assert next(new)[0] == 1
    assert len(children()) == 2
    del loader, old, new


def test_streams_are_shared_by_their_workers() -> None:
    assert [x.item() for x in DataLoader(Stream(4))] == [0, 1, 2, 3]
    loader = DataLoader(Stream(), 4, num_workers=2)
    expected = [[0, 1, 2, 3], [5, 6, 7, 8], [4], [9, 10, 11, 12], [13, 14, 15, 16],
                [17, 18, 19, 20], [21, 22]]  # fmt: skip
    for _ in range(3):
        assert [x.tolist() for x in loader] == expected
    kept = DataLoader(Stream(), 4, num_workers=2, persistent_workers=True, drop_last=True)
    full = [one for one in expected if len(one) == 4]
    assert [x.tolist() for x in kept] == [x.tolist() for x in kept] == full
    singles = DataLoader(Stream(3, shared=False), None, num_workers=2)
    assert list(singles) == [0, 0, 1, 1, 2, 2]
    del kept


def test_a_stream_that_is_longer_than_it_says_is_noticed() -> None:
    loader = DataLoader(Stream(4, shared=False), 2, num_workers=2)
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="get_worker_info"):
        assert len(list(loader)) == 4
    assert len(DataLoader(Stream(5), 2, drop_last=True)) == 2
    assert len(DataLoader(Stream(5), None)) == 5


def test_random_numbers_of_streams_repeat() -> None:
    def noise() -> Any:
        gc.manual_seed(1)
        loader = DataLoader(NoisyStream(), 4, num_workers=2)
        return batches(loader), batches(loader)

    first, second = noise()
    assert (first, second) == noise()
    assert first != second


def test_batches_are_the_programs_own() -> None:
    """Memory is used again only when nobody has a part of it."""
    loader = DataLoader(Images(300), 2, num_workers=2)
    kept = list(loader)  # more than the workers' memory may be held: the rest is copied
    assert len(os.listdir("/dev/fd")) < 100
    for place, batch in enumerate(kept):
        image = batch["image"]
        assert image[:, 0, 0, 0].tolist() == [2 * place, 2 * place + 1]
        image.fill_(-1.0)
    assert all(batch["image"].sum().item() == -9600 for batch in kept)

    loader = DataLoader(Images(60), 2, num_workers=2)
    views = [batch["image"].numpy()[1, 0, :2, 0] for batch in loader]  # only a view stays
    assert [view.tolist() for view in views] == [[2 * i + 1] * 2 for i in range(30)]


def test_memory_is_used_again() -> None:
    addresses = set()
    for batch in DataLoader(Images(200), 2, num_workers=2, prefetch_factor=2):
        addresses.add(batch["image"].data_ptr())
        assert batch["image"].data_ptr() % 64 == 0
        del batch
    assert len(addresses) < 12


def test_memory_of_passes_that_were_given_up_is_used_again() -> None:
    loader = DataLoader(Images(200), 2, num_workers=2, persistent_workers=True)
    addresses = set()
    for _ in range(15):
        for place, batch in enumerate(loader):
            addresses.add(batch["image"].data_ptr())
            del batch
            if place == 3:
                time.sleep(0.02)  # some batches arrive and are never read
                break
    assert len(addresses) < 16
    del loader


def test_slabs_that_a_child_may_read_are_given_up() -> None:
    own, lent = OwnSlabs(), LentSlabs()
    numbers = []
    for _ in range(3):
        number, memory, descriptor, retired = own.take(1000)
        assert descriptor is not None
        assert not retired
        lent.add(number, descriptor, len(memory))
        numbers.append(number)
    kept, back, late = (lent.lend(number) for number in numbers)
    del back
    lent.keep_for_child()
    del late
    returned, dropped = lent.take_returned()
    assert (returned, sorted(dropped)) == ([2], [1, 3])
    assert lent.in_use == 0
    own.give_back(returned, dropped)
    assert own.take(1000)[0] == 2
    number, _, descriptor, retired = own.take(1 << 20)
    assert (number, retired) == (4, [])
    assert descriptor is not None
    os.close(descriptor)
    assert kept.shape == (1 << 16,)


def test_batches_of_growing_sizes() -> None:
    def grown(index: Any) -> Any:
        return np.full(1 << index, index, np.uint8)

    loader = DataLoader(Numbers(23), None, num_workers=2, collate_fn=grown)
    for place, values in enumerate(loader):
        assert values.shape == (1 << place,)
        assert (values == place).all()


def test_a_forked_child_keeps_its_batch() -> None:
    loader = iter(DataLoader(Images(40), 2, num_workers=1))
    batch = next(loader)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(read, 1)  # by now the loader has made all other batches
        os._exit(0 if batch["image"].sum().item() == 4800 else 1)
    del batch
    assert len(list(loader)) == 19
    os.write(write, b"x")
    _, status = os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_forked_child_leaves_the_loader_alone() -> None:
    iterator = iter(DataLoader(Images(), 2, num_workers=2))
    first = next(iterator)
    child = os.fork()
    if child == 0:
        try:
            del iterator, first
            gc_module.collect()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert [batch["image"][0, 0, 0, 0].item() for batch in iterator] == list(range(2, 20, 2))
    del first


def test_loaders_in_threads() -> None:
    results: list[Any] = []

    def read() -> None:
        results.append(batches(DataLoader(Images(), 3, num_workers=1)))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [batches(DataLoader(Images(), 3))] * 3


def test_a_pass_is_not_recorded() -> None:
    loader = DataLoader(Numbers(), 4)

    @gc.compile
    def total(x: gc.Tensor) -> gc.Tensor:
        for batch in loader:
            x = x + batch.sum()
        return x

    with pytest.raises(RecordingError, match="iterate outside"):
        total(gc.tensor(0))


def test_long_messages_in_both_directions() -> None:
    """Neither side waits for the other when sockets are full."""
    sampler = [list(range(60_000)) for _ in range(12)]
    loader = DataLoader(
        Numbers(60_000), batch_sampler=sampler, num_workers=2, prefetch_factor=6,
        collate_fn=lambda batch: [str(one) for one in batch],
    )  # fmt: skip
    assert [len(batch) for batch in loader] == [60_000] * 12


def test_only_so_many_batches_are_made_ahead(tmp_path: Path) -> None:
    def note(sample: Any) -> Any:
        (tmp_path / str(sample)).touch()
        return sample

    loader = iter(DataLoader(Numbers(), None, num_workers=2, prefetch_factor=3, collate_fn=note))
    assert next(loader) == 0
    deadline = time.monotonic() + 20
    while len(list(tmp_path.iterdir())) < 7 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(list(tmp_path.iterdir())) == 7
    del loader


def test_compiled_functions_and_products_work_in_workers() -> None:
    scale = gc.compile(lambda x: (x @ x).relu() * 2)
    x = gc.ones(40, 40)
    expected = scale(x).sum().item()  # threads of this process have run
    loader = DataLoader(Numbers(6), None, num_workers=2, collate_fn=lambda i: scale(x * 1.0) + i)
    for place, batch in enumerate(loader):
        assert batch.sum().item() == expected + place * 1600
    assert scale(x).sum().item() == expected


def test_workers_have_no_workers() -> None:
    def nested(sample: Any) -> Any:
        return list(DataLoader(Numbers(2), num_workers=1))

    with pytest.raises(WorkerError, match="workers of its own"):
        list(DataLoader(Numbers(1), num_workers=1, collate_fn=nested))


def test_tensor_data_sets_in_workers() -> None:
    data = TensorDataset(gc.arange(3000.0).reshape(30, 100), gc.arange(30))
    assert batches(DataLoader(data, 7, num_workers=2)) == batches(DataLoader(data, 7))


def test_more_workers_than_processors_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    with pytest.warns(UserWarning, match="2 workers on 1 processors"):
        list(DataLoader(Numbers(2), num_workers=2))


def test_options_of_workers() -> None:
    for options in (
        {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2}, {"persistent_workers": True},
        {"timeout": 1}, {"multiprocessing_context": "fork"},
        {"num_workers": 1, "prefetch_factor": 0},
        {"num_workers": 1, "multiprocessing_context": "thread"},
    ):  # fmt: skip
        with pytest.raises(ArgumentError):
            DataLoader(Numbers(), **options)
    for options in ({"num_workers": 1.0}, {"num_workers": 1, "multiprocessing_context": 3}):
        with pytest.raises(ArgumentTypeError):
            DataLoader(Numbers(), **options)
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        with pytest.raises(ArgumentError, match="own order"):
            DataLoader(Stream(), **options)
    loader = DataLoader(Numbers(), 2)
    for name in ("batch_size", "sampler", "dataset", "persistent_workers"):
        with pytest.raises(ArgumentError, match="cannot be changed"):
            setattr(loader, name, None)
    loader.num_workers = 1
    assert DataLoader[int].__origin__ is DataLoader
