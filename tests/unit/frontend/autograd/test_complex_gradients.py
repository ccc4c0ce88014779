"""Complex leaves: values and gradients against PyTorch, compiled programs against dynamic mode."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError, DTypeError
from graphc.frontend.structure import flatten
from tests.backends import OPTIMIZED, Execution
from tests.closeness import assert_same
from tests.torch_oracle import check, torch

Function = Callable[..., Any]

UNARY = (
    "abs angle conj conj_physical real imag sgn neg exp exp2 expm1 log log1p log2 log10 sqrt "
    "rsqrt square reciprocal sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh sigmoid "
    "sinc isnan isinf isfinite isreal view_as_real resolve_conj resolve_neg positive"
).split()

ARITHMETIC: dict[str, Function] = {
    "add": lambda m, a, b: a + b,
    "sub": lambda m, a, b: a - b,
    "mul": lambda m, a, b: a * b,
    "div": lambda m, a, b: a / b,
    "pow": lambda m, a, b: a**b,
    "eq": lambda m, a, b: a == b,
    "ne": lambda m, a, b: a != b,
    "where": lambda m, a, b: m.where(m.real(a) > 0, a, b),
    "lerp": lambda m, a, b: m.lerp(a * 1j, b * 1j, 0.3),
    "addcmul": lambda m, a, b: m.addcmul(a * 1j, a, b, value=2),
}

SCALARS: dict[str, Function] = {
    "times a number": lambda m, a: a * 2.5,
    "times a complex number": lambda m, a: a * (1 + 2j),
    "number minus": lambda m, a: (1 - 1j) - a,
    "number over": lambda m, a: (1 - 1j) / a,
    "number to the power": lambda m, a: (1 + 1j) ** a,
    "power 0": lambda m, a: a**0,
    "power 2": lambda m, a: a**2,
    "power -1": lambda m, a: a**-1.0,
    "power 0.5": lambda m, a: a**0.5,
    "complex power": lambda m, a: a ** (1 + 1j),
    "float_power": lambda m, a: m.float_power(a, 3),
}

REDUCTIONS: dict[str, Function] = {
    "sum": lambda m, a: a.sum(0),
    "mean": lambda m, a: a.mean((0, 1), keepdim=True),
    "prod": lambda m, a: a.prod(1),
    "var": lambda m, a: a.var(0),
    "std": lambda m, a: a.std(1, correction=0),
    "var_mean": lambda m, a: m.var_mean(a, 1),
    "norm": lambda m, a: a.norm(),
    "norm 1": lambda m, a: m.linalg.vector_norm(a, 1, 1),
    "norm 3": lambda m, a: m.linalg.vector_norm(a, 3, 1),
    "norm inf": lambda m, a: m.linalg.vector_norm(a, float("inf")),
    "frobenius": lambda m, a: m.linalg.matrix_norm(a),
    "cumsum": lambda m, a: a.cumsum(1),
    "cumprod": lambda m, a: a.cumprod(1),
    "logcumsumexp": lambda m, a: m.logcumsumexp(a * 3, 1),
    "logsumexp": lambda m, a: m.logsumexp(a, 1),
    "cov": lambda m, a: m.cov(a),
    "corrcoef": lambda m, a: m.corrcoef(a),
    "count_nonzero": lambda m, a: m.count_nonzero(a),
    "all": lambda m, a: [a.all(), a.any(1)],
    "diff": lambda m, a: m.diff(a),
    "trapezoid": lambda m, a: m.trapezoid(a),
}

SHAPES: dict[str, Function] = {
    "row": lambda m, a: a[1],
    "columns": lambda m, a: a[:, [0, 2]],
    "steps": lambda m, a: a[..., ::2],
    "cat": lambda m, a: m.cat([a, m.real(a)]),
    "stack": lambda m, a: m.stack([a, m.conj(a)]),
    "flip": lambda m, a: m.flip(a, [0]),
    "roll": lambda m, a: m.roll(a, 1, 0),
    "mH": lambda m, a: [a.mH, a.H, m.adjoint(a)],
    "expand": lambda m, a: a.expand(2, 2, 3),
    "tril": lambda m, a: m.tril(a),
    "gather": lambda m, a: m.gather(a, 1, m.tensor([[0], [2]])),
    "masked_fill": lambda m, a: a.masked_fill(m.real(a) > 0, 1j),
    "index_add": lambda m, a: m.index_add(a, 0, m.tensor([1, 1]), a),
    "pad": lambda m, a: m.nn.functional.pad(a, (1, 2)),
    "cast": lambda m, a: a.to(m.complex64) * 2,
    "parts": lambda m, a: m.complex(m.imag(a), m.real(a)),
    "polar": lambda m, a: m.polar(m.abs(a), m.angle(a)),
    "pairs": lambda m, a: m.view_as_complex(m.view_as_real(a) * 2),
    "of the parts": lambda m, a: m.softmax(m.abs(a), 1) * m.conj(a),
}

PRODUCTS: dict[str, Function] = {
    "matmul": lambda m, a, b: a @ b.mH,
    "vector": lambda m, a, b: m.matmul(a, b[0]),
    "bmm": lambda m, a, b: m.bmm(a[None], b.mT[None]),
    "dot": lambda m, a, b: m.dot(a[0], b[0]),
    "vdot": lambda m, a, b: m.vdot(a[0], b[0]),
    "vecdot": lambda m, a, b: m.linalg.vecdot(a, b),
    "outer": lambda m, a, b: m.outer(a[0], b[0]),
    "addmm": lambda m, a, b: m.addmm(a[:, :2], a, b.mT, beta=0.5j, alpha=1 + 2j),
    "einsum": lambda m, a, b: m.einsum("ij,kj->ik", a, b),
    "tensordot": lambda m, a, b: m.tensordot(a, b, ([1], [1])),
    "kron": lambda m, a, b: m.kron(a, b),
    "cross": lambda m, a, b: m.linalg.cross(a, b),
    "linear": lambda m, a, b: m.nn.functional.linear(a, b),
    "multi_dot": lambda m, a, b: m.linalg.multi_dot([a, b.mT, a]),
}

ONE = SCALARS | REDUCTIONS | SHAPES
TWO = ARITHMETIC | PRODUCTS


def normal(rng: np.random.Generator, *shape: int) -> Any:
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


@pytest.mark.parity
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(name: str, rng: np.random.Generator) -> None:
    z = normal(rng, 2, 3)
    check(lambda m, z: getattr(m, name)(z), z, loose=3000)
    check(lambda m, z: getattr(m, name)(z), z.astype(np.complex64), loose=200)


@pytest.mark.parity
@pytest.mark.parametrize("name", ONE)
def test_of_one(name: str, rng: np.random.Generator) -> None:
    z = normal(rng, 2, 3)
    check(ONE[name], z, loose=3000)
    check(ONE[name], z.astype(np.complex64), loose=200)


@pytest.mark.parity
@pytest.mark.parametrize("name", ARITHMETIC)
def test_mixed_operands(name: str, rng: np.random.Generator) -> None:
    """Gradients of real operands are real, also where the result is complex."""
    z, w, r = normal(rng, 2, 3), normal(rng, 3), np.abs(rng.normal(size=(2, 3))) + 0.1
    pairs = [(z, w)]
    if name not in ("lerp", "addcmul", "where"):
        pairs += [(z, r), (r, z), (z, r[0]), (z, np.array(2.5)), (z, np.array([1, 2, 3]))]
        pairs += [(z.astype(np.complex64), r), (r.astype(np.float32), z)]
    for a, b in pairs:
        check(ARITHMETIC[name], a, b, loose=1e8 if a.dtype in ("c8", "f4") else 3000)


@pytest.mark.parity
@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str, rng: np.random.Generator) -> None:
    check(PRODUCTS[name], normal(rng, 2, 3), normal(rng, 2, 3), loose=3000)


@pytest.mark.parity
@pytest.mark.parametrize("name", SCALARS)
def test_real_tensors_become_complex(name: str, rng: np.random.Generator) -> None:
    for dtype in ("float64", "float32"):
        x = (np.abs(rng.normal(size=(2, 3))) + 0.1).astype(dtype)
        check(SCALARS[name], x, loose=3000)


@pytest.mark.parametrize("execution", OPTIMIZED, ids=str)
@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_compiled(name: str, execution: Execution, rng: np.random.Generator) -> None:
    """Outputs and gradients of compiled programs are dynamic mode's."""
    arrays = [normal(rng, 2, 3) for _ in range(2 if name in TWO else 1)]

    def function(*leaves: gc.Tensor) -> Any:
        outputs = flatten((TWO if name in TWO else ONE)[name](gc, *leaves))[1]
        real = sum((x * (1 + 2j)).abs().sum() for x in outputs if x.requires_grad)
        found = gc.grad(real, leaves, allow_unused=True) if outputs[0].requires_grad else []
        return [*outputs, *(x for x in found if x is not None)]

    leaves = [gc.tensor(x, requires_grad=True) for x in arrays]
    now = [x.detach().numpy() for x in function(*leaves)]
    with gc.Graph() as graph:
        inputs = [
            gc.placeholder(x.shape, gc.complex128, name=f"x{i}").requires_grad_()
            for i, x in enumerate(arrays)
        ]
        results = function(*inputs)
    session = graph.compile(outputs=results, **execution.options())
    found = session.run({f"x{i}": x for i, x in enumerate(arrays)})
    slack = {} if execution.exact else {"ulps": 64, "absolute": 1e-12}
    for got, want in zip(found, now, strict=True):
        assert_same(got, want, **slack)


