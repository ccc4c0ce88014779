"""Transforms beside the tape: what they leave alone, what they lead on to."""

import gc as garbage
import weakref

import numpy as np
import pytest

import graphc as gc
from graphc.frontend.func.reach import Reach


def test_grad_leaves_the_arguments_alone() -> None:
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    found = gc.func.grad(lambda a: (a**2).sum())(x)
    assert x.grad is None
    assert found.requires_grad
    found.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0]


def test_results_are_on_the_tape_only_where_it_leads_on() -> None:
    x, w = gc.tensor([1.0, 2.0]), gc.tensor([3.0, 4.0], requires_grad=True)
    assert not gc.func.grad(lambda a: (a**2).sum())(x).requires_grad
    found, value = gc.func.grad_and_value(lambda a: (a**2 * w).sum())(x)
    assert found.requires_grad
    assert value.requires_grad
    (by_w,) = gc.grad(found.sum(), w)
    assert by_w.tolist() == [2.0, 4.0]
    with gc.no_grad():
        quiet, value = gc.func.grad_and_value(lambda a: (a**2 * w).sum())(w)
    assert quiet.tolist() == [33.0, 56.0] or quiet.tolist() == [18.0, 32.0]
    assert not quiet.requires_grad
    assert not value.requires_grad


def test_grad_inside_no_grad_still_differentiates() -> None:
    with gc.no_grad():
        assert gc.func.grad(lambda a: a**2)(gc.tensor(3.0)).item() == 6.0
        assert gc.func.jvp(lambda a: a**2, (gc.tensor(3.0),), (gc.tensor(1.0),))[1].item() == 6.0
        assert gc.func.hessian(lambda a: a**3)(gc.tensor(3.0)).item() == 18.0


def test_a_finished_level_keeps_nothing_on_the_tape() -> None:
    x = gc.tensor([1.0, 2.0])
    _, pull = gc.func.vjp(lambda a: a**2, x)
    rows = gc.vmap(pull)(gc.eye(2))[0]
    assert not rows.requires_grad
    assert rows.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    v = gc.tensor([1.0, 1.0], requires_grad=True)
    assert pull(v)[0].requires_grad
    assert not gc.func.grad(lambda b: (pull(b)[0] ** 2).sum())(x).requires_grad


def test_reach_tells_where_gradients_go() -> None:
    own, other = gc.ones(2, requires_grad=True), gc.ones(2, requires_grad=True)
    reach = Reach([own])
    square, product, constant = own * own, own * other, gc.ones(2)
    assert [reach.goes_on(x) for x in (square, product, other, constant)] == [
        False, True, True, False
    ]  # fmt: skip
    assert not Reach([own, other]).goes_on(product)


def test_the_tape_of_a_call_is_freed() -> None:
    seen = []

    def noted(a: gc.Tensor) -> gc.Tensor:
        middle = a.exp()
        seen.append(weakref.ref(middle.storage.array))
        return middle.sum()

    result = gc.func.grad(noted)(gc.ones(3))
    garbage.collect()
    assert seen[0]() is None
    np.testing.assert_allclose(result.numpy(), np.e, rtol=1e-6)


def test_random_numbers_within_a_map() -> None:
    def noisy(x: gc.Tensor) -> gc.Tensor:
        return x + gc.rand(3) + gc.randn(3)

    xs = gc.zeros(4, 3)
    gc.manual_seed(0)
    same = gc.vmap(noisy, randomness="same")(xs)
    assert len({tuple(row) for row in same.tolist()}) == 1
    different = gc.vmap(noisy, randomness="different")(xs)
    assert len({tuple(row) for row in different.tolist()}) == 4
    for randomness in ("same", "different"):
        mapped = gc.vmap(noisy, randomness=randomness)
        gc.manual_seed(5)
        first, second = mapped(xs), mapped(xs)
        gc.manual_seed(5)
        compiled = gc.compile(mapped)
        np.testing.assert_array_equal(compiled(xs).numpy(), first.numpy())
        np.testing.assert_array_equal(compiled(xs).numpy(), second.numpy())
    inner = gc.vmap(noisy, randomness="different")
    nested = gc.vmap(inner, randomness="same")(gc.zeros(2, 4, 3))
    np.testing.assert_array_equal(nested[0].numpy(), nested[1].numpy())
    assert len({tuple(row) for row in nested[0].tolist()}) == 4


