"""Every in-place method against PyTorch's, dynamically and recorded, with gradients and errors."""

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError, GraphcError
from tests.torch_oracle import check

X = np.array([[0.3, 0.55, 0.8], [0.2, 0.41, 0.95]])
Y = np.array([[0.25, 0.5, 0.75], [0.6, 0.1, 0.35]])

UNARY = """abs absolute neg negative sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square
reciprocal sin cos tan tanh sigmoid erf erfc erfinv floor ceil round trunc fix frac relu asin
arcsin acos arccos atan arctan sinh cosh asinh arcsinh atanh arctanh deg2rad rad2deg sinc logit
lgamma digamma i0 sgn nan_to_num tril triu logical_not conj_physical""".split()
BINARY = """add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow
atan2 arctan2 hypot copysign xlogy float_power eq ne not_equal lt less le less_equal gt greater
ge greater_equal logical_and logical_or logical_xor clamp_min clamp_max nextafter heaviside
igamma igammac""".split()
WHOLE = "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift gcd lcm".split()
WITHOUT_GRADIENT = {"nextafter", "heaviside", "igamma", "igammac", "floor_divide"} | set(
    """eq ne not_equal lt less le less_equal gt greater ge greater_equal logical_and logical_or
    logical_xor logical_not asinh arcsinh atanh arctanh sgn""".split()
)
"""Neither has one, or PyTorch has not implemented it in place."""


def on_result(name: str, m: Any, x: Any, *others: Any) -> Any:
    y = x * 1
    assert getattr(y, name)(*others) is y
    return y


def on_part(name: str, m: Any, x: Any, *others: Any) -> Any:
    y = x * 1
    getattr(y[:, 1:], name)(*(other[:, 1:] for other in others))
    return y


@pytest.mark.parity
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    for place in (on_result, on_part):
        check(
            lambda m, x, place=place: place(f"{name}_", m, x),
            X,
            loose=1e6 if name == "digamma" else 8,
            grads=name not in WITHOUT_GRADIENT,
        )


@pytest.mark.parity
@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    for place in (on_result, on_part):
        check(lambda m, x, y, place=place: place(f"{name}_", m, x, y), X, Y, loose=8,
              grads=name not in WITHOUT_GRADIENT)  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name: str) -> None:
    x, y = np.array([[12, 7, 3], [0, 5, 9]]), np.array([[2, 1, 3], [4, 2, 6]])
    for place in (on_result, on_part):
        check(lambda m, x, y, place=place: place(f"{name}_", m, x, y), x, y, grads=False)
    check(lambda m, x: on_result("bitwise_not_", m, x), x, grads=False)


OTHERS: list[Any] = [
    lambda m, y, z: (
        y.add_(z, alpha=3).sub_(z[0], alpha=2).mul_(2).div_(z + 0.013, rounding_mode="floor")
    ),
    lambda m, y, z: y.clamp_(0.3, 0.7).clip_(max=0.6),
    lambda m, y, z: y.lerp_(z, 0.25).addcmul_(z, z, value=2).addcdiv_(z, z + 1),
    lambda m, y, z: y.masked_fill_(z > 0.3, 5).masked_scatter_(z > 0.2, z * 2),
    lambda m, y, z: y.copy_(z[1]).fill_(2).copy_(z),
    lambda m, y, z: y.fill_(z[0, 0]).mul_(z),
    lambda m, y, z: y.fill_diagonal_(4).zero_().add_(z),
    lambda m, y, z: y.cumsum_(0).cumprod_(1),
    lambda m, y, z: y.scatter_(1, m.tensor([[0], [2]]), z[:, :1]).scatter_(
        0, m.tensor([[0, 1, 0]]), 3.0
    ),
    lambda m, y, z: y.scatter_add_(1, m.tensor([[0, 0, 1]]), z[:1]),
    lambda m, y, z: y.scatter_reduce_(1, m.tensor([[0, 0, 1]]), z[:1], "amax"),
    lambda m, y, z: y.index_add_(1, m.tensor([2, 2]), z[:, :2], alpha=2),
    lambda m, y, z: y.index_copy_(0, m.tensor([1]), z[:1]).index_fill_(1, m.tensor([0]), 7.0),
    lambda m, y, z: y.index_put_((m.tensor([1, 0]),), z).put_(m.tensor([0, -1]), z[0, :2]),
    lambda m, y, z: y.addmm_(z, z[:, :2].new_ones(3, 3) * 0.5, beta=2),
    lambda m, y, z: y.ldexp_(m.tensor([1, 2, 3])),
    lambda m, y, z: y.t()[1:].mul_(z.t()[1:]).t(),
]


