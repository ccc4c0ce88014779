"""Custom functions: dynamically, recorded and compiled, against PyTorch and by hand."""

import gc as garbage
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError, DTypeError, GraphcError, RecordingError, ShapeError
from tests.both_modes import check_both
from tests.torch_oracle import check


def leaf(value: Any) -> gc.Tensor:
    return gc.tensor(value, dtype=gc.float64, requires_grad=True)


def base(m: Any) -> Any:
    return m.autograd.Function


def once(m: Any) -> Any:
    return m.autograd.function.once_differentiable


def cube(m: Any) -> Any:
    class Cube(base(m)):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (x,) = ctx.saved_tensors
            return grad * 3 * x * x

    return Cube


def exponential(m: Any) -> Any:
    class Exp(base(m)):
        @staticmethod
        def forward(x: Any, scale: float) -> Any:
            return m.exp(x) * scale

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.scale = inputs[1]
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (y,) = ctx.saved_tensors
            return grad * y, None

    return Exp


def sums(m: Any) -> Any:
    class Sums(base(m)):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any, factor: float) -> Any:
            ctx.save_for_backward(a, None, b)
            ctx.factor = factor
            positive = a > 0
            ctx.mark_non_differentiable(positive)
            return a * b, "text", a + factor * b, positive

        @staticmethod
        def backward(ctx: Any, product: Any, text: Any, total: Any, positive: Any) -> Any:
            a, nothing, b = ctx.saved_tensors
            assert text is None
            assert nothing is None
            return product * b + total, product * a + ctx.factor * total, None

    return Sums


def clipped(m: Any) -> Any:
    class Clipped(base(m)):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.view_as(x)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad.clamp(-0.1, 0.1)

    return Clipped


def grad(m: Any) -> Callable[..., Any]:
    return m.autograd.grad


def simple(m: Any, x: Any) -> Any:
    return cube(m).apply(x) * x


def twice(m: Any, x: Any) -> Any:
    return grad(m)((cube(m).apply(x) * x).sum(), x, create_graph=True)[0]


def thrice(m: Any, x: Any) -> Any:
    (first,) = grad(m)(cube(m).apply(x).sum(), x, create_graph=True)
    return grad(m)((first * first).sum(), x, create_graph=True)[0]


def saved_output(m: Any, x: Any) -> Any:
    return exponential(m).apply(x, 0.5)


def saved_output_twice(m: Any, x: Any) -> Any:
    (first,) = grad(m)(exponential(m).apply(x, 0.5).sum(), x, create_graph=True)
    return grad(m)((first * first * x).sum(), x, create_graph=True)[0]


def several(m: Any, x: Any) -> Any:
    product, text, total, positive = sums(m).apply(x, x.cos(), 2.0)
    assert text == "text"
    assert not positive.requires_grad
    return product * total, total, product.sin()


def several_partly(m: Any, x: Any) -> Any:
    return sums(m).apply(x, x.cos(), 2.0)[2]


def several_twice(m: Any, x: Any) -> Any:
    product, _, total, _ = sums(m).apply(x, x.cos(), 2.0)
    (first,) = grad(m)((product * total).sum() + total.exp().sum(), x, create_graph=True)
    return first


def nested(m: Any, x: Any) -> Any:
    return clipped(m).apply(cube(m).apply(exponential(m).apply(x, 2.0)))


def view(m: Any, x: Any) -> Any:
    return clipped(m).apply(x)[0] * 3


def once_only(m: Any, x: Any) -> Any:
    class Square(base(m)):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once(m)
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * 2 * ctx.saved_tensors[0]

    return Square.apply(x)


def in_place(m: Any, x: Any) -> Any:
    class Doubled(base(m)):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * 2

    y = x + 1
    z = Doubled.apply(y)
    assert z is y
    return z * y


def without_zeros(m: Any, x: Any) -> Any:
    class Two(base(m)):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            assert first is None
            return second * 5

    return Two.apply(x)[1]


def needs(m: Any, x: Any) -> Any:
    class Needs(base(m)):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any, c: Any) -> Any:
            assert ctx.needs_input_grad == (True, False, False)
            return a * b

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            assert ctx.needs_input_grad == (True, False, False)
            return grad * 2, grad, None, None, None

    return Needs.apply(x, m.ones_like(x), 3)


def broadcast(m: Any, x: Any) -> Any:
    class Spread(base(m)):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.sum(0, keepdim=True) + m.zeros(4, *x.shape[1:], dtype=x.dtype)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad  # its shape sums to the argument's

    return Spread.apply(x[:1])


