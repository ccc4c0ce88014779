"""``gradcheck`` and ``gradgradcheck``: they accept what is right and notice what is wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ArgumentError, AutogradError, SymbolicValueError

gradcheck, gradgradcheck = gc.autograd.gradcheck, gc.autograd.gradgradcheck
RNG = np.random.default_rng(0)


def leaf(*shape: int, dtype: Any = gc.float64) -> gc.Tensor:
    return gc.tensor(RNG.uniform(0.5, 1.5, shape), dtype=dtype, requires_grad=True)


def function(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Custom", (gc.autograd.Function,), members).apply


def square(backward: Callable[[gc.Tensor, gc.Tensor], Any]) -> Callable[..., Any]:
    def forward(ctx: Any, x: gc.Tensor) -> gc.Tensor:
        ctx.save_for_backward(x)
        return x * x

    return function(forward, lambda ctx, g: backward(g, *ctx.saved_tensors))


RIGHT: list[Callable[..., Any]] = [
    lambda x, y: x * y.sin(),
    lambda x, y: (x.exp(), (x @ y.T).sum(), y.detach()),
    lambda x, y: x.sum() * 3,
    lambda x, y: x[:0],
    lambda x, y: gc.ones(2, dtype=gc.float64),
    lambda x, y: (x > y, x * 2),
]


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("func", RIGHT)
def test_accepts_right_gradients(func: Callable[..., Any], fast_mode: bool) -> None:
    x, y = leaf(2, 3), leaf(2, 3)
    before = x.tolist(), y.tolist()
    assert gradcheck(
        func, (x, y), fast_mode=fast_mode, check_forward_ad=True, check_batched_grad=True,
        check_batched_forward_grad=True, check_grad_dtypes=True,
    )  # fmt: skip
    assert (x.tolist(), y.tolist()) == before
    assert x.grad is None


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize(
    "backward",
    [
        lambda g, x: g * 3 * x,
        lambda g, x: g * 2 * x + 0.1,
        lambda g, x: gc.zeros_like(x),
        lambda g, x: None,
    ],
)
def test_refuses_wrong_gradients(backward: Any, fast_mode: bool) -> None:
    assert gradcheck(square(lambda g, x: g * 2 * x), leaf(3), fast_mode=fast_mode)
    wrong = square(backward)
    with pytest.raises(AutogradError, match=r"gradient.* of output 0 is wrong"):
        gradcheck(wrong, leaf(3), fast_mode=fast_mode)
    assert not gradcheck(wrong, leaf(3), raise_exception=False, fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_refuses_outputs_that_depend_without_a_gradient(fast_mode: bool) -> None:
    with pytest.raises(AutogradError, match="wrong"):
        gradcheck(lambda x: x.detach() * 2, leaf(3), fast_mode=fast_mode)
    with pytest.raises(AutogradError, match="wrong"):
        gradcheck(lambda x, y: x * y.detach(), (leaf(3), leaf(3)), fast_mode=fast_mode)


def test_refuses_a_wrong_forward_mode() -> None:
    class Half(gc.autograd.Function):
        """Its gradient is right; the gradient of it by the gradient is not."""

        @staticmethod
        def forward(ctx: Any, x: gc.Tensor) -> gc.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, grad: gc.Tensor) -> gc.Tensor:
            return grad.detach() * 2 + (grad - grad.detach()) * 5

    assert gradcheck(Half.apply, leaf(2))
    for fast_mode in (False, True):
        with pytest.raises(AutogradError, match="jvp"):
            gradcheck(Half.apply, leaf(2), check_forward_ad=True, fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_complex_numbers(fast_mode: bool) -> None:
    z = gc.tensor(RNG.normal(size=3) + 1j * RNG.normal(size=3)).requires_grad_()
    x = leaf(3)
    options = {"fast_mode": fast_mode}
    assert gradcheck(lambda z, x: z * z.conj() * x + z * z, (z, x), **options)
    assert gradcheck(lambda z: (z.real * z.imag, z.abs()), z, **options)
    assert gradcheck(lambda x: gc.complex(x, x * x) * 1j, x, **options)
    wrong = function(lambda ctx, z: z * 1j, lambda ctx, g: g * 1j)  # not conjugated
    with pytest.raises(AutogradError, match="wrong"):
        gradcheck(wrong, z, **options)
    assert gradgradcheck(lambda z: z * z * z.conj(), z, **options)


def test_other_arguments_are_passed_on() -> None:
    x = leaf(2)
    assert gradcheck(lambda x, n, w, k: x * n + w * k, (x, 3, gc.ones(2).double(), 2))


def test_narrow_floats_need_loose_tolerances() -> None:
    x = leaf(3, dtype=gc.float32)
    with pytest.raises(AutogradError, match="wrong") as caught:
        gradcheck(lambda x: x.exp(), x)
    assert "use float64" in str(caught.value)
    assert gradcheck(lambda x: x.exp(), x, eps=1e-2, atol=1e-2, rtol=1e-2)


def test_repeatability() -> None:
    noise = iter(range(100))
    unsteady = square(lambda g, x: g * (2 * x + 1e-7 * next(noise)))
    with pytest.raises(AutogradError, match="each time"):
        gradcheck(unsteady, leaf(2))
    assert gradcheck(unsteady, leaf(2), nondet_tol=1e-3)


def test_backward_must_be_multiplied_by_its_gradient() -> None:
    offset = function(lambda ctx, x: x * 1, lambda ctx, g: g + 1e-6)
    with pytest.raises(AutogradError, match="not multiplied"):
        gradcheck(offset, leaf(2))


def two_outputs(backward: Callable[..., Any], materialize: bool) -> Callable[..., Any]:
    def forward(ctx: Any, x: gc.Tensor) -> Any:
        ctx.set_materialize_grads(materialize)
        return x * 2, x * 3

    return function(forward, backward)


def test_missing_gradients() -> None:
    def careful(ctx: Any, a: Any, b: Any) -> Any:
        parts = [g * n for g, n in ((a, 2), (b, 3)) if g is not None]
        return sum(parts) if parts else None

    def careless(ctx: Any, a: Any, b: Any) -> Any:
        return a * 2 + b * 3

    def inventive(ctx: Any, a: Any, b: Any) -> Any:
        if a is None and b is None:
            return gc.ones(2).double()
        return careful(ctx, a, b)

    x = leaf(2)
    assert gradcheck(two_outputs(careful, False), x)
    assert gradcheck(two_outputs(careless, True), x)
    with pytest.raises(TypeError):
        gradcheck(two_outputs(careless, False), x)
    with pytest.raises(AutogradError, match="of missing ones"):
        gradcheck(two_outputs(inventive, False), x)
    assert gradcheck(two_outputs(inventive, False), x, check_undefined_grad=False)

    def direct(ctx: Any, x: gc.Tensor) -> gc.Tensor:
        ctx.set_materialize_grads(False)
        return x * 2

    with pytest.raises(AutogradError, match="does not cope"):
        gradcheck(function(direct, lambda ctx, g: g * 2), x)
    single = square(lambda g, x: 2 * x if g is None else g * 2 * x)
    assert gradcheck(single, x)  # it never sees None


@pytest.mark.parametrize("fast_mode", [False, True])
def test_second_derivatives(fast_mode: bool) -> None:
    options = {"fast_mode": fast_mode}
    x, y = leaf(2, 3), leaf(3)
    assert gradgradcheck(lambda x, y: ((x * y).sin(), x.sum()), (x, y), **options)
    assert gradgradcheck(lambda x: x * 2, x, gen_non_contig_grad_outputs=True, **options)
    assert gradgradcheck(lambda x: x.exp(), x, leaf(2, 3), check_fwd_over_rev=True, **options)
    wrong = square(lambda g, x: g * 2 * x.detach())
    assert gradcheck(wrong, y)
    with pytest.raises(AutogradError, match="wrong"):
        gradgradcheck(wrong, y, **options)
    assert not gradgradcheck(wrong, y, raise_exception=False, **options)


def test_wrong_arguments_raise() -> None:
    x = leaf(3)
    with pytest.raises(AutogradError, match="at least one input"):
        gradcheck(lambda x: x, gc.ones(2))
    with pytest.raises(ArgumentError, match="sparse"):
        gradcheck(lambda x: x, x, masked=True)
    with pytest.raises(ArgumentError, match="nothing to check"):
        gradcheck(lambda x: x, x, check_backward_ad=False)
    with pytest.raises(ArgumentError, match="nothing to check"):
        gradcheck(lambda x: x, x, check_batched_forward_grad=True)
    with pytest.raises(ArgumentError, match="share places"):
        gradcheck(lambda x: x * 2, gc.ones(1).double().expand(3).requires_grad_())
    with gc.Graph(), pytest.raises(SymbolicValueError):
        gradcheck(lambda x: x, gc.placeholder((2,), gc.float64, requires_grad=True))
