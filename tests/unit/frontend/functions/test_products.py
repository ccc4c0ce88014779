"""Matrix products of all rank combinations."""

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.both_modes import check_both
from tests.torch_oracle import check

LEFT = [(3,), (2, 3), (5, 2, 3), (4, 1, 2, 3)]
RIGHT = [(3,), (3, 4), (5, 3, 4), (1, 5, 3, 2)]


@pytest.mark.parity
@pytest.mark.parametrize(("left", "right"), list(itertools.product(LEFT, RIGHT)))
def test_rank_combinations(left: Any, right: Any, rng: np.random.Generator) -> None:
    a, b = rng.normal(size=left), rng.normal(size=right)
    check(lambda m, a, b: a @ b, a, b, loose=20)
    check(lambda m, a, b: m.matmul(a, b), a.astype(np.float32), b.astype(np.float32), loose=20,
          grads=False)  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(
    ("left", "right"),
    [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 1)),
     ((1, 1), (1, 1))],
)  # fmt: skip
def test_sizes_zero_and_one(left: Any, right: Any) -> None:
    check(lambda m, a, b: a @ b, np.ones(left), np.ones(right))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "bfloat16", "float64"])
def test_dtypes(dtype: str) -> None:
    a = gc.tensor([[1, 2, 3], [4, 5, 6]], dtype=dtype)
    check(lambda m, a: a @ a.T, a, grads=False)


@pytest.mark.parity
def test_named_products(rng: np.random.Generator) -> None:
    a, b, v = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=3)
    check(lambda m, a, b: (m.mm(a, b), a.mm(b)), a, b, loose=20)
    check(lambda m, a, v: (m.mv(a, v), a.mv(v)), a, v, loose=20)
    check(lambda m, v: (m.dot(v, v), v.dot(v)), v, loose=20)
    check(lambda m, a, b: m.bmm(a, b), a[None], b[None], loose=20)


@pytest.mark.parity
def test_transposed_and_strided_operands(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(4, 6)), rng.normal(size=(4, 5))
    check(lambda m, a, b: a.T @ b, a, b, loose=20)
    check(lambda m, a, b: a[::2].T @ b[1::2], a, b, loose=20)


def test_numpy_oracle_without_torch(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(3, 2, 4)), rng.normal(size=(4, 5))
    got = check_both(lambda a, b: a @ b, a, b)
    np.testing.assert_allclose(got.outputs[0], np.einsum("bij,jk->bik", a, b), rtol=1e-12)
    cotangent = np.random.default_rng(0).uniform(-1, 1, (3, 2, 5))
    np.testing.assert_allclose(got.grads[0], np.einsum("bik,jk->bij", cotangent, b), rtol=1e-12)
    np.testing.assert_allclose(got.grads[1], np.einsum("bik,bij->jk", cotangent, a), rtol=1e-12)


@pytest.mark.parametrize(
    ("left", "right"), [((2, 3), (4, 5)), ((), (3,)), ((3,), (2,)), ((2, 2, 3), (3, 3, 4))]
)
def test_errors(left: Any, right: Any) -> None:
    with pytest.raises(gc.GraphcError, match="matmul") as caught:
        gc.ones(left) @ gc.ones(right)
    assert "test_products.py" in str(caught.value)
    for wrong in (gc.mm, gc.bmm, gc.mv, gc.dot):
        with pytest.raises(gc.GraphcError):
            wrong(gc.ones(left), gc.ones(1, 1, 1, 1))
