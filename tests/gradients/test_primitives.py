"""Every primitive's gradient rule against numeric gradients in float64, first and second order.

Both sides are compared along one random direction, weighted by random numbers: a random projection
sees every wrong element, and needs two evaluations whatever the sizes.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from graphc.dtypes import INTEGER, complex128, float64, of_array
from graphc.errors import DTypeError
from graphc.evaluate import evaluate_nodes
from graphc.node import Node, constant, make_node
from graphc.opdef import Call, OpDef, Saves, all_ops, get_op
from graphc.ops.bodies import results
from graphc.ops.control import COND, SCAN, WHILE_LOOP
from graphc.ops.elementwise import add, maximum, minimum, mul, power
from graphc.ops.elementwise_parts import real
from graphc.ops.index import scatter_add
from graphc.ops.leaf import placeholder
from graphc.ops.reduce import amax, prod, sum_
from graphc.ops.shape import reshape
from graphc.passes.autodiff import gradients
from graphc.passes.control.table import GRADIENTS
from graphc.types import TensorType
from tests.matrix_samples import MATRIX_SAMPLES
from tests.op_samples import Array, Sample, samples

STEP = 1e-5

DIFFERENTIABLE = [op.name for op in all_ops() if op.vjp is not None]
POSITIVE = {"log", "sqrt", "rsqrt", "log1p", "pow", "div", "remainder"}
"""Operations whose operands stay between 0.5 and 2, away from poles."""
SYMMETRIC = {"cholesky", "cholesky_ex", "eigh", "eigvalsh"}
"""Operations on Hermitian matrices, which stay Hermitian where they are moved."""
ARBITRARY_PHASES = {"eig", "eigh", "svd"}
"""Operations whose complex vectors may turn, so that only some functions of them are smooth."""
POSITIVE |= set(
    "log2 log10 fmod hypot copysign lgamma digamma polygamma entr bessel_y0 bessel_y1 bessel_k0 "
    "bessel_k1 bessel_k0e bessel_k1e i0e i1e gammainc gammaincc mantissa xlogy xlog1py".split()
)
INSIDE = {"asin", "acos", "atanh", "erfinv", "logit", "ndtri"}
"""Operations whose operands stay between 0.2 and 0.8."""
ABOVE_ONE = {"acosh", "zeta"}
FIXED = {("zeta", 0), ("gammainc", 0), ("gammaincc", 0)}
"""Operands that have no gradient, as in PyTorch."""


def smooth_cases(name: str, rng: np.random.Generator) -> list[Sample]:
    """Each shape and attribute of the samples once, with float64 operands away from poles."""
    found: dict[object, Sample] = {}
    for sample in samples(name):
        attrs = dict(sample.attrs)
        if name == "cast":
            attrs["dtype"] = float64
        if name == "pad":
            attrs["value"] = 1.5
        if name == "scatter_add" and sample.arrays[1].shape != sample.arrays[2].shape:
            continue
        if name in {"index_put", "scatter"} and _writes_twice(name, sample):
            continue  # which value stays is no smooth function of the values
        if sample.attrs.get("full") and len(set(sample.arrays[0].shape[-2:])) > 1:
            continue  # vectors that belong to no singular value are arbitrary
        if name in ARBITRARY_PHASES and sample.arrays[0].dtype.kind == "c":
            continue
        arrays = tuple(
            _smooth(array, name, rng) if _is_variable(name, position, array) else array
            for position, array in enumerate(sample.arrays)
        )
        key = (tuple((array.shape, array.dtype.kind) for array in arrays), repr(attrs))
        found.setdefault(key, Sample(arrays, attrs))
    return list(found.values())


def _writes_twice(name: str, sample: Sample) -> bool:
    """True if one of the values is overwritten by another."""
    x, *others = sample.arrays
    place = 0 if name == "index_put" else 1
    numbers = np.arange(others[place].size).reshape(others[place].shape)
    others[place] = numbers
    left = get_op(name).eval(np.full(x.shape, -1), *others, **sample.attrs)
    return not np.isin(numbers, left).all()


def _is_variable(name: str, position: int, array: Array) -> bool:
    """True unless the operand holds positions or conditions."""
    if name in {"index", "index_add", "index_put"}:
        return position < (2 if name == "index_put" else 1)
    if name in {"gather", "scatter_add", "scatter", "scatter_reduce"}:
        return position != 1
    return (name, position) != ("where", 0)


def _smooth(array: Array, name: str, rng: np.random.Generator) -> Array:
    if name in MATRIX_SAMPLES:
        return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    if array.dtype.kind == "c":
        return np.asarray(rng.normal(size=array.shape) + 1j * rng.normal(size=array.shape))
    if name in INSIDE:
        return rng.uniform(0.2, 0.8, array.shape)
    if name in ABOVE_ONE:
        return rng.uniform(1.2, 3.0, array.shape)
    if name in POSITIVE:
        return rng.uniform(0.5, 2.0, array.shape)
    return rng.normal(size=array.shape) * 0.8


WITHOUT_GRADIENT = {
    "placeholder", "variable", "constant", "size", "iota", "random_bits", "normal_from_bits",
    "detach", "argmax", "argmin", "eq", "ne", "lt", "le", "gt", "ge",
    "logical_and", "logical_or", "logical_xor", "logical_not",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "shift_left", "shift_right",
    "gcd", "lcm", "exponent",
    "floor_divide", "fused", "fused_matmul", "item", "searchsorted", "while_loop_gradient",
    "cumargmax", "cumargmin", "argsort", "argsort_part", "row_order", "ldl", "ldl_solve",
    "binomial_quantile", "exponential_quantile", "log_normal", "poisson_quantile",
}  # fmt: skip


def test_operations_without_a_gradient_are_known() -> None:
    without = {op for op in all_ops() if op.vjp is None}
    assert {op.name for op in without - set(GRADIENTS)} == WITHOUT_GRADIENT


def _scalar(values: Sequence[Node]) -> Node:
    """A smooth number that depends on all floats among the values."""
    squares = [
        reshape(sum_(mul(x, x), dims=tuple(range(x.type.rank))), shape=())
        for x in values
        if x.type.dtype is float64
    ]
    return functools.reduce(add, squares)


@pytest.mark.parametrize("op", [SCAN, COND, WHILE_LOOP], ids=lambda op: op.name)
def test_loops_and_branches(op: OpDef, rng: np.random.Generator) -> None:
    """Their rules differentiate the bodies; a second time, unless they say that they cannot."""
    for sample in samples(op.name):
        values = {
            placeholder(f"x{i}", TensorType(array.shape, of_array(array))): array
            for i, array in enumerate(sample.arrays)
        }
        wrt = [node for node in values if node.type.dtype is float64]
        directions = {node: rng.normal(size=node.type.static_shape) for node in wrt}
        total = _scalar(results(op, tuple(values), sample.attrs))
        for order in range(1 if op is WHILE_LOOP else 2):
            found = gradients([total], [None], wrt)
            slope = 0.0
            for node, grad in zip(wrt, found, strict=True):
                if grad is not None:
                    assert grad.type == node.type
                    slope += float(np.sum(evaluate_nodes([grad], values)[grad] * directions[node]))
            moved = [
                values | {node: values[node] + sign * STEP * directions[node] for node in wrt}
                for sign in (1, -1)
            ]
            up, down = (float(evaluate_nodes([total], each)[total]) for each in moved)
            close(slope, (up - down) / (2 * STEP), f"order {order + 1} of {op.name}{sample}")
            total = _scalar([grad for grad in found if grad is not None])


@dataclass(frozen=True)
class Ghost:
    """Stands for a value that dynamic mode does not keep: only its type is known."""

    type: TensorType


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_rules_read_only_what_they_say_they_save(name: str, rng: np.random.Generator) -> None:
    op = get_op(name)
    assert op.vjp is not None
    for sample in smooth_cases(name, rng):
        inputs = tuple(map(constant, sample.arrays))
        output = make_node(op, inputs, sample.attrs)
        call = Call(
            tuple(node if _is_saved(op, node) else Ghost(node.type) for node in inputs),
            output if op.saves & Saves.OUTPUT else Ghost(output.type),
            sample.attrs,
            frozenset(position for fixed, position in FIXED if fixed == name),
        )
        grads = op.vjp(call, constant(np.ones(output.type.static_shape, output.type.dtype.numpy)))
        assert len(grads) == len(inputs)
        assert all(grad is None or isinstance(grad, Node) for grad in grads)


def _random(type: TensorType, rng: np.random.Generator) -> Array:
    """Random numbers of this type."""
    values = rng.normal(size=type.static_shape)
    if type.dtype.is_complex:
        values = values + 1j * rng.normal(size=type.static_shape)
    return np.asarray(values, type.dtype.numpy)


def _is_saved(op: OpDef, node: Node) -> bool:
    return op.saves_inputs or (op.saves_positions and node.type.dtype.category <= INTEGER)


class Projection:
    """A real function of the sample's floats and complex numbers, and its gradients as nodes."""

    def __init__(self, name: str, sample: Sample, rng: np.random.Generator) -> None:
        self.values = {
            placeholder(f"x{position}", TensorType(array.shape, of_array(array))): array
            for position, array in enumerate(sample.arrays)
        }
        inputs = tuple(self.values)
        self.wrt = [
            node
            for position, node in enumerate(inputs)
            if node.type.dtype in (float64, complex128) and (name, position) not in FIXED
        ]
        self.value = self._weighted(make_node(get_op(name), inputs, sample.attrs), rng)
        self.directions = [_random(node.type, rng) for node in self.wrt]
        if name in SYMMETRIC:
            self.directions = [
                each + np.conj(np.swapaxes(each, -1, -2)) for each in self.directions
            ]
        self.rng = rng

    def _weighted(self, node: Node, rng: np.random.Generator) -> Node:
        weighted = mul(node, constant(_random(node.type, rng)))
        if node.type.dtype.is_complex:
            weighted = real(weighted)
        return reshape(sum_(weighted, dims=tuple(range(node.type.rank))), shape=())

    def slope(self, value: Node) -> float:
        """The numeric derivative of a scalar node along the directions."""
        return (self._at(value, STEP) - self._at(value, -STEP)) / (2 * STEP)

    def _at(self, value: Node, distance: float) -> float:
        moved = {
            node: self.values[node] + distance * direction
            for node, direction in zip(self.wrt, self.directions, strict=True)
        }
        return float(evaluate_nodes([value], self.values | moved)[value])

    def derivative(self, value: Node) -> tuple[float, list[Node]]:
        """The derivative along the directions by the rules, and the gradients themselves."""
        found = gradients([value], [None], self.wrt)
        total = 0.0
        for variable, grad, direction in zip(self.wrt, found, self.directions, strict=True):
            if grad is not None:
                assert grad.type == variable.type
                value = evaluate_nodes([grad], self.values)[grad]
                total += float(np.sum(np.real(np.conj(value) * direction)))
        return total, [grad for grad in found if grad is not None]

    def of_gradients(self, grads: Sequence[Node]) -> Node:
        """A scalar made of the gradients, to be differentiated again."""
        total = constant(np.float64(0))
        for grad in grads:
            total = add(total, self._weighted(grad, self.rng))
        return total


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_and_second_order(name: str, rng: np.random.Generator) -> None:
    cases = smooth_cases(name, rng)
    assert cases
    for sample in cases:
        projection = Projection(name, sample, rng)
        first, grads = projection.derivative(projection.value)
        close(first, projection.slope(projection.value), f"{name}{sample}")
        again = projection.of_gradients(grads)
        second, _ = projection.derivative(again)
        close(second, projection.slope(again), f"second order of {name}{sample}")


