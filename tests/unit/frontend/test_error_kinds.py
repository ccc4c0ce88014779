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