CASES = [
    simple, twice, thrice, saved_output, saved_output_twice, several, several_partly,
    several_twice, nested, view, once_only, in_place, without_zeros, needs, broadcast,
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("function", CASES)
@pytest.mark.parametrize("shape", [(3,), (2, 1, 3), (1,)])
def test_against_torch(function: Any, shape: tuple[int, ...]) -> None:
    check(function, np.random.default_rng(1).uniform(-1, 1, shape), loose=1e3)


@pytest.mark.parametrize("function", CASES)
def test_recorded_gives_the_same_bits(function: Any) -> None:
    values = np.random.default_rng(2).uniform(-1, 1, (2, 3))
    assert all(g is not None for g in check_both(lambda x: function(gc, x), values).grads)


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_compiled_training_step(backend: str) -> None:
    def step(x: gc.Tensor, w: gc.Tensor) -> gc.Tensor:
        w.grad = None
        product, _, total, _ = sums(gc).apply(cube(gc).apply(x @ w), x @ w, 0.5)
        loss = (product * exponential(gc).apply(total, 0.1)).sum()
        loss.backward()
        return loss

    rng = np.random.default_rng(3)
    x = gc.tensor(rng.normal(size=(4, 3)))
    weights = [gc.nn.Parameter(gc.tensor(np.full((3, 2), 0.1))) for _ in range(2)]
    compiled = gc.compile(step, backend=backend)
    for _ in range(3):
        now, later = step(x, weights[0]), compiled(x, weights[1])
        np.testing.assert_allclose(later.detach().numpy(), now.detach().numpy(), rtol=1e-12)
        first, second = weights[0].grad, weights[1].grad
        assert first is not None
        assert second is not None
        np.testing.assert_allclose(second.numpy(), first.numpy(), rtol=1e-12)
    assert compiled.cache_info().misses == 2  # with a gradient before, and without


def test_gradients_of_a_compiled_function_written_by_hand() -> None:
    forward = gc.compile(lambda x: (x * x).sin())
    backward = gc.compile(lambda x, g: g * (x * x).cos() * 2 * x)

    class Fast(gc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: gc.Tensor) -> gc.Tensor:
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx: Any, grad: gc.Tensor) -> gc.Tensor:
            return backward(*ctx.saved_tensors, grad)

    x = leaf([0.3, 1.1])
    Fast.apply(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.cos(np.array([0.09, 1.21])) * [0.6, 2.2])


def test_untracked_calls_have_no_tape() -> None:
    x = leaf(2.0)
    with gc.no_grad():
        assert not cube(gc).apply(x).requires_grad
    assert not cube(gc).apply(x.detach()).requires_grad
    y = cube(gc).apply(x)
    assert y.requires_grad
    assert not y.is_leaf
    assert y.grad_fn.name() == "CubeBackward"
    assert [(step.name(), at) for step, at in y.grad_fn.next_functions] == [("AccumulateGrad", 0)]


def test_integer_outputs_have_no_gradient() -> None:
    class Both(gc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: gc.Tensor) -> Any:
            return x.long(), x * 2

        @staticmethod
        def backward(ctx: Any, whole: gc.Tensor, grad: gc.Tensor) -> gc.Tensor:
            assert whole.dtype is gc.int64
            assert whole.tolist() == [0, 0]
            return grad * 2

    x = leaf([1.5, 2.5])
    whole, double = Both.apply(x)
    assert not whole.requires_grad
    double.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_an_input_that_is_returned_is_another_tensor() -> None:
    class Same(gc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: gc.Tensor) -> Any:
            return x, x

        @staticmethod
        def backward(ctx: Any, a: gc.Tensor, b: gc.Tensor) -> gc.Tensor:
            return a * 2 + b * 3

    x = leaf([1.0])
    a, b = Same.apply(x)
    assert a is not x
    assert b is not a
    assert x.is_leaf
    (a + 10 * b).backward()
    assert x.grad.tolist() == [32.0]


def test_hooks_see_all_gradients_of_the_call() -> None:
    x = leaf([1.0, -2.0])
    product, _, total, _ = sums(gc).apply(x, x.detach(), 2.0)
    seen: list[Any] = []
    product.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
    product.register_hook(lambda g: g * 10)
    (product + total).sum().backward()
    ((inputs, outputs),) = seen
    assert [None if g is None else g.tolist() for g in inputs] == [[11.0, -19.0], None, None]
    first, text, second, positive = outputs
    assert (first.tolist(), text, second.tolist()) == ([10.0, 10.0], None, [1.0, 1.0])
    assert positive is None
    assert x.grad.tolist() == [11.0, -19.0]


