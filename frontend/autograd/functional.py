"""``autograd.functional``: Jacobians, Hessians, and their products with vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError, AutogradError, ShapeError
from graphc.frontend.autograd.groups import (
    Group,
    Tensors,
    detached,
    differentiated,
    filled,
    finished,
    inputs_of,
    leaf,
    outputs_of,
    vectors_for,
)  # fmt: skip
from graphc.frontend.autograd.rows import jacobian_rows
from graphc.frontend.autograd.zeros import zeros_of
from graphc.frontend.base import is_tensor
from graphc.frontend.modes import set_grad_enabled
from graphc.ops.shape import reshape
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def vjp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of a function, and the product of a vector with its Jacobian.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: tensor or tensors.
        v: one tensor per output, of its shape; may be left out for one output of one element.
        create_graph: let the results have gradients.
        strict: raise where an output does not depend on an input, instead of giving zeros.

    Returns:
        The outputs, and one tensor per input.

    Source: ``torch.autograd.functional.vjp``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([1.0, 2.0])
        >>> gc.autograd.functional.vjp(lambda x: x * x, x, gc.ones(2))[1]
        tensor([2., 4.])
    """
    with set_grad_enabled(True):
        given = inputs_of("vjp", inputs, create_graph)
        outputs = outputs_of("vjp", func, given, strict)
        vectors = vectors_for("vjp", v, outputs)
        found = differentiated(outputs.tensors, given.tensors, vectors, create_graph)
        products = filled("vjp", found, given.tensors, strict, create_graph)
    return finished(outputs, create_graph), given.like(detached(products, create_graph))


def jvp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The outputs of a function, and the product of its Jacobian with a vector.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors; its gradient must be
            differentiable.
        inputs: tensor or tensors.
        v: one tensor per input, of its shape; may be left out for one input of one element.
        create_graph: let the results have gradients.
        strict: raise where an output does not depend on an input, instead of giving zeros.

    Returns:
        The outputs, and one tensor per output.

    Source: ``torch.autograd.functional.jvp``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([1.0, 2.0])
        >>> gc.autograd.functional.jvp(lambda x: x * x, x, gc.ones(2))[1]
        tensor([2., 4.])
    """
    with set_grad_enabled(True):
        given = inputs_of("jvp", inputs, create_graph)
        vectors = vectors_for("jvp", v, given)
        outputs = outputs_of("jvp", func, given, strict)
        products = _along("jvp", outputs.tensors, given, vectors, strict, create_graph)
    return finished(outputs, create_graph), outputs.like(detached(products, create_graph))


def jacobian(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All derivatives of a function's outputs by its inputs.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: tensor or tensors.
        create_graph: let the results have gradients.
        strict: raise where an output does not depend on an input, instead of giving zeros.
        vectorize: accepted for PyTorch's sake; the results do not depend on it.
        strategy: ``"reverse-mode"``, or with ``vectorize`` also ``"forward-mode"``, likewise.

    Returns:
        A tensor of the output's dims and then the input's; a tuple of them for a tuple of
        inputs or of outputs, or a tuple per output for both.

    Source: ``torch.autograd.functional.jacobian``.

    Example:
        >>> import graphc as gc
        >>> gc.autograd.functional.jacobian(lambda x: x.sum() * x, gc.tensor([1.0, 2.0]))
        tensor([[4., 1.],
                [2., 5.]])
    """
    _require_strategy("jacobian", strategy, vectorize, strict)
    with set_grad_enabled(True):
        given = inputs_of("jacobian", inputs, create_graph)
        outputs = outputs_of("jacobian", func, given, strict)
        blocks = []
        for position, output in enumerate(outputs.tensors):
            if output.dtype.is_complex:
                raise AutogradError(
                    "jacobian: a complex output has no one derivative", got=str(output.type),
                    fix="differentiate its real and imaginary parts, or use vjp with a vector",
                    where=user_location_text(),
                )  # fmt: skip
            found = jacobian_rows(output, given.tensors, create_graph)
            what = f"jacobian of output {position}"
            row = filled(what, found, given.tensors, strict, create_graph, output.shape)
            blocks.append(given.like(detached(row, create_graph)))
    return outputs.like(blocks)


