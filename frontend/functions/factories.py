"""Functions of one element made from one operation: name, document, promotion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from graphc.frontend.functions.convert import TensorLike, as_float, promote, promote_float
from graphc.opdef import OpDef

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])
Unary = Callable[["Tensor"], "Tensor"]
Binary = Callable[["TensorLike", "TensorLike"], "Tensor"]


def named(function: Function, name: str, doc: str) -> Function:
    """Give a function that was made the name and document of PyTorch's."""
    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = f"{doc}\n\nSource: ``torch.{name}``."
    return function


def unary(op: OpDef, name: str, doc: str) -> Unary:
    """A function of floats; integers and bools are taken as float32."""

    def function(input: Tensor) -> Tensor:
        return op(as_float(name, input))

    return named(function, name, doc)


def binary(op: OpDef, name: str, doc: str) -> Binary:
    """A function of two operands in their common dtype."""

    def function(input: TensorLike, other: TensorLike) -> Tensor:
        return op(*promote(name, input, other))

    return named(function, name, doc)


def binary_float(op: OpDef, name: str, doc: str) -> Binary:
    """A function of two operands in their common dtype, integers as float32."""

    def function(input: TensorLike, other: TensorLike) -> Tensor:
        return op(*promote_float(name, input, other))

    return named(function, name, doc)
