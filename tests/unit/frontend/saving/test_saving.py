"""What is saved comes back as it was."""

from __future__ import annotations

import gzip
import io
import random
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, ArgumentTypeError, CheckpointError, RecordingError
from graphc.frontend.making import concrete
from graphc.frontend.saving.load import load
from graphc.frontend.saving.save import save
from tests.unit.frontend.saving.values import same

DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"


@pytest.mark.parametrize("name", DTYPES.split())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_tensors_of_every_dtype_and_shape(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    dtype = getattr(gc, name)
    values = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype.numpy)
    save({"x": concrete(values)}, tmp_path / "c")
    assert same(load(tmp_path / "c"), {"x": concrete(values)})


def test_nesting_and_special_values(tmp_path: Path) -> None:
    nan = concrete(np.array([np.nan, -0.0, np.inf], np.float32))
    value = {
        "list": [1, 2.5, "text", None, True, [], {}],
        "tuple": (1, (nan, "a.b")),
        3: {"x": float("nan"), "y": -float("inf"), "z": -0.0, "big": 10**30},
        "a": {"b": nan},
        "a.b": concrete(np.array(1)),
        "__metadata__": nan,
        "unicode ✓": "\x00\n",
        "\ud800": {"\ud800\udc00": nan},
    }
    save(value, tmp_path / "c")
    assert same(load(tmp_path / "c"), value)


@pytest.mark.parametrize("value", [1, None, "x", [], {}, 2.0])
def test_top_level_values(value: Any, tmp_path: Path) -> None:
    save(value, tmp_path / "c")
    assert same(load(tmp_path / "c"), value)


def test_views_are_stored_as_they_look(tmp_path: Path) -> None:
    base = np.arange(12.0).reshape(3, 4)
    save([concrete(base.T), concrete(base[::2, ::-1])], tmp_path / "c")
    first, second = load(tmp_path / "c")
    np.testing.assert_array_equal(first.numpy(), base.T)
    np.testing.assert_array_equal(second.numpy(), base[::2, ::-1])


def test_loaded_tensors_own_their_memory(tmp_path: Path) -> None:
    save(concrete(np.zeros(3)), tmp_path / "c")
    first = load(tmp_path / "c")
    first.fill_(1.0)
    assert load(tmp_path / "c").tolist() == [0.0, 0.0, 0.0]


def test_training_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    def make() -> tuple[nn.Module, optim.Optimizer]:
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 1))
        return model, optim.Adam(model.parameters(), lr=0.1, amsgrad=True)

    def train(model: nn.Module, optimizer: optim.Optimizer, steps: int) -> list[float]:
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    gc.manual_seed(1)
    x = gc.randn(8, 3)
    model, optimizer = make()
    train(model, optimizer, 3)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "rng": gc.get_rng_state(),
    }
    save(state, tmp_path / "c")
    expected = train(model, optimizer, 3)
    model, optimizer = make()
    loaded = load(tmp_path / "c")
    model.load_state_dict(loaded["model"])
    optimizer.load_state_dict(loaded["optimizer"])
    gc.set_rng_state(loaded["rng"])
    assert train(model, optimizer, 3) == expected


def test_containers_keep_their_kinds(tmp_path: Path) -> None:
    value = [
        OrderedDict(b=1, a=2), Counter("hello"), {"x", 1, 2.5}, frozenset({(1, 2)}), {True: 1},
        b"", b"\x00\xff", bytearray(b"abc"), {1.5: "float", None: 2, (1, ("a", None)): 3},
    ]  # fmt: skip
    save(value, tmp_path / "c")
    assert same(load(tmp_path / "c"), value)
    assert load(tmp_path / "c")[1]["absent"] == 0


def test_versions_of_modules_come_along(tmp_path: Path) -> None:
    state = nn.Sequential(nn.BatchNorm1d(2)).state_dict()
    save([state], tmp_path / "c")
    (found,) = load(tmp_path / "c")
    assert same(found, state)
    assert found._metadata == state._metadata
    assert found._metadata["0"] == {"version": 2}


def test_other_mappings_come_back_as_dicts(tmp_path: Path) -> None:
    save(defaultdict(list, a=[1]), tmp_path / "c")
    assert same(load(tmp_path / "c"), {"a": [1]})


