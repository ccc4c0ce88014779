"""Data sets, samplers, splits and collate rules: PyTorch's meaning, beside PyTorch."""

import collections
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, ArgumentTypeError, DTypeError, IndexRangeError, ShapeError
from graphc.utils import data as ours
from graphc.utils.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    DistributedSampler,
    RandomSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    collate,
    default_collate,
    default_collate_fn_map,
    default_convert,
    random_split,
)
from tests.data_sets import Numbers, Stream

Pair = collections.namedtuple("Pair", "x y")


class Many(Numbers):
    """Reads samples at once, and counts how often."""

    asked = 0

    def __getitems__(self, indices: list[int]) -> list[int]:
        self.asked += 1
        return [index * 10 for index in indices]


def test_concatenated_data_sets() -> None:
    both = ConcatDataset([Numbers(3), Numbers(0), range(10, 12)])
    assert [both[i] for i in range(len(both))] == [0, 1, 2, 10, 11]
    assert [both[i] for i in (-1, -5)] == [11, 0]
    assert both.cumulative_sizes == [3, 3, 5]
    assert [x for x in Numbers(2) + Numbers(1)] == [0, 1, 0]  # noqa: C416  # by number
    for index in (5, -6):
        with pytest.raises(IndexRangeError, match="no such sample"):
            both[index]
    for wrong in ([], [Stream()]):
        with pytest.raises(ArgumentError, match="ConcatDataset"):
            ConcatDataset(wrong)


def test_chained_streams() -> None:
    both = ChainDataset([Stream(2), Stream(3)])
    assert list(both) == [0, 1, 0, 1, 2]
    assert len(both) == 5
    assert list(Stream(1) + Stream(2)) == [0, 0, 1]
    assert [x.tolist() for x in DataLoader(both, 2)] == [[0, 1], [0, 1], [2]]
    with pytest.raises(ArgumentError, match="expected streams"):
        list(ChainDataset([Numbers(2)]))


def test_stacked_data_sets() -> None:
    many = Many(4)
    pairs = StackDataset(Numbers(4), many)
    assert (len(pairs), pairs[2]) == (4, (2, 2))
    assert pairs.__getitems__([1, 3]) == [(1, 10), (3, 30)]
    named = StackDataset(a=many, b="wxyz")
    assert named[1] == {"a": 1, "b": "x"}
    [batch] = DataLoader(named, 4)
    assert (batch["a"].tolist(), batch["b"]) == ([0, 10, 20, 30], ["w", "x", "y", "z"])
    assert many.asked == 2
    for args, names in (
        ((), {}),
        ((Numbers(1),), {"a": Numbers(1)}),
        ((Numbers(1), Numbers(2)), {}),
    ):
        with pytest.raises(ArgumentError, match="StackDataset"):
            StackDataset(*args, **names)

    class Short(Many):
        def __getitems__(self, indices: list[int]) -> list[int]:
            return [1]

    with pytest.raises(ArgumentError, match=r"Short\.__getitems__ gave another number"):
        StackDataset(Short(4)).__getitems__([0, 1])


def test_samples_are_read_at_once_where_that_is_possible() -> None:
    many = Many(10)
    assert [x.tolist() for x in DataLoader(many, 5)] == [
        [0, 10, 20, 30, 40], [50, 60, 70, 80, 90]
    ]  # fmt: skip
    assert [x.tolist() for x in DataLoader(Subset(many, [3, 1]), 2)] == [[30, 10]]
    assert many.asked == 3

    class One(Many):
        def read(self, index: int) -> Any:
            return -index

        def __getitem__(self, index: int) -> Any:
            return self.read(index)

    one = One(4)
    assert [x.tolist() for x in DataLoader(one, 2)] == [[0, -1], [-2, -3]]
    assert one.asked == 0, "a subclass that reads in its own way is asked for each sample"


def test_data_sets_without_a_length() -> None:
    class Open(Dataset[int]):
        def __getitem__(self, index: Any) -> int:
            return int(index)

    for use in (lambda: RandomSampler(Open()).num_samples, lambda: random_split(Open(), [1])):
        with pytest.raises(ArgumentTypeError, match="__len__"):
            use()
    assert bool(Open())
    with pytest.raises(NotImplementedError, match="Empty"):
        type("Empty", (Dataset,), {})()[0]


def test_tensors_that_require_gradients_keep_their_tape() -> None:
    weight = gc.ones(4, 2, requires_grad=True)
    [(rows,)] = DataLoader(TensorDataset(weight * 3), 4)
    rows.sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[3.0, 3.0]] * 4