def test_leaves_keep_complex_gradients() -> None:
    """The gradient of a real loss by x + iy is its derivative by x, and i times that by y."""
    z = gc.tensor([3 + 4j, 1j], requires_grad=True)
    x = gc.tensor([2.0, 5.0], requires_grad=True)
    (z.abs() ** 2).sum().backward()
    assert z.grad is not None
    assert z.grad.tolist() == [6 + 8j, 2j]
    (z * x).imag.sum().backward()
    assert z.grad.tolist() == [6 + 10j, 7j]
    assert x.grad is not None
    assert x.grad.tolist() == [4.0, 1.0]
    z.grad = None
    (z * 1j).backward(gc.tensor([1 + 0j, 1j]))
    assert z.grad is not None
    assert z.grad.tolist() == [-1j, 1 + 0j]


def test_a_complex_loss_needs_a_gradient() -> None:
    z = gc.tensor(1 + 2j, requires_grad=True)
    with pytest.raises(AutogradError, match="only for a real tensor"):
        (z * z).backward()
    with pytest.raises(AutogradError, match="only for a real tensor"):
        gc.grad(z * z, z)
    with gc.Graph():
        w = gc.placeholder((), gc.complex64, name="w").requires_grad_()
        with pytest.raises(AutogradError, match="only for a real tensor"):
            (w * w).backward()
    with pytest.raises(AutogradError, match="complex"):
        gc.tensor([1, 2], requires_grad=True)