def test_numbers_of_all_kinds(tmp_path: Path) -> None:
    save([np.float32(0.1), np.int8(-3), np.True_, 1 - 2j, complex("nan"), 2**200], tmp_path / "c")
    found = load(tmp_path / "c")
    assert same(found[:4], [float(np.float32(0.1)), -3, True, 1 - 2j])
    assert np.isnan(found[4])
    assert found[5] == 2**200


@pytest.mark.parametrize("kind", "u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8 c8 c16 ? >i4 >f8 >c16".split())
def test_numpy_arrays_stay_arrays(kind: str, tmp_path: Path) -> None:
    array = np.arange(6).astype(kind).reshape(2, 3)[:, ::-1]
    save({"a": array}, tmp_path / "c")
    found = load(tmp_path / "c")["a"]
    assert isinstance(found, np.ndarray)
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


def test_dtypes_devices_and_generators(tmp_path: Path) -> None:
    generator = gc.Generator().manual_seed(7)
    gc.rand(3, generator=generator)
    save([gc.bfloat16, gc.device("cpu"), gc.device("cpu:0"), generator], tmp_path / "c")
    dtype, cpu, first, again = load(tmp_path / "c")
    assert dtype is gc.bfloat16
    assert (cpu, first) == (gc.device("cpu"), gc.device("cpu:0"))
    assert gc.rand(4, generator=again).tolist() == gc.rand(4, generator=generator).tolist()