def test_an_unknown_number_of_examples() -> None:
    def loss(w: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
        return ((x @ w).tanh() ** 2).sum() + x[x.argmax(0)].sum()

    mapped = gc.vmap(gc.func.grad(loss), in_dims=(None, 0))
    with gc.Graph() as graph:
        w = gc.placeholder((3, 2), name="w")
        x = gc.placeholder((None, 3), name="x")
        graph.output(mapped(w, x), "y")
    rng = np.random.default_rng(0)
    ws = rng.normal(size=(3, 2)).astype(np.float32)
    for backend in ("numpy", "llvm"):
        session = graph.compile(backend=backend)
        for count in (1, 4):
            xs = rng.normal(size=(count, 3)).astype(np.float32)
            found = session.run({"w": ws, "x": xs})["y"]
            wanted = mapped(gc.tensor(ws), gc.tensor(xs)).numpy()
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_symbolic_argument_after_the_recording() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2, 3), name="x")
    y = gc.vmap(lambda a: a.sum())(x)
    assert y.is_symbolic
    session = graph.compile(outputs=y, backend="numpy")
    np.testing.assert_array_equal(session.run({"x": np.ones((2, 3), np.float32)}), [3, 3])


def test_gradients_of_what_a_map_captures() -> None:
    w = gc.tensor([1.0, 2.0], requires_grad=True)
    outer = w * w
    gc.vmap(lambda a: (a * outer).sum())(gc.ones(3, 2)).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [6.0, 12.0]
    (rows,) = gc.vmap(lambda v: gc.grad(w * w, w, v))(gc.eye(2))
    assert rows.tolist() == [[2.0, 0.0], [0.0, 4.0]]


@pytest.mark.parametrize("compiled", [False, True])
def test_no_grad_inside_a_map_holds_outside(compiled: bool) -> None:
    def weighted(x: gc.Tensor) -> gc.Tensor:
        with gc.no_grad():
            weight = x * x
        return (weight * x).sum()

    def total(x: gc.Tensor) -> gc.Tensor:
        return gc.vmap(weighted)(x).sum()

    derivative = gc.func.grad(total)
    found = (gc.compile(derivative) if compiled else derivative)(gc.tensor([[2.0], [3.0]]))
    assert found.tolist() == [[4.0], [9.0]]


def test_an_argument_requires_a_gradient_as_it_does_outside() -> None:
    seen = []

    def noted(x: gc.Tensor) -> gc.Tensor:
        seen.append(x.requires_grad)
        return x * 2

    x = gc.ones(2, 3)
    gc.vmap(noted)(x)
    gc.vmap(noted)(x.clone().requires_grad_())
    gc.func.grad(lambda a: gc.vmap(noted)(a).sum())(x)
    gc.vmap(lambda a: gc.vmap(noted)(a))(x.clone().requires_grad_())
    with gc.no_grad():
        gc.vmap(noted)(x.clone().requires_grad_())
    assert seen == [False, True, True, True, False]


def test_a_padding_row_gets_no_gradient_through_a_map() -> None:
    table, places = gc.ones(4, 2), gc.tensor([[0, 1], [1, 3]])

    def total(table: gc.Tensor) -> gc.Tensor:
        rows = gc.vmap(lambda p: gc.nn.functional.embedding(p, table, padding_idx=1))(places)
        several = gc.vmap(lambda t: gc.nn.functional.embedding(places, t, padding_idx=1))(
            gc.stack([table, table])
        )
        return rows.sum() + several.sum()

    assert gc.func.grad(total)(table)[:, 0].tolist() == [3.0, 0.0, 0.0, 3.0]
