"""PyTorch's operators by name, and graphc's functions for them."""

import functools
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import pytest

import graphc as gc
from tests.opinfo.differences import ABSENT, NOT_A_USERS
from tests.test_names import absent

pytest.importorskip("expecttest", reason="PyTorch's operator database needs it")
database = pytest.importorskip("torch.testing._internal.common_methods_invocations")

OPERATORS = {op.formatted_name: op for op in database.op_db if not op.name.startswith(NOT_A_USERS)}
"""PyTorch's operators, a few in several variants, by a name that is theirs alone."""

METHODS = frozenset(
    "bfloat16 bool byte cdouble cfloat char contiguous double expand expand_as float half int item "
    "long new_empty new_full new_ones new_zeros repeat reshape_as short sum_to_size to unfold view "
    "view_as cauchy_ exponential_ geometric_ log_normal_ uniform_".split()
)
"""Samples whose operator is a method, whatever function has the same name."""

ADAPTED: dict[str, Callable[..., Any]] = {
    "einsum": lambda tensors, equation: gc.einsum(equation, tensors),
    "fill": lambda x, value: x.clone().fill_(value),
    "linalg.lstsq.grad_oriented": lambda a, b, driver: gc.linalg.lstsq(a, b, driver=driver)[:2],
    "linalg.pinv.singular": lambda a, b: gc.linalg.pinv(a @ b.mT),
    "nn.functional.embedding": lambda weight, index, **options: gc.nn.functional.embedding(
        index, weight, **options
    ),
    "nn.functional.embedding_bag": lambda weight, index, **options: gc.nn.functional.embedding_bag(
        index, weight, **options
    ),
    "normal.in_place": lambda x, *args: x.clone().normal_(*args),
    "normal.number_mean": lambda std, mean, *size, **options: gc.normal(
        mean, std, *size, **options
    ),
    "polygamma": lambda x, n: gc.polygamma(n, x),
    "resize_": lambda x, shape: x.clone().resize_(shape),
    "resize_as_": lambda x, other: x.clone().resize_as_(other),
    "special.polygamma": lambda x, n: gc.special.polygamma(n, x),
    "where": lambda x, condition, other: gc.where(condition, x, other),
    "zero_": lambda x: x.clone().zero_(),
}
"""Samples that call an operator with its arguments in another order, or in another way."""


def function_of(op: Any) -> Callable[..., Any] | None:
    """graphc's function for an operator of the database; None if it has none."""
    for name in (f"{op.name}.{op.variant_test_name}", op.name):
        if name in ADAPTED:
            return ADAPTED[name]
    if op.name in METHODS:
        return getattr(gc.Tensor, op.name, None)
    if f"{op.name}_" in METHODS:
        return _on_a_copy(f"{op.name}_")
    path = op.name.split(".")
    function = functools.reduce(lambda place, name: getattr(place, name, None), path, gc)
    if callable(function):
        return function
    method = getattr(gc.Tensor, op.name, None)
    return method if callable(method) or method is None else _property(op.name)


def _property(name: str) -> Callable[[gc.Tensor], Any]:
    return lambda tensor: getattr(tensor, name)


def _on_a_copy(name: str) -> Callable[..., Any] | None:
    if not hasattr(gc.Tensor, name):
        return None
    return lambda tensor, *args, **options: getattr(tensor.clone(), name)(*args, **options)


def is_absent(op: Any) -> bool:
    """Whether docs/absent.md or the table of differences says that graphc has it not."""
    place, _, name = f"torch.{op.name}".rpartition(".")
    patterns = absent(place)
    if place == "torch":
        patterns += absent("torch.Tensor")
    return any(fnmatch(name, pattern) for pattern in patterns) or any(
        fnmatch(op.name, pattern) for pattern in ABSENT
    )


def present() -> list[str]:
    """The names of the operators that graphc has."""
    return [
        name for name, op in OPERATORS.items() if function_of(op) is not None or not is_absent(op)
    ]