def test_differentiating_once_differentiable_again_raises() -> None:
    x = leaf([1.0, 2.0])
    (first,) = gc.grad(once_only(gc, x).sum(), x, create_graph=True)
    assert first.tolist() == [2.0, 4.0]
    with pytest.raises(AutogradError, match="differentiated twice"):
        first.sum().backward()


def test_freed_and_overwritten_values_raise() -> None:
    x = leaf([1.0, 2.0])
    y = cube(gc).apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(AutogradError, match="second time"):
        y.backward()
    y = cube(gc).apply(x).sum()
    with gc.no_grad():
        x.add_(1)
    with pytest.raises(AutogradError, match="overwritten"):
        y.backward()


def test_values_overwritten_while_recording_raise() -> None:
    x = gc.nn.Parameter(gc.tensor([1.0, 2.0]))
    with gc.Graph():
        y = cube(gc).apply(x).sum()
        with gc.no_grad():
            x.add_(1)
        with pytest.raises(AutogradError, match="overwritten"):
            y.backward()
        z = cube(gc).apply(x).sum()
        z.backward()
        with pytest.raises(AutogradError, match="second time"):
            z.backward()


def test_memory_is_freed_at_once() -> None:
    x = leaf(np.ones(10))
    garbage.disable()
    try:
        y = exponential(gc).apply(x * 1, 2.0)
        memory = weakref.ref(y.storage.version)
        z = y * 1
        del y
        z.sum().backward()
        assert memory() is None
    finally:
        garbage.enable()


def function(forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    return type(
        "Bad",
        (gc.autograd.Function,),
        {"forward": staticmethod(forward), "backward": staticmethod(backward)},
    )


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize(
    ("backward", "error", "message"),
    [
        (lambda ctx, g: (g, g, g), AutogradError, "one gradient per argument"),
        (lambda ctx, g: g, AutogradError, "one gradient per argument"),
        (lambda ctx, g: (g, g), DTypeError, "no tensor"),
        (lambda ctx, g: (3.0, None), DTypeError, "a tensor or None"),
        (lambda ctx, g: (gc.ones(5), None), ShapeError, "does not fit"),
    ],
)
def test_wrong_gradients_raise(backward: Any, error: type, message: str, recorded: bool) -> None:
    bad = function(lambda ctx, x, scale: x * scale, backward)

    def run(x: gc.Tensor) -> Any:
        with pytest.raises(error, match=message):
            bad.apply(x, 2.0).sum().backward()
        return x * 1

    x = gc.tensor([1.0, 2.0], requires_grad=True)
    (gc.compile(run) if recorded else run)(x)


def test_gradients_are_cast_to_their_arguments() -> None:
    x = gc.tensor([1.0, 2.0], requires_grad=True)
    function(lambda ctx, x: x * 2, lambda ctx, g: g.double() * 2).apply(x).sum().backward()
    assert x.grad.dtype is gc.float32


def dirty(ctx: Any, x: gc.Tensor) -> gc.Tensor:
    with gc.no_grad():
        x.mul_(2)
    ctx.mark_dirty(x)
    return x


def test_writes_that_cannot_be_tracked_raise() -> None:
    bad = function(dirty, lambda ctx, g: g * 2)
    with pytest.raises(AutogradError, match="leaf"):
        bad.apply(leaf([1.0]))
    with pytest.raises(AutogradError, match="view"):
        bad.apply(leaf([1.0, 2.0]).exp()[0])
    lost = function(lambda ctx, x: ctx.mark_dirty(x), lambda ctx, g: g)
    with pytest.raises(AutogradError, match="mark_dirty"):
        lost.apply(leaf([1.0]).exp())

    def forward(ctx: Any, buffer: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
        buffer.copy_(x)
        ctx.mark_dirty(buffer)
        return buffer

    buffer = gc.nn.Buffer(gc.zeros(1, dtype=gc.float64))
    with gc.Graph(), pytest.raises(RecordingError, match="buffer"):
        function(forward, lambda ctx, g: (None, g)).apply(buffer, gc.nn.Parameter(leaf([1.0])))


def test_wrong_uses_raise() -> None:
    with pytest.raises(AutogradError, match="no instances"):
        gc.autograd.Function()
    x = leaf([1.0])
    with pytest.raises(AutogradError, match="`forward`"):
        gc.autograd.Function.apply(x)

    class Half(gc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: gc.Tensor) -> gc.Tensor:
            return x * 2

    with pytest.raises(AutogradError, match="`backward`"):
        Half.apply(x).backward()
    with pytest.raises(DTypeError, match="save_for_backward"):
        function(lambda ctx, x: ctx.save_for_backward(3), lambda ctx, g: g).apply(x)
    with pytest.raises(GraphcError, match="tuple"):
        function(lambda ctx, x: [x * 2], lambda ctx, g: g).apply(x)