def test_a_shared_operand_gets_both_contributions() -> None:
    x = placeholder("x", TensorType((), float64))
    (grad,) = gradients([mul(x, mul(x, x))], [None], [x])
    assert grad is not None
    assert evaluate_nodes([grad], {x: np.array(2.0)})[grad] == 12


@pytest.mark.parametrize("choose", [maximum, minimum])
def test_the_larger_of_equal_operands_is_both(choose: OpDef) -> None:
    a, b = (placeholder(name, TensorType((3,), float64)) for name in "ab")
    total = sum_(choose(a, b), dims=(0,))
    grads = [node for node in gradients([total], [None], [a, b]) if node is not None]
    values = evaluate_nodes(grads, {a: np.array([1.0, 2, 5]), b: np.array([1.0, 5, 2])})
    first, second = (values[grad].tolist() for grad in grads)
    assert (first, second) in (([0.5, 0, 1], [0.5, 1, 0]), ([0.5, 1, 0], [0.5, 0, 1]))
    assert (first[1] == 0) is (choose is maximum)


def test_extrema_share_the_gradient_between_equal_elements() -> None:
    x = placeholder("x", TensorType((4,), float64))
    (grad,) = gradients([reshape(amax(x, dims=(0,)), shape=())], [None], [x])
    assert grad is not None
    found = evaluate_nodes([grad], {x: np.array([1.0, 3.0, 3.0, 2.0])})[grad]
    np.testing.assert_array_equal(found, [0, 0.5, 0.5, 0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [([2, 3, 4], [12, 8, 6]), ([0, 3, 4], [12, 0, 0]), ([0, 3, 0], [0, 0, 0]), ([], [])],
)
def test_a_product_with_zeros(values: list[float], expected: list[float]) -> None:
    x = placeholder("x", TensorType((len(values),), float64))
    (grad,) = gradients([reshape(prod(x, dims=(0,)), shape=())], [None], [x])
    assert grad is not None
    np.testing.assert_array_equal(evaluate_nodes([grad], {x: np.float64(values)})[grad], expected)


@pytest.mark.parametrize(
    ("base", "exponent", "by_base", "by_exponent"),
    [(0.0, 2.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), (0.0, 1.0, 1.0, 0.0), (-2.0, 3.0, 12.0, np.nan)],
)
def test_power_at_its_corners(
    base: float, exponent: float, by_base: float, by_exponent: float
) -> None:
    a, b = (placeholder(name, TensorType((), float64)) for name in "ab")
    grads = [node for node in gradients([power(a, b)], [None], [a, b]) if node is not None]
    values = evaluate_nodes(grads, {a: np.array(base), b: np.array(exponent)})
    np.testing.assert_array_equal([values[grad] for grad in grads], [by_base, by_exponent])


def test_scatter_add_needs_a_source_of_the_indexs_shape() -> None:
    x, source = (placeholder(name, TensorType((4,), float64)) for name in ("x", "source"))
    value = sum_(scatter_add(x, constant(np.array([0, 1])), source, dim=0), dims=(0,))
    with pytest.raises(DTypeError, match="source with the index's shape"):
        gradients([value], [None], [source])


def close(rule: float, numeric: float, what: str) -> None:
    assert rule == pytest.approx(numeric, rel=2e-6, abs=2e-7 * (1 + abs(numeric))), what
