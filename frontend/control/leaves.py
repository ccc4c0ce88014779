"""The tensors in what functions of loops and branches take and give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.errors import DTypeError, GraphcError, ShapeError
from graphc.frontend.base import TensorBase
from graphc.frontend.structure import Rebuild, flatten
from graphc.ops.shape import expand
from graphc.provenance import user_location_text
from graphc.shapes import unify
from graphc.types import TensorType

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


class Leaves(NamedTuple):
    """A nested structure taken apart.

    Attributes:
        names: one per tensor, e.g. ``carry.0.h``.
        tensors: its tensors.
        outline: the structure without the tensors.
        rebuild: puts other tensors in their places.
    """

    names: list[str]
    tensors: list[Tensor]
    outline: object
    rebuild: Rebuild

    @property
    def types(self) -> list[TensorType]:
        """The tensors' types."""
        return [x.type for x in self.tensors]


def leaves_of(what: str, name: str, structure: Any) -> Leaves:
    """Take apart what must be tensors, or None, in tuples, lists and dicts.

    Args:
        what: the function that was called, for errors.
        name: what the structure is.
        structure: the structure.

    Raises:
        DTypeError: if there is something else in it.
    """
    names, tensors, rebuild = flatten(structure, name)
    return Leaves(names, tensors, _outline(what, name, structure), rebuild)


def _outline(what: str, name: str, part: Any) -> object:
    if part is None or isinstance(part, TensorBase):
        return part if part is None else "tensor"
    if isinstance(part, dict):
        return {key: _outline(what, f"{name}.{key}", each) for key, each in part.items()}
    if isinstance(part, list | tuple):
        return [_outline(what, f"{name}.{i}", each) for i, each in enumerate(part)]
    raise DTypeError(
        f"{what}: {name} is no tensor",
        got=type(part).__name__,
        expected="tensors, or None, in tuples, lists and dicts",
        fix="make a tensor of it, e.g. gc.tensor(0.0), or let the function close over it",
        where=user_location_text(),
    )


def require_alike(what: str, found: Leaves, wanted: Leaves, why: str) -> list[Tensor]:
    """The tensors of a structure, which must be as those of another are.

    Args:
        what: the function that was called, for errors.
        found: what was found.
        wanted: what it must be like.
        why: which two must be alike, e.g. ``"the next carry must be as the carry is"``.

    Raises:
        ShapeError: for another structure or shape.
        DTypeError: for another dtype.
    """
    if found.outline != wanted.outline:
        raise ShapeError(
            f"{what}: {why}, and has another structure",
            got=str(found.outline), expected=str(wanted.outline), where=user_location_text(),
        )  # fmt: skip
    pairs = zip(wanted.names, found.tensors, wanted.types, strict=True)
    return [_fitted(what, name, x, type, why) for name, x, type in pairs]


def _fitted(what: str, name: str, x: Tensor, type: TensorType, why: str) -> Tensor:
    """The tensor itself, or with the wanted names of its unknown sizes."""
    if x.type == type:
        return x
    kind: type_of_error = DTypeError if x.dtype is not type.dtype else ShapeError
    if x.dtype is type.dtype and _may_be_equal(x.shape, type.shape):
        return expand(x, shape=type.shape)
    raise kind(
        f"{what}: {why}, and {name} has another {'dtype' if kind is DTypeError else 'shape'}",
        got=str(x.type), expected=str(type), where=user_location_text(),
    )  # fmt: skip


type_of_error = type[GraphcError]


def _may_be_equal(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(
        unify(one, other) is not None for one, other in zip(some, others, strict=True)
    )
