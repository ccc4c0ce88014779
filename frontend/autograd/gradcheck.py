"""Compare gradients, and gradients of gradients, with finite differences."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import ArgumentError, AutogradError, GraphcError
from graphc.frontend.autograd.api import grad
from graphc.frontend.autograd.comparison import Comparison
from graphc.frontend.autograd.custom import FunctionOutput
from graphc.frontend.autograd.differences import gradient
from graphc.frontend.autograd.hooks import Grads
from graphc.frontend.base import is_tensor
from graphc.frontend.making import concrete
from graphc.frontend.modes import set_grad_enabled
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """True if gradients agree with central differences, element by element.

    Args:
        func: takes the inputs, returns a tensor or several.
        inputs: tensors that require gradients are checked; others are passed on. They should be
            float64 or complex128: differences of narrower ones are too inexact.
        eps: step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.
        raise_exception: raise instead of returning False.
        nondet_tol: permitted difference between two walks of backward.
        check_undefined_grad: also check that custom functions cope with missing gradients.
        check_grad_dtypes: accepted for PyTorch's sake: gradients always have their input's dtype.
        check_batched_grad: also check gradients in batches.
        check_batched_forward_grad: also check forward derivatives in batches, which are what
            ``check_forward_ad`` checks.
        check_forward_ad: also check ``autograd.functional.jvp``.
        check_backward_ad: check backward.
        fast_mode: compare along one random direction instead of all.
        masked: must be False or None: there are no sparse tensors.

    Raises:
        AutogradError: if they disagree, or no input requires a gradient.

    Source: ``torch.autograd.gradcheck``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([0.5, 2.0], dtype=gc.float64, requires_grad=True)
        >>> gc.autograd.gradcheck(lambda x: x.exp() * x, x)
        True
    """
    given = [inputs] if is_tensor(inputs) else list(inputs)
    _require_sense(masked, check_forward_ad, check_backward_ad, check_batched_forward_grad)
    checked = _checked(given)
    comparison = Comparison(func, given, checked, eps, atol, rtol)
    try:
        with set_grad_enabled(True):
            if fast_mode:
                comparison.along_a_direction(check_backward_ad, check_forward_ad)
            else:
                comparison.everywhere(check_backward_ad, check_forward_ad)
            if check_backward_ad:
                _check_backward(
                    comparison, checked, nondet_tol, check_batched_grad, check_undefined_grad
                )
    except AutogradError:
        if raise_exception:
            raise
        return False
    return True


def _check_backward(
    comparison: Comparison, checked: list[Tensor], nondet_tol: float, in_batches: bool,
    with_missing: bool,
) -> None:  # fmt: skip
    """What else holds for backward: it repeats, and takes zeros, batches and missing gradients."""
    outputs = comparison.outputs()
    _check_repeatable(outputs, checked, nondet_tol)
    _check_zero_start(outputs, checked)
    if in_batches:
        _check_batches(outputs, checked)
    if with_missing:
        _check_missing(comparison.outputs, checked)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """True if gradients of gradients agree with central differences of gradients.

    Args:
        func: takes the inputs, returns a tensor or several.
        inputs: as for ``gradcheck``.
        grad_outputs: one gradient per output that has some; default: random numbers.
        eps: step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.
        gen_non_contig_grad_outputs: let the random ones not lie in index order.
        raise_exception: raise instead of returning False.
        nondet_tol: as for ``gradcheck``, and so are the others.
        check_undefined_grad: see there.
        check_grad_dtypes: see there.
        check_batched_grad: see there.
        check_fwd_over_rev: also check ``autograd.functional.jvp`` of the gradients.
        check_rev_over_rev: check the gradients of the gradients.
        fast_mode: see there.
        masked: see there.

    Raises:
        AutogradError: if they disagree, or no input requires a gradient.

    Source: ``torch.autograd.gradgradcheck``.

    Example:
        >>> import graphc as gc
        >>> x = gc.tensor([0.5, 2.0], dtype=gc.float64, requires_grad=True)
        >>> gc.autograd.gradgradcheck(lambda x: x.exp() * x, x)
        True
    """
    given = [inputs] if is_tensor(inputs) else list(inputs)
    with set_grad_enabled(True):
        outputs = _differentiable(func(*given))
        if grad_outputs is not None:
            starts = [grad_outputs] if is_tensor(grad_outputs) else list(grad_outputs)
        else:
            rng = np.random.default_rng(0)
            starts = [_random_like(x, rng, gen_non_contig_grad_outputs) for x in outputs]

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        values, last = args[: len(given)], args[len(given) :]
        wanted = [x for x in values if is_tensor(x) and x.requires_grad]
        ends = _differentiable(func(*values))
        found = grad(ends, wanted, last, create_graph=True, allow_unused=True)
        return tuple(x for x in found if x is not None)

    return gradcheck(
        gradients, [*given, *starts], eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev, fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


def _differentiable(result: Any) -> list[Tensor]:
    results = [result] if is_tensor(result) else list(result)
    return [x for x in results if is_tensor(x) and x.requires_grad]


def _random_like(x: Tensor, rng: np.random.Generator, is_strided: bool) -> Tensor:
    """Random numbers like a tensor, which require a gradient."""
    values = rng.normal(size=x.shape)
    if x.dtype.is_complex:
        values = values + 1j * rng.normal(size=x.shape)
    array = np.asarray(values, x.dtype.numpy)
    if is_strided and array.ndim:
        array = np.repeat(array, 2, axis=-1)[..., ::2]
    return concrete(array, requires_grad=True)


def _require_sense(masked: bool | None, forward: bool, backward: bool, batched: bool) -> None:
    if masked:
        raise ArgumentError(
            "gradcheck: masked=True is for sparse tensors, which do not exist",
            where=user_location_text(),
        )
    if not (forward or backward) or (batched and not forward):
        raise ArgumentError(
            "gradcheck: nothing to check", fix="set check_backward_ad or check_forward_ad",
            where=user_location_text(),
        )  # fmt: skip


def _checked(given: Sequence[Any]) -> list[Tensor]:
    """The inputs whose gradients are checked."""
    checked = [x for x in given if is_tensor(x) and x.requires_grad]
    if not checked:
        raise AutogradError(
            "gradcheck: at least one input must require a gradient", where=user_location_text()
        )
    for x in checked:
        array = x.array("gradcheck")
        if array.size > 1 and 0 in array.strides:
            raise ArgumentError(
                "gradcheck: elements of an input share places", got=str(x.type),
                fix="clone() it", where=user_location_text(),
            )  # fmt: skip
    return checked


def _check_repeatable(outputs: Sequence[Tensor], checked: list[Tensor], tolerance: float) -> None:
    for number, output in enumerate(outputs):
        start = np.ones(output.shape, output.dtype.numpy)
        for first, second in zip(
            gradient(output, checked, start), gradient(output, checked, start), strict=True
        ):
            difference = np.abs(first.detach().numpy() - second.detach().numpy())
            if difference.size and float(difference.max()) > tolerance:
                raise AutogradError(
                    f"gradcheck: backward of output {number} gives other values each time",
                    got=f"differences up to {float(difference.max()):.3g}",
                    fix="allow them by nondet_tol", where=user_location_text(),
                )  # fmt: skip


def _check_zero_start(outputs: Sequence[Tensor], checked: list[Tensor]) -> None:
    for number, output in enumerate(outputs):
        found = gradient(output, checked, np.zeros(output.shape, output.dtype.numpy))
        if any(np.any(each.detach().numpy()) for each in found):
            raise AutogradError(
                f"gradcheck: backward of output {number} is not multiplied by its gradient",
                where=user_location_text(),
            )


def _check_batches(outputs: Sequence[Tensor], checked: list[Tensor]) -> None:
    for number, output in enumerate(outputs):
        rng = np.random.default_rng(number)
        starts = np.asarray(rng.normal(size=(2, *output.shape)), output.dtype.numpy)
        batch = grad(
            output, checked, concrete(starts), retain_graph=True, is_grads_batched=True,
            allow_unused=True,
        )  # fmt: skip
        singles = [gradient(output, checked, start) for start in starts]
        for position, found in enumerate(batch):
            expected = np.stack([single[position].detach().numpy() for single in singles])
            if found is not None and not np.allclose(found.detach().numpy(), expected):
                raise AutogradError(
                    f"gradcheck: output {number} has other gradients in a batch",
                    where=user_location_text(),
                )


def _check_missing(run: Callable[[], Sequence[Tensor]], checked: list[Tensor]) -> None:
    """Let custom functions have no gradients for all of their outputs, or for one of them."""
    for place, output in enumerate(run()):
        if not isinstance(output.grad_fn, FunctionOutput):
            continue
        for missing in (None, output.grad_fn.position):
            again = run()[place]
            step = again.grad_fn
            assert step is not None, "as in the first run"
            step.register_prehook(functools.partial(_without, missing))
            start = concrete(np.ones(again.shape, again.dtype.numpy))
            try:
                found = grad(again, checked, start, allow_unused=True)
            except GraphcError:
                raise
            except Exception as error:
                raise AutogradError(
                    f"gradcheck: {step.name()} does not cope with missing gradients",
                    got=f"{type(error).__name__}: {error}",
                    fix="check for None, or leave ctx.set_materialize_grads(True)",
                    where=user_location_text(),
                ) from error
            if any(each is not None and np.any(each.detach().numpy()) for each in found):
                raise AutogradError(
                    f"gradcheck: {step.name()} makes gradients of missing ones",
                    fix="its backward must return None or zeros then", where=user_location_text(),
                )  # fmt: skip


def _without(missing: int | None, grads: Grads) -> Grads:
    """The gradients without one of them, or without all."""
    return tuple(None if missing in (None, number) else each for number, each in enumerate(grads))