SECOND = [name for name in [*ONE, *TWO] if name not in ("eq", "ne", "all", "count_nonzero", "cast")]


@pytest.mark.parametrize("name", SECOND)
def test_derivatives_by_differences(name: str, rng: np.random.Generator) -> None:
    """First and second ones, along a random direction."""
    leaves = [
        gc.tensor(normal(rng, 2, 3), requires_grad=True) for _ in range(2 if name in TWO else 1)
    ]

    def function(*args: gc.Tensor) -> tuple[gc.Tensor, ...]:
        return tuple(flatten((TWO if name in TWO else ONE)[name](gc, *args))[1])

    assert gc.autograd.gradcheck(function, leaves, fast_mode=True)
    assert gc.autograd.gradgradcheck(function, leaves, fast_mode=True, atol=1e-4)


@pytest.mark.parity
def test_running_sums_of_exponentials() -> None:
    z = np.array([1 + 10j, 2 - 7j, 0.5 + 3j, -100 + 1j, 700 + 2j, 3 + 4j])
    check(lambda m, z: m.logcumsumexp(z, 0), z, loose=100)
    check(lambda m, z: m.logcumsumexp(z, 0), z[::-1] - 900, loose=100)
    start = gc.logcumsumexp(gc.tensor([complex(-np.inf, 0), -900 + 1j, -901 + 1j]), 0)
    np.testing.assert_allclose(start[1:].numpy(), [-900 + 1j, -900 + 1j + np.log1p(np.exp(-1))])


