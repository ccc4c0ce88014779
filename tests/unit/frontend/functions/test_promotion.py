"""Result dtypes: PyTorch's rules, for every pair, with and without dims, and in both modes."""

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.dtypes import DTYPES
from tests.both_modes import recorded
from tests.torch_oracle import torch

NAMES = [dtype.name for dtype in DTYPES]
SCALARS: list[Any] = [True, 2, 1.5, 1j]


def ones(m: Any, name: str, rank: int) -> Any:
    return m.ones((1,) * rank, dtype=getattr(m, name))


@pytest.mark.parity
@pytest.mark.parametrize(("left", "right"), list(itertools.combinations_with_replacement(NAMES, 2)))
def test_pairs(left: str, right: str) -> None:
    if left == "float16" and right.startswith("complex"):
        pytest.skip("torch has a complex32 for float16")
    for ranks in ((1, 1), (0, 1), (1, 0), (0, 0)):
        ours = ones(gc, left, ranks[0]) * ones(gc, right, ranks[1])
        theirs = ones(torch(), left, ranks[0]) * ones(torch(), right, ranks[1])
        assert f"torch.{ours.dtype.name}" == str(theirs.dtype), f"{left} {right} {ranks}"
    assert gc.promote_types(getattr(gc, left), getattr(gc, right)).name in str(
        torch().promote_types(getattr(torch(), left), getattr(torch(), right))
    )