def test_random_samplers() -> None:
    gc.manual_seed(0)
    assert sorted(SubsetRandomSampler([9, 7, 5])) == [5, 7, 9]
    assert len({tuple(SubsetRandomSampler(range(3))) for _ in range(80)}) == 6
    longer = list(RandomSampler(range(3), num_samples=7))
    assert len(longer) == 7
    assert sorted(longer[:3]) == sorted(longer[3:6]) == [0, 1, 2]
    assert list(RandomSampler(range(0))) == []
    drawn = list(WeightedRandomSampler([1.0, 0.0, 3.0], 4000))
    assert drawn.count(1) == 0
    assert abs(drawn.count(2) - 3000) < 150
    assert sorted(WeightedRandomSampler([1.0, 2.0, 3.0], 3, replacement=False)) == [0, 1, 2]
    for make in (
        lambda: RandomSampler(range(3), num_samples=0),
        lambda: RandomSampler(range(3), replacement=1),
        lambda: list(RandomSampler(range(0), num_samples=1)),
        lambda: WeightedRandomSampler([1.0], 0), lambda: WeightedRandomSampler([[1.0]], 1),
        lambda: WeightedRandomSampler([1.0], 1, replacement="no"),
        lambda: ours.BatchSampler(range(3), 2, drop_last=None),
    ):  # fmt: skip
        with pytest.raises(ArgumentError):
            make()


@pytest.mark.parametrize("total", [0, 1, 5, 6, 7])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_shares_of_processes(total: int, drop_last: bool, shuffle: bool) -> None:
    samplers = [
        DistributedSampler(range(total), 3, rank, shuffle, drop_last=drop_last) for rank in range(3)
    ]
    orders = []
    for epoch in range(2):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        shares = [list(sampler) for sampler in samplers]
        assert len({len(share) for share in shares} | {len(one) for one in samplers}) == 1
        joined = [number for row in zip(*shares, strict=True) for number in row]
        used = total - total % 3 if drop_last else total
        assert len(set(joined)) == used
        assert len(joined) - used in (0, 1, 2)
        orders.append(joined)
    assert (orders[0] == orders[1]) == (not shuffle or total < 5)


def test_distributed_samplers_ask_for_their_place() -> None:
    with pytest.raises(ArgumentError, match="not known"):
        DistributedSampler(range(3))
    with pytest.raises(ArgumentError, match="no such rank"):
        DistributedSampler(range(3), 2, 2)


@dataclass
class Record:
    x: Any
    name: str


class Box(collections.UserDict[str, Any]):
    pass


CUSTOM: list[Any] = [
    [np.array(1.5), np.array(2.5)], [np.float64(1), np.float64(2)], [np.bool_(True)] * 2,
    [[np.zeros(2)], [np.ones(2)]], [(("a", 1),), (("b", 2),)], [{}, {}], [[], []], [(), ()],
    [Pair("a", {"b": [1]}), Pair("c", {"b": [2]})], [range(2), range(3, 5)],
    [collections.OrderedDict(a=1), collections.OrderedDict(a=2)], [Box(a=1), Box(a=2)],
    [MappingProxyType({"a": 1}), MappingProxyType({"a": 2})], [1 << 40, 3], [1, 2.5], [2j],
    [collections.deque([1, 2]), collections.deque([3, 4])],
]  # fmt: skip
CONVERTED: list[Any] = [
    1, "a", b"a", None, np.arange(3), np.float32(2), np.array(["a"]), (np.arange(2), 1),
    [np.arange(2)], {"a": np.zeros(1)}, Pair(np.zeros(2), "x"), range(3), Box(a=np.zeros(1)),
    MappingProxyType({"a": np.zeros(1)}), {1, 2},
]  # fmt: skip


def plain(value: Any) -> Any:
    """Types, dtypes and values, of either library."""
    if isinstance(value, collections.abc.Mapping):
        return type(value).__name__, {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | collections.deque | range):
        return type(value).__name__, [plain(part) for part in value]
    if hasattr(value, "dtype"):
        array = np.asarray(value)
        kind = "array" if isinstance(value, np.ndarray | np.generic) else "tensor"
        return kind, array.dtype.name, array.tolist()
    return value


@pytest.mark.parity
@pytest.mark.parametrize("batch", CUSTOM, ids=str)
def test_collate_beside_pytorch(batch: Any) -> None:
    theirs = pytest.importorskip("torch.utils.data")
    assert _outcome(ours.default_collate, batch) == _outcome(theirs.default_collate, batch)


@pytest.mark.parity
@pytest.mark.parametrize("sample", CONVERTED, ids=str)
def test_convert_beside_pytorch(sample: Any) -> None:
    theirs = pytest.importorskip("torch.utils.data")
    assert plain(default_convert(sample)) == plain(theirs.default_convert(sample))


