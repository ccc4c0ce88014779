"""Every operation's batching rule against one application per example."""

import itertools

import numpy as np
import pytest

from graphc.dims import Dim, Size
from graphc.errors import RecordingError, ShapeError
from graphc.evaluate import evaluate_nodes
from graphc.graph import Graph
from graphc.node import Node, constant, make_node
from graphc.opdef import OpDef, Trait, all_ops
from graphc.ops.convolution import conv
from graphc.ops.elementwise import add, mul
from graphc.ops.fused import item
from graphc.ops.index import index
from graphc.ops.leaf import placeholder
from graphc.ops.random import random_bits
from graphc.passes.autodiff import gradients
from graphc.passes.batching.application import Batched
from graphc.passes.batching.batch import batch
from graphc.passes.batching.control_rules import CONTROL_RULES
from graphc.passes.batching.table import RULES, rule_of
from graphc.rebuild import bind_dims
from graphc.types import TensorType, TupleType
from tests.closeness import assert_same
from tests.op_samples import Array, Sample, samples, type_of

COUNT = 3

WITHOUT = {
    "constant": "no operands",
    "placeholder": "no operands",
    "variable": "no operands",
    "size": "no operands",
    "iota": "no operands",
    "random_bits": "vmap draws for all examples at once, or the same for each",
    "fused": "made by a pass, which runs later",
    "fused_matmul": "made by a pass, which runs later",
    "item": "made by a pass, which runs later",
}

INEXACT = {
    "matmul", "linear", "conv", "solve", "solve_triangular", "lstsq", "inv", "cholesky", "det",
    "cholesky_ex", "ldl", "ldl_solve", "cofactors", "cofactor_slopes", "slogdet", "eigh",
    "eigvalsh", "lu", "matrix_exp", "qr", "svd", "svdvals", "pinv", "eig", "fft", "rfft", "irfft",
}  # fmt: skip
"""Libraries may sum in another order where there are more examples."""

SUMS = {"sum", "prod"}
"""numpy sums in an order that depends on the layout."""

BATCHABLE = [op for op in all_ops() if op.name not in WITHOUT]


def test_every_operation_has_a_rule_or_a_reason() -> None:
    for op in all_ops():
        has_none = rule_of(op) is None and op not in CONTROL_RULES
        assert has_none == (op.name in WITHOUT), (
            f"{op.name}: add its batching rule to passes/batching/table.py"
        )


def test_no_rule_repeats_what_the_traits_say() -> None:
    assert not [op for op in RULES if op.traits & (Trait.ELEMENTWISE | Trait.REDUCE)]


def _distinct(op: OpDef, limit: int = 14) -> list[Sample]:
    """Samples that differ in more than values and layout; of large arrays none."""
    found: dict[object, Sample] = {}
    for sample in samples(op.name):
        if all(array.size <= 2000 for array in sample.arrays):
            kinds = (tuple(map(str, sample.types)), repr(sample.attrs))
            found.setdefault(kinds, sample)
    ranks: dict[object, list[Sample]] = {}
    for sample in found.values():
        shape = (tuple(array.shape for array in sample.arrays), repr(sample.attrs))
        ranks.setdefault(shape, []).append(sample)
    chosen = [same[0] for same in ranks.values()]
    step = max(1, len(chosen) // limit)
    return chosen[::step]


def _examples(array: Array) -> Array:
    """Three arrays like this one, all of which the operation accepts."""
    if array.dtype == bool:
        others = [array, ~array, array]
    elif array.dtype.kind in "iu":
        others = [array, np.flip(array), array]
    else:
        with np.errstate(all="ignore"):
            others = [array, array * array.dtype.type(0.5), array * array.dtype.type(1.25)]
    return np.stack([np.asarray(each, array.dtype) for each in others])


@pytest.mark.parametrize("op", BATCHABLE, ids=lambda op: op.name)
def test_a_batch_is_as_its_examples(op: OpDef) -> None:
    tried = 0
    for sample in _distinct(op):
        many = [_examples(array) for array in sample.arrays]
        for chosen in itertools.product((True, False), repeat=len(many)):
            if any(chosen):
                _compare(op, sample, many, chosen)
                tried += 1
    assert tried


def _compare(op: OpDef, sample: Sample, many: list[Array], chosen: tuple[bool, ...]) -> None:
    ones = [placeholder(f"x{i}", type_of(array)) for i, array in enumerate(sample.arrays)]
    given, values = {}, {}
    for one, several, array, is_batched in zip(ones, many, sample.arrays, chosen, strict=True):
        operand = placeholder(
            f"given {one.attrs['name']}", type_of(several if is_batched else array)
        )
        given[one] = Batched(operand, is_batched)
        values[operand] = several if is_batched else array
    root = make_node(op, tuple(ones), sample.attrs)
    what = f"{sample}, batched {chosen}"
    with np.errstate(all="ignore"):
        expected = [
            op.eval(*(several[i] if is_batched else array for several, array, is_batched
                      in zip(many, sample.arrays, chosen, strict=True)), **sample.attrs)
            for i in range(COUNT)
        ]  # fmt: skip
    if isinstance(root.result_type, TupleType):
        roots = [item(root, place) for place in range(len(root.result_type.items))]
        made = batch(roots, given, COUNT, lambda node: node)
        for one, result, column in zip(roots, made, zip(*expected, strict=True), strict=True):
            assert not result.is_batched or result.value.type.shape == (COUNT, *one.type.shape)
            got = evaluate_nodes([result.value], values)[result.value]
            same = got if result.is_batched else np.broadcast_to(got, (COUNT, *got.shape))
            assert_same(np.asarray(same), np.stack(column), what=what)
        return
    (result,) = batch([root], given, COUNT, lambda node: node)
    assert result.is_batched, what
    assert result.value.type == TensorType((COUNT, *root.type.shape), root.type.dtype), what
    got = evaluate_nodes([result.value], values)[result.value]
    _compare_values(op, got, np.stack([np.asarray(each) for each in expected]), what)


def _compare_values(op: OpDef, got: Array, expected: Array, what: str) -> None:
    if op.name in INEXACT | SUMS and expected.dtype.kind not in "iub":
        eps = {2: 2e-2, 4: 3e-5, 8: 1e-11, 16: 1e-11}[expected.real.dtype.itemsize]
        kind = np.complex128 if expected.dtype.kind == "c" else np.float64
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                got.astype(kind), expected.astype(kind), rtol=eps, atol=eps, err_msg=what
            )
    else:
        assert_same(np.asarray(got), expected, what=what)