@pytest.mark.parity
@pytest.mark.parametrize("scalar", SCALARS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_scalars(name: str, scalar: Any) -> None:
    if name == "float16" and scalar == 1j:
        pytest.skip("torch has a complex32 for float16")
    for rank in (0, 1):
        for op in (lambda x: x * scalar, lambda x: scalar + x, lambda x: x / 2):
            ours, theirs = op(ones(gc, name, rank)), op(ones(torch(), name, rank))
            assert f"torch.{ours.dtype.name}" == str(theirs.dtype), f"{name} {scalar} {rank}"


BINARY = (
    "add sub mul div floor_divide remainder fmod pow maximum minimum fmax eq lt atan2 "
    "bitwise_and bitwise_or bitwise_left_shift logical_and copysign float_power xlogy gcd hypot"
).split()


def outcome(m: Any, function: str, *operands: Any) -> str:
    """The result's dtype, or that there is none."""
    try:
        return str(getattr(m, function)(*operands).dtype).partition(".")[2]
    except (gc.GraphcError, RuntimeError, ZeroDivisionError):
        return "an error"


def has_complex32(names: set[str]) -> bool:
    """Where torch's result is a type that graphc has not: float16's complex one."""
    return "float16" in names and any(name.startswith("complex") for name in names)


@pytest.mark.parity
@pytest.mark.parametrize("function", BINARY)
def test_every_function_of_every_pair(function: str) -> None:
    for left, right in itertools.product(NAMES, NAMES):
        if has_complex32({left, right}):
            continue
        for ranks in ((1, 1), (0, 1), (1, 0), (0, 0)):
            found = [
                outcome(m, function, ones(m, left, ranks[0]), ones(m, right, ranks[1]))
                for m in (gc, torch())
            ]
            assert found[0] == found[1], f"{function}({left}, {right}) of ranks {ranks}"


WITH_NUMBERS = "add sub mul div floor_divide remainder fmod pow eq lt bitwise_and xlogy".split()


@pytest.mark.parity
@pytest.mark.parametrize("scalar", SCALARS, ids=str)
@pytest.mark.parametrize("function", WITH_NUMBERS)
def test_every_function_with_numbers(function: str, scalar: Any) -> None:
    for name, rank in itertools.product(NAMES, (0, 1)):
        if has_complex32({name, "complex64"} if scalar == 1j else {name}):
            continue
        found = [outcome(m, function, ones(m, name, rank), scalar) for m in (gc, torch())]
        assert found[0] == found[1], f"{function}({name}, {scalar}) of rank {rank}"


@pytest.mark.parity
@pytest.mark.parametrize(
    "operator",
    ["x - y", "y - x", "1 - x", "x - True", "y - True", "-x", "x + True", "True * x", "x * 1.5",
     "x ** 2", "2 ** x", "x // 2", "x % 2", "y / x", "x + x", "x * x", "x << 1", "y << True",
     "x < x", "x & 1", "x | x", "~x", "abs(x)", "m.square(x)", "m.floor(x)", "m.sign(x)",
     "m.relu(x)", "m.clamp(x, 0, 1)", "m.add(x, x, alpha=2)", "m.add(y, y, alpha=True)",
     "m.add(y, y, alpha=1.5)", "m.sub(y, y, alpha=2)", "m.rsub(x, y)", "m.reciprocal(x)",
     "m.add(y, y.float(), alpha=0.5)", "m.where(x, 1, 2.5)", "m.where(x, x, y)", "x ^ True"],
)  # fmt: skip
def test_arithmetic_of_bools(operator: str) -> None:
    found = []
    for m in (gc, torch()):
        names = {"m": m, "x": m.tensor([True, False]), "y": m.tensor([3, 4], dtype=m.int32)}
        try:
            result = eval(operator, names)
            found.append((str(result.dtype).partition(".")[2], result.tolist()))
        except (gc.GraphcError, RuntimeError):
            found.append(("an error", []))
    assert found[0] == found[1]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_wrap_around(dtype: str) -> None:
    limits = np.iinfo(dtype)
    low, high = int(limits.min), int(limits.max)
    found = []
    for m in (gc, torch()):
        x = m.tensor([low, high, high // 2 + 1], dtype=getattr(m, dtype))
        results = [x + 1, x - 1, x * 2, x * x, -x, m.abs(x), x**3, x << 1, x // 7, x % 7]
        results += [m.div(x, 2, rounding_mode="trunc"), m.fmod(x, 7), x & 15, ~x, x >> 1]
        found.append([each.tolist() for each in results])
    assert found[0] == found[1]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_divided_by_zero_are_zero(dtype: str) -> None:
    x = gc.tensor([0, 1, 7], dtype=dtype)
    for result in (x // 0, x % 0, gc.fmod(x, 0), gc.div(x, 0, rounding_mode="trunc")):
        assert result.tolist() == [0, 0, 0]
    assert (x / 0).isfinite().tolist() == [False, False, False]


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_round_once_per_operation(dtype: str, rng: np.random.Generator) -> None:
    a, b = (rng.normal(size=(2, 500)) * [[30], [1]]).astype(np.float32)
    found = []
    for m in (gc, torch()):
        x, y = (m.tensor(each).to(getattr(m, dtype)) for each in (a, b))
        results = [x + y, x - y, x * y, x / y, m.sqrt(m.abs(x)), m.floor(x), m.maximum(x, y)]
        found.append([each.float().tolist() for each in results])
    assert found[0] == found[1]


@pytest.mark.parametrize("scalar", [np.float64(1.5), np.int64(2), np.float32(0.5), np.bool_(True)])
def test_numpy_scalars_count_as_python_numbers(scalar: Any) -> None:
    x = gc.ones(2)
    assert (x * scalar).dtype is gc.float32
    assert (x * scalar).tolist() == [float(scalar)] * 2
    assert recorded(lambda x: x * scalar, np.ones(2, np.float32)).outputs[0].dtype == np.float32


@pytest.mark.parametrize("scalar", [300, -1, 2**40])
def test_numbers_wrap_in_the_tensors_type(scalar: int) -> None:
    x = gc.tensor([1, 2], dtype=gc.uint8)
    assert (x + scalar).tolist() == [(1 + scalar) % 256, (2 + scalar) % 256]


def test_what_is_no_operand() -> None:
    for wrong in ("a", None, [1], np.array(["a", "b"]), {}):
        with pytest.raises(gc.GraphcError) as caught:
            gc.ones(2) + wrong  # type: ignore[operator]  # the error is what is tested
        assert "test_promotion.py" in str(caught.value)


@pytest.mark.parity
def test_result_type_and_can_cast() -> None:
    for left, right in itertools.product(NAMES, NAMES):
        ours, theirs = ([getattr(m, name) for name in (left, right)] for m in (gc, torch()))
        assert gc.can_cast(*ours) == torch().can_cast(*theirs), f"{left} to {right}"
        if not has_complex32({left, right}):
            found = gc.result_type(ones(gc, left, 0), ones(gc, right, 1))
            wanted = torch().result_type(ones(torch(), left, 0), ones(torch(), right, 1))
            assert str(wanted) == f"torch.{found.name}"
    assert gc.result_type(gc.ones(2, dtype=gc.int8), 2) is gc.int8
