"""``gc.func`` against ``torch.func``: the same code in both, dynamically and recorded."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.frontend.structure import flatten
from tests.torch_oracle import Array, assert_near, from_torch, to_torch, torch

pytestmark = pytest.mark.parity

Program = Callable[..., Any]


def _arrays(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def _compare(program: Program, *arrays: Array, loose: float = 50.0) -> None:
    """``program(module, *tensors)`` in both modes against torch."""
    T = torch()  # noqa: N806 - a module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of itself where it prepares forward mode
        outputs = program(T, *(to_torch(array).detach() for array in arrays))
    expected = [from_torch(x) for x in _torch_leaves(outputs)]
    given = [gc.tensor(array) for array in arrays]
    found = flatten(program(gc, *given))[1]
    assert not any(x.requires_grad for x in found)
    compiled = flatten(gc.compile(lambda *xs: program(gc, *xs))(*given))[1]
    assert len(found) == len(expected) == len(compiled)
    for position, (one, two, other) in enumerate(zip(found, compiled, expected, strict=True)):
        assert_near(one.numpy(), other, loose=loose, what=f"output {position}")
        assert_near(two.numpy(), other, loose=loose, what=f"compiled output {position}")


def _torch_leaves(structure: Any) -> list[Any]:
    if isinstance(structure, dict):
        return [leaf for part in structure.values() for leaf in _torch_leaves(part)]
    if isinstance(structure, list | tuple):
        return [leaf for part in structure for leaf in _torch_leaves(part)]
    return [structure]


def _loss(m: Any, x: Any, w: Any) -> Any:
    return m.sin(m.matmul(x, w)).pow(2).sum()


def _vector(m: Any, x: Any) -> Any:
    return m.exp(x * 0.5) * x.sum() + x[0]


GRADIENTS: list[tuple[str, Program, list[tuple[int, ...]]]] = [
    ("grad", lambda m, x, w: m.func.grad(lambda a: _loss(m, a, w))(x), [(3, 4), (4, 2)]),
    ("argnums", lambda m, x, w: m.func.grad(lambda a, b: _loss(m, a, b), argnums=(1, 0))(x, w),
     [(3, 4), (4, 2)]),
    ("argnums -1", lambda m, x, w: m.func.grad(lambda a, b: _loss(m, a, b), argnums=-1)(x, w),
     [(3, 4), (4, 2)]),
    ("has_aux", lambda m, x: m.func.grad(lambda a: ((a**2).sum(), {"y": a * 3}), has_aux=True)(x),
     [(3,)]),
    ("value", lambda m, x: m.func.grad_and_value(lambda a: (a**3).sum())(x), [(3,)]),
    ("value and aux",
     lambda m, x: m.func.grad_and_value(lambda a: ((a**3).sum(), a + 1), has_aux=True)(x), [(3,)]),
    ("tree", lambda m, x, w: m.func.grad(lambda t: (t["a"] * t["b"][0]).sum())({"a": x, "b": [w]}),
     [(3,), (3,)]),
    ("keyword", lambda m, x, w: m.func.grad(lambda a, *, b: (a * b).sum())(x, b=w), [(3,), (3,)]),
    ("third order", lambda m, x: m.func.grad(m.func.grad(m.func.grad(lambda a: a**5)))(x), [()]),
    ("unused", lambda m, x, w: m.func.grad(lambda a, b: (b * b).sum())(x, w), [(2,), (3,)]),
    ("linear twice", lambda m, x: m.func.grad(lambda a: m.func.grad(lambda b: 3 * b)(a))(x), [()]),
    ("no confusion", lambda m, x: m.func.grad(
        lambda a: a * m.func.grad(lambda b: a + b)(a))(x), [()]),
    ("captured", lambda m, x: m.func.grad(
        lambda a: m.func.grad(lambda b: (a * b**2))(a * 2))(x), [()]),
    ("no_grad inside", lambda m, x: m.func.grad(lambda a: _with_no_grad(m, a))(x), [(3,)]),
    ("vjp", lambda m, x: m.func.vjp(lambda a: _vector(m, a), x)[1](m.ones_like(x)), [(3,)]),
    ("vjp tree", lambda m, x, w: m.func.vjp(
        lambda a, b: {"p": a * b, "q": (a + b, a)}, x, w)[1]({"p": x, "q": (w, x)}), [(3,), (3,)]),
    ("vjp tuple", lambda m, x, w: m.func.vjp(lambda a: (a * 2, a * a), x)[1]((x, w)),
     [(3,), (3,)]),
    ("vjp aux", lambda m, x: m.func.vjp(lambda a: (a * 2, a * a), x, has_aux=True)[::2], [(3,)]),
    ("grad of vjp", lambda m, x, w: m.func.grad(
        lambda v: (m.func.vjp(lambda a: _vector(m, a), x)[1](v)[0] ** 2).sum())(w), [(3,), (3,)]),
    ("jvp", lambda m, x, w: m.func.jvp(lambda a: _vector(m, a), (x,), (w,)), [(3,), (3,)]),
    ("jvp aux", lambda m, x, w: m.func.jvp(lambda a: (a.sin(), a), (x,), (w,), has_aux=True),
     [(3,), (3,)]),
    ("jvp of two", lambda m, x, w: m.func.jvp(lambda a, b: (a * b, b), (x, w), (w, x)),
     [(3,), (3,)]),
    ("jvp constant", lambda m, x, w: m.func.jvp(lambda a: m.ones(2, dtype=a.dtype), (x,), (w,)),
     [(3,), (3,)]),
    ("jvp of jvp", lambda m, x, w: m.func.jvp(
        lambda a: m.func.jvp(lambda b: _vector(m, b), (a,), (w,))[1], (x,), (w,)), [(3,), (3,)]),
    ("jvp of grad", lambda m, x, w: m.func.jvp(
        m.func.grad(lambda a: _vector(m, a).sum()), (x,), (w,)), [(3,), (3,)]),
    ("grad of jvp", lambda m, x, w: m.func.grad(
        lambda a: m.func.jvp(lambda b: _vector(m, b), (a,), (w,))[1].sum())(x), [(3,), (3,)]),
    ("linearize", lambda m, x, w: m.func.linearize(lambda a: _vector(m, a), x)[1](w),
     [(3,), (3,)]),
    ("jacrev", lambda m, x: m.func.jacrev(lambda a: _vector(m, a))(x), [(3,)]),
    ("jacrev chunks", lambda m, x: m.func.jacrev(lambda a: _vector(m, a), chunk_size=2)(x), [(3,)]),
    ("jacrev shapes", lambda m, x, w: m.func.jacrev(m.matmul, argnums=(0, 1))(x, w),
     [(2, 3), (3, 4)]),
    ("jacrev tree", lambda m, x, w: m.func.jacrev(
        lambda t: {"s": t["a"] * t["b"], "n": t["a"].sum()})({"a": x, "b": w}), [(3,), (3,)]),
    ("jacrev aux", lambda m, x: m.func.jacrev(lambda a: (a * a, a), has_aux=True)(x), [(3,)]),
    ("jacfwd", lambda m, x: m.func.jacfwd(lambda a: _vector(m, a))(x), [(3,)]),
    ("jacfwd shapes", lambda m, x, w: m.func.jacfwd(m.matmul, argnums=(0, 1))(x, w),
     [(2, 3), (3, 4)]),
    ("jacfwd tree", lambda m, x, w: m.func.jacfwd(
        lambda t: {"s": t["a"] * t["b"], "n": t["a"].sum()})({"a": x, "b": w}), [(3,), (3,)]),
    ("jacfwd aux", lambda m, x: m.func.jacfwd(lambda a: (a * a, a), has_aux=True)(x), [(3,)]),
    ("jacobian of a number", lambda m, x: (m.func.jacrev(m.sin)(x), m.func.jacfwd(m.sin)(x)), [()]),
    ("empty", lambda m, x: (m.func.jacrev(m.sin)(x), m.func.jacfwd(m.sin)(x)), [(0, 2)]),
    ("hessian", lambda m, x: m.func.hessian(lambda a: (_vector(m, a) ** 2).sum())(x), [(3,)]),
    ("hessian argnums", lambda m, x, w: m.func.hessian(
        lambda a, b: (a * a * b).sum(), argnums=(0, 1))(x, w), [(3,), (3,)]),
    ("jacrev twice", lambda m, x: m.func.jacrev(m.func.jacrev(lambda a: _vector(m, a)))(x), [(3,)]),
    ("jacfwd twice", lambda m, x: m.func.jacfwd(m.func.jacfwd(lambda a: _vector(m, a)))(x), [(3,)]),
    ("jacrev of jacfwd", lambda m, x: m.func.jacrev(m.func.jacfwd(lambda a: _vector(m, a)))(x),
     [(3,)]),
]  # fmt: skip


def _with_no_grad(m: Any, a: Any) -> Any:
    with m.no_grad():
        weight = a * a
    return (weight * a).sum()


@pytest.mark.parametrize(("program", "shapes"), [g[1:] for g in GRADIENTS],
                         ids=[g[0] for g in GRADIENTS])  # fmt: skip
def test_derivatives(program: Program, shapes: list[tuple[int, ...]]) -> None:
    _compare(program, *_arrays(0, *shapes))


def _normalized(m: Any, x: Any) -> Any:
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-3).sqrt()


MAPS: list[tuple[str, Program, list[tuple[int, ...]]]] = [
    ("dot", lambda m, x, w: m.vmap(m.dot)(x, w), [(4, 3), (4, 3)]),
    ("in_dims", lambda m, x, w: m.func.vmap(m.dot, in_dims=(1, None))(x, w), [(3, 4), (3,)]),
    ("negative dims", lambda m, x: m.vmap(lambda a: a * 2, in_dims=-1, out_dims=-1)(x),
     [(2, 3, 4)]),
    ("out_dims", lambda m, x: m.vmap(lambda a: (a, a.sum()), out_dims=(2, 0))(x), [(2, 3, 4)]),
    ("trees", lambda m, x, w: m.vmap(
        lambda t, b: {"s": t["a"] + b, "u": [t["c"]]}, in_dims=({"a": 0, "c": None}, 1),
        out_dims={"s": 1, "u": [None]})({"a": x, "c": w}, w), [(4, 3), (3, 4)]),
    ("keyword", lambda m, x, w: m.vmap(lambda a, b: a + b.sum())(x, b=w), [(4, 3), (2,)]),
    ("unbatched result", lambda m, x, w: m.vmap(lambda a: w * 2)(x), [(4,), (3,)]),
    ("nested", lambda m, x, w: m.vmap(m.vmap(lambda a, b: a * b + 1, in_dims=(0, None)),
                                      in_dims=(None, 0))(x, w), [(3,), (4,)]),
    ("nested three", lambda m, x: m.vmap(m.vmap(m.vmap(lambda a: a.sum() * 2)))(x), [(2, 3, 4, 5)]),
    ("captured", lambda m, x, w: m.vmap(lambda a: m.vmap(lambda b: a * b + w[0])(w))(x),
     [(4,), (3,)]),
    ("chunks", lambda m, x: m.vmap(lambda a: a.cumsum(0), chunk_size=2)(x), [(5, 3)]),
    ("chunks and dims", lambda m, x: m.vmap(lambda a: a * 2, 1, 1, chunk_size=2)(x), [(3, 5)]),
    ("no examples", lambda m, x: m.vmap(lambda a: a.sum())(x), [(0, 3)]),
    ("softmax", lambda m, x: m.vmap(lambda a: m.softmax(a, 0))(x), [(4, 5)]),
    ("normalize", lambda m, x: m.vmap(lambda a: _normalized(m, a))(x), [(4, 2, 5)]),
    ("indexing", lambda m, x: m.vmap(lambda a: (a[1], a[..., ::2], a[:, None, 1], a[[0, 1]]))(x),
     [(4, 2, 5)]),
    ("by own index", lambda m, x: m.vmap(lambda a: a[a.argsort(0)])(x), [(4, 5)]),
    ("sort", lambda m, x: m.vmap(lambda a: m.sort(a, descending=True)[0])(x), [(4, 5)]),
    ("topk", lambda m, x: m.vmap(lambda a: m.topk(a, 2)[0])(x), [(4, 5)]),
    ("max", lambda m, x: m.vmap(lambda a: a.max(0))(x), [(4, 5, 2)]),
    ("where", lambda m, x, w: m.vmap(lambda a, b: m.where(a > 0, a, b))(x, w), [(4, 3), (4, 1)]),
    ("einsum", lambda m, x, w: m.vmap(lambda a, b: m.einsum("ij,jk->k", a, b))(x, w),
     [(4, 2, 3), (4, 3, 5)]),
    ("linalg", lambda m, x: m.vmap(
        lambda a: (m.linalg.inv(a @ a.mT + m.eye(3, dtype=a.dtype)), m.linalg.det(a)))(x),
     [(4, 3, 3)]),
    ("solve", lambda m, x, w: m.vmap(
        lambda a, b: m.linalg.solve(a @ a.mT + m.eye(3, dtype=a.dtype), b), (0, None))(x, w),
     [(4, 3, 3), (3,)]),
    ("in place", lambda m, x: m.vmap(lambda a: _written(a))(x), [(4, 3)]),
    ("cat", lambda m, x, w: m.vmap(lambda a: m.cat([a, w]))(x), [(4, 3), (2,)]),
    ("conv weight", lambda m, x, w: m.vmap(
        lambda a, b: m.nn.functional.conv2d(a, b, padding=1, groups=2))(x, w),
     [(3, 2, 4, 5, 5), (3, 6, 2, 3, 3)]),
    ("conv shared", lambda m, x, w: m.vmap(
        lambda b: m.nn.functional.conv2d(x, b, stride=2, groups=2))(w),
     [(2, 4, 5, 5), (3, 6, 2, 3, 3)]),
    ("per-sample gradients", lambda m, x, w: m.vmap(
        m.func.grad(lambda p, a: _loss(m, a, p)), in_dims=(None, 0))(w, x), [(5, 3, 4), (4, 2)]),
    ("grad outside", lambda m, x, w: m.func.grad(
        lambda p: m.vmap(lambda a: _loss(m, a, p))(x).sum())(w), [(5, 3, 4), (4, 2)]),
    ("grad on both sides", lambda m, x, w: m.func.grad(
        lambda p: m.vmap(m.func.grad(lambda a: _loss(m, a, p)))(x).pow(2).sum())(w),
     [(5, 3, 4), (4, 2)]),
    ("batched hessian", lambda m, x: m.vmap(
        m.func.hessian(lambda a: (_vector(m, a) ** 2).sum()))(x), [(4, 3)]),
    ("vjp by hand", lambda m, x, w: m.vmap(
        m.func.vjp(lambda a: _vector(m, a), x)[1])(w), [(3,), (4, 3)]),
    ("grad of a batched vjp", lambda m, x, w: m.func.grad(
        lambda v: m.vmap(m.func.vjp(lambda a: _vector(m, a), x)[1])(v)[0].pow(2).sum())(w),
     [(3,), (4, 3)]),
    ("jvp by hand", lambda m, x, w: m.vmap(
        lambda t: m.func.jvp(lambda a: _vector(m, a), (x,), (t,)))(w)[1], [(3,), (4, 3)]),
    ("jacobian of a map", lambda m, x: m.func.jacrev(m.vmap(lambda a: a.prod()))(x), [(3, 2)]),
    ("no_grad inside", lambda m, x: m.func.grad(
        lambda a: m.vmap(lambda b: _with_no_grad(m, b))(a).sum())(x), [(4, 3)]),
]  # fmt: skip


def _written(a: Any) -> Any:
    copied = a.clone()
    copied[1] = copied[0] * 2
    copied.mul_(3)
    return copied


@pytest.mark.parametrize(("program", "shapes"), [g[1:] for g in MAPS], ids=[g[0] for g in MAPS])
def test_maps(program: Program, shapes: list[tuple[int, ...]]) -> None:
    _compare(program, *_arrays(1, *shapes), loose=1e3)
