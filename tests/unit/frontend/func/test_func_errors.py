"""Wrong arguments of the transforms, and what cannot be done inside ``vmap``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import (
    ArgumentError,
    AutogradError,
    CheckpointError,
    DTypeError,
    GraphcError,
    IndexRangeError,
    RecordingError,
    ShapeError,
    SymbolicValueError,
)

X = gc.tensor([[1.0, 2.0], [3.0, 4.0]])
V = gc.tensor([1.0, 2.0])
STATE = nn.Buffer(gc.zeros(2))

CASES: dict[str, tuple[Callable[[], Any], type[GraphcError], str]] = {
    "no arguments": (lambda: gc.vmap(lambda: X)(), ArgumentError, "without arguments"),
    "kind of in_dims": (lambda: gc.vmap(gc.sin, in_dims="0")(X), ArgumentError, "in_dims must be"),
    "bool in_dims": (lambda: gc.vmap(gc.sin, in_dims=True)(X), ArgumentError, "in_dims must be"),
    "structure": (lambda: gc.vmap(gc.mul, in_dims=(0,))(X, X), ArgumentError, "structure of the"),
    "keys": (lambda: gc.vmap(lambda t: t["a"], in_dims=({"b": 0},))({"a": X}), ArgumentError,
             "in_dims do not have the structure"),
    "no tensor": (lambda: gc.vmap(lambda x, y: x * y)(X, 2.0), ArgumentError, "is no tensor"),
    "none at all": (lambda: gc.vmap(gc.sin, in_dims=None)(X), ArgumentError, "no argument has"),
    "dim": (lambda: gc.vmap(gc.sin, in_dims=2)(X), ArgumentError, "dim that is not there"),
    "dim of a number": (lambda: gc.vmap(gc.sin)(gc.tensor(1.0)), ArgumentError, "not there"),
    "sizes": (lambda: gc.vmap(lambda x, y: x.sum() + y.sum())(X, gc.ones(3)), ShapeError,
              "different numbers of examples"),
    "out_dims": (lambda: gc.vmap(gc.sin, out_dims=2)(X), ArgumentError, "out_dims names a dim"),
    "out_dims None": (lambda: gc.vmap(gc.sin, out_dims=None)(X), ArgumentError, "differs between"),
    "out structure": (lambda: gc.vmap(gc.sin, out_dims=(0, 0))(X), ArgumentError,
                      "structure of the results"),
    "kind of out_dims": (lambda: gc.vmap(gc.sin, out_dims=0.5)(X), ArgumentError, "out_dims must"),
    "result": (lambda: gc.vmap(lambda x: 3.0)(X), DTypeError, "must return tensors"),
    "no result": (lambda: gc.vmap(lambda x: ())(X), DTypeError, "must return tensors"),
    "randomness": (lambda: gc.vmap(gc.sin, randomness="no")(X), ArgumentError, "randomness"),
    "chunk": (lambda: gc.vmap(gc.sin, chunk_size=0)(X), ArgumentError, "chunk_size"),
    "random": (lambda: gc.vmap(lambda x: x + gc.rand(2))(X), RecordingError, "random operation"),
    "dropout": (lambda: gc.vmap(nn.functional.dropout)(X), RecordingError, "random operation"),
    "item": (lambda: gc.vmap(lambda x: x[0].item() * x)(X), SymbolicValueError, "vmap: "),
    "if": (lambda: gc.vmap(lambda x: x if x.sum() > 0 else -x)(X), SymbolicValueError, "vmap: "),
    "nonzero": (lambda: gc.vmap(lambda x: x.nonzero())(X), SymbolicValueError, "non-zero"),
    "unique": (lambda: gc.vmap(lambda x: x.unique())(X), SymbolicValueError, "distinct"),
    "mask": (lambda: gc.vmap(lambda x: x[x > 0])(X), SymbolicValueError, "vmap: "),
    "write outside": (lambda: gc.vmap(lambda x: V.add_(x))(X), RecordingError, "written in place"),
    "write state": (lambda: gc.vmap(lambda x: STATE.copy_(x))(X), RecordingError, "written in"),
    "write a view": (lambda: gc.vmap(lambda x: V[0:1].add_(x[0]))(X), RecordingError, "written in"),
    "write an argument": (lambda: gc.vmap(lambda x: x.add_(1) * 2)(X), RecordingError,
                          "an argument was written in place"),
    "write an argument's row": (lambda: gc.vmap(lambda x: x[0].zero_() + x)(X), RecordingError,
                                "an argument was written in place"),
    "backward": (lambda: gc.vmap(_backward)(X), RecordingError, "grad was read or written"),
    "placeholder": (lambda: gc.vmap(lambda x: x + gc.placeholder((2,)))(X), RecordingError,
                    "placeholder"),
    "bad inside": (lambda: gc.vmap(lambda x: x + gc.ones(3))(X), ShapeError, "broadcast"),
    "bad index": (lambda: gc.vmap(lambda x: V[x])(gc.tensor([[0], [7]])), IndexRangeError, "range"),
    "grad of a vector": (lambda: gc.func.grad(gc.sin)(V), ShapeError, "return one number"),
    "grad of a tuple": (lambda: gc.func.grad(lambda x: (x.sum(),))(V), ShapeError, "one number"),
    "grad of ints": (lambda: gc.func.grad(lambda x: x.float().sum())(gc.tensor([1])),
                     AutogradError, "only floating point"),
    "grad to ints": (lambda: gc.func.grad(lambda x: x.sum().int())(V), AutogradError,
                     "must be floating point"),
    "grad of a float": (lambda: gc.func.grad(lambda x: x * x)(2.0), ArgumentError, "no tensor"),
    "grad gives a float": (lambda: gc.func.grad(lambda x: 2.0)(V), DTypeError, "return tensors"),
    "argnums": (lambda: gc.func.grad(gc.dot, argnums=2)(V, V), ArgumentError, "out of range"),
    "argnums twice": (lambda: gc.func.grad(gc.dot, (0, -2))(V, V), ArgumentError, "twice"),
    "argnums kind": (lambda: gc.func.grad(gc.dot, [0])(V, V), ArgumentError, "int or a tuple"),
    "no argnums": (lambda: gc.func.grad(gc.dot, ())(V, V), ArgumentError, "out of range"),
    "aux": (lambda: gc.func.grad(lambda x: x.sum(), has_aux=True)(V), ArgumentError, "aux"),
    "grad of a write": (lambda: gc.func.grad(lambda x: x.mul_(2).sum())(V.clone()), AutogradError,
                        "in place"),
    "grad of a tracked write": (
        lambda: gc.func.grad(lambda x: x.mul_(2).sum())(V.clone().requires_grad_() * 1),
        AutogradError, "an argument was written in place"),
    "grad of a recorded write": (lambda: gc.vmap(gc.func.grad(lambda x: x.mul_(2).sum()))(X),
                                 AutogradError, "in place"),
    "grad of a quiet write": (lambda: gc.vmap(gc.func.grad(_written_quietly))(X), AutogradError,
                              "an argument was written in place"),
    "cotangent": (lambda: gc.func.vjp(gc.sin, V)[1](gc.ones(3)), ShapeError, "a cotangent must"),
    "cotangents": (lambda: gc.func.vjp(gc.sin, V)[1]((V, V)), ShapeError, "structure of the out"),
    "tangent": (lambda: gc.func.jvp(gc.sin, (V,), (gc.ones(3),)), ShapeError, "a tangent must"),
    "tangent dtype": (lambda: gc.func.jvp(gc.sin, (V,), (V.double(),)), DTypeError, "a tangent"),
    "tangents": (lambda: gc.func.jvp(gc.sin, (V,), (V, V)), ShapeError, "structure of the pri"),
    "primals": (lambda: gc.func.jvp(gc.sin, V, (V,)), ArgumentError, "primals must be a tuple"),
    "strict": (lambda: gc.func.jvp(lambda x: gc.ones(2), (V,), (V,), strict=True), AutogradError,
               "does not depend"),
    "jacfwd random": (lambda: gc.func.jacfwd(gc.sin, randomness="different"), ArgumentError,
                      "runs once"),
    "two dicts": (lambda: gc.func.functional_call(nn.Linear(2, 1), ({"bias": V}, {"bias": V}), V),
                  ArgumentError, "two dicts"),
    "strict call": (lambda: gc.func.functional_call(nn.Linear(2, 1), {"bais": V}, V, strict=True),
                    CheckpointError, "unexpected: bais"),
    "call with a float": (lambda: gc.func.functional_call(nn.Linear(2, 1), {"bias": 1.0}, V),
                          DTypeError, "must be a tensor"),
    "no models": (lambda: gc.func.stack_module_state([]), ArgumentError, "no model"),
    "kinds of models": (lambda: gc.func.stack_module_state([nn.Linear(1, 1), nn.ReLU()]),
                        ArgumentError, "one class"),
    "training": (lambda: gc.func.stack_module_state([nn.ReLU(), nn.ReLU().eval()]),
                 ArgumentError, "training"),
}  # fmt: skip


def _written_quietly(x: Any) -> Any:
    with gc.no_grad():
        x.mul_(2)
    return x.sum()


def _backward(x: Any) -> Any:
    leaf = x.detach().requires_grad_()
    leaf.sum().backward()
    return leaf.grad


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named(name: str) -> None:
    act, kind, text = CASES[name]
    with pytest.raises(kind, match=text) as caught:
        act()
    assert "test_func_errors.py" in caught.value.where
    assert not gc.is_recording()


def test_state_is_as_before_after_an_error() -> None:
    np.testing.assert_array_equal(V.numpy(), [1, 2])
    np.testing.assert_array_equal(STATE.numpy(), [0, 0])


def test_a_tensor_of_a_map_is_of_no_use_outside() -> None:
    kept: list[gc.Tensor] = []
    gc.vmap(lambda x: kept.append(x) or x)(X)  # type: ignore[func-returns-value]
    with pytest.raises(RecordingError, match="from inside was used outside"):
        gc.vmap(lambda x: x + kept[0])(X)
    with gc.Graph(), pytest.raises(RecordingError, match="from inside was used outside"):
        kept[0] + 1
