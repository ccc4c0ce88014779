"""Compiled functions in copies and pickles, and what is no function."""

import copy
import functools
import pickle
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentTypeError


def twice(x: gc.Tensor) -> gc.Tensor:
    return x * 2


@gc.compile
def thrice(x: gc.Tensor) -> gc.Tensor:
    return x * 3


class WithStep(nn.Module):
    """A model that keeps a compiled form of one of its own methods."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(gc.ones(()))
        self.step = gc.compile(self.product)

    def product(self, x: gc.Tensor) -> gc.Tensor:
        return x * self.weight


def test_a_copy_has_the_same_function_and_options() -> None:
    compiled = gc.compile(functools.partial(twice), backend="numpy", optimize="O1")
    compiled(gc.ones(1))
    for copied in (
        copy.copy(compiled),
        copy.deepcopy(compiled),
        pickle.loads(pickle.dumps(compiled)),
    ):
        assert copied(gc.tensor([2.0])).tolist() == [4.0]
        assert copied.options == compiled.options
        assert copied.cache_info().misses == 1, "traces are not copied"


def test_a_decorated_function_is_pickled_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(thrice)) is thrice
    assert copy.deepcopy(thrice) is thrice
    renamed = gc.compile(twice)  # another object than the module's attribute of that name
    assert pickle.loads(pickle.dumps(renamed)).function is twice


def test_a_copied_model_calls_its_own_method() -> None:
    model = WithStep()
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        with gc.no_grad():
            copied.weight.fill_(5.0)
        assert copied.step(gc.tensor(2.0)).item() == 10.0
        assert model.step(gc.tensor(2.0)).item() == 2.0


def generator(x: Any) -> Iterator[Any]:
    yield x


async def coroutine(x: Any) -> Any:
    return x


async def stream(x: Any) -> AsyncIterator[Any]:
    yield x


class Yielding(nn.Module):
    def forward(self, x: Any) -> Iterator[Any]:
        yield x


@pytest.mark.parametrize(
    "function", [generator, coroutine, stream, functools.partial(generator), Yielding()]
)
def test_what_runs_after_the_trace_is_refused(function: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="runs after the call that is traced") as caught:
        gc.compile(function)
    assert f"{__file__}:{sys._getframe().f_lineno - 1}" in str(caught.value)


@pytest.mark.parametrize("value", [5, "twice", gc.ones(1), [twice]])
def test_what_is_no_function_is_refused(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a function or a module"):
        gc.compile(value)
