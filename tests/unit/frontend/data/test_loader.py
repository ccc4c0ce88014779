"""Data sets, samplers and loaders: PyTorch's behaviour, repeatable orders."""

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from graphc.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)

Pair = namedtuple("Pair", "x y")


class Squares(Dataset[int]):
    def __init__(self, count: int) -> None:
        self.count = count

    def __getitem__(self, index: int) -> int:
        return index * index

    def __len__(self) -> int:
        return self.count


def batches(loader: Any) -> list[Any]:
    return [batch.tolist() for batch in loader]


def test_batches_in_order() -> None:
    loader = DataLoader(Squares(5), batch_size=2)
    assert batches(loader) == [[0, 1], [4, 9], [16]]
    assert len(loader) == 3
    loader = DataLoader(Squares(5), batch_size=2, drop_last=True)
    assert batches(loader) == [[0, 1], [4, 9]]
    assert len(loader) == 2
    assert batches(DataLoader([3, 4])) == [[3], [4]]
    assert list(DataLoader(Squares(3), batch_size=None)) == [0, 1, 4]
    assert len(DataLoader(Squares(3), batch_size=None)) == 3
    assert batches(DataLoader(Squares(0), batch_size=4)) == []


def test_shuffled_orders_differ_and_repeat_by_seed() -> None:
    def orders() -> list[Any]:
        loader = DataLoader(Squares(20), batch_size=20, shuffle=True)
        return [batches(loader), batches(loader)]

    gc.manual_seed(5)
    first, second = orders()
    gc.manual_seed(5)
    assert orders() == [first, second]
    assert first != second
    assert sorted(first[0]) == [i * i for i in range(20)]


def test_a_generator_of_its_own_is_independent_of_the_global_one() -> None:
    def order() -> Any:
        source = gc.Generator().manual_seed(1)
        return batches(DataLoader(Squares(20), batch_size=20, shuffle=True, generator=source))

    gc.manual_seed(1)
    first = order()
    state = gc.get_rng_state().tolist()
    gc.rand(3)
    assert order() == first
    gc.manual_seed(1)
    assert gc.get_rng_state().tolist() == state


def test_every_order_is_about_as_likely() -> None:
    gc.manual_seed(0)
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(600):
        order = tuple(RandomSampler(range(3)))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert min(counts.values()) > 60


def test_tensor_dataset_batches_without_collate() -> None:
    x, y = gc.arange(12.0).reshape(6, 2), gc.arange(6)
    dataset = TensorDataset(x, y)
    assert len(dataset) == 6
    assert [part.tolist() for part in dataset[-1]] == [[10, 11], 5]
    loader = DataLoader(dataset, batch_size=4)
    slow = DataLoader(dataset, batch_size=4, collate_fn=lambda batch: default_collate(batch))
    for fast, expected in zip(loader, slow, strict=True):
        assert isinstance(fast, list)
        for a, b in zip(fast, expected, strict=True):
            assert a.type == b.type
            assert a.tolist() == b.tolist()
    (a, _), *_ = loader
    a.fill_(0.0)
    assert x.sum().item() == 66


def test_subsets_of_subsets_batch_like_their_samples() -> None:
    inner = Subset(TensorDataset(gc.arange(10), gc.arange(10) * 2), [7, 5, 3, 1])
    loader = DataLoader(Subset(inner, [3, 0, 2]), batch_size=2)
    assert [[part.tolist() for part in batch] for batch in loader] == [
        [[1, 7], [2, 14]],
        [[3], [6]],
    ]

    class Negated(Subset[Any]):
        def __getitem__(self, index: int) -> Any:
            return -super().__getitem__(index)[0]

    assert batches(DataLoader(Negated(inner.dataset, [2, 4]), batch_size=2)) == [[-2, -4]]


def test_a_subclass_decides_how_samples_are_read() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: int) -> Any:
            return super().__getitem__(index)[0] * 2

    assert batches(DataLoader(Doubled(gc.arange(3)), batch_size=3)) == [[0, 2, 4]]


