"""What the functions of ``autograd.functional`` share: inputs, outputs and missing gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.dims import Shape
from graphc.errors import AutogradError, DTypeError, ShapeError
from graphc.frontend.autograd.api import grad
from graphc.frontend.autograd.zeros import zeros_of
from graphc.frontend.base import is_tensor
from graphc.ops.shape import reshape
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

Tensors = tuple["Tensor", ...]
Found = Sequence["Tensor | None"]


class Group(NamedTuple):
    """Tensors that were given as one, or as a tuple."""

    tensors: Tensors
    is_tuple: bool

    def like(self, found: Sequence[Any]) -> Any:
        """One result per tensor, in the form in which these were given."""
        return tuple(found) if self.is_tuple else found[0]


def group(function: str, what: str, given: Any) -> Group:
    """A tensor or a sequence of tensors as a group.

    Raises:
        DTypeError: for anything else.
    """
    if is_tensor(given):
        return Group((given,), False)
    if isinstance(given, tuple | list) and given and all(map(is_tensor, given)):
        return Group(tuple(given), True)
    raise DTypeError(
        f"{function}: {what} must be a tensor or a tuple of tensors",
        got=type(given).__name__, where=user_location_text(),
    )  # fmt: skip


def leaf(x: Tensor) -> Tensor:
    """The same values where a path of gradients ends."""
    return x.detach().requires_grad_()


def inputs_of(function: str, inputs: Any, create_graph: bool) -> Group:
    """The inputs as tensors to differentiate by.

    Args:
        function: the caller's name.
        inputs: what the user gave.
        create_graph: stay connected with what the inputs were made from.
    """
    given = group(function, "inputs", inputs)
    made = [
        reshape(x, shape=x.shape) if create_graph and x.requires_grad else leaf(x)
        for x in given.tensors
    ]
    return Group(tuple(made), given.is_tuple)


def outputs_of(function: str, func: Callable[..., Any], inputs: Group, strict: bool) -> Group:
    """What a user's function gives for these inputs; strict: it must depend on some of them."""
    outputs = group(function, "what the function returns", func(*inputs.tensors))
    for position, x in enumerate(outputs.tensors):
        if strict and not x.requires_grad:
            raise AutogradError(
                f"{function}: output {position} does not depend on the inputs, or not "
                "differentiably, which strict=True forbids",
                got=str(x.type), where=user_location_text(),
            )  # fmt: skip
    return outputs


def vectors_for(function: str, given: Any, group_: Group) -> Found:
    """The vectors of a product, one per tensor of a group.

    Raises:
        AutogradError: if they are missing where there is more than one element.
        ShapeError: if they do not fit.
    """
    if given is None:
        (first, *others) = group_.tensors
        if others or first.numel() != 1:
            raise AutogradError(
                f"{function}: v can be left out only for one tensor of one element",
                got=", ".join(str(x.type) for x in group_.tensors), where=user_location_text(),
            )  # fmt: skip
        return (None,)
    vectors = group(function, "v", given)
    kinds = [x.type for x in vectors.tensors]
    expected = [x.type for x in group_.tensors]
    if [kind.shape for kind in kinds] != [kind.shape for kind in expected]:
        raise ShapeError(
            f"{function}: v must have the shapes of what it is multiplied with",
            got=", ".join(map(str, kinds)), expected=", ".join(map(str, expected)),
            where=user_location_text(),
        )  # fmt: skip
    return vectors.tensors


def differentiated(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], starts: Found, create_graph: bool
) -> Found:
    """The gradients of the outputs that have some; None where no path leads to an input."""
    pairs = [(x, start) for x, start in zip(outputs, starts, strict=True) if x.requires_grad]
    if not pairs:
        return [None] * len(inputs)
    ends = [x for x, _ in pairs]
    return grad(
        ends, inputs, [start for _, start in pairs], create_graph=create_graph, allow_unused=True
    )


def filled(
    what: str, found: Found, like: Sequence[Tensor], strict: bool, create_graph: bool,
    lead: Shape = (),
) -> Tensors:  # fmt: skip
    """Zeros in place of missing gradients; strict: an error instead.

    Args:
        what: names the result in errors.
        found: gradients, one per tensor.
        like: the tensors.
        strict: raise instead; with ``create_graph`` also if a gradient has none itself.
        create_graph: the results shall have gradients.
        lead: dims of the gradients before the tensors' own.
    """
    results = []
    for position, (x, one) in enumerate(zip(like, found, strict=True)):
        if strict and (one is None or (create_graph and not one.requires_grad)):
            raise AutogradError(
                f"{what}: the function"
                + ("" if one is None else "'s derivative")
                + f" does not depend on input {position}, which strict=True forbids",
                got=str(x.type), where=user_location_text(),
            )  # fmt: skip
        kind = x.type.with_shape((*lead, *x.shape))
        results.append(zeros_of(kind) if one is None else one)
    return tuple(results)


def detached(tensors: Sequence[Tensor], create_graph: bool) -> Tensors:
    """The results, cut off from gradients unless these are wanted."""
    return tuple(x if create_graph else x.detach() for x in tensors)


def finished(outputs: Group, create_graph: bool) -> Any:
    """A function's outputs as the user gets them."""
    return outputs.like(detached(outputs.tensors, create_graph))