def hessian(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a function with one output of one element.

    Args:
        func: takes the inputs, returns a tensor.
        inputs: tensor or tensors.
        create_graph: let the results have gradients.
        strict: raise where the first derivatives do not depend on an input.
        vectorize: accepted for PyTorch's sake; the results do not depend on it.
        outer_jacobian_strategy: as ``strategy`` of ``jacobian``.

    Returns:
        A tensor of the input's dims twice; for a tuple of inputs a tuple of tuples.

    Source: ``torch.autograd.functional.hessian``.

    Example:
        >>> import graphc as gc
        >>> gc.autograd.functional.hessian(lambda x: (x ** 3).sum(), gc.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    _require_strategy("hessian", outer_jacobian_strategy, vectorize, strict)
    is_tuple = not is_tensor(inputs)
    scalar = _of_one_element("hessian", func)

    def first(*tensors: Tensor) -> Any:
        found = jacobian(scalar, tensors, create_graph=True, strict=strict)
        return found if is_tuple else found[0]

    return jacobian(first, inputs, create_graph=create_graph, strict=strict)


def vhp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output of a function, and the product of a vector with its Hessian.

    Args:
        func: takes the inputs, returns a tensor of one element.
        inputs: tensor or tensors.
        v: one tensor per input, of its shape; may be left out for one input of one element.
        create_graph: let the results have gradients.
        strict: raise where a derivative does not depend on an input, instead of giving zeros.

    Returns:
        The output, and one tensor per input.

    Source: ``torch.autograd.functional.vhp``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([1.0, 2.0])
        >>> gc.autograd.functional.vhp(lambda x: (x ** 3).sum(), x, gc.ones(2))[1]
        tensor([ 6., 12.])
    """

    def against(first: Tensors, given: Group, vectors: Sequence[Tensor | None]) -> Tensors:
        found = differentiated(first, given.tensors, vectors, create_graph)
        return filled("vhp", found, given.tensors, strict, create_graph)

    return _hessian_product("vhp", func, inputs, v, create_graph, strict, against)


def hvp(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The output of a function, and the product of its Hessian with a vector.

    It costs more than ``vhp``, which gives the same where the Hessian is symmetric.

    Args:
        func: takes the inputs, returns a tensor of one element.
        inputs: tensor or tensors.
        v: one tensor per input, of its shape; may be left out for one input of one element.
        create_graph: let the results have gradients.
        strict: raise where a derivative does not depend on an input, instead of giving zeros.

    Returns:
        The output, and one tensor per input.

    Source: ``torch.autograd.functional.hvp``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([1.0, 2.0])
        >>> gc.autograd.functional.hvp(lambda x: (x ** 3).sum(), x, gc.ones(2))[1]
        tensor([ 6., 12.])
    """

    def along(first: Tensors, given: Group, vectors: Sequence[Tensor | None]) -> Tensors:
        return _along("hvp", first, given, vectors, strict, create_graph)

    return _hessian_product("hvp", func, inputs, v, create_graph, strict, along)


def _hessian_product(
    function: str, func: Callable[..., Any], inputs: Tensor | Sequence[Tensor],
    v: Tensor | Sequence[Tensor] | None, create_graph: bool, strict: bool,
    product: Callable[[Tensors, Group, Sequence[Tensor | None]], Tensors],
) -> tuple[Any, Any]:  # fmt: skip
    """The output of ``func``, and a product of its gradient's derivative with vectors.

    Args:
        function: what the user called, for errors.
        func: takes the inputs, returns a tensor of one element.
        inputs: tensor or tensors.
        v: one tensor per input.
        create_graph: let the results have gradients.
        strict: raise where a derivative does not depend on an input.
        product: makes it of the gradient, the inputs and the vectors.
    """
    with set_grad_enabled(True):
        given = inputs_of(function, inputs, create_graph)
        vectors = vectors_for(function, v, given)
        outputs, first = _value_and_gradient(function, func, given, strict)
        products = product(first, given, vectors)
    return finished(outputs, create_graph), given.like(detached(products, create_graph))


def _value_and_gradient(
    function: str, func: Callable[..., Any], given: Group, strict: bool
) -> tuple[Group, Tensors]:
    """The one output of a function, and its gradient, which is differentiable."""
    outputs = outputs_of(function, _of_one_element(function, func, keeps_shape=True), given, strict)
    found = differentiated(outputs.tensors, given.tensors, (None,), True)
    return outputs, filled(function, found, given.tensors, strict, True)


def _along(
    function: str, outputs: Tensors, given: Group, vectors: Sequence[Tensor | None], strict: bool,
    create_graph: bool,
) -> Tensors:  # fmt: skip
    """The derivatives of outputs along vectors, by two backwards.

    The first one is linear in the weights of the outputs, whatever they are; its derivative by the
    weights is the Jacobian.
    """
    weights = tuple(leaf(zeros_of(x.type)) for x in outputs)
    backwards = differentiated(outputs, given.tensors, weights, True)
    linear = filled(function, backwards, given.tensors, strict, True)
    found = differentiated(linear, weights, vectors, create_graph)
    return filled(function, found, outputs, strict, create_graph)


def _of_one_element(
    function: str, func: Callable[..., Any], keeps_shape: bool = False
) -> Callable[..., Any]:
    """The function, whose output must be one tensor of one element, or an error."""

    def scalar(*tensors: Tensor) -> Tensor:
        output = func(*tensors)
        if is_tensor(output) and output.numel() == 1:
            return output if keeps_shape else reshape(output, shape=())
        raise ShapeError(
            f"{function}: the function must return one tensor of one element",
            got=str(output.type) if is_tensor(output) else type(output).__name__,
            where=user_location_text(),
        )

    return scalar


def _require_strategy(function: str, strategy: str, vectorize: bool, strict: bool) -> None:
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ArgumentError(
            f"{function}: unknown strategy", got=repr(strategy),
            expected="'reverse-mode' or 'forward-mode'", where=user_location_text(),
        )  # fmt: skip
    if strategy == "forward-mode" and (strict or not vectorize):
        raise ArgumentError(
            f"{function}: 'forward-mode' needs vectorize=True and strict=False, as in PyTorch",
            where=user_location_text(),
        )
    if strict and vectorize:
        raise ArgumentError(
            f"{function}: strict=True and vectorize=True exclude each other, as in PyTorch",
            where=user_location_text(),
        )
