"""What a recording says of what it cannot record, each with the way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from graphc.errors import RecordingError, SymbolicValueError
from graphc.node import Node
from graphc.provenance import describe, user_location_text

if TYPE_CHECKING:
    from graphc.frontend.base import TensorBase
    from graphc.frontend.tensor import Tensor


def kept_too_long(tensors: Iterable[Tensor]) -> RecordingError:
    """A symbolic tensor was used after its program was compiled."""
    found = [f"{x.type} made at {describe(x.node)}" for x in tensors if x.node is not None]
    return RecordingError(
        "a value of a compiled function was kept by what it called, and used later",
        got=", ".join(found),
        fix="return it from the function: it has values only while the function runs",
        where=user_location_text(),
    )


def of_another_graph(x: Tensor) -> RecordingError:
    """A symbolic tensor was used in a recording that is not its own."""
    return RecordingError(
        "a symbolic tensor of one graph was used in another graph",
        got=f"{x.type}",
        fix="return it as an output of its graph and feed its value to this one",
        where=user_location_text(),
    )


def value_is_written(x: TensorBase, wanted: str) -> SymbolicValueError:
    """The values of a tensor were asked for that the program itself writes.

    Args:
        x: the tensor.
        wanted: what was asked for.
    """
    return SymbolicValueError(
        f"{wanted} was asked of a tensor that the recorded program writes",
        got=str(x.type),
        fix="compute with the tensor itself; its value exists only at run time",
        where=user_location_text(),
    )


def tape_is_dynamic(x: Tensor) -> RecordingError:
    """A result with a dynamic tape behind it cannot be a variable: gradients would end there."""
    return RecordingError(
        "a dynamic result that requires a gradient was used while recording",
        got=f"{x.type} made by {x._grad_fn}",
        fix="compute it inside the graph, or detach() it",
        where=user_location_text(),
    )


def not_contiguous(x: Tensor) -> RecordingError:
    """A program reads and writes variables in index order."""
    return RecordingError(
        "a variable's memory must be contiguous",
        got=f"{x.type} with strides {x.storage.array.strides}",
        fix="use x.contiguous() when you make the parameter or buffer",
    )


def is_an_argument(x: Tensor, name: str) -> RecordingError:
    """A tensor is an input of the program, and was to become a variable, too."""
    return RecordingError(
        f"argument {name!r} is also used by the function itself, or by its optimizer",
        got=str(x.type),
        fix="make it an nn.Parameter: arguments that are parameters are updated in place",
        where=user_location_text(),
    )


def write_is_tracked(value: Tensor) -> RecordingError:
    """A gradient cannot flow through memory from one run to the next."""
    return RecordingError(
        "a buffer was overwritten with a value that requires a gradient",
        got=str(value.type),
        fix="write value.detach(), or write it inside `with gc.no_grad():`",
        where=user_location_text(),
    )


def is_captured(x: Tensor) -> RecordingError:
    """What was captured by value cannot be written."""
    return RecordingError(
        "a tensor was captured by value and then written in place",
        got=str(x.type),
        fix="make it an nn.Buffer, so that it is a variable of the graph",
        where=user_location_text(),
    )


def has_views(x: Tensor) -> RecordingError:
    """Views of a tensor that becomes symbolic would not follow it."""
    return RecordingError(
        "a tensor that was made while recording was written, and has views",
        got=str(x.type),
        fix="write it before you make views of it, or write a clone() of it",
        where=user_location_text(),
    )


def input_is_written(name: str, node: Node) -> RecordingError:
    """The caller's array would not change."""
    return RecordingError(
        f"argument {name!r} was written in place, which its caller would not see",
        got=str(node.type),
        fix="use the out-of-place operation, or make the tensor an nn.Buffer",
    )