def test_what_does_not_depend_on_the_example_is_computed_once() -> None:
    x, w = (placeholder(name, TensorType((4,), _f32())) for name in "xw")
    many = placeholder("many", TensorType((3, 4), _f32()))
    shared = mul(w, w)
    root = add(x, shared)
    (result,) = batch([root], {x: Batched(many, True), w: Batched(w, False)}, 3, lambda n: n)
    assert shared in result.value.inputs


def _f32() -> object:
    return constant(np.float32(0)).type.dtype


def test_a_root_may_be_given_or_constant() -> None:
    x = placeholder("x", TensorType((4,), _f32()))
    many = placeholder("many", TensorType((3, 4), _f32()))
    two = constant(np.float32(2))
    given = {x: Batched(many, True)}
    assert batch([x, two, x], given, 3, lambda node: node) == [
        Batched(many, True), Batched(two, False), Batched(many, True)
    ]  # fmt: skip


def test_a_batch_can_be_differentiated_and_batched_again() -> None:
    x = placeholder("x", TensorType((2,), _f32()))
    w = placeholder("w", TensorType((2,), _f32()))
    many = placeholder("many", TensorType((5, 2), _f32()))
    more = placeholder("more", TensorType((3, 5, 2), _f32()))
    (inner,) = batch(
        [mul(mul(x, x), w)], {x: Batched(many, True), w: Batched(w, False)}, 5, lambda n: n
    )
    seed = placeholder("seed", TensorType((5, 2), _f32()))
    (grad,) = gradients([inner.value], [seed], [many])
    assert grad is not None
    given = {many: Batched(more, True), w: Batched(w, False), seed: Batched(seed, False)}
    (outer,) = batch([grad], given, 3, lambda n: n)
    xs = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    ws, gs = np.float32([2, 3]), np.ones((5, 2), np.float32)
    found = evaluate_nodes([outer.value], {more: xs, w: ws, seed: gs})[outer.value]
    np.testing.assert_allclose(found, 2 * xs * ws, rtol=1e-6)


def test_an_unknown_number_of_examples() -> None:
    count: Size = Dim.named("count")
    x = placeholder("x", TensorType((4, 2), _f32()))
    at = placeholder("at", TensorType((3,), constant(np.int64(0)).type.dtype))
    many_x = placeholder("many_x", TensorType((count, 4, 2), _f32()))
    many_at = placeholder("many_at", TensorType((count, 3), at.type.dtype))
    given = {x: Batched(many_x, True), at: Batched(many_at, True)}
    (result,) = batch([index(x, at, dims=(0,))], given, count, lambda node: node)
    fixed = bind_dims(Graph([many_x, many_at], {"y": result.value}), {"count": 5})
    rng = np.random.default_rng(0)
    xs, places = rng.normal(size=(5, 4, 2)).astype(np.float32), rng.integers(0, 4, (5, 3))
    y = fixed.outputs["y"]
    found = evaluate_nodes([y], dict(zip(fixed.inputs, (xs, places), strict=True)))[y]
    np.testing.assert_array_equal(found, np.stack([a[b] for a, b in zip(xs, places, strict=True)]))


def test_no_examples() -> None:
    x = placeholder("x", TensorType((2, 3, 5), _f32()))
    w = placeholder("w", TensorType((4, 3, 2), _f32()))
    xs = placeholder("xs", TensorType((0, 2, 3, 5), _f32()))
    ws = placeholder("ws", TensorType((0, 4, 3, 2), _f32()))
    root = conv(x, w, stride=(1,), dilation=(1,), groups=1)
    for given in ({x: (xs, True), w: (ws, True)}, {x: (xs, True), w: (w, False)},
                  {x: (x, False), w: (ws, True)}):  # fmt: skip
        known = {node: Batched(*operand) for node, operand in given.items()}
        (result,) = batch([root], known, 0, lambda node: node)
        assert result.value.type.shape == (0, 2, 4, 4)


def test_a_weight_per_example_needs_a_known_number_of_examples() -> None:
    count = Dim.named("count")
    x, w = (placeholder(name, TensorType((1, 1, 3), _f32())) for name in "xw")
    given = {
        each: Batched(placeholder("many", TensorType((count, 1, 1, 3), _f32())), True)
        for each in (x, w)
    }
    root = conv(x, w, stride=(1,), dilation=(1,), groups=1)
    with pytest.raises(ShapeError, match="known number of examples"):
        batch([root], given, count, lambda node: node)


def test_an_operation_without_a_rule_says_so() -> None:
    state = placeholder("state", TensorType((2,), constant(np.int64(0)).type.dtype))
    many = placeholder("many", TensorType((3, 2), state.type.dtype))
    bits: Node = random_bits(state, call=0, shape=(4,))
    with pytest.raises(RecordingError, match="random_bits has no batching rule"):
        batch([bits], {state: Batched(many, True)}, 3, lambda node: node)