@pytest.mark.parity
@pytest.mark.parametrize("write", OTHERS)
def test_with_more_arguments(write: Any) -> None:
    def program(m: Any, x: Any, z: Any) -> Any:
        y = x * 1
        last = write(m, y, z)
        return y, last

    check(program, X, Y[:, :] + 0.0, loose=16)


@pytest.mark.parity
def test_operators() -> None:
    def floats(m: Any, x: Any, y: Any) -> Any:
        z = x * 8
        z += y
        z -= 0.5
        z *= y
        z /= 3
        z **= 2
        z //= 0.1
        z %= 4
        return z

    def whole(m: Any, x: Any, y: Any) -> Any:
        z = x * 1
        z |= y
        z &= 14
        z ^= 5
        z <<= 2
        z >>= y
        return z

    check(floats, X, Y, grads=False)
    check(whole, np.array([12, 7, 3]), np.array([1, 2, 0]), grads=False)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x.add_(gc.ones(3, 2, 3)), lambda x: x.long().add_(0.5),
        lambda x: x.bool().add_(1),
        lambda x: x.long().div_(2), lambda x: x.fill_(gc.ones(2)), lambda x: x.long().exp_(),
        lambda x: x[0].fill_diagonal_(1), lambda x: x.expand(4, 2, 3).mul_(2),
        lambda x: x.uniform_(2, 1), lambda x: x.normal_(0, -1), lambda x: x.bernoulli_(2.0),
        lambda x: x.exponential_(0), lambda x: x.geometric_(1.0), lambda x: x.cauchy_(0, 0),
        lambda x: x.log_normal_(0, 0), lambda x: x.long().uniform_(),
    ],
)  # fmt: skip
def test_errors(wrong: Any) -> None:
    with pytest.raises(GraphcError, match=r"test_inplace_table\.py"):
        wrong(gc.tensor(X))


def test_leaves() -> None:
    x = gc.tensor(X, requires_grad=True)
    with pytest.raises(AutogradError, match="leaf"):
        x.exp_()
    with pytest.raises(AutogradError, match="view"):
        (x * 1)[0].detach_()
    with gc.no_grad():
        x.exp_()
    np.testing.assert_array_equal(x.detach().numpy(), np.exp(X))


def test_random_fills() -> None:
    gc.manual_seed(3)
    x = gc.zeros(4000, dtype=gc.float64)
    assert abs(x.exponential_(2).mean().item() - 0.5) < 0.05
    assert x.min().item() >= 0
    assert abs(x.geometric_(0.25).mean().item() - 4) < 0.4
    assert x.min().item() == 1
    assert abs(x.bernoulli_(0.3).mean().item() - 0.3) < 0.05
    assert abs(x.log_normal_(0, 0.1).log().mean().item()) < 0.02
    assert abs(np.median(x.cauchy_(3, 0.5).numpy()) - 3) < 0.1
    assert x.random_(3, 7).unique().tolist() == [3, 4, 5, 6]
    assert gc.zeros(100, dtype=gc.int8).random_().max().item() > 60
    assert gc.zeros(50, dtype=gc.bool).bernoulli_(gc.tensor(1.0)).all()
    one, other = (gc.zeros(5).normal_(generator=gc.Generator().manual_seed(1)) for _ in range(2))
    assert one.tolist() == other.tolist()


def test_compiled_writes_give_dynamic_bits() -> None:
    def program(x: gc.Tensor) -> gc.Tensor:
        y = x * 2
        y[1:].exp_().clamp_(max=3)
        y.t()[0].zero_()
        y[:, 2] /= 7
        return y

    x = gc.tensor(X.astype(np.float64))
    compiled = gc.compile(program, backend="numpy")
    assert compiled(x).tolist() == program(x).tolist()