def test_gradcheck() -> None:
    z = gc.tensor([0.5 + 1j, -2 + 0.25j], dtype=gc.complex128, requires_grad=True)
    x = gc.tensor([0.5, 2.0], dtype=gc.float64, requires_grad=True)
    check_gradients = gc.autograd.gradcheck
    assert check_gradients(lambda z: z * z.conj() + z.exp(), z)
    assert check_gradients(lambda z, x: [(z * x).abs(), x * 1j, z.real], [z, x])
    assert check_gradients(lambda z: gc.fft.fft(z, 3), z)
    wrong = lambda z: z + (z.conj() - z).detach()  # noqa: E731 - says z, is its conjugate
    assert not check_gradients(wrong, z, raise_exception=False)


REFUSED: dict[str, Function] = {
    **{
        name: lambda z, name=name: getattr(gc, name)(z)  # type: ignore[misc]
        for name in (
            "amax amin argmax argmin max min median sort argsort floor ceil trunc round frac sign "
            "relu erf erfc erfinv lgamma digamma i0 atan2 maximum minimum remainder fmod hypot "
            "floor_divide cummax mode kthvalue topk clamp isposinf signbit "
            "lt le gt ge copysign nextafter"
        ).split()
        if name not in ("kthvalue", "topk", "clamp")
    },
    "kthvalue": lambda z: gc.kthvalue(z, 1),
    "topk": lambda z: gc.topk(z, 1),
    "clamp": lambda z: gc.clamp(z, 0, 1),
    "softmax": lambda z: gc.softmax(z, 0),
    "quantile": lambda z: gc.quantile(z, 0.5),
    "searchsorted": lambda z: gc.searchsorted(z, z),
    "shift": lambda z: z << z,
    "floor division": lambda z: z // z,
    "remainder": lambda z: z % z,
    "float": lambda z: float(z[0]),
    "int": lambda z: int(z[0]),
}

TWO_OPERANDS = set(
    "atan2 maximum minimum remainder fmod hypot floor_divide lt le gt ge copysign nextafter".split()
)


@pytest.mark.parametrize("name", REFUSED)
def test_what_complex_numbers_have_not(name: str) -> None:
    z = gc.tensor([1 + 2j, 3 - 1j])
    call = REFUSED[name]
    if name in TWO_OPERANDS and hasattr(gc, name):
        call = lambda z: getattr(gc, name)(z, z)  # noqa: E731 - one expression
    with pytest.raises((DTypeError, TypeError)):
        call(z)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("name", "options"),
    [("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}), ("Adam", {"amsgrad": True}),
     ("AdamW", {"weight_decay": 0.1})],
)  # fmt: skip
def test_optimizers(name: str, options: dict[str, Any]) -> None:
    values: list[Any] = []
    for m in (gc, torch()):
        z = m.tensor([1 + 2j, -0.5j, 3 + 0j], requires_grad=True)
        optimizer = getattr(m.optim, name)([z], **{"lr": 0.05, **options})
        for _ in range(4):
            optimizer.zero_grad()
            (m.abs(z - (1 - 1j)) ** 2 + m.real(z) ** 4).sum().backward()
            optimizer.step()
        values.append(z.detach().numpy())
    np.testing.assert_allclose(values[0], values[1], rtol=1e-5)


@pytest.mark.parity
def test_printing() -> None:
    values = [
        [1 + 2j, 3 - 4j], [0.5 + 1j, -2 - 10.25j], [1e5 + 2j, complex("nan-infj")], [1e-6 + 1j], [],
        1 + 2j, [[1j, 2], [3, 4j]],
    ]  # fmt: skip
    for value in values:
        for dtype in ("complex64", "complex128"):
            ours, theirs = (m.tensor(value, dtype=getattr(m, dtype)) for m in (gc, torch()))
            assert repr(ours) == repr(theirs).replace("torch.", "graphc.")
            if ours.numel() == 1:
                assert ours.item() == theirs.item()
            assert ours.tolist() == theirs.tolist() or np.isnan(ours.numpy()).any()
