"""Dynamic steps run as programs over arrays give the bits of the rules run as tensors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.frontend.optim import optimizer as module
from graphc.frontend.optim.program import PIECE, run_program

RULES: dict[str, Callable[[Any], Any]] = {
    "adam": lambda params: optim.Adam(params, lr=0.1),
    "amsgrad": lambda params: optim.Adam(params, amsgrad=True, weight_decay=0.1, maximize=True),
    "adamw": lambda params: optim.AdamW(params, lr=0.3, betas=(0.5, 0.9), eps=1e-3),
    "sgd": lambda params: optim.SGD(params, lr=0.1),
    "decay": lambda params: optim.SGD(params, lr=0.1, weight_decay=0.5, maximize=True),
    "momentum": lambda params: optim.SGD(params, lr=0.1, momentum=0.9),
    "dampening": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.5),
    "nesterov": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda params: optim.RMSprop(params, lr=0.1, momentum=0.5, centered=True),
    "adagrad": lambda params: optim.Adagrad(params, lr=0.1, lr_decay=0.1, weight_decay=0.1),
    "adadelta": lambda params: optim.Adadelta(params, rho=0.5, maximize=True),
    "adamax": lambda params: optim.Adamax(params, lr=0.1, weight_decay=0.1),
    "nadam": lambda params: optim.NAdam(params, lr=0.1, betas=(0.5, 0.9)),
    "radam": lambda params: optim.RAdam(params, lr=0.1, betas=(0.5, 0.9)),
    "asgd": lambda params: optim.ASGD(params, lr=0.1, lambd=0.1, t0=1.0),
    "rprop": lambda params: optim.Rprop(params, lr=0.1),
    "no share": lambda params: optim.SGD(params, lr=0.0, momentum=0.9, dampening=1.0),
}
SHAPES = [(), (1,), (0,), (3, 0), (5, 7), (PIECE,), (PIECE + 1,), (3, PIECE // 2 + 3)]
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e38, -1e-38]


def hostile(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    values = rng.normal(size=shape)
    flat = values.reshape(-1)
    where = rng.permutation(flat.size)[: len(SPECIAL) * 3]
    flat[where] = np.resize(SPECIAL, len(where))
    with np.errstate(all="ignore"):
        return gc.tensor(values.astype(dtype.numpy), dtype=dtype)


def steps(rule: Callable[[Any], Any], shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
    """The parameter and its state after some steps, with another rate on the way."""
    rng = np.random.default_rng(3)
    param = nn.Parameter(hostile(rng, shape, dtype))
    optimizer = rule([param])
    for number in range(4):
        param.grad = hostile(rng, shape, dtype)
        if number == 2:
            optimizer.param_groups[0]["lr"] *= 0.5
        if number == 3 and len(shape) == 2:
            param.grad = hostile(rng, shape[::-1], dtype).T
        optimizer.step()
    return param, optimizer.state[param]


def bits(x: Any) -> Any:
    array = x.detach().numpy()
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("rule", RULES)
def test_the_bits_are_those_of_tensors(
    rule: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shape in SHAPES:
        runs: list[bool] = []

        def counted(*args: Any, runs: list[bool] = runs) -> bool:
            runs.append(run_program(*args))
            return runs[-1]

        monkeypatch.setattr(module, "run_program", counted)
        param, state = steps(RULES[rule], shape, getattr(gc, dtype))
        assert runs == [bool(shape)] * 4
        monkeypatch.setattr(module, "run_program", lambda *args: False)
        expected, expected_state = steps(RULES[rule], shape, getattr(gc, dtype))
        assert state.keys() == expected_state.keys()
        pairs = [(param, expected), *((state[key], expected_state[key]) for key in state)]
        for got, want in pairs:
            np.testing.assert_array_equal(bits(got), bits(want), err_msg=f"{rule} {shape}")


def test_writes_are_counted() -> None:
    param = nn.Parameter(gc.ones(3))
    optimizer = optim.Adam([param])
    y = param * param
    for _ in range(2):
        param.grad = gc.ones(3)
        optimizer.step()
    assert param.storage.version.count == 2
    assert optimizer.state[param]["step"].storage.version.count == 2
    with pytest.raises(gc.errors.AutogradError, match="overwritten"):
        y.sum().backward()


def test_a_rule_of_ones_own_is_called_at_each_step() -> None:
    class Own(optim.SGD):
        calls = 0

        def update(self, *args: Any) -> Any:
            self.calls += 1
            return super().update(*args)

    param = nn.Parameter(gc.ones(3))
    optimizer = Own([param], lr=0.5)
    for _ in range(3):
        param.grad = gc.ones(3)
        optimizer.step()
    assert optimizer.calls == 3
    assert param.tolist() == [-0.5] * 3


def test_a_gradient_that_is_the_parameters_own_memory() -> None:
    for count in (4, PIECE * 2 + 5):
        memory = np.arange(count + 1, dtype=np.float32)
        param = nn.Parameter(gc.from_numpy(memory[:-1]))
        param.grad = gc.from_numpy(memory[1:])
        expected = memory[:-1] - np.float32(0.5) * memory[1:]
        optim.SGD([param], lr=0.5).step()
        np.testing.assert_array_equal(param.detach().numpy(), expected)
        param.grad = param.detach()
        optim.SGD([param], lr=0.5).step()
        np.testing.assert_array_equal(param.detach().numpy(), expected * 0.5)


def test_the_state_of_another_shape_or_kind() -> None:
    param = nn.Parameter(gc.ones(2, 3))
    optimizer = optim.Adam([param], lr=0.5)
    param.grad = gc.ones(2, 3)
    optimizer.step()
    optimizer.state[param]["exp_avg"] = gc.zeros(3, 2).T
    optimizer.step()
    assert np.isfinite(param.detach().numpy()).all()
    optimizer.state[param]["step"] = gc.zeros(())
    optimizer.step()
    assert optimizer.state[param]["step"].item() == 1.0