def _outcome(call: Any, batch: Any) -> Any:
    try:
        return plain(call(batch))
    except (TypeError, RuntimeError) as error:
        return next(kind for kind in (TypeError, RuntimeError) if isinstance(error, kind))


def options_of_loaders() -> list[Any]:
    return [
        {}, {"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": None},
        {"sampler": [3, 1]}, {"batch_sampler": [[1], [2, 0]]}, {"batch_size": 0},
        {"batch_size": None, "drop_last": True}, {"batch_size": 4, "batch_sampler": [[0]]},
        {"sampler": [0], "shuffle": True}, {"shuffle": True, "batch_sampler": [[0]]},
        {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2}, {"batch_size": 1.5},
        {"persistent_workers": True}, {"multiprocessing_context": "fork"},
        {"num_workers": 1, "multiprocessing_context": "x"},
        {"num_workers": 1, "multiprocessing_context": 3}, {"pin_memory_device": "cuda"},
    ]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("options", options_of_loaders(), ids=str)
@pytest.mark.parametrize("stream", [False, True])
def test_loaders_beside_pytorch(options: Any, stream: bool) -> None:
    theirs = pytest.importorskip("torch.utils.data")

    def outcome(library: Any) -> Any:
        base = library.IterableDataset if stream else library.Dataset
        body = {
            "__iter__": lambda self: iter(range(10)), "__len__": lambda self: 10,
            "__getitem__": lambda self, index: index,
        }  # fmt: skip
        try:
            loader = library.DataLoader(type("Ten", (base,), body)(), **options)
            return len(loader), [plain(batch) for batch in loader]
        except (TypeError, ValueError) as error:
            return TypeError if isinstance(error, TypeError) else ValueError

    assert outcome(ours) == outcome(theirs)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:.*is empty", "ignore:Length of split")
def test_splits_and_shares_beside_pytorch() -> None:
    theirs = pytest.importorskip("torch.utils.data")
    for total in (0, 1, 3, 10, 11):
        for lengths in ([0.5, 0.5], [1 / 3] * 3, [0.1, 0.2, 0.7], [1.0], [total], [total, 0],
                        [total - 1, 2], [0.5, 0.4], [1.5, -0.5]):  # fmt: skip

            def sizes(library: Any, total: int = total, lengths: Any = lengths) -> Any:
                try:
                    return [len(part) for part in library.random_split(range(total), lengths)]
                except (ValueError, TypeError, RuntimeError):
                    return ValueError

            assert sizes(ours) == sizes(theirs), (total, lengths)
        for drop_last in (False, True):
            for rank in range(3):
                arguments = (range(total), 3, rank, False, 0, drop_last)
                mine = ours.DistributedSampler(*arguments)
                assert list(mine) == list(theirs.DistributedSampler(*arguments))


def test_collate_rules_of_ones_own() -> None:
    class Graph:
        def __init__(self, size: int) -> None:
            self.size = size

    class Tree(Graph):
        pass

    with pytest.raises(DTypeError):
        default_collate([Graph(1)])
    rules = {
        **default_collate_fn_map,
        Graph: lambda batch, *, collate_fn_map: [g.size for g in batch],
    }
    assert collate([(Graph(1), 2), (Graph(3), 4)], collate_fn_map=rules)[0] == [1, 3]
    assert collate([Tree(5)], collate_fn_map=rules) == [5]
    rules[Tree] = lambda batch, *, collate_fn_map: "trees"
    assert collate([Tree(5)], collate_fn_map=rules) == "trees"
    default_collate_fn_map[Graph] = rules[Graph]
    try:
        assert default_collate([{"g": Graph(1)}]) == {"g": [1]}
    finally:
        del default_collate_fn_map[Graph]
    assert collate([np.zeros(2), np.ones(2)], collate_fn_map={
        np.ndarray: default_collate_fn_map[np.ndarray],
        gc.Tensor: lambda batch, *, collate_fn_map: len(batch),
    }) == 2  # fmt: skip
    with pytest.raises(DTypeError):
        collate([1, 2])


def test_collate_of_dataclasses_and_errors() -> None:
    made = default_collate([Record(1, "a"), Record(2, "b")])
    assert isinstance(made, Record)
    assert (made.x.tolist(), made.name) == ([1, 2], ["a", "b"])
    converted = default_convert(Record(np.zeros(2), "a"))
    assert (converted.x.tolist(), converted.name) == ([0.0, 0.0], "a")
    with pytest.raises(ShapeError, match="different shapes"):
        default_collate([np.zeros(2), np.zeros(3)])
    with pytest.raises(DTypeError, match="dtype cannot be joined"):
        default_collate([np.array(["a"]), np.array(["b"])])
    big = np.arange(3, dtype=">f4")
    assert default_collate([big, big]).tolist() == [[0, 1, 2]] * 2
