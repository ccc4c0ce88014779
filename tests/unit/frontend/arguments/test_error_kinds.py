"""Mistakes raise the kind of error that PyTorch's callers catch, in graphc's form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import graphc
from graphc.errors import GraphcError

MISTAKES: list[tuple[type[Exception], Callable[[Any], object]]] = [
    (IndexError, lambda g: g.ones(2, 3).sum(5)),
    (IndexError, lambda g: g.ones(2, 3).softmax(-3)),
    (IndexError, lambda g: g.ones(2, 3).transpose(0, 5)),
    (IndexError, lambda g: g.ones(2, 3).unsqueeze(7)),
    (IndexError, lambda g: g.ones(2, 3).cumsum(4)),
    (IndexError, lambda g: g.index_select(g.ones(2, 3), 5, g.tensor([0]))),
    (IndexError, lambda g: g.index_select(g.ones(2, 3), 0, g.zeros(2, 2).long())),
    (IndexError, lambda g: g.ones(2, 3)[1.5]),
    (IndexError, lambda g: g.ones(2, 3)[g.tensor([1.5])]),
    (IndexError, lambda g: g.ones(2, 3)[g.tensor([0, 1]), g.tensor([0, 1, 1])]),
    (IndexError, lambda g: g.ones(2, 3)[g.tensor([True, False, True])]),
    (IndexError, lambda g: g.ones(2, 3)[0, 0, 0]),
    (IndexError, lambda g: g.ones(0, 3).amax(0)),
    (IndexError, lambda g: g.ones(0, 3).max(0)),
    (IndexError, lambda g: g.ones(0, 3).argmin(0)),
    (RuntimeError, lambda g: g.ones(0, 3).amax()),
    (RuntimeError, lambda g: g.ones(2, 3) @ g.ones(2, 3)),
    (RuntimeError, lambda g: g.ones(2, 3) + g.ones(2, 4)),
    (RuntimeError, lambda g: g.ones(2, 3).reshape(7)),
    (RuntimeError, lambda g: g.ones(2, 3).gather(0, g.ones(2, 3))),
    (RuntimeError, lambda g: g.cat([g.ones(2, 3), g.ones(3, 3)], 1)),
    (RuntimeError, lambda g: g.nn.Linear(2, 3)(g.ones(2, 5))),
    (RuntimeError, lambda g: g.ones(2, 3).item()),
    (RuntimeError, lambda g: bool(g.ones(2, 3))),
    (TypeError, lambda g: g.ones(2, 3).sum("a")),
    (TypeError, lambda g: g.ones(2, 3).sum(0.5)),
    (TypeError, lambda g: g.ones(2, 3).sum(True)),
    (TypeError, lambda g: g.ones(2, 3).softmax(0.5)),
    (TypeError, lambda g: g.ones(2, 3).reshape(2.0, 3)),
    (TypeError, lambda g: g.zeros("a")),
    (TypeError, lambda g: g.zeros(2.5)),
    (TypeError, lambda g: g.randint(5.5, (2,))),
    (TypeError, lambda g: g.roll(g.ones(2), "a")),
    (TypeError, lambda g: g.cat(3)),
    (TypeError, lambda g: g.stack(3)),
    (TypeError, lambda g: g.stack([3])),
    (TypeError, lambda g: g.autograd.grad(3, 4)),
    (TypeError, lambda g: g.addcmul(g.ones(2), g.ones(2), g.ones(2), value="a")),
    (TypeError, lambda g: g.nan_to_num(g.ones(2), "a")),
    (RuntimeError, lambda g: g.arange(3).__setitem__(0, float("nan"))),
    (RuntimeError, lambda g: g.ones(3).masked_fill(g.ones(3) > 0, g.ones(1))),
    (RuntimeError, lambda g: g.ones(3).masked_fill_(g.ones(3) > 0, g.ones(3))),
    (RuntimeError, lambda g: g.autograd.grad(g.ones(1, requires_grad=True).sum(), [])),
]


@pytest.mark.parametrize(("kind", "mistake"), MISTAKES)
def test_mistakes_raise_the_kind_in_graphcs_form(
    kind: type[Exception], mistake: Callable[[Any], object]
) -> None:
    with pytest.raises(kind) as found:
        mistake(graphc)
    assert isinstance(found.value, GraphcError)
    assert "test_error_kinds.py" in found.value.where


@pytest.mark.parity
@pytest.mark.parametrize(("kind", "mistake"), MISTAKES)
def test_pytorch_raises_the_same_kind(
    kind: type[Exception], mistake: Callable[[Any], object]
) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(kind):
        mistake(torch)


@pytest.mark.parametrize("row", [2, -3])
def test_a_padding_row_that_does_not_exist_is_refused(row: int) -> None:
    table = graphc.ones(2, 3)
    with pytest.raises(graphc.errors.ArgumentError, match="no row of the table"):
        graphc.nn.functional.embedding(graphc.tensor([1]), table, padding_idx=row)
    found = graphc.nn.functional.embedding(graphc.tensor([1]), table, padding_idx=-2)
    assert found.shape == (1, 3)


NEGATIVE: dict[str, Callable[[], object]] = {
    "rand": lambda: graphc.rand(-1),
    "randint": lambda: graphc.randint(3, (-2,)),
    "reshape": lambda: graphc.ones(2, 3).reshape(-2, 3),
    "zeros": lambda: graphc.zeros(-1),
    "full": lambda: graphc.full((-1,), 2.0),
    "new_zeros": lambda: graphc.ones(2).new_zeros(-1),
    "repeat": lambda: graphc.ones(2).repeat(-1),
    "recorded": lambda: graphc.compile(lambda x: x + graphc.zeros(-1))(graphc.ones(1)),
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_sizes_are_not_negative(name: str) -> None:
    with pytest.raises(RuntimeError, match="sizes cannot be negative"):
        NEGATIVE[name]()