def test_tensor_dataset_errors() -> None:
    with pytest.raises(ArgumentError, match="one first size"):
        TensorDataset(gc.zeros(2), gc.zeros(3))
    with pytest.raises(ArgumentError):
        TensorDataset()
    for wrong in (np.zeros(3), gc.tensor(1.0)):
        with pytest.raises(DTypeError):
            TensorDataset(wrong)
    with pytest.raises(IndexRangeError):
        TensorDataset(gc.zeros(2))[2]


def test_samplers() -> None:
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert list(BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(BatchSampler(range(5), 2, False)) == 3
    assert len(set(RandomSampler(range(9), num_samples=4))) == 4
    drawn = list(RandomSampler(range(2), replacement=True, num_samples=50))
    assert len(drawn) == 50
    assert set(drawn) == {0, 1}
    for size in (0, -1, 1.5, True):
        with pytest.raises(ArgumentError, match="batch size"):
            BatchSampler(range(3), size, False)


def test_own_samplers_and_collate() -> None:
    assert batches(DataLoader(Squares(5), batch_size=2, sampler=[4, 0, 2])) == [[16, 0], [4]]
    assert batches(DataLoader(Squares(5), batch_sampler=[[1], [2, 3]])) == [[1], [4, 9]]
    assert list(DataLoader(Squares(4), batch_size=3, collate_fn=sum)) == [5, 9]
    endless = DataLoader(Squares(4), batch_sampler=iter([[0]]))
    with pytest.raises(ArgumentError, match="no length"):
        len(endless)


def test_options_that_exclude_each_other_raise() -> None:
    for options in (
        {"shuffle": True, "sampler": [0]}, {"batch_size": None, "drop_last": 1},
        {"batch_sampler": [[0]], "shuffle": True}, {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_size": 0},
    ):  # fmt: skip
        with pytest.raises(ArgumentError):
            DataLoader(Squares(3), **options)


def test_random_split() -> None:
    gc.manual_seed(1)
    parts = random_split(Squares(10), [7, 3])
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(value for part in parts for value in batches(DataLoader(part))) == [
        [i * i] for i in range(10)
    ]
    assert [len(part) for part in random_split(Squares(10), [0.5, 0.3, 0.2])] == [5, 3, 2]
    assert [len(part) for part in random_split(Squares(10), [1 / 3] * 3)] == [4, 3, 3]
    source = gc.Generator().manual_seed(2)
    first = random_split(Squares(10), [5, 5], generator=source)[0].indices
    source.manual_seed(2)
    assert random_split(Squares(10), [5, 5], generator=source)[0].indices == first
    for lengths in ([5, 4], [12, -2], [0.5, 0.4]):
        with pytest.raises(ArgumentError, match="add up"):
            random_split(Squares(10), lengths)


def test_subset() -> None:
    subset = Subset(Squares(10), [3, 5])
    assert (len(subset), subset[1]) == (2, 25)


SAMPLES: list[Any] = [
    [1, 2], [1.5, 2.5], [True, False], ["a", "b"], [b"a", b"b"],
    [np.arange(3), np.arange(3)], [np.float32(1), np.float32(2)], [np.int16(1), np.int16(2)],
    [(1, "x"), (2, "y")], [[1, 2.0], [3, 4.0]], [{"a": 1, "b": (1.0,)}, {"a": 2, "b": (2.0,)}],
    [Pair(1, [2]), Pair(3, [4])],
]  # fmt: skip


def plain(value: Any) -> Any:
    """Types, dtypes and values, of either library."""
    if hasattr(value, "dtype"):
        array = np.asarray(value)
        return (array.dtype.name, array.tolist())
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(part) for part in value]
    return value


@pytest.mark.parity
@pytest.mark.parametrize("batch", SAMPLES, ids=str)
def test_collate_is_pytorchs(batch: Any) -> None:
    data = pytest.importorskip("torch.utils.data")
    assert plain(default_collate(batch)) == plain(data.default_collate(batch))


def test_collate_errors() -> None:
    assert default_collate([gc.ones(2), gc.zeros(2)]).tolist() == [[1, 1], [0, 0]]
    with pytest.raises(DTypeError, match="collate_fn"):
        default_collate([object(), object()])
    with pytest.raises(ShapeError, match="numbers of parts"):
        default_collate([(1, 2), (1,)])
    with pytest.raises(ShapeError):
        default_collate([gc.ones(2), gc.zeros(3)])
