"""What a tensor tells of itself, conversions in all forms, and shapes changed in place."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, AutogradError, DTypeError, GraphcError, RecordingError
from tests.both_modes import check_both
from tests.torch_oracle import check, torch

X = np.arange(6.0).reshape(2, 3)
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
          "float64", "complex64", "complex128"]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_a_tensor_tells_of_itself(dtype: str) -> None:
    def told(m: Any) -> list[Any]:
        x = m.zeros(2, 3, 4, dtype=getattr(m, dtype))
        part = x[1:, :, 1::2].transpose(0, 2)
        facts = [
            x.numel(), x.nelement(), m.numel(x), x.dim(), x.ndimension(), x.itemsize, x.nbytes,
            x.element_size(), x.is_signed(), m.is_signed(x), x.get_device(), m.is_tensor(x),
            m.is_tensor(3), x.is_same_size(part), m.is_same_size(x, x + x), tuple(x.size()),
            x.size(-1), x.is_cpu, x.is_cuda, x.is_sparse, x.is_quantized, x.is_meta, x.is_nested,
            x.is_mps, x.is_shared(), x.is_pinned(), str(x.device), x.dtype.is_floating_point,
            x.dtype.is_complex, x.is_complex(), x.is_floating_point(), x.is_set_to(x.detach()),
            x.is_set_to(x + x), part.stride(), part.stride(0), part.storage_offset(),
            x.storage_offset(), x.permute(2, 0, 1).dim_order(), x.dim_order(),
            part.is_contiguous(), (part.data_ptr() - x.data_ptr()) // x.itemsize,
        ]  # fmt: skip
        return facts

    assert told(gc) == told(torch())


@pytest.mark.parity
def test_python_numbers() -> None:
    for m in (gc, torch()):
        assert complex(m.tensor(1 + 2j)) == 1 + 2j
        assert complex(m.tensor([3.0])) == 3
        assert [1, 2, 3][m.tensor(1)] == 2
        assert [float(x) for x in reversed(m.tensor([1.0, 2.0]))] == [2, 1]
        assert list(m.tensor([[1, 2], [3, 4]]).tolist()[1]) == [3, 4]


def test_copies_by_the_copy_module() -> None:
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    for twin in (copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert twin is not x
        assert twin.tolist() == [1, 2]
        assert twin.requires_grad
    twin = copy.deepcopy(x)
    with gc.no_grad():
        twin.zero_()
    assert x.tolist() == [1, 2]


FORMS: list[Callable[[Any, Any], Any]] = [
    lambda m, x: x.to(m.float64), lambda m, x: x.to("cpu"), lambda m, x: x.to("cpu", m.int64),
    lambda m, x: x.to(m.device("cpu"), m.float16), lambda m, x: x.to(dtype=m.int32),
    lambda m, x: x.to(device="cpu"), lambda m, x: x.to(device="cpu", dtype=m.uint8),
    lambda m, x: x.to(x.double()), lambda m, x: x.to(m.float32, True), lambda m, x: x.to(float),
    lambda m, x: x.to(m.int8, False, True), lambda m, x: x.to("cpu", m.int8, False, True),
    lambda m, x: x.to("cpu", None, True), lambda m, x: x.to("cpu", non_blocking=True),
    lambda m, x: x.to(m.float32, copy=True), lambda m, x: x.cpu(), lambda m, x: x.cfloat(),
    lambda m, x: x.cdouble(), lambda m, x: x.double(), lambda m, x: x.half(), lambda m, x: x.long(),
    lambda m, x: x.int(), lambda m, x: x.short(), lambda m, x: x.char(), lambda m, x: x.byte(),
    lambda m, x: x.bool(), lambda m, x: x.float(), lambda m, x: x.type_as(x.int()),
    lambda m, x: x.bfloat16(),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("form", FORMS)
def test_conversions(form: Callable[[Any, Any], Any]) -> None:
    x, y = gc.tensor(X, dtype=gc.float32), torch().tensor(X, dtype=torch().float32)
    got, expected = form(gc, x), form(torch(), y)
    assert got.dtype.name == str(expected.dtype).removeprefix("torch.")
    assert (got is x) == (expected is y)
    check(lambda m, x: form(m, x.float()) * 1, X, grads=False)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x.to("cuda"), lambda x: x.to("float33"), lambda x: x.to(gc.int8, dtype=gc.int8),
        lambda x: x.to("cpu", gc.int8, dtype=gc.int8), lambda x: x.to(device="mps"),
        lambda x: x.to(gc.int8, False, True, 1), lambda x: x.to(x, dtype=gc.int8),
    ],
)  # fmt: skip
def test_conversions_that_cannot_be(wrong: Callable[[gc.Tensor], object]) -> None:
    with pytest.raises((ArgumentError, DTypeError), match=r"test_memory_and_types\.py"):
        wrong(gc.ones(2))


SHAPED: list[Callable[[Any], Any]] = [
    lambda x: x.t_(), lambda x: x.transpose_(0, 1), lambda x: x.swapaxes_(-1, 0),
    lambda x: x.swapdims_(0, 1), lambda x: x.unsqueeze_(1), lambda x: x.unsqueeze_(-1).squeeze_(),
    lambda x: x.unsqueeze_(0).squeeze_(0).t_(), lambda x: x.squeeze_(0),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("change", SHAPED)
def test_shapes_in_place(change: Callable[[Any], Any]) -> None:
    def program(m: Any, x: Any, y: Any) -> Any:
        whole = x * 2
        assert change(whole) is whole
        whole *= 3
        part = (x * y)[:, 1:]
        change(part)
        part += 1
        return whole * whole, part * 2, part.stride()[0] * part[0]

    check(program, X, X + 2, record=False)


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(3, 2), (6,), (4,), (1, 1, 2), (0,)])
def test_resize(shape: tuple[int, ...]) -> None:
    check(lambda m, x: x.resize_(*shape), np.arange(6), grads=False, record=False)
    check(lambda m, x: x.resize_(shape).resize_as_(m.ones(2)) if 0 not in shape else x,
          np.arange(6), grads=False, record=False)  # fmt: skip
    assert gc.ones(2).resize_(2, 3).tolist() == [[1, 1, 0], [0, 0, 0]]


def test_shapes_that_stay() -> None:
    leaf = gc.tensor(X, requires_grad=True)
    with pytest.raises(AutogradError, match="leaf"):
        leaf.t_()
    whole = gc.tensor(X)
    row = whole[0]
    with pytest.raises(AutogradError, match=r"without _.*\n?.*test_memory_and_types"):
        whole.t_()
    assert row.t_() is row
    with pytest.raises(AutogradError, match="resize_"):
        row.resize_(2)
    with gc.Graph():
        x = gc.placeholder((2, 3))
        for change in SHAPED:
            with pytest.raises(RecordingError, match=r"x = x\."):
                change(x * 1)
    with pytest.raises(AutogradError, match="others refer"):
        gc.nn.Buffer(gc.ones(2, 3)).t_()


@pytest.mark.parity
def test_strides() -> None:
    for size, stride, offset in [((2, 2), (1, 2), None), ((3, 3), (1, 0), 2), ((0, 4), (9, 9), 0),
                                 ((), (), 5), ((4, 3), (1, 1), 0)]:  # fmt: skip
        check(lambda m, x, a=size, b=stride, c=offset: m.as_strided(x, a, b, c) * 2, X)
    check(lambda m, x: x.as_strided((2,), (3,), 1), X)
    check(lambda m, x, y: x.as_strided_scatter(y, (2, 2), (1, 3), 1), X, X[:, :2] + 7, grads=False)
    x, y = (gc.tensor(values, requires_grad=True) for values in (X, X[:, :2] + 7))
    x.as_strided_scatter(y, (2, 2), (1, 3), 1).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.tolist(), y.grad.tolist()) == ([[1, 0, 0], [1, 0, 0]], [[1, 1], [1, 1]])
    for size, stride in [((2, 3), (1, 2)), ((2, 3), (3, 1)), ((2, 1, 3), (3, 3, 1))]:
        theirs = torch().empty_strided(size, stride)
        for ours in (gc.empty_strided(size, stride), gc.ones(1).new_empty_strided(size, stride)):
            assert (ours.shape, ours.stride()) == (tuple(theirs.shape), theirs.stride())
    assert gc.empty_permuted((2, 3, 4), (2, 0, 1)).stride() == (3, 1, 6)
    wrong: list[Callable[[], object]] = [
        lambda: gc.as_strided(gc.arange(4), (3,), (2,)), lambda: gc.empty_strided((2, 3), (1, 3)),
        lambda: gc.as_strided(gc.ones(2, 3).t(), (2,), (1,)), lambda: gc.empty_permuted((2,), (1,)),
        lambda: gc.as_strided(gc.arange(4), (3,), (-1,)), lambda: gc.empty_strided((2, 3), (1,)),
    ]  # fmt: skip
    for each in wrong:
        with pytest.raises(ArgumentError, match=r"test_memory_and_types\.py"):
            each()


COPIES: list[Callable[[Any, Any], Any]] = [
    lambda m, x: m.alias_copy(x), lambda m, x: m.as_strided_copy(x, (2,), (3,)),
    lambda m, x: m.diagonal_copy(x), lambda m, x: m.expand_copy(x[:1], (4, 3)),
    lambda m, x: m.narrow_copy(x, 1, 0, 2), lambda m, x: m.permute_copy(x, (1, 0)),
    lambda m, x: m.select_copy(x, 1, 2), lambda m, x: m.slice_copy(x, 1, 0, 3, 2),
    lambda m, x: m.slice_copy(x), lambda m, x: m.split_copy(x, 2, 1),
    lambda m, x: m.split_with_sizes_copy(x, [1, 2], 1),
    lambda m, x: m.squeeze_copy(x[:1]), lambda m, x: m.t_copy(x),
    lambda m, x: m.transpose_copy(x, 0, 1), lambda m, x: m.unbind_copy(x),
    lambda m, x: m.unfold_copy(x, 1, 2, 1), lambda m, x: m.unsafe_chunk(x, 2, 1),
    lambda m, x: m.unsafe_split(x, 1), lambda m, x: m.unsafe_split_with_sizes(x, [1, 1]),
    lambda m, x: m.unsqueeze_copy(x, 1), lambda m, x: m.view_copy(x, (3, 2)),
    lambda m, x: x.narrow_copy(0, 1, 1),
]  # fmt: skip


def test_copies_without_gradients() -> None:
    x = gc.tensor(X, requires_grad=True)
    assert not gc.detach_copy(x).requires_grad
    twice = gc.view_as_real_copy(gc.view_as_complex_copy(x[:, :2] * 1))
    assert twice.tolist() == X[:, :2].tolist()


@pytest.mark.parity
@pytest.mark.parametrize("copied", COPIES)
def test_copies_of_views(copied: Callable[[Any, Any], Any]) -> None:
    check(lambda m, x: copied(m, x), X)
    x = gc.tensor(X, dtype=gc.float32)
    made = copied(gc, x)
    for each in made if isinstance(made, tuple) else [made]:
        each.zero_()
    assert x.sum().item() == X.sum()


OTHERS: list[Callable[[Any, Any], Any]] = [
    lambda m, x: m.renorm(x, 2, 0, 3.0), lambda m, x: m.renorm(x, 1.5, 1, 4.0),
    lambda m, x: x.renorm(2, -1, 2.0), lambda m, x: (x * 1).renorm_(2, 0, 3.0),
    lambda m, x: m.norm_except_dim(x, 2, 0), lambda m, x: m.split_with_sizes(x, [2, 1], 1),
    lambda m, x: m.norm_except_dim(x, 2, -1), lambda m, x: x.trace(), lambda m, x: x.t().trace(),
    lambda m, x: x[:, :1].trace(), lambda m, x: x.sum_to_size(1, 3), lambda m, x: x.sum_to_size(3),
    lambda m, x: x.sum_to_size(2, 1), lambda m, x: x.sum_to_size(2, 3), lambda m, x: m.fill(x, 2),
    lambda m, x: m.fill(x, x[0, 1]), lambda m, x: m.detach(x), lambda m, x: x.sum_to_size(()),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("function", OTHERS)
def test_small_functions(function: Callable[[Any, Any], Any]) -> None:
    check(function, X + 0.5, loose=64)


@pytest.mark.parity
def test_python_called_for_each_element() -> None:
    for m in (gc, torch()):
        x, y = m.tensor([1.0, 2.0, 3.0]), m.tensor([4.0, 5.0, 6.0])
        assert x.apply_(lambda a: a * a) is x
        assert x.map_(y, lambda a, b: a + b).tolist() == [5, 9, 15]
        assert m.nonzero_static(m.tensor([[0, 1], [2, 0]]), size=3, fill_value=7).tolist() == [
            [0, 1], [1, 0], [7, 7]]  # fmt: skip
        assert m.nonzero_static(m.tensor([1, 1]), size=1).tolist() == [[0]]
    assert gc.ones(2).map2_(gc.ones(2), gc.ones(2), lambda a, b, c: a + b + c).tolist() == [3, 3]
    with gc.Graph(), pytest.raises(RecordingError, match="apply_"):
        gc.ones(2).apply_(lambda a: a)
    with pytest.raises(AutogradError, match="apply_"):
        (gc.ones(2, requires_grad=True) * 2).apply_(lambda a: a)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: gc.renorm(x[0], 2, 0, 1.0), lambda x: gc.renorm(x, 0, 0, 1.0),
        lambda x: gc.renorm(x.long(), 2, 0, 1.0), lambda x: gc.fill(x, x),
        lambda x: x[0].trace(), lambda x: x.sum_to_size(3, 3), lambda x: x.sum_to_size(1, 2, 3),
        lambda x: gc.nonzero_static(x, size=-1), lambda x: x.map_(gc.ones(2, 2, 3), max),
    ],
)  # fmt: skip
def test_errors(wrong: Callable[[gc.Tensor], object]) -> None:
    with pytest.raises(GraphcError, match=r"test_memory_and_types\.py"):
        wrong(gc.tensor(X))


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(3, 3), (7, 2), (2, 5), (3, 3, 3), (2, 2, 2, 2), (0, 3), (4, 1)])
@pytest.mark.parametrize("wrap", [False, True])
def test_diagonals_filled(shape: tuple[int, ...], wrap: bool) -> None:
    x = np.arange(float(np.prod(shape))).reshape(shape)
    check(lambda m, x: (x * 1).fill_diagonal_(-1.0, wrap), x, grads=False)
    check(lambda m, x: (x * 1).fill_diagonal_(-1.0, wrap=wrap), x, grads=False)


@pytest.mark.parity
def test_arguments_by_name() -> None:
    check(lambda m, x: m.swapaxes(x, axis0=0, axis1=1), X)
    check(lambda m, x: x.swapaxes(axis0=0, axis1=-1), X)
    check(lambda m, x: m.swapdims(x, dim0=0, dim1=1), X)
    check(lambda m, x, y: (m.max(x, other=y), m.min(input=x, other=y)), X, X[::-1])
    check(lambda m, x: m.gather(x, dim=1, index=m.tensor([[0], [2]]), sparse_grad=False), X)
    wrongs: list[Callable[[gc.Tensor], object]] = [
        lambda x: x.gather(0, gc.tensor([[0, 0, 0]]), sparse_grad=True),
        lambda x: x[0].fill_diagonal_(1), lambda x: gc.ones(2, 3, 2).fill_diagonal_(1),
    ]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(GraphcError, match=r"test_memory_and_types\.py"):
            wrong(gc.tensor(X))


@pytest.mark.parametrize("shape", [(3, 4), (5,), (0,), (2, 0), (2, 3, 2)])
@pytest.mark.parametrize("size", [0, 1, 3, 20])
def test_nonzero_of_a_known_size(shape: Any, size: int, rng: np.random.Generator) -> None:
    values = rng.integers(0, 2, shape) * rng.normal(size=shape)
    found = np.argwhere(values)[:size]
    expected = np.full((size, len(shape)), -7)
    expected[: len(found)] = found
    result = check_both(lambda x: gc.nonzero_static(x, size=size, fill_value=-7), values)
    np.testing.assert_array_equal(result.outputs[0], expected)


@pytest.mark.parametrize("name", ["transpose_", "swapaxes_", "swapdims_"])
def test_errors_name_the_method_that_was_called(name: str) -> None:
    x = gc.ones(2, 3)
    with pytest.raises(IndexError, match=f"{name}: dim out of range"):
        getattr(x, name)(0, 2)
    with pytest.raises(TypeError, match=f"{name}: dim0"):
        getattr(x, name)("a", 1)
    row = x[0]
    with pytest.raises(RuntimeError, match=f"{name} would change"):
        getattr(x, name)(0, 1)
    assert row.shape == (3,)