def test_random_states_of_python_and_numpy(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    save([random.getstate(), rng.bit_generator.state], tmp_path / "c")
    python, state = load(tmp_path / "c")
    assert python == random.getstate()
    again = np.random.default_rng()
    again.bit_generator.state = state
    assert again.random() == rng.random()


def test_gradients_and_parameters_are_wanted_again(tmp_path: Path) -> None:
    value = [
        gc.ones(2, requires_grad=True), gc.ones(2), nn.Parameter([1.0]),
        nn.Parameter([1.0], requires_grad=False), gc.ones(1, requires_grad=True) * 3,
    ]  # fmt: skip
    save(value, tmp_path / "c")
    found = load(tmp_path / "c")
    assert [x.requires_grad for x in found] == [True, False, True, False, True]
    assert [type(x) for x in found] == [gc.Tensor, gc.Tensor, nn.Parameter, nn.Parameter, gc.Tensor]
    assert all(x.is_leaf for x in found)
    assert found[4].tolist() == [3.0]


def test_shared_memory_is_stored_once_and_shared_again(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(1000, 16)
            self.head = nn.Linear(16, 1000, bias=False)
            self.head.weight = self.embedding.weight

    model = Tied()
    save(model.state_dict(), tmp_path / "c")
    assert (tmp_path / "c").stat().st_size < 1.1 * model.head.weight.nbytes
    state = load(tmp_path / "c")
    assert list(state) == ["embedding.weight", "head.weight"]
    state["head.weight"].fill_(5.0)
    assert state["embedding.weight"][0, 0].item() == 5.0
    assert Tied().load_state_dict(state).missing_keys == []


def test_equal_values_elsewhere_are_not_shared(tmp_path: Path) -> None:
    x = gc.zeros(4)
    save([x, gc.zeros(4), x[:2], x.reshape(2, 2), np.zeros(0), np.zeros(0)], tmp_path / "c")
    first, *others = load(tmp_path / "c")
    first.fill_(1.0)
    assert all(not each.any() for each in others)


def test_temporaries_at_one_address_are_not_confused(tmp_path: Path) -> None:
    class Numbers:
        """Makes its array anew each time, at the address where the last one was freed."""

        def __init__(self, value: float) -> None:
            self.value = value

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.full(1000, self.value)

    save([Numbers(value) for value in range(20)], tmp_path / "c")
    assert [x[0].item() for x in load(tmp_path / "c")] == list(range(20))


@pytest.mark.parametrize("open_file", [open, gzip.open])
def test_files_that_are_open(open_file: Any, tmp_path: Path) -> None:
    with open_file(tmp_path / "c", "wb") as file:
        save({"x": gc.arange(3.0)}, file)
    with open_file(tmp_path / "c", "rb") as file:
        assert load(file)["x"].tolist() == [0.0, 1.0, 2.0]


def test_files_begin_where_they_stand_and_may_be_pipes() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    memory = io.BytesIO(b"before")
    memory.seek(0, io.SEEK_END)
    save([1, gc.ones(2)], memory)
    memory.seek(6)
    assert load(memory)[1].tolist() == [1.0, 1.0]
    assert load(Pipe(memory.getvalue()[6:]))[0] == 1


def test_files_of_text_are_refused(tmp_path: Path) -> None:
    with open(tmp_path / "c", "w") as file, pytest.raises(ArgumentTypeError, match="'wb'"):
        save(1, file)


def test_mapped_files_give_the_same_and_writes_stay_private(tmp_path: Path) -> None:
    value = {
        "x": gc.randn(5, 7), "h": gc.randn(3).bfloat16(), "z": gc.randn(2, dtype=gc.complex128),
        "empty": gc.ones(0, 3), "number": gc.tensor(2), "text": "a",
    }  # fmt: skip
    save(value, tmp_path / "c")
    before = (tmp_path / "c").read_bytes()
    found = load(tmp_path / "c", mmap=True)
    assert same(found, value)
    assert found["x"].numpy().flags.aligned
    found["x"].fill_(1.0)
    assert (tmp_path / "c").read_bytes() == before
    save({}, tmp_path / "c")
    assert found["x"][0, 0].item() == 1.0
    with pytest.raises(ArgumentError, match="path"):
        load(io.BytesIO(before), mmap=True)


@pytest.mark.parametrize("size", [1, 3, 7, 33])
def test_compiled_functions_work_on_mapped_weights(size: int, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(size, 5), nn.Tanh(), nn.Linear(5, 3))
    save({"flag": gc.tensor(True), "bytes": b"abc", **model.state_dict()}, tmp_path / "c")
    state = load(tmp_path / "c", mmap=True)
    del state["flag"], state["bytes"]
    x = gc.randn(4, size)
    expected = model(x)
    for parameter, values in zip(model.parameters(), state.values(), strict=True):
        parameter.data = values
    assert same(model(x), expected)
    np.testing.assert_allclose(
        gc.compile(model)(x).detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("location", [None, "cpu", gc.device("cpu"), {"cuda:0": "cpu"}])
@pytest.mark.parametrize("weights_only", [None, True, False])
def test_pytorch_s_arguments(location: Any, weights_only: bool | None, tmp_path: Path) -> None:
    save(1, tmp_path / "c")
    assert load(tmp_path / "c", location, weights_only=weights_only, mmap=False) == 1


@pytest.mark.parametrize("location", ["cuda", {"cpu": "cuda:1"}, lambda storage, place: storage])
def test_other_places_are_refused(location: Any, tmp_path: Path) -> None:
    save(1, tmp_path / "c")
    with pytest.raises(ArgumentError):
        load(tmp_path / "c", map_location=location)


def test_equal_states_make_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        save({"x": gc.ones(3), "words": set("graphc")}, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_saved_while_recording(tmp_path: Path) -> None:
    weight = nn.Parameter([1.0])

    @gc.compile
    def step(x: gc.Tensor) -> gc.Tensor:
        save(weight, tmp_path / "c")
        return x * weight

    with pytest.raises(RecordingError, match="after the compiled function"):
        step(gc.ones(1))
    with gc.Graph(), pytest.raises(RecordingError):
        save(gc.placeholder((2,)), tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


class Point(NamedTuple):
    x: int


class Failing:
    def __array__(self, *_: Any) -> Any:
        raise TypeError("on another device")


REFUSED = [
    object(),
    {"model": nn.Identity()},
    {frozenset(): 1},
    {gc.float32: 1},
    [Point(1)],
    np.array(["text"]),
    np.ma.array([1, 2], mask=[False, True]),
    nn.LazyLinear(3).weight,
    np.zeros(2, [("x", "f4")]),
    np.longdouble(1),
    np.datetime64("2020"),
    lambda: 1,
    Failing(),
]


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_cannot_be_stored_raises_and_writes_nothing(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError):
        save(value, tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_the_message_has_the_path(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"cannot store state\.0\.thing"):
        save({"state": [{"thing": object()}]}, tmp_path / "c")


def test_too_deep_and_too_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ArgumentError, match="too deeply"):
        save(deep, tmp_path / "c")
    while deep:  # Python frees what is nested this deeply only bit by bit
        deep = deep.pop()
    monkeypatch.setattr("graphc.frontend.saving.tensor_file.LIMIT", 1000)
    with pytest.raises(ArgumentError, match="put long lists of numbers into tensors"):
        save(list(range(1000)), tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        save(1, tmp_path / "absent" / "c")
